"""Every published model by the name that a scenario gives it, with what it is of."""

import dataclasses
from collections.abc import Callable

from .._model import AbstractIonicModel
from . import _ohara_rudy_layers as ord_layers
from . import _ten_tusscher_2006 as tp06
from ._mitchell_schaeffer_2003 import MitchellSchaeffer


@dataclasses.dataclass(frozen=True)
class Card:
    """A published model, and what it is of."""

    build: Callable[[], AbstractIonicModel]
    """With its published parameters."""
    species: str
    tissue: str
    source: str


_MS03 = "Mitchell and Schaeffer (2003), Bull. Math. Biol. 65, 767-793; page not checked"
_TP06 = "ten Tusscher and Panfilov (2006), Am. J. Physiol. 291, H1088-H1100; page not checked"
_ORD = "O'Hara et al. (2011), PLoS Comput. Biol. 7, e1002061; page not checked"
_CIPA = "Li et al. (2017), Circ. Arrhythm. Electrophysiol. 10, e004628; page not checked"
_TOR = "Tomek et al. (2020), bioRxiv 2020.06.01.127043; page not checked"
_ENDO, _MID, _EPI = (f"ventricle, {layer}" for layer in ("endocardium", "mid-wall", "epicardium"))

CARDS = {
    "mitchell_schaeffer_2003": Card(MitchellSchaeffer, "generic", "ventricle", _MS03),
    "ten_tusscher_2006_endo": Card(tp06.ten_tusscher_2006_endo, "human", _ENDO, _TP06),
    "ten_tusscher_2006_mid": Card(tp06.ten_tusscher_2006_mid, "human", _MID, _TP06),
    "ten_tusscher_2006_epi": Card(tp06.ten_tusscher_2006_epi, "human", _EPI, _TP06),
    "ohara_rudy_2011_endo": Card(ord_layers.ohara_rudy_2011_endo, "human", _ENDO, _ORD),
    "ohara_rudy_2011_mid": Card(ord_layers.ohara_rudy_2011_mid, "human", _MID, _ORD),
    "ohara_rudy_2011_epi": Card(ord_layers.ohara_rudy_2011_epi, "human", _EPI, _ORD),
    "ohara_rudy_cipa_2017_endo": Card(ord_layers.ohara_rudy_cipa_2017_endo, "human", _ENDO, _CIPA),
    "ohara_rudy_cipa_2017_mid": Card(ord_layers.ohara_rudy_cipa_2017_mid, "human", _MID, _CIPA),
    "ohara_rudy_cipa_2017_epi": Card(ord_layers.ohara_rudy_cipa_2017_epi, "human", _EPI, _CIPA),
    "tor_ord_dyncl_2020_endo": Card(ord_layers.tor_ord_dyncl_2020_endo, "human", _ENDO, _TOR),
    "tor_ord_dyncl_2020_mid": Card(ord_layers.tor_ord_dyncl_2020_mid, "human", _MID, _TOR),
    "tor_ord_dyncl_2020_epi": Card(ord_layers.tor_ord_dyncl_2020_epi, "human", _EPI, _TOR),
}
"""Every published model, by the name that a scenario gives it."""
