"""Compiled kernel that solves the Fokker-Planck equation of a membrane potential up to its first
passage, with derivatives.

Space is divided into finite volumes with the exponentially fitted flux of Scharfetter & Gummel
(1969), which is exact for a constant drift and positive at any Peclet number. Because the density
starts as a point, the first time step consists of four backward Euler steps (Rannacher 1984); all
others are Crank-Nicolson steps. Probability leaves only through the threshold, so the density of
the passage is the rate at which the survival probability falls. The derivatives by the parameters
are computed along with the solution, as they solve the same tridiagonal systems.

Loops are written out where an array expression would do: those that numba knows take seconds more
to compile.

A *lane* is one passage: a start, time steps, and an additive input that may differ from step to
step. Lanes run in groups that fill a vector register; a lane that has ended continues with steps of
length zero.

Notes
-----
With the potential ``x`` scaled to reset 0 and threshold 1, drift ``a(x)``, additive input ``b(t)``
and diffusion constant ``D``, the density ``p(x, t)`` of the potential obeys ::

    dp/dt = -dJ/dx,    J = (a + b) p - D dp/dx,    p(1, t) = 0,    p(x, 0) = delta(x)

Through a face between cells of width ``h`` with densities ``p_i`` below and ``p_(i+1)`` above, the
flux is ::

    J = D/h [B(-z) p_i - B(z) p_(i+1)],    z = h (a + b)/D,    B(z) = z/(exp(z) - 1)

so that the probabilities of the cells change by ``dp/dt = G p`` with a tridiagonal matrix ``G``. A
time step of length ``dt`` solves ``(1 - dt/2 G) p_new = (1 + dt/2 G) p_old``.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

#: Number of lanes in a group.
WIDE = 4
#: Number of backward Euler steps into which the first time step is cut.
START_STEPS = 4
#: Peclet number below which the Bernoulli function is computed from its series, and the number at
#: which its exponent is cut off.
SMALL_PECLET, LARGE_PECLET = 0.05, 300.0


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
    """Compute the flux through the threshold and the survival probability of each lane, with their
    derivatives.

    Parameters
    ----------
    drift : array (cells,)
        Drift at the upper face of each cell; for the last cell, a quarter of a cell below the
        threshold.
    drift_slopes : array (cells, parameters)
    diffusion : float
        Half the squared noise strength.
    diffusion_slopes : array (parameters,)
    width : float
        Width of a cell.
    start_cell : int
        Index of the cell whose centre is the reset.
    offsets : array (lanes + 1,)
        Index of the first time step of each lane, and the end of the steps of the last lane.
    steps, inputs : array (steps,)
        Length of each time step and additive drift at its middle.
    step_slopes, input_slopes : array (steps, parameters)
    end_inputs, end_input_slopes : arrays
        Additive drift at the end of each step, and its derivatives.
    every : bool
        Whether to return flux and survival at the end of every step instead of every lane.

    Returns
    -------
    flux, survival : array (steps,) or (lanes,)
    flux_slopes, survival_slopes : array (steps or lanes, parameters)
    """
    n, m = drift.shape[0], diffusion_slopes.shape[0]
    lanes = offsets.shape[0] - 1
    first_step = offsets[0]
    rows = offsets[lanes] - first_step if every else lanes
    flux, survival = np.zeros(rows), np.zeros(rows)
    flux_slopes, survival_slopes = np.zeros((rows, m)), np.zeros((rows, m))
    exponentials = np.empty(n)
    for i in range(n):
        exponentials[i] = _cut_exponential(width * drift[i] / diffusion)
    rates = np.zeros((3, n, WIDE))
    factor = np.empty((n, WIDE))
    p, y = np.empty((n, WIDE)), np.empty((n, WIDE))
    dp, dy = np.empty((n, m, WIDE)), np.zeros((n, m, WIDE))
    change = np.empty((m, WIDE))
    added, last_added, weight = np.empty(WIDE), np.empty(WIDE), np.empty(WIDE)
    added_slopes, weight_slopes = np.zeros((m, WIDE)), np.zeros((m, WIDE))
    for group in range(0, lanes, WIDE):
        _start(p, dp, start_cell)
        longest = 0
        for c in range(WIDE):
            last_added[c] = np.nan
            if group + c < lanes:
                longest = max(longest, offsets[group + c + 1] - offsets[group + c])
        for index in range(longest):
            share = 1.0 / START_STEPS if index == 0 else 0.5
            changed = False
            for c in range(WIDE):
                lane = min(group + c, lanes - 1)
                k = offsets[lane] + index
                active = k < offsets[lane + 1]
                k = k if active else offsets[lane + 1] - 1
                added[c] = inputs[k]
                weight[c] = steps[k] * share if active else 0.0
                changed |= added[c] != last_added[c]
                last_added[c] = added[c]
                for j in range(m):
                    added_slopes[j, c] = input_slopes[k, j]
                    weight_slopes[j, c] = step_slopes[k, j] * share if active else 0.0
            if changed:
                _rates(drift, exponentials, added, diffusion, width, rates)
            for _ in range(START_STEPS if index == 0 else 1):
                _solve(p, y, rates, weight, factor)
                if m > 0:
                    _solve_slopes(
                        y,
                        dp,
                        dy,
                        rates,
                        factor,
                        drift,
                        drift_slopes,
                        added,
                        added_slopes,
                        diffusion,
                        diffusion_slopes,
                        width,
                        weight,
                        weight_slopes,
                        change,
                    )
                _move(p, y, index == 0)
                _move_slopes(dp, dy, index == 0)
            for c in range(WIDE):
                if group + c >= lanes:
                    continue
                k = offsets[group + c] + index
                ends = offsets[group + c + 1]
                if k == ends - 1 or (every and k < ends):
                    row = k - first_step if every else group + c
                    at_threshold: Any = drift[n - 1] + end_inputs[k]
                    _leave(
                        row,
                        c,
                        k,
                        p,
                        dp,
                        at_threshold,
                        drift_slopes,
                        end_input_slopes,
                        diffusion,
                        diffusion_slopes,
                        width,
                        flux,
                        survival,
                        flux_slopes,
                        survival_slopes,
                    )
    return flux, survival, flux_slopes, survival_slopes


@numba.njit(error_model="numpy", cache=True)
def _start(p: np.ndarray, dp: np.ndarray, start_cell: int) -> None:
    """All mass in one cell, whatever the parameters."""
    for i in range(p.shape[0]):
        for c in range(WIDE):
            p[i, c] = 1.0 if i == start_cell else 0.0
            for j in range(dp.shape[1]):
                dp[i, j, c] = 0.0


@numba.njit(error_model="numpy", cache=True)
def _leave(
    row: int,
    c: int,
    k: int,
    p: np.ndarray,
    dp: np.ndarray,
    drift: float,
    drift_slopes: np.ndarray,
    input_slopes: np.ndarray,
    diffusion: float,
    diffusion_slopes: np.ndarray,
    width: float,
    flux: np.ndarray,
    survival: np.ndarray,
    flux_slopes: np.ndarray,
    survival_slopes: np.ndarray,
) -> None:
    """Write flux and survival of one lane at one time, the end of step ``k``."""
    n, m = dp.shape[0], dp.shape[1]
    last, total = p[n - 1, c], 0.0
    for i in range(n):
        total += p[i, c]
    peclet = 0.5 * width * drift / diffusion
    value, slope = _bernoulli(peclet)
    scale = 2.0 * diffusion / (width * width)
    rate = scale * (value + peclet)
    flux[row], survival[row] = rate * last, total
    for j in range(m):
        moved = (
            0.5 * width * (drift_slopes[n - 1, j] + input_slopes[k, j])
            - peclet * diffusion_slopes[j]
        ) / diffusion
        rate_slope = rate * diffusion_slopes[j] / diffusion + scale * (1.0 + slope) * moved
        flux_slopes[row, j] = rate * dp[n - 1, j, c] + rate_slope * last
        survival_slopes[row, j] = 0.0
        for i in range(n):
            survival_slopes[row, j] += dp[i, j, c]


@numba.njit(error_model="numpy", cache=True)
def _bernoulli(z: float) -> tuple[float, float]:
    """Bernoulli function z/(exp(z) - 1) and its derivative."""
    return _bernoulli_of(z, _cut_exponential(z))


@numba.njit(error_model="numpy", inline="always")
def _cut_exponential(z: float) -> float:
    return np.exp(min(max(z, -LARGE_PECLET), LARGE_PECLET))


@numba.njit(error_model="numpy", inline="always")
def _bernoulli_of(z: float, exponential: float) -> tuple[float, float]:
    """Bernoulli function and its derivative, computed from z and its exponential."""
    square = z * z
    small = abs(z) < SMALL_PECLET
    safe = 1.0 if small else z
    ratio = safe / ((2.0 if small else exponential) - 1.0)
    value = (
        1.0 - 0.5 * z + square * (1.0 / 12 - square * (1.0 / 720 - square / 30240))
        if small
        else ratio
    )
    slope = (
        -0.5 + z * (1.0 / 6 - square * (1.0 / 180 - square / 5040))
        if small
        else ratio * (1.0 - z - ratio) / safe
    )
    return value, slope


@numba.njit(error_model="numpy", cache=True)
def _rates(
    drift: np.ndarray,
    exponentials: np.ndarray,
    added: np.ndarray,
    diffusion: float,
    width: float,
    rates: np.ndarray,
) -> None:
    """Write the rates up and down through the upper face of each cell and, as the third, the
    derivative of the rate up by the Peclet number."""
    n = drift.shape[0]
    scale = diffusion / (width * width)
    ratio = width / diffusion
    factors = np.empty(WIDE)
    for c in range(WIDE):
        factors[c] = _cut_exponential(ratio * added[c])
    for i in range(n - 1):
        for c in range(WIDE):
            z = ratio * (drift[i] + added[c])
            value, slope = _bernoulli_of(z, exponentials[i] * factors[c])
            rates[0, i, c] = scale * (value + z)
            rates[1, i, c] = scale * value
            rates[2, i, c] = scale * (1.0 + slope)
    for c in range(WIDE):
        z = 0.5 * ratio * (drift[n - 1] + added[c])
        value, slope = _bernoulli(z)
        rates[0, n - 1, c] = 2.0 * scale * (value + z)
        rates[1, n - 1, c] = 0.0
        rates[2, n - 1, c] = 2.0 * scale * (1.0 + slope)


@numba.njit(error_model="numpy", cache=True, fastmath={"contract"})
def _move(p: np.ndarray, y: np.ndarray, euler: bool) -> None:
    """Move from the solution of half a step to the end of the whole step, by ``(1 + wG)/(1 - wG) =
    2/(1 - wG) - 1``; after an Euler step the two are the same."""
    for i in range(p.shape[0]):
        for c in range(WIDE):
            p[i, c] = y[i, c] if euler else 2.0 * y[i, c] - p[i, c]


@numba.njit(error_model="numpy", cache=True, fastmath={"contract"})
def _move_slopes(dp: np.ndarray, dy: np.ndarray, euler: bool) -> None:
    for i in range(dp.shape[0]):
        for j in range(dp.shape[1]):
            for c in range(WIDE):
                dp[i, j, c] = dy[i, j, c] if euler else 2.0 * dy[i, j, c] - dp[i, j, c]


@numba.njit(error_model="numpy", cache=True, fastmath={"contract"})
def _solve(
    p: np.ndarray, y: np.ndarray, rates: np.ndarray, weight: np.ndarray, factor: np.ndarray
) -> None:
    """Solve ``(1 - weight G) y = p``; ``factor`` keeps the inverse pivots for the derivatives."""
    n = p.shape[0]
    up, down = rates[0], rates[1]
    for c in range(WIDE):
        factor[0, c] = 1.0 / (1.0 + weight[c] * up[0, c])
        y[0, c] = p[0, c] * factor[0, c]
    for i in range(1, n):
        for c in range(WIDE):
            climb, fall = weight[c] * up[i - 1, c], weight[c] * down[i - 1, c]
            factor[i, c] = 1.0 / (
                1.0 + weight[c] * up[i, c] + fall - fall * factor[i - 1, c] * climb
            )
            y[i, c] = (p[i, c] + climb * y[i - 1, c]) * factor[i, c]
    for i in range(n - 2, -1, -1):
        for c in range(WIDE):
            y[i, c] += weight[c] * down[i, c] * factor[i, c] * y[i + 1, c]


@numba.njit(error_model="numpy", cache=True, fastmath={"contract"})
def _solve_slopes(
    y: np.ndarray,
    dp: np.ndarray,
    dy: np.ndarray,
    rates: np.ndarray,
    factor: np.ndarray,
    drift: np.ndarray,
    drift_slopes: np.ndarray,
    added: np.ndarray,
    added_slopes: np.ndarray,
    diffusion: float,
    diffusion_slopes: np.ndarray,
    width: float,
    weight: np.ndarray,
    weight_slopes: np.ndarray,
    change: np.ndarray,
) -> None:
    """Solve ``(1 - weight G) dy = dp + d(weight G) y``, the right side face by face."""
    n, m = dp.shape[0], dp.shape[1]
    up, down, by_peclet = rates[0], rates[1], rates[2]
    outflow, by_drift, by_diffusion, climb = (
        np.zeros(WIDE),
        np.zeros(WIDE),
        np.zeros(WIDE),
        np.zeros(WIDE),
    )
    scale = diffusion / (width * width)
    for j in range(m):
        for c in range(WIDE):
            change[j, c] = 0.0
    for i in range(n):
        span = 0.5 * width if i == n - 1 else width
        below = i - 1 if i > 0 else 0
        for c in range(WIDE):
            above = y[i + 1, c] if i < n - 1 else 0.0
            outflow[c] = up[i, c] * y[i, c] - down[i, c] * above
            moved = by_peclet[i, c] * y[i, c] - (
                (by_peclet[i, c] - scale) * above if i < n - 1 else 0.0
            )
            by_drift[c] = weight[c] * moved * span / diffusion
            by_diffusion[c] = (
                weight[c] * outflow[c] - by_drift[c] * (drift[i] + added[c])
            ) / diffusion
            climb[c] = weight[c] * up[i - 1, c] if i > 0 else 0.0
        for j in range(m):
            for c in range(WIDE):
                out = weight_slopes[j, c] * outflow[c] + by_diffusion[c] * diffusion_slopes[j]
                out += by_drift[c] * (drift_slopes[i, j] + added_slopes[j, c])
                dy[i, j, c] = (
                    dp[i, j, c] + change[j, c] - out + climb[c] * dy[below, j, c]
                ) * factor[i, c]
                change[j, c] = out
    for i in range(n - 2, -1, -1):
        for j in range(m):
            for c in range(WIDE):
                dy[i, j, c] += weight[c] * down[i, c] * factor[i, c] * dy[i + 1, j, c]
