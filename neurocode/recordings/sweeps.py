"""Pairing responses with stimuli in an NWB file by its tables or by sweep numbers, never by the
order of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.extras import Library
from neurocode.recordings.nwb_pairing import Part, by_sweep_number, by_table, named
from neurocode.recordings.nwb_samples import in_unit_of_series, stored_samples
from neurocode.recordings.nwb_signals import SETTINGS
from neurocode.recordings.nwb_timing import is_even, timing_of
from neurocode.recordings.nwb_types import ClampSeries, File, Series
from neurocode.recordings.plausible import is_unit, require_sampling
from neurocode.units import number_in

icephys, ecephys = Library("pynwb.icephys"), Library("pynwb.ecephys")

UNITS = {"volts": "V", "amperes": "A", "": "dimensionless"}
#: Factors to volt and ampere that correspond to prefixes: the stored numbers are kept in this unit.
PREFIXES = {"V": {1e-3: "mV", 1e-6: "uV"}, "A": {1e-3: "mA", 1e-6: "uA", 1e-9: "nA", 1e-12: "pA"}}
#: Descriptions without content.
SILENT = ("", "no description", "N/A", "NA", "none")


class Sweep(NamedTuple):
    """Signals that were recorded simultaneously.

    Attributes
    ----------
    signals : list of neo.AnalogSignal
        For each electrode its voltage and, where there is one, its current.
    notes : dict
        ``stimulus_description``, ``stimulus_type``, ``sequence`` and ``repetition`` as far as the
        file states them.
    """

    signals: list[neo.AnalogSignal]
    notes: dict[str, str | int]


class Sweeps(NamedTuple):
    """Sweeps by their numbers, and the numbers of those that were recorded in voltage clamp and
    left out."""

    sweeps: dict[int, Sweep]
    left_out: tuple[int, ...] = ()


def read_sweeps(path: Path, file: File, series: Sequence[Series]) -> Sweeps:
    """Signals of each sweep of a current-clamp recording.

    A response belongs to the stimulus in the same row of the table of intracellular recordings.
    Rows that the table of simultaneous recordings groups are one sweep, and the tables of
    sequential recordings and of repetitions state the type of its stimulus and its place among
    repeats. In a file without these tables, series with the same sweep number belong together. A
    sweep is identified by its sweep number, else by the id of its row. Series that no amplifier
    recorded form one sweep.

    Parameters
    ----------
    path : pathlib.Path
    file : pynwb.NWBFile
    series : sequence of pynwb.TimeSeries
        Series of the acquisition and the stimulus of the file.

    Raises
    ------
    DataError
        If all sweeps are in voltage clamp, times of samples are not even, or the file does not say
        which series belong together; the message names the series.
    """
    clamp = [entry for entry in series if _is_clamp(entry)]
    unclamped = [entry for entry in series if not _is_clamp(entry) and _is_sampled(path, entry)]
    if not clamp:
        return Sweeps({0: Sweep(_signals(path, unclamped), {})} if unclamped else {})
    _require_free_voltage(path, clamp)
    electrical = [
        entry
        for entry in unclamped
        if not isinstance(entry, ecephys.ElectricalSeries) and _dimension(entry.unit)
    ]
    if electrical:
        raise DataError(
            f"{path}: the file does not say which sweep {named(electrical)} belongs to."
        )
    table = file.intracellular_recordings
    by_number = (
        by_sweep_number(path, clamp)
        if table is None or not len(table)
        else by_table(path, file, clamp)
    )
    held = {
        number
        for number, (parts, _) in by_number.items()
        if any(_is_voltage_clamp(p.series) for p in parts)
    }
    if held == set(by_number):
        _refuse_voltage_clamp(path, clamp)
    sweeps = {
        number: _sweep(path, number, *sweep)
        for number, sweep in by_number.items()
        if number not in held
    }
    return Sweeps(sweeps, tuple(sorted(held)))


def signal_of_series(path: Path, part: Part) -> neo.AnalogSignal:
    """One series, or a part of it, as a signal of Neo.

    Raises
    ------
    DataError
        If times of samples are not even, the rate or the start is implausible, or values are not
        real numbers.
    """
    series, start, stop = part
    rate, begin = timing_of(path, series, start, stop)
    require_sampling(path, series.name, rate, begin)
    stored = stored_samples(path, series, start, stop)
    unit = UNITS.get(series.unit, series.unit)
    prefixed = PREFIXES.get(unit, {}).get(float(series.conversion)) if not series.offset else None
    if prefixed is not None:
        values, unit = (
            stored * np.float32(1.0) if stored.dtype == np.float32 else stored.astype(float),
            prefixed,
        )
    else:
        values = in_unit_of_series(stored, series)
    try:
        quantity = pq.Quantity(1.0, unit if is_unit(unit) else "dimensionless")
    except LookupError:
        quantity = pq.dimensionless
    name = series.description if series.description not in SILENT else series.name
    timing = {"sampling_rate": rate * pq.Hz, "t_start": begin * pq.s}
    return neo.AnalogSignal(values, units=quantity, name=name, **timing, **_settings(series))


def _settings(series: Series) -> dict[str, Any]:
    """Name of a series, its electrode, and what its amplifier was set to."""
    if not _is_clamp(series):
        return {"series": series.name}
    stated = {name: getattr(series, name, None) for name in SETTINGS}
    known = {
        name: float(value)
        for name, value in stated.items()
        if value is not None and np.isfinite(value)
    }
    return {"series": series.name, "electrode": _electrode(series), **known}


def _is_clamp(series: Series) -> TypeGuard[ClampSeries]:
    return isinstance(series, icephys.PatchClampSeries)


def _electrode(series: Series) -> str:
    electrode = getattr(series, "electrode", None)
    return "" if electrode is None else electrode.name


def note_of(series: Iterable[Series]) -> dict[str, str]:
    """Description of the stimulus of a sweep, taken from the last series that states one."""
    texts = [str(getattr(entry, "stimulus_description", "") or "") for entry in series]
    descriptions = [text for text in reversed(texts) if text not in SILENT]
    return {"stimulus_description": descriptions[0]} if descriptions else {}


def _dimension(unit: str) -> str:
    """``V`` or ``A`` for units of voltage and current, an empty text for other units."""
    text = UNITS.get(unit, unit)
    for dimension in ("V", "A"):
        try:
            pq.Quantity(1.0, text if is_unit(text) else "dimensionless").rescale(dimension)
        except (LookupError, ValueError):
            continue
        return dimension
    return ""


def _signals(path: Path, series: Sequence[Series]) -> list[neo.AnalogSignal]:
    """Signals of a file without series of an amplifier; a single voltage and a single current
    belong together."""
    for dimension, what in (("V", "voltages"), ("A", "currents")):
        same = [
            entry
            for entry in series
            if _dimension(entry.unit) == dimension
            and not isinstance(entry, ecephys.ElectricalSeries)
        ]
        if len(same) > 1:
            raise DataError(
                f"{path}: the file holds {len(same)} {what} ({named(same)}) and no sweep numbers "
                f"that pair them."
            )
    return [
        signal_of_series(path, Part.whole(entry)) for entry in series if len(entry.data.shape) <= 2
    ]


def _is_sampled(path: Path, series: Series) -> bool:
    """Whether a series is sampled at a rate or, for a voltage or current of a cell, at even times;
    other series hold events, behaviour or large arrays."""
    of_a_cell = bool(_dimension(series.unit)) and not isinstance(series, ecephys.ElectricalSeries)
    return is_even(path, series) if of_a_cell else series.rate is not None


def _is_voltage_clamp(series: Series) -> bool:
    return isinstance(series, (icephys.VoltageClampSeries, icephys.VoltageClampStimulusSeries))


def _require_free_voltage(path: Path, clamp: Sequence[ClampSeries]) -> None:
    if all(_is_voltage_clamp(entry) for entry in clamp):
        _refuse_voltage_clamp(path, clamp)


def _refuse_voltage_clamp(path: Path, clamp: Sequence[ClampSeries]) -> None:
    clamped = [entry for entry in clamp if _is_voltage_clamp(entry)]
    raise DataError(
        f"{path}: {named(clamped)} was recorded in voltage clamp, expected current clamp: its "
        f"cell did not spike freely."
    )


def _sweep(path: Path, number: int, parts: Sequence[Part], notes: dict[str, str | int]) -> Sweep:
    """A sweep of the voltage and current of each electrode, which must begin at the same time."""
    electrodes: dict[str, list[Part]] = {}
    for part in parts:
        electrodes.setdefault(_electrode(part.series), []).append(part)
    signals = [
        signal for of_one in electrodes.values() or [[]] for signal in _pair(path, number, of_one)
    ]
    return Sweep(signals, {**note_of(part.series for part in parts), **notes})


def _pair(path: Path, number: int, parts: Sequence[Part]) -> list[neo.AnalogSignal]:
    kinds = {"V": "voltage", "A": "current"}
    by_kind: dict[str, list[Part]] = {}
    for part in parts:
        by_kind.setdefault(_dimension(part.series.unit), []).append(part)
    for kind, same in by_kind.items():
        if len(same) > 1:
            what = kinds.get(kind, "unknown")
            raise DataError(
                f"{path}: sweep {number} holds {len(same)} {what} series "
                f"({named(p.series for p in same)}), expected one."
            )
    if "V" not in by_kind:
        raise DataError(
            f"{path}: sweep {number} holds {named(part.series for part in parts) or 'nothing'}, "
            f"expected a voltage."
        )
    signals = [
        signal_of_series(path, part) for kind in ("V", "A") for part in by_kind.get(kind, ())
    ]
    starts = [number_in(signal.t_start, "s") for signal in signals]
    if max(starts) - min(starts) > 0.5 / number_in(signals[0].sampling_rate, "Hz"):
        raise DataError(
            f"{path}: voltage and current of sweep {number} begin at {starts[0]:g} and "
            f"{starts[1]:g} s, expected together."
        )
    return signals
