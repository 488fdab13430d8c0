"""Files that are either whole or not there: written elsewhere, then moved into place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

NEW = ".new-"
"""How the folders begin that files are written in; a process that is killed leaves its own."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write to, in a folder of its own beside `path`. When the block ends well that
    file becomes `path`, and others that lie with it become `path`'s neighbours; else all go.
    """
    with TemporaryDirectory(dir=path.parent, prefix=f"{NEW}{path.name}-") as folder:
        yield Path(folder) / path.name
        files = list(Path(folder).iterdir())
        for file in files:
            with file.open("rb") as written:
                os.fsync(written.fileno())
        for file in files:
            file.replace(path.parent / file.name)


@contextmanager
def whole_or_refused(path: Path) -> Iterator[Path]:
    """As `whole`; ValueError that names `path` where it cannot be written."""
    try:
        with whole(path) as new:
            yield new
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error.strerror}).") from error
