"""How deep in the wall and how high each node lies, from the surfaces: Laplace's equation."""

import dataclasses

import numpy as np
from jaxtyping import Float
from scipy import sparse

from heartsim._types import AnyArray
from heartsim.fem import stiffness_matrix
from heartsim.mesh import Mesh, rule_based_fibres

APEX = 5.0  # mm around the lowest node, which are height 0


def with_fibres(mesh: Mesh, up: Float[np.ndarray, " 3"]) -> Mesh:
    """The mesh with point data `transmural` (0 endocardium, 1 epicardium; in the septum 0 left, 1
    right) and `apicobasal` (0 apex, 1 base), and rule-based fibres by them.

    Both solve Laplace's equation with these values at the node sets epi, lv_endo, rv_endo and
    base: Bayer et al. (2012), Ann. Biomed. Eng. 40, 2243-2254 (pages not checked); `up` points from
    apex to base. At the right endocardium a node is septal where all its cells are.
    """
    sets = mesh.node_sets
    value = np.full(mesh.n_nodes, np.nan)
    value[sets["epi"]] = 1.0
    if "rv_endo" in sets:
        tags = dict(mesh.region_names)
        free = np.zeros(mesh.n_nodes, bool)
        free[mesh.cells[mesh.regions == tags["RV"]]] = True
        septal = np.zeros(mesh.n_nodes, bool)
        septal[mesh.cells[mesh.regions != tags["RV"]]] = True
        right = np.isin(np.arange(mesh.n_nodes), sets["rv_endo"])
        value[right & free & ~septal] = 0.0
        value[right & septal & ~free] = 1.0
    value[sets["lv_endo"]] = 0.0
    K = stiffness_matrix(mesh, np.broadcast_to(np.eye(3), (mesh.n_cells, 3, 3)))
    transmural = np.clip(harmonic(K, value), 0.0, 1.0)
    height = mesh.points @ up
    value = np.full(mesh.n_nodes, np.nan)
    value[sets["base"]] = 1.0
    lowest = mesh.points[np.argmin(height)]
    value[np.linalg.norm(mesh.points - lowest, axis=1) <= APEX] = 0.0
    apicobasal = np.clip(harmonic(K, value), 0.0, 1.0)
    fields = {"transmural": transmural, "apicobasal": apicobasal}
    mesh = dataclasses.replace(mesh, point_data={**mesh.point_data, **fields})
    return rule_based_fibres(mesh, transmural, apicobasal)


def harmonic(K: sparse.csr_array, given: Float[AnyArray, " nodes"]) -> Float[np.ndarray, " nodes"]:
    """The harmonic field with the values that are `given` (NaN: free), to 1e-6 of its range."""
    free = np.isnan(given)
    inner: sparse.csr_array = K[free][:, free]
    b = -(K[free][:, ~free] @ given[~free])
    scale = sparse.diags_array(1 / inner.diagonal())
    x, unfinished = sparse.linalg.cg(inner, b, rtol=1e-8, M=scale, maxiter=10_000)
    if unfinished:
        raise ValueError("harmonic: the field was not found in 10 000 iterations.")
    out = np.array(given, float)
    out[free] = x
    return out
