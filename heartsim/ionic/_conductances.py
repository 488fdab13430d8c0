"""Which parameter of a membrane scales which current."""

import re

from ._model import AbstractIonicModel

CURRENTS = (
    "Na", "NaL", "to", "CaL", "CaT", "Kr", "Ks", "K1", "Kur", "K", "Kb", "Kp", "pK", "f", "bNa",
    "bCa", "bCl", "pCa", "NaK", "NaCa", "ClCa",
)  # fmt: skip
"""Standard names, without the i of the current."""
NAMED = re.compile(r"(?:g|p|gbar|pbar|k(?=_?naca|_?ncx))_?(.+)", re.IGNORECASE)
ENDING = re.compile(r"_?(?:b|bar|base|max|c)$", re.IGNORECASE)
OTHERWISE = {
    "ca": "CaL", "si": "CaL", "ncx": "NaCa", "nab": "bNa", "cab": "bCa", "clb": "bCl",
}  # fmt: skip


def conductances(model: AbstractIonicModel) -> dict[str, str]:
    """The parameter that scales each current, by the current's standard name: conductance,
    permeability or largest current. Built-in models call it g_X (P_NaK, K_NaCa); of a file it
    is the constant called so in one of the usual ways (gKr, G_Kr, GKr_b, PCa ...)."""
    standard = {name.lower(): name for name in CURRENTS} | OTHERWISE
    found: dict[str, str] = {}
    for name in model.named():
        match = NAMED.fullmatch(name)
        if match is None:
            continue
        for form in (match.group(1), ENDING.sub("", match.group(1))):
            key = form.replace("_", "").lower()
            if key in standard:
                found.setdefault(standard[key], name)
                break
    return found
