"""How well simulated repeats of a population reproduce recorded ones: responses over time,
variability, noise correlations and rates.

All functions take spike counts of shape (cells, bins, repeats) of one stimulus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurocode.errors import DataError

#: Length in bins of the boxcar that smooths the PSTH, and of the windows in which spikes are
#: counted.
BOXCAR_BINS, WINDOW_BINS = 20, 25
#: A repeat runs away if a cell fires more than this many times its largest recorded count.
RUNAWAY = 2.0
#: Scores that one half of the recorded repeats has against the other.
SCORED = (
    "psth_r",
    "psth_r2",
    "fano_error",
    "correlation_error_total",
    "correlation_error_noise",
)
#: Least and largest value of each of them.
RANGES = {
    "psth_r": (-1.0, 1.0),
    "psth_r2": (-np.inf, 1.0),
    "fano_error": (0.0, np.inf),
    "correlation_error_total": (0.0, np.inf),
    "correlation_error_noise": (0.0, np.inf),
}


@dataclass(frozen=True)
class PopulationScores:
    """Scores of simulated repeats against recorded ones.

    Attributes
    ----------
    psth_r : float
        Correlation of the smoothed PSTHs over time, mean over cells.
    psth_r2 : float
        One minus the squared difference of the smoothed PSTHs over the variance of the recorded
        one, mean over cells.
    fano_error : float
        Mean over cells of the absolute logarithm of the ratio of Fano factors.
    correlation_error_total : float
        Root mean square over pairs of the difference of noise covariances, each over the standard
        deviations of all counts.
    correlation_error_noise : float
        The same for noise correlations: covariances over the standard deviations of the noise.
    rate_ratio : tuple of float
        Simulated over recorded rate of each cell.
    runaways : int
        Number of simulated repeats in which a cell fires more than twice its largest recorded
        count.
    n_repeats : int
        Number of simulated repeats.
    """

    psth_r: float
    psth_r2: float
    fano_error: float
    correlation_error_total: float
    correlation_error_noise: float
    rate_ratio: tuple[float, ...]
    runaways: int
    n_repeats: int


def smoothed_psth(spikes: ArrayLike, boxcar: int = BOXCAR_BINS) -> NDArray[np.float64]:
    """Return the mean over repeats, smoothed by a boxcar, (cells, bins).

    Examples
    --------
    >>> smoothed_psth(np.array([[[2.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]), boxcar=2).tolist()
    [[0.5, 1.0, 0.5]]
    """
    mean = _repeats(spikes, 1).mean(axis=2)
    return np.array([np.convolve(row, np.ones(boxcar) / boxcar, "same") for row in mean])


def counts_of_repeats(spikes: ArrayLike, window: int = WINDOW_BINS) -> NDArray[np.float64]:
    """Return the counts in consecutive windows of ``window`` bins, (cells, windows, repeats); bins
    that do not fill a window are left out.

    Raises
    ------
    DataError
        If the spikes have other axes or do not fill one window.
    """
    counts = _repeats(spikes, 1)
    cells, bins, repeats = counts.shape
    n_windows = bins // window
    if n_windows == 0:
        raise DataError(f"{bins} bins do not fill one window of {window} bins.")
    return counts[:, : n_windows * window].reshape(cells, n_windows, window, repeats).sum(axis=2)


def fano_of_repeats(spikes: ArrayLike, window: int = WINDOW_BINS) -> NDArray[np.float64]:
    """Return the variance of counts over repeats, averaged over windows, over the mean count, for
    each cell; NaN for a cell without spikes.

    Examples
    --------
    >>> fano_of_repeats(np.array([[[0.0, 2.0]]]), window=1).tolist()
    [2.0]
    """
    counts = counts_of_repeats(_repeats(spikes, 2), window)
    mean = counts.mean(axis=(1, 2))
    variance = counts.var(axis=2, ddof=1).mean(axis=1)
    return np.divide(variance, mean, out=np.full(len(mean), np.nan), where=mean > 0)


def noise_covariances(
    spikes: ArrayLike, window: int = WINDOW_BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the covariance of counts around their mean over repeats, for each pair of cells.

    Returns
    -------
    over_total, over_noise : numpy.ndarray (pairs,)
        Divided by the standard deviations of all counts, and by those of the noise, which gives
        noise correlations. The pairs are those of :func:`numpy.tril_indices` below the diagonal.
    """
    counts = counts_of_repeats(_repeats(spikes, 2), window)
    _, n_windows, n_repeats = counts.shape
    noise = counts - counts.mean(axis=2, keepdims=True)
    total = counts - counts.mean(axis=(1, 2), keepdims=True)
    covariance = np.einsum("itr,jtr->ij", noise, noise) / (n_windows * (n_repeats - 1))
    total_sd = np.sqrt(np.mean(total**2, axis=(1, 2)))
    noise_sd = np.sqrt(np.diag(covariance))
    pairs = np.tril_indices(len(counts), -1)
    with np.errstate(invalid="ignore"):
        return (
            (covariance / np.outer(total_sd, total_sd))[pairs],
            (covariance / np.outer(noise_sd, noise_sd))[pairs],
        )


@dataclass(frozen=True)
class RepeatStatistics:
    """What is compared of repeats; see :func:`repeat_statistics`."""

    psth: NDArray[np.float64]
    fano: NDArray[np.float64]
    over_total: NDArray[np.float64]
    over_noise: NDArray[np.float64]
    rate: NDArray[np.float64]
    counts: NDArray[np.float64]


def repeat_statistics(spikes: ArrayLike) -> RepeatStatistics:
    """Return smoothed PSTH, Fano factors, noise covariances, spikes per bin, and counts of whole
    repeats (cells, repeats).

    Raises
    ------
    DataError
        For other axes or fewer than two repeats.
    """
    counts = _repeats(spikes, 2)
    over_total, over_noise = noise_covariances(counts)
    return RepeatStatistics(
        psth=smoothed_psth(counts),
        fano=fano_of_repeats(counts),
        over_total=over_total,
        over_noise=over_noise,
        rate=counts.mean(axis=(1, 2)),
        counts=counts.sum(axis=1),
    )


def score_repeats(
    simulated: ArrayLike | RepeatStatistics, recorded: ArrayLike | RepeatStatistics
) -> PopulationScores:
    """Score simulated repeats against recorded ones of the same stimulus.

    Parameters
    ----------
    simulated, recorded : array (cells, bins, repeats), or RepeatStatistics
        Spike counts, or their statistics where the same repeats are scored many times; the numbers
        of repeats may differ.

    Returns
    -------
    PopulationScores

    Raises
    ------
    DataError
        If cells or bins differ, or there are fewer than two repeats.

    Examples
    --------
    >>> spikes = np.random.default_rng(0).random((2, 200, 8)) < 0.1
    >>> scores = score_repeats(spikes, spikes)
    >>> scores.fano_error, scores.rate_ratio
    (0.0, (1.0, 1.0))
    """
    model, data = (
        repeats if isinstance(repeats, RepeatStatistics) else repeat_statistics(repeats)
        for repeats in (simulated, recorded)
    )
    if model.psth.shape != data.psth.shape:
        raise DataError(
            f"The simulated repeats hold {model.psth.shape[0]} cells and {model.psth.shape[1]} "
            f"bins, the recorded ones {data.psth.shape[0]} and {data.psth.shape[1]}."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        fano_error = np.mean(np.abs(np.log(model.fano / data.fano)))
        ratio = model.rate / data.rate
        psth_r = np.mean(
            [np.corrcoef(a, b)[0, 1] for a, b in zip(model.psth, data.psth, strict=True)]
        )
        unexplained = ((model.psth - data.psth) ** 2).mean(axis=1) / data.psth.var(axis=1)
    most = RUNAWAY * data.counts.max(axis=1, keepdims=True)
    return PopulationScores(
        psth_r=float(psth_r),
        psth_r2=float(np.mean(1 - unexplained)),
        fano_error=float(fano_error),
        correlation_error_total=_root_mean_square(model.over_total - data.over_total),
        correlation_error_noise=_root_mean_square(model.over_noise - data.over_noise),
        rate_ratio=tuple(float(value) for value in ratio),
        runaways=int(np.sum(np.any(model.counts > most, axis=0))),
        n_repeats=model.counts.shape[1],
    )


def score_halves(recorded: ArrayLike, splits: int = 20, seed: int = 0) -> dict[str, float]:
    """Return the mean scores of one random half of recorded repeats against the other: what a
    perfect model reaches with as many repeats.

    Parameters
    ----------
    recorded : array (cells, bins, repeats)
    splits : int
        Number of random divisions.
    seed : int

    Returns
    -------
    dict of str to float
        Without rate ratios and runaways.

    Raises
    ------
    DataError
        For fewer than four repeats.
    """
    recorded = _repeats(recorded, 4)
    random, half = np.random.default_rng(seed), recorded.shape[2] // 2
    rows = []
    for _ in range(splits):
        order = random.permutation(recorded.shape[2])
        rows.append(score_repeats(recorded[..., order[:half]], recorded[..., order[half:]]))
    return {name: float(np.mean([getattr(row, name) for row in rows])) for name in SCORED}


def score_errors(simulated: ArrayLike | RepeatStatistics, recorded: ArrayLike) -> dict[str, float]:
    """Return the standard errors of scores over recorded repeats, from leaving out each repeat in
    turn (jackknife).

    A bootstrap draws some repeats twice, and so takes the variance of counts over the others for
    too small: with six repeats Fano factors come out a sixth too low, and the interval of their
    error does not hold the error itself. The jackknife errs to the safe side where a score is
    close to its bound: the error of Fano factors within its noise of zero.

    Parameters
    ----------
    simulated : array (cells, bins, repeats), or RepeatStatistics
    recorded : array (cells, bins, repeats)
        Three repeats or more.

    Returns
    -------
    dict of str to float
        Without rate ratios and runaways.

    Raises
    ------
    DataError
        For fewer than three repeats, or if cells or bins differ.

    References
    ----------
    B. Efron and C. Stein, The jackknife estimate of variance, Annals of Statistics 9 (1981).

    Examples
    --------
    >>> spikes = np.random.default_rng(0).random((2, 200, 8)) < 0.1
    >>> errors = score_errors(spikes, spikes)
    >>> round(errors["psth_r"], 3)
    0.046
    """
    model = simulated if isinstance(simulated, RepeatStatistics) else repeat_statistics(simulated)
    recorded = _repeats(recorded, 3)
    n_repeats = recorded.shape[2]
    left_out = [
        score_repeats(model, np.delete(recorded, repeat, axis=2)) for repeat in range(n_repeats)
    ]
    return {
        name: float(np.sqrt(n_repeats - 1) * np.std([getattr(row, name) for row in left_out]))
        for name in SCORED
    }


def _root_mean_square(differences: NDArray) -> float:
    return float(np.sqrt(np.mean(differences**2))) if len(differences) else np.nan


def _repeats(spikes: ArrayLike, least: int) -> NDArray[np.float64]:
    counts = np.asarray(spikes, float)
    if counts.ndim != 3 or counts.shape[2] < least:
        raise DataError(
            f"The spikes have the shape {counts.shape}, expected (cells, bins, repeats) with at "
            f"least {least} repeats."
        )
    return counts
