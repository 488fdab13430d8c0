"""Models by name, and models made from models."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
from jax.typing import ArrayLike

from ._import import ENDINGS, read_membrane
from ._model import AbstractIonicModel, as_parameter
from ._patchwork import Patchwork
from .published import MitchellSchaeffer, TenTusscher2006
from .published._ten_tusscher_2006_start import ENDO, MID


def ten_tusscher_2006_epi() -> TenTusscher2006:
    """Return the epicardial cell."""
    return TenTusscher2006()


def ten_tusscher_2006_mid() -> TenTusscher2006:
    """Return the mid-wall (M) cell: a quarter of g_Ks, hence a longer action potential."""
    own: dict[str, Any] = {"g_Ks": 0.098}  # mS/µF; ten_tusscher_model_2006_M.cellml
    return TenTusscher2006(**own, start=MID)


def ten_tusscher_2006_endo() -> TenTusscher2006:
    """Return the endocardial cell: little i_to, and a slower s gate with another limit."""
    own: dict[str, Any] = {  # ten_tusscher_model_2006_endo.cellml
        "g_to": 0.073,  # mS/µF
        "s_half": -28.0,  # mV
        "tau_s_peak": 1000.0,  # ms
        "tau_s_centre": -67.0,  # mV
        "tau_s_spread": 1000.0,  # mV²
        "tau_s_step": 0.0,  # ms
        "tau_s_floor": 8.0,  # ms
    }
    return TenTusscher2006(**own, start=ENDO)


MODELS: dict[str, Callable[[], AbstractIonicModel]] = {
    "mitchell_schaeffer_2003": MitchellSchaeffer,
    "ten_tusscher_2006_epi": ten_tusscher_2006_epi,
    "ten_tusscher_2006_mid": ten_tusscher_2006_mid,
    "ten_tusscher_2006_endo": ten_tusscher_2006_endo,
}
"""Every published model, by the name that a scenario gives it."""


@dataclasses.dataclass(frozen=True)
class Card:
    """What a built-in model is of."""

    species: str
    tissue: str
    source: str


_TP06 = "ten Tusscher and Panfilov (2006), Am. J. Physiol. 291, H1088-H1100; page not checked"
CARDS = {
    "mitchell_schaeffer_2003": Card(
        "generic",
        "ventricle",
        "Mitchell and Schaeffer (2003), Bull. Math. Biol. 65, 767-793; page not checked",
    ),
    "ten_tusscher_2006_epi": Card("human", "ventricle, epicardium", _TP06),
    "ten_tusscher_2006_mid": Card("human", "ventricle, mid-wall", _TP06),
    "ten_tusscher_2006_endo": Card("human", "ventricle, endocardium", _TP06),
}
"""Of every model of `MODELS`."""


def is_file(name: str) -> bool:
    """Whether a model is named by its file."""
    return name.endswith(ENDINGS)


def by_name(name: str) -> AbstractIonicModel:
    """Return the published model of that name, with its published parameters, or that of a file
    (.mmt, .cellml, .model), with the file's, as `read_membrane`."""
    if is_file(name):
        return read_membrane(name)
    if name not in MODELS:
        raise ValueError(f"ionic: there is no model {name!r}{_instead(name, MODELS)}")
    return MODELS[name]()


def parameters(model: AbstractIonicModel) -> dict[str, jax.Array]:
    """Return the parameters of a model by name."""
    return model.named()


def scaled(model: AbstractIonicModel, factors: Mapping[str, ArrayLike]) -> AbstractIonicModel:
    """Return the model with each named parameter times its factor: a number, or one per node."""
    known = parameters(model)
    for name in factors:
        if name not in known:
            owner = type(model).__name__
            raise ValueError(f"{owner}: there is no parameter {name!r}{_instead(name, known)}")
    return model.with_named({name: known[name] * as_parameter(f) for name, f in factors.items()})


def smoothed(model: AbstractIonicModel, width: float = 1.0) -> AbstractIonicModel:
    """Return the model with its published jumps led over by sigmoids of `width` [mV].

    For runs that are differentiated: behind a jump the derivative is wrong however small dt is.
    """
    if not width > 0:
        raise ValueError(f"smoothed: wanted a width above 0 mV, was given {width}.")
    if isinstance(model, Patchwork):
        smooth = tuple(smoothed(m, width) for m in model.models)
        return eqx.tree_at(lambda patches: patches.models, model, smooth)
    if isinstance(model, TenTusscher2006):
        return model.with_named({"jump_width": as_parameter(width)})
    return model


def _instead(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it is one of {', '.join(known)}."
