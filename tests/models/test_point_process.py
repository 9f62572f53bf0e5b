"""The generalised linear model as equations: its rate, its likelihood, and the same spikes in
Brian2."""

from __future__ import annotations

import brian2
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import Dense, Layer, RecordedNeurons, Surrogate, TimeBasis

DT = 1e-3


def layer(model, log_rate, **options):
    glm_layer = Layer(Dense(1, 1, key=jax.random.key(0)), model, DT, **options)
    return eqx.tree_at(
        lambda k: (k.connection.weight, k.connection.bias),
        glm_layer,
        (jnp.zeros((1, 1)), jnp.array([log_rate])),
    )


def test_the_probability_is_that_of_a_rate_with_history():
    """P = 1 - exp(-exp(u - h) dt), h a sum of exponentials of the spikes before, written out."""
    random = np.random.default_rng(0)
    spikes = (random.random((60, 1, 1)) < 0.1).astype(float)
    model = nc.models.glm((5.0, 40.0)).with_parameters(a_1=2.0, a_2=0.7, tau="8 ms")
    with jax.enable_x64(True):
        neuron = jax.tree.map(
            lambda leaf: jnp.asarray(np.asarray(leaf, float)), layer(model, 4.0, surrogate=None)
        )
        logs = np.asarray(
            RecordedNeurons(neuron).log_probability(jnp.ones((60, 1, 1)), jnp.asarray(spikes))
        )[:, 0, 0]
    u, h = 0.0, np.zeros(2)
    for spike, log in zip(spikes[:, 0, 0], logs, strict=True):
        u, h = 4.0 + (u - 4.0) * np.exp(-1 / 8), h * np.exp(-1 / np.array([5.0, 40.0]))
        hazard = np.exp(u - h.sum()) * DT
        assert log == pytest.approx(np.log(-np.expm1(-hazard)) if spike else -hazard, rel=1e-6)
        h = h + spike * np.array([2.0, 0.7])


def test_without_noise_it_fires_as_often_and_without_chance():
    """At 20 Hz without history: 20 spikes a second, every 50 ms."""
    free = {f"a_{k}": 0.0 for k in range(1, 5)}
    neuron = layer(
        nc.models.glm(escape_noise=False).with_parameters(free),
        float(np.log(20.0)),
        surrogate=Surrogate(),
    )
    spikes = np.flatnonzero(np.asarray(neuron(jnp.ones((3000, 1, 1))))[:, 0, 0])
    assert len(spikes) in (58, 59, 60) and set(np.diff(spikes)) <= {50, 51}
    noisy = layer(nc.models.glm().with_parameters(free), float(np.log(20.0)), surrogate=None)
    counts = np.asarray(noisy(jnp.ones((3000, 200, 1)), jax.random.key(1))).sum(axis=0)
    assert counts.mean() == pytest.approx(60, abs=4 * np.sqrt(60 / 200))  # false alarm below 1e-4
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.45)


def test_brian_draws_the_same_rate():
    """The equations are Brian2's: 200 neurons at 30 Hz for 2 s, within four standard errors."""
    model = nc.models.glm().with_parameters({f"a_{k}": 0.0 for k in range(1, 5)})
    block = nc.simulate(
        model,
        np.full((2000, 1), np.log(30.0)) * brian2.units.fundamentalunits.Quantity(1),
        dt=DT,
        trials=200,
        seed=3,
    )
    count = sum(len(segment.spiketrains[0]) for segment in block.segments)
    assert count == pytest.approx(200 * 60, abs=4 * np.sqrt(200 * 60) + 200 * 30 * 0.005)


@pytest.mark.parametrize("times", [(), (5.0, 5.0), (-1.0,)])
def test_time_constants_that_make_no_history_are_refused(times):
    with pytest.raises(ModelError, match="time constants of a history"):
        nc.models.glm(times)


def test_knots_are_triangular_basis_functions():
    """The same values and gradients as weights on hats, and constant outside."""
    basis = TimeBasis(0.5, 0.1, 3, key=jax.random.key(2))
    times = jnp.linspace(-0.1, 0.7, 83)[:, None, None]
    hats = jnp.maximum(0, 1 - jnp.abs(jnp.clip(times, 0, 0.5) / 0.1 - jnp.arange(6)))
    np.testing.assert_allclose(basis(times), hats @ basis.weight, atol=2e-6)
    slopes = jax.grad(lambda w: jnp.sum(eqx.tree_at(lambda k: k.weight, basis, w)(times) ** 2))(
        basis.weight
    )
    np.testing.assert_allclose(
        slopes, jax.grad(lambda w: jnp.sum((hats @ w) ** 2))(basis.weight), rtol=1e-3, atol=1e-4
    )
    with pytest.raises(ModelError, match="do not fit"):
        TimeBasis(0.5, 0.6, 1, key=jax.random.key(0))
