"""Fits to spikes and voltage together: the likelihood, its derivatives, and which parameters the
voltage determines."""

from __future__ import annotations

from dataclasses import replace

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError, FitError
from neurocode.inference import choose_voltage, cross_validate, parametric_bootstrap
from neurocode.inference.clamped.grid import clamp
from neurocode.inference.clamped.likelihood import ClampedLikelihood

DT = 1e-3
NOISE = 0.5
TRUTH = (
    nc.models.gif((50.0,))
    .with_fixed("C", "E_L", fixed=False)
    .with_parameters(C="90 pF", E_L="-68 mV")
)


@pytest.fixture(scope="module")
def experiment():
    current = nc.simulation.stimuli.frozen_noise(
        15.0, DT, mean=110.0, standard_deviation=90.0, seed=1
    )
    segment = nc.simulate(TRUTH, current, seed=2, record=("v",), engine="brian2").segments[0]
    voltage = segment.analogsignals[0].rescale("mV")
    noise = NOISE * np.random.default_rng(3).standard_normal(voltage.shape) * voltage.units
    return nc.Experiment(segment.spiketrains[0], current, voltage + noise)


@pytest.fixture(scope="module")
def fitted(experiment):
    return nc.fit(
        nc.models.gif((50.0,)).with_fixed("C", "E_L", fixed=False),
        experiment,
        starts=1,
        voltage=0.01,
    )


def test_objective_is_the_spikes_plus_the_profile_of_a_gaussian(experiment):
    data = clamp(experiment.repeats[0], DT, voltage=0.01)
    likelihood = ClampedLikelihood(TRUTH, [data], DT, chunk_steps=1000)
    z = likelihood.coordinates.to_coordinates(TRUTH.values)
    passes = likelihood.passes
    value = passes.derivatives(z, *passes.first_start(z)).value
    residual = passes.voltage_residual(z) * 1e3
    n = passes.n_voltages
    assert residual == pytest.approx(NOISE, abs=4 * NOISE / np.sqrt(2 * n))
    by_hand = likelihood.log_likelihood(z) - 0.5 * n * (
        np.log(2 * np.pi * (residual * 1e-3) ** 2) + 1
    )
    assert value == pytest.approx(by_hand, rel=1e-9)


def test_gradient_with_voltage_equals_finite_differences(experiment):
    data = clamp(experiment.repeats[0], DT, voltage=0.01)
    likelihood = ClampedLikelihood(TRUTH, [data], DT, chunk_steps=len(data.spikes))
    z = likelihood.coordinates.to_coordinates(TRUTH.values)

    def at(point):
        return likelihood.passes.derivatives(point, *likelihood.passes.first_start(point))

    gradient, step = at(z).gradient, 1e-5
    numeric = [
        (at(z + step * e).value - at(z - step * e).value) / (2 * step) for e in np.eye(len(z))
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-4 * np.max(np.abs(gradient)))


def test_voltage_pins_what_spikes_leave_open(fitted):
    """All ten free parameters lie within four standard errors (false alarm 6e-4 in total); the
    residual is the noise that was added."""
    assert fitted.converged and fitted.rank == len(fitted.model.free)
    for name in fitted.model.free:
        parameter = fitted.parameters[name]
        assert abs(parameter.value - TRUTH.parameters[name].value) < 4 * parameter.standard_error, (
            name
        )
    assert (
        fitted.parameters["C"].standard_error < 2.0
        and fitted.parameters["E_L"].standard_error < 1.0
    )
    assert fitted.goodness["voltage_residual"] == pytest.approx(NOISE * 1e-3, rel=0.1)
    assert fitted.to_dictionary()["voltage_residual"]["unit"] == "mV"


def test_voltage_is_compared_away_from_spikes_and_every_ten_milliseconds(experiment):
    data = clamp(experiment.repeats[0], DT, voltage=0.01)
    compared = np.flatnonzero(np.isfinite(data.voltage))
    gaps = compared[:, None] - np.flatnonzero(data.spikes)
    assert (
        np.all((gaps > 10) | (gaps < -2))
        and np.all(np.diff(compared) % 10 == 0)
        and compared[0] * DT >= 0.5
    )
    np.testing.assert_array_equal(
        data.voltage[compared], experiment.repeats[0].voltage[compared + 1]
    )


def test_cross_validation_leaves_out_the_voltage_of_a_block_too(experiment, fitted):
    assert cross_validate(TRUTH, fitted, experiment).bits_per_spike == pytest.approx(
        fitted.bits_per_spike, abs=0.3
    )


def test_what_a_voltage_fit_cannot_do_is_named(experiment, fitted):
    with pytest.raises(DataError, match="was not recorded"):
        nc.fit(
            TRUTH,
            nc.Experiment(
                nc.simulate(TRUTH, duration=1.0, engine="jax").segments[0].spiketrains[0]
            ),
            voltage=0.01,
        )
    with pytest.raises(FitError, match="bootstrap"):
        parametric_bootstrap(fitted, experiment, n_samples=2)
    renamed = replace(
        TRUTH,
        equations=TRUTH.equations.replace("dv/dt", "du/dt").replace("- v)", "- u)"),
        margin="u - theta",
        reset=TRUTH.reset.replace("v =", "u ="),
        initial={"u": "E_L"},
    )
    with pytest.raises(FitError, match="no state 'v'"):
        nc.fit(renamed, experiment, voltage=0.01)


@pytest.mark.long
def test_a_voltage_that_belongs_to_another_recording_is_not_used(experiment):
    """The spikes are combined with the voltage of a run under another current, which does not
    improve the prediction of the last third."""
    repeat = experiment.repeats[0]
    other = nc.simulation.stimuli.frozen_noise(
        15.0, DT, mean=150.0, standard_deviation=200.0, seed=9
    )
    voltage = (
        nc.simulate(TRUTH, other, seed=3, record=("v",), engine="brian2")
        .segments[0]
        .analogsignals[0]
    )
    train = neo.SpikeTrain(repeat.spike_times, units="s", t_stop=repeat.duration)
    current = neo.AnalogSignal(repeat.current[:, None], units="A", sampling_period=DT * pq.s)
    choice = choose_voltage(nc.models.gif((50.0,)), nc.Experiment(train, current, voltage))
    assert choice.interval is None and choice.bits_voltage < choice.bits_spikes + 0.02
