"""The state that a run ends in, to start another from."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from heartsim._files import whole
from heartsim.tissue import Carry, State

from ._checkpoint import structure
from ._read import locate
from ._scene import Scene


def save_state(path: Path, scene: Scene, carry: Carry) -> None:
    """Keep voltage [mV] and membrane of every node at the end of a run."""
    leaves = jax.tree.leaves((carry.events.V, carry.state.membrane))
    arrays: dict[str, Any] = {f"state_{k}": np.asarray(x) for k, x in enumerate(leaves)}
    with whole(path) as new, new.open("wb") as file:
        described = {"nodes": scene.nodes, "structure": _membrane_structure(carry.state)}
        np.savez(file, **(arrays | described))


def initial_state(scene: Scene) -> State:
    """Rest, or the state of the file that the scenario names.

    ValueError if the file is of another mesh, of other membranes, or no such file at all.
    """
    rest = scene.tissue.initial()
    if scene.scenario.heart.initial_state is None:
        return rest
    path = locate(scene.scenario.heart.initial_state)
    like = (rest.V, rest.membrane)
    try:
        with np.load(path, allow_pickle=False) as stored:
            kept = {name: stored[name] for name in stored.files}
        same_nodes = np.array_equal(kept["nodes"], scene.nodes)
        same_membrane = str(kept["structure"]) == _membrane_structure(rest)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ValueError(
            f"[heart] initial_state: {path} holds no state of a run ({error})."
        ) from None
    if not (same_nodes and same_membrane):
        what = "membranes" if same_nodes else "a mesh"
        raise ValueError(
            f"[heart] initial_state: {path} comes from a run with {what} other than this one's; "
            "run that first, or leave the key out to start from rest."
        )
    count = len(jax.tree.leaves(like))
    arrays = [jnp.asarray(kept[f"state_{k}"], rest.V.dtype) for k in range(count)]
    V, membrane = jax.tree.unflatten(jax.tree.structure(like), arrays)
    return rest._replace(V=V, membrane=membrane)


def _membrane_structure(state: State) -> str:
    """Names and shapes of what is stored, whatever its precision."""
    stored = jax.tree.map(lambda x: np.empty(x.shape, np.float64), (state.V, state.membrane))
    return structure(stored)
