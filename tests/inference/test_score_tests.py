"""Score tests of terms: the derivative, the efficient score, and terms that are planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

import neurocode as nc
from neurocode.errors import FitError
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.score_test import _derivatives, _efficient, _p_value

DT = 1e-3


@pytest.fixture(scope="module")
def cell() -> tuple[nc.Experiment, nc.inference.FitResult]:
    """A cell whose threshold follows the potential slowly, fitted without this."""
    noise = nc.simulation.stimuli.frozen_noise
    current = noise(40, DT, mean=300, standard_deviation=150, seed=1)
    base = nc.models.gif((50.0,))
    term = nc.terms.named("threshold-linear").with_parameters(a_l=1.0, tau_l="100 ms")
    truth = nc.terms.add(base, term)
    spikes = nc.simulate(truth, current, seed=2, engine="jax").segments[0].spiketrains[0]
    experiment = nc.Experiment(spikes, current)
    return experiment, nc.fit(base, experiment, starts=1)


def test_the_planted_term_is_found_and_others_are_not(cell) -> None:
    experiment, result = cell
    table = nc.inference.score_test(result, experiment, ["threshold-linear", "drift-threshold"])
    best = table.loc[table["statistic"].idxmax()]
    assert (best["term"], best["point"]) == ("threshold-linear", "tau_l = 100 ms")
    assert best["p_value"] < 1e-20
    # three points of a term that is not there: this fails for one cell in 300
    assert table.loc[table["term"] == "drift-threshold", "p_value"].min() > 1e-3
    np.testing.assert_allclose(table["gain"], 0.5 * table["statistic"])


def test_the_derivative_is_that_of_the_likelihood(cell) -> None:
    """Central differences of the log-likelihood in the amplitude, the fitted parameters held."""
    experiment, result = cell
    model = nc.terms.add(result.model, nc.terms.named("threshold-linear").screened())
    likelihood = ClampedLikelihood.of(model, experiment, **result.settings)
    gradient, information = _derivatives(likelihood)
    z = likelihood.coordinates.to_coordinates(model.values)
    number = list(model.free).index("a_l")
    step = 1e-5 * np.eye(len(z))[number]
    high, low = (likelihood.log_likelihood(z + sign * step) for sign in (1, -1))
    assert gradient[number] == pytest.approx((high - low) / 2e-5, rel=1e-4)
    assert information[number, number] > 0


def test_worked_efficient_score() -> None:
    """With I = [[2, 1], [1, 4]] and the amplitude first: u = 3 - 1/4*2, V = 2 - 1/4."""
    score, variance = _efficient(
        np.array([3.0, 2.0]), np.array([[2.0, 1.0], [1.0, 4.0]]), np.array([True, False])
    )
    assert score == pytest.approx([2.5]) and variance == pytest.approx(1.75)


def test_an_amplitude_that_cannot_be_negative_has_half_of_the_tail() -> None:
    two_sided = chi2.sf(3.8415, 1)
    assert two_sided == pytest.approx(0.05, abs=1e-4)
    assert _p_value(3.8415, np.array([1.0]), False) == pytest.approx(two_sided)
    assert _p_value(3.8415, np.array([1.0]), True) == pytest.approx(0.5 * two_sided)
    assert _p_value(3.8415, np.array([-1.0]), True) == 1.0


def test_a_term_that_the_model_has_already_is_not_determined(cell) -> None:
    """A second filter with the time constant of the first."""
    experiment, result = cell
    same = nc.terms.named("spike-threshold").with_parameters()
    model = nc.terms.add(result.model, same.screened())
    time_constant = next(name for name in same.grid)
    twin = nc.terms.Term(
        **{
            **{f: getattr(same, f) for f in same.__dataclass_fields__},
            "grid": {time_constant: ["50 ms"]},
        }
    )
    assert len(model.free) == len(result.model.free) + 1
    table = nc.inference.score_test(result, experiment, [twin])
    assert np.isnan(table["statistic"].item()) and np.isnan(table["p_value"].item())


def test_fits_of_spike_times_alone_are_refused(cell) -> None:
    experiment, result = cell
    with pytest.raises(FitError, match="fits under a current, not on the likelihood 'passage'"):
        nc.inference.score_test(replace(result, likelihood="passage"), experiment)
