"""Cross-validation, profile, bootstrap and held-out scores of spike times, computed by hand for
inverse Gaussian intervals."""

from __future__ import annotations

import neo
import numpy as np
import pytest
from scipy.stats import invgauss
from test_interval_fits_by_hand import LENGTHS, PERFECT

import neurocode as nc
from neurocode.inference import cross_validate, parametric_bootstrap, profile_likelihood

TIMES = np.concatenate([[0.3], 0.3 + np.cumsum(LENGTHS)])


@pytest.fixture(scope="module")
def result():
    return nc.fit(PERFECT, TIMES, prior_width=np.inf)


def closed_fit(lengths):
    """Return mean and shape (squared ratio of the distance from reset to threshold to sigma) at the
    maximum."""
    mean = np.mean(lengths)
    return mean, 1 / (np.mean(1 / lengths) - 1 / mean)


def log_density(lengths, mean, shape):
    return invgauss(mean / shape, scale=shape).logpdf(lengths)


def test_blocks_left_out_have_the_bits_of_the_closed_fit_to_the_others(result):
    """An interval belongs to the quarter of the train in which it ends.

    A refit stops where a step would gain a hundredth of a nat, a seventh of a standard error from
    its maximum; a block whose slope there is a nat a standard error may so be off by 0.01 bits per
    spike.
    """
    quarter = np.searchsorted(np.linspace(0, TIMES[-1], 5), TIMES[1:], side="right") - 1
    quarter = np.minimum(quarter, 3)
    gains, counts = [], []
    for fold in range(4):
        kept, held = LENGTHS[quarter != fold], LENGTHS[quarter == fold]
        rate = 1 / np.mean(kept)
        poisson = len(held) * np.log(rate) - rate * np.sum(held)
        gains.append(np.sum(log_density(held, *closed_fit(kept))) - poisson)
        counts.append(len(held))
    assert counts == [3, 18, 18, 21]  # the first spike is at 0.3 s
    validation = cross_validate(PERFECT, result, TIMES, prior_width=np.inf)
    assert validation.folds == pytest.approx(
        [g / c / np.log(2) for g, c in zip(gains, counts, strict=True)], abs=0.02
    )
    assert validation.bits_per_spike == pytest.approx(np.sum(gains) / 60 / np.log(2), abs=6e-3)


def test_the_profile_of_the_drift_is_the_closed_one(result):
    """At each drift the best shape is n over the sum of (x - m)^2/(m^2 x)."""
    profile = profile_likelihood(result, TIMES, "mu", n_points=7)
    for drift, height in zip(profile.values, profile.log_likelihood, strict=True):
        mean = 1 / drift
        shape = 60 / np.sum((LENGTHS - mean) ** 2 / (mean**2 * LENGTHS))
        assert height == pytest.approx(np.sum(log_density(LENGTHS, mean, shape)), abs=5e-3)
    fitted = result.parameters["mu"]
    assert profile.interval_95 == pytest.approx(
        fitted.interval_95, abs=0.25 * fitted.standard_error
    )


def test_bootstrap_samples_scatter_by_the_standard_error(result):
    """Of 40 samples the standard deviation is known to 11 %: a wider error than 45 % has a
    probability below 1e-4."""
    samples = parametric_bootstrap(result, TIMES, n_samples=40, seed=3)
    for name in ("mu", "sigma"):
        fitted = result.parameters[name]
        assert samples[name].std() == pytest.approx(fitted.standard_error, rel=0.45)
        assert samples[name].mean() == pytest.approx(
            fitted.value, abs=4 * fitted.standard_error / np.sqrt(40) + 0.02 * fitted.value
        )


def test_a_train_that_the_fit_did_not_see_is_scored(result):
    other = np.concatenate([[0.0], np.cumsum(np.random.default_rng(8).permutation(LENGTHS)[:40])])
    test = nc.Experiment(nc.recordings.Trains.of([[other]]).to_neo()[0])
    scores = nc.evaluate(
        result,
        nc.Experiment(nc.recordings.Trains.of([[TIMES]]).to_neo()[0], test=test),
        n_predictions=30,
    )
    rate, mean, shape = result.training_rate, *closed_fit(LENGTHS)
    poisson = 40 * np.log(rate) - rate * np.sum(np.diff(other))
    bits = (np.sum(log_density(np.diff(other), mean, shape)) - poisson) / 40 / np.log(2)
    assert (
        scores.bits_per_spike == pytest.approx(bits, abs=2e-3)
        and scores.md_star == {}
        and np.isnan(scores.psth_correlation)
    )
    uniform = np.sort(invgauss(mean / shape, scale=shape).cdf(np.diff(other)))
    np.testing.assert_allclose(scores.ks.quantiles, uniform, atol=2e-3)
    assert scores.predicted_rate == pytest.approx(1 / mean, rel=0.1)
    assert scores.recorded_rate == pytest.approx(41 / other[-1], rel=1e-6)


def test_the_predicted_rate_is_not_that_of_a_silent_repeat(result):
    """Predictions are as long as the first repeat that holds a spike, 0.8 s, and not as the silent
    5 s before it."""
    silent = neo.SpikeTrain([], units="s", t_stop=5.0)
    test = nc.Experiment([silent, neo.SpikeTrain(np.cumsum(LENGTHS[:30]), units="s", t_stop=0.8)])
    training = nc.recordings.Trains.of([[TIMES]]).to_neo()[0]
    scores = nc.evaluate(result, nc.Experiment(training, test=test), n_predictions=30)
    assert scores.predicted_rate == pytest.approx(1 / np.mean(LENGTHS), rel=0.1)
