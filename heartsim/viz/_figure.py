"""What every picture shares: a figure without a screen, and its file."""

from pathlib import Path
from typing import Any

from heartsim._files import whole_or_refused


def new_figure(width_mm: float, height_mm: float, dpi: float) -> Any:
    """A matplotlib Figure that draws by Agg: no display, no OpenGL, no pyplot state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: Any, out: str | Path) -> None:
    """Write the figure whole; ValueError where the place cannot be written."""
    with whole_or_refused(Path(out)) as new:
        figure.savefig(new, format="png", dpi=figure.dpi)
