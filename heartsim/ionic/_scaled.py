"""Models with some of their parameters times a factor."""

import difflib
from collections.abc import Mapping

from jax.typing import ArrayLike

from ._model import AbstractIonicModel, as_parameter


def scaled(model: AbstractIonicModel, factors: Mapping[str, ArrayLike]) -> AbstractIonicModel:
    """Return the model with each named parameter times its factor: a number, or one per node."""
    known = model.named()
    for name in factors:
        if name not in known:
            owner = type(model).__name__
            raise ValueError(f"{owner}: there is no parameter {name!r}{instead(name, known)}")
    return model.with_named({name: known[name] * as_parameter(f) for name, f in factors.items()})


def instead(name: str, known: Mapping[str, object]) -> str:
    """The end of a sentence that refuses a name."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it is one of {', '.join(known)}."
