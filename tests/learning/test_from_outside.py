"""A loss, a readout, a task and a learning rule of one's own, made here and not in the package,
with numbers worked by hand.

The readout counts weighted spikes, the loss is what the right output lacks of leading by a margin
after the last step. Channel k fires in each of three steps of a sequence of class k, so that a lead
is three times the difference of two weights. These start at zero; the gradient keeps its value as
long as the margin is not reached, and Adam then moves each weight by its rate: 0.1 an epoch of one
batch. The lead grows by 3 (0.1 + 0.1) = 0.6 an epoch.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurocode.errors import DataError, ModelError
from neurocode.learning import (
    Dense,
    Network,
    Output,
    Part,
    Settings,
    Task,
    TrainingResult,
    evaluate,
    load,
    save,
    train,
)
from neurocode.learning.rules import Course
from neurocode.tasks import Loss
from neurocode.tasks.catalogue import ROWS, maker
from neurocode.tasks.losses import LOSSES, as_loss

DT = 1e-3
SETTINGS = Settings(epochs=2, batch_size=2, learning_rate=0.1)


class Hinge(Loss):
    """Loss by how much the lead of the correct one of two outputs falls short of a margin; the
    score is the lead."""

    score_name = "lead of the right output"

    def __init__(self, margin: float) -> None:
        self.margin = margin

    def loss_and_score(self, evidence, targets, valid):
        last = evidence[-1]
        lead = (last[:, 0] - last[:, 1]) * jnp.where(targets == 0, 1.0, -1.0)
        return jnp.mean(jnp.maximum(0.0, self.margin - lead)), jnp.sum(lead)


class LeadIsBad(Hinge):
    """The same loss with a score of which lower values are better."""

    larger_is_better = False


class Counts(Output):
    """Weighted counts of the spikes so far, times a factor that is learned."""

    connection: Dense
    factor: jax.Array
    dt: float = eqx.field(static=True)

    @property
    def n_out(self):
        return self.connection.n_out

    def __call__(self, spikes, key=None, *, training=False, adjoint=True):
        return jax.lax.stop_gradient(self.factor) * jnp.cumsum(self.connection(spikes), axis=0)


class Keyed(Output):
    """A readout whose constructor draws its weights."""

    connection: Dense
    dt: float = eqx.field(static=True)
    n_out: int = eqx.field(static=True)

    def __init__(self, n_out: int, dt: float, *, key: jax.Array) -> None:
        self.connection, self.n_out, self.dt = Dense(2, n_out, key=key), n_out, dt

    def __call__(self, spikes, key=None, *, training=False, adjoint=True):
        return self.connection(spikes)


class Secretive(Output):
    """A readout that does not keep the arguments of its constructor."""

    connection: Dense
    n_out: int = eqx.field(static=True)
    dt: float = eqx.field(static=True)

    def __init__(self, size: int) -> None:
        self.connection, self.n_out, self.dt = Dense(2, size, key=jax.random.key(0)), size, DT

    def __call__(self, spikes, key=None, *, training=False, adjoint=True):
        return self.connection(spikes)


@dataclass(frozen=True)
class Nudge:
    """A learning rule that adds a tenth to every weight in an update and reports a quarter of the
    answers as wrong."""

    def update(
        self, network: Network, memory: Any, batch: Any, key: jax.Array
    ) -> tuple[Network, Any, jax.Array]:
        more = network.readout.connection.weight + 0.1
        return (
            eqx.tree_at(lambda module: module.readout.connection.weight, network, more),
            memory,
            jnp.asarray(0.25),
        )


def counts(weight: float = 0.0) -> Counts:
    connection = Dense(2, 2, bias=False, key=jax.random.key(0))
    return Counts(
        eqx.tree_at(lambda module: module.weight, connection, jnp.full((2, 2), weight)),
        jnp.ones(()),
        DT,
    )


def lines_of_spikes(loss: Loss | str = "last_step") -> Task:
    """Return a task with two sequences in each part, one of each class."""
    inputs = np.repeat(np.eye(2, dtype=np.float32)[:, None], 3, axis=1)
    part = Part(inputs, np.array([0, 1]), np.ones((2, 3), bool))
    return Task("lines", part, part, part, loss=loss, n_outputs=2, dt=DT)


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return train(Network([counts()]), lines_of_spikes(), settings=SETTINGS, loss=Hinge(2.0))


def test_two_epochs_by_hand(result):
    weight = result.network.readout.connection.weight
    np.testing.assert_allclose(weight, [[0.2, -0.2], [-0.2, 0.2]], rtol=1e-4)
    np.testing.assert_allclose(result.history["loss"], [2.0, 1.4], rtol=1e-4)
    np.testing.assert_allclose(result.history["validation_loss"], [1.4, 0.8], rtol=1e-4)
    np.testing.assert_allclose(result.history["score"], [0.0, 0.6], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.history["validation_score"], [0.6, 1.2], rtol=1e-4)
    assert (result.best_epoch, result.score_name) == (2, "lead of the right output")
    assert (result.test_loss, result.test_score) == pytest.approx((0.8, 1.2), rel=1e-4)


def test_the_loss_of_the_task_is_as_good_as_that_of_the_training(result):
    task = lines_of_spikes(Hinge(2.0))
    assert (
        train(Network([counts()]), task, settings=SETTINGS)
        .history["loss"]
        .equals(result.history["loss"])
    )
    assert evaluate(result.network, task.test, task).loss == pytest.approx(0.8, rel=1e-4)


def test_where_less_is_better_the_first_epoch_wins():
    result = train(Network([counts()]), lines_of_spikes(), settings=SETTINGS, loss=LeadIsBad(2.0))
    assert result.best_epoch == 1 and result.test_score == pytest.approx(0.6, rel=1e-4)


def test_another_margin_is_another_program_and_another_loss():
    """A compiled program must not keep the values of the loss with which it was first compiled."""
    first = [
        train(Network([counts()]), lines_of_spikes(), settings=SETTINGS, loss=Hinge(m)).history[
            "loss"
        ][0]
        for m in (2.0, 5.0)
    ]
    assert first == pytest.approx([2.0, 5.0])
    assert (
        Hinge(2.0) == Hinge(2.0) != Hinge(5.0)
        and Hinge(2.0) != LeadIsBad(2.0)
        and hash(Hinge(2.0)) == hash(Hinge(2.0))
    )
    assert (
        Hinge(2.0).name == "Hinge"
        and LOSSES["last_step"].name == "last_step"
        and as_loss("last_step") is LOSSES["last_step"]
    )


def test_a_checkpoint_of_another_margin_is_refused(tmp_path):
    one_epoch = Settings(epochs=1, batch_size=2, learning_rate=0.1)
    train(
        Network([counts()]), lines_of_spikes(), settings=one_epoch, loss=Hinge(2.0), folder=tmp_path
    )
    with pytest.raises(DataError, match=r"made with another 'task\.loss\.margin'"):
        train(
            Network([counts()]),
            lines_of_spikes(),
            settings=one_epoch,
            loss=Hinge(3.0),
            folder=tmp_path,
        )
    with pytest.raises(DataError, match=r"made with another 'task\.loss"):
        train(Network([counts()]), lines_of_spikes(), settings=one_epoch, folder=tmp_path)


def test_what_is_no_loss_is_refused():
    with pytest.raises(
        DataError, match=r"Task 'lines': 3 is not a loss; known are max_over_time, .*Loss"
    ):
        lines_of_spikes(3)
    with pytest.raises(
        DataError,
        match="Loss 'Hinge' must hold only numbers, strings, truth values or tuples of them",
    ):
        lines_of_spikes(Hinge([1.0]))
    with pytest.raises(
        ModelError, match="'spike_log_likelihood' needs a network that ends with RecordedNeurons"
    ):
        LOSSES["spike_log_likelihood"].evidence(Network([counts()]), None, None, False)


def test_a_readout_is_what_its_fields_say():
    readout = counts()
    assert (readout.n_in, readout.n_out, readout.dt, readout.layers) == (2, 2, DT, ())
    assert readout.connections == (readout.connection,) and Network([readout]).n_parameters == 5
    potentials = counts(0.5)(jnp.ones((3, 1, 2)))
    np.testing.assert_allclose(potentials[:, 0], [[1, 1], [2, 2], [3, 3]])


def test_what_was_made_outside_comes_back_from_files(result, tmp_path):
    path = save(result.network, tmp_path / "network.bin")
    assert load(path, readouts=[Counts]) == result.network != Network([counts()])
    assert TrainingResult.load(result.save(tmp_path / "result.bin"), readouts=[Counts]) == result
    with pytest.raises(
        DataError,
        match=r"network\.bin: .*'Counts' is not a known part of a network.*`readouts`",
    ):
        load(path)
    with pytest.raises(DataError, match="'Counts' is not a readout whose arguments are its fields"):
        load(path, readouts=[type("Counts", (), {})])
    keyed = Network([Keyed(3, DT, key=jax.random.key(4))])
    assert load(keyed.save(tmp_path / "keyed.bin"), [Counts, Keyed]) == keyed
    with pytest.raises(ModelError, match="A network with a Secretive cannot be written"):
        Network([Secretive(2)]).save(tmp_path / "secret.bin")
    assert not (tmp_path / "secret.bin").exists()


def test_one_field_more_is_another_result(result, tmp_path):
    again = TrainingResult.load(result.save(tmp_path / "result.bin"), readouts=[Counts])
    for name, value in (
        ("best_epoch", 1),
        ("test_loss", 0.0),
        ("score_name", "x"),
        ("last", Network([counts()])),
    ):
        assert TrainingResult(**{**vars(again), name: value}) != result
    assert TrainingResult(**{**vars(again), "history": again.history + 1}) != result


def test_a_readout_with_the_name_of_another_is_not_written(tmp_path):
    namesake = type("Readout", (Counts,), {})
    network = Network([namesake(counts().connection, jnp.ones(()), DT)])
    with pytest.raises(ModelError, match="A network with a Readout cannot be written"):
        network.save(tmp_path / "network.bin")


def test_a_rule_needs_its_update_alone():
    result = Course(updates=4, batch_size=2, looks=1).run(
        Network([counts()]), lines_of_spikes(), Nudge(), None, seed=0
    )
    np.testing.assert_allclose(
        result.network.readout.connection.weight, np.full((2, 2), 0.4), rtol=1e-6
    )
    assert result.history["error"].tolist() == [0.25]


@pytest.mark.parametrize("name", ROWS)
def test_a_task_of_the_command_line_takes_the_files_of_its_row(name):
    parameters = inspect.signature(maker(name)).parameters.values()
    needed = [parameter for parameter in parameters if parameter.default is parameter.empty]
    assert len(needed) == ROWS[name].n_files and "seed" in inspect.signature(maker(name)).parameters
