"""Which variables of a membrane may stand half a step beside the others."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import Jaxpr, Literal
from jaxtyping import Array, Float, PyTree

from ._model import AbstractIonicModel, Coupled, Slope
from ._relax import is_change
from ._stage import none

CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint")


class Sides(NamedTuple):
    """Of each leaf of a state, in the order of its leaves."""

    gate: tuple[bool, ...]  # relaxes, or is coupled to others, at rates that hang on no gate
    settles: tuple[bool, ...]  # relaxes or is coupled, and is no gate
    moves_gates: tuple[bool, ...]  # stands in the rates of a gate


def sides(model: AbstractIonicModel, V: Float[Array, "..."], state: Any) -> Sides:
    """Which variables are gates in the sense of Hodgkin and Huxley: at given V and concentrations
    they move one by one, at rates in which they do not stand themselves. As many as there can be,
    nearly: of those that hang on one another the one with most to do with the others is left out
    first.
    """

    def changes(V, state):
        return model.rates(V, state).changes

    program, out = jax.make_jaxpr(changes, return_shape=True)(V, state)
    leaf = [frozenset([k]) for k in range(len(jax.tree.leaves(state)))]
    reached = iter(_reached(program.jaxpr, [frozenset(), *leaf]))
    each = jax.tree.leaves(out, is_leaf=is_change)
    needs = [frozenset().union(*(next(reached) for _ in jax.tree.leaves(c))) for c in each]
    relaxing = {k for k, change in enumerate(each) if not isinstance(change, Slope)}
    coupled = {k for k, change in enumerate(each) if isinstance(change, Coupled)}
    gates = set(relaxing)
    while ties := [(k, other) for k in gates for other in needs[k] & gates]:
        most = max(gates, key=lambda k: (sum(k in tie for tie in ties), len(needs[k]), k))
        gates -= coupled if most in coupled else {most}
    read = frozenset().union(*(needs[k] for k in gates))
    leaves = range(len(each))
    return Sides(*(tuple(k in of for k in leaves) for of in (gates, relaxing - gates, read)))


def parts(of: Sides, state: PyTree) -> tuple[PyTree, PyTree]:
    """The gates, and the rest."""
    return only(of.gate, state), only([not gate for gate in of.gate], state)


def only(which: Sequence[bool], tree: PyTree) -> PyTree:
    """The tree with None in place of all other leaves."""
    leaves, structure = jax.tree.flatten(tree, is_leaf=none)
    each = [x if yes else None for yes, x in zip(which, leaves, strict=True)]
    return jax.tree.unflatten(structure, each)


def _reached(jaxpr: Jaxpr, given: list[frozenset[int]]) -> list[frozenset[int]]:
    """What of what is given reaches each result of a program."""
    known: dict[Any, frozenset[int]] = dict(zip(jaxpr.invars, given, strict=True))

    def of(x):
        return frozenset() if isinstance(x, Literal) else known.get(x, frozenset())

    for equation in jaxpr.eqns:
        read = [of(x) for x in equation.invars]
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        if equation.primitive.name in CALLS and inner is not None:
            reached = _reached(getattr(inner, "jaxpr", inner), read)
        else:
            reached = [frozenset().union(*read)] * len(equation.outvars)
        known.update(zip(equation.outvars, reached, strict=True))
    return [of(x) for x in jaxpr.outvars]
