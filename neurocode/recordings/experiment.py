"""A recording made ready for a fit: repeats of spikes, current and voltage, with a test set apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings.detection import DEAD_TIME_MS, THRESHOLD_MV, detect_spikes
from neurocode.recordings.electrode import ElectrodeKernel, electrode_kernel
from neurocode.recordings.files import read, signal_of
from neurocode.recordings.trains import SpikeTrainLike, in_seconds, listed
from neurocode.units import in_si, require_membrane_current, signal_to_si

#: So many samples in a row at the largest voltage are taken for a saturated amplifier.
CLIPPED_SAMPLES = 8
#: Repeats whose currents correlate less do not share one frozen stimulus.
FROZEN_CORRELATION = 0.95


@dataclass(frozen=True)
class Repeat:
    """One sweep as arrays.

    Attributes
    ----------
    spike_times : numpy.ndarray
        In seconds from the start of the sweep, increasing.
    duration : float
        In seconds.
    current : numpy.ndarray or None
        In SI, one value a sample.
    voltage : numpy.ndarray or None
        In volt, one value a sample.
    dt : float or None
        Sampling interval of current and voltage in seconds.
    """

    spike_times: np.ndarray
    duration: float
    current: np.ndarray | None = None
    voltage: np.ndarray | None = None
    dt: float | None = None


class Experiment:
    """Repeats of a recording, and optionally a test recording that fits never see.

    Parameters
    ----------
    spiketrains : neo.SpikeTrain, array of seconds, or a sequence of these
        One a sweep. An array begins at zero and ends with its signals, or without these at its last spike.
    current, voltage : neo.AnalogSignal or sequence of neo.AnalogSignal, optional
        One for all sweeps or one a sweep.
    test : Experiment, optional
    name : str

    Raises
    ------
    DataError
        For unsorted or non-finite times, signals of other lengths or sampling, no sweep, what is no spike train, or a test that
        holds a sweep of the training.

    Examples
    --------
    >>> train = neo.SpikeTrain([0.1, 0.5], units="s", t_stop=1.0)
    >>> Experiment(train).n_spikes
    2
    """

    def __init__(
        self,
        spiketrains: SpikeTrainLike | Sequence[SpikeTrainLike],
        current: neo.AnalogSignal | Sequence[neo.AnalogSignal] | None = None,
        voltage: neo.AnalogSignal | Sequence[neo.AnalogSignal] | None = None,
        *,
        test: Experiment | None = None,
        name: str = "",
    ) -> None:
        trains = listed(spiketrains)
        if not trains:
            raise DataError("An experiment needs at least one spike train.")
        currents, voltages = _one_each(current, len(trains), "current"), _one_each(voltage, len(trains), "voltage")
        self.name, self.test = name, test
        self.repeats = tuple(_repeat(*signals) for signals in zip(trains, currents, voltages, strict=True))
        intervals = [repeat.dt or 0.0 for repeat in self.repeats]
        if not np.allclose(intervals, intervals[0], rtol=1e-6, atol=0.0):
            raise DataError(
                f"The repeats are sampled every {min(intervals):g} to {max(intervals):g} s, expected the same interval."
            )
        if test is not None and not np.isclose(self.dt or 0.0, test.dt or 0.0, rtol=1e-6, atol=0.0):
            raise DataError(f"Training and test are sampled at {self.dt} s and {test.dt} s, expected the same interval.")
        if test is not None and any(_same(own, other) for own in self.repeats for other in test.repeats):
            raise DataError("The test holds a sweep of the training, expected repeats that the fit does not see.")

    @classmethod
    def from_files(
        cls,
        training: str | Path,
        test: str | Path | None = None,
        *,
        current_offset: object = 0.0,
        electrode: str | Path | ElectrodeKernel | None = None,
        spike_threshold: float = THRESHOLD_MV,
        dead_time: float = DEAD_TIME_MS,
    ) -> Experiment:
        """Read current-clamp files: voltage and current channels found by their units.

        Parameters
        ----------
        training, test : path
            Sweeps of a file are the repeats.
        current_offset : float, quantity or text
            Subtracted from the current (ampere unless a unit is given): what the amplifier adds.
        electrode : path or ElectrodeKernel, optional
            Subthreshold recording under weak noise, from which the response of the electrode is estimated and
            taken off the voltage (:func:`electrode_kernel`). Spikes are detected before.
        spike_threshold : float
            In mV.
        dead_time : float
            In ms.

        Raises
        ------
        DataError
            That names the file and what was expected.
        """
        offset = in_si(current_offset, "amp", "The current offset")
        options = {"current_offset": current_offset, "spike_threshold": spike_threshold, "dead_time": dead_time}
        kernel = _kernel_of_file(electrode) if isinstance(electrode, (str, Path)) else electrode
        held_out = None if test is None else cls.from_files(test, electrode=kernel, **options)
        segments = read(training).segments
        sweeps = [segment for segment in segments if segment.analogsignals] or segments
        voltages = [signal_of(segment, "V", "voltage", str(training)) for segment in sweeps]
        currents = [signal_of(segment, "A", "current", str(training)) - offset * pq.A for segment in sweeps]
        try:
            trains = [detect_spikes(v, threshold=spike_threshold, dead_time=dead_time) for v in voltages]
            if kernel is not None:
                voltages = [_compensated(kernel, *signals) for signals in zip(voltages, currents, strict=True)]
            return cls(trains, currents, voltages, test=held_out, name=Path(training).stem)
        except DataError as error:
            raise DataError(f"{training}: {error}") from None

    @property
    def n_spikes(self) -> int:
        """Spikes over all repeats."""
        return sum(len(repeat.spike_times) for repeat in self.repeats)

    @property
    def dt(self) -> float | None:
        """Sampling interval in seconds, the same for all repeats; None for spikes alone."""
        return self.repeats[0].dt

    @cached_property
    def frozen_current(self) -> np.ndarray:
        """Mean of the repeats' currents, where all repeats share one frozen current.

        Raises
        ------
        DataError
            If there is no current, or the currents differ.
        """
        if any(repeat.current is None for repeat in self.repeats):
            raise DataError("The repeats have no current.")
        lengths = {len(repeat.current) for repeat in self.repeats}
        if len(lengths) > 1:
            raise DataError(f"The repeats do not share one frozen current: they have {min(lengths)} to {max(lengths)} samples.")
        currents = np.stack([repeat.current for repeat in self.repeats])
        mean = currents.mean(axis=0)
        if np.ptp(mean) > 0:
            with np.errstate(invalid="ignore", divide="ignore"):
                lowest = float(np.min([np.corrcoef(mean, current)[0, 1] for current in currents]))
            if not lowest >= FROZEN_CORRELATION:
                raise DataError(f"The repeats do not share one frozen current: correlation {lowest:.2f} with their mean.")
        return mean


def _same(first: Repeat, second: Repeat) -> bool:
    """Whether two sweeps are one: the same spikes, several of them, under the same current."""
    currents = (first.current, second.current)
    alike = np.array_equal(*currents) if all(current is not None for current in currents) else currents == (None, None)
    return len(first.spike_times) > 1 and alike and np.array_equal(first.spike_times, second.spike_times)


def _kernel_of_file(path: str | Path) -> ElectrodeKernel:
    """Response of the electrode from the first sweep of a file.

    Raises
    ------
    DataError
        That names the file.
    """
    recording = Experiment.from_files(path).repeats[0]
    if len(recording.spike_times):
        raise DataError(f"{path}: the electrode recording holds {len(recording.spike_times)} spikes, expected none.")
    try:
        return electrode_kernel(recording.voltage, recording.current, recording.dt)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _compensated(kernel: ElectrodeKernel, voltage: neo.AnalogSignal, current: neo.AnalogSignal) -> neo.AnalogSignal:
    period = float(voltage.sampling_period.rescale("s"))
    if abs(period - kernel.dt) > 1e-9:
        raise DataError(f"The electrode recording is sampled every {kernel.dt:g} s, the recording every {period:g} s.")
    volts, amperes = (signal.rescale(unit).magnitude[:, 0] for signal, unit in ((voltage, "V"), (current, "A")))
    return voltage.duplicate_with_new_data(kernel.compensate(volts, amperes)[:, None], units="V")


def _one_each(signals: object, count: int, what: str) -> list:
    if signals is None or isinstance(signals, neo.AnalogSignal):
        return [signals] * count
    signals = list(signals)
    if len(signals) != count:
        raise DataError(f"There are {len(signals)} {what} signals for {count} spike trains.")
    return signals


def _require_unclipped(voltage: np.ndarray) -> None:
    """Refuse a voltage that stays at its largest value, as a saturated amplifier's does."""
    at_top = np.concatenate([[0], (voltage == voltage.max()).astype(int), [0]])
    edges = np.flatnonzero(np.diff(at_top))
    longest = int(np.max(edges[1::2] - edges[::2]))
    if np.ptp(voltage) > 0 and longest >= CLIPPED_SAMPLES:
        raise DataError(f"The voltage is clipped: it stays at {voltage.max() * 1e3:.1f} mV for {longest} samples.")


def _placed(train: SpikeTrainLike, signals: dict[str, neo.AnalogSignal], duration: float) -> tuple[np.ndarray, float]:
    """Spike times from the start of a sweep and its duration; a train and its signals begin together."""
    times, start, stop = in_seconds(train)
    if not isinstance(train, neo.SpikeTrain):
        start, stop = 0.0, duration if signals else stop
    elif signals:
        name, signal = next(iter(signals.items()))
        begin = float(signal.t_start.rescale("s"))
        if abs(begin - start) > 0.5 * float(signal.sampling_period.rescale("s")):
            raise DataError(f"The spike train begins at {start:g} s, its {name} at {begin:g} s, expected one start.")
    times, duration = times - start, stop - start
    if not np.all(np.isfinite(times)) or np.any(np.diff(times) < 0) or np.any(times < 0) or np.any(times > duration):
        raise DataError("Spike times must be finite, increasing and inside the sweep.")
    return times, duration


def _repeat(train: SpikeTrainLike, current: neo.AnalogSignal | None, voltage: neo.AnalogSignal | None) -> Repeat:
    signals = {name: s for name, s in (("current", current), ("voltage", voltage)) if s is not None}
    dt, length = _sampling(signals) if signals else (None, 0)
    times, duration = _placed(train, signals, length * dt if signals else 0.0)
    if not signals:
        return Repeat(times, duration)
    arrays = {}
    for name, unit in (("current", "amp"), ("voltage", "volt")):
        if name in signals:
            unit = "1" if signals[name].dimensionality.string == "dimensionless" else unit
            arrays[name] = signal_to_si(signals[name], unit, f"The {name}")[:, 0]
            if not np.all(np.isfinite(arrays[name])):
                raise DataError(f"The {name} holds {np.sum(~np.isfinite(arrays[name]))} values that are not finite.")
            if unit == "amp":
                require_membrane_current(arrays[name])
            elif name == "voltage":
                _require_unclipped(arrays[name])
    if abs(length * dt - duration) > 0.5 * dt:
        raise DataError(f"The spike train lasts {duration:g} s, its signals {length * dt:g} s.")
    return Repeat(times, duration, arrays.get("current"), arrays.get("voltage"), dt)


def _sampling(signals: dict[str, neo.AnalogSignal]) -> tuple[float, int]:
    """Sampling interval in seconds and number of samples of signals that begin together and are equally long."""
    periods = {name: float(signal.sampling_period.rescale("s")) for name, signal in signals.items()}
    lengths = {name: len(signal) for name, signal in signals.items()}
    dt = next(iter(periods.values()))
    for name, signal in signals.items():
        if signal.shape[1] != 1 or not len(signal):
            raise DataError(f"The {name} has {signal.shape[1]} channels of {len(signal)} samples, expected one that is not empty.")
    if len(set(lengths.values())) > 1 or max(periods.values()) - min(periods.values()) > 1e-9:
        raise DataError(f"Current and voltage differ in length or sampling: {lengths} samples, {periods} s.")
    starts = [float(signal.t_start.rescale("s")) for signal in signals.values()]
    if max(starts) - min(starts) > 0.5 * dt:
        raise DataError(f"Current and voltage begin at {starts[0]:g} and {starts[1]:g} s, expected together.")
    return dt, next(iter(lengths.values()))
