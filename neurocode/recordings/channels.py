"""The voltage and the current of a sweep among its channels, by their units or as chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import neo
import quantities as pq

from neurocode.errors import DataError
from neurocode.units import is_whole

#: Dimension of each kind of channel.
UNITS = {"voltage": "V", "current": "A"}
PASS_BOTH = "pass the files of both channels together, as (voltage file, current file)"


class Channel(NamedTuple):
    """One channel of a sweep.

    Attributes
    ----------
    names : tuple of str
        Names that select the channel: its own, that of its series, and that of its electrode.
    signal : neo.AnalogSignal
        One column.
    """

    names: tuple[str, ...]
    signal: neo.AnalogSignal


def numbers_of(segments: Sequence[neo.Segment]) -> list[int]:
    """Numbers of segments: the stated ones where every segment has a distinct one, else the order.

    Examples
    --------
    >>> numbers_of([neo.Segment(index=7), neo.Segment(index=2)])
    [7, 2]
    >>> numbers_of([neo.Segment(), neo.Segment(index=2)])
    [0, 1]
    """
    stated = [segment.index for segment in segments]
    numbers = [int(number) for number in stated if is_whole(number, 0)]
    if len(set(numbers)) == len(stated):
        return numbers
    return list(range(len(segments)))


def channels_of(segment: neo.Segment, what: str) -> list[Channel]:
    """All channels of a sweep that measure a voltage, or a current, in their order.

    Parameters
    ----------
    segment : neo.Segment
    what : {"voltage", "current"}
    """
    return [
        channel
        for signal in segment.analogsignals
        if _measures(signal, UNITS[what])
        for channel in _columns(signal)
    ]


def channel_of(
    segment: neo.Segment,
    what: str,
    where: str,
    choice: str | int | None = None,
    *,
    electrode: str = "",
) -> neo.AnalogSignal:
    """The one voltage or current of a sweep, or the one chosen among several.

    Parameters
    ----------
    segment : neo.Segment
    what : {"voltage", "current"}
    where : str
        Name of the file, used in the message.
    choice : str or int, optional
        A name of the channel, of its series or of its electrode, or its number among the voltages
        (currents), from 0.
    electrode : str
        Electrode to which the channel belongs, used where there are several channels and no
        choice.

    Returns
    -------
    neo.AnalogSignal
        One column.

    Raises
    ------
    DataError
        If there is no such channel, or more than one; the message lists the channels of the file.
    """
    channels = channels_of(segment, what)
    if not channels:
        listing = (
            ", ".join(
                f"{s.name or 'unnamed'} in {s.units.dimensionality.string}"
                for s in segment.analogsignals
            )
            or "none"
        )
        reason = segment.annotations.get("missing_channel", "")
        raise DataError(
            f"{where}: there is no {what} channel (in a unit of {UNITS[what]}); channels found: "
            f"{listing}" + (f"; {reason}." if reason else ".")
        )
    if choice is not None:
        return _chosen(channels, what, where, choice)
    if len(channels) > 1 and electrode:
        channels = [channel for channel in channels if electrode in channel.names] or channels
    if len(channels) > 1:
        raise DataError(
            f"{where}: there are {len(channels)} {what} channels (in a unit of {UNITS[what]}), "
            f"expected one; choose by {what}_channel among {_listed(channels)}."
        )
    return channels[0].signal


def _chosen(channels: list[Channel], what: str, where: str, choice: str | int) -> neo.AnalogSignal:
    named = (
        [channel for channel in channels if str(choice) in channel.names]
        if isinstance(choice, str)
        else []
    )
    number = int(choice) if str(choice).isdecimal() else -1
    if not named and 0 <= number < len(channels):
        named = [channels[number]]
    if len(named) != 1:
        how_many = f"{len(named)} {what} channels are" if named else f"no {what} channel is"
        raise DataError(f"{where}: {how_many} called '{choice}'; there are {_listed(channels)}.")
    return named[0].signal


def _listed(channels: list[Channel]) -> str:
    return ", ".join(
        f"{number}: {' or '.join(map(repr, channel.names)) or 'unnamed'} in "
        f"{channel.signal.dimensionality.string}"
        for number, channel in enumerate(channels)
    )


def _columns(signal: neo.AnalogSignal) -> list[Channel]:
    """The columns of a signal as channels; Neo reads channels with the same unit as columns of one
    signal and keeps their names in its array annotations."""
    n = signal.shape[1]
    channel_names = [str(name) for name in signal.array_annotations.get("channel_names", ())]
    shared = [signal.name or ""] if n == 1 and not channel_names else []
    shared += [str(signal.annotations.get(key, "")) for key in ("series", "electrode")]
    columns = [signal] if n == 1 else [signal[:, k : k + 1] for k in range(n)]
    names = [channel_names[k : k + 1] for k in range(n)]
    return [
        Channel(tuple(dict.fromkeys(name for name in [*names[k], *shared] if name)), column)
        for k, column in enumerate(columns)
    ]


def _measures(signal: neo.AnalogSignal, unit: str) -> bool:
    try:
        signal.units.rescale(pq.Quantity(1.0, unit).units)
    except ValueError:
        return False
    return True
