"""Claims of papers beside what a study found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from neurocode.errors import DataError

VERDICTS = ("confirmed", "not confirmed", "depends", "not comparable")


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    claim, source : str
        In words, and where it is made.
    paper_value : str
        As printed; empty where unknown.
    our_mean, our_sd : float or None
        Over seeds.
    seeds : int
    verdict : {"confirmed", "not confirmed", "depends", "not comparable"}

    Raises
    ------
    DataError
        For another verdict.
    """

    claim: str
    source: str
    paper_value: str
    our_mean: float | None
    our_sd: float | None
    seeds: int
    verdict: str

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise DataError(f"'{self.verdict}' is no verdict; known are {', '.join(VERDICTS)}.")


def write_claims(folder: str | Path, claims: Sequence[Claim]) -> pd.DataFrame:
    """Write ``claims.csv`` of a study and return it.

    Examples
    --------
    >>> import tempfile
    >>> claim = Claim("it learns", "ours", "", 0.9, 0.01, 5, "confirmed")
    >>> write_claims(tempfile.mkdtemp(), [claim])["verdict"].item()
    'confirmed'
    """
    table = pd.DataFrame([asdict(claim) for claim in claims])
    Path(folder).mkdir(parents=True, exist_ok=True)
    table.to_csv(Path(folder) / "claims.csv", index=False, float_format="%.6g")
    return table
