"""Published cell models, each in a file named after its paper; see `heartsim.ionic`."""

from ._mitchell_schaeffer_2003 import MitchellSchaeffer as MitchellSchaeffer
from ._mitchell_schaeffer_2003 import MitchellSchaefferState as MitchellSchaefferState
from ._ten_tusscher_2006 import TenTusscher2006 as TenTusscher2006
from ._ten_tusscher_2006_start import TenTusscher2006State as TenTusscher2006State
