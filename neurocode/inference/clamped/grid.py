"""The conversion of recordings to the time grid of a fit."""

from __future__ import annotations

import numpy as np

from neurocode.errors import DataError
from neurocode.inference.clamped.lanes import Clamp
from neurocode.recordings.binning import bin_numbers, whole_bins
from neurocode.recordings.repeat import Repeat

#: Finest time step that a fit uses by default, in seconds.
FINEST_DT = 1e-4
#: Time in seconds at the start of each sweep that no likelihood and no score uses, because the
#: state of the neuron at its beginning is unknown.
SETTLING = 0.5
#: Share of a step by which a spike may lie before its sample, because rounding makes the clock of a
#: recording drift over millions of steps.
CLOCK = 1e-6
#: The recorded voltage is not compared in this window around a spike, whose shape
#: integrate-and-fire models leave out; in seconds.
SPIKE_WINDOW = (2e-3, 10e-3)


def choose_dt(sampling: float | None, dt: float | None) -> float:
    """Time step of a fit: a whole multiple of the sampling interval, at least 0.1 ms by default.

    Raises
    ------
    DataError
        If the requested step is not a whole multiple of the sampling interval.
    """
    if sampling is None:
        return FINEST_DT if dt is None else dt
    if dt is None:
        return sampling * max(1, round(FINEST_DT / sampling))
    ratio = dt / sampling
    if ratio < 0.999 or abs(ratio - round(ratio)) > 1e-3:
        raise DataError(
            f"The time step of {dt:g} s is not a whole multiple of the sampling interval of "
            f"{sampling:g} s."
        )
    return sampling * round(ratio)


def clamp(repeat: Repeat, dt: float, *, voltage: float | None = None) -> Clamp:
    """Put one repeat on the grid: the current averaged over each step, and one flag per step for
    the spikes.

    The membrane potential is taken every ``voltage`` seconds, except around spikes.

    Raises
    ------
    DataError
        If two spikes fall into one step, or the voltage is requested but was not recorded.
    """
    n_steps = whole_bins(repeat.duration, dt, rounding=CLOCK)
    steps = bin_numbers(repeat.spike_times, dt, rounding=CLOCK)
    steps = steps[steps < n_steps]
    if np.any(np.diff(steps) == 0):
        time = steps[np.flatnonzero(np.diff(steps) == 0)[0]] * dt
        raise DataError(f"Two spikes fall into one time step of {dt * 1e3:g} ms at {time:.4f} s.")
    spikes = np.zeros(n_steps, bool)
    spikes[steps] = True
    counted = counted_steps(n_steps, dt)
    recorded = None if voltage is None else _thinned_voltage(repeat, dt, spikes, counted, voltage)
    return Clamp(on_grid(repeat.current, repeat.dt, dt, n_steps), spikes, counted, recorded)


def on_grid(
    current: np.ndarray | None, sampling: float | None, dt: float, n_steps: int
) -> np.ndarray:
    """Average the current over the steps of the fit; it is zero if no current was recorded."""
    if current is None or sampling is None:
        return np.zeros(n_steps)
    factor = round(dt / sampling)
    return current[: n_steps * factor].reshape(n_steps, factor).mean(axis=1)


def _thinned_voltage(
    repeat: Repeat, dt: float, spikes: np.ndarray, counted: np.ndarray, interval: float
) -> np.ndarray:
    """Return the voltage at the end of steps that are ``interval`` seconds apart and away from
    spikes, and NaN at all other steps."""
    if repeat.voltage is None or repeat.dt is None:
        raise DataError("The voltage was not recorded; fit the spikes alone.")
    before, after = (round(width / dt) for width in SPIKE_WINDOW)
    near = (
        np.convolve(spikes, np.ones(before + after + 1), "full")[before : before + len(spikes)] > 0
    )
    every = max(1, round(interval / dt))
    compared = counted & ~near & (np.arange(1, len(spikes) + 1) % every == 0)
    factor = round(dt / repeat.dt)
    ends = np.arange(1, len(spikes) + 1) * factor
    compared &= ends < len(repeat.voltage)
    return np.where(compared, repeat.voltage[np.minimum(ends, len(repeat.voltage) - 1)], np.nan)


def counted_steps(n_steps: int, dt: float) -> np.ndarray:
    """Return which steps lie after the settling time: all in a sweep shorter than twice that
    time."""
    settling = round(SETTLING / dt)
    return np.arange(n_steps) >= (settling if n_steps >= 2 * settling else 0)
