"""Models by name, and models made from models."""

import dataclasses

import equinox as eqx
import jax

from ._deviating import Deviating
from ._first_use import check_once
from ._import import ENDINGS, read_membrane
from ._imported import Imported
from ._model import AbstractIonicModel, as_parameter
from ._patchwork import Patchwork
from ._scaled import instead
from ._smoothing import led_over
from ._started import Started
from ._thickened import Thickened
from .published import CARDS

MODELS = {name: card.build for name, card in CARDS.items()}
"""How every published model is made, by the name that a scenario gives it."""


def is_file(name: str) -> bool:
    """Whether a model is named by its file."""
    return name.endswith(ENDINGS)


def by_name(
    name: str, voltage: str | None = None, stimulus: str | None = None
) -> AbstractIonicModel:
    """Return the published model of that name, with its published parameters, or that of a file
    (.mmt, .cellml, .model), with the file's, as `read_membrane`, which `voltage` and `stimulus` are
    for."""
    if is_file(name):
        model = read_membrane(name, voltage, stimulus)
        check_once(name, model, voltage, stimulus)
        return model
    if name not in MODELS:
        raise ValueError(f"ionic: there is no model {name!r}{instead(name, MODELS)}")
    if (voltage, stimulus) != (None, None):
        raise ValueError(f"{name} is built in; voltage and stimulus are named of a file alone.")
    return MODELS[name]()


def parameters(model: AbstractIonicModel) -> dict[str, jax.Array]:
    """Return the parameters of a model by name."""
    return model.named()


def smoothed(model: AbstractIonicModel, width: float = 1.0) -> AbstractIonicModel:
    """Return the model with its published jumps led over by sigmoids of `width` [mV].

    For runs that are differentiated: behind a jump the derivative is wrong however small dt is.
    """
    if not width > 0:
        raise ValueError(f"smoothed: wanted a width above 0 mV, was given {width}.")
    if isinstance(model, Patchwork):
        smooth = tuple(smoothed(m, width) for m in model.models)
        return eqx.tree_at(lambda patches: patches.models, model, smooth)
    if isinstance(model, Started | Deviating | Thickened):
        return dataclasses.replace(model, inner=smoothed(model.inner, width))
    if isinstance(model, Imported):
        return led_over(model, width)
    if "jump_width" in vars(model):
        return model.with_named({"jump_width": as_parameter(width)})
    return model
