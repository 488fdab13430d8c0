"""What every picture shares: a figure without a screen, and a file that is whole or absent."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def new_figure(width_mm: float, height_mm: float, dpi: float) -> Any:
    """A matplotlib Figure that draws by Agg: no display, no OpenGL, no pyplot state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: Any, out: str | Path) -> None:
    """Write the figure; see `write_whole`."""
    write_whole(out, lambda path: figure.savefig(path, format="png", dpi=figure.dpi))


def write_whole(out: str | Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a temporary name beside `out`, then rename: a reader never sees half a
    file. ValueError where the place cannot be written."""
    out = Path(out)
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        os.close(handle)
    except OSError as error:
        raise ValueError(f"{out}: cannot be written ({error.strerror}).") from error
    try:
        write(Path(name))
        Path(name).chmod(0o644)
        Path(name).replace(out)
    except OSError as error:
        raise ValueError(f"{out}: cannot be written ({error.strerror}).") from error
    finally:
        Path(name).unlink(missing_ok=True)
