"""Integrators against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import neurocode as nc
from neurocode.models import NeuronModel, Parameter


def linear_model(a, integrator, tau_u="10 ms", tau_w="30 ms"):
    return NeuronModel(
        name="linear",
        equations="du/dt = (-u - w + I)/tau_u : 1\ndw/dt = (a*u - w)/tau_w : 1\nI : 1",
        margin="u - 1000",
        reset="u = 0",
        integrator=integrator,
        parameters={"a": Parameter(a), "tau_u": Parameter.of(tau_u), "tau_w": Parameter.of(tau_w)},
    )


@pytest.mark.parametrize("a", [0.0, 0.5, 5.0, 500.0, -0.9])
@pytest.mark.parametrize("dt", [1e-4, 1e-3, 5e-3])
@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_matrix_exponential_is_exact_also_when_the_neuron_oscillates(a, dt, engine):
    model = linear_model(a, "matrix_exponential")
    n = 60
    block = nc.simulate(model, np.ones(n), dt=dt, record=("u", "w"), engine=engine)
    matrix = np.array([[-1 / 0.01, -1 / 0.01], [a / 0.03, -1 / 0.03]])
    steady = np.linalg.solve(-matrix, [1 / 0.01, 0.0])
    truth = np.stack([steady - expm(matrix * k * dt) @ steady for k in range(n)])
    ours = np.stack([block.segments[0].analogsignals[k].magnitude[:, 0] for k in (0, 1)], axis=1)
    np.testing.assert_allclose(ours, truth, atol=1e-11 * np.max(np.abs(truth)))


def test_matrix_exponential_handles_a_defective_system():
    model = linear_model(0.0, "matrix_exponential", tau_w="10 ms")
    block = nc.simulate(model, np.ones(50), dt=1e-3, record=("u",), engine="jax")
    np.testing.assert_allclose(
        block.segments[0].analogsignals[0].magnitude[:, 0],
        1 - np.exp(-np.arange(50) / 10),
        atol=1e-12,
    )


@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_symplectic_euler_keeps_the_energy_of_an_oscillator(engine):
    """Energy stays within 3 % over 4000 steps of 0.05/omega; forward Euler would grow by a factor
    of 2e4."""
    model = NeuronModel(
        name="oscillator",
        equations="dx/dt = y*omega : 1\ndy/dt = -x*omega : 1",
        margin="x - 1000",
        reset="x = 0",
        initial={"x": "1"},
        integrator="symplectic_euler",
        parameters={"omega": Parameter.of("50 Hz")},
    )
    block = nc.simulate(model, duration=4.0, dt=1e-3, record=("x", "y"), engine=engine)
    x, y = (signal.magnitude[:, 0] for signal in block.segments[0].analogsignals)
    energy = x**2 + y**2
    assert energy.min() > 0.97 and energy.max() < 1.03


def test_staggered_order_is_that_of_the_text():
    forward = nc.simulate(
        linear_model(5.0, "symplectic_euler"), np.ones(2), dt=1e-3, record=("u", "w"), engine="jax"
    )
    u, w = (signal.magnitude[:, 0] for signal in forward.segments[0].analogsignals[:2])
    assert u[1] == pytest.approx(0.1) and w[1] == pytest.approx(5.0 * 0.1 / 30)
