"""The kind of stimulus of a sweep, decided by one rule from the current alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks

#: In seconds: the first part of a sweep, which is taken as rest; the bins in which noise of the
#: recording is averaged out; the longest pause inside one stimulus; and the shortest long square.
REST, BIN, PAUSE, LONG = 0.01, 1e-3, 0.05, 0.1
#: In ampere: a current that stays this close to its rest is not a stimulus; sample noise below the
#: second value is not averaged; sample noise up to the third may be that of an amplifier.
SMALLEST, QUIET, AMPLIFIER = 1e-12, 1e-12, 2e-11
#: This many standard deviations of the sample noise, or this share of the largest deviation, count
#: as a deviation from rest.
DEVIATIONS, SHARE = 6.0, 0.05
#: A square stays within this share of its level for this share of its time; a line explains this
#: share of the variance of a ramp.
FLAT, FILLED, LINEAR = 0.1, 0.9, 0.97
#: A stimulus this many times as long as all others of the sweep together is the stimulus of the
#: sweep; the others are taken as test pulses.
MAIN = 5.0
#: The median of n normal values has this many times the standard error of their mean.
MEDIAN = np.sqrt(np.pi / 2)
#: Noise turns at least this often, by steps whose coefficient of variation is at least this; turns
#: below this share of its standard deviation are not counted.
TURNS, UNEVEN, TURN = 8, 0.2, 0.25


class Stimulus(NamedTuple):
    """The stimulus of a sweep.

    Attributes
    ----------
    kind : str
        ``long square``, ``short square``, ``ramp``, ``noise``, ``steps``, ``none`` or ``other``.
    amplitude : float
        In ampere: the level of a square relative to rest, the end of a ramp relative to rest, the
        standard deviation of noise, or for other kinds the deviation from rest with the largest
        absolute value.
    start, duration : float
        In seconds from the start of the sweep; NaN for none.
    rest : float
        Holding current before the stimulus, in ampere.
    """

    kind: str
    amplitude: float
    start: float
    duration: float
    rest: float


def stimulus_of(current: np.ndarray, dt: float) -> Stimulus:
    """Distinguish squares, ramps, noise and other stimuli.

    The current at rest is the median of the first 10 ms. Noisy samples (of a recorded current) are
    first replaced by medians of 1 ms, which also removes traces of spikes. The stimulus is where
    the current deviates from rest by 5 % of its largest deviation and by six standard deviations of
    the sample noise, including pauses below 50 ms. Of several stretches the longest is the stimulus
    of the sweep if it is five times as long as the others together (which are taken as test
    pulses); otherwise all of them are. The kind is

    - ``none`` where the current stays within 1 pA, or within what the noise of an amplifier
      explains;
    - a ``long square`` (100 ms or more) or ``short square`` if it stays within 10 % of its median
      for 90 % of its time;
    - a ``ramp`` if a straight line explains 97 % of its variance and spans half of its largest
      deviation;
    - ``noise`` if it turns eight times or more, by steps of unlike size (coefficient of variation
      of 0.2), so that neither a sine nor a train of pulses is noise;
    - ``steps`` if it stays at one level after another: two squares, a staircase, a train of pulses;
    - ``other`` otherwise, for example a sine.

    Parameters
    ----------
    current : numpy.ndarray
        In ampere, one value per sample.
    dt : float
        Sampling interval in seconds.

    Returns
    -------
    Stimulus

    Examples
    --------
    >>> current = np.zeros(10000)
    >>> current[1000:6000] = 1e-10
    >>> stimulus_of(current, 1e-4)
    Stimulus(kind='long square', amplitude=1e-10, start=0.1, duration=0.5, rest=0.0)
    """
    rest = float(np.median(current[: max(1, round(REST / dt))]))
    noise = _sample_noise(current)
    n = max(1, round(BIN / dt)) if noise > QUIET else 1
    values, step = _binned(current, n) - rest, n * dt
    noise = (noise if n == 1 else MEDIAN * noise / np.sqrt(n)) if noise <= AMPLIFIER else 0.0
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest <= max(SMALLEST, DEVIATIONS * noise):
        return Stimulus("none", 0.0, np.nan, np.nan, rest)
    first, last = _main_stretch(np.abs(values) > max(DEVIATIONS * noise, SHARE * largest), step)
    kind, amplitude = _shape(values[first:last], step, noise)
    start, stop = first * step, last * step
    if kind.endswith("square") and n > 1:
        start, stop = _edges(current - rest, amplitude, first * n, last * n, n, dt)
    elif kind == "ramp":
        start, stop = _feet(values[first:last], step, start)
    return Stimulus(kind, amplitude, float(start), float(stop - start), rest)


def _sample_noise(values: np.ndarray) -> float:
    """Standard deviation of the noise from sample to sample, robust against steps: zero for a
    command of steps."""
    return (
        float(1.4826 * np.median(np.abs(np.diff(values))) / np.sqrt(2)) if len(values) > 1 else 0.0
    )


def _binned(values: np.ndarray, n: int) -> np.ndarray:
    """Medians of ``n`` samples; an incomplete last bin is the median of its samples."""
    if n == 1:
        return np.asarray(values, float)
    whole = len(values) // n * n
    medians = np.median(values[:whole].reshape(-1, n), axis=1)
    return medians if whole == len(values) else np.append(medians, np.median(values[whole:]))


def _main_stretch(deviates: np.ndarray, step: float) -> tuple[int, int]:
    """First sample and end of the main stretch, or of all stretches, in which the current deviates
    from rest."""
    samples = np.flatnonzero(deviates)
    breaks = np.flatnonzero(np.diff(samples) > max(1, round(PAUSE / step)))
    firsts = samples[np.r_[0, breaks + 1]]
    lasts = samples[np.r_[breaks, len(samples) - 1]] + 1
    lengths = lasts - firsts
    longest = int(np.argmax(lengths))
    if lengths[longest] >= MAIN * (lengths.sum() - lengths[longest]):
        return int(firsts[longest]), int(lasts[longest])
    return int(firsts[0]), int(lasts[-1])


def _shape(values: np.ndarray, step: float, noise: float) -> tuple[str, float]:
    """Kind and amplitude of deviations from rest."""
    level = float(np.median(values))
    if (
        np.mean(np.abs(values - level) <= max(FLAT * abs(level), DEVIATIONS * noise)) >= FILLED
        and abs(level) > 0
    ):
        return ("long square" if len(values) * step >= LONG * (1 - 1e-9) else "short square"), level
    extreme = float(values[np.argmax(np.abs(values))])
    slope, begin = _line(values)
    end = begin + slope * (len(values) - 1)
    residual = np.var(values - begin - slope * np.arange(len(values)))
    if residual <= (1 - LINEAR) * np.var(values) and abs(end - begin) >= 0.5 * abs(extreme):
        return "ramp", float(values[-1] if abs(end) > abs(begin) else values[0])
    if _is_noise(_binned(values, max(1, round(BIN / step)))):
        return "noise", float(np.std(values))
    return (
        "steps" if _is_stepwise(values, max(FLAT * abs(extreme), DEVIATIONS * noise)) else "other"
    ), extreme


def _line(values: np.ndarray) -> tuple[float, float]:
    if len(values) < 2:
        return 0.0, float(values[0])
    slope, begin = np.polyfit(np.arange(len(values)), values, 1)
    return float(slope), float(begin)


def _is_noise(values: np.ndarray) -> bool:
    deviation = np.std(values)
    if deviation == 0:
        return False
    up, _ = find_peaks(values, prominence=TURN * deviation)
    down, _ = find_peaks(-values, prominence=TURN * deviation)
    steps = np.abs(np.diff(values[np.sort(np.concatenate([up, down]))]))
    return len(steps) >= TURNS and float(np.std(steps) / np.mean(steps)) >= UNEVEN


def _is_stepwise(values: np.ndarray, tolerance: float) -> bool:
    """Whether the values stay constant between jumps."""
    parts = np.split(values, np.flatnonzero(np.abs(np.diff(values)) > tolerance) + 1)
    residuals = np.concatenate([part - np.median(part) for part in parts])
    return len(parts) > 1 and float(np.mean(np.abs(residuals) <= tolerance)) >= FILLED


def _edges(
    deviation: np.ndarray, amplitude: float, first: int, last: int, n: int, dt: float
) -> tuple[float, float]:
    """Times at which a square crosses half of its level, to the sample, near its first and last
    bin."""
    half = amplitude / 2

    def inside(begin: int, end: int) -> np.ndarray:
        return np.flatnonzero(deviation[max(0, begin) : end] * np.sign(half) >= abs(half)) + max(
            0, begin
        )

    rising, falling = inside(first - n, first + 2 * n), inside(last - 2 * n, last + n)
    start = int(rising[0]) if len(rising) else first
    stop = int(falling[-1]) + 1 if len(falling) else last
    return start * dt, stop * dt


def _feet(values: np.ndarray, step: float, start: float) -> tuple[float, float]:
    """Start and end of a ramp from its fitted line: a ramp away from rest starts where the line
    crosses rest, and a ramp back to rest ends there."""
    slope, begin = _line(values)
    zero, length = -begin / slope, len(values)
    if abs(begin) <= abs(begin + slope * (length - 1)):
        return start + max(min(0.0, zero), -length) * step, start + length * step
    return start, start + min(max(length, zero), 2 * length) * step
