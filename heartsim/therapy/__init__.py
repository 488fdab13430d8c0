"""What a clinician does: drugs, pacing, and the indices by which its options are compared."""

from ._drug import Drug as Drug
from ._drug import Hill as Hill
from ._drug import dosed as dosed
from ._drug import drugs_of as drugs_of
from ._drug import read_drugs as read_drugs
from ._indices import DEFINITIONS as DEFINITIONS
from ._indices import Indices as Indices
from ._indices import indices as indices
from ._indices import region_mean as region_mean
