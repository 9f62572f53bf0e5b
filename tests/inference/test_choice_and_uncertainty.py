"""Choice of models within the training data, uncertainty beyond standard errors, and errors that
name bad recordings."""

from __future__ import annotations

from dataclasses import replace

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError, FitError
from neurocode.inference import cross_validate, parametric_bootstrap, profile_likelihood

DT = 1e-3
TRUTH = nc.models.gif((30.0,)).with_parameters(V_T="-48 mV", Delta_V="2 mV", a_gamma_1="8 mV")


@pytest.fixture(scope="module")
def experiment():
    current = nc.simulation.stimuli.frozen_noise(
        40.0, DT, mean=100.0, standard_deviation=100.0, seed=1
    )
    return nc.Experiment(
        nc.simulate(TRUTH, current, seed=1, engine="jax").segments[0].spiketrains[0], current
    )


@pytest.fixture(scope="module")
def result(experiment):
    return nc.fit(nc.models.gif((30.0,)), experiment, starts=1)


# Bits of blocks left out are held against closed fits in passage/test_uncertainty_by_hand.py, and
# no fold sees what it is scored by in test_scores_by_hand.py.
@pytest.mark.long
def test_cross_validation_prefers_the_model_that_made_the_data(experiment, result):
    poor = (
        nc.models.gif((30.0,))
        .with_parameters(a_gamma_1=0.0, a_eta_1=0.0)
        .with_fixed("a_gamma_1", "a_eta_1")
    )
    right = cross_validate(nc.models.gif((30.0,)), result, experiment)
    wrong = cross_validate(poor, nc.fit(poor, experiment, starts=1), experiment)
    assert right.bits_per_spike > wrong.bits_per_spike
    assert len(right.folds) == 4 and right.bits_per_spike == pytest.approx(
        np.mean(right.folds), rel=0.2
    )
    assert right.bits_per_spike < result.bits_per_spike + 0.05


# The same function gives the profile of a closed likelihood in passage/test_uncertainty_by_hand.py.
@pytest.mark.long
def test_profile_agrees_with_the_standard_error(experiment, result):
    profile = profile_likelihood(result, experiment, "Delta_V")
    low, high = result.parameters["Delta_V"].interval_95
    assert profile.interval_95 == pytest.approx((low, high), rel=0.05)


@pytest.mark.long
def test_bootstrap_spread_agrees_with_the_standard_error(experiment, result):
    """30 samples: the ratio of standard deviations lies within 0.6 to 1.6 (false alarm below
    1e-3)."""
    frame = parametric_bootstrap(result, experiment, n_samples=30, seed=2)
    assert 0.6 < frame["Delta_V"].std() / result.parameters["Delta_V"].standard_error < 1.6


@pytest.mark.long
def test_a_threshold_that_drifts_is_read_from_the_time():
    """The drift of the threshold over the recording comes back within four standard errors."""
    model = nc.models.igif((30.0,)).with_fixed("V_i", "k", "tau_theta", "V_r", "g_L", "a_eta_1")
    truth = model.with_parameters(V_drift="4 mV", V_T="-60 mV")
    current = nc.simulation.stimuli.frozen_noise(
        60.0, DT, mean=60.0, standard_deviation=60.0, seed=3
    )
    train = nc.simulate(truth, current, seed=3, engine="jax").segments[0].spiketrains[0]
    fitted = nc.fit(model, nc.Experiment(train, current), starts=1).parameters["V_drift"]
    assert abs(fitted.value - 4.0) < 4 * fitted.standard_error and fitted.standard_error < 1.0


def sweep(values, unit, rate=10.0):
    return neo.AnalogSignal(np.asarray(values, float), units=unit, sampling_rate=rate * pq.kHz)


def test_bad_recordings_are_named():
    train = neo.SpikeTrain([0.05], units="s", t_stop=0.1)
    current, voltage = np.zeros(1000), np.random.default_rng(1).normal(-60, 1, 1000)
    clipped = voltage.copy()
    clipped[500:520] = 20.0
    for signals, says in (
        ((sweep(current + 1e5, "pA"), None), "unit it says"),
        ((sweep(current, "pA"), sweep(clipped, "mV")), "clipped"),
        (
            (sweep(current, "pA"), sweep(np.where(np.arange(1000) == 7, np.nan, voltage), "mV")),
            "not finite",
        ),
        ((sweep(current, "mV"), None), "expected a unit of"),
    ):
        with pytest.raises(DataError, match=says):
            nc.Experiment(train, *signals)


def test_a_start_without_a_likelihood_is_named(experiment):
    model = nc.models.gif((30.0,))
    broken = replace(model, equations=model.equations.replace("+ I)", "+ I + sqrt(v/E_L - 2)*pA)"))
    with pytest.raises(FitError, match="finite likelihood"):
        nc.fit(broken, experiment, starts=1)


def test_training_and_test_must_be_sampled_alike():
    train = neo.SpikeTrain([0.05], units="s", t_stop=0.1)
    test = nc.Experiment(train, sweep(np.zeros(2000), "pA", rate=20.0))
    with pytest.raises(DataError, match="expected the same interval"):
        nc.Experiment(train, sweep(np.zeros(1000), "pA"), test=test)


def test_a_longer_test_and_a_bursting_cell_are_said(experiment):
    bursts = np.sort(np.concatenate([np.arange(1.0, 19.0, 0.25) + k * 0.006 for k in range(3)]))
    zero = nc.simulation.stimuli.steps([0.0], 20.0, DT)
    model = TRUTH.with_fixed(
        *[name for name in TRUTH.free if name not in ("V_T", "Delta_V", "a_gamma_1")]
    )
    result = nc.fit(
        model, nc.Experiment(neo.SpikeTrain(bursts, units="s", t_stop=20.0), zero), starts=1
    )
    assert "bursts" in result.message
    with pytest.raises(FitError, match="not estimated"):
        profile_likelihood(result, experiment, "C")
    held_out = nc.Experiment([_train(experiment)] * 2, _current(experiment))
    with pytest.raises(
        DataError,
        match="The test holds a sweep of the training, expected repeats that the fit does not see",
    ):
        nc.Experiment(_train(experiment), _current(experiment), test=held_out)
    training = nc.Experiment(neo.SpikeTrain(bursts, units="s", t_stop=20.0), zero, test=held_out)
    scores = nc.evaluate(result, training, n_predictions=4)
    assert any("longer than the training" in note for note in scores.notes)


def _train(experiment):
    repeat = experiment.repeats[0]
    return neo.SpikeTrain(repeat.spike_times, units="s", t_stop=repeat.duration)


def _current(experiment):
    return neo.AnalogSignal(experiment.repeats[0].current, units="A", sampling_rate=1 / DT * pq.Hz)
