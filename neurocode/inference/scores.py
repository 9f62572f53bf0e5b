"""The class that holds the scores of a model on held-out spikes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.display import html, lines
from neurocode.inference.lossless import encode, load_saved, save_value
from neurocode.inference.result import plain
from neurocode.plotting.scores_figure import scores_figure
from neurocode.statistics.coding import psth
from neurocode.statistics.distance import MdStar
from neurocode.statistics.time_rescaling import TimeRescaling

#: Columns of the table of scores.
COLUMNS = ("model", "low_95", "high_95", "recorded")
#: Name of saved scores inside a folder.
FILE = "scores.json"


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """Scores of a model on held-out spikes.

    Repeats under a frozen current are compared with predicted ones moment by moment. If the repeats
    share no stimulus, these scores are absent (empty mappings, NaN).

    Attributes
    ----------
    bits_per_spike : float
        Gain over a homogeneous Poisson process at the training rate.
    md_star : dict of str to MdStar
    md_star_ceiling : dict of str to (float, float)
        Mean and spread over random halves of the recorded repeats.
    reliability : dict of str to float
    gamma, gamma_recorded : dict of str to float
        Mean coincidence factor of model with recorded repeats, and among recorded repeats.
    ks : TimeRescaling
    psth_correlation : float
        Correlation of recorded and predicted PSTH, smoothed with a Gaussian of 10 ms.
    explained_variance : float
        Explained variance as in the Allen Cell Types Database, after smoothing with a Gaussian of
        10 ms (Teeter et al. 2018).
    recorded_rate, predicted_rate : float
        Mean firing rates in hertz.
    recorded, predicted : list of numpy.ndarray
        Spike times of the repeats in seconds.
    duration : float
        Duration of a repeat in seconds.
    notes : list of str
        Scores that could not be computed, and why.
    """

    bits_per_spike: float
    md_star: dict[str, MdStar]
    md_star_ceiling: dict[str, tuple[float, float]]
    reliability: dict[str, float]
    gamma: dict[str, float]
    gamma_recorded: dict[str, float]
    ks: TimeRescaling
    psth_correlation: float
    explained_variance: float
    recorded_rate: float
    predicted_rate: float
    recorded: list[np.ndarray]
    predicted: list[np.ndarray]
    duration: float
    notes: list[str]

    @property
    def compares_repeats(self) -> bool:
        """Whether repeats of one stimulus were compared moment by moment."""
        return bool(self.md_star)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the scores as plain values for JSON, in the layout of ``result.json``."""
        table = {
            "bits_per_spike": {"test": self.bits_per_spike},
            "md_star": {key: score.value for key, score in self.md_star.items()},
            "md_star_interval_95": {key: score.interval for key, score in self.md_star.items()},
            "md_star_ceiling": {key: mean for key, (mean, _) in self.md_star_ceiling.items()},
            "md_star_ceiling_sd": {
                key: spread for key, (_, spread) in self.md_star_ceiling.items()
            },
            "reliability": self.reliability,
            "gamma": self.gamma,
            "gamma_over_recorded": {
                key: _over(self.gamma[key], self.gamma_recorded[key]) for key in self.gamma
            },
            "ks": {"statistic": self.ks.statistic, "band": self.ks.band, "passed": self.ks.passed},
            "psth_correlation": self.psth_correlation,
            "explained_variance": self.explained_variance,
            "rate": {
                "recorded": self.recorded_rate,
                "predicted": self.predicted_rate,
                "unit": "Hz",
            },
            "notes": self.notes,
        }
        return plain(table)

    def to_dataframe(self) -> pd.DataFrame:
        """Return a table with one row per score: the score of the model, its 95 % interval, and the
        score of the recorded repeats among themselves.

        Returns
        -------
        pandas.DataFrame
            Columns ``model``, ``low_95``, ``high_95`` and ``recorded``, NaN where a value does not
            exist. For the KS statistic ``high_95`` is the upper end of the band that contains the
            statistic of a correct model.
        """
        rows: list[tuple[str, float | None, float | None, float | None, float | None]] = [
            ("bits per spike, held out", self.bits_per_spike, None, None, None)
        ]
        for key, score in self.md_star.items():
            rows.append(
                (f"Md* ({key})", score.value, *score.interval, self.md_star_ceiling[key][0])
            )
        for key, value in self.gamma.items():
            rows.append(
                (f"coincidence factor ({key})", value, None, None, self.gamma_recorded[key])
            )
        for key, value in self.reliability.items():
            rows.append((f"reliability ({key})", None, None, None, value))
        if self.compares_repeats:
            rows.append(("PSTH correlation", self.psth_correlation, None, None, None))
            rows.append(("explained variance (10 ms)", self.explained_variance, None, None, None))
        rows.append(("rate (Hz)", self.predicted_rate, None, None, self.recorded_rate))
        rows.append(
            ("KS statistic (passes below band)", self.ks.statistic, None, self.ks.band, None)
        )
        return (
            pd.DataFrame(rows, columns=["score", *COLUMNS])
            .astype(dict.fromkeys(COLUMNS, float))
            .set_index("score")
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Papers that the similarity of trains and the time-rescaling test are based on."""
        return ("Naud et al. 2011", "Brown et al. 2002")

    def summary(self) -> str:
        """Return the scores and the notes as text, one line per score or note."""
        rows = self._rows()
        return lines(self._heading(), rows, most=len(rows) + 2)

    def plot(self) -> Figure:
        """Plot the time-rescaled intervals and, for repeats of one stimulus, the recorded spikes
        and rates beside the predicted ones."""
        band = self.ks.band if np.isfinite(self.ks.band) else 0.0
        if not self.compares_repeats:
            return scores_figure(self.ks.quantiles, band)
        times, recorded_rate = psth(self.recorded, self.duration)
        rates = (times, recorded_rate, psth(self.predicted, self.duration)[1])
        return scores_figure(
            self.ks.quantiles, band, recorded=self.recorded, predicted=self.predicted, psth=rates
        )

    def save(self, path: str | Path) -> Path:
        """Write the scores as JSON, which :meth:`load` reads: to a file, or into a folder as
        ``scores.json``.

        Besides the readable values the file holds all fields without loss, under ``saved``.
        """
        return save_value(self, path, FILE)

    @classmethod
    def load(cls, path: str | Path) -> Scores:
        """Read scores that :meth:`save` wrote, with all fields unchanged.

        Parameters
        ----------
        path : path
            The file, or the folder that holds it.

        Raises
        ------
        DataError
            If there is no such file, or it holds no saved scores.
        """
        return load_saved(path, FILE, cls, (MdStar, TimeRescaling))

    def __repr__(self) -> str:
        return lines(self._heading(), self._rows())

    def _repr_html_(self) -> str:
        return html(self._heading(), self.to_dataframe(), self.notes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scores) and encode(self) == encode(other)

    def _heading(self) -> str:
        return (
            f"Scores on {len(self.recorded)} held-out repeats of {self.duration:g} s with "
            f"{sum(map(len, self.recorded))} spikes, {len(self.predicted)} predicted"
        )

    def _rows(self) -> list[str]:
        return [
            *(_line(str(name), row) for name, row in self.to_dataframe().iterrows()),
            *self.notes,
        ]


def _line(name: str, row: pd.Series) -> str:
    """Describe a score in words: its value, its interval, and that of the recorded repeats."""
    parts = (
        [] if np.isnan(row["model"]) and np.isfinite(row["recorded"]) else [f"{row['model']:.3g}"]
    )
    if np.isfinite(row["low_95"]):
        parts.append(f"95 % from {row['low_95']:.3g} to {row['high_95']:.3g}")
    elif np.isfinite(row["high_95"]):
        parts.append(f"95 % band up to {row['high_95']:.3g}")
    if np.isfinite(row["recorded"]):
        parts.append(f"recorded {row['recorded']:.3g}")
    return f"{name}: {', '.join(parts)}"


def _over(value: float, reference: float) -> float:
    return value / reference if reference else np.nan
