"""Where a run stands, on disk: every carried array, with a checksum and what it belongs to."""

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from heartsim._files import whole

from ._files import checksum, write_json

POINTER = "checkpoint.json"


class Unusable(ValueError):
    """A checkpoint that cannot be gone on from."""


class Record(NamedTuple):
    """What has been collected so far, beside the carry."""

    leads: np.ndarray  # (samples, electrodes)
    node: np.ndarray  # solver's node of each activation, in the order of time
    time: np.ndarray  # when, ms


def save_checkpoint(folder: Path, carry: PyTree, record: Record, identity: dict[str, Any]) -> None:
    """Keep carry and record. The last good checkpoint stays until this one is whole."""
    name = f"checkpoint-{int(carry.k)}.npz"
    arrays: dict[str, Any] = {f"carry_{k}": x for k, x in enumerate(jax.tree.leaves(carry))}
    with whole(folder / name) as new, new.open("wb") as file:
        np.savez(file, **(arrays | record._asdict() | {"structure": structure(carry)}))
    content = {"file": name, "sha256": checksum(folder / name), "identity": identity}
    write_json(folder / POINTER, content)
    for old in folder.glob("checkpoint-*.npz"):
        if old.name != name:
            old.unlink()


def find_checkpoint(folder: Path, identity: dict[str, Any]) -> Path | None:
    """The checkpoint to go on from; None if nothing was kept yet.

    Unusable (a ValueError) if the file is damaged, or belongs to another scenario, input,
    precision, device or version: going on would not give the uninterrupted run.
    """
    if not (folder / POINTER).is_file():
        return None
    try:
        content = json.loads((folder / POINTER).read_text(encoding="utf-8"))
        path, was = folder / content["file"], content["identity"]
        good = checksum(path) == content["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise Unusable(
            f"{folder}: the checkpoint is damaged (its checksum does not match); "
            f"remove {folder} and run without --resume."
        )
    for key, now in identity.items():
        if was.get(key) != now:
            parted = _difference(was.get(key), now)
            raise Unusable(
                f"{folder}: the checkpoint belongs to another {key}: {parted}; "
                f"bring that back, or remove {folder} and run without --resume."
            )
    return path


def load_checkpoint(path: Path, like: PyTree) -> tuple[PyTree, Record]:
    """The carry, in the structure of `like`, and the record; Unusable if it has another."""
    leaves, tree = jax.tree.flatten(like)
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["structure"]) != structure(like):
            raise Unusable(
                f"{path}: the checkpoint holds other arrays than this version carries; "
                f"remove {path.parent} and run without --resume."
            )
        carry = [jax.numpy.asarray(stored[f"carry_{k}"]) for k in range(len(leaves))]
        record = Record(*(stored[name] for name in Record._fields))
    return jax.tree.unflatten(tree, carry), record


def _difference(was: Any, now: Any, above: str = "") -> str:
    """Where two values part: the first key of nested tables that differs."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *now]:
            if was.get(key) != now.get(key):
                return _difference(was.get(key), now.get(key), f"{above}{key} ")
    return f"{above}was {was}, is {now}"


def structure(carry: PyTree) -> str:
    """A short name for the shapes and names of all that is carried."""
    described = [
        (jax.tree_util.keystr(path), str(leaf.dtype), leaf.shape)
        for path, leaf in jax.tree_util.tree_leaves_with_path(carry)
    ]
    return hashlib.sha256(repr(described).encode()).hexdigest()[:16]


def machine() -> dict[str, Any]:
    """What a bit depends on beside the input: the devices, the compiler and its options."""
    devices = jax.devices()
    return {
        "device": f"{devices[0].platform} {devices[0].device_kind}".strip(),
        "device count": len(devices),
        "processor": platform.machine(),
        "jax version": jax.__version__,
        "XLA_FLAGS": os.environ.get("XLA_FLAGS") or "none",
    }
