"""Every published model by the name that a scenario gives it, with what it is of."""

import dataclasses
from collections.abc import Callable

from .._model import AbstractIonicModel
from . import _bueno_orovio_2008 as bo08
from . import _courtemanche_1998 as atrial
from . import _fenton_karma_1998 as fk98
from . import _ohara_rudy_layers as ord_layers
from . import _ten_tusscher_2004 as tnnp04
from . import _ten_tusscher_2006 as tp06
from ._aliev_panfilov_1996 import AlievPanfilov1996
from ._beeler_reuter_1977 import BeelerReuter1977
from ._fabbri_2017 import Fabbri2017
from ._luo_rudy_1991 import LuoRudy1991
from ._mitchell_schaeffer_2003 import MitchellSchaeffer
from ._stewart_2009 import Stewart2009


@dataclasses.dataclass(frozen=True)
class Card:
    """A published model, and what it is of."""

    build: Callable[[], AbstractIonicModel]
    """With its published parameters."""
    species: str
    tissue: str
    source: str
    cost: float
    """ns per cell and step of RushLarsen in float32 on one core of an AMD EPYC (Zen 5, 512 bits),
    as one cell of the family has it in benchmarks/cells.json."""


_MS03 = (
    "Mitchell and Schaeffer (2003), Bull. Math. Biol. 65, 767-793; page not checked; as in "
    "finitewave 0.9.3"
)
_AP96 = "Aliev and Panfilov (1996), Chaos, Solitons & Fractals 7, 293-301; page not checked"
_FK98 = "Fenton and Karma (1998), Chaos 8, 20-47; page not checked"
_BO08 = "Bueno-Orovio et al. (2008), J. Theor. Biol. 253, 544-560; page not checked"
_BR77 = "Beeler and Reuter (1977), J. Physiol. 268, 177-210; page not checked"
_LR91 = "Luo and Rudy (1991), Circ. Res. 68, 1501-1526; page not checked"
_CRN = "Courtemanche et al. (1998), Am. J. Physiol. 275, H301-H321; page not checked"
_AF = "Courtemanche et al. (1999), Cardiovasc. Res. 42, 477-489; page not checked"
_TN04 = "ten Tusscher et al. (2004), Am. J. Physiol. 286, H1573-H1589; page not checked"
_STEWART = "Stewart et al. (2009), Phil. Trans. R. Soc. A 367, 2225-2255; page not checked"
_FABBRI = "Fabbri et al. (2017), J. Physiol. 595, 2365-2396; page not checked"
_TP06 = "ten Tusscher and Panfilov (2006), Am. J. Physiol. 291, H1088-H1100; page not checked"
_ORD = "O'Hara et al. (2011), PLoS Comput. Biol. 7, e1002061; page not checked"
_CIPA = "Li et al. (2017), Circ. Arrhythm. Electrophysiol. 10, e004628; page not checked"
_TOR = "Tomek et al. (2020), bioRxiv 2020.06.01.127043; page not checked"
_ENDO, _MID, _EPI = (f"ventricle, {layer}" for layer in ("endocardium", "mid-wall", "epicardium"))

CARDS = {
    "mitchell_schaeffer_2003": Card(MitchellSchaeffer, "generic", "ventricle", _MS03, 0.73),
    "aliev_panfilov_1996": Card(AlievPanfilov1996, "dog", "ventricle", _AP96, 0.53),
    "fenton_karma_1998_br": Card(
        fk98.fenton_karma_1998_br, "mammal", "ventricle, as Beeler-Reuter", _FK98, 1.2
    ),
    "fenton_karma_1998_mbr": Card(
        fk98.fenton_karma_1998_mbr, "mammal", "ventricle, as Beeler-Reuter modified", _FK98, 1.2
    ),
    "fenton_karma_1998_mlr1": Card(
        fk98.fenton_karma_1998_mlr1, "guinea pig", "ventricle, as Luo-Rudy I modified", _FK98, 1.2
    ),
    "fenton_karma_1998_gp": Card(
        fk98.fenton_karma_1998_gp, "guinea pig", "ventricle, as measured by Girouard", _FK98, 1.2
    ),
    "bueno_orovio_2008_endo": Card(bo08.bueno_orovio_2008_endo, "human", _ENDO, _BO08, 1.9),
    "bueno_orovio_2008_mid": Card(bo08.bueno_orovio_2008_mid, "human", _MID, _BO08, 1.9),
    "bueno_orovio_2008_epi": Card(bo08.bueno_orovio_2008_epi, "human", _EPI, _BO08, 1.9),
    "bueno_orovio_2008_pb": Card(
        bo08.bueno_orovio_2008_pb, "human", "ventricle, as Priebe-Beuckelmann", _BO08, 1.9
    ),
    "bueno_orovio_2008_tnnp": Card(
        bo08.bueno_orovio_2008_tnnp, "human", "ventricle, as ten Tusscher 2004", _BO08, 1.9
    ),
    "beeler_reuter_1977": Card(BeelerReuter1977, "mammal", "ventricle", _BR77, 6.5),
    "luo_rudy_1991": Card(LuoRudy1991, "guinea pig", "ventricle", _LR91, 7.7),
    "ten_tusscher_2004_endo": Card(tnnp04.ten_tusscher_2004_endo, "human", _ENDO, _TN04, 14.0),
    "ten_tusscher_2004_mid": Card(tnnp04.ten_tusscher_2004_mid, "human", _MID, _TN04, 14.0),
    "ten_tusscher_2004_epi": Card(tnnp04.ten_tusscher_2004_epi, "human", _EPI, _TN04, 14.0),
    "ten_tusscher_2006_endo": Card(tp06.ten_tusscher_2006_endo, "human", _ENDO, _TP06, 14.0),
    "ten_tusscher_2006_mid": Card(tp06.ten_tusscher_2006_mid, "human", _MID, _TP06, 14.0),
    "ten_tusscher_2006_epi": Card(tp06.ten_tusscher_2006_epi, "human", _EPI, _TP06, 14.0),
    "ohara_rudy_2011_endo": Card(ord_layers.ohara_rudy_2011_endo, "human", _ENDO, _ORD, 45.0),
    "ohara_rudy_2011_mid": Card(ord_layers.ohara_rudy_2011_mid, "human", _MID, _ORD, 45.0),
    "ohara_rudy_2011_epi": Card(ord_layers.ohara_rudy_2011_epi, "human", _EPI, _ORD, 45.0),
    "ohara_rudy_cipa_2017_endo": Card(
        ord_layers.ohara_rudy_cipa_2017_endo, "human", _ENDO, _CIPA, 64.0
    ),
    "ohara_rudy_cipa_2017_mid": Card(
        ord_layers.ohara_rudy_cipa_2017_mid, "human", _MID, _CIPA, 64.0
    ),
    "ohara_rudy_cipa_2017_epi": Card(
        ord_layers.ohara_rudy_cipa_2017_epi, "human", _EPI, _CIPA, 64.0
    ),
    "tor_ord_dyncl_2020_endo": Card(ord_layers.tor_ord_dyncl_2020_endo, "human", _ENDO, _TOR, 63.0),
    "tor_ord_dyncl_2020_mid": Card(ord_layers.tor_ord_dyncl_2020_mid, "human", _MID, _TOR, 63.0),
    "tor_ord_dyncl_2020_epi": Card(ord_layers.tor_ord_dyncl_2020_epi, "human", _EPI, _TOR, 63.0),
    "courtemanche_1998": Card(atrial.courtemanche_1998, "human", "atrium", _CRN, 14.0),
    "courtemanche_1998_af": Card(
        atrial.courtemanche_1998_af,
        "human",
        "atrium in chronic fibrillation",
        f"{_CRN}; {_AF}",
        14.0,
    ),
    "stewart_2009": Card(Stewart2009, "human", "Purkinje fibre", _STEWART, 15.0),
    "fabbri_2017": Card(Fabbri2017, "human", "sinus node", _FABBRI, 47.0),
}
"""Every published model, by the name that a scenario gives it."""
