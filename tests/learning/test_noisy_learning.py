"""Noisy neurons and learned thresholds in networks: properties stated in both papers."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr
from small_tasks import few_digits

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import Dense, Layer, Network, Readout, Settings, Surrogate, train
from neurocode.learning.trainable import trainable

DT = 1e-3


@eqx.filter_jit
def spikes_of(layer, *arguments):
    """Spikes of a layer as one program, instead of one for every operation."""
    return layer(*arguments)


def layer_of(model, n_in=6, n=200, key=0, **options):
    options.setdefault("surrogate", None if model.noise else Surrogate("arctan", 2.0))
    return Layer(Dense(n_in, n, key=jax.random.key(key)), model, DT, **options)


def single_step(model, drive, n=200_000):
    """Return the share of neurons that spike in one step from rest, for neurons with the same
    input."""
    layer = layer_of(model, 1, n)
    layer = eqx.tree_at(lambda own: own.connection.weight, layer, jnp.full((1, n), drive))
    return float(jnp.mean(spikes_of(layer, jnp.ones((1, 1, 1)), jax.random.key(1))))


@pytest.mark.parametrize(
    ("mode", "width"), [("escape", 1.0), ("diffusive", 1.0), ("both", np.sqrt(2.0))]
)
@pytest.mark.parametrize("drive", [0.4, 0.9, 1.3])
def test_a_layer_fires_with_the_published_probability(mode, width, drive):
    """P = Phi(x / (width sigma)), sigma 0.3: escape, diffusive and the released double noise; five
    standard errors (6e-7)."""
    truth = ndtr((drive - 1.0) / (width * 0.3))
    rate = single_step(nc.models.noisy_lif(mode), drive)
    assert abs(rate - truth) < 5 * np.sqrt(truth * (1 - truth) / 200_000)


def test_double_noise_leaves_the_membrane_with_its_stationary_variance():
    """Far below threshold sigma^2 / (1 - 1/4) = 1.33 sigma^2: with P(spike) = Phi((m - 1)/sqrt(1.33
    + 1) sigma) in late steps."""
    model = nc.models.noisy_lif("both").with_parameters(scale=0.2, sigma=0.2)
    drive, n = 0.05, 20_000
    layer = layer_of(model, 1, n)
    layer = eqx.tree_at(lambda own: own.connection.weight, layer, jnp.full((1, n), drive))
    spikes = spikes_of(layer, jnp.ones((40, 1, 1)), jax.random.key(2))[20:]
    truth = ndtr((2 * drive - 1.0) / (0.2 * np.sqrt(4 / 3 + 1)))
    found = float(np.mean(spikes))
    assert abs(found - truth) < 0.1 * truth + 5 * np.sqrt(truth / spikes.size)


def test_noise_to_zero_fires_the_deterministic_spikes():
    """Steps whose margin a noise of 1e-3 could turn are few: at most one spike in a thousand
    differs, and none in ten neurons."""
    x = jax.random.normal(jax.random.key(5), (60, 8, 6)) * 3
    still = np.asarray(spikes_of(layer_of(nc.models.noisy_lif("none")), x))
    for mode in ("escape", "diffusive", "both"):
        small = {
            name: 1e-3
            for name in ("scale", "sigma")
            if name in nc.models.noisy_lif(mode).parameters
        }
        layer = layer_of(nc.models.noisy_lif(mode).with_parameters(small))
        noisy = np.asarray(spikes_of(layer, x, jax.random.key(0)))
        assert still.mean() > 0.05
        assert np.sum(np.abs(noisy - still)) < 0.01 * still.sum()


def test_a_noisy_neuron_is_reset_if_and_only_if_it_spikes():
    """Replayed from its spikes, v stays the leaky sum of inputs since the last one (snnTorch drew
    spike and reset apart)."""
    model = nc.models.noisy_lif("escape")
    x = jax.random.uniform(jax.random.key(1), (50, 4, 6)) * 2
    layer = layer_of(model, n=30)
    spikes = np.asarray(spikes_of(layer, x, jax.random.key(3)))
    step = nc.simulation.step_function(model, DT)
    current, names = layer.connection(x), step.prepare(model.values)
    state = step.initial_state(names, current.shape[1:])
    potential = np.zeros(current.shape[1:])
    advance = jax.jit(
        lambda state, now, fired: step(state, now, names, jax.random.key(0), spikes=fired)[0]
    )
    for now, fired in zip(np.asarray(current), spikes, strict=True):
        state = advance(state, now, fired > 0)
        potential = (0.5 * potential + now) * (fired == 0)
        np.testing.assert_allclose(state["v"], potential, atol=1e-6)
    assert 0.05 < spikes.mean() < 0.95


def test_raising_a_threshold_lowers_the_rate_and_the_gradient_says_so():
    """dL/dV_th = -sum e h': with L the spike count of each neuron its gradient by its own threshold
    is negative."""
    x = jnp.abs(jax.random.normal(jax.random.key(2), (30, 16, 6)))
    for model in (nc.models.noisy_lif("none"), nc.models.noisy_lif("escape")):
        layer = layer_of(model, n=40, learned=("theta",))

        def count(thresholds, in_layer=layer):
            return jnp.sum(with_thresholds(in_layer, thresholds)(x, jax.random.key(0)))

        place = layer.intrinsic.coordinates["theta"]
        assert float(jnp.max(jax.jit(jax.grad(count))(place))) < 0
        counts = [float(jax.jit(count)(place + up)) for up in (0.0, 0.02, 0.05)]
        assert counts[0] > counts[1] > counts[2]


def with_thresholds(layer, place):
    return eqx.tree_at(lambda module: module.intrinsic.coordinates["theta"], layer, place)


def test_the_gradient_of_a_single_spike_is_that_of_its_probability():
    """One step, no reset afterwards, a linear loss: the mean straight-through gradient is dP/dw
    exactly, by every family."""
    for family in ("gaussian", "logistic", "triangular", "uniform"):
        layer = layer_of(nc.models.noisy_lif("escape", family), 1, 1)
        weight = jnp.asarray([[0.9]])

        def fired(weight, neuron=layer):
            return jnp.sum(
                eqx.tree_at(lambda part: part.connection.weight, neuron, weight)(
                    jnp.ones((1, 1, 1)), jax.random.key(0)
                )
            )

        noise, values = layer.model.noise, layer.model.values
        expected = float(noise.density(jnp.asarray(0.9 - 1.0), values, DT))
        assert float(jax.jit(jax.grad(fired))(weight)[0, 0]) == pytest.approx(expected, rel=1e-5)


def width_of(layer):
    """Return the learned coordinate of the width of the noise."""
    return layer.intrinsic.coordinates["scale"]


def spikes_by_width(layer, x):
    """Number of spikes of a layer as a function of the coordinate of its width."""
    return lambda width: jnp.sum(eqx.tree_at(width_of, layer, width)(x, jax.random.key(0)))


def test_noise_strengths_learn_for_a_layer_or_for_each_neuron():
    """The gradient of a shared width is the sum of those of the neurons."""
    x = jnp.abs(jax.random.normal(jax.random.key(2), (20, 8, 6)))
    model = nc.models.noisy_lif("escape")
    gradients = []
    for shared in ((), ("scale",)):
        layer = layer_of(model, n=12, learned=("scale",), shared=shared)
        gradients.append(jax.jit(jax.grad(spikes_by_width(layer, x)))(width_of(layer)))
    assert gradients[0].shape == (12,) and gradients[1].shape == ()
    assert float(gradients[1]) == pytest.approx(float(jnp.sum(gradients[0])), rel=1e-4)
    with pytest.raises(ModelError, match="not learned"):
        layer_of(model, n=12, shared=("scale",))


def digits_network(learned=("theta",), mode="none"):
    task = few_digits()
    a, b = jax.random.split(jax.random.key(0))
    model = nc.models.noisy_lif(mode)
    spike = Surrogate("arctan", 2.0) if mode == "none" else None
    layer = Layer(Dense(64, 40, key=a), model, DT, learned=learned, surrogate=spike)
    return task, Network([layer, Readout(Dense(40, 10, key=b), DT, 4e-3)])


@pytest.mark.long
def test_thresholds_alone_weights_alone_or_both_learn():
    """TL leaves all weights unchanged, SL all thresholds, and STL neither; all are above chance (10
    %)."""
    task, net = digits_network()
    all_learned = train(net, task, settings=Settings(epochs=3, learning_rate=0.01))
    thresholds = train(net, task, settings=Settings(epochs=8, learning_rate=0.05, weights=False))
    weights = train(digits_network(())[1], task, settings=Settings(epochs=3, learning_rate=0.01))

    def same(result, start, where):
        return bool(jnp.array_equal(where(result.last), where(start)))

    weight, place = (
        lambda n: n.layers[0].connection.weight,
        lambda n: n.layers[0].intrinsic.coordinates["theta"],
    )
    assert same(thresholds, net, weight) and same(
        thresholds, net, lambda n: n.readout.connection.weight
    )
    assert (
        not same(thresholds, net, place)
        and not same(all_learned, net, place)
        and not same(all_learned, net, weight)
    )
    assert not same(weights, net, weight)
    assert min(all_learned.test_score, weights.test_score) > 0.5 and thresholds.test_score > 0.15
    with pytest.raises(ModelError, match="no intrinsic parameter"):
        trainable(digits_network(())[1], weights=False)
