"""Types of what is read of an NWB file.

pynwb makes the attributes and the arguments of its classes while it runs, so that no type checker
finds them; the attributes that are used here are stated instead.
"""

from __future__ import annotations

from typing import Any, Protocol

#: ``pynwb.NWBFile`` and ``hdmf.common.DynamicTable``.
File = Any
Table = Any


class Series(Protocol):
    """``pynwb.TimeSeries``."""

    name: str
    object_id: str
    data: Any
    unit: str
    conversion: float
    offset: float | None
    rate: float | None
    starting_time: float | None
    timestamps: Any
    description: str
    comments: str | None


class ClampSeries(Series, Protocol):
    """``pynwb.icephys.PatchClampSeries``."""

    electrode: Any
    sweep_number: Any


class Reference(Protocol):
    """``pynwb.base.TimeSeriesReference``: samples of a series."""

    idx_start: int
    count: int
    timeseries: Series
