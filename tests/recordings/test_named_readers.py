"""Only named readers open files: nothing is unpickled, no link to another file is followed, and no
text in a file is evaluated."""

from __future__ import annotations

import os
import pickle
import stat

import h5py
import neo
import numpy as np
import pytest
import quantities as pq
import scipy.io
from typer.testing import CliRunner

import neurocode as nc
from neurocode.cli import app
from neurocode.errors import DataError
from neurocode.recordings import Layout, read_layout, read_trains
from neurocode.recordings.files import block_of_trains
from neurocode.recordings.plausible import is_unit


class Payload:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def says_one_sentence(path, read, match):
    with pytest.raises(DataError, match=match) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and text.endswith(".") and "\n" not in text


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".fake", ".plx", ".PKL", ""])
def test_unknown_endings_are_not_opened(tmp_path, suffix):
    path, made = tmp_path / f"evil{suffix}", tmp_path / "made"
    path.write_bytes(pickle.dumps(Payload(made)))
    for read in (nc.read, read_trains, nc.Experiment.from_files):
        says_one_sentence(
            path,
            read,
            rf"there is no reader for '{suffix.lower()}' files; known are .abf, "
            rf".ibw, .nix, .nwb, .npy",
        )
    says_one_sentence(
        path,
        lambda file: read_layout(file, Layout()),
        rf"a layout reads .mat, .h5, .hdf5, .npy, .npz, .parquet, .txt.*not '{suffix.lower()}'",
    )
    run = CliRunner().invoke(app, ["describe", str(path), "-o", str(tmp_path / "out")])
    assert isinstance(run.exception, DataError) and not (tmp_path / "out").exists()
    assert not made.exists()


def test_files_of_spike_times_that_need_a_layout_say_so(tmp_path):
    path = tmp_path / "cell.mat"
    scipy.io.savemat(path, {"times": [0.1]})
    says_one_sentence(
        path, nc.read, r"no reader for '.mat' files; say where its spike times are by a layout"
    )


@pytest.mark.parametrize("read", [nc.read, lambda path: read_layout(path, Layout())])
def test_pickles_inside_npy_are_refused(tmp_path, read):
    made = tmp_path / "made"
    np.save(tmp_path / "object.npy", np.array([Payload(made)], object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Payload(made)))
    np.save(tmp_path / "words.npy", np.array(["0.1"]))
    np.save(tmp_path / "complex.npy", np.array([1j]))
    np.savez(tmp_path / "several", [0.1])
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    says_one_sentence(tmp_path / "object.npy", read, "Python objects in dtype")
    says_one_sentence(tmp_path / "pickle.npy", read, "damaged")
    says_one_sentence(tmp_path / "several.npy", read, "damaged")
    says_one_sentence(tmp_path / "words.npy", read, "holds values of type <U3, expected numbers")
    says_one_sentence(
        tmp_path / "complex.npy", read, "holds values of type complex128, expected numbers"
    )
    assert not made.exists()


def cell(*entries):
    array = np.empty((1, len(entries)), object)
    array[0, :] = entries
    return array


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"a": 1.0}, "a struct"),
        ("words", "text"),
        (scipy.sparse.eye(3).tocsc(), "a sparse matrix"),
        (np.array([1 + 2j]), "complex numbers"),
        (cell(np.arange(2.0), {"a": 1.0}), "a struct"),
        (cell(np.arange(2.0), cell("words")), "text"),
    ],
)
def test_mat_variables_that_are_no_numbers_are_refused(tmp_path, value, content, compressed):
    path = tmp_path / "cell.mat"
    scipy.io.savemat(path, {"x": value, "y": [0.5]}, do_compression=compressed)
    for axes in ("unit", "spike"):
        says_one_sentence(
            path,
            lambda file, axes=axes: read_layout(file, Layout("x", axes)),
            f"'x' holds {content}, expected real numbers",
        )
    assert read_layout(path, Layout("y")).times.tolist() == [0.5]


def test_mat_version_4_is_read_and_refuses_text(tmp_path):
    path = tmp_path / "old.mat"
    scipy.io.savemat(path, {"x": np.array([[0.5, 1.5]]), "word": "a"}, format="4")
    assert read_layout(path, Layout("x")).times.tolist() == [0.5, 1.5]
    says_one_sentence(
        path,
        lambda file: read_layout(file, Layout("word")),
        "'word' holds values of class char, expected numbers",
    )
    says_one_sentence(
        path, lambda file: read_layout(file, Layout("z")), "no variable 'z'; the file has x, word"
    )
    says_one_sentence(
        path,
        lambda file: read_layout(file, Layout()),
        "a variable must be named; the file has x, word",
    )


@pytest.mark.parametrize("suffix", [".h5", ".hdf5", ".mat"])
def test_hdf5_holds_numbers_or_is_refused(tmp_path, suffix):
    path = tmp_path / f"cell{suffix}"
    with h5py.File(path, "w") as file:
        file["numbers"] = [0.5, 1.5]
        file.create_dataset("lists", (2,), h5py.vlen_dtype(float))
        file.create_dataset("references", (2,), h5py.ref_dtype)
        file["group/inside"] = [0.25]
    assert read_layout(path, Layout("numbers")).times.tolist() == [0.5, 1.5]
    assert read_layout(path, Layout("group/inside")).times.tolist() == [0.25]
    for name, content in (
        ("lists", "object values"),
        ("references", "object values"),
        ("group", "a group"),
    ):
        says_one_sentence(
            path,
            lambda file, name=name: read_layout(file, Layout(name)),
            f"'{name}' holds {content}, expected numbers",
        )
    says_one_sentence(
        path,
        lambda file: read_layout(file, Layout("absent")),
        "no variable 'absent'; the file has group, lists, numbers",
    )


def secret(folder):
    path = folder / "secret.bin"
    np.array([0.25, 0.5]).tofile(path)
    return path


def by_link(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = [0.25]
    file["deep/x"] = h5py.ExternalLink("other.h5", "x")


def by_storage(file, folder):
    file.create_dataset("deep/x", (2,), float, external=[(str(secret(folder)), 0, 16)])


def by_virtual_data(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = [0.25, 0.5]
    whole = h5py.VirtualLayout((2,), float)
    whole[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (2,))
    file.create_virtual_dataset("deep/x", whole)


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".nwb", ".nix"])
@pytest.mark.parametrize(
    ("point", "match"),
    [
        (by_link, "'deep/x' is a link to another file"),
        (by_storage, "the data of 'deep/x' lie in another file"),
        (by_virtual_data, "the data of 'deep/x' lie in another file"),
    ],
)
def test_hdf5_that_points_outside_itself_is_refused(tmp_path, suffix, point, match):
    path = tmp_path / f"cell{suffix}"
    with h5py.File(path, "w") as file:
        point(file, tmp_path)
    says_one_sentence(path, lambda file: read_trains(file, Layout("deep/x")), match)


def test_reading_a_nix_file_leaves_it_as_it_was(tmp_path):
    path = nc.write(block_of_trains([np.array([0.1])], 1.0, "cell"), tmp_path / "x.nix")
    before = path.read_bytes()
    path.chmod(stat.S_IREAD)
    assert len(nc.read(path).segments) == 1
    assert path.read_bytes() == before


def test_a_nix_file_of_two_blocks_is_refused(tmp_path):
    path = tmp_path / "x.nix"
    with neo.io.NixIO(str(path), "ow") as nix:
        for name in ("a", "b"):
            nix.write_block(block_of_trains([np.array([0.1])], 1.0, name))
    says_one_sentence(path, nc.read, "the file holds 2 blocks, expected one")


def test_units_in_a_file_are_names_and_no_sums(tmp_path):
    """``quantities`` would compute nine to the power of 387420489 for the text ``9**9**9``."""
    block = block_of_trains([np.array([0.1])], 1.0, "cell")
    block.segments[0].analogsignals.append(
        neo.AnalogSignal([1.0, 2.0], units="mV", sampling_rate=1 * pq.kHz)
    )
    path = nc.write(block, tmp_path / "x.nix")
    with h5py.File(path, "r+") as file:
        array = next(entry for entry in find(file) if entry.attrs.get("unit") == "mV")
        array.attrs["unit"] = "9**9**9"
    says_one_sentence(path, nc.read, r"is in '9\*\*9\*\*9', which is not a unit")
    path = nc.write(block, tmp_path / "x.nwb")
    with h5py.File(path, "r+") as file:
        file["acquisition/segment_0_signal_0/data"].attrs["unit"] = "9**9**9"
    assert nc.read(path).segments[0].analogsignals[0].units == pq.dimensionless


def find(group):
    entries = []
    group.visititems(lambda name, entry: entries.append(entry))
    return entries


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("mV", True),
        ("V**2", True),
        ("pA*s", True),
        ("1/s", True),
        ("kg*m**2/(s**3*A)", True),
        ("µV", True),
        ("%", True),
        ("mV/ms**-1", True),
        ("V**0.5", True),
        ("9**9", False),
        ("V**9**9", False),
        ("2*V", False),
        ("V**10", False),
        ("V;V", False),
        ("", False),
        ("V" * 60, True),
        ("V" * 61, False),
        ("*".join("V" * 9), True),
        ("*".join("V" * 10), False),
    ],
)
def test_what_may_be_a_unit(text, answer):
    assert is_unit(text) is answer


def test_a_folder_or_an_empty_file_is_named(tmp_path):
    (tmp_path / "folder.abf").mkdir()
    (tmp_path / "empty.nwb").touch()
    for read in (nc.read, read_trains, nc.Experiment.from_files):
        says_one_sentence(tmp_path / "folder.abf", read, "this is a folder, expected a file")
        says_one_sentence(tmp_path / "empty.nwb", read, "the file is empty")
        says_one_sentence(tmp_path / "absent.nwb", read, "there is no such file")


@pytest.mark.parametrize("suffix", [".abf", ".ibw", ".nix", ".nwb", ".h5", ".mat", ".npy"])
@pytest.mark.parametrize("content", [b"nothing", bytes(range(256)) * 8, b"\x00" * 4096])
def test_other_bytes_are_damage(tmp_path, suffix, content):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    says_one_sentence(
        path,
        lambda file: read_trains(file, Layout("x")),
        "damaged|no variable|cut off|no spike train|is of version|declares parts",
    )
