"""Scores of a fitted population on held-out repeats: free runs, and bits per spike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import NDArray

from neurocode.display import html, lines
from neurocode.errors import DataError
from neurocode.inference.options import whole_number
from neurocode.inference.population.likelihood import summed_over
from neurocode.inference.population.result import FittedPopulation
from neurocode.recordings.population import LEAST_TEST, PopulationExperiment, PopulationRepeats
from neurocode.statistics.population_scores import (
    RANGES,
    SCORED,
    PopulationScores,
    RepeatStatistics,
    repeat_statistics,
    score_errors,
    score_halves,
    score_repeats,
)

#: Bins at the start of a repeat that are not scored, and simulated repeats per recorded one.
UNSCORED_BINS, TRIALS_PER_REPEAT = 200, 10


@dataclass(frozen=True, eq=False, repr=False)
class PopulationEvaluation:
    """Scores of a fitted population on repeats that it was not fitted to.

    Attributes
    ----------
    scores : PopulationScores
        Of free runs against all recorded repeats.
    table : pandas.DataFrame
        One row per score: ``model``, ``low_95`` and ``high_95`` (jackknife over recorded repeats),
        and ``recorded``, one half of the recorded repeats against the other.
    bits_per_spike : pandas.Series
        Per cell, given the recorded spikes before each bin, against the best constant rate.
    simulated : numpy.ndarray (cells, bins, trials)
        Free runs, all bins.
    """

    scores: PopulationScores
    table: pd.DataFrame
    bits_per_spike: pd.Series
    simulated: NDArray[np.float32]

    def _rows(self) -> list[str]:
        rows = [
            f"{name}: {row.model:.3f} ({row.low_95:.3f} to {row.high_95:.3f}), recording against "
            f"itself {row.recorded:.3f}"
            for name, row in self.table.iterrows()
        ]
        ratios = self.scores.rate_ratio
        return [
            *rows,
            f"rates: {min(ratios):.2f} to {max(ratios):.2f} of the recorded ones",
            f"bits per spike: {self.bits_per_spike.mean():.3f}",
            f"runaways: {self.scores.runaways} of {self.scores.n_repeats}",
        ]

    def __repr__(self) -> str:
        return lines("PopulationEvaluation", self._rows())

    def _repr_html_(self) -> str:
        return html("PopulationEvaluation", self.table, self._rows()[len(self.table) :])


def evaluate_population(
    population: FittedPopulation,
    data: PopulationExperiment,
    *,
    trials: int | None = None,
    seed: int = 0,
) -> PopulationEvaluation:
    """Let a fitted population run freely on the test stimulus and score it.

    The first 200 bins of each repeat are not scored.

    Parameters
    ----------
    population : FittedPopulation
    data : PopulationExperiment
        With test repeats, and their stimulus if the population has a front end.
    trials : int, optional
        Number of simulated repeats; ten times the recorded ones by default.
    seed : int

    Returns
    -------
    PopulationEvaluation

    Raises
    ------
    DataError
        If there are no test repeats or fewer than four, their stimulus is missing, or they are no
        longer than the bins that are not scored.
    FitError
        For a number of trials or a seed that is not a whole number.
    """
    test = _test_of(population, data)
    n_repeats = test.n_repeats
    trials = (
        TRIALS_PER_REPEAT * n_repeats
        if trials is None
        else whole_number(trials, "The number of trials", 2)
    )
    n_bins = test.spikes.shape[1]
    presentations = np.resize(test.presentations, trials)
    simulated = population.simulate(
        test.stimulus if population.likelihood.front_end is not None else None,
        n_bins=n_bins if population.likelihood.front_end is None else None,
        trials=trials,
        presentations=presentations,
        seed=seed,
    )
    recorded = test.spikes[:, UNSCORED_BINS:]
    model = repeat_statistics(simulated[:, UNSCORED_BINS:])
    scores = score_repeats(model, recorded)
    return PopulationEvaluation(
        scores=scores,
        table=_table(scores, model, recorded, seed),
        bits_per_spike=_bits_per_spike(population, test),
        simulated=simulated,
    )


def why_not_scored(data: PopulationExperiment, *, needs_stimulus: bool) -> str:
    """Return why the test of a recording cannot be scored, an empty text if it can.

    Parameters
    ----------
    data : PopulationExperiment
    needs_stimulus : bool
        Whether the population has a front end.

    Examples
    --------
    >>> data = PopulationExperiment(np.eye(2), dt=2e-3)
    >>> why_not_scored(data, needs_stimulus=False)
    'The recording has no test repeats.'
    """
    test = data.test
    if test is None:
        return "The recording has no test repeats."
    if test.n_repeats < LEAST_TEST:
        return f"The test has {test.n_repeats} repeats, expected {LEAST_TEST} at least."
    if test.spikes.shape[1] <= UNSCORED_BINS:
        return (
            f"The test repeats hold {test.spikes.shape[1]} bins, expected more than "
            f"{UNSCORED_BINS}, which are not scored."
        )
    if needs_stimulus and test.stimulus is None:
        return "The test repeats have no stimulus, which the front end needs."
    return ""


def _test_of(population: FittedPopulation, data: PopulationExperiment) -> PopulationRepeats:
    reason = why_not_scored(data, needs_stimulus=population.likelihood.front_end is not None)
    test = data.test
    if reason or test is None:
        raise DataError(reason)
    if test.spikes.shape[0] != population.n_cells:
        raise DataError(
            f"The test holds {test.spikes.shape[0]} cells, the population {population.n_cells}."
        )
    return test


def _table(
    scores: PopulationScores, model: RepeatStatistics, recorded: NDArray, seed: int
) -> pd.DataFrame:
    halves, errors = score_halves(recorded, seed=seed), score_errors(model, recorded)
    quantile = scipy.stats.t.ppf(0.975, recorded.shape[2] - 1)
    rows = {}
    for name in SCORED:
        score, reach = getattr(scores, name), quantile * errors[name]
        least, most = RANGES[name]
        rows[name] = (score, max(score - reach, least), min(score + reach, most), halves[name])
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["model", "low_95", "high_95", "recorded"]
    )


def _bits_per_spike(population: FittedPopulation, test: PopulationRepeats) -> pd.Series:
    front_end, stimulus = population.likelihood.front_end, test.stimulus
    chunks = population.likelihood.cut_repeats(
        test,
        None if front_end is None or stimulus is None else stimulus - population.stimulus_mean,
        bins_per_frame=population.bins_per_frame,
        unsettled_bins=UNSCORED_BINS,
    )
    gained = summed_over(population.likelihood.log_likelihood, population.weights, chunks)
    n_spikes, n_bins = chunks.n_spikes, float(np.sum(chunks.counted))
    return bits_per_spike(gained, n_spikes, n_bins, population.names)


def bits_per_spike(
    log_likelihood: NDArray, n_spikes: NDArray, n_bins: float, names: tuple[str, ...]
) -> pd.Series:
    """Return the gain over the best constant probability of a spike, in bits per spike of each
    cell."""
    rate = n_spikes / n_bins
    constant = n_spikes * np.log(rate) + (n_bins - n_spikes) * np.log1p(-rate)
    bits = (log_likelihood - constant) / (n_spikes * np.log(2))
    return pd.Series(bits, index=pd.Index(names, name="cell"), name="bits per spike")
