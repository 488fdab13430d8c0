"""Nonlinear least squares with few unknowns: damped Gauss-Newton steps."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from heartsim._types import AnyArray

Vector = Float[AnyArray, " unknowns"]
Residual = Callable[[Vector], Float[AnyArray, " rows"]]
Linear = Callable[[Vector], tuple[Float[AnyArray, " rows"], Float[AnyArray, "unknowns rows"]]]


class Solution(NamedTuple):
    """Where a search ended."""

    theta: Float[np.ndarray, " unknowns"]
    cost: float  # |r|²
    steps: int  # accepted ones
    converged: bool  # ended because nothing more was to be gained


def levenberg_marquardt(
    residual: Residual,
    linear: Linear,
    theta: Vector,
    *,
    steps: int = 20,
    rtol: float = 1e-3,
    longest: Vector | None = None,
) -> Solution:
    """The θ that makes |r(θ)|² least near `theta`.

        (JᵀJ + λ diag JᵀJ) δ = -Jᵀr,  θ ← θ + δ  where that lowers |r|²                  (1)

    λ falls where the linear model foretold the gain well and rises where it did not. `residual`
    gives r, `linear` r and Jᵀ (a row for each unknown); both may be in float32, (1) is solved in
    float64 on the host. Ends after `steps` accepted steps, or once one gains less than `rtol` of
    |r|², or no step gains at all. A step in which an unknown would go farther than its `longest`
    is shortened as a whole. An unknown that changes nothing stays where it is.
    Marquardt (1963), J. SIAM 11, 431-441; λ after Nielsen (1999), IMM-REP-1999-05 (pages not
    checked).
    """
    x = np.asarray(theta, np.float64)
    r, Jt = _host(*linear(x))
    cost, damping, raised, taken = r @ r, 1e-3, 2.0, 0
    while taken < steps:
        step = _step(r, Jt, damping)
        if longest is not None:
            step = step / max(1.0, np.max(np.abs(step) / longest))
        foretold = cost - np.sum((r + step @ Jt) ** 2)
        new = np.asarray(residual(x + step), np.float64)
        gain = cost - new @ new
        if not (np.isfinite(gain) and gain > 0):
            damping, raised = damping * raised, raised * 2.0
            if damping > 1e8 or foretold < rtol * 1e-3 * cost:
                return Solution(x, cost, taken, True)
            continue
        x, taken = x + step, taken + 1
        if gain < rtol * cost:
            return Solution(x, cost - gain, taken, True)
        true_to_word = gain / foretold if foretold > 0 else 1.0  # both may be rounding
        damping *= max(1 / 3, 1 - (2 * true_to_word - 1) ** 3)
        raised = 2.0
        r, Jt = _host(*linear(x))
        cost = r @ r
    return Solution(x, cost, taken, False)


def _host(r, Jt) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(r, np.float64), np.asarray(Jt, np.float64)


def _step(r, Jt, damping) -> np.ndarray:
    """δ of (1), with each unknown scaled by its own column."""
    scale = np.linalg.norm(Jt, axis=1)
    scale = np.where(scale > 0, scale, 1.0)
    A = Jt / scale[:, None]
    return -np.linalg.solve(A @ A.T + damping * np.eye(len(A)), A @ r) / scale
