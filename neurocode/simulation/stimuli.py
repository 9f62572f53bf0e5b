"""Currents to inject: frozen Ornstein-Uhlenbeck noise, steps and ramps, as Neo signals."""

from __future__ import annotations

from collections.abc import Sequence

import neo
import numpy as np
import quantities as pq
from scipy.signal import lfilter

from neurocode.errors import DataError
from neurocode.units import seconds, to_neo_units

#: Bytes that the currents and recorded signals of a simulation may take.
LARGEST_RUN = 8 * 2**30


def frozen_noise(
    duration: object,
    dt: object,
    *,
    mean: float,
    standard_deviation: float,
    time_constant: object = 3e-3,
    seed: int,
    unit: str = "pA",
) -> neo.AnalogSignal:
    """Ornstein-Uhlenbeck noise, exact at any time step, the same for the same seed.

    Parameters
    ----------
    duration, dt, time_constant : float, quantity or text
        Times, in seconds unless a unit is given.
    mean, standard_deviation : float
        Mean and standard deviation of the stationary process, in ``unit``.
    seed : int
    unit : str
        Brian2 unit text.

    Returns
    -------
    neo.AnalogSignal

    Raises
    ------
    DataError
        For times that are not positive or a standard deviation that is negative.

    Examples
    --------
    >>> frozen_noise(1.0, 1e-4, mean=100.0, standard_deviation=50.0, seed=1).shape
    (10000, 1)
    """
    if not standard_deviation >= 0:
        raise DataError(
            f"The standard deviation of the noise is {standard_deviation:g} {unit}, expected zero "
            f"or more."
        )
    step, n_steps = _grid(duration, dt)
    decay = np.exp(-step / seconds(time_constant, "The time constant"))
    draws = np.random.default_rng(seed).standard_normal(n_steps)
    draws[1:] *= np.sqrt(1 - decay**2)
    noise = np.asarray(lfilter([1.0], [1.0, -decay], draws))
    return _signal(mean + standard_deviation * noise, step, unit)


def steps(
    amplitudes: Sequence[float], step_duration: object, dt: object, unit: str = "pA"
) -> neo.AnalogSignal:
    """Constant levels one after another, each for ``step_duration``.

    Examples
    --------
    >>> float(steps([0.0, 100.0], 0.5, 1e-3)[-1, 0].magnitude)
    100.0
    """
    step, n_steps = _grid(step_duration, dt)
    return _signal(np.repeat(np.asarray(amplitudes, float), n_steps), step, unit)


def ramp(
    first: float, last: float, duration: object, dt: object, unit: str = "pA"
) -> neo.AnalogSignal:
    """Current that grows linearly from ``first`` to ``last``.

    Examples
    --------
    >>> ramp(0.0, 100.0, 1.0, 1e-3).shape
    (1000, 1)
    """
    step, n_steps = _grid(duration, dt)
    return _signal(np.linspace(first, last, n_steps), step, unit)


def count_steps(length: float, step: float) -> int:
    """Number of time steps in a duration, both in seconds.

    Raises
    ------
    DataError
        If the duration is shorter than a step, or its signal alone takes more memory than a
        computer has.
    """
    require_memory(length, step, 1)
    if round(length / step) < 1:
        raise DataError(
            f"The duration of {length:g} s is shorter than the time step of {step:g} s."
        )
    return round(length / step)


def require_memory(length: float, step: float, signals: int) -> None:
    """Refuse a run whose signals take more memory than a computer has.

    Parameters
    ----------
    length, step : float
        Duration and time step in seconds.
    signals : int
        Currents and recorded variables of all trials, each with one number per step.

    Raises
    ------
    DataError
        If they need too much memory; the message gives the size and what to do.
    """
    size = 8 * signals * (length / step)
    if size > LARGEST_RUN:
        size_text = f"{size / 2**40:.3g} TiB" if size >= 2**40 else f"{size / 2**30:.3g} GiB"
        count = f"{signals} signal{'s' * (signals > 1)}"
        raise DataError(
            f"A simulation of {length:.7g} s in steps of {1e3 * step:.3g} ms with {count} needs "
            f"{size_text}, but at most {LARGEST_RUN / 2**30:g} GiB are allowed: shorten the "
            f"duration, lengthen the time step, or ask for fewer trials or recorded variables."
        )


def _grid(duration: object, dt: object) -> tuple[float, int]:
    step, length = seconds(dt, "The time step"), seconds(duration, "The duration")
    return step, count_steps(length, step)


def _signal(values: np.ndarray, step: float, unit: str) -> neo.AnalogSignal:
    return neo.AnalogSignal(values, units=to_neo_units(unit), sampling_rate=1.0 / step * pq.Hz)
