"""Which response belongs to which stimulus in an NWB file: by its tables or by sweep numbers, never by the order of names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.extras import Library
from neurocode.recordings.plausible import is_unit, require_sampling
from neurocode.recordings.sizes import require_memory

if TYPE_CHECKING:
    import pynwb

icephys, ecephys = Library("pynwb.icephys"), Library("pynwb.ecephys")

UNITS = {"volts": "V", "amperes": "A", "": "dimensionless"}
#: How many names a message lists.
LISTED = 6


class Part(NamedTuple):
    """Samples ``start`` to ``stop`` of a series."""

    series: pynwb.TimeSeries
    start: int
    stop: int


def read_sweeps(path: Path, file: pynwb.NWBFile, series: Sequence[pynwb.TimeSeries]) -> dict[int, list[neo.AnalogSignal]]:
    """Signals of each sweep of a current-clamp recording.

    A response belongs to the stimulus that stands in the same row of the table of intracellular recordings or, where the file
    has no such table, to the one of the same sweep number. Series that no amplifier recorded form one sweep.

    Parameters
    ----------
    path : pathlib.Path
    file : pynwb.NWBFile
    series : sequence of pynwb.TimeSeries
        Of the file's acquisition and stimulus.

    Returns
    -------
    dict of int to list of neo.AnalogSignal
        For each sweep its voltage and, where there is one, its current.

    Raises
    ------
    DataError
        For voltage clamp, several electrodes, irregular sampling, or series of which the file does not say what belongs together;
        the message names them.
    """
    clamp = [entry for entry in series if isinstance(entry, icephys.PatchClampSeries)]
    others = [entry for entry in series if not isinstance(entry, icephys.PatchClampSeries) and entry.rate is not None]
    if not clamp:
        return {0: _signals(path, others)} if others else {}
    _require_one_current_clamped_cell(path, clamp)
    electrical = [entry for entry in others if not isinstance(entry, ecephys.ElectricalSeries) and _dimension(entry.unit)]
    if electrical:
        raise DataError(f"{path}: which sweep {_named(electrical)} belongs to is not said in the file.")
    table = file.intracellular_recordings
    sweeps = _by_number(path, clamp) if table is None or not len(table) else _by_table(path, table, clamp)
    return {number: _sweep(path, number, parts) for number, parts in sweeps.items()}


def signal_of_series(path: Path, part: Part) -> neo.AnalogSignal:
    """One series, or a part of it, as Neo holds it.

    Raises
    ------
    DataError
        For a sampling rate or a start that no recording has, or values that are no real numbers.
    """
    series, start, stop = part
    begin = float(series.starting_time or 0.0) + start / series.rate
    require_sampling(path, series.name, float(series.rate), begin)
    require_memory(path, (stop - start) * math.prod(series.data.shape[1:]) * np.dtype(float).itemsize, f"'{series.name}'")
    stored = np.asarray(series.data[start:stop])
    if stored.dtype.kind not in "biuf":
        raise DataError(f"{path}: '{series.name}' holds values of type {stored.dtype}, expected numbers.")
    unit = UNITS.get(series.unit, series.unit)
    try:
        quantity = pq.Quantity(1.0, unit if is_unit(unit) else "dimensionless")
    except LookupError:
        quantity = pq.dimensionless
    values = stored * series.conversion + (series.offset or 0.0)
    name = series.description if series.description not in ("", "no description") else series.name
    return neo.AnalogSignal(values, units=quantity, sampling_rate=series.rate * pq.Hz, t_start=begin * pq.s, name=name)


def _whole(series: pynwb.TimeSeries) -> Part:
    return Part(series, 0, len(series.data))


def _dimension(unit: str) -> str:
    """``V`` or ``A`` for units of voltage and current, nothing for others."""
    text = UNITS.get(unit, unit)
    for dimension in ("V", "A"):
        try:
            pq.Quantity(1.0, text if is_unit(text) else "dimensionless").rescale(dimension)
        except (LookupError, ValueError):
            continue
        return dimension
    return ""


def _signals(path: Path, series: Sequence[pynwb.TimeSeries]) -> list[neo.AnalogSignal]:
    """Series of a file without an amplifier's, of which one voltage and one current belong together."""
    for dimension, what in (("V", "voltages"), ("A", "currents")):
        same = [
            entry for entry in series if _dimension(entry.unit) == dimension and not isinstance(entry, ecephys.ElectricalSeries)
        ]
        if len(same) > 1:
            raise DataError(f"{path}: the file holds {len(same)} {what} ({_named(same)}) and no sweep numbers that pair them.")
    return [signal_of_series(path, _whole(entry)) for entry in series if len(entry.data.shape) <= 2]


def _require_one_current_clamped_cell(path: Path, clamp: Sequence[icephys.PatchClampSeries]) -> None:
    clamped = [entry for entry in clamp if isinstance(entry, (icephys.VoltageClampSeries, icephys.VoltageClampStimulusSeries))]
    if clamped:
        raise DataError(
            f"{path}: {_named(clamped)} was recorded in voltage clamp, expected current clamp: its cell did not spike freely."
        )
    irregular = [entry for entry in clamp if entry.rate is None]
    if irregular:
        raise DataError(f"{path}: {_named(irregular)} has a time for each sample, expected one sampling rate.")
    electrodes = sorted({entry.electrode.name for entry in clamp if entry.electrode is not None})
    if len(electrodes) > 1:
        raise DataError(f"{path}: the sweeps come from {len(electrodes)} electrodes ({', '.join(electrodes)}), expected one cell.")


def _by_number(path: Path, clamp: Sequence[icephys.PatchClampSeries]) -> dict[int, list[Part]]:
    """Series by their sweep number; a single voltage and a single current need none."""
    without = [entry for entry in clamp if entry.sweep_number is None]
    if without and len(without) == len(clamp):
        return {0: [_whole(entry) for entry in clamp]}
    if without:
        raise DataError(f"{path}: {_named(without)} has no sweep number, the other series have.")
    sweeps: dict[int, list[Part]] = {}
    for entry in clamp:
        sweeps.setdefault(int(entry.sweep_number), []).append(_whole(entry))
    return sweeps


def _by_table(path: Path, table: object, clamp: Sequence[icephys.PatchClampSeries]) -> dict[int, list[Part]]:
    """Parts of series by the rows of the table of intracellular recordings."""
    responses, stimuli = table.category_tables["responses"]["response"], table.category_tables["stimuli"]["stimulus"]
    sweeps = {
        row: [_referenced(path, row, entry) for entry in (responses[row], stimuli[row]) if (entry.count or 0) > 0]
        for row in range(len(table))
    }
    used = {part.series.name for parts in sweeps.values() for part in parts}
    left = [entry for entry in clamp if entry.name not in used]
    if left:
        raise DataError(f"{path}: {_named(left)} stands in no row of the table of intracellular recordings.")
    return sweeps


def _referenced(path: Path, row: int, reference: object) -> Part:
    start, stop, length = int(reference.idx_start), int(reference.idx_start + reference.count), len(reference.timeseries.data)
    if start < 0 or stop > length:
        raise DataError(
            f"{path}: row {row} of the table of intracellular recordings asks for samples {start} to {stop} of "
            f"'{reference.timeseries.name}', which has {length}."
        )
    return Part(reference.timeseries, start, stop)


def _sweep(path: Path, number: int, parts: Sequence[Part]) -> list[neo.AnalogSignal]:
    """Voltage and current of a sweep, which begin together."""
    kinds = {"V": "voltage", "A": "current"}
    by_kind: dict[str, list[Part]] = {}
    for part in parts:
        by_kind.setdefault(_dimension(part.series.unit), []).append(part)
    for kind, same in by_kind.items():
        if len(same) > 1:
            what = kinds.get(kind, "unknown")
            raise DataError(
                f"{path}: sweep {number} holds {len(same)} {what} series ({_named(p.series for p in same)}), expected one."
            )
    if "V" not in by_kind:
        raise DataError(f"{path}: sweep {number} holds {_named(part.series for part in parts) or 'nothing'}, expected a voltage.")
    signals = [signal_of_series(path, part) for kind in ("V", "A") for part in by_kind.get(kind, ())]
    starts = [float(signal.t_start) for signal in signals]
    if max(starts) - min(starts) > 0.5 / float(signals[0].sampling_rate):
        raise DataError(
            f"{path}: voltage and current of sweep {number} begin at {starts[0]:g} and {starts[1]:g} s, expected together."
        )
    return signals


def _named(series: Iterable[pynwb.TimeSeries]) -> str:
    names = [entry.name for entry in series]
    return ", ".join(f"'{name}'" for name in names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
