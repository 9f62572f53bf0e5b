"""First-passage densities against closed forms, against simulation, and their derivatives."""

from __future__ import annotations

import jax
import mpmath
import numpy as np
import pytest
from scipy.stats import invgauss, kstest

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.inference.passage import Intervals, interval_distribution, log_density_function
from neurocode.inference.passage.equations import passage_equations
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.passage.resolution import mesh_of
from neurocode.models import NeuronModel, Parameter

TIMES = np.array([6.0, 8.0, 12.0, 16.0, 24.0, 40.0, 80.0, 120.0]) * 1e-3


def leaky_distribution(times, mean, deviation, tau):
    """Distribution function of the passage from 0 to 1, by inverting its closed Laplace transform
    (Siegert 1951)."""
    reset, threshold = (mpmath.sqrt(2) * (x - mean) / deviation for x in (0, 1))

    def transform(s):
        exponent = mpmath.exp((reset**2 - threshold**2) / 4)
        return exponent * mpmath.pcfd(-s * tau, -reset) / mpmath.pcfd(-s * tau, -threshold) / s

    with mpmath.workdps(15):
        return np.array([float(mpmath.invertlaplace(transform, t, method="talbot")) for t in times])


def test_distribution_of_a_leaky_neuron_is_its_closed_laplace_transform():
    """Within 1e-5."""
    model = nc.models.lif_diffusive().with_parameters(t_ref=0.0)
    v = model.values
    mean, deviation = (
        (v["E_L"] - v["V_r"] + v["mu"] * v["tau"]) / 10e-3,
        v["sigma"] * np.sqrt(v["tau"]) / 10e-3,
    )
    _, cumulative = interval_distribution(model, TIMES)
    assert np.max(np.abs(cumulative - leaky_distribution(TIMES, mean, deviation, v["tau"]))) < 1e-5
    _, shifted = interval_distribution(model.with_parameters(t_ref=3.0), TIMES + 3e-3)
    assert np.max(np.abs(shifted - cumulative)) < 1e-5


@pytest.mark.parametrize("strength", [2.0, 4.0, 8.0])
def test_distribution_of_a_perfect_integrator_is_inverse_gaussian(strength):
    """Within 1e-5 for CVs from 0.28 to 1.1."""
    model = NeuronModel(
        name="perfect",
        equations="dv/dt = mu + sigma*xi : 1",
        margin="v - 1",
        reset="v = 0",
        within_step=True,
        parameters={"mu": Parameter.of("50 Hz"), "sigma": Parameter(strength, "Hz**0.5")},
    )
    law = invgauss(mu=(1 / 50) * strength**2, scale=1 / strength**2)
    times = law.ppf([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
    density, cumulative = interval_distribution(model, times)
    assert np.max(np.abs(cumulative - law.cdf(times))) < 1e-5
    np.testing.assert_allclose(density, law.pdf(times), rtol=1e-3)


@pytest.mark.parametrize(
    "name",
    [
        "eif-diffusive",
        "qif-diffusive",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("lif-diffusive-periodic", "adaptive-lif-diffusive")
        ),
    ],
)
def test_distributions_without_a_closed_form_agree_with_a_refined_solution(name):
    """Within 1e-5 of 2.5 times the cells and the time steps."""
    model = nc.models.by_name(name)
    model = model.with_parameters(drive_cos=0.2, frequency=40.0) if "periodic" in name else model
    (_, plain), (_, refined) = (
        interval_distribution(model, 1.5 * TIMES, typical=0.04, resolution=r) for r in (1.0, 2.5)
    )
    assert np.max(np.abs(plain - refined)) < 1e-5


def test_density_integrates_to_the_distribution():
    times = np.linspace(1e-4, 0.2, 4000)
    density, cumulative = interval_distribution(nc.models.eif_diffusive(), times)
    integral = np.concatenate([[0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(times))])
    np.testing.assert_allclose(integral, cumulative - cumulative[0], atol=2e-5)


@pytest.mark.parametrize(
    "name",
    [
        "lif-diffusive",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("adaptive-lif-diffusive", "eif-diffusive-periodic")
        ),
    ],
)
def test_simulated_intervals_are_uniform_once_rescaled(name):
    """Simulations and conditional densities are both derived from the equations; they agree with a
    Kolmogorov-Smirnov p > 1e-4."""
    model = nc.models.by_name(name)
    model = (
        model.with_parameters(drive_cos=0.4, drive_sin=0.2, frequency=30.0)
        if "periodic" in name
        else model
    )
    train = (
        nc.simulate(model, duration=90, dt=2e-5, seed=2, engine="numba")
        .segments[0]
        .spiketrains[0]
        .magnitude
    )
    intervals = Intervals.of(train[train > 1.0])
    equations = passage_equations(model)
    likelihood = PassageLikelihood(
        model,
        equations,
        intervals,
        mesh_of(model, equations, intervals, 14.0, 18.0),
        extrapolate=True,
    )
    uniform = -np.expm1(likelihood.solution(likelihood.origin).log_survival[intervals.observed])
    assert len(uniform) > 1000
    assert kstest(uniform, "uniform").pvalue > 1e-4


@pytest.mark.parametrize(
    "name",
    [
        "lif-diffusive",
        "adaptive-lif-diffusive",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("adaptive-eif-diffusive", "adaptive-lif-diffusive-periodic")
        ),
    ],
)
def test_scores_are_the_derivatives_of_the_likelihood(name):
    """By every free parameter, to 1e-4 of central differences on the same mesh."""
    model = nc.models.by_name(name)
    model = (
        model.with_parameters(drive_cos=0.3, drive_sin=0.1, frequency=35.0)
        if "periodic" in name
        else model
    )
    train = (
        nc.simulate(model, duration=3, seed=3, engine="numba").segments[0].spiketrains[0].magnitude
    )
    intervals = Intervals.of(train[train > 0.5])
    equations = passage_equations(model)
    likelihood = PassageLikelihood(
        model,
        equations,
        intervals,
        mesh_of(model, equations, intervals, 10.0, 10.0),
        extrapolate=True,
    )
    z = likelihood.origin
    exact = likelihood.evaluate(z).gradient
    for k, value in enumerate(exact):
        step = np.zeros_like(z)
        step[k] = 1e-5
        numeric = (likelihood.log_likelihood(z + step) - likelihood.log_likelihood(z - step)) / 2e-5
        assert value == pytest.approx(numeric, rel=1e-4, abs=1e-4), model.free[k]


def test_log_density_is_differentiable_in_jax_both_ways():
    function = log_density_function(nc.models.lif_diffusive(), TIMES)
    with jax.enable_x64(True):
        point = {"mu": 0.35, "sigma": 0.0316}
        forward, backward = (
            jax.jit(way(function))(point)["mu"] for way in (jax.jacfwd, jax.jacrev)
        )
        numeric = (
            function({**point, "mu": 0.35 + 1e-5}) - function({**point, "mu": 0.35 - 1e-5})
        ) / 2e-5
        np.testing.assert_allclose(forward, backward, rtol=1e-12)
        np.testing.assert_allclose(forward, numeric, rtol=1e-5)


def test_models_that_are_no_passage_are_refused():
    with pytest.raises(ModelError, match="escape noise"):
        passage_equations(nc.models.gif())
    with pytest.raises(ModelError, match="exactly one state must carry the noise"):
        passage_equations(
            NeuronModel(
                "still", "dv/dt = -v/tau : 1", "v - 1", "v = 0", {"tau": Parameter.of("1 ms")}
            )
        )
    scaled = NeuronModel(
        "scaled",
        "dv/dt = -v/tau + v*xi/tau**0.5 : 1",
        "v - 1",
        "v = 0",
        {"tau": Parameter.of("1 ms")},
    )
    with pytest.raises(ModelError, match="must be additive"):
        passage_equations(scaled)
    coupled = NeuronModel(
        "coupled",
        "dv/dt = (1 - v - w)/tau + xi/tau**0.5 : 1\ndw/dt = (v - w)/tau : 1",
        "v - 1",
        "v = 0",
        {"tau": Parameter.of("1 ms")},
    )
    with pytest.raises(ModelError, match="'w' depends on 'v'"):
        passage_equations(coupled)
    with pytest.raises(DataError, match="positive"):
        interval_distribution(nc.models.lif_diffusive(), np.array([0.0, 0.1]))
