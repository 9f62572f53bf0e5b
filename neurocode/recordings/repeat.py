"""One sweep as arrays in SI units, checked when it is created."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import neo
import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.trains import ROUNDING, SpikeTrainLike, in_seconds
from neurocode.units import in_si, number_in, require_membrane_current, signal_to_si

#: This many consecutive samples at the largest voltage are taken for a saturated amplifier.
CLIPPED_SAMPLES = 8


@dataclass(frozen=True, eq=False)
class Repeat:
    """One sweep as arrays.

    Attributes
    ----------
    spike_times : numpy.ndarray
        In seconds from the start of the sweep, increasing.
    duration : float
        In seconds.
    current : numpy.ndarray or None
        In SI units, one value per sample.
    voltage : numpy.ndarray or None
        In volt, one value per sample.
    dt : float or None
        Sampling interval of current and voltage in seconds.
    number : int
        Number of the sweep in its file.
    description : str
        Name of the stimulus in its file.
    """

    spike_times: np.ndarray
    duration: float
    current: np.ndarray | None = None
    voltage: np.ndarray | None = None
    dt: float | None = None
    number: int = 0
    description: str = ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Repeat):
            return NotImplemented
        return all(
            _equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)
        )

    def time_slice(self, t_start: object = None, t_stop: object = None) -> Repeat:
        """The part between two times of the sweep; None leaves a side open.

        Signals are cut at the samples nearest to these times, and spikes at the same cut; times
        count from the new start. A spike at the start belongs to the part, one at its end does not.

        Parameters
        ----------
        t_start, t_stop : float or quantity, optional
            In seconds from the start of the sweep.

        Raises
        ------
        DataError
            If the part is empty or reaches beyond the sweep.

        Examples
        --------
        >>> part = Repeat(np.array([0.5, 1.5]), 2.0).time_slice(1.0)
        >>> part.spike_times.tolist(), part.duration
        ([0.5], 1.0)
        """
        first = 0.0 if t_start is None else in_si(t_start, "second", "The start")
        last = self.duration if t_stop is None else in_si(t_stop, "second", "The stop")
        tolerance = 0.5 * self.dt if self.dt else 0.0
        if not -tolerance <= first < last <= self.duration + tolerance:
            raise DataError(
                f"The window from {first:g} to {last:g} s is not inside sweep {self.number}, "
                f"which lasts {self.duration:g} s."
            )
        if t_stop is None and t_start is None:
            return self
        if self.dt is None:
            return self._cut(first, last, last - first)
        begin, end = round(first / self.dt), round(last / self.dt)
        if begin == end:
            raise DataError(
                f"The window from {first:g} to {last:g} s holds no sample of sweep {self.number}."
            )
        part = self._cut(begin * self.dt, end * self.dt, (end - begin) * self.dt)
        signals = {name: getattr(self, name) for name in ("current", "voltage")}
        return replace(
            part, **{name: None if s is None else s[begin:end] for name, s in signals.items()}
        )

    def _cut(self, first: float, last: float, duration: float) -> Repeat:
        """A part of the spikes; one up to the end of the sweep keeps those of the last sample."""
        edge = 0.5 * (self.dt or 0.0)
        inside = (self.spike_times >= first - edge) & (
            (self.spike_times < last - edge) | (last >= self.duration - edge)
        )
        return replace(
            self,
            spike_times=np.clip(self.spike_times[inside] - first, 0.0, duration),
            duration=duration,
        )


def repeat_of(
    train: SpikeTrainLike,
    current: neo.AnalogSignal | None,
    voltage: neo.AnalogSignal | None,
    number: int = 0,
    description: str = "",
) -> Repeat:
    """A sweep from a train and its signals.

    Raises
    ------
    DataError
        If times are unsorted or not finite, signals differ in length or sampling, the voltage is
        clipped, or the current is implausible.
    """
    signals = {name: s for name, s in (("current", current), ("voltage", voltage)) if s is not None}
    if not signals:
        times, duration = _placed(train, signals, 0.0)
        return Repeat(times, duration, number=number, description=description)
    dt, length = _sampling(signals)
    times, duration = _placed(train, signals, length * dt)
    arrays = {}
    for name, unit in (("current", "amp"), ("voltage", "volt")):
        if name in signals:
            unit = "1" if signals[name].dimensionality.string == "dimensionless" else unit
            arrays[name] = signal_to_si(signals[name], unit, f"The {name}")[:, 0]
            if not np.all(np.isfinite(arrays[name])):
                raise DataError(
                    f"The {name} holds {np.sum(~np.isfinite(arrays[name]))} values that are not "
                    f"finite."
                )
            if unit == "amp":
                require_membrane_current(arrays[name])
            elif name == "voltage":
                _require_unclipped(arrays[name])
    if abs(length * dt - duration) > 0.5 * dt:
        raise DataError(f"The spike train lasts {duration:g} s, its signals {length * dt:g} s.")
    return Repeat(
        times, duration, arrays.get("current"), arrays.get("voltage"), dt, number, description
    )


def sampled(repeat: Repeat, what: str) -> tuple[np.ndarray, float]:
    """A signal of a sweep, and its sampling interval in seconds.

    Parameters
    ----------
    repeat : Repeat
    what : {"current", "voltage"}

    Raises
    ------
    DataError
        If the sweep has no such signal or states no sampling interval.

    Examples
    --------
    >>> sampled(Repeat(np.array([0.1]), 1.0, current=np.zeros(10), dt=0.1), "current")[1]
    0.1
    """
    values = getattr(repeat, what)
    if values is None or repeat.dt is None:
        lacking = what if values is None else f"sampling interval of its {what}"
        raise DataError(f"Sweep {repeat.number} has no {lacking}.")
    return values, repeat.dt


def same_sweep(first: Repeat, second: Repeat) -> bool:
    """Whether two sweeps are the same: the same two or more spikes under the same current."""
    times = (first.spike_times, second.spike_times)
    if (
        len(times[0]) < 2
        or len(times[0]) != len(times[1])
        or np.max(np.abs(times[0] - times[1])) > ROUNDING
    ):
        return False
    return _equal(first.current, second.current)


def _equal(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    return type(first) is type(second) and first == second


def _require_unclipped(voltage: np.ndarray) -> None:
    """Refuse a voltage that stays at its largest value, as a saturated amplifier's does."""
    at_top = np.concatenate([[0], (voltage == voltage.max()).astype(int), [0]])
    edges = np.flatnonzero(np.diff(at_top))
    longest = int(np.max(edges[1::2] - edges[::2]))
    if np.ptp(voltage) > 0 and longest >= CLIPPED_SAMPLES:
        raise DataError(
            f"The voltage is clipped: it stays at {voltage.max() * 1e3:.1f} mV for {longest} "
            f"samples."
        )


def _placed(
    train: SpikeTrainLike, signals: dict[str, neo.AnalogSignal], duration: float
) -> tuple[np.ndarray, float]:
    """Spike times from the start of a sweep, and its duration; the train and its signals must begin
    at the same time."""
    times, start, stop = in_seconds(train)
    if not isinstance(train, neo.SpikeTrain):
        start, stop = 0.0, duration if signals else stop
    elif signals:
        name, signal = next(iter(signals.items()))
        begin = number_in(signal.t_start, "s")
        if abs(begin - start) > 0.5 * number_in(signal.sampling_period, "s"):
            raise DataError(
                f"The spike train begins at {start:g} s, its {name} at {begin:g} s, expected one "
                f"start."
            )
    times, duration = times - start, stop - start
    if (
        not np.all(np.isfinite(times))
        or np.any(np.diff(times) < 0)
        or np.any(times < 0)
        or np.any(times > duration)
    ):
        raise DataError("Spike times must be finite, increasing and inside the sweep.")
    return times, duration


def _sampling(signals: dict[str, neo.AnalogSignal]) -> tuple[float, int]:
    """Sampling interval in seconds and number of samples of signals, which must begin at the same
    time and be equally long."""
    periods = {name: number_in(signal.sampling_period, "s") for name, signal in signals.items()}
    lengths = {name: len(signal) for name, signal in signals.items()}
    dt = next(iter(periods.values()))
    for name, signal in signals.items():
        if signal.shape[1] != 1 or not len(signal):
            raise DataError(
                f"The {name} has {signal.shape[1]} channels of {len(signal)} samples, expected "
                f"one that is not empty."
            )
    if len(set(lengths.values())) > 1 or max(periods.values()) - min(periods.values()) > 1e-9:
        listing = ", ".join(
            f"the {name} has {lengths[name]} samples every {periods[name]:g} s" for name in signals
        )
        raise DataError(
            f"Current and voltage differ in length or sampling: {listing}; expected the same "
            f"number of samples at the same times."
        )
    starts = [number_in(signal.t_start, "s") for signal in signals.values()]
    if max(starts) - min(starts) > 0.5 * dt:
        raise DataError(
            f"Current and voltage begin at {starts[0]:g} and {starts[1]:g} s, expected together."
        )
    return dt, next(iter(lengths.values()))
