"""Mass and stiffness on linear simplices."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from heartsim._jit import jitted
from heartsim._types import AnyArray
from heartsim.mesh import Mesh

from ._geometry import basis_gradients
from ._pattern import Pattern, pattern, vertex_pairs
from ._rows import Rows


class Elements(eqx.Module):
    """What a mesh's cells contribute: geometry once, matrices from it for any tensor."""

    pattern: Pattern
    gradients: Float[AnyArray, "cells vertices 3"]  # ∇λ_i of each vertex, 1/mm
    measure: Float[AnyArray, " cells"]  # mm^dim
    node_measure: Float[AnyArray, " nodes"]  # lumped mass, mm^dim
    dim: int = eqx.field(static=True)

    @eqx.filter_jit
    def stiffness(self, D: Float[AnyArray, "cells 3 3"]) -> Rows:
        """K_ij = ∫ ∇λ_i · D ∇λ_j, symmetric, zero row sums: constants lie in its kernel."""
        low, high = vertex_pairs(self.dim + 1).T
        low, high = self.gradients[:, low, :, None], self.gradients[:, high, None]
        pairs = jnp.sum(low * D[:, None] * high, axis=(2, 3))  # one loop; einsum keeps 18 numbers
        off = self.pattern.gather_rows(self.pattern.gather_edges(self.measure[:, None] * pairs))
        return self._rows(off, -off.sum(axis=0))

    @jitted
    def mass(self, lumped: float) -> Rows:
        """The blend  lumped · M_lumped + (1 - lumped) · M_consistent  [mm^dim].

        On a d-simplex of measure m the consistent mass is m (1 + δ_ij) / ((d+1)(d+2)). All lumped
        it is diagonal, and has no slots.
        """
        if not 0.0 <= lumped <= 1.0:
            raise ValueError(
                f"the lumped share of the mass is {lumped}; it must lie between 0 (consistent) "
                "and 1 (lumped): more than consistent is unstable."
            )
        if lumped == 1.0:
            none = jnp.zeros((0, self.node_measure.size), jnp.int32)
            of = None if self.pattern.shifts is None else ()
            return Rows(none, none.astype(float), jnp.asarray(self.node_measure, float), of)
        d = self.dim
        pairs = jnp.broadcast_to(
            self.measure[:, None] / ((d + 1) * (d + 2)), (self.measure.size, d * (d + 1) // 2)
        )
        off = (1 - lumped) * self.pattern.gather_rows(self.pattern.gather_edges(pairs))
        return self._rows(off, jnp.asarray(self.node_measure) - off.sum(axis=0))

    def _rows(self, off: Float[Array, "slots nodes"], diagonal: Float[Array, " nodes"]) -> Rows:
        of = self.pattern
        rest = None if of.long is None else of.long.rest(off)
        return Rows(of.neighbour, off, diagonal, of.shifts, long=of.long, rest=rest)

    def mass_floor(self, lumped: float) -> float:
        """The least eigenvalue of the mass under its Jacobi scaling: no less than that of an
        element's mass under its own, (1 + n s) / (2 + (n - 1) s) with n = d + 1 vertices and the
        lumped share s.

        Wathen (1987), IMA J. Numer. Anal. 7, 449-457, for s = 0 (page not checked).
        """
        n = self.dim + 1
        return (1 + n * lumped) / (2 + (n - 1) * lumped)


def elements(mesh: Mesh) -> Elements:
    """The elements of a mesh in the working precision.

    A node of no cell (padding) stands alone: no neighbours, and unit mass so that no row is empty.
    """
    dtype = jax.dtypes.canonicalize_dtype(float)
    gradients, measure = basis_gradients(mesh.points, mesh.cells)
    vertices = mesh.cells.shape[1]
    node_measure = np.bincount(
        np.asarray(mesh.cells).ravel(), np.repeat(measure / vertices, vertices), mesh.n_nodes
    )
    node_measure[node_measure == 0] = 1.0  # mm^dim; see the docstring
    return Elements(
        pattern=pattern(mesh.cells, mesh.n_nodes),
        gradients=gradients.astype(dtype),
        measure=measure.astype(dtype),
        node_measure=node_measure.astype(dtype),
        dim=vertices - 1,
    )
