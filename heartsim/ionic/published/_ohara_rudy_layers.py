"""The cells of the three layers of the wall, of O'Hara and Rudy (2011) and its line."""

from typing import TypeVar

from .._model import as_parameter
from ._ohara_rudy_2011 import OHaraRudy2011
from ._ohara_rudy_cipa_2017 import OHaraRudyCiPA2017
from ._tor_ord_2020 import ToRORdDynCl2020

Cell = TypeVar("Cell", OHaraRudy2011, OHaraRudyCiPA2017, ToRORdDynCl2020)

EPI = {  # times the endocardial cell; cell.mode 1 of ohara-2011.mmt and ohara-cipa-v1-2017.mmt
    "g_NaL": 0.6,
    "g_to": 4.0,
    "g_CaL": 1.2,
    "g_Kr": 1.3,
    "g_Ks": 1.4,
    "g_K1": 1.2,
    "g_NaCa": 1.1,
    "g_NaK": 0.9,
    "g_Kb": 0.6,
    "V_up": 1.3,
    "Buf_cmdn": 1.3,
}
MID = {  # cell.mode 2
    "g_to": 4.0,
    "g_CaL": 2.5,
    "g_Kr": 0.8,
    "g_K1": 1.3,
    "g_NaCa": 1.4,
    "g_NaK": 0.7,
    "V_rel": 1.7,
}
TOR_EPI = EPI | {"g_to": 2.0}  # tomek-2020.mmt
TOR_MID = MID | {"g_to": 2.0, "g_CaL": 2.0}


def ohara_rudy_2011_endo() -> OHaraRudy2011:
    """Return the endocardial cell."""
    return OHaraRudy2011()


def ohara_rudy_2011_epi() -> OHaraRudy2011:
    """Return the epicardial cell: a notch by four times i_to, a shorter action potential."""
    return _epi(OHaraRudy2011(), EPI)


def ohara_rudy_2011_mid() -> OHaraRudy2011:
    """Return the mid-wall (M) cell: the longest action potential."""
    return _times(OHaraRudy2011(), MID)


def ohara_rudy_cipa_2017_endo() -> OHaraRudyCiPA2017:
    """Return the endocardial cell, on which CiPA tests drugs."""
    return OHaraRudyCiPA2017()


def ohara_rudy_cipa_2017_epi() -> OHaraRudyCiPA2017:
    """Return the epicardial cell."""
    return _epi(OHaraRudyCiPA2017(), EPI)


def ohara_rudy_cipa_2017_mid() -> OHaraRudyCiPA2017:
    """Return the mid-wall (M) cell."""
    return _times(OHaraRudyCiPA2017(), MID)


def tor_ord_dyncl_2020_endo() -> ToRORdDynCl2020:
    """Return the endocardial cell."""
    return ToRORdDynCl2020()


def tor_ord_dyncl_2020_epi() -> ToRORdDynCl2020:
    """Return the epicardial cell."""
    return _epi(ToRORdDynCl2020(), TOR_EPI)


def tor_ord_dyncl_2020_mid() -> ToRORdDynCl2020:
    """Return the mid-wall (M) cell."""
    return _times(ToRORdDynCl2020(), TOR_MID)


def _times(cell: Cell, factors: dict[str, float]) -> Cell:
    known = cell.named()
    new = cell.with_named({name: known[name] * factor for name, factor in factors.items()})
    assert isinstance(new, type(cell))
    return new


def _epi(cell: Cell, factors: dict[str, float]) -> Cell:
    new = _times(cell, factors).with_named({"to_epi": as_parameter(0.95)})
    assert isinstance(new, type(cell))
    return new
