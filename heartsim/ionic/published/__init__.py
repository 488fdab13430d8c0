"""Published cell models, each in a file named after its paper; see `heartsim.ionic`."""

from ._catalogue import CARDS as CARDS
from ._catalogue import Card as Card
from ._mitchell_schaeffer_2003 import MitchellSchaeffer as MitchellSchaeffer
from ._mitchell_schaeffer_2003 import MitchellSchaefferState as MitchellSchaefferState
from ._ohara_rudy_2011 import OHaraRudy2011 as OHaraRudy2011
from ._ohara_rudy_2011_state import OHaraRudy2011State as OHaraRudy2011State
from ._ohara_rudy_cipa_2017 import OHaraRudyCiPA2017 as OHaraRudyCiPA2017
from ._ten_tusscher_2006 import TenTusscher2006 as TenTusscher2006
from ._ten_tusscher_2006 import ten_tusscher_2006_endo as ten_tusscher_2006_endo
from ._ten_tusscher_2006 import ten_tusscher_2006_epi as ten_tusscher_2006_epi
from ._ten_tusscher_2006 import ten_tusscher_2006_mid as ten_tusscher_2006_mid
from ._ten_tusscher_2006_start import TenTusscher2006State as TenTusscher2006State
from ._tor_ord_2020 import ToRORdDynCl2020 as ToRORdDynCl2020
from ._tor_ord_2020_state import ToRORd2020State as ToRORd2020State
