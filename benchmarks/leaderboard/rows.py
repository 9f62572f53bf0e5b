"""One row of the leaderboard: ours beside a peer, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.timings import Timing

LOWER, HIGHER = "lower", "higher"
SAME_RUN, PUBLISHED, ALONE = "same run", "published", "no peer"


@dataclass(frozen=True)
class Row:
    """What was measured of one case.

    Attributes
    ----------
    case, measure, unit : str
        Such as ``"p=0.5 n=1e+06"``, ``"time"``, ``"s"``; no unit is empty.
    better : str
        ``"lower"`` or ``"higher"``.
    ours : float
    peer : str
        Empty where there is nobody to compare with.
    peer_value : float
    source : str
        Where the peer's value was published; empty for one that was measured in the same run.
    note : str
        What a reader has to know to read the ratio.

    Raises
    ------
    ValueError
        If ``better`` is another word, or a source stands without a peer.
    """

    case: str
    measure: str
    unit: str
    better: str
    ours: float
    peer: str = ""
    peer_value: float = math.nan
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.better not in (LOWER, HIGHER):
            raise ValueError(f"{self.case}: '{self.better}' is better, expected lower or higher.")
        if self.source and not self.peer:
            raise ValueError(f"{self.case}: a published value without the name of a peer.")

    @property
    def kind(self) -> str:
        """Whether the peer ran beside ours, was published, or is missing."""
        if not self.peer:
            return ALONE
        return PUBLISHED if self.source else SAME_RUN

    @property
    def ratio(self) -> float:
        """How many times better ours is: above one is better for us whichever way is better.

        NaN unless both values are positive: bits per spike, for example, may be negative, and then
        have no ratio.
        """
        if not (self.ours > 0 and self.peer_value > 0):
            return math.nan
        ratio = self.peer_value / self.ours
        return ratio if self.better == LOWER else 1 / ratio


def published(row: Row, peer: str, value: float, source: str, note: str = "") -> Row:
    """Our value of a row beside one that was published.

    Parameters
    ----------
    row : Row
    peer : str
    value : float
        In the unit of the row.
    source : str
        Paper, and where its value stands.
    note : str
        What differs between the two.
    """
    return Row(
        row.case, row.measure, row.unit, row.better, row.ours, peer, value, source, note or row.note
    )


def timing_rows(timings: Iterable[Timing]) -> list[Row]:
    """Rows of seconds, from what a timing script measured."""
    return [
        Row(
            timing.case,
            "time",
            "s",
            LOWER,
            timing.our_seconds,
            timing.peer,
            timing.peer_seconds,
            note=timing.note,
        )
        for timing in timings
    ]
