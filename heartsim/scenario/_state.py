"""The state that a run ends in, to start another from."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import jax
import numpy as np

from heartsim._files import whole
from heartsim.ionic import Patchwork
from heartsim.tissue import Carry, State, rest

from ._checkpoint import structure
from ._read import locate
from ._scene import Scene
from ._tissue import membrane_names


def save_state(path: Path, scene: Scene, carry: Carry) -> None:
    """Keep voltage [mV] and membrane of every node at the end of a run, in the order of the nodes
    whatever the devices."""
    held = _held(scene, carry.events.V, carry.state.membrane)
    arrays = _numbered("state", held) | _numbered("origin", _origin(scene))
    with whole(path) as new, new.open("wb") as file:
        described = {"nodes": scene.nodes, "structure": _structure(held), "named": _named(scene)}
        np.savez(file, **(arrays | described))


def initial_state(scene: Scene) -> State:
    """Rest, or the state of the file that the scenario names.

    ValueError if the file is of another mesh, of other membranes, or no such file at all.
    """
    start = rest(scene.tissue)
    if scene.scenario.heart.initial_state is None:
        return start
    path = locate(scene.scenario.heart.initial_state)
    like = _held(scene, start.V, start.membrane)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            kept = {name: stored[name] for name in stored.files}
        same_nodes = np.array_equal(kept["nodes"], scene.nodes)
        same_membrane = str(kept["structure"]) == _structure(like)
        same_membrane &= str(kept.get("named", _named(scene))) == _named(scene)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ValueError(
            f"[heart] initial_state: {path} holds no state of a run ({error})."
        ) from None
    if not (same_nodes and same_membrane):
        what = "membranes" if same_nodes else "a mesh"
        raise ValueError(
            f"[heart] initial_state: {path} comes from a run with {what} other than this one's; "
            "run that first, or leave the key out to start from rest."
        )
    V, membrane = _put(scene, start, _from_here(kept, like, _origin(scene)))
    return start._replace(V=V, membrane=membrane)


def _origin(scene: Scene) -> Any:
    """What V and the membranes are counted from: numbers, or values at the real nodes."""
    return _held(scene, np.zeros(()), scene.tissue.ionic.origin())


def _named(scene: Scene) -> str:
    """The membranes' names, whatever their parameters and the folder of their files."""
    return ", ".join(Path(name).name for name in membrane_names(scene.scenario))


def _numbered(name: str, held: Any) -> dict[str, Any]:
    """The arrays as the file names them."""
    return {f"{name}_{k}": x for k, x in enumerate(jax.tree.leaves(held))}


def _from_here(kept: dict[str, Any], like: Any, origin: Any) -> Any:
    """What was kept, counted from `origin`: the run that left it may have started elsewhere."""
    leaves, tree = jax.tree.flatten(like)
    was = [kept[f"origin_{k}"].astype(float) for k in range(len(leaves))]
    moved = [a - b for a, b in zip(was, jax.tree.leaves(origin), strict=True)]
    return jax.tree.unflatten(tree, [kept[f"state_{k}"] + x for k, x in enumerate(moved)])


def _slots(scene: Scene) -> Any:
    """Where the variables of the real nodes stand: places for each model, and for V."""
    real, ionic = len(scene.nodes), scene.tissue.ionic
    if not isinstance(ionic, Patchwork):
        return np.arange(real), np.arange(real)
    patch, slot = (x[:real] for x in ionic.slots(scene.tissue.spread.parts))
    return np.arange(real), tuple(slot[patch == k] for k in range(len(ionic.models)))


def _held(scene: Scene, V, membrane) -> tuple[Any, Any]:
    """V and the membranes at the real nodes alone; numbers for all nodes stay."""
    return jax.tree.map(
        lambda at, part: jax.tree.map(lambda x: np.asarray(x)[at if np.ndim(x) else ()], part),
        _slots(scene),
        (V, membrane),
    )


def _put(scene: Scene, start: State, held) -> tuple[Any, Any]:
    """The start with what was held."""
    return jax.tree.map(
        lambda at, part, values: jax.tree.map(
            lambda x, new: x.at[at].set(new.astype(x.dtype)), part, values
        ),
        _slots(scene),
        (start.V, start.membrane),
        held,
    )


def _structure(held) -> str:
    """Names and shapes of what is stored, whatever its precision."""
    shapes = jax.tree.map(lambda x: np.empty(x.shape, np.float64), held)
    return structure({"state and origin": shapes})
