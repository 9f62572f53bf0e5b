"""A time step that is too long for a model gives one warning in one sentence; an intended one gives
none."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib import import_module

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import CoarseStepWarning, FitError
from neurocode.models import NeuronModel, Parameter
from neurocode.simulation.time_scale import time_constants, warn_of_coarse_step


def coupled(a, integrator="rk4"):
    return NeuronModel(
        "coupled",
        "du/dt = (-u - w)/tau_u : 1\ndw/dt = (a*u - w)/tau_w : 1",
        "u - 1",
        "u = 0",
        {"a": Parameter(a), "tau_u": Parameter.of("10 ms"), "tau_w": Parameter.of("30 ms")},
        integrator=integrator,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lif", [20e-3]),
        ("adlif", [6.6533e-3] * 2),
        ("gif", [0.01, 0.01, 0.025, 0.05, 0.05, 0.25, 0.25]),
        ("noisy-lif", [2e-3]),
    ],
)
def test_time_constants_are_those_of_the_text(name, expected):
    """Leak and filters stand in the text; adlif rotates at sqrt((1 + q a)/(tau_u tau_w)) = 1/6.65
    ms."""
    np.testing.assert_allclose(time_constants(nc.models.by_name(name)), expected, rtol=1e-4)
    tau_u, tau_w = 15e-3, 180e-3
    assert 1 / np.sqrt((1 + 120 * 0.5) / (tau_u * tau_w)) == pytest.approx(6.6533e-3, rel=1e-4)


def test_time_constants_are_eigenvalues_of_the_coupled_system():
    matrix = np.array([[-100.0, -100.0], [5 / 0.03, -1 / 0.03]])
    np.testing.assert_allclose(
        time_constants(coupled(5.0)), np.sort(1 / np.abs(np.linalg.eigvals(matrix))), rtol=1e-9
    )


def test_nonlinear_and_conditional_terms_have_their_slope_at_the_initial_state():
    """adex at rest: C/g_L over 1 - exp((E_L - V_T)/Delta_T), almost decoupled from w (a/g_L of 13
    %)."""
    model = nc.models.adex().with_parameters(a="0 nS")
    expected = 281 / 30 * 1e-3 / (1 - np.exp((-70.6 + 50.4) / 2))
    np.testing.assert_allclose(time_constants(model), [expected, 144e-3], rtol=1e-6)
    kinked = NeuronModel(
        "kinked",
        "dv/dt = -v*(1 + int(v > 1)*int(not v > 3))/tau : 1",
        "v - 9",
        "v = 0",
        {"tau": Parameter.of("10 ms")},
        initial={"v": "2"},
    )
    np.testing.assert_allclose(time_constants(kinked), [5e-3], rtol=1e-9)
    np.testing.assert_allclose(
        time_constants(replace(kinked, initial={"v": "4"})), [10e-3], rtol=1e-9
    )


def test_of_parameters_given_as_arrays_the_fastest_counts():
    constants = time_constants(nc.models.lif(), {"C": np.array([200e-12, 50e-12])})
    np.testing.assert_allclose(constants, [5e-3, 20e-3])
    with pytest.warns(CoarseStepWarning, match="5 ms"):
        warn_of_coarse_step(nc.models.lif(), 2.6e-3, {"C": np.array([200e-12, 50e-12])})


def test_a_coarse_step_is_named_once_in_one_sentence():
    with pytest.warns(CoarseStepWarning) as caught:
        nc.simulate(nc.models.adex(), np.full(20, 700e-12), dt=20e-3, engine="jax", trials=2)
    (named,) = (warning for warning in caught if issubclass(warning.category, CoarseStepWarning))
    assert named.filename == __file__
    assert str(named.message) == (
        "The time step of 20 ms is not small against the fastest time constant of model 'adex', "
        "9.46 ms, so spikes may come out wrong: take 0.95 ms or less."
    )
    with pytest.warns(CoarseStepWarning, match="of 50 ms"):
        warn_of_coarse_step(nc.models.adex(), 50e-3)


def test_half_of_the_fastest_time_constant_is_the_limit():
    for step, says in ((10e-3, False), (10.1e-3, True)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warn_of_coarse_step(replace(nc.models.lif(), integrator="euler"), step)
        assert bool(caught) is says


@pytest.mark.parametrize(
    ("model", "dt"),
    [
        (coupled(500.0, "matrix_exponential"), 20e-3),
        (coupled(0.0, "exact"), 20e-3),
        (nc.models.meta_neuron(), 1e-3),
        (nc.models.noisy_lif("both"), 1e-3),
        (nc.models.noisy_lif(), 1e-3),
        (nc.models.current_lif(), 1e-3),
        (nc.models.glm(), 1e-3),
        (nc.models.adlif(), 1e-3),
        (nc.models.lif_diffusive(), 4e-3),
        *((make(), 1e-4) for make in nc.models.LIBRARY.values()),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_steps_that_are_meant_pass_without_a_word(model, dt):
    """Exact integrators of linear systems, maps written for their step, and variables that follow
    at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_coarse_step(model, dt)


def test_a_map_at_another_step_and_a_slow_relaxation_are_named():
    with pytest.warns(CoarseStepWarning, match="meta-neuron"):
        warn_of_coarse_step(nc.models.meta_neuron(), 2e-3)
    with pytest.warns(CoarseStepWarning, match="0.1 ms"):
        warn_of_coarse_step(nc.models.current_lif().with_parameters(tau_open="0.1 ms"), 1e-3)


def test_a_fit_on_a_coarse_grid_is_named_too(monkeypatch):
    """A fit warns about the step of its grid before the search begins."""

    def stop(*_):
        raise FitError("stopped")

    monkeypatch.setattr(import_module("neurocode.inference.likelihood"), "search", stop)
    spikes = neo.SpikeTrain(np.arange(1.0, 39.0), units="s", t_stop=40.0)
    current = neo.AnalogSignal(np.full(4000, 0.1), units="nA", sampling_rate=100 * pq.Hz)
    says = r"step of 10 ms .* model 'gif', 10 ms"
    with (
        pytest.warns(CoarseStepWarning, match=says) as caught,
        pytest.raises(FitError, match="stopped"),
    ):
        nc.fit(nc.models.gif(), nc.Experiment(spikes, current))
    (named,) = (warning for warning in caught if issubclass(warning.category, CoarseStepWarning))
    assert named.filename == __file__
