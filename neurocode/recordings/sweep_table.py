"""A recording as a table: one row per sweep, with its stimulus and its spikes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurocode.errors import DataError
from neurocode.frames import column
from neurocode.recordings.current_clamp import (
    ClampedSweep,
    Source,
    SweepNumbers,
    name_of,
    read_clamped_sweeps,
)
from neurocode.recordings.detection import DEAD_TIME_MS, THRESHOLD_MV, detect_spikes
from neurocode.recordings.repeat import Repeat
from neurocode.recordings.stimulus_kind import Stimulus, stimulus_of
from neurocode.units import LARGEST_CURRENT, number_in

#: Kind of a sweep whose file holds no current.
NOT_RECORDED = "not recorded"
PICOAMPERE, MEGAOHM = 1e-12, 1e6
#: Columns that a table has only if its file states their values.
STATED = ("sequence", "repetition", "bias_pA", "bridge_balance_MOhm")


def sweep_table(
    source: Source,
    *,
    sweeps: SweepNumbers | None = None,
    voltage_channel: str | int | None = None,
    current_channel: str | int | None = None,
    bias_current: str = "auto",
    t_start: object = None,
    t_stop: object = None,
    spike_threshold: float = THRESHOLD_MV,
    dead_time: float = DEAD_TIME_MS,
) -> pd.DataFrame:
    """Describe the sweeps of a file of current clamp.

    Parameters
    ----------
    source : path, or sequence of paths, or sequence of such sequences
    sweeps, voltage_channel, current_channel, bias_current
        See :func:`neurocode.recordings.current_clamp.read_clamped_sweeps`.
    t_start, t_stop : float or quantity, optional
        Part of each sweep that is described, in seconds from its start.
    spike_threshold, dead_time : float
        In mV and ms; see :func:`neurocode.recordings.detect_spikes`.

    Returns
    -------
    pandas.DataFrame
        Indexed by the number of the sweep: ``stimulus``
        (:func:`neurocode.recordings.stimulus_kind.stimulus_of`), ``amplitude_pA``,
        ``stimulus_start_s``, ``stimulus_duration_s``, ``rest_pA`` (the current before the
        stimulus), ``duration_s``, ``sampling_rate_Hz``, ``n_spikes``, ``rate_Hz``, ``description``
        (the name of the stimulus in the file), and if the file states them ``bias_pA``,
        ``bridge_balance_MOhm``, ``sequence`` and ``repetition``.

    Raises
    ------
    DataError
        If a sweep cannot be used; the message names the file and says what was expected.
    """
    chosen = {
        "sweeps": sweeps,
        "voltage_channel": voltage_channel,
        "current_channel": current_channel,
    }
    rows = []
    for sweep in read_clamped_sweeps(
        source, **chosen, bias_current=bias_current, current_needed=False
    ):
        try:
            repeat = _repeat(sweep, spike_threshold, dead_time).time_slice(t_start, t_stop)
        except DataError as error:
            raise DataError(f"{name_of(source)}: {error}") from None
        rows.append({"sweep": sweep.number, **sweep_row(repeat), **_stated(sweep)})
    table = pd.DataFrame(rows).set_index("sweep")
    return table.drop(columns=[name for name in STATED if column(table, name).isna().all()])


def _repeat(sweep: ClampedSweep, spike_threshold: float, dead_time: float) -> Repeat:
    """A sweep as arrays, with or without a current."""
    voltage, current = sweep.voltage, sweep.current
    train = detect_spikes(voltage, threshold=spike_threshold, dead_time=dead_time)
    dt, start = number_in(voltage.sampling_period, "s"), number_in(train.t_start, "s")
    description = str(
        sweep.notes.get("stimulus_description") or sweep.notes.get("stimulus_type") or ""
    )
    signals = (
        None if current is None else current.rescale("A").magnitude[:, 0],
        voltage.rescale("V").magnitude[:, 0],
    )
    return Repeat(
        train.magnitude - start,
        number_in(train.t_stop, "s") - start,
        *signals,
        dt,
        sweep.number,
        description,
    )


def _stated(sweep: ClampedSweep) -> dict[str, object]:
    """What a file states about the amplifier and about the place of a sweep among repeats."""
    stated: dict[str, object] = {key: sweep.notes.get(key) for key in ("sequence", "repetition")}
    for key, heading, unit in (
        ("bias_current", "bias_pA", PICOAMPERE),
        ("bridge_balance", "bridge_balance_MOhm", MEGAOHM),
    ):
        value = sweep.voltage.annotations.get(key)
        stated[heading] = None if value is None else float(value) / unit
    return stated


def sweep_row(repeat: Repeat) -> dict[str, object]:
    """One row of :func:`sweep_table`, from a sweep as arrays."""
    stimulus = _stimulus(repeat)
    return {
        "stimulus": stimulus.kind,
        "amplitude_pA": stimulus.amplitude / PICOAMPERE,
        "stimulus_start_s": stimulus.start,
        "stimulus_duration_s": stimulus.duration,
        "rest_pA": stimulus.rest / PICOAMPERE,
        "duration_s": repeat.duration,
        "sampling_rate_Hz": 1 / repeat.dt if repeat.dt else np.nan,
        "n_spikes": len(repeat.spike_times),
        "rate_Hz": len(repeat.spike_times) / repeat.duration if repeat.duration else np.nan,
        "description": repeat.description,
    }


def described_sweep(repeat: Repeat) -> str:
    """Description of a sweep in one line."""
    stimulus, n = _stimulus(repeat), len(repeat.spike_times)
    spikes = f"{n} {'spike' if n == 1 else 'spikes'} in {repeat.duration:g} s"
    amplitude = (
        f" of {stimulus.amplitude / PICOAMPERE:.4g} pA"
        if np.isfinite(stimulus.amplitude) and stimulus.amplitude
        else ""
    )
    when = (
        f" from {stimulus.start:g} to {stimulus.start + stimulus.duration:g} s"
        if np.isfinite(stimulus.start)
        else ""
    )
    kind = (
        "no stimulus"
        if stimulus.kind == "none"
        else f"stimulus {NOT_RECORDED}"
        if stimulus.kind == NOT_RECORDED
        else stimulus.kind
    )
    return f"sweep {repeat.number}: {kind}{amplitude}{when}, {spikes}"


def _stimulus(repeat: Repeat) -> Stimulus:
    """The stimulus of a sweep; only its kind and times where the current is not in a unit of
    ampere."""
    if repeat.current is None or repeat.dt is None:
        return Stimulus(NOT_RECORDED, np.nan, np.nan, np.nan, np.nan)
    largest = float(np.max(np.abs(repeat.current), initial=0.0))
    if largest <= LARGEST_CURRENT:
        return stimulus_of(repeat.current, repeat.dt)
    return stimulus_of(repeat.current * (LARGEST_CURRENT / largest), repeat.dt)._replace(
        amplitude=np.nan, rest=np.nan
    )
