"""A cell's beat as a picture."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ._figure import new_figure, save_png

COLOURS = ("#1b4f8f", "#d55e00")


def restitution_png(
    diastolic: Float[np.ndarray, " intervals"],
    apd90: Float[np.ndarray, " intervals"],
    out: str | Path,
    title: str = "",
) -> None:
    """APD90 over diastolic interval [ms], with a line of slope 1 through the shortest."""
    fires = ~np.isnan(apd90)
    if not fires.any():
        raise ValueError("restitution: no early stimulus fires, so there is nothing to draw.")
    x, y = diastolic[fires], apd90[fires]
    figure = new_figure(120.0, 95.0, 150.0)
    axes = figure.add_subplot()
    axes.plot(x, y, "o-", color=COLOURS[0], markersize=4, linewidth=1.6)
    reach = float(np.ptp(y))
    axes.plot([x[0], x[0] + reach], [y[0], y[0] + reach], "--", color="0.5", label="slope 1")
    axes.set_xlabel("diastolic interval (ms)")
    axes.set_ylabel("APD90 (ms)")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.tight_layout()
    save_png(figure, out)


def beat_png(
    time: Float[np.ndarray, " steps"],
    voltages: dict[str, Float[np.ndarray, " steps"]],
    out: str | Path,
    title: str = "",
) -> None:
    """Voltages [mV] over time [ms]; the second, a reference, as a broken line."""
    figure = new_figure(150.0, 95.0, 150.0)
    axes = figure.add_subplot()
    for (name, V), colour, style in zip(voltages.items(), COLOURS, ("-", "--"), strict=False):
        axes.plot(time, V, style, color=colour, linewidth=1.6, label=name)
    axes.set_xlabel("time since the stimulus (ms)")
    axes.set_ylabel("transmembrane voltage (mV)")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if len(voltages) > 1:
        axes.legend(frameon=False)
    figure.tight_layout()
    save_png(figure, out)
