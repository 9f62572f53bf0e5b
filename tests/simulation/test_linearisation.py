"""Linearised steps: closed forms of known neurons, and comparison with the step of which they are
the derivative."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.simulation import linearise

DT = 1e-3


def adlif(kind, **values):
    return linearise(
        nc.models.adlif(kind).with_parameters(q=1.0),
        DT,
        parameters={k: np.array([v]) for k, v in values.items()},
    )


def test_the_symplectic_neuron_decays_by_the_root_of_its_decays():
    """Everywhere inside the oscillatory range, whatever the coupling (Baronig et al. 2025): 2000
    neurons drawn."""
    tau_u, tau_w, place = (
        np.random.default_rng(1)
        .uniform([5e-3, 60e-3, 1e-4], [25e-3, 300e-3, 1 - 1e-4], (2000, 3))
        .T
    )
    alpha, beta = np.exp(-DT / tau_u), np.exp(-DT / tau_w)
    p = (1 - alpha) * (1 - beta)
    low, high = (np.sqrt(alpha) - np.sqrt(beta)) ** 2 / p, (np.sqrt(alpha) + np.sqrt(beta)) ** 2 / p
    values = {"tau_u": tau_u, "tau_w": tau_w, "a": low + place * (high - low)}
    linear = linearise(nc.models.adlif("symplectic").with_parameters(q=1.0), DT, parameters=values)
    np.testing.assert_allclose(linear.spectral_radius, np.sqrt(alpha * beta), atol=1e-12)


@pytest.mark.parametrize("kind", ["symplectic", "euler-forward"])
def test_constant_input_is_answered_by_one_over_one_plus_the_coupling(kind):
    linear = adlif(kind, tau_u=20e-3, tau_w=100e-3, a=7.0)
    assert abs(linear.transfer(np.array([0.0]))[0, 0] - 1 / 8) < 1e-12


def test_a_passive_membrane_has_its_impedance():
    """LIF: resistance at rest, ``R/sqrt(1 + (2 pi f tau)^2)`` at a step far below the time
    constant, and no resonance."""
    linear = linearise(nc.models.lif(), 1e-6, current=50e-12)
    frequencies = np.array([0.0, 5.0, 20.0, 80.0])
    expected = 1e8 / np.sqrt(1 + (2 * np.pi * frequencies * 20e-3) ** 2)
    np.testing.assert_allclose(np.abs(linear.transfer(frequencies)), expected, rtol=1e-4)
    assert abs(float(linear.steady[0]) - (-70e-3 + 50e-12 * 1e8)) < 1e-12
    assert linear.resonance()[0] == 0 and linear.resonance()[1] == 1 and linear.frequency == 0


def test_the_impulse_response_is_that_of_the_simulated_neuron():
    """A unit of input in one step, against the recorded membrane potential of the simulation."""
    model = nc.models.adlif().with_parameters(tau_u="25 ms", tau_w="60 ms", a=0.25, q=120.0)
    current = np.zeros(100)
    current[0] = 0.9
    trace = (
        nc.simulate(model, current, dt=DT, record=("u",), engine="jax")
        .segments[0]
        .analogsignals[0]
        .magnitude[:, 0]
    )
    response = 0.9 * linearise(model, DT).impulse_response(100)
    np.testing.assert_allclose(trace[1:], response[: len(trace) - 1], atol=1e-12)


def test_a_nonlinear_neuron_rests_where_its_simulation_does():
    """Adaptive exponential neuron: after three seconds of constant current below rheobase; with ``a
    > 0`` it resonates."""
    model = nc.models.by_name("adex")
    current = np.full(30_000, 100e-12)
    trace = (
        nc.simulate(model, current, dt=1e-4, record=("v",), engine="jax")
        .segments[0]
        .analogsignals[0]
        .rescale("V")
        .magnitude
    )
    linear = linearise(model, 1e-4, current=100e-12)
    assert abs(float(linear.steady[0]) - float(trace[-1, 0])) < 1e-6
    assert linear.spectral_radius < 1 and linear.resonance()[1] > 1.05


def test_what_cannot_be_linearised_is_refused():
    with pytest.raises(ModelError, match="xi noise"):
        linearise(nc.models.noisy_lif("diffusive"), DT)
    with pytest.raises(ModelError, match="no parameter 'c'"):
        linearise(nc.models.adlif(), DT, parameters={"c": np.ones(2)})
    with pytest.raises(ModelError, match="no steady state"):
        linearise(nc.models.by_name("eif"), 1e-4, current=5e-9)
