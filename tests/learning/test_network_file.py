"""Networks in files: bit for bit the same in both engines. Damaged and foreign files are refused,
and no code in them is run."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import (
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    JointDecision,
    Layer,
    Network,
    Pool,
    Readout,
    RecordedNeurons,
    Recurrent,
    Shortcut,
    Surrogate,
    TimeBasis,
    Voters,
    run_in_brian,
)
from neurocode.learning.network import MAGIC

DT = 1e-3
LIF = nc.models.normalised_lif()


def keys(n):
    return iter(jax.random.split(jax.random.key(3), n))


def convolutions():
    key = keys(3)
    first = Chain([Convolution((2, 4, 4), 3, pool=2, key=next(key)), BatchNorm(12, 3, 0.5)])
    norm = eqx.tree_at(
        lambda module: (module.mean, module.variance),
        first.parts[1],
        (jnp.arange(3.0), 1 + jnp.arange(3.0)),
    )
    first = eqx.tree_at(lambda module: module.parts[1], first, norm)
    second = Chain(
        [Pool((3, 2, 2), 2, highest=True), Dense(3, 12, bias=False, delay=(0, 2, 1), key=next(key))]
    )
    layers = [
        Layer(first, LIF, DT),
        Layer(second, LIF, DT, shortcut=Shortcut(1, Dense(32, 12, key=next(key))), segment=3),
    ]
    return Network(
        [
            *layers,
            Readout(
                Dense(12, 2, key=jax.random.key(1)), DT, bounds=(0.01, 0.03), key=jax.random.key(2)
            ),
        ]
    )


def units():
    key = keys(3)
    layer = Layer(
        Dense(2, 3, key=next(key)),
        nc.models.adex().with_parameters(C="190 pF"),
        DT,
        current_unit="0.37 nA",
        margin_unit="17 mV",
        recurrent=Recurrent(3, delay=(1, 2, 3), gradient=False, key=next(key)),
        learned=("g_L", "a"),
        shared=("a",),
        dropout=0.25,
        surrogate=Surrogate("slayer", 5.0, 0.3, asymptotic=True),
        reset_gradient=True,
    )
    return Network([layer, Readout(Dense(3, 2, key=next(key)), DT, 0.007, synapse=0.004)])


def voting():
    key = keys(4)
    noisy = nc.models.noisy_lif("escape", "logistic")
    options = {"surrogate": None, "draw_gradient": "trapezoid"}
    hidden = Layer(
        Dense(2, 4, key=next(key)),
        noisy,
        DT,
        learned=("theta",),
        spread=True,
        key=next(key),
        **options,
    )
    voters = Voters(Layer(Dense(4, 6, key=next(key)), noisy, DT, surrogate=None), 2)
    joint = JointDecision(voters, Readout(Dense(4, 2, key=next(key)), DT), 7)
    return Network([hidden, eqx.tree_at(lambda module: module.share, joint, jnp.asarray(0.3))])


def recorded():
    layer = Layer(
        TimeBasis(0.02, 0.005, 3, key=jax.random.key(0)), nc.models.noisy_lif(), DT, surrogate=None
    )
    return Network([RecordedNeurons(layer)])


def each_neuron():
    """Fixed thresholds that differ between neurons, as :func:`from_nir` makes them."""
    theta = replace(LIF.parameters["theta"], value=np.array([0.3, 1 / 3, 0.5]))
    model = replace(LIF, parameters={**LIF.parameters, "theta": theta})
    return Network(
        [
            Layer(Dense(2, 3, key=jax.random.key(0)), model, DT),
            Readout(Dense(3, 2, key=jax.random.key(1)), DT),
        ]
    )


NETWORKS = {make.__name__: make for make in (convolutions, units, voting, recorded, each_neuron)}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_as_it_was(tmp_path, name):
    """Every array is read back bit for bit, and every option; the responses are therefore the
    same."""
    net = NETWORKS[name]()
    again = nc.learning.load(nc.learning.save(net, tmp_path / "deep" / "network.bin"))
    assert again.table() == net.table()
    for before, after in zip(jax.tree.leaves(net), jax.tree.leaves(again), strict=True):
        assert before.dtype == after.dtype and np.array_equal(before, after)
    x = 3 * jax.random.uniform(jax.random.key(0), (7, 2, net.n_in))
    answer = eqx.filter_jit(lambda own: own(x, jax.random.key(1)))
    first, second = answer(net), answer(again)
    assert np.array_equal(first.potentials, second.potentials)


def test_double_precision_is_kept(tmp_path):
    with jax.enable_x64(True):
        net = Network([Readout(Dense(2, 2, key=jax.random.key(0)), DT)])
        assert net.readout.connection.weight.dtype == np.float64
        nc.learning.save(net, tmp_path / "network.bin")
    again = nc.learning.load(tmp_path / "network.bin")
    assert again.readout.connection.weight.dtype == np.float64
    assert np.array_equal(again.readout.connection.weight, net.readout.connection.weight)


def test_a_network_from_a_file_runs_in_brian(tmp_path):
    """Three neurons of thresholds 0.3, 1/3 and 0.5: the spikes of the network that was written,
    some from each."""
    net = eqx.tree_at(
        lambda module: module.layers[0].connection.weight, each_neuron(), jnp.full((2, 3), 2.0)
    )
    again = nc.learning.load(nc.learning.save(net, tmp_path / "network.bin"))
    x = np.random.default_rng(0).random((40, 1, 2))
    first, second = (run_in_brian(network, x) for network in (net, again))
    assert (
        np.array_equal(first.spikes[0], second.spikes[0])
        and first.spikes[0].sum(axis=(0, 1)).min() >= 2
    )
    assert np.array_equal(first.potentials, second.potentials)


def test_what_is_no_part_of_neurocode_is_not_written(tmp_path):
    class Doubled(eqx.Module):
        n_in: int = 2
        n_out: int = 2

        def __call__(self, x):
            return 2 * x

    with pytest.raises(ModelError, match="A network with a Doubled cannot be written"):
        nc.learning.save(Network([Readout(Doubled(), DT)]), tmp_path / "network.bin")
    with pytest.raises(ModelError, match="with a disturbance cannot be written"):
        nc.learning.save(
            Network([Readout(Dense(2, 2, key=jax.random.key(0)), DT)], lambda spikes, key: spikes),
            tmp_path / "a",
        )
    assert list(tmp_path.iterdir()) == []


def sealed(table, arrays=(), body=b""):
    """Return the file of a network with a correct digest."""
    header = json.dumps({"table": table, "arrays": list(arrays)}).encode()
    return b"\n".join([MAGIC, hashlib.sha256(header + body).hexdigest().encode(), header, body])


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = nc.learning.save(
        Network([Readout(Dense(2, 2, key=jax.random.key(0)), DT)]), tmp_path / "network.bin"
    )
    content = path.read_bytes()
    for number in (0, len(MAGIC) + 5, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:number] + bytes([content[number] ^ 4]) + content[number + 1 :])
        with pytest.raises(DataError, match=r"network\.bin: .* network of neurocode"):
            nc.learning.load(path)
    for other, says in (
        (b"", "not a network"),
        (b"\n" * 50, "not a network"),
        (content[:-1], "damaged"),
        (content + b"\0", "damaged"),
        (pickle.dumps({"a": 1}), "not a network"),
        (MAGIC[:-1] + b"2" + content[len(MAGIC) :], "another version"),
    ):
        path.write_bytes(other)
        with pytest.raises(DataError, match=rf"network\.bin: .*{says}"):
            nc.learning.load(path)
    with pytest.raises(
        DataError,
        match=r"none\.bin: the network of neurocode cannot be read \(No such file or directory\)",
    ):
        nc.learning.load(tmp_path / "none.bin")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        nc.learning.load(tmp_path)


def test_files_whose_digest_is_right_but_whose_content_is_not_are_refused(tmp_path):
    """Tables of parts that are not known, of sizes without arrays, of models that are not allowed;
    none is run or allocated."""
    net = Network(
        [
            Layer(Dense(2, 3, key=jax.random.key(0)), LIF, DT),
            Readout(Dense(3, 2, key=jax.random.key(1)), DT),
        ]
    )
    table = net.table()
    path = tmp_path / "network.bin"
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(net)]
    kinds, body = (
        [[leaf.dtype.str, list(leaf.shape)] for leaf in leaves],
        b"".join(leaf.tobytes() for leaf in leaves),
    )
    path.write_bytes(sealed(table, kinds, body))
    assert np.array_equal(
        nc.learning.load(path).readout.connection.weight, net.readout.connection.weight
    )

    def at(place, value):
        copy = json.loads(json.dumps(table))
        part = copy
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value
        return copy

    for other, says in (
        (at(["layers", 0, "is"], "os.system"), "'os.system' is not a known part of a network"),
        (at(["layers", 0, "connection", "n_in"], 10**12), "arrays are not those"),
        (at(["layers", 0, "connection", "n_out"], 2), "takes 3 inputs"),
        (at(["layers", 0, "connection", "n_in"], "2"), "does not fit together"),
        (at(["layers", 0, "connection", "more"], 2), "more"),
        (
            at(["layers", 0, "model", "margin"], "__import__('os').getcwd()"),
            "does not fit together",
        ),
        (at(["layers", 0, "model", "reset"], "v = 0"), "no differential equation defines"),
        (table["layers"][0], "not a whole network"),
        ([], "does not fit together"),
        ({}, "does not fit together"),
        (None, "does not fit together"),
    ):
        path.write_bytes(sealed(other, kinds, body))
        with pytest.raises(DataError, match=rf"network\.bin: .*{says}"):
            nc.learning.load(path)
    for wrong in (
        kinds[:-1],
        [["|O", [1]], *kinds[1:]],
        [[kinds[0][0], [10**12]], *kinds[1:]],
        [["<i4", kinds[0][1]], *kinds[1:]],
    ):
        path.write_bytes(sealed(table, wrong, body))
        with pytest.raises(DataError, match=r"network\.bin: the network"):
            nc.learning.load(path)
