"""Sources of spike trains have the statistics that they are named after."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.tasks.sources import (
    Bernoulli,
    BinnedPoisson,
    GammaRenewal,
    Hawkes,
    Inhomogeneous,
    Markov,
    source_trains,
    tell_sources_apart,
)


def correlation(raster, lag):
    centred = raster - raster.mean()
    return (centred[:, lag:] * centred[:, :-lag]).mean() / centred.var()


def test_equal_rate_and_known_correlation():
    """A million bins: rates 0.2 within four standard errors, autocorrelation 0.5^k within 0.01;
    Bernoulli has none."""
    markov, plain = Markov(0.2, 0.5).draw(100, 10_000, 1), Bernoulli(0.2).draw(100, 10_000, 2)
    assert plain.mean() == pytest.approx(0.2, abs=4 * 0.4e-3) and markov.mean() == pytest.approx(
        0.2, abs=4 * 0.4e-3 * np.sqrt(3)
    )
    for lag in (1, 2, 3):
        assert correlation(markov, lag) == pytest.approx(0.5**lag, abs=0.01) and correlation(
            plain, lag
        ) == pytest.approx(0, abs=0.005)
    assert correlation(Markov(0.2, -0.2).draw(100, 10_000, 3), 1) == pytest.approx(-0.2, abs=0.01)


def test_renewal_counts_have_the_variability_of_their_intervals():
    """Gamma intervals of shape 4: rate 40 Hz from the first bin on, CV 1/2, Fano factor of long
    windows CV^2."""
    raster = GammaRenewal(40.0, 4.0, 1e-4).draw(400, 50_000, 0)
    counts = raster.sum(axis=1)
    assert counts.mean() == pytest.approx(200, rel=0.01)
    assert raster[:, :100].mean() / 1e-4 == pytest.approx(40, abs=4 * np.sqrt(40 / (400 * 0.01)))
    intervals = np.concatenate([np.diff(np.flatnonzero(row)) for row in raster])
    assert intervals.std() / intervals.mean() == pytest.approx(0.5, abs=0.01)
    assert counts.var() / counts.mean() == pytest.approx(0.25, abs=4 * 0.25 * np.sqrt(2 / 400))


def test_self_excitation_raises_rate_and_variability():
    """Rate base/(1 - n), Fano factor of long windows 1/(1 - n)^2 (Hawkes 1971), within 3 % and 20
    %."""
    source = Hawkes(5.0, 0.5, 10e-3, 1e-4)
    counts = source.draw(500, 50_000, 0).sum(axis=1)
    assert source.rate == 10.0 and counts.mean() == pytest.approx(50, rel=0.03)
    assert counts.var() / counts.mean() == pytest.approx(4, rel=0.25)


def test_driven_and_binned_poisson():
    assert BinnedPoisson(100.0, 2e-3).draw(1000, 500, 0).mean() == pytest.approx(
        -np.expm1(-0.2), abs=4 * 0.39 / np.sqrt(5e5)
    )
    rates = tuple(np.linspace(0, 200, 100))
    psth = Inhomogeneous(rates).draw(20_000, 100, 0).mean(axis=0)
    np.testing.assert_allclose(
        psth, -np.expm1(-1e-3 * np.array(rates)), atol=5 * np.sqrt(0.2 / 20_000)
    )


def test_trains_and_task():
    trains = source_trains(Bernoulli(0.1), 2, 1000, dt=2e-3, seed=4)
    assert (
        float(trains[0].t_stop) == pytest.approx(2.0)
        and len(trains[0]) == Bernoulli(0.1).draw(2, 1000, 4)[0].sum()
    )
    task = tell_sources_apart(
        [Bernoulli(0.1), Markov(0.1, 0.5)], n_samples=100, n_bins=40, n_trains=3
    )
    assert task.training.inputs.shape == (60, 40, 3) and set(task.training.targets) == {0, 1}
    again = tell_sources_apart(
        [Bernoulli(0.1), Markov(0.1, 0.5)], n_samples=100, n_bins=40, n_trains=3
    )
    assert np.array_equal(task.test.inputs, again.test.inputs)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Bernoulli(1.2), "between 0 and 1"),
        (lambda: Markov(0.2, -0.5), r"lie in \[-0.25, 1\)"),
        (lambda: GammaRenewal(0.0, 1.0), "'rate' of a source"),
        (lambda: Hawkes(1.0, 1.0, 0.1), "less than one further"),
        (lambda: Inhomogeneous((1.0, np.nan)), "finite and not negative"),
        (lambda: Inhomogeneous((1.0,)).draw(1, 2, 0), "rates for 1 bins"),
        (lambda: Bernoulli(0.1).draw(0, 5, 0), "At least one train"),
        (lambda: tell_sources_apart([Bernoulli(0.1)]), "two sources"),
        (
            lambda: tell_sources_apart([Bernoulli(0.1), Bernoulli(0.2)], loss="per_step"),
            "does not take",
        ),
    ],
)
def test_sources_that_are_none_are_refused(make, says):
    with pytest.raises(DataError, match=says):
        make()
