"""Files that declare more than they hold, or sizes that no recording has, are refused before memory
is allocated."""

from __future__ import annotations

import struct
import zlib

import h5py
import neo
import numpy as np
import pytest
import quantities as pq
import scipy.io

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Layout, read_layout
from neurocode.recordings.files import block_of_trains
from neurocode.recordings.plausible import require_sampling
from neurocode.recordings.sizes import require_memory, require_stored

X = Layout("x")


def refuses(path, layout, match):
    with pytest.raises(DataError, match=match) as caught:
        read_layout(path, layout)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_an_npy_file_of_a_trillion_values(tmp_path):
    path = tmp_path / "x.npy"
    for shape in ((10**12,), (10**30,), (10**6, 10**6)):
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<f8", "fortran_order": False, "shape": shape}
            )
        refuses(path, Layout(), "damaged or truncated")
        with pytest.raises(DataError, match="damaged or truncated"):
            nc.read(path)


def test_a_mat_file_of_forty_bytes_and_a_trillion_values(tmp_path):
    path = tmp_path / "x.mat"
    path.write_bytes(struct.pack("<5i", 0, 10**6, 10**6, 0, 2) + b"x\0" + b"\0" * 18)
    assert path.stat().st_size == 40
    refuses(path, X, "'x' declares 1000000000000 numbers, more than the file has bytes")


def matrix(kind, shape, values, name=b"x", flags=0):
    """Return an array of MATLAB 5 with a class, a shape and the elements that follow its name."""

    def element(type_, content):
        return struct.pack("<II", type_, len(content)) + content + b"\0" * (-len(content) % 8)

    head = element(6, struct.pack("<II", kind | flags, 0)) + element(
        5, struct.pack(f"<{len(shape)}i", *shape)
    )
    return element(14, head + element(1, name) + b"".join(element(*value) for value in values))


def mat_5(path, *elements, compressed=False):
    header = b"MATLAB 5.0".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    packed = (
        [struct.pack("<II", 15, len(z)) + z for z in map(zlib.compress, elements)]
        if compressed
        else elements
    )
    path.write_bytes(header + b"".join(packed))


NUMBERS = (9, struct.pack("<2d", 0.25, 0.5))


@pytest.mark.parametrize("compressed", [False, True])
def test_mat_arrays_hold_as_much_as_they_declare(tmp_path, compressed):
    path = tmp_path / "x.mat"
    inside = matrix(6, (1, 2), [NUMBERS], b"")
    for element, match in (
        (matrix(6, (10**6, 10**6), [NUMBERS]), "'x' declares 1000000000000 numbers and holds 2"),
        (matrix(6, (1, 1), [NUMBERS]), "'x' declares 1 numbers and holds 2"),
        (matrix(6, (1, 2), []), "'x' declares 2 numbers and holds 0"),
        (matrix(6, (-1, -2), [NUMBERS]), r"'x' has the shape \(-1, -2\)"),
        (matrix(1, (10**9, 1), [(14, inside[8:])]), "'x' declares 1000000000 cells and holds 1"),
        (
            matrix(1, (1, 1), [(14, matrix(1, (10**9, 1), [], b"")[8:])]),
            "'x' declares 1000000000 cells and holds 0",
        ),
        (matrix(6, (1, 2), [NUMBERS, NUMBERS], flags=0x0800), "'x' holds complex numbers"),
        (matrix(17, (1, 2), [NUMBERS]), "'x' holds an object"),
        (matrix(16, (1, 2), [NUMBERS]), "'x' holds a function"),
        (matrix(3, (1, 2), [NUMBERS]), "'x' holds an object"),
        (matrix(99, (1, 2), [NUMBERS]), "'x' holds class 99"),
        (matrix(6, (), [NUMBERS]), "damaged"),
    ):
        mat_5(path, element, compressed=compressed)
        refuses(path, X, match)
    mat_5(path, matrix(6, (2, 1), [NUMBERS]), compressed=compressed)
    assert read_layout(path, X).times.tolist() == [0.25, 0.5]
    mat_5(path, matrix(1, (1, 2), [(14, inside[8:]), (14, b"")]), compressed=compressed)
    assert read_layout(path, Layout("x", "unit")).counts.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("dtype", "axes"),
    [
        (np.int8, "bin"),
        (np.uint8, "bin"),
        (np.int16, "bin"),
        (np.uint16, "bin"),
        (np.int32, "bin"),
        (np.uint32, "bin"),
        (np.int64, "bin"),
        (np.uint64, "bin"),
        (np.float32, "bin"),
        (bool, "bin"),
    ],
)
def test_mat_numbers_of_every_width(tmp_path, dtype, axes):
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"x": np.array([[0, 1, 1] + 20 * [0]], dtype)})
    assert read_layout(path, Layout("x", axes)).times.tolist() == [1.0, 2.0]


def test_mat_files_of_big_endian_machines_and_damaged_ones(tmp_path):
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"x": [0.25, 0.5]}, do_compression=True)
    whole = path.read_bytes()
    for place in range(130, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        refuses(path, X, "damaged or truncated|cut off|no variable|declares")
    path.write_bytes(whole[:-5])
    refuses(path, X, r"cut off: an element of \d+ bytes has \d+")
    swapped = (
        struct.pack(">II", 14, 64)
        + struct.pack(">IIII", 6, 8, 6, 0)
        + struct.pack(">IIii", 5, 8, 1, 2)
    )
    swapped += (
        struct.pack(">I", (1 << 16) | 1) + b"x\0\0\0" + struct.pack(">IIdd", 9, 16, 0.25, 0.5)
    )
    path.write_bytes(b"MATLAB 5.0".ljust(124) + struct.pack(">H", 0x0100) + b"MI" + swapped)
    assert read_layout(path, X).times.tolist() == [0.25, 0.5]


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".nwb", ".nix"])
def test_an_hdf5_array_that_the_file_cannot_hold(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**12,), float, chunks=(1000,))
    with pytest.raises(
        DataError, match=r"'x' declares 8e\+12 bytes, which a file of \d+ bytes cannot hold"
    ):
        nc.recordings.read_trains(path, X)


def test_the_largest_sizes(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"0" * 100_000)
    require_stored(path, 1032 * 100_000, "x")
    with pytest.raises(
        DataError, match=r"x declares 1\.03e\+08 bytes, which a file of 100000 bytes cannot hold"
    ):
        require_stored(path, 1032 * 100_000 + 1, "x")
    path.write_bytes(b"0" * 1000)
    require_stored(path, 2**26, "x")
    with pytest.raises(DataError, match="cannot hold"):
        require_stored(path, 2**26 + 1, "x")
    require_memory(path, 2**30, "x")
    with pytest.raises(DataError, match="x fills 1 GiB, at most 1 GiB are read"):
        require_memory(path, 2**30 + 1, "x")


@pytest.mark.parametrize("suffix", [".npy", ".h5"])
def test_an_array_that_memory_should_not_hold(tmp_path, suffix):
    """128 Mi small numbers stand in 128 MiB of a sparse file and would be a gibibyte of spike
    times."""
    path = tmp_path / f"x{suffix}"
    if suffix == ".npy":
        np.lib.format.open_memmap(path, "w+", np.uint8, (2**27 + 1,)).flush()
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("x", (2**27 + 1,), np.uint8)[-1] = 0
    refuses(path, Layout("x", "bin"), "(the array|'x') fills 1 GiB, at most 1 GiB are read")


@pytest.mark.parametrize("rate", [-6e30, 0.0, np.nan, np.inf, 9e-4, 1.1e8])
def test_sampling_rates_beyond_belief(tmp_path, rate):
    with pytest.raises(DataError, match=r"x: 'v' is sampled at .* Hz, expected 0.001 to 1e\+08 Hz"):
        require_sampling(tmp_path / "x", "v", rate, 0.0)
    block = block_of_trains([np.array([0.1])], 1.0, "cell")
    block.segments[0].analogsignals.append(
        neo.AnalogSignal([1.0, 2.0], units="mV", sampling_rate=1 * pq.kHz)
    )
    path = nc.write(block, tmp_path / "x.nwb")
    with h5py.File(path, "r+") as file:
        file["acquisition/segment_0_signal_0/starting_time"].attrs["rate"] = rate
    with pytest.raises(DataError, match="is sampled at"):
        nc.read(path)


@pytest.mark.parametrize("start", [np.nan, -np.inf, 1.1e10, -1.1e10])
def test_starts_beyond_belief(tmp_path, start):
    with pytest.raises(DataError, match=r"'v' starts at .* s, beyond 1e\+10 s"):
        require_sampling(tmp_path / "x", "v", 1e3, start)


def test_the_limits_of_sampling_stand(tmp_path):
    for rate, start in ((1e-3, 0.0), (1e8, 0.0), (1e3, 1e10), (1e3, -1e10)):
        require_sampling(tmp_path / "x", "v", rate, start)


def test_a_sampling_rate_in_a_nix_file_is_looked_at(tmp_path):
    block = block_of_trains([np.array([0.1])], 1.0, "cell")
    block.segments[0].analogsignals.append(
        neo.AnalogSignal([1.0, 2.0], units="mV", sampling_rate=1e-4 * pq.Hz, name="v")
    )
    with pytest.raises(DataError, match=r"'v' is sampled at 0\.0001 Hz"):
        nc.read(nc.write(block, tmp_path / "x.nix"))


@pytest.mark.parametrize(
    ("counts", "match"),
    [
        (
            [0, 0.5, 1.9],
            "the array holds 0.5, expected counts of spikes: whole numbers, none negative",
        ),
        ([0, 1, -1], "the array holds -1, expected counts"),
        ([0, np.nan], "the array holds nan, expected counts"),
        ([np.inf, 1], "the array holds inf, expected counts"),
        ([1e12, 0], r"the array adds up to 1e\+12 spikes, more than 1.34e\+08"),
    ],
)
def test_counts_in_bins_are_counts(tmp_path, counts, match):
    path = tmp_path / "x.npy"
    np.save(path, np.array(counts))
    refuses(path, Layout(axes="bin"), match)


@pytest.mark.parametrize(
    ("counts", "match"),
    [
        ([3, -1], "'n' holds -1, expected counts"),
        ([1.5, 0.5], "'n' holds 1.5, expected counts"),
        ([1, 2], "'n' adds up to 3 spikes, 'x' has 2"),
    ],
)
def test_counts_of_trains_are_counts(tmp_path, counts, match):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["n"] = [0.1, 0.2], counts
    refuses(path, Layout("x", counts="n"), match)
    with h5py.File(path, "w") as file:
        file["x"], file["n"] = [0.1, 0.2, 0.15], [2, 0, 1]
    trains = read_layout(path, Layout("x", counts="n"))
    assert [trains.train(k).tolist() for k in range(3)] == [[0.1, 0.2], [], [0.15]]


def test_counts_need_variables(tmp_path):
    for suffix in (".npy", ".csv"):
        path = tmp_path / f"x{suffix}"
        path.write_text("0.5")
        refuses(
            path,
            Layout(counts="n"),
            f"'n' would name a variable with counts, which '{suffix}' files do not have",
        )


def test_cells_beside_counts_are_refused(tmp_path):
    path = tmp_path / "x.mat"
    cells = np.empty((1, 2), object)
    cells[0, :] = [[0.1], [0.2]]
    scipy.io.savemat(path, {"x": cells, "n": [1, 1]})
    refuses(path, Layout("x", counts="n"), "'x' or 'n' holds cells, expected numbers")


@pytest.mark.parametrize(
    ("head", "match"),
    [
        (
            struct.pack("<h", 4),
            "the file is of version 4, expected an Igor binary wave of version 1, 2, 3 or 5",
        ),
        (
            struct.pack("<hhi3i4i4ii", 5, 0, 20, 0, 0, 0, *[2**30] * 4, *[0] * 4, 0),
            "declares parts of 4294967316 bytes in total .the smallest of 0., but has 64 bytes",
        ),
        (
            struct.pack("<hhi3i4i4ii", 5, 0, 20, 0, 0, 0, *[0] * 8, 45),
            "declares parts of 65 bytes in total .the smallest of 0., but has 64 bytes",
        ),
        (
            struct.pack("<hhi3i4i4ii", 5, 0, 20, 0, 0, -1, *[0] * 8, 0),
            "declares parts of 19 bytes in total .the smallest of -1., but has 64 bytes",
        ),
        (struct.pack(">hhi3i4i4ii", 5, 0, 65, 0, 0, 0, *[0] * 8, 0), "declares parts of 65 bytes"),
        (struct.pack("<hi", 1, 65), "declares parts of 65 bytes"),
        (struct.pack("<hii", 2, 0, 65), "declares parts of 65 bytes"),
        (struct.pack("<hiii", 3, 0, 0, 65), "declares parts of 65 bytes"),
    ],
)
def test_parts_of_an_igor_wave_fit_into_it(tmp_path, head, match):
    path = tmp_path / "x.ibw"
    path.write_bytes(head.ljust(64, b"\0"))
    with pytest.raises(DataError, match=match):
        nc.read(path)


@pytest.mark.parametrize(
    "head", [struct.pack("<hii", 2, 0, 0), struct.pack("<hhi3i4i4ii", 5, 0, 64, *[0] * 12)]
)
def test_an_igor_wave_that_declares_no_more_than_it_has_is_tried(tmp_path, head):
    path = tmp_path / "x.ibw"
    path.write_bytes(head.ljust(64, b"\0"))
    with pytest.raises(DataError, match=r"damaged or truncated \(Neo: "):
        nc.read(path)


def abf2(entries: int, entry_bytes: int = 2, block: int = 1) -> bytes:
    """An ABF2 file of 1024 bytes: one section of its table declares something, the others
    nothing."""
    table = struct.pack("<IIq", block, entry_bytes, entries) + bytes(16 * 17)
    return (b"ABF2" + bytes(72) + table).ljust(1024, b"\0")


@pytest.mark.parametrize(
    ("declared", "end"),
    [((257,), 1026), ((2**40,), 2**41 + 512), ((513, 0), 1025), ((-1,), 510), ((1, 128, 2), 1152)],
)
def test_a_section_of_an_abf_file_lies_inside_it(tmp_path, declared, end):
    (tmp_path / "cell.abf").write_bytes(abf2(*declared))
    with pytest.raises(
        DataError, match=rf"cell.abf: .* {declared[0]} entries ends at byte {end} of 1024"
    ):
        nc.read(tmp_path / "cell.abf")


def test_a_section_may_reach_the_end_of_an_abf_file(tmp_path):
    (tmp_path / "cell.abf").write_bytes(abf2(256))
    with pytest.raises(DataError, match=r"cell\.abf") as refused:
        nc.read(tmp_path / "cell.abf")
    assert "section of" not in str(refused.value)
