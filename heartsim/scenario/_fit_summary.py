"""The numbers of a fit, each with unit and definition."""

from typing import Any

import numpy as np

from heartsim.fit import GATE, Fit

from ._fit_read import FitScene
from ._rows import Rows, row

FIT_DEFINITIONS = {
    "fitted": (
        "",
        f"whether chi2_per_n lies within {GATE[0]:g} to {GATE[1]:g}; what is not fitted must not "
        "be used as a fit",
    ),
    "verdict": ("", "the same in a sentence"),
    "chi2_per_n": (
        "1",
        "mean over samples and leads (I, II, V1 to V6) of ((fitted - measured) / noise)²; 1 where "
        "only the noise is left",
    ),
    "correlation": ("1", "Pearson's correlation of fitted and measured, all leads together"),
    "samples": ("1", "measured numbers that were fitted: times by leads"),
    "velocity_fibre_m_s": ("m/s", "fitted velocity along the fibre"),
    "velocity_transverse_m_s": ("m/s", "fitted velocity across the fibre, in all directions"),
    "source_onset_ms": (
        "ms",
        "when each source begins, from the first sample of the recording; earliest first",
    ),
    "source_position_mm": (
        "mm",
        "where each source lies, in the mesh's coordinates, in that order",
    ),
    "sources_used": ("1", "sources that are the first to reach at least one node"),
    "earliest_fitted_ms": ("ms", "earliest activation, from the first sample of the recording"),
    "total_fitted_ms": ("ms", "latest minus earliest activation"),
    "starts_chi2_per_n": ("1", "chi2_per_n where each start that was followed ended, best first"),
    "starts_accepted": ("1", "how many of them lie within the gate"),
    "starts_spread_ms": (
        "ms",
        "greatest root mean square difference in activation between the result and another "
        "accepted start: how far the ECG leaves it open, as far as was looked; null with one",
    ),
}
"""Unit and meaning of each number."""

TRUTH_DEFINITIONS = {
    "activation_rmse_ms": (
        "ms",
        "root mean square over nodes of fitted minus true activation; only with [truth]",
    ),
    "activation_correlation": ("1", "Pearson's correlation of these; only with [truth]"),
    "site_error_mm": (
        "mm",
        "from each true source to the nearest fitted one, in the file's order; only with [truth]",
    ),
}
"""What is known of a made-up truth alone."""


def summarise_fit(scene: FitScene, fit: Fit) -> Rows:
    """What is written to summary.json: name -> value, unit, definition."""
    measured = np.asarray(scene.problem.measured, float)
    T = np.asarray(fit.activation, float)
    sources = fit.best.sources
    onset, position = np.asarray(sources.onset, float), np.asarray(sources.position, float)
    order = np.argsort(onset)
    chi2 = [float(start.chi2) for start in fit.starts]
    values: dict[str, Any] = {
        "fitted": bool(fit.fitted),
        "verdict": fit.sentence,
        "chi2_per_n": float(fit.chi2),
        "correlation": _correlation(measured, fit.leads),
        "samples": measured.size,
        "velocity_fibre_m_s": float(fit.best.velocity[0]),
        "velocity_transverse_m_s": float(fit.best.velocity[1]),
        "source_onset_ms": onset[order].tolist(),
        "source_position_mm": position[order].tolist(),
        "sources_used": int(fit.used.sum()),
        "earliest_fitted_ms": float(T.min()),
        "total_fitted_ms": float(np.ptp(T)),
        "starts_chi2_per_n": chi2,
        "starts_accepted": sum(start.accepted for start in fit.starts),
        "starts_spread_ms": fit.spread,
    }
    rows = {name: row(value, *FIT_DEFINITIONS[name]) for name, value in values.items()}
    return rows | _against_truth(scene, T, position)


def _against_truth(scene: FitScene, T, position) -> Rows:
    if scene.truth is None or scene.true_activation is None:
        return {}
    places = np.asarray(scene.truth.sources.position, float)
    apart = np.linalg.norm(places[:, None] - position, axis=2).min(axis=1)
    values: dict[str, Any] = {
        "activation_rmse_ms": float(np.sqrt(np.mean((T - scene.true_activation) ** 2))),
        "activation_correlation": _correlation(T, scene.true_activation),
        "site_error_mm": apart.tolist(),
    }
    return {name: row(value, *TRUTH_DEFINITIONS[name]) for name, value in values.items()}


def _correlation(a, b) -> float:
    return float(np.corrcoef(np.ravel(np.asarray(a, float)), np.ravel(np.asarray(b, float)))[0, 1])
