"""Results do not depend on the order of sequences in a file: parts are shuffled, and subsets and
calibrations hold every label."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.learning import (
    BatchNorm,
    Chain,
    Dense,
    Network,
    Part,
    Readout,
    Settings,
    Task,
    evaluate,
    stratified,
    tasks,
    train,
)
from neurocode.tasks.task import shuffled, split

ORDERS = ("sorted", "reversed", "shuffled")


def numbered(labels):
    """Return a part in which the input of each sequence is its number."""
    labels = np.asarray(labels)
    return Part(
        np.arange(len(labels), dtype=float)[:, None, None], labels, np.ones((len(labels), 1), bool)
    )


def numbers(part):
    return part.inputs[:, 0, 0].astype(int).tolist()


def test_parts_are_the_permutation_of_the_seed_not_put_back_in_order():
    whole = numbered(np.repeat([0, 1], 10))
    parts = split(whole.inputs, whole.targets, whole.valid, (0.7, 0.1), 3)
    order = np.random.default_rng(3).permutation(20)
    assert [numbers(part) for part in parts] == [
        order[:14].tolist(),
        order[14:16].tolist(),
        order[16:].tolist(),
    ]
    assert parts[0].targets.tolist() == (order[:14] >= 10).astype(int).tolist()
    assert numbers(shuffled(whole, 3)) == order.tolist()


def test_a_subset_takes_every_label_in_proportion():
    """By hand: places 0/6 ... 5/6, 0/3 ... 2/3, 0/1 of the sequences of three labels, the smallest
    first."""
    part = numbered(np.repeat([0, 1, 2], [6, 3, 1]))
    for sequences, expected in (
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (6, [3, 2, 1]),
        (7, [4, 2, 1]),
        (10, [6, 3, 1]),
        (99, [6, 3, 1]),
    ):
        for seed in range(5):
            chosen = stratified(part, sequences, seed)
            assert np.bincount(chosen.targets, minlength=3).tolist() == expected
            assert len(set(numbers(chosen))) == sum(expected)
            assert chosen.targets.tolist() == part.targets[numbers(chosen)].tolist()
    assert np.bincount(
        stratified(numbered(np.repeat([0, 1], [900, 100])), 100, 0).targets
    ).tolist() == [90, 10]


def test_a_tie_between_labels_is_drawn():
    """One sequence of two labels of ten each: over 40 seeds both are taken, each at least 8 times
    (once in 1e5 not)."""
    taken = [stratified(numbered(np.repeat([0, 1], 10)), 1, seed).targets[0] for seed in range(40)]
    assert 8 <= sum(taken) <= 32


def test_the_order_of_a_file_changes_no_count_of_a_subset():
    random = np.random.default_rng(0)
    labels = np.sort(random.integers(0, 7, 200))
    counts = {}
    for order, index in zip(
        ORDERS, (np.arange(200), np.arange(200)[::-1], random.permutation(200)), strict=True
    ):
        counts[order] = np.bincount(
            stratified(numbered(labels[index]), 31, seed=4).targets, minlength=7
        ).tolist()
    assert counts["sorted"] == counts["reversed"] == counts["shuffled"]
    assert min(counts["sorted"]) >= 1 and sum(counts["sorted"]) == 31


def test_a_subset_comes_in_random_order():
    """The first half of a subset of a sorted part holds both labels, as often as chance lets it (30
    to 70 of 100; 1e-4)."""
    chosen = stratified(numbered(np.repeat([0, 1], 200)), 200, seed=0)
    assert 30 <= chosen.targets[:100].sum() <= 70
    assert numbers(chosen) == numbers(stratified(numbered(np.repeat([0, 1], 200)), 200, seed=0))
    assert numbers(chosen) != numbers(stratified(numbered(np.repeat([0, 1], 200)), 200, seed=1))


def test_sequences_of_several_labels_are_drawn_at_random():
    """Each of 20 is taken 500 times of 1000, within 5 standard errors (16 each; false alarm
    1e-5)."""
    part = Part(np.arange(20.0)[:, None, None], np.zeros((20, 1), int), np.ones((20, 1), bool))
    times = np.bincount(
        np.concatenate([numbers(stratified(part, 10, seed)) for seed in range(1000)]), minlength=20
    )
    assert times.sum() == 10_000 and np.all(np.abs(times - 500) < 80)


@pytest.mark.parametrize(("sequences", "seed"), [(0, 0), (-3, 0), (3, -1)])
def test_subsets_of_nothing_are_refused(sequences, seed):
    with pytest.raises(DataError, match=f"a seed of at least zero, not {sequences} and {seed}"):
        stratified(numbered([0, 1]), sequences, seed)


def in_order(task, order):
    """Return a task whose training part is in a given order of its labels."""
    labels = task.training.targets
    index = {
        "sorted": np.argsort(labels, kind="stable"),
        "reversed": np.argsort(labels, kind="stable")[::-1],
        "shuffled": np.random.default_rng(5).permutation(len(labels)),
    }[order]
    return Task(
        task.name,
        task.training.select(index),
        task.validation,
        task.test,
        task.loss,
        task.n_outputs,
        task.dt,
    )


def clouds():
    """Return four clouds of two inputs around the corners of a square, with 400 training sequences
    of one step."""
    random = np.random.default_rng(0)

    def part(n):
        labels = random.integers(0, 4, n)
        centres = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])[labels]
        inputs = (centres + 0.6 * random.standard_normal((n, 2))).astype(np.float32)
        return Part(inputs[:, None, :], labels, np.ones((n, 1), bool))

    return Task("clouds", part(400), part(40), part(400), "last_step", 4, 1e-3)


@pytest.fixture(scope="module")
def normalised():
    """Return the normalised network and its task, after one epoch with a learning rate that moves
    no weight."""
    net = Network([Readout(Chain([Dense(2, 4, key=jax.random.key(0)), BatchNorm(4)]), 1e-3, 1e-3)])
    corners = jnp.array([[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0]])
    net = eqx.tree_at(lambda module: module.readout.connection.parts[0].weight, net, corners)
    task = clouds()
    settings = Settings(epochs=1, batch_size=100, learning_rate=1e-20, calibration=40)
    return task, {order: train(net, in_order(task, order), settings=settings) for order in ORDERS}


def test_calibration_holds_every_class_whatever_the_order_of_the_file(normalised):
    """Forty sequences, ten a class, of unit spread: means of weighted sums within four standard
    errors (0.55) of those of all."""
    task, results = normalised
    weighted = task.training.inputs[:, 0] @ np.array(
        [[-1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 1.0]]
    )
    for result in results.values():
        norm = result.network.readout.connection.parts[1]
        np.testing.assert_allclose(norm.mean, weighted.mean(axis=0), atol=0.55)
        np.testing.assert_allclose(norm.variance, weighted.var(axis=0), rtol=0.5)


def test_the_order_of_the_file_moves_accuracy_by_less_than_its_standard_error(normalised):
    """The same weights, 400 test sequences: nearest corner is right for Phi(1/0.6)^2 = 0.907 of
    them."""
    task, results = normalised
    error = np.sqrt(0.907 * 0.093 / 400)
    scores = [result.test_score for result in results.values()]
    assert max(scores) - min(scores) <= error
    assert scores[0] == pytest.approx(0.907, abs=3 * error)
    halves = [task.test.select(np.argsort(task.test.targets)), shuffled(task.test, 1)]
    assert [
        evaluate(results["sorted"].network, half, task).score for half in halves
    ] == pytest.approx([scores[0]] * 2, abs=1e-12)


def test_test_parts_of_files_come_shuffled(recorded_data):
    """MNIST files are sorted by class; none of the parts made from them is."""
    task = tasks.mnist(recorded_data / "mnist10k" / "mnist10k.npz", n_steps=1)
    for part in (task.training, task.validation, task.test):
        assert len(set(part.targets[:60].tolist())) == 10
