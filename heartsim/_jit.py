"""Compiling, by which NumPy's scalars are what Python's are."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def jitted(function: Callable[P, R]) -> Callable[P, R]:
    """`eqx.filter_jit`, to which NumPy's scalars are known numbers, as Python's are: it would trace
    them, and checks of them fail."""
    compiled = eqx.filter_jit(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return compiled(*map(_plain, args), **{name: _plain(x) for name, x in kwargs.items()})

    return call


def _plain(x: Any) -> Any:
    return x.item() if isinstance(x, np.generic) else x
