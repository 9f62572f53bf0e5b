"""What stands in for the derivative of a spike that was drawn: the trapezoid against closed
forms."""

from __future__ import annotations

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, log_ndtr
from scipy.stats import norm

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import Dense, Layer, Network, Readout, Surrogate, perturbations
from neurocode.learning.dynamics import Dynamics
from neurocode.models.noise import FAMILIES

DT = 1e-3


def dynamics_of(family="gaussian", draw_gradient="trapezoid", width=0.3):
    model = nc.models.noisy_lif("escape", family).with_parameters(scale=width)
    dynamics = Dynamics.of(model, DT, None, True, draw_gradient=draw_gradient)
    return dynamics, dynamics.step.prepare(
        {name: float(value) for name, value in model.values.items()}
    )


@cache
def compiled_slope(**options):
    dynamics, names = dynamics_of(**options)

    @jax.jit
    def slope(distance, fired):
        spike = lambda v: dynamics.settle({"v": v}, names, None, 0.0, fired)[1]  # noqa: E731
        return jax.jvp(spike, (distance + 1.0,), (jnp.ones_like(distance),))[1]

    return slope


def slope_of_spike(distance, fired, **options):
    """Derivative of a spike by the potential, for a neuron this far above threshold whose spike was
    drawn."""
    return np.asarray(compiled_slope(**options)(distance, jnp.full(len(distance), fired)))


def law_of(distance, **options):
    """Probability and density of a spike at these distances from threshold."""
    dynamics, names = dynamics_of(**options)
    noise = dynamics.step.noise
    found = jax.jit(lambda y: (noise.probability(y, names, DT), noise.density(y, names, DT)))
    return [np.asarray(values) for values in found(distance)]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "exponential"])
def test_the_trapezoid_weighs_the_density_by_what_was_drawn(family):
    """f/(2p) with a spike and f/(2(1 - p)) without; their mean under the draw is f, the
    straight-through derivative."""
    with jax.enable_x64(True):
        distance = jnp.asarray([-0.25, -0.1, 0.05, 0.2])
        p, f = law_of(distance, family=family)
        with_spike, without = (
            slope_of_spike(distance, fired, family=family) for fired in (1.0, 0.0)
        )
        np.testing.assert_allclose(with_spike, f / (2 * p), rtol=1e-10)
        np.testing.assert_allclose(without, f / (2 * (1 - p)), rtol=1e-10)
        straight = slope_of_spike(distance, 1.0, family=family, draw_gradient="straight_through")
        np.testing.assert_allclose(p * with_spike + (1 - p) * without, straight, rtol=1e-10)


def test_rare_spikes_have_finite_weights_in_single_precision():
    """Far below threshold, where p itself underflows: the ratio of Mills for Gaussian noise, 1 - p
    for logistic noise, halved."""
    distance = jnp.asarray([-30.0, -6.0, -1.5, 1.5, 6.0, 30.0])
    y = np.asarray(distance, float) / 0.3
    for family, log_p, log_f in (
        ("gaussian", log_ndtr(y), norm.logpdf(y)),
        ("logistic", -np.logaddexp(0, -y), None),
    ):
        expected = (np.exp(log_f - log_p) if log_f is not None else expit(-y)) / 0.6
        np.testing.assert_allclose(
            slope_of_spike(distance, 1.0, family=family), expected, rtol=5e-4, atol=1e-12
        )
        np.testing.assert_allclose(
            slope_of_spike(-distance, 0.0, family=family), expected, rtol=5e-4, atol=1e-12
        )


def test_the_trapezoid_is_exact_for_a_quadratic_loss_and_a_twelfth_off_for_a_cubic():
    """L = a o + b o^2 + c o^3: the finite difference is a + b + c, the mean of the slopes at both
    values a + b + 3c/2."""
    with jax.enable_x64(True):
        distance = jnp.asarray([-0.2])
        p, f = law_of(distance)
        for a, b, c in ((0.3, -2.0, 0.0), (1.0, 0.5, 0.7)):
            mean = {}
            for rule in ("trapezoid", "straight_through"):
                ends = [
                    slope_of_spike(distance, o, draw_gradient=rule) * (a + 2 * b * o + 3 * c * o**2)
                    for o in (0.0, 1.0)
                ]
                mean[rule] = float(((1 - p) * ends[0] + p * ends[1])[0])
            assert mean["trapezoid"] == pytest.approx(float(f[0]) * (a + b + 1.5 * c), rel=1e-10)
            assert mean["straight_through"] == pytest.approx(
                float(f[0] * (a + p[0] * (2 * b + 3 * c))), rel=1e-10
            )


def layer_of(mode="escape", **options):
    return Layer(
        Dense(2, 3, key=jax.random.key(0)),
        nc.models.noisy_lif(mode),
        DT,
        **{"surrogate": None} | options,
    )


def test_a_layer_draws_the_same_spikes_and_keeps_its_draw_gradient():
    straight, trapezoid = layer_of(), layer_of(draw_gradient="trapezoid", reset_gradient=True)
    x = 3 * np.random.default_rng(1).random((20, 4, 2), np.float32)
    spikes = [eqx.filter_jit(layer)(x, jax.random.key(2)) for layer in (straight, trapezoid)]
    assert np.array_equal(*spikes)
    network = Network([trapezoid, Readout(Dense(3, 2, key=jax.random.key(1)), DT)])
    assert (
        perturbations.membrane_noise(network, 0.1).layers[0].dynamics.draw_gradient == "trapezoid"
    )
    back = trapezoid.with_draw_gradient("straight_through")
    assert back.dynamics.draw_gradient == "straight_through" and back.dynamics.reset_gradient
    assert straight.with_draw_gradient("trapezoid").dynamics.draw_gradient == "trapezoid"


def test_layers_without_a_probability_to_differentiate_are_refused():
    with pytest.raises(ModelError, match="no escape noise, so its layer draws no spikes"):
        layer_of("diffusive", surrogate=Surrogate(), draw_gradient="trapezoid")
    with pytest.raises(ModelError, match="takes reset_gradient=True"):
        layer_of(draw_gradient="secant")
    with pytest.raises(ModelError, match="takes surrogate=None"):
        layer_of(surrogate=Surrogate(), draw_gradient="trapezoid")
    with pytest.raises(ModelError, match="or secant or trapezoid_secant, not 'midpoint'"):
        layer_of(draw_gradient="midpoint")
