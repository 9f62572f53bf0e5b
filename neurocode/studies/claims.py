"""Claims of papers beside what a study found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from neurocode.errors import DataError

VERDICTS = (
    "confirmed",
    "refuted",
    "undecided",
    "not confirmed",
    "depends",
    "not comparable",
    "void",
)
#: Beside the tables of a study, claims whose measurement was found to be wrong, with the reason,
#: until they are made again.
WITHDRAWN = "withdrawn.csv"


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
    verdict : {"confirmed", "refuted", "undecided", "not confirmed", "depends", "not comparable",
    "void"}
        ``"void"`` where the measurement was wrong; such a claim has no numbers.
    dataset : str
        Of a paired comparison (:func:`neurocode.studies.judge_family`), as all that follows.
    low, high : float or None
        95 % interval of the mean.
    p : float or None
        Probability of the verdict's direction, corrected for the number of comparisons.
    needed : int or None
        Pairs that would decide an undecided comparison.
    untrained : int
        Pairs left out because one of their arms did not train.

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
    dataset: str = ""
    low: float | None = None
    high: float | None = None
    p: float | None = None
    needed: int | None = None
    untrained: int = 0

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise DataError(f"'{self.verdict}' is no verdict; known are {', '.join(VERDICTS)}.")


def verdict_of(holds: bool) -> str:
    """The verdict of a claim that holds or does not."""
    return "confirmed" if holds else "not confirmed"


def mean_interval(values: np.ndarray | pd.Series) -> tuple[float, float]:
    """95 % t interval of a mean over seeds.

    Parameters
    ----------
    values : numpy.ndarray or pandas.Series
        By seed.

    Returns
    -------
    (float, float)
        NaN for fewer than two values, which have no spread.

    Examples
    --------
    >>> low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    >>> round(low, 2), round(high, 2)
    (-0.48, 4.48)
    """
    values = np.asarray(values, float)
    if len(values) < 2:
        return float("nan"), float("nan")
    half = stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def interval_claim(text: str, source: str, values: np.ndarray | pd.Series, bound: float) -> Claim:
    """A claim that a mean over seeds lies above a bound.

    It is confirmed if the whole 95 % interval does, not confirmed if none of it does, and depends
    if the bound lies inside; a single seed settles nothing.

    Parameters
    ----------
    text, source : str
        In words with the statistic, and where it is made.
    values : numpy.ndarray or pandas.Series
        By seed.
    bound : float

    Returns
    -------
    Claim

    Examples
    --------
    >>> interval_claim("it gains", "ours", np.array([0.1, 0.12, 0.11]), 0.0).verdict
    'confirmed'
    """
    values = np.asarray(values, float)
    if len(values) < 2:
        return Claim(text, source, "", float(np.mean(values)), None, len(values), "not comparable")
    low, high = mean_interval(values)
    verdict = "depends" if low <= bound < high else verdict_of(low > bound)
    text += f" [95 % interval {low:.3g} to {high:.3g}]"
    return Claim(
        text, source, "", float(values.mean()), float(values.std(ddof=1)), len(values), verdict
    )


def absent_claim(text: str, source: str, paper_value: str) -> Claim:
    """A claim on data that are not here."""
    return Claim(f"{text} (data absent)", source, paper_value, None, None, 0, "not comparable")


def with_withdrawn(claims: Sequence[Claim], folder: str | Path) -> list[Claim]:
    """Claims with those that were withdrawn in their place, void and without numbers.

    Parameters
    ----------
    claims : sequence of Claim
    folder : path
        Of the tables of the study; its ``withdrawn.csv`` lists ``claim, source, paper_value,
        reason``. A claim that begins with a text in this list is left out. Without such a file
        nothing is withdrawn.

    Returns
    -------
    list of Claim
        Those that stand, then the void ones.

    Raises
    ------
    DataError
        If the list has other columns.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "withdrawn.csv").write_text("claim,source,paper_value,reason\\nit learns,ours,,measured on one class")
    >>> with_withdrawn([Claim("it learns (score)", "ours", "", 0.9, 0.01, 5, "confirmed")], folder)[0].verdict
    'void'
    """
    path = Path(folder) / WITHDRAWN
    if not path.exists():
        return list(claims)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(table.columns) != ["claim", "source", "paper_value", "reason"]:
        raise DataError(
            f"{path}: expected the columns claim, source, paper_value, reason, found "
            f"{', '.join(table.columns)}."
        )
    standing = [claim for claim in claims if not claim.claim.startswith(tuple(table["claim"]))]
    void = [
        Claim(
            f"{row.claim} [void: {row.reason}]", row.source, row.paper_value, None, None, 0, "void"
        )
        for row in table.itertuples(index=False)
    ]
    return [*standing, *void]


def write_claims(folder: str | Path, claims: Sequence[Claim]) -> pd.DataFrame:
    """Write ``claims.csv`` of a study and return it; the columns of paired comparisons only where
    there are any.

    Examples
    --------
    >>> import tempfile
    >>> claim = Claim("it learns", "ours", "", 0.9, 0.01, 5, "confirmed")
    >>> write_claims(tempfile.mkdtemp(), [claim])["verdict"].item()
    'confirmed'
    """
    names = [field.name for field in fields(Claim)]
    if not any(claim.dataset for claim in claims):
        names = names[: names.index("dataset")]
    table = pd.DataFrame([asdict(claim) for claim in claims], columns=names)
    if "needed" in table:
        table["needed"] = table["needed"].astype("Int64")
    Path(folder).mkdir(parents=True, exist_ok=True)
    table.to_csv(Path(folder) / "claims.csv", index=False, float_format="%.6g")
    return table
