"""Fits to spike times alone recover the truth, or give a verdict if there is none to recover."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError, FitError, ModelError
from neurocode.inference.passage import Intervals, PassageLikelihood


def spikes(model, duration, seed):
    return (
        nc.simulate(model, duration=duration, dt=2e-5, seed=seed, engine="numba")
        .segments[0]
        .spiketrains[0]
    )


@pytest.mark.parametrize("name", ["lif-diffusive", "eif-diffusive"])
def test_estimates_lie_within_four_standard_errors_of_the_truth(name):
    """In unconstrained coordinates, from about 1500 intervals (false alarm 6e-5 a parameter), and
    the model survives."""
    model = nc.models.by_name(name)
    result = nc.fit(model, spikes(model, 60.0, seed=4))
    assert result.converged and result.survives and not result.verdicts
    for parameter in ("mu", "sigma"):
        fitted, truth = result.parameters[parameter], model.parameters[parameter].value
        assert fitted.identified
        assert abs(fitted.value - truth) < 4 * fitted.standard_error
    for parameter in model.free:
        low, high = result.parameters[parameter].interval_95
        assert low / 3 < model.parameters[parameter].value < 3 * high


@pytest.mark.long
def test_adaptation_is_recovered_and_a_renewal_model_is_seen_to_miss_it():
    model = nc.models.lif_diffusive(adaptation=True).with_parameters(mu=0.8, b=0.3, sigma=0.6)
    train = spikes(model, 12.0, seed=1)
    adaptive, renewal = (
        nc.fit(candidate, train) for candidate in (model, nc.models.lif_diffusive())
    )
    assert adaptive.converged and adaptive.survives
    assert abs(adaptive.parameters["b"].value - 0.3) < 4 * adaptive.parameters["b"].standard_error
    assert adaptive.bic < renewal.bic - 10
    assert not renewal.survives and any("memory" in verdict for verdict in renewal.verdicts)


@pytest.mark.long
def test_a_periodic_drive_is_recovered_with_its_phase():
    model = nc.models.lif_diffusive(periodic=True).with_parameters(
        drive_cos=0.3, drive_sin=0.2, frequency=50.0
    )
    result = nc.fit(model, spikes(model, 8.0, seed=2))
    assert result.converged
    for name, truth in (("drive_cos", 0.3), ("drive_sin", 0.2)):
        assert (
            abs(result.parameters[name].value - truth) < 4 * result.parameters[name].standard_error
        )


def test_the_front_door_takes_diffusions_and_spike_trains():
    model = nc.models.lif_diffusive()
    train = spikes(model, 4.0, seed=3)
    result = nc.fit(model, train)
    assert result.parameters == nc.fit(model, train).parameters
    assert nc.fit(model, nc.Experiment(train)).log_likelihood == pytest.approx(
        result.log_likelihood, rel=1e-9
    )
    table = result.to_dictionary()
    assert (
        set(table["ks"]) == {"statistic", "band", "passed"} and table["survives"] == result.survives
    )
    assert len(result.predict(duration=2.0, seed=1).segments[0].spiketrains[0]) > 10


def test_repeats_are_pooled_and_what_follows_the_last_spike_counts():
    """Two repeats cut from one long train have the likelihood of both; the open interval at the end
    enters by survival."""
    model = nc.models.lif_diffusive()
    times = spikes(model, 8.0, seed=5).magnitude
    whole = neo.SpikeTrain(times, units="s", t_stop=8.0)
    intervals = Intervals.of(whole)
    assert intervals.n_observed == len(times) - 1 and not intervals.observed[-1]
    assert intervals.duration.sum() == pytest.approx(8.0 - times[0])
    halves = [
        neo.SpikeTrain(times[part], units="s", t_stop=stop)
        for part, stop in ((times < 4, 4.0), (times >= 4, 8.0))
    ]
    split = Intervals.of(halves)
    assert split.n_observed == len(times) - 2 and split.first.sum() == 2
    milliseconds = Intervals.of(neo.SpikeTrain(times * 1e3, units="ms", t_stop=8000.0))
    np.testing.assert_allclose(milliseconds.duration, intervals.duration, atol=1e-9)


@pytest.mark.parametrize(
    ("times", "error", "words"),
    [
        (np.linspace(0, 1, 20), FitError, "19 interspike intervals, at least 40"),
        (np.array([]), FitError, "0 interspike intervals"),
        (np.array([0.5]), FitError, "0 interspike intervals"),
        (np.append(np.linspace(0, 1, 60), np.nan), DataError, "1 spike times that are not finite"),
        (np.linspace(0, 1, 60)[::-1], DataError, "not sorted"),
        (
            np.repeat(np.linspace(0, 1, 60), 2),
            DataError,
            "60 intervals of zero length, the first at 0.000000 s",
        ),
    ],
)
def test_unusable_spike_times_are_named(times, error, words):
    with pytest.raises(error, match=words):
        nc.fit(nc.models.lif_diffusive(), times)


def test_a_fixed_refractory_period_that_intervals_violate_is_refused_with_their_number():
    model = nc.models.lif_diffusive().with_parameters(t_ref=12.0).with_fixed("t_ref")
    train = spikes(nc.models.lif_diffusive(), 5.0, seed=1)
    with pytest.raises(
        FitError, match=r"of \d+ intervals are not longer than the fixed refractory period of 12 ms"
    ):
        nc.fit(model, train)


@pytest.mark.long
def test_bursts_and_refractory_violations_get_a_verdict_not_a_clean_bill():
    random = np.random.default_rng(1)
    starts = np.cumsum(random.exponential(0.5, 150) + 0.1)
    bursts = np.sort(
        np.concatenate([starts + k * 4e-3 + random.uniform(0, 5e-4, 150) for k in range(3)])
    )
    result = nc.fit(nc.models.lif_diffusive(), bursts)
    assert not result.survives
    assert any("bursts" in verdict for verdict in result.verdicts) and any(
        "rejects" in verdict for verdict in result.verdicts
    )
    poisson = np.cumsum(random.exponential(0.02, 600) + 2e-4)
    result = nc.fit(nc.models.lif_diffusive(), poisson)
    assert any("below 1 ms" in verdict for verdict in result.verdicts)


def test_models_that_spike_times_cannot_fit_are_refused():
    train = spikes(nc.models.lif_diffusive(), 4.0, seed=1)
    with pytest.raises(ModelError, match="escape noise"):
        nc.fit(nc.models.gif(), train, likelihood=PassageLikelihood)
    with pytest.raises(FitError, match="no free parameter"):
        nc.fit(nc.models.lif_diffusive().with_fixed("mu", "sigma", "tau", "t_ref"), train)
    with pytest.raises(FitError, match="without a current"):
        current = neo.AnalogSignal(np.zeros(4000), units="pA", sampling_rate=1 * pq.kHz)
        nc.fit(nc.models.lif_diffusive(), nc.Experiment(train, current))
