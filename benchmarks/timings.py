"""What timing scripts share: their options, which peers there are, and the lines they end with."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable
from typing import NamedTuple

from benchmarks.peers import installed, what_is_missing

COLUMNS = ("benchmark", "case", "peer", "peer_seconds", "our_seconds", "ratio")


class Timing(NamedTuple):
    """Seconds of a peer and ours for the same work, medians of one run.

    Attributes
    ----------
    case, peer : str
    peer_seconds, our_seconds : float
    note : str
        What a reader has to know of the ratio.
    """

    case: str
    peer: str
    peer_seconds: float
    our_seconds: float
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.peer_seconds / self.our_seconds


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Parser of a script, described by its docstring, with ``--csv``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", action="store_true", help=f"end with {','.join(COLUMNS)}")
    return parser


def present(peers: Iterable[str]) -> list[str]:
    """Those peers whose library is installed; the others are said."""
    peers = list(peers)
    for sentence in what_is_missing(peers):
        print(sentence)
    return installed(peers)


def print_csv(benchmark: str, timings: Iterable[Timing]) -> None:
    """Print the header and one line per timing."""
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(COLUMNS)
    for timing in timings:
        seconds = (timing.peer_seconds, timing.our_seconds, timing.ratio)
        lines.writerow((benchmark, timing.case, timing.peer, *(f"{x:.4g}" for x in seconds)))
