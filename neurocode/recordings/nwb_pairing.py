"""Finding the series of an NWB file that were recorded simultaneously, by its intracellular tables
or by sweep numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.nwb_types import ClampSeries, File, Reference, Series, Table

#: Number of names that a message lists.
LISTED = 6


class Part(NamedTuple):
    """Samples ``start`` to ``stop`` of a series."""

    series: Series
    start: int
    stop: int

    @classmethod
    def whole(cls, series: Series) -> Part:
        """All samples of a series."""
        return cls(series, 0, len(series.data))


class Together(NamedTuple):
    """Parts of series that were recorded simultaneously, and what tables of the file state about
    them."""

    parts: list[Part]
    notes: dict[str, str | int]


def by_sweep_number(path: Path, clamp: Sequence[ClampSeries]) -> dict[int, Together]:
    """Series by their sweep number; a single voltage and a single current need none.

    Raises
    ------
    DataError
        If some series have a sweep number and others have none.
    """
    without = [entry for entry in clamp if entry.sweep_number is None]
    if without and len(without) == len(clamp):
        return {0: Together([Part.whole(entry) for entry in clamp], {})}
    if without:
        raise DataError(
            f"{path}: {named(without)} has no sweep number, but the other series have one."
        )
    sweeps: dict[int, Together] = {}
    for entry in clamp:
        sweeps.setdefault(int(entry.sweep_number), Together([], {})).parts.append(Part.whole(entry))
    return sweeps


def by_table(path: Path, file: File, clamp: Sequence[ClampSeries]) -> dict[int, Together]:
    """Parts of series by the rows of the table of intracellular recordings and the tables that
    group these rows.

    Raises
    ------
    DataError
        If a series is in no row, a row refers to samples that do not exist, or groups of rows
        overlap or refer to rows that do not exist.
    """
    table = file.intracellular_recordings
    responses, stimuli = (
        table.category_tables["responses"]["response"],
        table.category_tables["stimuli"]["stimulus"],
    )
    rows = [
        [
            _referenced(path, row, entry)
            for entry in (responses[row], stimuli[row])
            if (entry.count or 0) > 0
        ]
        for row in range(len(table))
    ]
    used = {part.series.object_id for parts in rows for part in parts}
    left = [entry for entry in clamp if entry.object_id not in used]
    if left:
        raise DataError(
            f"{path}: {named(left)} is in no row of the table of intracellular recordings."
        )
    groups, ids = _simultaneous(path, file, len(rows))
    together = [[part for row in group for part in rows[row]] for group in groups]
    numbers, notes = _numbers(together, ids), _places(path, file, len(groups))
    return {
        number: Together(parts, note)
        for number, parts, note in zip(numbers, together, notes, strict=True)
    }


def named(series: Iterable[Series]) -> str:
    """Names of series, the first few of many."""
    names = [entry.name for entry in series]
    return ", ".join(f"'{name}'" for name in names[:LISTED]) + (
        f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    )


def _referenced(path: Path, row: int, reference: Reference) -> Part:
    start, stop, length = (
        int(reference.idx_start),
        int(reference.idx_start + reference.count),
        len(reference.timeseries.data),
    )
    if start < 0 or stop > length:
        raise DataError(
            f"{path}: row {row} of the table of intracellular recordings refers to samples {start} "
            f"to {stop} of '{reference.timeseries.name}', which has {length}."
        )
    return Part(reference.timeseries, start, stop)


def _simultaneous(path: Path, file: File, n_rows: int) -> tuple[list[list[int]], list[int]]:
    """Groups of rows that were recorded simultaneously, and the ids of the groups; without such a
    table each row is a group."""
    table = file.icephys_simultaneous_recordings
    if table is None or not len(table):
        return [[row] for row in range(n_rows)], [
            int(number) for number in file.intracellular_recordings.id[:]
        ]
    groups = _groups(path, table, "recordings", n_rows, "simultaneous recordings")
    missing = sorted(set(range(n_rows)) - {row for group in groups for row in group})
    if missing:
        raise DataError(
            f"{path}: row {missing[0]} of the intracellular recordings is in no row of the "
            f"simultaneous recordings."
        )
    return groups, [int(number) for number in table.id[:]]


def _groups(path: Path, table: Table, column: str, n_rows: int, what: str) -> list[list[int]]:
    """For each row of a table, the rows of the next lower table that it groups."""
    index = table[column]
    ends, flat = np.asarray(index.data[:], int), np.asarray(index.target.data[:], int)
    wrong = [
        row for row, count in Counter(flat.tolist()).items() if count > 1 or not 0 <= row < n_rows
    ]
    if wrong:
        raise DataError(
            f"{path}: the table of {what} refers to row {wrong[0]} twice, or there is no such row."
        )
    return [part.tolist() for part in np.split(flat, ends[:-1])]


def _numbers(together: Sequence[Sequence[Part]], ids: Sequence[int]) -> list[int]:
    """Sweep numbers of the series where each sweep has a distinct one, else ids, else the order."""
    stated = [{getattr(part.series, "sweep_number", None) for part in parts} for parts in together]
    numbers = [
        int(number)
        for of_one in stated
        if len(of_one) == 1
        for number in of_one
        if number is not None
    ]
    for candidates in (numbers, list(ids)):
        if len(candidates) == len(set(candidates)) == len(together):
            return candidates
    return list(range(len(together)))


def _places(path: Path, file: File, n_sweeps: int) -> list[dict[str, str | int]]:
    """Stimulus type, sequence and repetition of each sweep, where the file has these tables."""
    notes: list[dict[str, str | int]] = [{} for _ in range(n_sweeps)]
    sequences = file.icephys_sequential_recordings
    if sequences is None or not len(sequences):
        return notes
    of_sequence = _groups(
        path, sequences, "simultaneous_recordings", n_sweeps, "sequential recordings"
    )
    repetition = _repetitions(path, file, len(of_sequence))
    for number, sweeps in enumerate(of_sequence):
        note = {
            "stimulus_type": str(sequences["stimulus_type"][number]),
            "sequence": int(sequences.id[number]),
        }
        for sweep in sweeps:
            notes[sweep].update(note, **repetition.get(number, {}))
    return notes


def _repetitions(path: Path, file: File, n_sequences: int) -> Mapping[int, dict[str, int]]:
    table = file.icephys_repetitions
    if table is None or not len(table):
        return {}
    groups = _groups(path, table, "sequential_recordings", n_sequences, "repetitions")
    return {
        sequence: {"repetition": int(table.id[row])}
        for row, group in enumerate(groups)
        for sequence in group
    }
