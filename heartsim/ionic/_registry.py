"""Models by name, and models made from models."""

import difflib
from collections.abc import Mapping

import equinox as eqx
import jax
from jax.typing import ArrayLike

from ._import import ENDINGS, read_membrane
from ._imported import Imported
from ._model import AbstractIonicModel, as_parameter
from ._patchwork import Patchwork
from ._smoothing import led_over
from ._started import Started
from .published import CARDS

MODELS = {name: card.build for name, card in CARDS.items()}
"""How every published model is made, by the name that a scenario gives it."""


def is_file(name: str) -> bool:
    """Whether a model is named by its file."""
    return name.endswith(ENDINGS)


def by_name(name: str, voltage: str | None = None) -> AbstractIonicModel:
    """Return the published model of that name, with its published parameters, or that of a file
    (.mmt, .cellml, .model), with the file's, as `read_membrane`, which `voltage` is for."""
    if is_file(name):
        return read_membrane(name, voltage)
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
    if isinstance(model, Started):
        return Started(smoothed(model.inner, width), model.start)
    if isinstance(model, Imported):
        return led_over(model, width)
    if "jump_width" in vars(model):
        return model.with_named({"jump_width": as_parameter(width)})
    return model


def _instead(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it is one of {', '.join(known)}."
