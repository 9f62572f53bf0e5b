"""Escape noise: distribution, density, Brian2 text and logarithms agree."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import neurocode as nc
from neurocode.models.noise import FAMILIES, EscapeNoise
from neurocode.simulation.evaluate import evaluate
from neurocode.simulation.jax_engine import run_jax
from neurocode.simulation.statements import parse

PARAMETERS = {"scale": 0.4, "rate": 1000.0}
DT = 1e-3


def noise_of(family):
    return EscapeNoise(family, "scale", "rate" if family == "exponential" else "")


@pytest.mark.parametrize("family", FAMILIES)
def test_density_is_the_derivative_of_the_probability(family):
    noise = noise_of(family)
    with jax.enable_x64(True):
        margins = jnp.asarray([-0.37, -0.1, 0.02, 0.11, 0.33])
        slope = jax.vmap(jax.grad(lambda x: noise.probability(x, PARAMETERS, DT)))
        density, slopes = jax.jit(lambda x: (noise.density(x, PARAMETERS, DT), slope(x)))(margins)
        np.testing.assert_allclose(density, slopes, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_brian_text_equals_the_function(family):
    noise = noise_of(family)
    with jax.enable_x64(True):
        text = parse(noise.brian_text("x"))
        found, expected = jax.jit(
            lambda x: (
                evaluate(text, {"x": x, "dt": DT, **PARAMETERS}),
                noise.probability(x, PARAMETERS, DT),
            )
        )(np.linspace(-1, 1, 41))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("family", FAMILIES)
def test_logarithms_are_exact_in_both_tails(family):
    noise = noise_of(family)
    with jax.enable_x64(True):
        (log_spike, log_none), probability = jax.jit(
            lambda x: (
                noise.log_probabilities(x, PARAMETERS, DT),
                noise.probability(x, PARAMETERS, DT),
            )
        )(np.array([-0.3, 0.0, 0.3, -20.0]))
        near, far = slice(3), (log_spike[3], log_none[3])
        np.testing.assert_allclose(np.exp(log_spike[near]), probability[near], rtol=1e-12)
        np.testing.assert_allclose(
            np.exp(log_spike[near]) + np.exp(log_none[near]), 1.0, rtol=1e-12
        )
        assert np.isfinite(far[0]) and far[0] < -40 and abs(far[1]) < 1e-12


def test_exponential_hazard_in_the_far_tail():
    noise = noise_of("exponential")
    with jax.enable_x64(True):
        log_spike, _ = noise.log_probabilities(jnp.asarray(-40.0), PARAMETERS, DT)
        assert float(log_spike) == pytest.approx(-100.0, abs=1e-9)


def test_a_lapse_rate_bounds_the_hazard_from_below():
    noise = EscapeNoise("exponential", "scale", "rate", "lapse")
    parameters = {**PARAMETERS, "lapse": 0.05}
    with jax.enable_x64(True):
        far = float(noise.probability(jnp.asarray(-30.0), parameters, DT))
        assert far == pytest.approx(0.05 * DT, rel=1e-4)
        text = evaluate(
            parse(noise.brian_text("x")), {"x": jnp.asarray(-0.9), "dt": DT, **parameters}
        )
        assert float(text) == pytest.approx(
            float(noise.probability(jnp.asarray(-0.9), parameters, DT)), rel=1e-12
        )
        slope = jax.grad(lambda x: noise.probability(x, parameters, DT))(-0.7)
        assert float(noise.density(jnp.asarray(-0.7), parameters, DT)) == pytest.approx(
            float(slope), rel=1e-12
        )


@pytest.mark.parametrize("margin", [-0.5, 0.4, 3.0, 20.0])
def test_a_ceiling_bounds_the_hazard_from_above(margin):
    noise = EscapeNoise("exponential", "scale", "rate", "lapse", "ceiling")
    parameters = {**PARAMETERS, "lapse": 0.05, "ceiling": 400.0}
    with jax.enable_x64(True):
        probability = float(noise.probability(jnp.asarray(margin), parameters, DT))
        assert probability < -np.expm1(-(400.0 + 0.05) * DT) + 1e-12
        text = evaluate(
            parse(noise.brian_text("x")), {"x": jnp.asarray(margin), "dt": DT, **parameters}
        )
        assert float(text) == pytest.approx(probability, rel=1e-9)
        slope = jax.grad(lambda x: noise.probability(x, parameters, DT))(margin)
        assert float(noise.density(jnp.asarray(margin), parameters, DT)) == pytest.approx(
            float(slope), rel=1e-9
        )


def test_released_double_noise_widens_the_firing_probability_by_root_two():
    """One step from rest: P = Phi(x / (sqrt 2 sigma)); 40 000 draws, bound of five standard errors
    (false alarm 6e-7)."""
    n, drive, sigma = 40_000, 0.4, 0.3
    expected = {"escape": 1.0, "diffusive": 1.0, "both": np.sqrt(2)}
    for mode, widening in expected.items():
        model = nc.models.noisy_lif(mode)
        run = run_jax(model, 1e-3, 1, n, parameters={}, stimulus=np.full(1, drive), seed=3)
        share = sum(len(steps) for steps in run.spike_steps) / n
        truth = norm.cdf((drive - 1.0) / (widening * sigma))
        assert abs(share - truth) < 5 * np.sqrt(truth * (1 - truth) / n), mode
