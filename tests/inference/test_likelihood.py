"""The clamped likelihood: equal to its definition, whatever the chunks, with exact derivatives."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import FitError
from neurocode.inference.clamped.lanes import Clamp, steps_since_spike
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.coordinates import Coordinates
from neurocode.models import Parameter

DT = 2e-4


def recording(model, seconds=4.0, seed=1, scale=1e-12, mean=110.0, spread=90.0):
    current = nc.simulation.stimuli.frozen_noise(
        seconds, DT, mean=mean, standard_deviation=spread, seed=seed, unit="1"
    )
    current = current.magnitude[:, 0] * scale
    block = nc.simulate(model, current, dt=DT, seed=seed, engine="jax")
    spikes = np.zeros(len(current), bool)
    spikes[np.round(block.segments[0].spiketrains[0].magnitude / DT).astype(int)] = True
    return Clamp(current, spikes, np.ones(len(current), bool))


@pytest.fixture(scope="module")
def gif_recording():
    return nc.models.gif(), recording(nc.models.gif())


def settled_derivatives(likelihood, z):
    start, tangents = likelihood.passes.first_start(z)
    for _ in range(40):
        result = likelihood.passes.derivatives(z, start, tangents)
        start, tangents = result.start, result.tangents
        if max(result.mismatch, result.tangent_mismatch) < 1e-10:
            break
    return likelihood.with_prior(result.value, result.gradient, result.information, z)


def test_likelihood_is_the_product_of_the_probabilities_of_the_steps(gif_recording):
    model, data = gif_recording
    likelihood = ClampedLikelihood(model, [data], DT, chunk_steps=len(data.spikes))
    z = likelihood.coordinates.to_coordinates(model.values)
    with jax.enable_x64(True):
        step, values = nc.simulation.step_function(model, DT), model.values
        state, total = step.initial_state(values), 0.0
        advance = jax.jit(lambda state, current, spike: step(state, current, values, spikes=spike))
        for current, spike in zip(data.current[:2000], data.spikes[:2000], strict=True):
            state, output = advance(state, current, spike)
            total += float(output.log_probability)
    short = Clamp(data.current[:2000], data.spikes[:2000], data.counted[:2000])
    assert ClampedLikelihood(model, [short], DT).log_likelihood(z) == pytest.approx(
        total, rel=1e-10
    )
    probability = likelihood.passes.spike_probabilities(z)[0]
    by_hand = np.sum(np.log(np.where(data.spikes, probability, 1 - probability)))
    assert likelihood.log_likelihood(z) == pytest.approx(by_hand, rel=1e-9)


#: Of 20 000 steps: equal chunks, and with a shorter one at the end. Other lengths compile other
#: programs of the same kind.
CHUNKS = [1000, 3333, pytest.param(7000, marks=pytest.mark.long)]


@pytest.mark.parametrize("chunk_steps", CHUNKS)
def test_chunking_leaves_no_trace(gif_recording, chunk_steps):
    model, data = gif_recording
    whole, cut = (
        ClampedLikelihood(model, [data], DT, chunk_steps=n) for n in (len(data.spikes), chunk_steps)
    )
    z = whole.coordinates.to_coordinates(model.values)
    assert cut.log_likelihood(z) == pytest.approx(whole.log_likelihood(z), rel=1e-9)
    first, second = settled_derivatives(whole, z), settled_derivatives(cut, z)
    np.testing.assert_allclose(
        second.gradient, first.gradient, rtol=1e-6, atol=1e-6 * np.max(np.abs(first.gradient))
    )
    np.testing.assert_allclose(
        second.information, first.information, rtol=1e-6, atol=1e-6 * np.max(first.information)
    )


@pytest.mark.parametrize("family", ["exponential", "gaussian", "logistic"])
def test_gradient_equals_finite_differences(family):
    if family == "exponential":
        model = nc.models.gif((20.0, 100.0))
        data = recording(model)
    else:
        model = replace(nc.models.noisy_lif("escape", family), integrator="exponential_euler")
        model = model.with_parameters(tau="20 ms", scale=0.5, theta=2.0)
        data = recording(model, scale=1.0, mean=0.2, spread=0.3)
    likelihood = ClampedLikelihood(model, [data], DT, chunk_steps=5000, prior_width=2.0)
    z = likelihood.coordinates.to_coordinates(model.values) + 0.05
    result = settled_derivatives(likelihood, z)
    for index, slope in enumerate(result.gradient):
        step = 1e-5 * np.eye(len(z))[index]
        values = [
            likelihood.log_likelihood(z + s) - np.sum((z + s - likelihood.origin) ** 2) / 8
            for s in (step, -step)
        ]
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(slope, rel=1e-4, abs=1e-3)


@pytest.mark.long
def test_score_has_mean_zero_and_the_fisher_information_as_variance():
    """50 simulated recordings at the truth: sum of squared scores is chi-square (false alarm
    1e-4)."""
    model = nc.models.gif((50.0,)).with_fixed("V_r")
    squares, count = 0.0, 0
    for seed in range(50):
        likelihood = ClampedLikelihood(
            model, [recording(model, seconds=2.0, seed=seed)], DT, chunk_steps=10_000
        )
        result = settled_derivatives(
            likelihood, likelihood.coordinates.to_coordinates(model.values)
        )
        squares += result.gradient @ np.linalg.solve(result.information, result.gradient)
        count += len(result.gradient)
    assert abs(squares - count) < 4 * np.sqrt(2 * count)


def test_models_that_cannot_be_fitted_are_named(gif_recording):
    _, data = gif_recording
    spikes = data.spikes.copy()
    spikes[[100, 110]] = True
    data = Clamp(data.current, spikes, data.counted)
    for model, says in (
        (nc.models.lif(), "escape noise"),
        (nc.models.noisy_lif("both"), "no xi"),
        (nc.models.gif().with_fixed("t_ref", fixed=False), "t_ref"),
        (nc.models.gif(), "refractory period"),
    ):
        with pytest.raises(FitError, match=says):
            ClampedLikelihood(model, [data], DT)


def test_steps_since_spike():
    spikes = np.array([0, 1, 0, 0, 1, 1], bool)
    np.testing.assert_array_equal(steps_since_spike(spikes)[2:], [1, 2, 3, 1])
    assert np.all(steps_since_spike(spikes)[:2] > 10**8)


def test_coordinates_are_inverse_and_respect_bounds():
    model = nc.models.gif()
    parameters = {
        **model.parameters,
        "g_L": Parameter(4.0, "nS", (0.0, np.inf)),
        "V_r": Parameter(-60.0, "mV", (-np.inf, 0.0)),
    }
    coordinates = Coordinates.of(replace(model, parameters=parameters))
    z = coordinates.to_coordinates(model.values)
    with jax.enable_x64(True):
        back = coordinates.to_values(jax.numpy.asarray(z))
        for name, value in back.items():
            assert float(value) == pytest.approx(model.values[name], rel=1e-9)
        far = coordinates.to_values(jax.numpy.asarray(z + 30.0))
    assert float(far["V_r"]) <= 0 and float(far["g_L"]) > 0 and float(far["V_T"]) <= 0.02
