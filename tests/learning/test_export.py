"""A trained network outside neurocode: Brian2 fires the same spikes, and NIR holds the same
network."""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import nir
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
    Settings,
    Surrogate,
    from_nir,
    run_in_brian,
    tasks,
    to_nir,
    train,
)
from neurocode.learning.intrinsic import Intrinsic


def ecg_network(key=0, n=36):
    keys = jax.random.split(jax.random.key(key), 8)
    layers = [
        Layer(
            Dense(n_in, n, key=keys[3 * k]),
            nc.models.adlif(),
            1e-3,
            recurrent=Recurrent(n, orthogonal=True, key=keys[3 * k + 1]),
            learned=("tau_u", "tau_w", "a", "b"),
            spread=True,
            surrogate=Surrogate("slayer", 5.0, 0.5),
            key=keys[3 * k + 2],
        )
        for k, n_in in enumerate((4, n))
    ]
    layers = [
        eqx.tree_at(lambda part: part.connection.weight, layer, gain * layer.connection.weight)
        for layer, gain in zip(layers, (12.0, 55.0), strict=True)
    ]
    return Network([*layers, Readout(Dense(n, 6, key=keys[6]), 1e-3, 3e-3)])


@eqx.filter_jit
def answer(net, x):
    """What a network gives, as one program instead of one for every operation."""
    return net(x)


def in_float64(net, x):
    with jax.enable_x64(True):
        response = answer(
            jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), net),
            jnp.asarray(x, float),
        )
        return [np.asarray(spikes) > 0 for spikes in response.spikes], np.asarray(
            response.potentials
        )


def spread_network(n=8):
    """Two recurrent layers of adaptive neurons whose parameters differ between them, driven hard
    enough to fire."""
    net = ecg_network(n=n)
    places = lambda module: [layer.connection.weight for layer in module.layers]  # noqa: E731
    return eqx.tree_at(places, net, [2 * weight for weight in places(net)])


def test_a_network_of_neurons_that_differ_fires_the_same_spikes_in_brian2():
    """Two recurrent layers of SE-adLIF neurons, 200 steps: every spike of at least 500, potentials
    within 1e-9.

    With w updated before the reset it fails.
    """
    net = spread_network()
    x = (np.random.default_rng(0).random((200, 3, 4)) < 0.3).astype(float)
    spikes, potentials = in_float64(net, x)
    run = run_in_brian(net, x)
    assert sum(int(layer.sum()) for layer in spikes) >= 500 and all(
        layer.mean() > 0.02 for layer in spikes
    )
    for ours, brian in zip(spikes, run.spikes, strict=True):
        assert np.array_equal(ours, brian)
    assert np.max(np.abs(potentials - run.potentials)) < 1e-9
    wrong = eqx.tree_at(
        lambda module: [layer.intrinsic for layer in module.layers],
        net,
        [_before_reset(layer.intrinsic, 8) for layer in net.layers],
    )
    others = run_in_brian(wrong, x[:, :1]).spikes
    assert sum(int(np.sum(a[:, :1] != b)) for a, b in zip(spikes, others, strict=True)) > 20


@pytest.mark.long
def test_a_trained_network_fires_the_same_spikes_in_brian2(recorded_data):
    """Two recurrent layers of SE-adLIF neurons trained on ECG, 100 test traces: every spike,
    potentials within 1e-9.

    At least 2 % of unit-steps spike and at least 1e5 spikes are compared. With w updated before the
    reset it fails.
    """
    task = tasks.ecg(recorded_data / "qtdb-ecg")
    settings = Settings(epochs=2, batch_size=62, learning_rate=0.005, clip=1.5)
    net = train(ecg_network(), task, settings=settings).last
    x = np.moveaxis(task.test.inputs[:100], 0, 1)
    spikes, potentials = in_float64(net, x)
    run = run_in_brian(net, x)
    total = sum(int(layer.sum()) for layer in spikes)
    assert total >= 100_000 and total >= 0.02 * sum(layer.size for layer in spikes)
    for ours, brian in zip(spikes, run.spikes, strict=True):
        assert np.array_equal(ours, brian)
    assert np.max(np.abs(potentials - run.potentials)) < 1e-9
    wrong = eqx.tree_at(
        lambda n: [layer.intrinsic for layer in n.layers],
        net,
        [_before_reset(layer.intrinsic) for layer in net.layers],
    )
    others = run_in_brian(wrong, x[:, :5]).spikes
    assert sum(int(np.sum(a[:, :5] != b)) for a, b in zip(spikes, others, strict=True)) > 100


def test_a_network_of_currents_fires_the_same_spikes_in_brian2():
    """Two layers of neurons with synaptic currents, one recurrent, and a readout with a synapse;
    NIR has no such readout."""
    keys = jax.random.split(jax.random.key(3), 4)
    model = nc.models.by_name("lif-current")
    layers = [
        Layer(Dense(5, 20, key=keys[0]), model, 1e-3, recurrent=Recurrent(20, key=keys[1])),
        Layer(Dense(20, 12, key=keys[2]), model, 1e-3),
    ]
    layers = [
        eqx.tree_at(lambda part: part.connection.weight, layer, 9.0 * layer.connection.weight)
        for layer in layers
    ]
    net = Network([*layers, Readout(Dense(12, 3, key=keys[3]), 1e-3, 20e-3, synapse=5e-3)])
    x = (np.random.default_rng(0).random((80, 2, 5)) < 0.2).astype(float)
    spikes, potentials = in_float64(net, x)
    run = run_in_brian(net, x)
    assert all(layer.mean() > 0.01 for layer in spikes)
    assert all(np.array_equal(ours, brian) for ours, brian in zip(spikes, run.spikes, strict=True))
    assert np.max(np.abs(potentials - run.potentials)) < 1e-9
    with pytest.raises(ModelError, match="synapse"):
        to_nir(
            Network(
                [
                    Layer(
                        Dense(5, 12, key=keys[0]),
                        nc.models.normalised_lif(),
                        1e-3,
                        learned=("tau",),
                    ),
                    net.readout,
                ]
            )
        )


def _before_reset(intrinsic, n=36):
    copy = Intrinsic(replace(intrinsic.model, after_reset=()), tuple(intrinsic.coordinates), n)
    return eqx.tree_at(lambda part: part.coordinates, copy, intrinsic.coordinates)


UNITS = {"current_unit": "0.5 nA", "margin_unit": "20 mV"}


@pytest.mark.parametrize(("name", "units"), [("adlif", {}), ("lif-normalised", {}), ("lif", UNITS)])
def test_delays_biases_and_convolutions_export_exactly(name, units):
    """Delays into and inside layers, biases, refractoriness and a convolution, in float64."""
    model, keys, random = (
        nc.models.by_name(name),
        jax.random.split(jax.random.key(1), 6),
        np.random.default_rng(0),
    )
    steps = [tuple(int(d) for d in random.integers(low, 5, n)) for low, n in ((0, 32), (1, 12))]
    first = Layer(Convolution((1, 4, 4), 2, key=keys[0]), model, 1e-3, **units)
    second = Layer(
        Dense(32, 12, delay=steps[0], key=keys[1]),
        model,
        1e-3,
        recurrent=Recurrent(12, delay=steps[1], key=keys[2]),
        **units,
    )
    net = Network([first, second, Readout(Dense(12, 3, key=keys[3]), 1e-3)])
    where = [
        lambda n: n.layers[0].connection.weight,
        lambda n: n.layers[1].connection.weight,
        lambda n: n.layers[1].connection.bias,
    ]
    for place, value in zip(where, (40.0, 40.0, None), strict=True):
        old = place(net)
        net = eqx.tree_at(place, net, jnp.full(12, 0.4) if value is None else value * old)
    x = (random.random((80, 2, 16)) < 0.3).astype(float)
    spikes, potentials = in_float64(net, x)
    run = run_in_brian(net, x)
    assert all(layer.sum() > 20 for layer in spikes)
    for ours, brian in zip(spikes, run.spikes, strict=True):
        assert np.array_equal(ours, brian)
    np.testing.assert_allclose(run.potentials, potentials, atol=1e-12)


def test_the_block_of_an_exported_network_is_described():
    net = spread_network(3)
    x = (np.random.default_rng(0).random((100, 2, 4)) < 0.3).astype(float)
    run = run_in_brian(net, x)
    block = run.block()
    assert len(block.segments) == 2
    for sequence, segment in enumerate(block.segments):
        assert [spikes.name for spikes in segment.spiketrains] == [
            "0/0",
            "0/1",
            "0/2",
            "1/0",
            "1/1",
            "1/2",
        ]
        for spikes in segment.spiketrains:
            layer, neuron = map(int, spikes.name.split("/"))
            expected = np.flatnonzero(run.spikes[layer][:, sequence, neuron]) * 1e-3
            np.testing.assert_allclose(spikes.rescale("s").magnitude, expected, atol=1e-12)
    table = nc.describe(block)
    counts = np.concatenate([layer.sum(axis=(0, 1)) for layer in run.spikes])
    assert len(table) == 6 and int(table["n_spikes"].sum()) == int(counts.sum()) > 50
    with pytest.raises(DataError, match="finite inputs"):
        run_in_brian(net, np.full((4, 1, 4), np.nan))


def lif_network(bias=True):
    keys = jax.random.split(jax.random.key(3), 4)
    layer = Layer(
        Dense(4, 20, bias=bias, key=keys[0]),
        nc.models.normalised_lif(),
        1e-3,
        recurrent=Recurrent(20, key=keys[1]),
        learned=("tau",),
        spread=True,
        key=keys[2],
    )
    return Network([layer, Readout(Dense(20, 3, key=keys[3]), 1e-3)])


def test_a_network_through_a_nir_file_is_the_same(tmp_path):
    net = lif_network()
    nir.write(tmp_path / "net.nir", to_nir(net))
    again = from_nir(tmp_path / "net.nir", 1e-3)
    x = 8 * jnp.asarray(np.random.default_rng(0).random((100, 3, 4)), jnp.float32)
    first, second = answer(net, x), answer(again, x)
    assert float(first.spikes[0].sum()) > 100
    assert np.array_equal(first.spikes[0], second.spikes[0])
    np.testing.assert_allclose(first.potentials, second.potentials, atol=1e-6)


def test_what_nir_does_not_know_is_refused(tmp_path):
    with pytest.raises(ModelError, match="adlif"):
        to_nir(ecg_network(n=3))
    graph = to_nir(lif_network(bias=False))
    lif = graph.nodes["neurons_0"]
    graph.nodes["neurons_0"] = nir.IF(r=lif.r, v_threshold=lif.v_threshold, v_reset=lif.v_reset)
    with pytest.raises(ModelError, match="not a chain"):
        from_nir(graph, 1e-3)
    (tmp_path / "bad.nir").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"bad\.nir"):
        from_nir(tmp_path / "bad.nir", 1e-3)


def test_a_loop_of_nir_is_weights_alone():
    graph = to_nir(lif_network())
    weight = graph.nodes["loop_0"].weight
    graph.nodes["loop_0"] = nir.Affine(weight, np.zeros(20))
    recurrent = from_nir(graph, 1e-3).layers[0].recurrent
    np.testing.assert_allclose(recurrent.weight, weight.T, rtol=1e-6)
    for loop in (nir.Affine(weight, np.ones(20)), nir.Scale(np.ones(20))):
        graph.nodes["loop_0"] = loop
        with pytest.raises(ModelError, match=r"loop of node 'neurons_0' is a .*expected Linear"):
            from_nir(graph, 1e-3)
