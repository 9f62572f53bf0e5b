"""The subsets of a task that studies use do not depend on the order of the sequences in a file."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analyses.datasets import binned, coarser, data_folder, dataset, divided_anew, recorded, smaller
from neurocode.errors import DataError
from neurocode.learning import Part, Task, stratified


def sorted_task(per_class=40, classes=10, steps=3):
    """Parts stored by class, as in the files of MNIST and of the Braille letters; inputs hold the
    number of the sequence."""
    labels = np.repeat(np.arange(classes, dtype=np.int32), per_class)
    inputs = (
        np.arange(len(labels), dtype=np.float32)[:, None, None]
        * np.ones((1, steps, 1), np.float32)
        / len(labels)
    )
    part = Part(inputs, labels, np.ones((len(labels), steps), bool))
    return Task("sorted", part, part, part, loss="max_over_time", n_outputs=classes, dt=1e-3)


def counts(part, classes=10):
    return np.bincount(part.targets, minlength=classes).tolist()


def test_a_smaller_task_holds_every_class_in_proportion():
    """From ten classes of 40 sequences, a subset of 100 holds ten of each. The same seed gives the
    same subset, another seed another one."""
    task = sorted_task()
    first, again, other = smaller(task, 100, 0), smaller(task, 100, 0), smaller(task, 100, 1)
    for name in ("training", "validation", "test"):
        part = getattr(first, name)
        assert counts(part) == [10] * 10 and len(np.unique(part.inputs[:, 0, 0])) == 100
        np.testing.assert_array_equal(part.inputs, getattr(again, name).inputs)
        assert not np.array_equal(
            np.sort(part.inputs, axis=0), np.sort(getattr(other, name).inputs, axis=0)
        )
    assert counts(smaller(task, 1000, 0).test) == [40] * 10


def test_three_hundred_of_mnist_are_of_all_digits(recorded_data):
    """File order gave 217 zeros and 83 ones; now each digit has its share of the 2000 test
    sequences, within one."""
    test = dataset("mnist10k", 0, steps=1).test
    shares = 300 * np.bincount(test.targets) / len(test)
    assert np.all(np.abs(np.array(counts(stratified(test, 300, 0))) - shares) < 1)


class KnownError(Exception):
    """Raised to stop a row when it begins to measure; carries the part that it measures."""


def taken(monkeypatch, module, row, name, at):
    """Return the part that a row passes to one of its functions, for a task that is stored by
    class."""
    imported = importlib.import_module(f"analyses.{module}")

    def stop(*args, **options):
        raise KnownError(args[at])

    monkeypatch.setattr(imported, name, stop)
    with pytest.raises(KnownError) as caught:
        row(imported)
    return caught.value.args[0]


def trained(*args, **options):
    """Stand in for a training that ends at once, of a task that is stored by class."""
    net = SimpleNamespace(layers=[], populations=[], is_stochastic=False)
    history = pd.DataFrame(
        {"epoch": [1], "validation_score": [0.5], "validation_loss": [0.5], "rate_0": [0.1]}
    )
    return sorted_task(), SimpleNamespace(
        network=net, last=net, best_epoch=1, test_score=0.5, history=history
    )


def test_robustness_of_noisy_networks_is_that_of_all_classes(monkeypatch):
    from analyses.noisy_networks import robustness

    monkeypatch.setattr(robustness, "trained", trained)
    monkeypatch.setattr(robustness, "training_of", lambda *args: {})
    monkeypatch.setattr(robustness, "TESTED", 100)
    row = {"seed": 0, "kind": "escape", "other_kind": "both", "other_rate": 0.1, "other_width": 0.3}
    part = taken(
        monkeypatch,
        "noisy_networks.robustness",
        lambda module: module.robustness_row(None, **row),
        "score_of",
        1,
    )
    assert counts(part) == [10] * 10


def test_spikes_of_noisy_networks_are_of_all_classes(monkeypatch):
    """The sequences that are described and those that are repeated come from all ten classes of
    40."""
    from analyses.noisy_networks import training

    seen = []
    monkeypatch.setattr(training, "trained", trained)
    monkeypatch.setattr(
        training,
        "_time_first",
        lambda inputs: seen.append(inputs[:, 0, 0]) or (_ for _ in ()).throw(KnownError),
    )
    with pytest.raises(KnownError):
        training.spiking_row(None, seed=0)
    labels = np.floor(seen[0] * 10 + 1e-6).astype(int)
    assert np.bincount(labels).tolist() == [10] * 10
    part = stratified(sorted_task().test, training.SEQUENCES, 0)
    assert counts(part) == [2] * 10


def test_every_seed_is_tested_on_the_same_sequences_and_trained_on_others():
    """The test part is the same for all seeds. Every other sequence is either in training or in
    validation; which one depends on the seed, and the order is random."""
    task = sorted_task(per_class=10)
    part = Part(task.test.inputs + 10.0, task.test.targets, task.test.valid)
    task = Task("made", task.training, part, task.test, loss="max_over_time", n_outputs=10, dt=1e-3)
    a, b, again = (divided_anew(task, seed) for seed in (0, 1, 0))
    assert a.test is task.test
    numbers = [
        np.concatenate([task_of_seed.training.inputs, task_of_seed.validation.inputs])[:, 0, 0]
        for task_of_seed in (a, b, again)
    ]
    np.testing.assert_array_equal(np.sort(numbers[0]), np.sort(numbers[1]))
    np.testing.assert_array_equal(numbers[0], numbers[2])
    assert len(np.unique(numbers[0])) == 200 and not np.array_equal(numbers[0], numbers[1])
    assert len(a.training) == len(a.validation) == 100
    assert min(np.bincount(a.training.targets, minlength=10)) > 0 and np.any(
        np.diff(a.training.targets) < 0
    )


def test_a_coarser_task_holds_means_of_its_steps():
    """Five steps with values 0, 1, 2, 3, 4 are averaged in pairs: 0.5 and 2.5. The last step is
    left out; a pair is valid if either step was."""
    inputs = np.arange(5, dtype=np.float32)[None, :, None]
    part = Part(inputs, np.zeros(1, np.int32), np.array([[True, False, False, False, True]]))
    coarse = coarser(
        Task("made", part, part, part, loss="max_over_time", n_outputs=2, dt=1e-3), 2
    ).training
    assert coarse.inputs[0, :, 0].tolist() == [0.5, 2.5] and coarse.inputs.dtype == np.float32
    assert coarse.valid.tolist() == [[True, False]]


def test_the_test_parts_of_recorded_tasks_are_shared_by_all_seeds(recorded_data):
    for name in ("mnist10k", "braille"):
        first, second = (dataset(name, seed, steps=1) for seed in (0, 100))
        np.testing.assert_array_equal(first.test.inputs, second.test.inputs)
        assert not np.array_equal(first.validation.targets, second.validation.targets)


def test_described_traces_are_drawn(monkeypatch):
    """40 of 400 traces are drawn from the whole file without repetition: their mean number is
    within four standard errors of the middle."""
    monkeypatch.setattr("analyses.adaptive_lif.neurons.trained", lambda row, folder: trained())
    part = taken(
        monkeypatch,
        "adaptive_lif.neurons",
        lambda module: module.neurons_row(None, 40, seed=0),
        "trains",
        1,
    )
    numbers = part.inputs[:, 0, 0]
    assert len(np.unique(numbers)) == 40 and abs(numbers.mean() - 0.5) < 4 * (1 / 12 / 40) ** 0.5
    from analyses.adaptive_lif import protocols

    best = pd.DataFrame([{"arm": "LIF", "dataset": "ecg", "layers": 2, "rate": 0.003}])
    assert {row["traces"] for row in protocols.described("reduced", best)} == {40}


def test_spikes_fall_into_bins():
    """A spike on the edge between two bins belongs to the later bin; spikes outside all bins are
    left out."""
    bins = binned([np.array([0.0, 0.0031, 0.004, 5.0, -0.001]), np.array([])], 1e-3, 5)
    assert bins.tolist() == [[True, False, False, True, True], [False] * 5]


def test_data_are_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("NEUROCODE_DATA", str(tmp_path))
    assert data_folder("raphe") == tmp_path / "raphe"
    monkeypatch.delenv("NEUROCODE_DATA")
    with pytest.raises(DataError) as caught:
        data_folder("raphe")
    assert (
        str(caught.value)
        == "Recordings are read from the folder raphe of NEUROCODE_DATA, which is not set."
    )
    assert recorded(("digits", "mnist10k", "braille")) == ("mnist10k", "braille")
