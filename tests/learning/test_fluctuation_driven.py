"""The fluctuation-driven start: weights from the equations, rates of deep layers, and what is
refused."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import (
    Convolution,
    Dense,
    Layer,
    Network,
    Readout,
    Recurrent,
    Shortcut,
    fluctuation_driven,
)

RATE, STEP = 20.0, 1e-3


def network(depth=1, n_in=40, n=40, recurrent=False, model=None, **options):
    keys = iter(jax.random.split(jax.random.key(0), 2 * depth + 1))
    layers = []
    for _ in range(depth):
        dense, loop = Dense(n_in, n, key=next(keys)), next(keys)
        inside = Recurrent(n, key=loop) if recurrent else None
        layers.append(
            Layer(dense, model or nc.models.current_lif(), STEP, recurrent=inside, **options)
        )
        n_in = n
    return Network([*layers, Readout(Dense(n_in, 3, key=next(keys)), STEP)])


def poisson(rate=RATE, steps=120, batch=20, n=40, seed=1):
    return jnp.asarray(
        (np.random.default_rng(seed).random((steps, batch, n)) < rate * STEP).astype(np.float32)
    )


def free_potential(layer, inputs):
    """Return the potential of the current-based neuron without threshold, by its printed update in
    NumPy."""
    weighted = np.asarray(inputs, float) @ np.asarray(layer.connection.weight, float)
    current, potential, potentials = np.zeros_like(weighted[0]), np.zeros_like(weighted[0]), []
    mem, syn = np.exp(-0.1), np.exp(-0.2)
    for step_input in weighted:
        potential, current = mem * potential + (1 - mem) * current, syn * current + step_input
        potentials.append(potential)
    return np.stack(potentials)


def rates(net, inputs, key=None):
    """Return the rate of every layer in hertz, computed layer by layer so that equal layers share a
    program."""
    fire = eqx.filter_jit(lambda layer, x: layer(x, key))
    signal, rates_of_layers = inputs, []
    for layer in net.layers:
        signal = fire(layer, signal)
        rates_of_layers.append(float(signal.mean()) / STEP)
    return rates_of_layers


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (0.3, 0.5)])
def test_free_potentials_have_the_mean_and_the_deviation_that_were_asked_for(mean, deviation):
    """The printed neuron in NumPy without its threshold, Poisson inputs, after 80 ms: 100 neurons,
    400 sequences."""
    inputs = poisson(batch=400)
    net = fluctuation_driven(
        network(n=100),
        inputs,
        rate=RATE,
        mean=mean,
        deviation=deviation,
        homeostasis=False,
        key=jax.random.key(2),
    )
    potential = free_potential(net.layers[0], inputs)[80:]
    assert potential.mean() == pytest.approx(mean, abs=0.04)
    within = np.sqrt(potential.var(axis=(0, 1)).mean())
    assert within == pytest.approx(deviation, rel=0.04)


def test_recurrent_connections_bring_their_share_and_count_for_the_mean():
    """Inputs of frequency f bring n f <w^2> sum k^2 of variance and n f <w> sum k of mean; sum k is
    1/(1 - exp(-0.2))."""
    inputs, start = poisson(), network(recurrent=True, n=200)
    options = {"mean": 0.9, "recurrent_share": 0.25, "homeostasis": False, "key": jax.random.key(3)}
    layer = fluctuation_driven(start, inputs, rate=5.0, **options).layers[0]
    outside, inside = np.asarray(layer.connection.weight), np.asarray(layer.recurrent.weight)
    arriving, returning = 40 * float(inputs.mean()), 200 * 0.005
    assert returning * np.mean(inside**2) / (arriving * np.mean(outside**2)) == pytest.approx(
        0.25 / 0.75, rel=0.06
    )
    assert inside.mean() == pytest.approx(
        0.9 * (1 - np.exp(-0.2)) / (arriving + returning), rel=0.1
    )


# Recurrent layers have every term of the others.
@pytest.mark.parametrize("recurrent", [pytest.param(False, marks=pytest.mark.long), True])
def test_layers_one_to_eight_start_within_a_factor_of_two_of_the_rate(recurrent):
    """The rates hold for inputs that were not used for the start; with the equations alone the last
    layers miss them."""
    net = network(depth=8, recurrent=recurrent)
    rates_of_layers = rates(
        fluctuation_driven(net, poisson(), rate=RATE, key=jax.random.key(4)), poisson(seed=9)
    )
    assert len(rates_of_layers) == 8 and all(
        RATE / 2 < rate < 2 * RATE for rate in rates_of_layers
    ), rates_of_layers
    alone = rates(
        fluctuation_driven(net, poisson(), rate=RATE, homeostasis=False, key=jax.random.key(4)),
        poisson(seed=9),
    )
    assert not RATE / 2 < alone[-1] < 2 * RATE, alone


def test_homeostasis_multiplies_all_weights_of_a_layer_by_one_factor():
    start, inputs, key = network(recurrent=True), poisson(), jax.random.key(5)
    drawn, scaled = (
        fluctuation_driven(start, inputs, rate=RATE, homeostasis=homeostasis, key=key).layers[0]
        for homeostasis in (False, True)
    )
    factors = [
        np.asarray(b.weight / a.weight)
        for a, b in ((drawn.connection, scaled.connection), (drawn.recurrent, scaled.recurrent))
    ]
    assert np.ptp(np.concatenate([np.ravel(f) for f in factors])) < 1e-5 and not np.isclose(
        factors[0][0, 0], 1.0, rtol=1e-2
    )


@pytest.mark.parametrize(
    "model", [nc.models.adlif(), nc.models.noisy_lif("escape"), nc.models.normalised_lif()]
)
def test_neurons_of_other_models_reach_the_rate(model):
    options = {"surrogate": None} if model.noise is not None else {}
    net = fluctuation_driven(
        network(depth=2, model=model, **options), poisson(), rate=RATE, key=jax.random.key(6)
    )
    assert all(
        RATE / 2 < rate < 2 * RATE for rate in rates(net, poisson(seed=9), jax.random.key(7))
    )


def test_a_weight_of_a_model_with_units_is_in_the_unit_of_its_input():
    """An integrate-and-fire neuron in volt and ampere: where a sum of one is twice the current,
    weights are half as large."""
    inputs, networks = poisson(), []
    for unit in ("1 nA", "2 nA"):
        net = network(model=nc.models.lif(), current_unit=unit, margin_unit="20 mV")
        networks.append(
            fluctuation_driven(
                net, inputs, rate=RATE, deviation=0.5, homeostasis=False, key=jax.random.key(8)
            )
        )
    at_unit, at_half_unit = (np.asarray(net.layers[0].connection.weight) for net in networks)
    np.testing.assert_allclose(at_unit, 2 * at_half_unit, rtol=1e-4)


def refused(error, start=None, inputs=None, **options):
    start, inputs = start or network(), poisson() if inputs is None else inputs
    with pytest.raises(error) as caught:
        fluctuation_driven(start, inputs, **{"rate": RATE, "key": jax.random.key(0), **options})
    return str(caught.value)


def test_what_cannot_be_started_so_is_refused_in_a_sentence():
    assert (
        refused(DataError, inputs=jnp.zeros((10, 2, 3)))
        == "The network takes inputs of shape (time, batch, 40), not (10, 2, 3)."
    )
    assert "without any spike" in refused(DataError, inputs=jnp.zeros((10, 2, 40)))
    assert "not 2000.0, 1.0 and 0.1" in refused(ModelError, rate=2000.0)
    assert "not 20.0, 0.0 and 0.1" in refused(ModelError, deviation=0.0)
    assert "fluctuate by more than 0.01 already" in refused(ModelError, mean=0.9, deviation=0.01)
    assert "inputs with a positive mean" in refused(DataError, inputs=-poisson(), mean=0.5)
    image = Layer(Convolution((1, 4, 10), 1, key=jax.random.key(0)), nc.models.current_lif(), STEP)
    assert "layer 0 has others" in refused(
        ModelError, Network([image, Readout(Dense(40, 3, key=jax.random.key(1)), STEP)])
    )
    skipped = Layer(
        Dense(40, 40, key=jax.random.key(0)), nc.models.current_lif(), STEP, shortcut=Shortcut()
    )
    first = Layer(Dense(40, 40, key=jax.random.key(0)), nc.models.current_lif(), STEP)
    skipping = Network([first, skipped, Readout(Dense(40, 3, key=jax.random.key(1)), STEP)])
    assert "layer 1 has others" in refused(ModelError, skipping)
    message = refused(ModelError, inputs=poisson(rate=0.05), rate=500.0)
    assert "does not fire at 500 Hz with weights of any size" in message
