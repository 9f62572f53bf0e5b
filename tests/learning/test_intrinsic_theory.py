"""What learned intrinsic parameters add: which of them enlarge what a neuron can do, and where a
step downhill is one."""

from __future__ import annotations

import itertools
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.learning import Dense, Layer, Surrogate
from neurocode.simulation import step_function

DT, STEPS = 1e-3, 16
X = np.random.default_rng(0).random((STEPS, 1)).round(2)


MODELS = {"lif": nc.models.noisy_lif("none"), "meta": nc.models.meta_neuron()}
#: Weights at a time, so that grids of all sizes share a program.
AT_A_TIME = 160_000


def layer_of(name: str, **values) -> Layer:
    model = MODELS[name].with_parameters(values)
    return Layer(Dense(1, 1, key=jax.random.key(0)), model, DT)


@cache
def spikes_of(name: str):
    """Spikes (step, drive) of a neuron as a program of its parameters and its drive."""
    dynamics = layer_of(name).dynamics

    def visit(names, state, now):
        return dynamics.settle(dynamics.update(state, now, names, None, 0.0), names, None, 0.0)

    def spikes(names, drive):
        start = dynamics.step.initial_state(names, drive.shape[1:])
        start = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), start)
        return jax.lax.scan(partial(visit, names), start, drive)[1]

    return jax.jit(spikes)


@cache
def trains(name: str, low: float, high: float, n: int = 400, times: float = 1.0, **values):
    """All spike trains of a neuron on one input, for weights and biases on a grid, times a
    number."""
    layer, weights = layer_of(name, **values), times * grid(low, high, n)
    names = layer.dynamics.step.prepare(layer.intrinsic.values())
    found = set()
    with jax.enable_x64(True):
        for first in range(0, len(weights), AT_A_TIME):
            own = np.zeros((AT_A_TIME, 2))
            own[: len(weights) - first] = weights[first : first + AT_A_TIME]
            drive = X[:, :1] * own[:, 0] + own[:, 1]
            spikes = np.asarray(spikes_of(name)(names, drive)).astype(np.uint8)
            found |= {row.tobytes() for row in spikes.T[: len(weights) - first]}
    return found


def grid(low, high, n=400):
    """Weights from low to high, each with as many biases."""
    values = np.linspace(low, high, n)
    return np.stack([part.ravel() for part in np.meshgrid(values, values)], axis=1)


def test_a_threshold_adds_nothing_to_free_weights():
    """Weights, biases and threshold times two: every spike the same, exactly, in the neuron that
    resets to zero."""
    one, two = (
        trains("lif", -4, 12, 120, times=times, tau="5 ms", theta=times) for times in (1.0, 2.0)
    )
    assert one == two


def test_a_time_constant_adds_trains_that_no_weight_gives():
    """160 000 weights and biases at 3 ms never give most of the trains that 9 ms gives, nor do four
    times as many."""
    fast, slow = (trains("lif", -6, 18, tau=f"{tau} ms") for tau in (3, 9))
    finer = trains("lif", -6, 18, 800, tau="3 ms")
    assert len(fast) > 30 and len(slow - fast) > 0.2 * len(slow)
    assert len(slow - finer) > 0.6 * len(slow - fast)


@pytest.mark.parametrize(("name", "value"), [("a", 0.3), ("b", 1.0), ("c", -0.4), ("d", 0.3)])
def test_each_parameter_of_the_meta_neuron_adds_trains(name, value):
    """The same for a, b, c, d: its v^2 and unit u leave no scale free."""
    plain, other = trains("meta", -1, 2), trains("meta", -1, 2, **{name: value})
    finer = trains("meta", -1, 2, 800)
    assert len(other - plain) > 0.1 * len(other) and len(other - finer) > 0.6 * len(other - plain)


WEIGHTS = np.random.default_rng(1).normal(1.5, 1.0, (3, 8))
INPUTS, TARGET = np.random.default_rng(2).random((40, 3)) * 2, np.random.default_rng(3).random(8)


@partial(jax.jit, static_argnums=1)
def loss(log_tau, smooth):
    """Squared error of mean rates of eight neurons; spikes are a sigmoid of the margin, or hard
    ones with its slope."""
    step = step_function(nc.models.normalised_lif(), DT)
    names = step.prepare({"tau": jnp.exp(log_tau) * 1e-3, "theta": 1.0})

    def visit(state, current):
        state = step.integrate(state, {**names, "t": 0.0, step.inputs[0]: current}, None, None)
        margin = step.margin(state, names)
        soft = jax.nn.sigmoid(4 * margin)
        spikes = soft if smooth else jax.lax.stop_gradient((margin > 0) * 1.0 - soft) + soft
        after = step.settle(
            state, names, spikes, lambda reset, free: spikes * reset + (1 - spikes) * free
        )
        return after, spikes

    start = {name: jnp.zeros(8) for name in step.initial_state(names, (8,))}
    rates = jax.lax.scan(visit, start, jnp.asarray(INPUTS @ WEIGHTS))[1].mean(axis=0)
    return jnp.sum((rates - TARGET) ** 2)


def largest_curvature(start, direction, smooth):
    """Lipschitz constant of the gradient along a segment, measured on 200 points."""
    parts = jnp.linspace(0, 1, 201)[:, None]
    points = jax.vmap(lambda place: jax.grad(loss)(place, smooth))(start - parts * direction)
    gap = float(jnp.linalg.norm(direction)) / 200
    return max(float(jnp.linalg.norm(b - a)) / gap for a, b in itertools.pairwise(points))


@pytest.mark.long
def test_a_smooth_objective_falls_as_the_descent_lemma_says():
    """L(theta+) <= L(theta) - eta (1 - eta K/2) |g|^2 for steps up to 2/K, K measured on the
    segment, with 1 % for the grid."""
    with jax.enable_x64(True):
        start = jnp.log(jnp.linspace(4.0, 20.0, 8))
        g = jax.grad(loss)(start, True)
        for eta in (0.01, 0.1, 1.0, 3.0):
            curvature = 1.01 * largest_curvature(start, eta * g, True)
            bound = loss(start, True) - eta * (1 - eta * curvature / 2) * jnp.sum(g**2)
            assert float(loss(start - eta * g, True)) <= float(bound) + 1e-12
            if eta < 1 / curvature:
                assert float(loss(start - eta * g, True)) < float(loss(start, True))


def test_hard_spikes_have_no_such_lemma():
    """The loss of hard spikes is flat almost everywhere: small steps along the surrogate gradient
    change nothing at all, where the lemma would promise a fall of eta |g|^2/2 for whatever
    Lipschitz constant up to 1/eta."""
    with jax.enable_x64(True):
        start = jnp.log(jnp.linspace(4.0, 20.0, 8))
        slope = jax.jit(jax.grad(loss), static_argnums=1)
        start, g, smooth = map(np.asarray, (start, slope(start, False), slope(start, True)))
        assert np.sum(g**2) > 1e-3
        for eta in (1e-9, 1e-7, 1e-5):
            assert float(loss(start - eta * g, False)) == float(loss(start, False))
            assert float(loss(start - eta * smooth, True)) < float(loss(start, True))


def test_types_that_diverge_are_refused_by_name():
    """Published types T1 and T2 have a negative rate of recovery: their u grows without bound."""
    with pytest.raises(nc.errors.ModelError, match="'a'"):
        nc.models.meta_neuron().with_parameters(a=-0.009, b=0.246, c=-0.058, d=0.065)
    layer = Layer(
        Dense(1, 1, key=jax.random.key(0)),
        nc.models.meta_neuron(),
        DT,
        learned=("a",),
        surrogate=Surrogate(),
    )
    low = layer.intrinsic.model.parameters["a"].si_bounds[0]
    assert low > 0
