"""Spike trains from files of any layout, written by the test, and faults that name the file."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import scipy.io

from neurocode.errors import DataError
from neurocode.recordings import Layout, read_layout


def cells(shape, entries):
    array = np.empty(shape, object)
    for index, entry in zip(np.ndindex(shape), entries, strict=True):
        array[index] = entry
    return array


def test_cells_of_units_and_trials(tmp_path):
    path = tmp_path / "movie.mat"
    scipy.io.savemat(path, {"Spikes": cells((2, 3), [np.arange(n) for n in range(6)])})
    trains = read_layout(path, Layout("Spikes", "unit,trial", "ms", t_stop=10.0))
    assert trains.n_units == 2 and trains.counts.tolist() == [0, 1, 2, 3, 4, 5] and trains.t_stop[0] == pytest.approx(0.01)


def test_cells_in_cells_are_stimuli(tmp_path):
    path = tmp_path / "images.mat"
    inner = [cells((2, 3), [np.arange(n + k) for n in range(6)]) for k in range(4)]
    scipy.io.savemat(path, {"Spikes": cells((4, 1), inner)})
    trains = read_layout(path, Layout("Spikes", "stimulus,unit,trial"))
    assert trains.n_units == 2 and len(trains.unit) == 24
    assert sorted(set(trains.condition.tolist())) == [0, 1, 2, 3] and trains.counts[trains.condition == 3].tolist() == [
        3,
        4,
        5,
        6,
        7,
        8,
    ]


def test_rows_of_unit_and_time(tmp_path):
    path = tmp_path / "rows.mat"
    scipy.io.savemat(path, {"spks": np.array([[2, 0.5], [1, 0.2], [2, 0.1]])})
    trains = read_layout(path, Layout("spks", "unit,time"))
    assert [trains.train(k).tolist() for k in range(2)] == [[0.2], [0.1, 0.5]]


def test_counts_in_bins(tmp_path):
    path = tmp_path / "bins.npy"
    np.save(path, np.array([[0, 1, 0, 2], [1, 0, 0, 0]]))
    trains = read_layout(path, Layout(axes="trial,bin", time_unit="ms", t_start=-2.0, t_stop=2.0))
    np.testing.assert_allclose(trains.train(0), [-1e-3, 1e-3, 1e-3])
    assert trains.n_units == 1 and len(trains.unit) == 2


def test_trains_one_after_another(tmp_path):
    path = tmp_path / "waves.h5"
    with h5py.File(path, "w") as file:
        file["spikes"], file["sCount"] = np.array([0.1, 0.2, 0.15]), np.array([2, 1])
    assert read_layout(path, Layout("spikes", counts="sCount")).counts.tolist() == [2, 1]


def test_a_layout_in_toml(tmp_path):
    path = tmp_path / "layout.toml"
    path.write_text('variable = "Spikes"\naxes = "unit, trial"\ntime_unit = "ms"\n')
    assert Layout.load(path) == Layout("Spikes", "unit, trial", "ms")
    path.write_text('axis = "unit"\n')
    with pytest.raises(DataError, match="has no 'axis'"):
        Layout.load(path)


def test_faults_name_the_file_and_what_was_expected(tmp_path):
    path = tmp_path / "cell.mat"
    scipy.io.savemat(path, {"Spikes": np.zeros((3, 3))})
    for layout, says in (
        (Layout("spikes"), "no variable 'spikes'; the file has Spikes"),
        (Layout("Spikes", "unit,time"), r"shape \(3, 3\) has no columns unit, time"),
        (Layout("Spikes"), r"shape \(3, 3\) has no axes 'spike'"),
        (Layout("Spikes", "trial,unit,bin"), "bins come last"),
    ):
        with pytest.raises(DataError, match=says) as caught:
            read_layout(path, layout)
        assert "cell.mat" in str(caught.value)
    truncated = tmp_path / "cut.mat"
    truncated.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"cut.mat: the file is cut off: an element of 128 bytes has 64"):
        read_layout(truncated, Layout("Spikes"))
    text = tmp_path / "words.txt"
    text.write_text("one two\n")
    with pytest.raises(DataError, match=r"words.txt"):
        read_layout(text, Layout())
    with pytest.raises(DataError, match="no such file"):
        read_layout(tmp_path / "absent.mat", Layout())


@pytest.mark.parametrize(
    ("options", "says"), [({"time_unit": "min"}, "no unit of spike times"), ({"axes": "unit,repeat"}, "no axis")]
)
def test_layouts_that_make_no_sense_are_named(options, says):
    with pytest.raises(DataError, match=says):
        Layout(**options)


def test_recorded_sets_have_the_numbers_of_their_readme(recorded_data):
    movie = read_layout(recorded_data / "retina-movies" / "Movie1Exp1.mat", Layout("Spikes", "unit,trial", "ms", t_stop=18_000))
    assert (movie.n_units, len(movie.unit), movie.times.size) == (38, 1140, 26_968)
    stn = read_layout(recorded_data / "stn" / "10_spikes-1.mat", Layout("train", "trial,bin", "ms", t_start=-1000, t_stop=1000))
    assert (len(stn.unit), stn.times.size) == (50, 4696)
    locust = read_layout(recorded_data / "grasshopper" / "grasshopper_spike_times1.txt", Layout(time_unit="us"))
    assert locust.times.size == 929


def test_an_axis_inside_the_cells_is_refused(tmp_path):
    """A row of two cells read as one unit of two trials would be a silent wrong answer."""
    path = tmp_path / "row.mat"
    scipy.io.savemat(path, {"unit_t": cells((1, 2), [np.arange(3.0), np.arange(4.0)])})
    assert read_layout(path, Layout("unit_t", "unit")).n_units == 2
    with pytest.raises(DataError, match=r"row\.mat.*spike"):
        read_layout(path, Layout("unit_t", "unit,spike"))
