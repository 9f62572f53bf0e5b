"""Claims of papers, and what a study found about them."""

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
#: File among the tables of a study that lists claims whose measurement was wrong, with the reason,
#: until they are measured again.
WITHDRAWN = "withdrawn.csv"


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    claim, source : str
        The claim in words, and where it is made.
    paper_value : str
        Value as printed; empty where unknown.
    our_mean, our_sd : float or None
        Mean and standard deviation over seeds.
    seeds : int
    verdict : {"confirmed", "refuted", "undecided", "not confirmed", "depends", "not comparable",
    "void"}
        ``"void"`` where the measurement was wrong; such a claim has no numbers.
    dataset : str
        Data set of a paired comparison (:func:`neurocode.studies.judge_family`). This and the
        following attributes are set for paired comparisons only.
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
        If the verdict is none of these.
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
            raise DataError(f"'{self.verdict}' is not a verdict; known are {', '.join(VERDICTS)}.")


def verdict_of(holds: bool) -> str:
    """The verdict of a claim that holds or does not."""
    return "confirmed" if holds else "not confirmed"


def mean_interval(values: np.ndarray | pd.Series) -> tuple[float, float]:
    """95 % t interval of a mean over seeds.

    Parameters
    ----------
    values : numpy.ndarray or pandas.Series
        One value per seed.

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

    It is "confirmed" if the whole 95 % interval lies above the bound, "not confirmed" if no part of
    it does, "depends" if the bound lies inside, and "not comparable" for a single seed.

    Parameters
    ----------
    text, source : str
        The claim in words with its statistic, and where it is made.
    values : numpy.ndarray or pandas.Series
        One value per seed.
    bound : float

    Returns
    -------
    Claim

    Examples
    --------
    >>> interval_claim("it gains", "this study", np.array([0.1, 0.12, 0.11]), 0.0).verdict
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
    """Return a claim about data that are not available."""
    return Claim(f"{text} (data absent)", source, paper_value, None, None, 0, "not comparable")


def with_withdrawn(claims: Sequence[Claim], folder: str | Path) -> list[Claim]:
    """Replace withdrawn claims by void ones without numbers.

    Parameters
    ----------
    claims : sequence of Claim
    folder : path
        Folder of the tables of the study; its ``withdrawn.csv`` has the columns ``claim``,
        ``source``, ``paper_value`` and ``reason``. A claim that begins with the text of one in this
        list is replaced. Without such a file, no claim is withdrawn.

    Returns
    -------
    list of Claim
        The claims that were not withdrawn, then the void ones.

    Raises
    ------
    DataError
        If the list has other columns.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = "claim,source,paper_value,reason\\nit learns,this study,,measured on one class"
    >>> _ = (folder / "withdrawn.csv").write_text(rows)
    >>> claim = Claim("it learns (score)", "this study", "", 0.9, 0.01, 5, "confirmed")
    >>> with_withdrawn([claim], folder)[0].verdict
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
            f"{row['claim']} [void: {row['reason']}]",
            row["source"],
            row["paper_value"],
            None,
            None,
            0,
            "void",
        )
        for row in table.to_dict("records")
    ]
    return [*standing, *void]


def write_claims(folder: str | Path, claims: Sequence[Claim]) -> pd.DataFrame:
    """Write ``claims.csv`` of a study and return its table.

    It has the columns of paired comparisons only if there is a paired comparison.

    Examples
    --------
    >>> import tempfile
    >>> claim = Claim("it learns", "this study", "", 0.9, 0.01, 5, "confirmed")
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
