"""Fokker-Planck equation of a membrane potential up to its first passage, with derivatives, as a compiled kernel.

Finite volumes with the exponentially fitted flux of Scharfetter & Gummel (1969), which is exact for a constant drift and positive
at any Peclet number; Crank-Nicolson in time with a first half step of four backward Euler quarters (Rannacher
1984), since the density starts as a point. Mass leaves through the threshold alone, so the survival probability and the
density of the passage add up. All derivatives by parameters ride along: they solve the same tridiagonal systems.

A *lane* is one passage: a start, time steps, and an additive input that may differ from step to step.
"""

from __future__ import annotations

import numba
import numpy as np

#: Backward Euler steps that the first time step is cut into.
START_STEPS = 4


@numba.njit(nogil=True, error_model="numpy", cache=True)
def propagate(
    drift: np.ndarray,
    drift_slopes: np.ndarray,
    diffusion: float,
    diffusion_slopes: np.ndarray,
    width: float,
    start_cell: int,
    offsets: np.ndarray,
    steps: np.ndarray,
    step_slopes: np.ndarray,
    inputs: np.ndarray,
    input_slopes: np.ndarray,
    end_inputs: np.ndarray,
    end_input_slopes: np.ndarray,
    every: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Flux through the threshold and survival probability of each lane, with their derivatives.

    Parameters
    ----------
    drift : array (cells + 1,)
        Drift at the upper face of each cell, the last entry a quarter of a cell below the threshold.
    drift_slopes : array (cells, parameters)
    diffusion : float
        Half the squared noise strength.
    diffusion_slopes : array (parameters,)
    width : float
        Of a cell.
    start_cell : int
        The cell whose centre is the reset.
    offsets : array (lanes + 1,)
        Where the steps of each lane begin.
    steps, inputs : array (steps,)
        Length of each time step and additive drift at its middle.
    step_slopes, input_slopes : array (steps, parameters)
    end_inputs, end_input_slopes : arrays
        The same at the end of each step.
    every : bool
        Keep flux and survival at the end of every step, not of every lane only.

    Returns
    -------
    flux, survival : array (steps,) or (lanes,)
    flux_slopes, survival_slopes : array (steps or lanes, parameters)
    """
    n, m = drift.shape[0], diffusion_slopes.shape[0]
    lanes = offsets.shape[0] - 1
    rows = steps.shape[0] if every else lanes
    flux, survival = np.zeros(rows), np.zeros(rows)
    flux_slopes, survival_slopes = np.zeros((rows, m)), np.zeros((rows, m))
    up, down, slope = np.empty(n), np.empty(n), np.empty(n)
    factor = np.empty(n)
    p, rhs, q = np.empty(n), np.empty(n), np.empty(n)
    dp, drhs = np.empty((n, m)), np.empty((n, m))
    change = np.empty(m)
    for lane in range(lanes):
        p[:] = 0.0
        dp[:] = 0.0
        p[start_cell] = 1.0
        last_input = np.nan
        for k in range(offsets[lane], offsets[lane + 1]):
            if inputs[k] != last_input:
                _rates(drift, inputs[k], diffusion, width, up, down, slope)
                last_input = inputs[k]
            first = k == offsets[lane]
            for _ in range(START_STEPS if first else 1):
                explicit = 0.0 if first else 0.5 * steps[k]
                implicit = steps[k] / START_STEPS if first else 0.5 * steps[k]
                share = 1.0 / START_STEPS if first else 0.5
                _explicit(p, dp, up, down, explicit, rhs, drhs)
                for i in range(n):
                    q[i] = 0.0 if first else p[i]
                _solve(p, rhs, up, down, implicit, factor)
                for i in range(n):
                    q[i] += p[i]
                if m > 0:
                    _sources(
                        q, drhs, up, down, slope, drift, drift_slopes, inputs[k], input_slopes[k], diffusion, diffusion_slopes,
                        width, steps[k] * share, step_slopes[k] * share, change,
                    )  # fmt: skip
                    _solve_slopes(dp, drhs, up, down, implicit, factor)
            if every or k == offsets[lane + 1] - 1:
                row = k if every else lane
                rate, by_peclet = _exit_rate(drift[n - 1] + end_inputs[k], diffusion, width)
                peclet = 0.5 * width * (drift[n - 1] + end_inputs[k]) / diffusion
                flux[row] = rate * p[n - 1]
                survival[row] = np.sum(p)
                for j in range(m):
                    moved = (0.5 * width * (drift_slopes[n - 1, j] + end_input_slopes[k, j]) - peclet * diffusion_slopes[j]) / diffusion
                    rate_slope = rate * diffusion_slopes[j] / diffusion + by_peclet * moved
                    flux_slopes[row, j] = rate * dp[n - 1, j] + rate_slope * p[n - 1]
                    survival_slopes[row, j] = np.sum(dp[:, j])
    return flux, survival, flux_slopes, survival_slopes


@numba.njit(error_model="numpy", cache=True)
def _bernoulli(z: float) -> tuple[float, float]:
    """Bernoulli function z/(exp(z) - 1) and its derivative."""
    if abs(z) < 1e-2:
        return 1.0 - z / 2 + z * z / 12 - z**4 / 720, -0.5 + z / 6 - z**3 / 180
    if z > 700.0:
        return 0.0, 0.0
    value = z / np.expm1(z)
    return value, value * (1.0 - z - value) / z


@numba.njit(error_model="numpy", cache=True)
def _exit_rate(drift: float, diffusion: float, width: float) -> tuple[float, float]:
    """Rate out of the last cell, whose centre is half a width below the threshold, and its derivative by the Peclet number."""
    scale = 2.0 * diffusion / (width * width)
    value, slope = _bernoulli(0.5 * width * drift / diffusion)
    return scale * (value + 0.5 * width * drift / diffusion), scale * (1.0 + slope)


@numba.njit(error_model="numpy", cache=True)
def _rates(
    drift: np.ndarray, added: float, diffusion: float, width: float, up: np.ndarray, down: np.ndarray, slope: np.ndarray
) -> None:
    """Rates up and down through the upper face of each cell, and the derivative of the Bernoulli function there."""
    n = drift.shape[0]
    scale = diffusion / (width * width)
    for i in range(n - 1):
        z = width * (drift[i] + added) / diffusion
        value, slope[i] = _bernoulli(z)
        down[i] = scale * value
        up[i] = scale * (value + z)
    up[n - 1], slope[n - 1] = _exit_rate(drift[n - 1] + added, diffusion, width)
    down[n - 1] = 0.0


@numba.njit(error_model="numpy", cache=True)
def _explicit(
    p: np.ndarray, dp: np.ndarray, up: np.ndarray, down: np.ndarray, weight: float, rhs: np.ndarray, drhs: np.ndarray
) -> None:
    """``p + weight G p``, and the same for the derivatives."""
    n, m = dp.shape
    inflow = 0.0
    for i in range(n):
        outflow = up[i] * p[i] - (down[i] * p[i + 1] if i < n - 1 else 0.0)
        rhs[i] = p[i] + weight * (inflow - outflow)
        inflow = outflow
    if weight == 0.0:
        drhs[:] = dp
        return
    for i in range(n):
        below = weight * up[i - 1] if i > 0 else 0.0
        here = 1.0 - weight * (up[i] + (down[i - 1] if i > 0 else 0.0))
        above = weight * down[i]
        lower, upper = max(i - 1, 0), min(i + 1, n - 1)
        for j in range(m):
            drhs[i, j] = here * dp[i, j] + below * dp[lower, j] + above * dp[upper, j]


@numba.njit(error_model="numpy", cache=True)
def _solve(p: np.ndarray, rhs: np.ndarray, up: np.ndarray, down: np.ndarray, weight: float, factor: np.ndarray) -> None:
    """Solve ``(1 - weight G) p = rhs``; ``factor`` keeps the inverse pivots for the derivatives."""
    n = p.shape[0]
    factor[0] = 1.0 / (1.0 + weight * up[0])
    p[0] = rhs[0] * factor[0]
    for i in range(1, n):
        ratio = weight * down[i - 1] * factor[i - 1]
        factor[i] = 1.0 / (1.0 + weight * up[i] + weight * down[i - 1] - ratio * weight * up[i - 1])
        p[i] = (rhs[i] + weight * up[i - 1] * p[i - 1]) * factor[i]
    for i in range(n - 2, -1, -1):
        p[i] += weight * down[i] * factor[i] * p[i + 1]


@numba.njit(error_model="numpy", cache=True)
def _solve_slopes(dp: np.ndarray, drhs: np.ndarray, up: np.ndarray, down: np.ndarray, weight: float, factor: np.ndarray) -> None:
    n, m = dp.shape
    for j in range(m):
        dp[0, j] = drhs[0, j] * factor[0]
    for i in range(1, n):
        climb = weight * up[i - 1]
        for j in range(m):
            dp[i, j] = (drhs[i, j] + climb * dp[i - 1, j]) * factor[i]
    for i in range(n - 2, -1, -1):
        fall = weight * down[i] * factor[i]
        for j in range(m):
            dp[i, j] += fall * dp[i + 1, j]


@numba.njit(error_model="numpy", cache=True)
def _sources(
    q: np.ndarray,
    drhs: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
    slope: np.ndarray,
    drift: np.ndarray,
    drift_slopes: np.ndarray,
    added: float,
    added_slopes: np.ndarray,
    diffusion: float,
    diffusion_slopes: np.ndarray,
    width: float,
    step: float,
    step_slopes: np.ndarray,
    change: np.ndarray,
) -> None:
    """Add the derivative of ``step G`` applied to ``q``, face by face."""
    n, m = drhs.shape
    for i in range(n):
        last = i == n - 1
        above = 0.0 if last else q[i + 1]
        span = 0.5 * width if last else width
        outflow = up[i] * q[i] - down[i] * above
        peclet = span * (drift[i] + added) / diffusion
        by_peclet = slope[i] * q[i] if last else diffusion / (width * width) * (q[i] + slope[i] * (q[i] - above))
        for j in range(m):
            moved = (span * (drift_slopes[i, j] + added_slopes[j]) - peclet * diffusion_slopes[j]) / diffusion
            change[j] = step_slopes[j] * outflow + step * (outflow * diffusion_slopes[j] / diffusion + by_peclet * moved)
            drhs[i, j] -= change[j]
        if not last:
            for j in range(m):
                drhs[i + 1, j] += change[j]
