"""Images and event recordings from small files of the published layouts; faults that name the
file."""

from __future__ import annotations

import gzip
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, architectures, tasks
from neurocode.learning.energy import energy
from neurocode.learning.objective import Batch, gradient
from neurocode.learning.regularisers import Regulariser
from neurocode.learning.trainable import trainable

RANDOM = np.random.default_rng(0)


def write_idx(path, values):
    head = np.array([2051 if values.ndim == 3 else 2049, *values.shape], ">i4").tobytes()
    with gzip.open(path, "wb") as file:
        file.write(head + values.astype(np.uint8).tobytes())


def test_fashion_mnist_is_read_from_its_four_files(tmp_path):
    written = {}
    for name, count in (("train", 40), ("t10k", 10)):
        written[name] = RANDOM.integers(0, 256, (count, 28, 28)), np.arange(count) % 10
        write_idx(tmp_path / f"{name}-images-idx3-ubyte.gz", written[name][0])
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", written[name][1])
    task = tasks.fashion_mnist(tmp_path, n_steps=3, n_validation=8)
    assert [len(part) for part in (task.training, task.validation, task.test)] == [32, 8, 10]
    # labels name the images, which come in random order
    np.testing.assert_allclose(
        task.test.inputs[:, 2],
        written["t10k"][0].reshape(10, -1)[task.test.targets] / 255,
        atol=1e-6,
    )
    assert sorted([*task.training.targets, *task.validation.targets]) == sorted(written["train"][1])
    with pytest.raises(DataError, match="set aside"):
        tasks.fashion_mnist(tmp_path, n_validation=40)
    whole = gzip.decompress((tmp_path / "t10k-images-idx3-ubyte.gz").read_bytes())
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(whole[:-7]))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: this is not a whole file"):
        tasks.fashion_mnist(tmp_path, n_validation=8)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(whole)[:-20])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: the file cannot be read"):
        tasks.fashion_mnist(tmp_path, n_validation=8)


def test_cifar_is_read_from_its_binary_files_with_channels_first(tmp_path):
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        rows = RANDOM.integers(0, 256, (8, 3073)).astype(np.uint8)
        rows[:, 0] = np.arange(8)
        rows.tofile(tmp_path / f"{name}.bin")
    task = tasks.cifar10(tmp_path, n_steps=2, n_validation=10)
    assert task.training.inputs.shape == (30, 2, 3072) and len(task.test) == 8
    colours = rows[:, 1:].reshape(8, 3, 1024) / 255
    colours = colours[task.test.targets]
    np.testing.assert_allclose(
        task.test.inputs[:, 0, 1024:2048], (colours[:, 1] - 0.4822) / 0.1994, rtol=1e-4, atol=1e-5
    )
    rows.ravel()[:-1].tofile(tmp_path / "test_batch.bin")
    with pytest.raises(DataError, match=r"test_batch\.bin: 24583 bytes"):
        tasks.cifar10(tmp_path, n_validation=10)
    (tmp_path / "data_batch_3.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_3\.bin: there is no such file"):
        tasks.cifar10(tmp_path, n_validation=10)


def nmnist_bytes(x, y, polarity, microseconds):
    return bytes(
        [x, y, polarity << 7 | microseconds >> 16, microseconds >> 8 & 255, microseconds & 255]
    )


def test_nmnist_events_are_counted_by_time_polarity_and_pixel(tmp_path):
    events = [
        (3, 5, 1, 10),
        (3, 5, 1, 29_999),
        (33, 0, 0, 30_000),
        (0, 33, 1, 299_999),
        (1, 1, 0, 310_000),
    ]
    for part in ("Train", "Test"):
        for label in (0, 7):
            (tmp_path / part / str(label)).mkdir(parents=True)
            for number in range(5):
                path = tmp_path / part / str(label) / f"{number:05}.bin"
                path.write_bytes(b"".join(nmnist_bytes(*event) for event in events))
    task = tasks.nmnist(tmp_path, n_steps=10, validation_share=0.2)
    frames = task.test.inputs[0].reshape(10, 2, 34, 34)
    assert frames.sum() == 5 and frames[0, 1, 5, 3] == 2 and frames[1, 0, 0, 33] == 1
    assert frames[9, 1, 33, 0] == 1 and frames[9, 0, 1, 1] == 1
    assert set(task.test.targets) == {0, 7} and [len(task.training), len(task.validation)] == [8, 2]
    assert task.dt == pytest.approx(0.03)
    path.write_bytes(b"1234")
    with pytest.raises(DataError, match=r"00004\.bin: 4 bytes"):
        tasks.nmnist(tmp_path)
    path.write_bytes(nmnist_bytes(34, 0, 0, 1))
    with pytest.raises(DataError, match="outside a sensor"):
        tasks.nmnist(tmp_path)
    with pytest.raises(DataError, match="no recordings"):
        tasks.nmnist(tmp_path / "Train")


def write_aedat(path, x, y, polarity, times, valid=None, packet=7):
    """AEDAT 3.1 with events in packets, and a packet of another type between them."""
    valid = np.ones(len(x), int) if valid is None else valid
    events = np.array(
        list(zip(x << 17 | y << 2 | polarity << 1 | valid, times, strict=True)),
        [("d", "<u4"), ("t", "<u4")],
    )
    content = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
    for begin in range(0, len(events), packet):
        in_packet = events[begin : begin + packet]
        for kind, body in ((1, in_packet.tobytes()), (0, bytes(8))):
            number = len(body) // 8
            content += (
                np.array([kind, 1], "<u2").tobytes()
                + np.array([8, 4, 0, number, number, number], "<u4").tobytes()
                + body
            )
    path.write_bytes(content)
    return content


def test_gestures_are_cut_by_their_labels_into_frames_of_equal_events(tmp_path):
    n = 60
    x, y, polarity = (
        RANDOM.integers(0, 128, n),
        RANDOM.integers(0, 128, n),
        RANDOM.integers(0, 2, n),
    )
    times = np.arange(n) * 100
    for name in ("user01_lab", "user02_lab"):
        content = write_aedat(tmp_path / f"{name}.aedat", x, y, polarity, times)
        (tmp_path / f"{name}_labels.csv").write_text(
            "class,startTime_usec,endTime_usec\n1,0,2000\n11,2000,6000\n"
        )
    (tmp_path / "trials_to_train.txt").write_text("user01_lab.aedat\n\n")
    (tmp_path / "trials_to_test.txt").write_text("user02_lab.aedat\n")
    events = tasks.read_aedat(tmp_path / "user01_lab.aedat")
    np.testing.assert_array_equal(events["time"], times)
    np.testing.assert_array_equal(events["data"] >> 17, x)
    task = tasks.dvs_gesture(tmp_path, n_steps=5, side=32, validation_share=0.5)
    assert task.n_inputs == 2 * 32 * 32 and sorted(task.test.targets) == [0, 10]
    frames = task.test.inputs[list(task.test.targets).index(10)].reshape(5, 2, 32, 32)
    first = np.zeros((2, 32, 32))
    np.add.at(first, (polarity[20:28], y[20:28] // 4, x[20:28] // 4), 1)
    np.testing.assert_allclose(frames[0], first / first.max())
    write_aedat(tmp_path / "user02_lab.aedat", x, y, polarity, times, valid=np.arange(n) % 2)
    assert len(tasks.read_aedat(tmp_path / "user02_lab.aedat")) == n // 2
    (tmp_path / "user02_lab.aedat").write_bytes(content[:-12])
    with pytest.raises(DataError, match=r"user02_lab\.aedat: the file ends inside"):
        tasks.dvs_gesture(tmp_path)
    (tmp_path / "user02_lab.aedat").write_bytes(b"#!AER-DAT2.0\n")
    with pytest.raises(DataError, match=r"not an AEDAT 3\.1"):
        tasks.dvs_gesture(tmp_path, n_steps=5)
    (tmp_path / "user01_lab_labels.csv").write_text(
        "class,startTime_usec,endTime_usec\n12,0,2000\n"
    )
    with pytest.raises(
        DataError, match=r"user01_lab_labels\.csv: expected columns class \(1 to 11\)"
    ):
        tasks.dvs_gesture(tmp_path, n_steps=5)
    with pytest.raises(DataError, match="do not divide"):
        tasks.dvs_gesture(tmp_path, side=30)


def batch_of(n_in, steps=2, size=2):
    x = jnp.asarray(RANDOM.normal(size=(steps, size, n_in)), jnp.float32)
    return Batch(x, jnp.arange(size) % 10, jnp.ones((steps, size), bool))


def test_resnet_18_has_its_shape():
    """17 layers of neurons in four stages, shortcuts in the second of each block."""
    made = partial(
        architectures.resnet_18,
        (3, 32, 32),
        10,
        nc.models.noisy_lif("escape"),
        1e-3,
        width=1 / 16,
        surrogate=None,
    )
    net = eqx.filter_eval_shape(lambda key: made(key=key), jax.random.key(0))
    assert [layer.n for layer in net.layers] == [4096] * 5 + [2048] * 4 + [1024] * 4 + [512] * 4
    assert [number for number, layer in enumerate(net.layers) if layer.shortcut] == list(
        range(2, 17, 2)
    )
    across = [layer.shortcut.connection is not None for layer in net.layers if layer.shortcut]
    assert across == [False, False, True, False, True, False, True, False]


@pytest.mark.long
@pytest.mark.parametrize("stages", [((64, 2),), architectures.RESNET_18])
def test_residual_networks_have_a_gradient_everywhere(monkeypatch, stages):
    """Noise leaves no array without one: one stage of two blocks, the first across a stride, and
    all four stages."""
    monkeypatch.setattr(architectures, "RESNET_18", stages)
    model = nc.models.noisy_lif("escape")
    net = architectures.resnet_18(
        (3, 8, 8), 10, model, 1e-3, width=1 / 16, key=jax.random.key(0), surrogate=None
    )
    assert len(net.layers) == 1 + 4 * len(stages)
    learned, rest = trainable(net)
    compiled = eqx.filter_jit(gradient)
    slopes, report = compiled(
        learned, rest, batch_of(192), "mean_potential", Regulariser(), jax.random.key(1)
    )
    leaves = jax.tree.leaves(slopes)
    assert np.isfinite(float(report.loss)) and all(
        bool(jnp.all(jnp.isfinite(leaf))) for leaf in leaves
    )
    assert all(bool(jnp.any(leaf != 0)) for leaf in leaves)
    assert all(0 < float(rate) < 1 for rate in report.rates)


def test_full_networks_have_the_published_sizes():
    """ResNet-18 for CIFAR-10 has 11.17 million weights; CIFARNet takes 512 x 8 x 8 into its first
    linear map."""
    model = nc.models.noisy_lif("none")
    shapes = jax.eval_shape(
        lambda key: trainable(architectures.resnet_18((3, 32, 32), 10, model, 1e-3, key=key))[0],
        jax.random.key(0),
    )
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 11_173_962
    net = architectures.cifar_net((3, 32, 32), 10, model, 1e-3, width=1 / 32, key=jax.random.key(0))
    assert [layer.connection.parts[-1].out_shape for layer in net.layers] == [
        (4, 32, 32),
        (8, 32, 32),
        (16, 16, 16),
        (32, 8, 8),
        (16, 8, 8),
    ]
    assert [part.n_out for part in net.readout.connection.parts] == [32, 16, 10]
    with pytest.raises(ModelError, match="tile"):
        architectures.cifar_net((3, 30, 30), 10, model, 1e-3, width=1 / 32, key=jax.random.key(0))


def test_energy_counts_an_addition_a_spike_and_synapse():
    """By hand on digits: the first map once in full as multiplications, the others by the spikes
    that reach them."""
    task = tasks.digits(n_steps=4)
    keys = jax.random.split(jax.random.key(0), 3)
    layer = Layer(
        Dense(64, 30, key=keys[0]),
        nc.models.noisy_lif("none"),
        1e-3,
        recurrent=Recurrent(30, key=keys[1]),
    )
    net = Network([layer, Readout(Dense(30, 10, key=keys[2]), 1e-3)])
    table = energy(net, task.test).set_index("connection")
    spikes = np.asarray(
        net(jnp.moveaxis(jnp.asarray(task.test.inputs), 0, 1)).spikes[0]
    ).sum() / len(task.test)
    assert table.loc["layer 0", "picojoule"] == pytest.approx(4.6 * 64 * 30)
    assert table.loc["layer 0, recurrent", "operations"] == pytest.approx(spikes * 30, rel=1e-4)
    assert table.loc["readout", "picojoule"] == pytest.approx(0.9 * spikes * 10, rel=1e-4)
