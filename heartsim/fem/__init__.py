"""Calculus on a mesh: gradients, mass, stiffness, sparse products, one linear solve."""

from ._assemble import Elements as Elements
from ._assemble import elements as elements
from ._geometry import basis_gradients as basis_gradients
from ._order import compact as compact
from ._pattern import Pattern as Pattern
from ._pattern import bandwidth_order as bandwidth_order
from ._pattern import pattern as pattern
from ._pattern import shifts as shifts
from ._planned import planned as planned
from ._planned import spectrum as spectrum
from ._poisson import solve_poisson as solve_poisson
from ._poisson import stiffness_matrix as stiffness_matrix
from ._rows import Rows as Rows
from ._solve import AbstractLinearSolve as AbstractLinearSolve
from ._solve import Chebyshev as Chebyshev
from ._solve import ConjugateGradients as ConjugateGradients
from ._solve import Past as Past
from ._solve import ScaledMatrix as ScaledMatrix
from ._solve import scaled_matrix as scaled_matrix
from ._spread import REPEATED as REPEATED
from ._spread import AbstractSpread as AbstractSpread
from ._spread import Strips as Strips
from ._spread import Whole as Whole
from ._spread import most_strips as most_strips
from ._spread import split as split
from ._spread import strips as strips
