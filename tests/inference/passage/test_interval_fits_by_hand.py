"""Every number of a fit to spike times, computed by hand for the perfect integrator, whose
intervals are inverse Gaussian."""

from __future__ import annotations

import neo
import numpy as np
import pytest
from scipy.stats import invgauss, kstest, spearmanr

import neurocode as nc
from neurocode.errors import FitError
from neurocode.inference.optimise import Optimum
from neurocode.inference.passage import Intervals
from neurocode.inference.passage.likelihood import _dependence
from neurocode.inference.passage.verdict import data_verdicts, fit_verdicts
from neurocode.models import NeuronModel, Parameter
from neurocode.recordings import Trains
from neurocode.statistics.time_rescaling import TimeRescaling

#: Sixty intervals in seconds: quantiles of an inverse Gaussian of mean 20 ms and CV 0.4, dealt in a
#: fixed order.
LENGTHS = np.random.default_rng(5).permutation(
    invgauss(0.16, scale=0.125).ppf((np.arange(60) + 0.5) / 60)
)
PERFECT = NeuronModel(
    name="perfect",
    equations="dv/dt = mu + sigma*xi : 1",
    margin="v - 1",
    reset="v = 0",
    within_step=True,
    parameters={"mu": Parameter.of("40 Hz"), "sigma": Parameter(2.0, "Hz**0.5")},
)


@pytest.fixture(scope="module")
def result():
    return nc.fit(PERFECT, np.concatenate([[0.3], 0.3 + np.cumsum(LENGTHS)]), prior_width=np.inf)


def test_estimates_are_the_closed_ones_of_the_inverse_gaussian(result):
    """Drift 1/mean, squared noise mean(1/x) - 1/mean; standard errors sqrt(sigma^2 mu/n) and
    sigma/sqrt(2n)."""
    n, mean = 60, np.mean(LENGTHS)
    mu, sigma = 1 / mean, np.sqrt(np.mean(1 / LENGTHS) - 1 / mean)
    assert result.converged and result.n_spikes == n and result.rank == 2
    parameters = result.parameters
    assert parameters["mu"].value == pytest.approx(mu, rel=2e-4) and parameters[
        "sigma"
    ].value == pytest.approx(sigma, rel=1e-3)
    assert parameters["mu"].standard_error == pytest.approx(np.sqrt(sigma**2 * mu / n), rel=5e-3)
    assert parameters["sigma"].standard_error == pytest.approx(sigma / np.sqrt(2 * n), rel=3e-2)
    half = 1.959964 * np.sqrt(sigma**2 * mu / n)
    assert parameters["mu"].interval_95 == pytest.approx((mu - half, mu + half), rel=5e-3)
    assert (
        parameters["mu"].prior_ratio == 0.0
        and parameters["mu"].identified
        and parameters["sigma"].identified
    )


def test_scores_are_those_on_paper(result):
    n, mean = 60, np.mean(LENGTHS)
    sigma = np.sqrt(np.mean(1 / LENGTHS) - 1 / mean)
    law = invgauss(mean * sigma**2, scale=1 / sigma**2)
    log_likelihood = np.sum(law.logpdf(LENGTHS))
    table = result.to_dictionary()
    assert table["log_likelihood"] == pytest.approx(log_likelihood, abs=2e-3)
    assert table["bic"] == pytest.approx(2 * np.log(n) - 2 * log_likelihood, abs=4e-3)
    poisson = n * np.log(1 / mean) - n
    assert table["bits_per_spike"]["training"] == pytest.approx(
        (log_likelihood - poisson) / n / np.log(2), abs=1e-4
    )
    assert table["training_rate"] == {"value": pytest.approx(1 / mean, rel=1e-12), "unit": "Hz"}
    assert result.duration == pytest.approx(np.sum(LENGTHS), rel=1e-12)
    uniform = law.cdf(LENGTHS)
    assert table["ks"]["statistic"] == pytest.approx(kstest(uniform, "uniform").statistic, abs=2e-4)
    assert (
        table["ks"]["band"] == pytest.approx(1.358 / np.sqrt(n), rel=1e-12)
        and table["ks"]["passed"]
    )
    neighbours = spearmanr(uniform[:-1], uniform[1:])
    assert table["dependence"]["rank_correlation"] == pytest.approx(neighbours.statistic, abs=1e-9)
    assert table["dependence"]["p_value"] == pytest.approx(neighbours.pvalue, abs=1e-9)
    assert table["survives"] and table["verdicts"] == [
        "60 intervals are few: standard errors are wide and the tests weak"
    ]
    assert table["information_rank"] == 2 and table["n_spikes"] == n and table["seed"] == 0


def test_an_open_end_counts_by_its_survival_probability():
    """One more interval, which no spike has ended, is at least 30 ms long: the log-likelihood
    changes by the logarithm of that probability."""
    spikes = np.concatenate([[0.0], np.cumsum(LENGTHS)])
    train = neo.SpikeTrain(spikes, units="s", t_stop=spikes[-1] + 0.03)
    fixed = PERFECT.with_parameters(mu=50.0).with_fixed("mu")
    fitted = nc.fit(fixed, train, prior_width=np.inf)
    sigma = fitted.parameters["sigma"].value
    law = invgauss(sigma**2 / 50, scale=1 / sigma**2)
    assert fitted.log_likelihood == pytest.approx(
        np.sum(law.logpdf(LENGTHS)) + law.logsf(0.03), abs=2e-3
    )
    assert fitted.training_rate == pytest.approx(60 / (np.sum(LENGTHS) + 0.03), rel=1e-12)


def test_neighbours_are_not_taken_across_repeats_or_open_ends():
    """Two trains have twelve pairs of neighbouring intervals; the last interval of the first train
    and the first one of the second are not a pair."""
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 0.8, 0.6, 0.4, 0.5, 0.2, 0.1])
    first = np.zeros(15, bool)
    first[[0, 8]] = True
    observed = np.ones(15, bool)
    observed[7] = False
    intervals = Intervals(np.zeros(15), np.ones(15), observed, first)
    pairs = np.array([(values[k], values[k + 1]) for k in range(13) if k != 6])
    expected = spearmanr(*pairs.T)
    assert _dependence(values, intervals) == pytest.approx(
        (expected.statistic, expected.pvalue), abs=1e-12
    )
    few = Intervals(np.zeros(10), np.ones(10), np.ones(10, bool), np.arange(10) == 0)
    assert _dependence(values[:10], few) == (0.0, 1.0)


def regular(stop, jitter):
    """60 regular intervals of 97 ms."""
    times = 0.097 * np.arange(61) + np.random.default_rng(2).uniform(0, jitter, 61)
    return times if stop is None else neo.SpikeTrain(times, units="s", t_stop=stop)


def test_a_silent_end_is_named_as_the_reason():
    with pytest.raises(
        FitError,
        match=r"is silent for its last 6.2 s, while its longest interval lasts "
        r"0.097.* s: if the recording",
    ) as error:
        nc.fit(nc.models.lif_diffusive(), regular(12.02, 5e-4))
    assert "end at its last spike (--end-at-last-spike, or spike times as an array)" in str(
        error.value
    )


def test_a_silence_is_said_from_three_of_the_longest_intervals_on():
    for silence, says in ((0.0, 0), (0.0598, 0), (0.0602, 1)):
        durations = np.array([0.02, 0.01] * 120 + [silence])
        intervals = Intervals(np.zeros(241), durations, np.arange(241) < 240, np.arange(241) == 0)
        assert len(data_verdicts(intervals)) == says, silence


def test_trains_end_at_their_last_spikes_where_asked():
    trains = Trains.of_arrays(
        [[(np.array([0.1, 0.4]), 0.0, 9.0), (np.array([]), 0.0, 9.0), (np.array([0.3]), 0.0, 9.0)]],
        ["a"],
    )
    np.testing.assert_array_equal(trains.ending_at_last_spike().t_stop, [0.4, 9.0, 0.3])
    assert len(Intervals.of(regular(None, 0.0)).duration) == 60


@pytest.mark.parametrize(
    ("durations", "says"),
    [
        (np.full(200, 0.02), []),
        (np.full(199, 0.02), ["199 intervals are few"]),
        (np.append(np.full(200, 0.02), 0.9e-3), ["1 of 201 intervals (0.50%) are below 1 ms"]),
        (np.append(np.full(200, 0.02), 1e-3), []),
        (
            np.tile([2e-3, 2e-3, 0.2], 70),
            ["the unit bursts (67% of its intervals are in bursts, CV 1.37)"],
        ),
        (np.tile([9e-3, 9e-3, 0.02], 70), []),
    ],
    ids=["clean", "few", "violation", "a millisecond", "bursts", "pairs"],
)
def test_verdicts_on_the_data(durations, says):
    n = len(durations)
    texts = data_verdicts(Intervals(np.zeros(n), durations, np.ones(n, bool), np.arange(n) == 0))
    assert len(texts) == len(says) and all(
        text.startswith(start) for text, start in zip(texts, says, strict=True)
    ), texts


def test_verdicts_on_the_fit():
    def verdicts(passed, dependence, p, converged, bottomless):
        optimum = Optimum(np.zeros(1), 0.0, np.zeros(1), np.eye(1), converged, 0.25, 1)
        goodness = {
            "rescaling": TimeRescaling(0.1, 0.2, passed, np.empty(0)),
            "dependence": dependence,
            "dependence_p": p,
        }
        return fit_verdicts(optimum, goodness, bottomless)

    assert verdicts(True, 0.1, 0.051, True, False) == []
    assert verdicts(True, 0.1, 0.05, True, False) == [
        "neighbouring rescaled intervals are correlated (+0.10, p = 0.05): the model misses a "
        "memory"
    ]
    texts = verdicts(False, -0.2, 0.001, False, True)
    assert [text.split()[0] for text in texts] == ["the", "the", "time", "neighbouring"]
    assert "expected to gain 2.5e-01 nats" in texts[1] and "more than 20 distances" in texts[0]
