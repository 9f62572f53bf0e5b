"""Reading current-clamp sweeps from files of any format, with a choice of sweeps and channels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings.channels import PASS_BOTH, channel_of, channels_of, numbers_of
from neurocode.recordings.files import read
from neurocode.recordings.stimulus_kind import REST
from neurocode.units import number_in

#: A file, files that were recorded at once, or several of these whose sweeps follow each other.
Source = str | Path | Sequence["str | Path | Sequence[str | Path]"]
#: Numbers of sweeps as text, or as numbers.
SweepNumbers = str | int | Iterable[int]
RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
#: The most sweeps that one range may name.
MOST_SWEEPS = 100_000
#: Choices for a bias current; and how near to zero or to the bias, as a share of the bias, a
#: stimulus must begin for ``auto`` to decide.
BIAS_CHOICES, NEAR = ("auto", "add", "ignore"), 0.1


class ClampedSweep(NamedTuple):
    """One sweep of one cell.

    Attributes
    ----------
    number : int
        As the file numbers its sweeps: sweep numbers of NWB, else the order, from 0.
    voltage : neo.AnalogSignal
    current : neo.AnalogSignal or None
        None where the file has none.
    notes : dict
        What the file states about the stimulus; see
        :func:`neurocode.recordings.sweeps.read_sweeps`.
    """

    number: int
    voltage: neo.AnalogSignal
    current: neo.AnalogSignal | None
    notes: dict[str, Any]


def read_clamped_sweeps(
    source: Source,
    *,
    sweeps: SweepNumbers | None = None,
    voltage_channel: str | int | None = None,
    current_channel: str | int | None = None,
    bias_current: str = "auto",
    current_needed: bool = True,
) -> list[ClampedSweep]:
    """Read the sweeps of a cell with one voltage and one current each.

    Parameters
    ----------
    source : path, or sequence of paths, or sequence of such sequences
        Files in a pair (``("v.ibw", "i.ibw")``) were recorded simultaneously, for example one
        channel per file, in any order; a sequence of such pairs holds successive sweeps.
    sweeps : str, int or iterable of int, optional
        Numbers such as ``"3,5,7-12"``; all sweeps by default.
    voltage_channel, current_channel : str or int, optional
        See :func:`neurocode.recordings.channels.channel_of`. Sweeps without a voltage of that name
        are left out.
    bias_current : {"auto", "add", "ignore"}
        Treatment of the bias (holding) current of the amplifier that an NWB file states. It flows
        in addition to a stimulus that holds the command alone. ``auto`` adds it where the stimulus
        begins at zero to within 10 % of the bias, takes it as included where the stimulus begins at
        the bias to within 10 %, and otherwise refuses the sweep.
    current_needed : bool
        Whether a sweep without a current is refused.

    Raises
    ------
    DataError
        If sweeps or channels cannot be chosen; the message names the file and those that it has.
    """
    if bias_current not in BIAS_CHOICES:
        raise DataError(
            f"bias_current is {bias_current!r}, expected one of {', '.join(BIAS_CHOICES)}."
        )
    where, segments, held = _segments(source)
    numbered = dict(zip(numbers_of(segments), segments, strict=True))
    if sweeps is not None:
        numbered = {
            number: numbered[number]
            for number in chosen_numbers(sweeps, list(numbered), where, held)
        }
    elif isinstance(voltage_channel, str):
        numbered = {
            n: segment for n, segment in numbered.items() if _has(segment, voltage_channel)
        } or numbered
    voltages = {
        number: channel_of(segment, "voltage", where, voltage_channel)
        for number, segment in numbered.items()
    }
    _require_one_electrode(voltages.values(), where)
    chosen = []
    for number, segment in numbered.items():
        voltage, current = voltages[number], None
        if current_needed or channels_of(segment, "current"):
            current = channel_of(
                segment, "current", where, current_channel, electrode=_electrode(voltage)
            )
            bias = float(voltage.annotations.get("bias_current") or 0.0)
            current = _with_bias(current, bias, bias_current, f"{where}: sweep {number}")
        chosen.append(ClampedSweep(number, voltage, current, dict(segment.annotations)))
    return chosen


def sweep_numbers(numbers: SweepNumbers) -> list[int]:
    """Numbers of sweeps from text with commas and ranges, or from numbers; repeats are dropped.

    Raises
    ------
    DataError
        If the numbers or the text have another form.

    Examples
    --------
    >>> sweep_numbers("3,5,7-9"), sweep_numbers([4, 2])
    ([3, 5, 7, 8, 9], [4, 2])
    """
    if isinstance(numbers, str):
        listed = [number for part in numbers.split(",") for number in _range(part.strip(), numbers)]
    else:
        listed = [numbers] if isinstance(numbers, (int, np.integer)) else list(numbers)
    for number in listed:
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool):
            raise DataError(
                f"A sweep is numbered {number!r}, expected whole numbers or text such as "
                f"'3,5,7-12'."
            )
    if not listed:
        raise DataError("No sweep is asked for, expected numbers or text such as '3,5,7-12'.")
    return [int(number) for number in dict.fromkeys(listed)]


def chosen_numbers(
    numbers: SweepNumbers, there: Sequence[int], where: str = "", held: Sequence[int] = ()
) -> list[int]:
    """Numbers of chosen sweeps, checked against the sweeps of a recording.

    Parameters
    ----------
    numbers : str, int or iterable of int
    there : sequence of int
        Numbers of all sweeps of the recording.
    where : str
        Name of the file, used in the message.
    held : sequence of int
        Numbers of sweeps that were left out for voltage clamp.

    Raises
    ------
    DataError
        If the recording lacks a chosen sweep; the message lists the sweeps that it has.
    """
    chosen, begin = sweep_numbers(numbers), f"{where}: there" if where else "There"
    for number in chosen:
        if number in held:
            raise DataError(
                f"{where}: sweep {number} was recorded in voltage clamp, expected current clamp."
            )
        if number not in there:
            raise DataError(f"{begin} is no sweep {number}; there are {ranges(there)}.")
    return chosen


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as text, with consecutive ones joined into ranges.

    Examples
    --------
    >>> ranges([1, 2, 3, 7, 9, 8])
    '1-3, 7-9'
    """
    ordered = sorted(numbers)
    breaks = [k for k in range(1, len(ordered)) if ordered[k] > ordered[k - 1] + 1]
    parts = [
        ordered[begin:end] for begin, end in zip([0, *breaks], [*breaks, len(ordered)], strict=True)
    ]
    return ", ".join(
        f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts if part
    )


def name_of(source: Source) -> str:
    """Name of a recording: of its file, or of the first of its files, without the ending.

    Raises
    ------
    DataError
        If there is no file.
    """
    if not isinstance(source, Path) and not len(source):
        raise DataError("No file is given, expected a recording.")
    return Path(source).stem if isinstance(source, (str, Path)) else name_of(source[0])


def _range(part: str, text: str) -> range:
    match = RANGE.fullmatch(part)
    if match is None:
        raise DataError(
            f"'{text}' names no sweeps, expected numbers and ranges such as '3,5,7-12'."
        )
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    if not 0 <= last - first < MOST_SWEEPS:
        raise DataError(
            f"'{part}' is not a range of sweeps, expected the lower number first and at most "
            f"{MOST_SWEEPS} sweeps."
        )
    return range(first, last + 1)


def _segments(source: Source) -> tuple[str, list[neo.Segment], list[int]]:
    """Name of a source in messages, its segments with signals, and the numbers of those that were
    voltage-clamped."""
    if isinstance(source, (str, Path)):
        block = read(source)
        return (
            str(source),
            [s for s in block.segments if s.analogsignals] or block.segments,
            block.annotations.get("voltage_clamp", []),
        )
    name = name_of(source)
    files = [entry for entry in source if isinstance(entry, (str, Path))]
    if len(files) == len(source):
        return _merged(files)
    if files:
        raise DataError(
            f"{name}: files and groups of files are mixed; {PASS_BOTH}, or a list of such pairs."
        )
    parts = [_segments(entry) for entry in source]
    segments = [segment for _, of_one, _ in parts for segment in of_one]
    for number, segment in enumerate(segments):
        segment.index = number
    return parts[0][0], segments, []


def _merged(paths: Sequence[str | Path]) -> tuple[str, list[neo.Segment], list[int]]:
    """Sweeps of files that were recorded simultaneously, each with the channels of all files."""
    parts = [_segments(path)[1] for path in paths]
    where, counts = " and ".join(str(path) for path in paths), sorted({len(part) for part in parts})
    if len(counts) > 1:
        raise DataError(
            f"{where}: the files hold {counts[0]} to {counts[-1]} sweeps, expected the same number "
            f"in each."
        )
    merged = []
    for number, together in enumerate(zip(*parts, strict=True)):
        segment = neo.Segment(index=number)
        for part in together:
            segment.analogsignals.extend(part.analogsignals)
            segment.annotate(
                **{
                    key: value
                    for key, value in part.annotations.items()
                    if key != "missing_channel"
                }
            )
        merged.append(segment)
    return where, merged, []


def _electrode(signal: neo.AnalogSignal) -> str:
    return str(signal.annotations.get("electrode", ""))


def _require_one_electrode(voltages: Iterable[neo.AnalogSignal], where: str) -> None:
    electrodes = sorted({_electrode(voltage) for voltage in voltages})
    if len(electrodes) > 1:
        raise DataError(
            f"{where}: the sweeps come from {len(electrodes)} electrodes "
            f"({', '.join(electrodes)}), expected one cell; choose it by voltage_channel."
        )


def _has(segment: neo.Segment, name: str) -> bool:
    return any(name in channel.names for channel in channels_of(segment, "voltage"))


def _with_bias(current: neo.AnalogSignal, bias: float, choice: str, where: str) -> neo.AnalogSignal:
    """A current with the bias of the amplifier added, where the stimulus is the command alone."""
    if not bias or choice == "ignore":
        return current
    n = max(1, round(REST * number_in(current.sampling_rate, "Hz")))
    rest = float(np.median(current[:n].rescale("A").magnitude))
    if choice == "add" or abs(rest) <= NEAR * abs(bias):
        return current + bias * pq.A
    if abs(rest - bias) <= NEAR * abs(bias):
        return current
    raise DataError(
        f"{where} states a bias current of {bias * 1e12:.4g} pA and its stimulus begins at "
        f"{rest * 1e12:.4g} pA, which does not say whether the stimulus holds the bias; say so by "
        f"bias_current='add' or 'ignore'."
    )
