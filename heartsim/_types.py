"""Names for arrays: which library holds them; their shapes stand in each signature.

The dimensions used across the package are `nodes cells vertices dim frames leads`.
"""

import numpy as np
from jaxtyping import Array, Float

AnyArray = Array | np.ndarray
"""A JAX or a NumPy array: what lies on the host may be NumPy, what is traced is JAX."""

Nodal = Float[Array, " nodes"]
"""A number at every node."""

Time = Float[Array, ""] | float
"""ms."""
