"""Scores of simulated populations, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.statistics.population_scores import (
    counts_of_repeats,
    fano_of_repeats,
    noise_covariances,
    repeat_statistics,
    score_errors,
    score_halves,
    score_repeats,
    smoothed_psth,
)


def in_windows(counts: np.ndarray) -> np.ndarray:
    """Return bins of which one per window of 25 holds all spikes of the window."""
    cells, windows, repeats = counts.shape
    bins = np.zeros((cells, windows, 25, repeats))
    bins[:, :, 3] = counts
    return bins.reshape(cells, windows * 25, repeats)


COUNTS = np.array([[[1, 3], [2, 2]], [[4, 0], [1, 1]]])


def test_counts_and_fano_factors_by_hand() -> None:
    """Cell 0: variances 2 and 0, mean count 2. Cell 1: variances 8 and 0, mean 1.5."""
    spikes = in_windows(COUNTS)
    np.testing.assert_array_equal(counts_of_repeats(spikes), COUNTS)
    np.testing.assert_array_equal(counts_of_repeats(spikes[:, :49]), COUNTS[:, :1])
    np.testing.assert_allclose(fano_of_repeats(spikes), [0.5, 4 / 1.5])


def test_noise_covariances_by_hand() -> None:
    """Noise (-1, 1, 0, 0) and (2, -2, 0, 0): covariance -4 / (2 windows x 1), noise variances 1 and
    4, total variances 0.5 and 2.25."""
    total, noise = noise_covariances(in_windows(COUNTS))
    np.testing.assert_allclose(noise, [-1.0])
    np.testing.assert_allclose(total, [-2 / np.sqrt(0.5 * 2.25)])


def test_a_boxcar_keeps_the_number_of_spikes_and_the_place() -> None:
    spikes = np.zeros((1, 101, 2))
    spikes[0, 50] = [1, 3]
    psth = smoothed_psth(spikes)
    assert psth.sum() == pytest.approx(2.0)
    assert psth[0, 41:61].tolist() == pytest.approx([0.1] * 20)


def test_scores_by_hand() -> None:
    recorded = in_windows(np.repeat(COUNTS, 2, axis=2))
    simulated = 3 * recorded
    scores = score_repeats(simulated, recorded)
    assert scores.psth_r == pytest.approx(1.0)
    psth = smoothed_psth(recorded)
    expected = np.mean(1 - 4 * (psth**2).mean(axis=1) / psth.var(axis=1))
    assert scores.psth_r2 == pytest.approx(expected)
    assert scores.fano_error == pytest.approx(np.log(3))
    assert scores.rate_ratio == pytest.approx((3.0, 3.0))
    assert scores.correlation_error_noise == pytest.approx(0.0, abs=1e-12)
    # The largest counts are 5 and 5. Simulated are 9 or 15 spikes of cell 0, 15 or 3 of cell 1.
    assert (scores.runaways, scores.n_repeats) == (4, 4)


def test_runaways_are_repeats_in_which_any_cell_doubles_its_largest_count() -> None:
    recorded = in_windows(np.array([[[2, 3]], [[1, 1]]]))
    simulated = in_windows(np.array([[[6, 7, 0]], [[1, 1, 3]]]))
    assert score_repeats(simulated, recorded).runaways == 2


def test_halves_of_the_same_repeats_differ_by_chance_alone() -> None:
    """Poisson repeats of 20 cells. The mean absolute logarithm of the ratio of two Fano factors of
    20 windows x 20 repeats is sqrt(2 x 2 / 380) x sqrt(2 / pi) = 0.082."""
    random = np.random.default_rng(0)
    spikes = in_windows(random.poisson(4.0, size=(20, 20, 40)))
    scores = score_halves(spikes, splits=10, seed=1)
    assert scores["fano_error"] == pytest.approx(0.082, abs=0.02)
    assert "runaways" not in scores


def test_what_cannot_be_scored_is_refused() -> None:
    spikes = np.ones((2, 50, 4))
    with pytest.raises(DataError, match="2 cells and 50 bins"):
        score_repeats(spikes, spikes[:1])
    with pytest.raises(DataError, match="at least 2 repeats"):
        fano_of_repeats(spikes[..., :1])
    with pytest.raises(DataError, match="do not fill one window"):
        counts_of_repeats(spikes[:, :10])


def test_errors_of_scores_by_hand() -> None:
    """Recorded counts 1, 2 and 4: without one of them the variance over the mean is 2/3, 9/5 or
    1/3, and that of the model is 1/2."""
    recorded = in_windows(np.array([[[1, 2, 4]]]))
    model = in_windows(np.array([[[1.5, 0.5]]]))
    left_out = np.abs(np.log(0.5 / np.array([2 / 3, 9 / 5, 1 / 3])))
    expected = np.sqrt(2 / 3 * np.sum((left_out - left_out.mean()) ** 2))
    with np.errstate(all="ignore"):  # one window has no correlation over time
        assert score_errors(model, recorded)["fano_error"] == pytest.approx(expected)
    with pytest.raises(DataError, match="at least 3 repeats"):
        score_errors(model, recorded[..., :2])


def test_errors_of_scores_are_those_of_fresh_recordings() -> None:
    """Over 60 recordings of 10 repeats the mean standard error is the standard deviation of the
    score, within 25 % (the standard deviation itself is known to 9 %). The spikes of the model come
    in twos, so that its Fano factors are twice the recorded ones."""
    random = np.random.default_rng(0)
    rates = np.repeat(random.uniform(0.01, 0.2, size=(3, 500, 1)), 2, axis=1)
    model = repeat_statistics(
        np.repeat(random.random((3, 500, 200)) < rates[:, ::2], 2, axis=1).astype(float)
    )
    recordings = [random.random((3, 1000, 10)) < rates for _ in range(60)]
    for name in ("psth_r2", "fano_error", "psth_r"):
        scores = [getattr(score_repeats(model, recorded), name) for recorded in recordings]
        errors = [score_errors(model, recorded)[name] for recorded in recordings]
        assert np.mean(errors) / np.std(scores, ddof=1) == pytest.approx(1.0, abs=0.25), name
