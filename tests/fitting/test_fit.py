"""Fits recover the truth, say what they know, and refuse what they cannot use."""

from __future__ import annotations

import json

import neo
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, FitError

DT = 5e-4
TRUTH = nc.models.gif((20.0, 200.0)).with_parameters(g_L="5 nS", V_T="-48 mV", Delta_V="2.5 mV", a_gamma_1="6 mV")


def record(seconds, trials, seed, engine="jax"):
    current = nc.simulation.stimuli.frozen_noise(seconds, DT, mean=110.0, standard_deviation=120.0, seed=seed)
    block = nc.simulate(TRUTH, current, trials=trials, seed=seed, engine=engine)
    return [segment.spiketrains[0] for segment in block.segments], current


@pytest.fixture(scope="module")
def experiment():
    return nc.Experiment(*record(60.0, 1, 1, engine="brian2"), test=nc.Experiment(*record(6.0, 8, 2)), name="simulated")


@pytest.fixture(scope="module")
def result(experiment):
    return nc.fit(nc.models.gif((20.0, 200.0)), experiment, starts=1)


def test_fit_in_jax_recovers_what_brian2_simulated(result):
    """Every identified parameter within four standard errors (false alarm 6e-5 each)."""
    assert result.converged
    checked = 0
    for name, fitted in result.parameters.items():
        if not fitted.fixed and fitted.identified:
            assert abs(fitted.value - TRUTH.parameters[name].value) < 4 * fitted.standard_error, name
            assert fitted.interval_95[0] < fitted.value < fitted.interval_95[1]
            checked += 1
    assert checked >= 6


def test_fixed_parameters_have_no_standard_error(result):
    for name in ("C", "E_L", "t_ref", "lambda_0"):
        assert result.standard_errors[name] is None and result.parameters[name].fixed


def test_the_truth_is_no_likelier_than_the_fit(result, experiment):
    at_truth = nc.fit(TRUTH.with_fixed(*[n for n in TRUTH.free if n != "V_T"]), experiment, starts=1)
    assert result.log_likelihood >= at_truth.log_likelihood - 1e-3


def test_held_out_scores_of_a_right_model(result, experiment):
    scores = nc.evaluate(result, experiment, n_predictions=200)
    assert scores.md_star["8ms"].value == pytest.approx(1.0, abs=0.06)
    assert scores.bits_per_spike == pytest.approx(result.bits_per_spike, rel=0.2)
    assert scores.ks.statistic < 1.3 * scores.ks.band
    assert scores.recorded_rate == pytest.approx(scores.predicted_rate, rel=0.1)


def test_the_same_seed_gives_the_same_bytes(experiment):
    model = nc.models.gif((50.0,))
    first, second = (nc.fit(model, experiment, starts=2, seed=3).to_dictionary() for _ in range(2))
    for table in (first, second):
        del table["seconds"]
    assert json.dumps(first) == json.dumps(second)


def test_spike_trains_alone_are_fitted():
    trains, _ = record(20.0, 2, 5)
    fitted = nc.fit(nc.models.gif((50.0,)), trains, starts=1, dt=DT)
    assert np.isfinite(fitted.log_likelihood) and fitted.n_spikes > 100


def test_result_is_saved_with_units(result, tmp_path):
    table = json.loads(result.save(tmp_path / "fit").read_text())
    assert table["parameters"]["V_T"]["unit"] == "mV" and table["parameters"]["C"]["standard_error"] is None
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
    currents = [nc.simulation.stimuli.frozen_noise(10.0, 1e-3, mean=0.0, standard_deviation=1.0, seed=s) for s in (1, 2)]
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
