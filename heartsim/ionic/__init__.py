"""The membrane: one published cell model per file, and the steps that serve them all."""

from ._mitchell_schaeffer import MitchellSchaeffer as MitchellSchaeffer
from ._mitchell_schaeffer import MitchellSchaefferState as MitchellSchaefferState
from ._model import AbstractIonicModel as AbstractIonicModel
from ._model import Parameter as Parameter
from ._model import Rates as Rates
from ._model import Relaxation as Relaxation
from ._model import Slope as Slope
from ._model import param as param
from ._patchwork import Patchwork as Patchwork
from ._patchwork import layers as layers
from ._registry import MODELS as MODELS
from ._registry import by_name as by_name
from ._registry import parameters as parameters
from ._registry import scaled as scaled
from ._registry import smoothed as smoothed
from ._registry import ten_tusscher_2006_endo as ten_tusscher_2006_endo
from ._registry import ten_tusscher_2006_epi as ten_tusscher_2006_epi
from ._registry import ten_tusscher_2006_mid as ten_tusscher_2006_mid
from ._safe import sigmoid as sigmoid
from ._safe import x_over_expm1 as x_over_expm1
from ._steps import AbstractMembraneStep as AbstractMembraneStep
from ._steps import RushLarsen as RushLarsen
from ._steps import RushLarsenMidpoint as RushLarsenMidpoint
from ._ten_tusscher_2006 import TenTusscher2006 as TenTusscher2006
from ._ten_tusscher_2006_start import TenTusscher2006State as TenTusscher2006State
