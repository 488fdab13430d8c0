"""The cells of the three layers of the wall, of O'Hara and Rudy (2011) and its line."""

from typing import Any

from .._model import AbstractIonicModel
from .._scaled import scaled
from ._ohara_rudy_2011 import OHaraRudy2011
from ._ohara_rudy_cipa_2017 import OHaraRudyCiPA2017
from ._tor_ord_2020 import ToRORdDynCl2020

NOTCH: dict[str, Any] = {"to_epi": 0.95}  # of the epicardial cells, whose i_to inactivates faster
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


def ohara_rudy_2011_endo() -> AbstractIonicModel:
    """Return the endocardial cell."""
    return OHaraRudy2011()


def ohara_rudy_2011_epi() -> AbstractIonicModel:
    """Return the epicardial cell: a notch by four times i_to, a shorter action potential."""
    return scaled(OHaraRudy2011(**NOTCH), EPI)


def ohara_rudy_2011_mid() -> AbstractIonicModel:
    """Return the mid-wall (M) cell: the longest action potential."""
    return scaled(OHaraRudy2011(), MID)


def ohara_rudy_cipa_2017_endo() -> AbstractIonicModel:
    """Return the endocardial cell, on which CiPA tests drugs."""
    return OHaraRudyCiPA2017()


def ohara_rudy_cipa_2017_epi() -> AbstractIonicModel:
    """Return the epicardial cell."""
    return scaled(OHaraRudyCiPA2017(**NOTCH), EPI)


def ohara_rudy_cipa_2017_mid() -> AbstractIonicModel:
    """Return the mid-wall (M) cell."""
    return scaled(OHaraRudyCiPA2017(), MID)


def tor_ord_dyncl_2020_endo() -> AbstractIonicModel:
    """Return the endocardial cell."""
    return ToRORdDynCl2020()


def tor_ord_dyncl_2020_epi() -> AbstractIonicModel:
    """Return the epicardial cell."""
    return scaled(ToRORdDynCl2020(**NOTCH), TOR_EPI)


def tor_ord_dyncl_2020_mid() -> AbstractIonicModel:
    """Return the mid-wall (M) cell."""
    return scaled(ToRORdDynCl2020(), TOR_MID)
