"""What a clinician does: pacing, and the indices by which its options are compared."""

from ._indices import DEFINITIONS as DEFINITIONS
from ._indices import Indices as Indices
from ._indices import indices as indices
from ._indices import region_mean as region_mean
