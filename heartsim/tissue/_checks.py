"""What is refused before or after an eikonal solve, in one sentence each."""

import jax
import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse import csgraph

from heartsim._types import AnyArray
from heartsim.mesh import Mesh, unique_edges

from ._local import NEVER


def require_velocities(**velocity: Float[AnyArray, "*shape"] | float) -> None:
    """ValueError where a velocity [mm/ms], named by its keyword, is not positive and finite.

    What is being traced has no numbers yet and passes: under jit, check before.
    """
    for name, given in velocity.items():
        if isinstance(given, jax.core.Tracer):
            continue
        v = np.asarray(given, float)
        wrong = ~(np.isfinite(v) & (v > 0))
        if wrong.any():
            where = "" if v.ndim == 0 else f" in {wrong.sum()} of {v.size} places"
            raise ValueError(
                f"velocity ({name}): {v[wrong].flat[0]:g} mm/ms{where}, where a positive number is "
                "wanted; leave out of the mesh what does not conduct (mesh.drop_regions)."
            )


def require_reached(mesh: Mesh, T: Float[AnyArray, " nodes"]) -> None:
    """ValueError where no source reaches some of the mesh: how many nodes, and where.

    `T` [ms] are the arrival times of the mesh's nodes; times of a network may follow. Nodes that
    belong to no cell do not count.
    """
    T = np.asarray(T)
    used = np.zeros(mesh.n_nodes, bool)
    used[np.asarray(mesh.cells)] = True
    lost = used & (T[: mesh.n_nodes] >= NEVER / 2)
    if not lost.any():
        return
    a, b = np.asarray(unique_edges(mesh.cells)).T
    inside = lost[a] & lost[b]
    graph = sparse.coo_array((inside[inside], (a[inside], b[inside])), shape=2 * lost.shape)
    _, label = csgraph.connected_components(graph, directed=False)
    sizes = np.bincount(label[lost])
    largest = lost & (label == sizes.argmax())
    middle = ", ".join(f"{x:.1f}" for x in np.asarray(mesh.points)[largest].mean(axis=0))
    parts = np.count_nonzero(sizes)
    which = "one part" if parts == 1 else f"{parts} parts, the largest of {largest.sum()} nodes"
    raise ValueError(
        f"no source reaches {lost.sum()} of {used.sum()} nodes: {which} around ({middle}) mm; put "
        "a source there, or leave the part out of the mesh (mesh.submesh)."
    )
