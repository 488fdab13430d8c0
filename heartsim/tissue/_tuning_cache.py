"""What was tuned or foretold, in files: a strand's run depends on few numbers."""

import hashlib
import json
from pathlib import Path

import equinox as eqx
import jax
import numpy as np

from heartsim._code import code_of
from heartsim._files import whole


def key_of(*parts) -> str:
    """Hash of everything that the result depends on."""
    code = code_of("mesh", "ionic", "fem", "tissue")
    digest = hashlib.sha256(f"{jax.__version__} {code}".encode())
    for part in parts:
        arrays, rest = eqx.partition(part, lambda x: eqx.is_array(x) or isinstance(x, np.ndarray))
        digest.update(repr(rest).encode())
        for leaf in jax.tree.leaves(arrays):
            digest.update(np.asarray(leaf).tobytes() + str(leaf.dtype).encode())
    return digest.hexdigest()[:32]


def read(cache: Path | None, key: str) -> dict | None:
    path = None if cache is None else cache / f"{key}.json"
    return (
        None if path is None or not path.exists() else json.loads(path.read_text(encoding="utf-8"))
    )


def write(cache: Path | None, key: str, value: dict) -> None:
    if cache is None:
        return
    cache.mkdir(parents=True, exist_ok=True)
    with whole(cache / f"{key}.json") as new:
        new.write_text(json.dumps(value))
