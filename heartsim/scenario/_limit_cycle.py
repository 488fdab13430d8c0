"""Limit cycles of cells, computed once and kept."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import jax
import jax.numpy as jnp
import numpy as np

from heartsim._code import code_of
from heartsim._files import whole
from heartsim._loops import on_processor
from heartsim.ionic import AbstractIonicModel, Pacing, Settled, Started, called, settle

DRIFT = 1e-5  # largest change of any variable a beat, over ten, as a share of itself
MOST = 1000  # beats, where the drift does not come down to that
NONE = 0.01  # drift from which on no limit cycle was reached; ours


@on_processor()
def limit_cycle(model: AbstractIonicModel, pacing: Pacing, cache: Path | None = None) -> Settled:
    """One cell after so many beats of `pacing` that no variable changes by more than 1e-5 of itself
    a beat, over ten, or after 1000; from the folder `cache`, if that has it.

    Call it in double precision: concentrations drift in single.
    """
    kept = None if cache is None else cache / f"cycle-{_key(model, pacing)}.npz"
    start = model.initial(1)
    if kept is not None and kept.is_file():
        with contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile):  # cut short
            with kept.open("rb") as held, np.load(held, allow_pickle=False) as stored:
                leaves = [jnp.asarray(stored[f"state_{k}"]) for k in range(len(stored.files) - 3)]
                end = jax.tree.unflatten(jax.tree.structure(start), leaves)
                about = int(stored["beats"]), float(stored["drift"]), str(stored["name"])
            return Settled(end, *about)
    found = settle(model, pacing, start, DRIFT, MOST)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {
            f"state_{k}": np.asarray(x) for k, x in enumerate(jax.tree.leaves(found.end))
        }
        arrays |= {"beats": found.beats, "drift": found.drift, "name": found.variable}
        with whole(kept) as new, new.open("wb") as file:
            np.savez(file, **arrays)
    return found


def at_limit_cycle(
    model: AbstractIonicModel, cycle_length: float, cache: Path | None
) -> tuple[AbstractIonicModel, str]:
    """The membrane, a run of which starts where steady pacing every `cycle_length` [ms] brings it
    as the next stimulus begins, and what there is to tell of it. ValueError where pacing brings it
    to nothing that repeats."""
    arrays = [x for x in jax.tree.leaves(model) if hasattr(x, "dtype")]
    with jax.enable_x64(True):
        double = jax.tree.map(lambda x: jnp.asarray(np.asarray(x), float), model)
        found = limit_cycle(double, Pacing(cycle_length=cycle_length), cache)
    told = (
        f"{called(model)} at {cycle_length:g} ms: after {found.beats} beats {found.variable} still "
        f"changes by {found.drift:.1g} of itself a beat"
    )
    if not found.drift < NONE:
        raise ValueError(
            f"[heart] limit_cycle: there is none of {told}; give another cycle length, or leave it "
            "out."
        )
    dtype = arrays[0].dtype
    start = jax.tree.map(lambda x: jnp.asarray(np.asarray(x)[0], dtype), found.end)
    return Started(model, start), "" if found.drift <= DRIFT else f"limit cycle of {told}"


def _key(model: AbstractIonicModel, pacing: Pacing) -> str:
    """Of all that a limit cycle depends on."""
    leaves, structure = jax.tree.flatten(model)
    found = hashlib.sha256(str(structure).encode())
    for leaf in leaves:
        found.update(np.asarray(leaf, float).tobytes())
    own = (pacing.cycle_length, pacing.stimulus, pacing.duration, pacing.potassium)
    found.update(repr((code_of("ionic"), DRIFT, MOST, own)).encode())
    return found.hexdigest()[:24]
