"""Measured and fitted leads in one picture."""

from pathlib import Path
from typing import Any

from ._colours import INK
from ._ecg import Ecg, read_ecg
from ._figure import new_figure, save_png

MEASURED, FITTED = "#9a9a9a", "#c0392b"


def fit_png(measured_csv: str | Path, fitted_csv: str | Path, out: str | Path) -> None:
    """Draw the twelve leads of two files (time_ms and leads in mV), the measured grey and
    thick, the fitted red on top, all at one scale. ValueError for a file that is no such ECG."""
    save_png(fit_figure(read_ecg(measured_csv), read_ecg(fitted_csv)), out)


def fit_figure(measured: Ecg, fitted: Ecg) -> Any:
    """The picture as a matplotlib Figure with twelve axes."""
    figure = new_figure(240.0, 150.0, 160.0)
    top = max(abs(lead).max() for ecg in (measured, fitted) for lead in ecg.leads.values())
    axes = figure.subplots(3, 4, sharex=True, sharey=True)
    names = ("I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6")
    for ax, name in zip(axes.ravel(), names, strict=True):
        ax.plot(measured.time, measured.leads[name], color=MEASURED, linewidth=3.0)
        ax.plot(fitted.time, fitted.leads[name], color=FITTED, linewidth=1.2)
        ax.set_title(name, loc="left", fontsize=11, fontweight="bold", color=INK)
        ax.grid(color="#e6e6e6", linewidth=0.5)
    axes[0, 0].set_ylim(-1.05 * top, 1.05 * top)
    for ax in axes[-1]:
        ax.set_xlabel("time (ms)", fontsize=10)
    for ax in axes[:, 0]:
        ax.set_ylabel("mV", fontsize=10)
    figure.legend(axes[0, 0].lines, ["measured", "fitted"], loc="upper right", ncols=2, fontsize=11)
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.1, top=0.89, hspace=0.3, wspace=0.1)
    return figure
