"""Tasks: generators with the published moments, files in the published layouts, and errors that
name the file."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import scipy.io

from neurocode.errors import DataError
from neurocode.learning import tasks


def test_burst_sequences_have_the_published_moments():
    """Mean of ``200 * 0.05 + 7.5 sqrt(0.2 pi)`` spikes per channel and sample; parts of 70, 10 and
    20 %; the last fifth counts."""
    task = tasks.burst_sequences(n_classes=5, n_samples=400)
    assert [len(part) for part in (task.training, task.validation, task.test)] == [280, 40, 80]
    counts = task.training.inputs.sum(axis=1)
    assert counts.mean() == pytest.approx(200 * 0.05 + 7.5 * np.sqrt(0.2 * np.pi), abs=0.25)
    assert task.training.valid.sum(axis=1).tolist() == [40] * 280
    again = tasks.burst_sequences(n_classes=5, n_samples=400)
    assert np.array_equal(task.training.inputs, again.training.inputs)


def test_only_three_channels_tell_the_class():
    """Mean time of the burst varies between classes in exactly three channels of each class more
    than chance allows."""
    task = tasks.burst_sequences(n_classes=2, n_samples=2000, seed=3)
    times = np.arange(200)[None, :, None] * task.training.inputs
    centre = times.sum(axis=1) / np.maximum(task.training.inputs.sum(axis=1), 1)
    for label in range(2):
        spread = centre[task.training.targets == label].std(axis=0)
        assert np.sum(spread < 0.7 * np.median(spread)) == 3


def test_spring_mass_trajectories_conserve_energy_and_the_zero_predictor_errs_by_a_half():
    """Cosines of unit variance have a mean square of a half, and each sample oscillates without
    loss."""
    task = tasks.spring_mass(n_samples=1500)
    paths = task.training.targets
    assert np.mean(paths[:, 100:] ** 2) == pytest.approx(0.5, abs=0.06)
    assert np.mean(paths[:, :100] ** 2) == pytest.approx(np.mean(paths[:, 100:] ** 2), rel=0.1)
    assert task.free_running_from == 101 and paths.shape[1:] == (201, 4)


def written_digits(path, labels, last=0.9):
    random = np.random.default_rng(0)
    kinds = h5py.vlen_dtype(np.float32), h5py.vlen_dtype(np.int64)
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes")
        times, units = (
            group.create_dataset(name, (len(labels),), kind)
            for name, kind in zip(("times", "units"), kinds, strict=True)
        )
        for k in range(len(labels)):
            times[k] = np.sort(random.uniform(0, last, 50)).astype(np.float32)
            units[k] = random.integers(0, 700, 50)
        file["labels"] = np.asarray(labels)


def test_heidelberg_files_are_counted_into_joined_channels(tmp_path):
    written_digits(tmp_path / "train.h5", [0, 1, 2] * 5)
    written_digits(tmp_path / "test.h5", [2, 1, 0], last=1.3)
    task = tasks.heidelberg(tmp_path / "train.h5", tmp_path / "test.h5")
    assert task.n_inputs == 140 and task.n_outputs == 3 and task.dt == 4e-3
    assert [len(part) for part in (task.training, task.validation, task.test)] == [12, 3, 3]
    assert np.all(task.training.inputs.sum(axis=(1, 2)) == 50)
    assert task.training.valid[:, :10].sum() == 0 and task.training.valid[:, 10:250].all()
    assert task.test.inputs.shape[1] > 300


def test_files_that_do_not_fit_are_refused_by_name(tmp_path):
    written_digits(tmp_path / "good.h5", [0, 1] * 5)
    content = (tmp_path / "good.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut\.h5"):
        tasks.heidelberg(tmp_path / "cut.h5", tmp_path / "good.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(DataError, match=r"other\.h5"):
        tasks.heidelberg(tmp_path / "other.h5", tmp_path / "good.h5")
    with pytest.raises(DataError, match="no such file"):
        tasks.heidelberg(tmp_path / "none.h5", tmp_path / "good.h5")
    with pytest.raises(DataError, match="no file of the train part"):
        tasks.ecg(tmp_path)
    scipy.io.savemat(
        tmp_path / "QTDB_train.mat", {"x": np.zeros((3, 10, 2)), "y": np.zeros((3, 10, 6))}
    )
    with pytest.raises(DataError, match=r"QTDB_train\.mat.*4 channels"):
        tasks.ecg(tmp_path)
    np.savez(
        tmp_path / "letters.npz",
        taxels=np.zeros((4, 5, 12)),
        n_steps=[5, 5, 5, 9],
        letter=list("abcd"),
    )
    with pytest.raises(DataError, match=r"letters\.npz"):
        tasks.braille(tmp_path / "letters.npz")
    with pytest.raises(DataError, match=r"missing\.npz"):
        tasks.mnist(tmp_path / "missing.npz")
    with pytest.raises(DataError, match="two classes"):
        tasks.burst_sequences(n_classes=1)
    with pytest.raises(DataError, match="not a Heidelberg data set"):
        tasks.download_heidelberg("shd")


def test_digits_are_shown_as_constant_inputs():
    task = tasks.digits(n_steps=7)
    assert task.n_inputs == 64 and task.n_outputs == 10
    assert (
        np.array_equal(task.test.inputs[:, 0], task.test.inputs[:, 6])
        and task.test.inputs.max() == 1.0
    )


def test_recorded_sets_have_their_published_sizes(recorded_data):
    """ECG: 618 and 141 traces of 1301 steps, most frequent test label 30.5 %; Braille: 27 letters;
    MNIST: 10 digits."""
    ecg = tasks.ecg(recorded_data / "qtdb-ecg")
    assert len(ecg.training) + len(ecg.validation) == 618 and ecg.test.inputs.shape == (
        141,
        1301,
        4,
    )
    assert np.bincount(ecg.test.targets.ravel()).max() / ecg.test.targets.size == pytest.approx(
        0.305, abs=5e-4
    )
    braille = tasks.braille(recorded_data / "braille" / "braille_letters.npz")
    assert braille.n_outputs == 27 and braille.n_inputs == 12
    lengths = braille.training.valid.sum(axis=1)
    assert lengths.min() < lengths.max()
    assert tasks.mnist(recorded_data / "mnist10k" / "mnist10k.npz", n_steps=2).n_outputs == 10
