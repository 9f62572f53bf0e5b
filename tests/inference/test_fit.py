"""Fits recover the truth, report what the data determine, and refuse data that they cannot use."""

from __future__ import annotations

import json

import neo
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, FitError

DT = 1e-3
TRUTH = nc.models.gif((50.0,)).with_parameters(
    g_L="5 nS", V_T="-48 mV", Delta_V="2.5 mV", a_gamma_1="6 mV"
)


def record(truth, seconds, trials, seed, dt=DT, engine="jax"):
    current = nc.simulation.stimuli.frozen_noise(
        seconds, dt, mean=110.0, standard_deviation=120.0, seed=seed
    )
    block = nc.simulate(truth, current, trials=trials, seed=seed, engine=engine)
    return [segment.spiketrains[0] for segment in block.segments], current


@pytest.fixture(scope="module")
def experiment():
    test = nc.Experiment(*record(TRUTH, 4.0, 6, 2))
    return nc.Experiment(*record(TRUTH, 30.0, 1, 1, engine="brian2"), test=test, name="simulated")


@pytest.fixture(scope="module")
def result(experiment):
    return nc.fit(nc.models.gif((50.0,)), experiment, starts=1)


def assert_recovered(result, truth, least):
    assert result.converged
    identified = [name for name, fitted in result.parameters.items() if fitted.identified]
    assert len(identified) >= least
    for name in identified:
        fitted = result.parameters[name]
        assert abs(fitted.value - truth.parameters[name].value) < 4 * fitted.standard_error, name
        assert fitted.interval_95[0] < fitted.value < fitted.interval_95[1]


def test_fit_in_jax_recovers_what_brian2_simulated(result):
    """Every identified parameter of half a minute within four standard errors (false alarm 6e-5
    each)."""
    assert_recovered(result, TRUTH, 4)


@pytest.mark.long
def test_fit_in_jax_recovers_two_traces_that_brian2_simulated():
    """The recording lasts one minute at 0.5 ms."""
    truth = nc.models.gif((20.0, 200.0)).with_parameters(
        g_L="5 nS", V_T="-48 mV", Delta_V="2.5 mV", a_gamma_1="6 mV"
    )
    experiment = nc.Experiment(*record(truth, 60.0, 1, 1, dt=5e-4, engine="brian2"))
    assert_recovered(nc.fit(nc.models.gif((20.0, 200.0)), experiment, starts=1), truth, 5)


def test_fixed_parameters_have_no_standard_error(result):
    for name in ("C", "E_L", "t_ref", "lambda_0"):
        assert result.standard_errors[name] is None and result.parameters[name].fixed


def test_the_truth_is_no_likelier_than_the_fit(result, experiment):
    at_truth = nc.fit(
        TRUTH.with_fixed(*[n for n in TRUTH.free if n != "V_T"]), experiment, starts=1
    )
    assert result.log_likelihood >= at_truth.log_likelihood - 1e-3


def test_held_out_scores_of_a_right_model(result, experiment):
    scores = nc.evaluate(result, experiment, n_predictions=200)
    assert scores.md_star["8ms"].value == pytest.approx(1.0, abs=0.1)
    assert scores.bits_per_spike == pytest.approx(result.bits_per_spike, rel=0.2)
    assert scores.ks.statistic < 1.3 * scores.ks.band
    assert scores.recorded_rate == pytest.approx(scores.predicted_rate, rel=0.1)


def test_a_prediction_under_an_array_has_the_time_step_of_the_fit(result):
    (segment,) = result.predict(np.full(40, 1e-10), seed=1).segments
    assert float(segment.analogsignals[-1].sampling_period.rescale("s")) == pytest.approx(DT)
    assert float(segment.spiketrains[0].t_stop.rescale("s")) == pytest.approx(40 * DT)


#: Of which two parameters are free.
SMALL = TRUTH.with_fixed(*[name for name in TRUTH.free if name not in ("V_T", "Delta_V")])


@pytest.fixture(scope="module")
def trains():
    """Five seconds, twice."""
    return record(TRUTH, 5.0, 2, 5)[0]


def test_the_same_seed_gives_the_same_bytes(trains):
    first, second = (
        nc.fit(SMALL, trains, starts=2, seed=3, dt=DT).to_dictionary() for _ in range(2)
    )
    for table in (first, second):
        del table["seconds"]
    assert json.dumps(first) == json.dumps(second)


def test_spike_trains_alone_are_fitted(trains):
    """Two repeats without a current give the same spikes and the same likelihood as with a current
    of zero."""
    zero = nc.simulation.stimuli.steps([0.0], 5.0, DT)
    alone = nc.fit(SMALL, trains, starts=1, dt=DT)
    with_zero = nc.fit(SMALL, nc.Experiment(trains, zero), starts=1)
    assert (
        alone.n_spikes
        == with_zero.n_spikes
        == sum(np.sum(train.magnitude >= 0.5) for train in trains)
    )
    assert (
        alone.log_likelihood == with_zero.log_likelihood
        and alone.parameters == with_zero.parameters
    )


def test_result_is_saved_with_units(result, tmp_path):
    table = json.loads(result.save(tmp_path / "fit").read_text())
    assert (
        table["parameters"]["V_T"]["unit"] == "mV"
        and table["parameters"]["C"]["standard_error"] is None
    )
    assert nc.models.load(tmp_path / "fit" / "model.toml").parameters["V_T"].value == pytest.approx(
        table["parameters"]["V_T"]["value"]
    )


def train_of(times, stop=10.0):
    return neo.SpikeTrain(times, units="s", t_stop=stop)


def test_too_few_spikes_are_named():
    for times in ([], [1.0]):
        with pytest.raises(FitError, match="at least 20"):
            nc.fit(nc.models.gif(), nc.Experiment(train_of(times)))


def test_unsorted_times_are_named():
    with pytest.raises(DataError, match="increasing"):
        nc.Experiment(train_of([2.0, 1.0]))


def test_signals_of_another_length_are_named():
    current = nc.simulation.stimuli.steps([1.0], 5.0, 1e-3)
    with pytest.raises(DataError, match="lasts 10 s"):
        nc.Experiment(train_of([1.0]), current)
    voltage = neo.AnalogSignal(np.zeros(10_000), units="mV", sampling_rate=current.sampling_rate)
    with pytest.raises(DataError, match="differ"):
        nc.Experiment(train_of([1.0]), current, voltage)


def test_repeats_of_different_currents_are_named():
    currents = [
        nc.simulation.stimuli.frozen_noise(10.0, 1e-3, mean=0.0, standard_deviation=1.0, seed=s)
        for s in (1, 2)
    ]
    experiment = nc.Experiment([train_of([1.0])] * 2, currents)
    with pytest.raises(DataError, match="frozen"):
        _ = experiment.frozen_current


def test_a_test_set_is_needed_to_evaluate(result):
    with pytest.raises(DataError, match="no test set"):
        nc.evaluate(result, nc.Experiment(train_of([1.0])))


def test_two_spikes_in_a_step_are_named():
    times = np.sort(np.concatenate([np.arange(1.0, 9.0, 0.1), [1.0001]]))
    with pytest.raises(DataError, match="one time step"):
        nc.fit(nc.models.gif(), nc.Experiment(train_of(times)), dt=1e-3)
