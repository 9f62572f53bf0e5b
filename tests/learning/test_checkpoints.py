"""A training resumes only from its own checkpoint, and only one training runs in a folder."""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode
import neurocode as nc
from neurocode.errors import DataError, TrainingError
from neurocode.learning import (
    BatchNorm,
    Chain,
    Dense,
    Layer,
    Network,
    Part,
    Readout,
    Recurrent,
    Regulariser,
    Settings,
    Surrogate,
    Task,
    evaluate,
    train,
)
from neurocode.learning.checkpoint import load_checkpoint, save_checkpoint
from neurocode.locks import alone

SETTINGS = Settings(epochs=1, batch_size=4)


def task_of(**changes):
    random = np.random.default_rng(0)
    parts = {
        name: Part(
            random.random((4, 5, 2)).astype(np.float32),
            np.array([0, 1, 0, 1]),
            np.ones((4, 5), bool),
        )
        for name in ("training", "validation", "test")
    }
    return Task(
        **({"name": "small", **parts, "loss": "last_step", "n_outputs": 2, "dt": 1e-3} | changes)
    )


def network(model=None, connection=None, recurrent=None, readout=None, disturbance=None, **options):
    keys = jax.random.split(jax.random.key(0), 3)
    layer = Layer(
        Dense(2, 3, key=keys[0]) if connection is None else connection,
        model or nc.models.normalised_lif(),
        1e-3,
        recurrent=recurrent or Recurrent(3, key=keys[1]),
        **options,
    )
    return Network([layer, Readout(Dense(3, 2, key=keys[2]), 1e-3, **(readout or {}))], disturbance)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a finished training, and its history."""
    folder = tmp_path_factory.mktemp("training")
    return folder, train(network(), task_of(), settings=SETTINGS, folder=folder).history


def model_with(**changes):
    return replace(nc.models.normalised_lif(), **changes)


def changed(part, name, value):
    """Return a part in which one number is different."""
    array = getattr(part, name).copy()
    array.flat[-1] = value
    return replace(part, **{name: array})


def test_the_same_training_goes_on_and_makes_no_epoch_again(finished):
    folder, history = finished
    epochs = []
    again = train(network(), task_of(), settings=SETTINGS, folder=folder, progress=epochs.append)
    assert epochs == [] and again.history.equals(history)


NETWORKS = {
    "network.layers.0.model.margin": {
        "margin": lambda: network(model_with(margin="u - theta - 0.1"))
    },
    "network.layers.0.model.reset": {"reset": lambda: network(model_with(reset="u -= theta"))},
    "network.layers.0.model.integrator": {
        "integrator": lambda: network(model_with(integrator="euler"))
    },
    "network.layers.0.model.initial.u": {
        "initial": lambda: network(model_with(initial={"u": "0.5"}))
    },
    "network.layers.0.model.parameters.theta.value": {
        "fixed parameter": lambda: network(nc.models.normalised_lif().with_parameters(theta=1.1))
    },
    "network.layers.0.model.parameters.theta.bounds.0": {
        "bounds": lambda: network(model_with(parameters=wider()))
    },
    "network.layers.0.model.equations": {"refractory": lambda: network(refractory("2*ms"))},
    "network.layers.0.surrogate.slope": {
        "surrogate": lambda: network(surrogate=Surrogate(slope=11.0))
    },
    "network.layers.0.reset_gradient": {"reset gradient": lambda: network(reset_gradient=True)},
    "network.layers.0.dropout": {"dropout": lambda: network(dropout=0.1)},
    "network.layers.0.segment": {"segment": lambda: network(segment=2)},
    "network.layers.0.current_unit": {"current": lambda: network(current_unit=2.0)},
    "network.layers.0.margin_unit": {"distance": lambda: network(margin_unit=2.0)},
    "network.layers.0.recurrent.delay.2": {
        "delay": lambda: network(recurrent=loop(delay=(1, 1, 2)))
    },
    "network.layers.0.recurrent.gradient": {
        "gradient": lambda: network(recurrent=loop(gradient=False))
    },
    "network.layers.1.time_constant": {
        "readout": lambda: network(readout={"time_constant": 0.021})
    },
    "network.layers.1.synapse": {"synapse": lambda: network(readout={"synapse": 0.005})},
    "starting arrays": {
        "weights": lambda: network(recurrent=loop()),
        "bias": lambda: with_bias(1e-7),
    },
    "disturbance": {"disturbance": lambda: network(disturbance=lambda spikes, key: spikes)},
}


def wider():
    """Return parameters in which the fixed one has a different bound."""
    parameters = nc.models.normalised_lif().parameters
    return {**parameters, "theta": replace(parameters["theta"], bounds=(0.2, 10.0))}


def refractory(period):
    return model_with(
        equations="du/dt = (-u + I)/tau : 1 (unless refractory)\nI : 1", refractory=period
    )


def loop(**options):
    return Recurrent(3, key=jax.random.key(9), **options)


def with_bias(value):
    return eqx.tree_at(lambda net: net.readout.connection.bias, network(), jnp.array([0.0, value]))


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, table in NETWORKS.items() for what in table]
)
def test_a_checkpoint_of_another_network_is_refused_by_what_differs(finished, name, what):
    with pytest.raises(
        DataError, match=rf"checkpoint\.bin: the checkpoint was made with another '{name}'"
    ):
        train(NETWORKS[name][what](), task_of(), settings=SETTINGS, folder=finished[0])


def test_another_refractory_period_is_another_network(tmp_path):
    train(network(refractory("2*ms")), task_of(), settings=SETTINGS, folder=tmp_path)
    with pytest.raises(DataError, match=r"another 'network\.layers\.0\.model\.refractory'"):
        train(network(refractory("3*ms")), task_of(), settings=SETTINGS, folder=tmp_path)


def tasks_changed():
    whole = task_of()
    for name in ("training", "validation", "test"):
        part = getattr(whole, name)
        yield f"data.{name}", replace(whole, **{name: changed(part, "inputs", 0.5)})
        yield f"data.{name}", replace(whole, **{name: changed(part, "targets", 0)})
        yield f"data.{name}", replace(whole, **{name: changed(part, "valid", False)})
        yield f"data.{name}", replace(whole, **{name: part.select(np.array([1, 0, 2, 3]))})
        yield (
            f"data.{name}",
            replace(whole, **{name: replace(part, inputs=part.inputs.astype(float))}),
        )
    yield "task.name", replace(whole, name="other")
    yield "task.loss", replace(whole, loss="mean_potential")
    yield "task.dt", replace(whole, dt=1.0000001e-3)


@pytest.mark.parametrize(("name", "task"), tasks_changed())
def test_a_checkpoint_of_other_data_is_refused(finished, name, task):
    with pytest.raises(DataError, match=rf"made with another '{name}'"):
        train(network(), task, settings=SETTINGS, folder=finished[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 2),
        ("batch_size", 2),
        ("learning_rate", 2e-3),
        ("schedule", "cosine"),
        ("clip", 1.0),
        ("blocks", 2),
        ("intrinsic", False),
        ("intrinsic_factor", 0.5),
        ("calibration", 3),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(finished, name, value):
    with pytest.raises(DataError, match=rf"made with another 'settings\.{name}'"):
        train(network(), task_of(), settings=replace(SETTINGS, **{name: value}), folder=finished[0])


def test_a_checkpoint_of_another_regulariser_seed_or_version_is_refused(finished, monkeypatch):
    with pytest.raises(DataError, match=r"another 'settings\.regulariser\.upper'"):
        train(
            network(),
            task_of(),
            settings=replace(SETTINGS, regulariser=Regulariser(upper=1.0)),
            folder=finished[0],
        )
    with pytest.raises(DataError, match="another 'seed'"):
        train(network(), task_of(), seed=1, settings=SETTINGS, folder=finished[0])
    with jax.enable_x64(True), pytest.raises(DataError, match="another 'precision'"):
        train(network(), task_of(), settings=SETTINGS, folder=finished[0])
    monkeypatch.setattr(neurocode, "__version__", "0.0.0")
    with pytest.raises(DataError, match="another 'version'"):
        train(network(), task_of(), settings=SETTINGS, folder=finished[0])


def test_moments_of_a_normalisation_belong_to_the_start(finished, tmp_path):
    """Moments are not learned; a network that starts with other moments is a different network."""
    chain = Chain([Dense(2, 3, key=jax.random.key(0)), BatchNorm(3)])
    net = network(connection=chain)
    train(net, task_of(), settings=SETTINGS, folder=tmp_path)
    other = eqx.tree_at(lambda module: module.layers[0].connection.parts[1].mean, net, jnp.ones(3))
    with pytest.raises(DataError, match="another 'starting arrays'"):
        train(other, task_of(), settings=SETTINGS, folder=tmp_path)


def test_damaged_checkpoints_are_refused(finished, tmp_path):
    content = (finished[0] / "checkpoint.bin").read_bytes()
    path = tmp_path / "checkpoint.bin"
    middle = len(content) // 2
    for damaged, says in (
        (content[:-7], "damaged"),
        (content[:30], "damaged"),
        (content + b"\0", "damaged"),
        (content[:-9] + bytes([content[-9] ^ 1]) + content[-8:], "damaged"),
        (content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :], "damaged"),
        (b"", "not a checkpoint"),
        (b"neurocode checkpoint 1\n" + content[23:], "another version"),
        (content[1:], "not a checkpoint"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(
            DataError, match=rf"checkpoint\.bin: .*{says}.*; delete it to start anew\.$"
        ):
            train(network(), task_of(), settings=SETTINGS, folder=tmp_path)


def test_a_state_comes_back_bit_for_bit(tmp_path):
    """Numbers of both precisions, integers and truth values are read back without rounding; other
    shapes are refused."""
    with jax.enable_x64(True):
        state = (
            jnp.array([0.1, 1 / 3]),
            jnp.float32(0.1),
            jnp.array([[2**40]]),
            jnp.array(True),
            jnp.zeros((0, 3)),
        )
    path = tmp_path / "deep" / "state.bin"
    save_checkpoint(path, state, {"a": [1, {"b": None}]})
    loaded = load_checkpoint(path, state, {"a": [1, {"b": None}]})
    for before, after in zip(state, loaded, strict=True):
        assert (
            before.dtype == after.dtype
            and before.shape == after.shape
            and np.array_equal(before, after)
        )
    for settings, name in (
        ({"a": [1, {"b": 0}]}, r"a\.1\.b"),
        ({"a": [1]}, "a"),
        ({"a": [1, {"b": None}], "c": 1}, "c"),
    ):
        with pytest.raises(DataError, match=f"another '{name}'"):
            load_checkpoint(path, state, settings)
    with pytest.raises(DataError, match="holds another network"):
        load_checkpoint(path, state[:4], {"a": [1, {"b": None}]})


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    with (
        alone(tmp_path / "checkpoint.bin", "held by the test."),
        pytest.raises(
            DataError, match=r"checkpoint\.bin: another training is writing this checkpoint\.$"
        ),
    ):
        train(network(), task_of(), settings=SETTINGS, folder=tmp_path)
    with alone(tmp_path / "checkpoint.bin", "is free again."):
        pass


def test_a_folder_that_cannot_be_written_to_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    epochs = []
    with pytest.raises(
        DataError, match=r"file/training: this folder cannot be written to \(Not a directory\)\.$"
    ):
        train(
            network(),
            task_of(),
            settings=SETTINGS,
            folder=tmp_path / "file" / "training",
            progress=epochs.append,
        )
    assert epochs == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"epochs": 0}, "'epochs' must be a whole number of at least 1, not 0"),
        ({"epochs": 2.5}, "'epochs' must be a whole number of at least 1, not 2.5"),
        ({"epochs": True}, "'epochs' must be a whole number of at least 1, not True"),
        ({"batch_size": -4}, "'batch_size' must be a whole number"),
        ({"batch_size": "64"}, "'batch_size' must be a whole number"),
        ({"blocks": 0}, "'blocks' must be"),
        ({"devices": 0}, "'devices' must be"),
        ({"calibration": 0}, "'calibration' must be"),
        ({"learning_rate": 0.0}, "'learning_rate' must be a positive number, not 0.0"),
        ({"learning_rate": float("nan")}, "'learning_rate' must be"),
        ({"learning_rate": float("inf")}, "'learning_rate' must be"),
        ({"learning_rate": 1j}, "'learning_rate' must be"),
        ({"learning_rate": True}, "'learning_rate' must be"),
        ({"intrinsic_factor": float("nan")}, "'intrinsic_factor' must be"),
        ({"clip": 0.0}, "'clip' must be"),
        ({"clip": -1.0}, "'clip' must be"),
        ({"weights": "no"}, "'weights' must be true or false, not 'no'"),
        ({"intrinsic": 1}, "'intrinsic' must be true or false, not 1"),
        ({"schedule": "linear"}, "'linear' is not a schedule"),
        ({"batch_size": 6, "blocks": 4}, "A batch of 6 does not divide into 4 blocks on 1 devices"),
        (
            {"batch_size": 6, "blocks": 3, "devices": 4},
            "A batch of 6 does not divide into 3 blocks on 4 devices",
        ),
    ],
)
def test_settings_that_mean_nothing_are_refused(options, says):
    with pytest.raises(TrainingError, match=says):
        Settings(**options)


def test_the_smallest_settings_are_taken():
    smallest = Settings(
        epochs=1,
        batch_size=1,
        blocks=1,
        devices=1,
        calibration=1,
        learning_rate=1e-300,
        clip=1e-300,
    )
    assert smallest.batch_size == 1
    assert (
        Settings(
            batch_size=np.int64(12),
            blocks=3,
            devices=4,
            learning_rate=np.float32(0.1),
            weights=np.bool_(True),
        ).blocks
        == 3
    )


@pytest.mark.parametrize("seed", [-1, 0.5, True, "0", None])
def test_seeds_are_whole_numbers_from_zero(seed):
    with pytest.raises(
        TrainingError, match=f"'seed' must be a whole number of at least 0, not {seed!r}"
    ):
        train(network(), task_of(), seed=seed, settings=SETTINGS)
    with pytest.raises(TrainingError, match="'seed' must be"):
        evaluate(network(), task_of().test, task_of(), seed=seed)


def test_evaluation_takes_one_sequence_and_one_pass_at_least():
    for options, name in (({"batch_size": 0}, "batch_size"), ({"passes": 0}, "passes")):
        with pytest.raises(
            TrainingError, match=f"'{name}' must be a whole number of at least 1, not 0"
        ):
            evaluate(network(), task_of().test, task_of(), **options)
