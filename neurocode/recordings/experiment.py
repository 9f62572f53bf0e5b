"""A recording prepared for a fit: sweeps with spikes, current and voltage, and a held-out test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import neo
import numpy as np
import pandas as pd
import quantities as pq
from matplotlib.figure import Figure

from neurocode.display import html, lines
from neurocode.errors import DataError
from neurocode.recordings.current_clamp import (
    ClampedSweep,
    Source,
    SweepNumbers,
    chosen_numbers,
    name_of,
    read_clamped_sweeps,
    sweep_numbers,
)
from neurocode.recordings.detection import DEAD_TIME_MS, THRESHOLD_MV, detect_spikes
from neurocode.recordings.electrode import ElectrodeKernel, electrode_kernel
from neurocode.recordings.experiment_figure import experiment_figure
from neurocode.recordings.experiment_file import load_repeats, save_repeats
from neurocode.recordings.held_out_sweeps import (
    FROZEN_CORRELATION,
    REPEATED,
    parted,
    repeated_sweeps,
)
from neurocode.recordings.repeat import Repeat, repeat_of, same_sweep, sampled
from neurocode.recordings.sweep_table import described_sweep, sweep_row
from neurocode.recordings.trains import SpikeTrainLike, listed
from neurocode.units import in_si, number_in


class Experiment:
    """Repeats of a recording, and optionally a test recording that fits never see.

    Parameters
    ----------
    spiketrains : neo.SpikeTrain, array of seconds, or a sequence of these
        One train per sweep. An array begins at zero and ends with its signals, or at its last spike
        where there are no signals.
    current, voltage : neo.AnalogSignal or sequence of neo.AnalogSignal, optional
        One signal for all sweeps, or one per sweep. Sweeps may differ in length.
    test : Experiment, optional
    name : str

    Raises
    ------
    DataError
        If times are unsorted or not finite, signals differ in length or sampling, there is no
        sweep, an entry is not a spike train, or the test holds a sweep of the training.

    Examples
    --------
    >>> train = neo.SpikeTrain([0.1, 0.5], units="s", t_stop=1.0)
    >>> Experiment(train).n_spikes
    2
    """

    name: str
    test: Experiment | None
    repeats: tuple[Repeat, ...]

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
        currents, voltages = (
            _one_per_train(current, len(trains), "current"),
            _one_per_train(voltage, len(trains), "voltage"),
        )
        sweeps = enumerate(zip(trains, currents, voltages, strict=True))
        self._hold([repeat_of(*signals, number) for number, signals in sweeps], test, name)

    @classmethod
    def of_repeats(
        cls, repeats: Sequence[Repeat], test: Experiment | None = None, name: str = ""
    ) -> Experiment:
        """An experiment from sweeps that are already :class:`Repeat` objects.

        Raises
        ------
        DataError
            If there is no sweep, the sampling differs, or the test holds a sweep of the training.
        """
        experiment = cls.__new__(cls)
        experiment._hold(repeats, test, name)
        return experiment

    def _hold(self, repeats: Sequence[Repeat], test: Experiment | None, name: str) -> None:
        if not repeats:
            raise DataError("An experiment needs at least one spike train.")
        self.name, self.test, self.repeats = name, test, tuple(repeats)
        intervals = [repeat.dt or 0.0 for repeat in self.repeats]
        if not np.allclose(intervals, intervals[0], rtol=1e-6, atol=0.0):
            raise DataError(
                f"The repeats are sampled every {min(intervals):g} to {max(intervals):g} s, "
                f"expected the same interval."
            )
        if test is not None and not np.isclose(self.dt or 0.0, test.dt or 0.0, rtol=1e-6, atol=0.0):
            raise DataError(
                f"Training and test are sampled at {self.dt} s and {test.dt} s, expected the same "
                f"interval."
            )
        if test is not None and any(
            same_sweep(training_sweep, test_sweep)
            for training_sweep in self.repeats
            for test_sweep in test.repeats
        ):
            raise DataError(
                "The test holds a sweep of the training, expected repeats that the fit does not "
                "see."
            )

    @classmethod
    def from_files(
        cls,
        training: Source,
        test: Source | None = None,
        *,
        sweeps: SweepNumbers | None = None,
        test_sweeps: SweepNumbers | None = None,
        voltage_channel: str | int | None = None,
        current_channel: str | int | None = None,
        t_start: object = None,
        t_stop: object = None,
        bias_current: str = "auto",
        current_offset: object = 0.0,
        electrode: str | Path | ElectrodeKernel | None = None,
        spike_threshold: float = THRESHOLD_MV,
        dead_time: float = DEAD_TIME_MS,
    ) -> Experiment:
        """Read current-clamp files: voltage and current channels found by their units.

        Parameters
        ----------
        training, test : path, pair of paths, or sequence of pairs
            Sweeps of a file are the repeats. A pair of files holds one channel each, such as two
            Igor waves.
        sweeps : str, int or iterable of int, optional
            Numbers of the training sweeps, such as ``"3,5,7-12"``; by default all sweeps that do
            not belong to the test.
        test_sweeps : str, int or iterable of int, optional
            Numbers of the test sweeps, in the file of the test or, where there is none, in that of
            the training. ``"repeated"`` takes the sweeps that share one waveform of current.
        voltage_channel, current_channel : str or int, optional
            Name of a channel, series or electrode, or number among the voltages (currents), from 0,
            where there are several.
        t_start, t_stop : float or quantity, optional
            Part of each sweep that is kept, in seconds from its start; the sweeps of a separate
            test file are kept whole.
        bias_current : {"auto", "add", "ignore"}
            Treatment of the bias (holding) current of the amplifier that an NWB file states; see
            :func:`neurocode.recordings.current_clamp.read_clamped_sweeps`.
        current_offset : float, quantity or text
            Current that the amplifier adds, in ampere unless a unit is given; it is subtracted.
        electrode : path or ElectrodeKernel, optional
            Subthreshold recording under weak noise, from which the response of the electrode is
            estimated (:func:`electrode_kernel`). The voltage drop over the electrode is subtracted
            from the voltage after spikes are detected.
        spike_threshold : float
            In mV.
        dead_time : float
            In ms.

        Raises
        ------
        DataError
            If a file cannot be used; the message names the file and says what was expected.
        """
        kernel = _kernel_of_file(electrode) if isinstance(electrode, (str, Path)) else electrode
        offset = in_si(current_offset, "amp", "The current offset")
        channels = {
            "voltage_channel": voltage_channel,
            "current_channel": current_channel,
            "bias_current": bias_current,
        }

        def repeats_of(source: Source, numbers: SweepNumbers | None) -> list[Repeat]:
            clamped = read_clamped_sweeps(source, sweeps=numbers, **channels)
            return [
                _ready(source, s, len(clamped) > 1, offset, spike_threshold, dead_time, kernel)
                for s in clamped
            ]

        where, name = _where(training), name_of(training)
        if test is None and test_sweeps is not None:
            seen, unseen = parted(
                repeats_of(training, _numbers_to_read(sweeps, test_sweeps)),
                sweeps,
                test_sweeps,
                where,
            )
        else:
            seen = repeats_of(training, sweeps)
            unseen = [] if test is None else _test_repeats(test, test_sweeps, repeats_of)
        try:
            held_out = (
                cls.of_repeats(unseen, name=name if test is None else name_of(test))
                if unseen
                else None
            )
            whole = cls.of_repeats(seen, held_out, name)
            if held_out is not None and test is None:
                held_out = held_out.time_slice(t_start, t_stop)
            return cls.of_repeats(whole.time_slice(t_start, t_stop).repeats, held_out, name)
        except DataError as error:
            raise DataError(f"{where}: {error}") from None

    def sweeps(self, numbers: SweepNumbers) -> Experiment:
        """The experiment with only these training sweeps, and the same test.

        Parameters
        ----------
        numbers : str, int or iterable of int
            Values of :attr:`Repeat.number`, such as ``"3,5,7-12"``.

        Raises
        ------
        DataError
            If there is no such sweep.

        Examples
        --------
        >>> Experiment([[0.1, 0.2], [0.3], [0.4]]).sweeps("0,2").n_spikes
        3
        """
        numbered = {repeat.number: repeat for repeat in self.repeats}
        return self.of_repeats(
            [numbered[n] for n in chosen_numbers(numbers, list(numbered), self.name)],
            self.test,
            self.name,
        )

    def time_slice(self, t_start: object = None, t_stop: object = None) -> Experiment:
        """The experiment with a part of each sweep, and the same test; see
        :meth:`Repeat.time_slice`.

        Parameters
        ----------
        t_start, t_stop : float or quantity, optional
            In seconds from the start of each sweep.

        Raises
        ------
        DataError
            If the part is empty or reaches beyond a sweep.

        Examples
        --------
        >>> Experiment([[0.1, 0.2, 0.9]]).time_slice(0.15).repeats[0].spike_times.round(9).tolist()
        [0.05, 0.75]
        """
        return self.of_repeats(
            [repeat.time_slice(t_start, t_stop) for repeat in self.repeats], self.test, self.name
        )

    @property
    def n_spikes(self) -> int:
        """Number of spikes of all repeats."""
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
        recorded = [repeat.current for repeat in self.repeats if repeat.current is not None]
        if len(recorded) < len(self.repeats):
            raise DataError("The repeats have no current.")
        lengths = {len(current) for current in recorded}
        if len(lengths) > 1:
            raise DataError(
                f"The repeats do not share one frozen current: they have {min(lengths)} to "
                f"{max(lengths)} samples."
            )
        currents = np.stack(recorded)
        mean = currents.mean(axis=0)
        if np.ptp(mean) > 0:
            with np.errstate(invalid="ignore", divide="ignore"):
                lowest = float(np.min([np.corrcoef(mean, current)[0, 1] for current in currents]))
            if not lowest >= FROZEN_CORRELATION:
                raise DataError(
                    f"The repeats do not share one frozen current: correlation {lowest:.2f} with "
                    f"their mean."
                )
        return mean

    def to_dataframe(self) -> pd.DataFrame:
        """One row per sweep, those of the test after those of the training.

        Returns
        -------
        pandas.DataFrame
            ``set`` (training or test) and the columns of
            :func:`neurocode.recordings.sweep_table.sweep_table`.
        """
        parts = {"training": self.repeats, "test": self.test.repeats if self.test else ()}
        rows = [
            {"sweep": repeat.number, "set": part, **sweep_row(repeat)}
            for part, repeats in parts.items()
            for repeat in repeats
        ]
        return pd.DataFrame(rows).set_index("sweep")

    def summary(self) -> str:
        """Description of the recording as text with one line per sweep."""
        rows = self._rows()
        return lines(self._heading(), rows, most=len(rows) + 1)

    def plot(self) -> Figure:
        """Voltage, current and spikes of the training sweeps."""
        return experiment_figure(self.repeats)

    def save(self, path: str | Path) -> Path:
        """Write everything, the test included, to an ``.npz`` file that :meth:`load` reads.

        Raises
        ------
        DataError
            If the name does not end in ``.npz``.
        """
        parts = {"training": self, "test": self.test}
        return save_repeats(
            path,
            {key: (part.name, part.repeats) for key, part in parts.items() if part is not None},
        )

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """Read an experiment that :meth:`save` wrote, without loss of precision.

        Raises
        ------
        DataError
            If there is no such file, or it holds no experiment.

        Examples
        --------
        >>> import tempfile
        >>> experiment = Experiment([[0.1, 0.25], [0.2]], test=Experiment([[0.3]]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Experiment.load(experiment.save(f"{folder}/cell.npz")) == experiment
        True
        """
        parts = load_repeats(path)
        test = cls.of_repeats(parts["test"][1], name=parts["test"][0]) if "test" in parts else None
        name, repeats = parts["training"]
        return cls.of_repeats(repeats, test, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Experiment):
            return NotImplemented
        return self.name == other.name and self.repeats == other.repeats and self.test == other.test

    def __repr__(self) -> str:
        return lines(self._heading(), self._rows())

    def _repr_html_(self) -> str:
        return html(self._heading(), self.to_dataframe())

    def _heading(self) -> str:
        name = f" '{self.name}'" if self.name else ""
        rate = "spikes alone" if self.dt is None else f"sampled every {self.dt * 1e3:g} ms"
        held = "no test" if self.test is None else f"test: {self.test._counted()}"
        return f"Experiment{name}: {self._counted()}, {rate}; {held}"

    def _counted(self) -> str:
        seconds = sum(repeat.duration for repeat in self.repeats)
        counts = ((len(self.repeats), "sweep"), (self.n_spikes, "spike"))
        sweeps, spikes = (f"{count} {what}{'s' * (count != 1)}" for count, what in counts)
        return f"{sweeps}, {seconds:g} s, {spikes}"

    def _rows(self) -> list[str]:
        return [described_sweep(repeat) for repeat in self.repeats]


def _where(source: Source) -> str:
    return str(source) if isinstance(source, (str, Path)) else name_of(source)


def _ready(
    source: Source,
    sweep: ClampedSweep,
    several: bool,
    offset: float,
    spike_threshold: float,
    dead_time: float,
    kernel: ElectrodeKernel | None,
) -> Repeat:
    """Spikes and signals of a sweep of a file; errors name the file and, if several, the sweep."""
    assert sweep.current is not None  # a sweep without one was refused where it was read
    try:
        current = sweep.current - offset * pq.A
        train = detect_spikes(sweep.voltage, threshold=spike_threshold, dead_time=dead_time)
        voltage = sweep.voltage if kernel is None else _compensated(kernel, sweep.voltage, current)
        description = str(
            sweep.notes.get("stimulus_description") or sweep.notes.get("stimulus_type") or ""
        )
        return repeat_of(train, current, voltage, sweep.number, description)
    except DataError as error:
        raise DataError(
            f"{_where(source)}: {f'sweep {sweep.number}: ' if several else ''}{error}"
        ) from None


def _numbers_to_read(sweeps: SweepNumbers | None, test_sweeps: SweepNumbers) -> list[int] | None:
    """Numbers of the sweeps to read where training and test are in one file; None for all."""
    if sweeps is None:
        return None
    return [
        *sweep_numbers(sweeps),
        *([] if test_sweeps == REPEATED else sweep_numbers(test_sweeps)),
    ]


def _test_repeats(
    test: Source,
    numbers: SweepNumbers | None,
    repeats_of: Callable[[Source, SweepNumbers | None], list[Repeat]],
) -> list[Repeat]:
    """Sweeps of a test file: all, those with the numbers, or those that share one current."""
    if numbers != REPEATED:
        return repeats_of(test, numbers)
    repeats = repeats_of(test, None)
    shared = repeated_sweeps(repeats, _where(test))
    return [repeat for repeat in repeats if repeat.number in shared]


def _kernel_of_file(path: str | Path) -> ElectrodeKernel:
    """Response of the electrode from the first sweep of a file.

    Raises
    ------
    DataError
        If the recording cannot be used; the message names the file.
    """
    recording = Experiment.from_files(path).repeats[0]
    if len(recording.spike_times):
        raise DataError(
            f"{path}: the electrode recording holds {len(recording.spike_times)} spikes, expected "
            f"none."
        )
    try:
        (voltage, dt), (current, _) = sampled(recording, "voltage"), sampled(recording, "current")
        return electrode_kernel(voltage, current, dt)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _compensated(
    kernel: ElectrodeKernel, voltage: neo.AnalogSignal, current: neo.AnalogSignal
) -> neo.AnalogSignal:
    period = number_in(voltage.sampling_period, "s")
    if abs(period - kernel.dt) > 1e-9:
        raise DataError(
            f"The electrode recording is sampled every {kernel.dt:g} s, the recording every "
            f"{period:g} s."
        )
    volts, amperes = (
        signal.rescale(unit).magnitude[:, 0] for signal, unit in ((voltage, "V"), (current, "A"))
    )
    return voltage.duplicate_with_new_data(kernel.compensate(volts, amperes)[:, None], units="V")


def _one_per_train(
    signals: neo.AnalogSignal | Sequence[neo.AnalogSignal] | None, count: int, what: str
) -> list[neo.AnalogSignal] | list[None]:
    if signals is None:
        return [None] * count
    if isinstance(signals, neo.AnalogSignal):
        return [signals] * count
    signals = list(signals)
    if len(signals) != count:
        raise DataError(f"There are {len(signals)} {what} signals for {count} spike trains.")
    return signals
