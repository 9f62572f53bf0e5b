"""Spike trains from files of any layout, written by the test, and errors that name the file."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import scipy.io

import neurocode as nc
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
    assert (
        trains.n_units == 2
        and trains.counts.tolist() == [0, 1, 2, 3, 4, 5]
        and trains.t_stop[0] == pytest.approx(0.01)
    )


def test_cells_in_cells_are_stimuli(tmp_path):
    path = tmp_path / "images.mat"
    inner = [cells((2, 3), [np.arange(n + k) for n in range(6)]) for k in range(4)]
    scipy.io.savemat(path, {"Spikes": cells((4, 1), inner)})
    trains = read_layout(path, Layout("Spikes", "stimulus,unit,trial"))
    assert trains.n_units == 2 and len(trains.unit) == 24
    assert sorted(set(trains.condition.tolist())) == [0, 1, 2, 3] and trains.counts[
        trains.condition == 3
    ].tolist() == [
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


def test_one_number_is_no_row_of_spikes(tmp_path):
    path = tmp_path / "one.h5"
    with h5py.File(path, "w") as file:
        file["spikes"] = 0.5
    with pytest.raises(DataError, match=r"an array of shape \(\) has no axes 'spike'"):
        read_layout(path, Layout("spikes"))


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
        (Layout("Spikes", "unit,time"), r"shape \(3, 3\) does not have the columns unit, time"),
        (Layout("Spikes"), r"shape \(3, 3\) has no axes 'spike'"),
        (Layout("Spikes", "trial,unit,bin"), "bins come last"),
    ):
        with pytest.raises(DataError, match=says) as caught:
            read_layout(path, layout)
        assert "cell.mat" in str(caught.value)
    truncated = tmp_path / "cut.mat"
    truncated.write_bytes(path.read_bytes()[:200])
    with pytest.raises(
        DataError, match=r"cut.mat: the file is cut off: an element of 128 bytes has 64"
    ):
        read_layout(truncated, Layout("Spikes"))
    text = tmp_path / "words.txt"
    text.write_text("one two\n")
    with pytest.raises(DataError, match=r"words.txt"):
        read_layout(text, Layout())
    with pytest.raises(DataError, match="no such file"):
        read_layout(tmp_path / "absent.mat", Layout())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"time_unit": "min"}, "'min' is not a unit of spike times; known are s, ms, us."),
        (
            {"axes": "unit,repeat"},
            "'repeat' is not an axis of a layout; known are unit, trial, stimulus, time, bin, "
            "spike.",
        ),
        ({"axes": "unit, unit"}, "The layout has the axis 'unit' twice."),
        (
            {"axes": ""},
            "'' is not an axis of a layout; known are unit, trial, stimulus, time, bin, spike.",
        ),
        ({"axes": 3}, "The layout's axes is 3, expected text."),
        ({"variable": ["x"]}, "The layout's variable is ['x'], expected text."),
        ({"counts": None}, "The layout's counts is None, expected text."),
        ({"time_unit": 1}, "The layout's time_unit is 1, expected text."),
        ({"bin_size": 0}, "The layout's bin_size is 0 s, expected a positive time."),
        (
            {"bin_size": -0.5, "time_unit": "ms"},
            "The layout's bin_size is -0.5 ms, expected a positive time.",
        ),
        ({"bin_size": float("nan")}, "The layout's bin_size is nan, expected a finite number."),
        ({"bin_size": None}, "The layout's bin_size is None, expected a finite number."),
        ({"bin_size": "1"}, "The layout's bin_size is '1', expected a finite number."),
        ({"bin_size": True}, "The layout's bin_size is True, expected a finite number."),
        ({"t_start": float("-inf")}, "The layout's t_start is -inf, expected a finite number."),
        ({"t_stop": float("inf")}, "The layout's t_stop is inf, expected a finite number."),
        ({"t_stop": 0}, "The layout ends at 0 s, not after its start at 0."),
        ({"t_start": 2.0, "t_stop": 2}, "The layout ends at 2 s, not after its start at 2."),
    ],
)
def test_layouts_that_make_no_sense_are_named(tmp_path, options, says):
    with pytest.raises(DataError) as caught:
        Layout(**options)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"axes = 3\n", "The layout's axes is 3, expected text."),
        (b"bin_size = 0.0\n", "The layout's bin_size is 0 s, expected a positive time."),
        (b"axes = \n", "the file is not TOML (Invalid value (at line 1, column 8))."),
        (
            b"\xff\xfe",
            "the file is not TOML ('utf-8' codec can't decode byte 0xff in position 0: invalid "
            "start byte).",
        ),
        (b"", "the file is empty."),
        (
            b"axis = 'unit'\n",
            "a layout has no 'axis'; it has axes, bin_size, counts, labels, sampling_rate, "
            "t_start, t_stop, time_column, time_unit, unit_column, variable.",
        ),
    ],
)
def test_faults_of_a_layout_file_name_it(tmp_path, content, says):
    path = tmp_path / "layout.toml"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        Layout.load(path)
    assert str(caught.value) == f"{path}: {says}"


def test_a_folder_is_no_layout(tmp_path):
    for path, says in (
        (tmp_path, "this is a folder, expected a file."),
        (tmp_path / "absent", "there is no such file."),
    ):
        with pytest.raises(DataError) as caught:
            Layout.load(path)
        assert str(caught.value) == f"{path}: {says}"


def test_a_window_leaves_out_what_lies_outside(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_text("100\n200\n300\n400\n")
    for (start, stop), expected, extent in (
        ((None, None), [0.1, 0.2, 0.3, 0.4], (0.0, 0.4)),
        ((200, 300), [0.2, 0.3], (0.2, 0.3)),
        ((150, None), [0.2, 0.3, 0.4], (0.15, 0.4)),
        ((None, 250), [0.1, 0.2], (0.0, 0.25)),
        ((None, 900), [0.1, 0.2, 0.3, 0.4], (0.0, 0.9)),
        ((410, 900), [], (0.41, 0.9)),
    ):
        trains = read_layout(path, Layout(time_unit="ms", t_start=start, t_stop=stop))
        np.testing.assert_allclose(trains.train(0), expected)
        assert (trains.t_start[0], trains.t_stop[0]) == pytest.approx(extent)


def test_times_before_zero_are_not_left_out_unasked(tmp_path):
    path = tmp_path / "cell.csv"
    path.write_text("-0.5\n0.5\n1.0\n")
    assert nc.describe(read_layout(path, Layout()), n_surrogates=0)["reason"].tolist() == [
        "times lie outside [0, 1] s"
    ]
    trains = read_layout(path, Layout(t_start=-1.0))
    assert trains.times.tolist() == [-0.5, 0.5, 1.0] and trains.t_start.tolist() == [-1.0]


def test_an_impossible_time_is_the_fault_of_its_unit_alone(tmp_path):
    path = tmp_path / "cells.npy"
    rows = [
        [0, 0.5],
        [0, 1.0],
        [1, 0.5],
        [1, np.nan],
        [2, np.inf],
        [2, 0.5],
        [3, 1e308],
        [3, 0.25],
        [4, 0.5],
        [4, 0.75],
    ]
    np.save(path, np.array(rows))
    trains = read_layout(path, Layout(axes="unit,time"))
    assert trains.t_stop.tolist() == [1.0] * 5
    table = nc.describe(trains, n_surrogates=0)
    assert table["reason"].tolist() == [
        "",
        "1 times are not finite",
        "1 times are not finite",
        "times lie outside [0, 1] s",
        "",
    ]
    assert table["rate"].fillna(-1).tolist() == [2.0, -1, -1, -1, 2.0]
    assert nc.describe(read_layout(path, Layout(axes="unit,time", t_stop=0.6)), n_surrogates=0)[
        "n_spikes"
    ].tolist() == [
        1,
        2,
        2,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[np.nan, 0.5]], "the column 'unit' holds nan, expected the number of a unit."),
        ([[np.inf, 0.5]], "the column 'unit' holds inf, expected the number of a unit."),
        (np.zeros((0, 2)), "the table has columns unit, time and no row."),
        (np.zeros((2, 3)), "a table of shape (2, 3) does not have the columns unit, time."),
        (np.zeros(2), "a table of shape (2,) does not have the columns unit, time."),
    ],
)
def test_tables_that_make_no_sense_are_named(tmp_path, rows, says):
    path = tmp_path / "cells.npy"
    np.save(path, np.array(rows))
    with pytest.raises(DataError) as caught:
        read_layout(path, Layout(axes="unit,time"))
    assert str(caught.value) == f"{path}: {says}"


def test_columns_of_trials_and_stimuli(tmp_path):
    path = tmp_path / "cells.npy"
    np.save(path, np.array([[5, 1, 0.5], [5, 0, 0.25], [3, 1, 0.75], [3, 1, 0.5]]))
    trains = read_layout(path, Layout(axes="stimulus,trial,time"))
    assert trains.n_units == 1 and trains.condition.tolist() == [0, 1, 1]
    assert [trains.train(k).tolist() for k in range(3)] == [[0.5, 0.75], [0.25], [0.5]]


def test_the_last_bin_is_the_one_before_the_end(tmp_path):
    """Ten bins of 1 ms with a spike each; up to 5 ms there are five."""
    path = tmp_path / "bins.npy"
    np.save(path, np.ones((2, 10), int))
    trains = read_layout(path, Layout(axes="trial,bin", time_unit="ms", t_stop=5.0))
    assert trains.counts.tolist() == [5, 5] and trains.t_stop.tolist() == [0.005, 0.005]
    assert read_layout(
        path, Layout(axes="trial,bin", time_unit="ms", t_stop=20.0)
    ).t_stop.tolist() == [0.02, 0.02]
    assert read_layout(path, Layout(axes="trial,bin", time_unit="ms")).t_stop.tolist() == [
        0.01,
        0.01,
    ]


def test_trials_without_a_row_are_silent(tmp_path):
    """Unit 7 fires in every trial, unit 9 in the first and third; trial 13 has no row at all."""
    path = tmp_path / "rows.npy"
    rows = [[7, trial, 0.5] for trial in (10, 11, 12, 14)] + [
        [9, trial, 0.25] for trial in (10, 12)
    ]
    np.save(path, np.array(rows))
    with pytest.warns(
        UserWarning, match=r"rows.npy: 4 of 10 trials have no row; they are taken as silent"
    ):
        trains = read_layout(path, Layout(axes="unit,trial,time", t_stop=1.0))
    assert [len(trains.trains_of(unit)) for unit in (0, 1)] == [5, 5]
    assert trains.counts.tolist() == [1, 1, 1, 0, 1, 1, 0, 1, 0, 0]
    assert [name.rpartition("/")[2] for name in trains.names] == ["7", "9"]
    table = nc.describe(trains, n_surrogates=0)
    assert table["rate"].tolist() == [0.8, 0.4] and table["n_trains"].tolist() == [5, 5]
    np.save(path, np.array([[1, 0.5], [1_000_000, 0.5]]))
    with pytest.raises(
        DataError, match="trials are numbered from 1 to 1000000 and 2 of them hold a spike"
    ):
        read_layout(path, Layout(axes="trial,time"))


def test_units_that_share_no_trial_do_not_fill_the_memory(tmp_path):
    """A hundred units in a hundred trials, each in its own: 9900 silent ones would be made up."""
    path = tmp_path / "rows.npy"
    np.save(path, np.stack([np.arange(100), np.arange(100), np.full(100, 0.5)], axis=1))
    with pytest.raises(
        DataError,
        match="100 of 10000 trials of the units hold a spike, expected units that share their "
        "trials",
    ):
        read_layout(path, Layout(axes="unit,trial,time"))


def test_trials_of_other_stimuli_are_no_silent_trials(tmp_path):
    """Trials are counted through: the second stimulus was shown in trials 1 and 3; one unit misses
    one of them."""
    path = tmp_path / "rows.npy"
    np.save(
        path,
        np.array([[0, 0, 0, 0.5], [0, 0, 2, 0.5], [0, 1, 1, 0.5], [0, 1, 3, 0.5], [4, 1, 3, 0.5]]),
    )
    with pytest.warns(UserWarning, match="3 of 8 trials"):
        trains = read_layout(path, Layout(axes="unit,stimulus,trial,time"))
    assert trains.condition.tolist() == [0, 0, 1, 1] * 2 and trains.counts.tolist() == [
        1,
        1,
        1,
        1,
        0,
        0,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("time,unit", "the columns are called time, unit, the axes say unit, time"),
        ("unit,time_ms", "the column 'time_ms' says ms, the unit of time is s"),
        ("unit,times (us)", "the column 'times (us)' says us, the unit of time is s"),
    ],
)
def test_a_header_that_says_otherwise_is_refused(tmp_path, header, says):
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\n1,0.5\n2,0.25\n")
    with pytest.raises(DataError) as caught:
        read_layout(path, Layout(axes="unit,time", time_unit="s"))
    assert str(caught.value) == f"{path}: {says}."
    for right in ("unit,time", "units,times (s)", "cell,t_s", '"unit","time"'):
        path.write_text(f"{right}\n1,0.5\n2,0.25\n")
        assert read_layout(path, Layout(axes="unit,time")).counts.tolist() == [1, 1]
    path.write_text("time_ms\n500\n")
    with pytest.raises(DataError, match="says ms"):
        nc.read(path, time_unit="s")
    assert float(nc.read(path).segments[0].spiketrains[0].rescale("s").magnitude[0]) == 0.5
    assert (
        float(nc.read(path, time_unit="ms").segments[0].spiketrains[0].rescale("s").magnitude[0])
        == 0.5
    )


def test_bins_of_units_and_trials(tmp_path):
    path = tmp_path / "bins.npy"
    np.save(path, np.arange(6).reshape(1, 2, 3) % 2)
    trains = read_layout(path, Layout(axes="unit,trial,bin", bin_size=0.5, t_start=1.0))
    assert trains.n_units == 1 and [trains.train(k).tolist() for k in range(2)] == [
        [1.5],
        [1.0, 2.0],
    ]
    assert trains.t_start.tolist() == [1.0, 1.0] and trains.t_stop.tolist() == [2.5, 2.5]
    cut = read_layout(path, Layout(axes="unit,trial,bin", bin_size=0.5, t_start=1.0, t_stop=2.0))
    assert [cut.train(k).tolist() for k in range(2)] == [[1.5], [1.0]] and cut.t_stop.tolist() == [
        2.0,
        2.0,
    ]
    with pytest.raises(
        DataError,
        match=r"1.5 bins of 0.5 s lie between 1 and 1.75, expected a whole number of bins",
    ):
        read_layout(path, Layout(axes="unit,trial,bin", bin_size=0.5, t_start=1.0, t_stop=1.75))
    np.save(path, np.ones((1, 3)))
    assert read_layout(path, Layout(axes="bin")).times.tolist() == [0.0, 1.0, 2.0]


def test_names_of_units_tell_the_file(tmp_path):
    path = tmp_path / "cells.npy"
    np.save(path, np.array([[7, 0.5]]))
    assert read_layout(path, Layout(axes="unit,time")).names == (f"{tmp_path.name}/cells",)
    np.save(path, np.array([[7, 0.5], [9, 0.5]]))
    assert read_layout(path, Layout(axes="unit,time")).names == (
        f"{tmp_path.name}/cells/7",
        f"{tmp_path.name}/cells/9",
    )


def test_recorded_sets_have_the_numbers_of_their_readme(recorded_data):
    movie = read_layout(
        recorded_data / "retina-movies" / "Movie1Exp1.mat",
        Layout("Spikes", "unit,trial", "ms", t_stop=18_000),
    )
    assert (movie.n_units, len(movie.unit), movie.times.size) == (38, 1140, 26_968)
    stn = read_layout(
        recorded_data / "stn" / "10_spikes-1.mat",
        Layout("train", "trial,bin", "ms", t_start=-1000, t_stop=1000),
    )
    assert (len(stn.unit), stn.times.size) == (50, 4696)
    locust = read_layout(
        recorded_data / "grasshopper" / "grasshopper_spike_times1.txt", Layout(time_unit="us")
    )
    assert locust.times.size == 929


def test_an_axis_inside_the_cells_is_refused(tmp_path):
    """Reading a row of two cells as one unit with two trials would be wrong without any error."""
    path = tmp_path / "row.mat"
    scipy.io.savemat(path, {"unit_t": cells((1, 2), [np.arange(3.0), np.arange(4.0)])})
    assert read_layout(path, Layout("unit_t", "unit")).n_units == 2
    with pytest.raises(DataError, match=r"row\.mat.*spike"):
        read_layout(path, Layout("unit_t", "unit,spike"))


@pytest.mark.parametrize(
    ("axes", "counts"), [("spike", ""), ("unit,time", ""), ("spike", "counts")]
)
def test_truth_values_are_no_times(tmp_path, axes, counts):
    with h5py.File(tmp_path / "truth.h5", "w") as file:
        file["x"] = (
            np.array([[True, False], [True, True]])
            if axes == "unit,time"
            else np.array([True, False])
        )
        file["counts"] = np.array([1, 1])
    with pytest.raises(
        DataError, match=r"truth.h5: the file holds boolean values, expected spike times"
    ):
        read_layout(tmp_path / "truth.h5", Layout(variable="x", axes=axes, counts=counts))


def test_truth_values_are_counts_in_bins(tmp_path):
    np.save(tmp_path / "raster.npy", np.array([[True, False, True]]))
    trains = read_layout(
        tmp_path / "raster.npy", Layout(axes="trial,bin", bin_size=1.0, time_unit="ms")
    )
    np.testing.assert_allclose(trains.train(0), [0.0, 0.002])
