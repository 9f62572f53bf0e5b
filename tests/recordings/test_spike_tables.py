"""One table of spikes as CSV, Parquet, NPZ and data frame gives the same trains. Headings decide
what the columns hold; options are required for what they leave open."""

from __future__ import annotations

import io
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode.errors import DataError, MissingExtraError
from neurocode.recordings import Layout, Trains, read_layout, read_trains
from neurocode.recordings.columns import find_columns, unit_of_header, unit_of_heading
from neurocode.recordings.spike_table import cells_of_rows, last_time, times_of_column

TIMES, UNITS = np.array([0.5, 0.25, 0.125, 2.0]), ["b", "a", "b", "a"]


def as_csv(path, frame):
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def as_indexed_csv(path, frame):
    frame.to_csv(path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def as_semicolons(path, frame):
    frame.to_csv(path.with_suffix(".txt"), index=False, sep=";")
    return path.with_suffix(".txt")


def as_parquet(path, frame):
    frame.to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def as_npz(path, frame):
    np.savez(path.with_suffix(".npz"), **{name: np.array(frame[name].tolist()) for name in frame})
    return path.with_suffix(".npz")


@pytest.mark.parametrize("write", [as_csv, as_indexed_csv, as_semicolons, as_parquet, as_npz])
@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (pd.DataFrame({"time": TIMES, "unit": UNITS}), ["a", "b"]),
        (pd.DataFrame({"neuron_id": UNITS, "amplitude": 1.0, "spike_times": TIMES}), ["a", "b"]),
        (pd.DataFrame({"spike_time_ms": TIMES * 1e3, "cluster": [12, 3, 12, 3]}), ["3", "12"]),
        (pd.DataFrame({"t (us)": TIMES * 1e6, "id": [2.0, 1.0, 2.0, 1.0]}), ["1", "2"]),
    ],
    ids=["seconds", "other columns", "milliseconds", "microseconds"],
)
def test_every_form_of_a_table_holds_the_same_trains(tmp_path, write, frame, names):
    """Unit a fires at 0.25 and 2 s, unit b at 0.125 and 0.5 s; both end with the last spike of the
    table."""
    trains = read_trains(write(tmp_path / "cells", frame))
    label = f"{tmp_path.name}/cells"
    assert list(trains.names) == [f"{label}/{name}" for name in names]
    np.testing.assert_allclose(trains.times, [0.25, 2.0, 0.125, 0.5], rtol=1e-14)
    assert trains.counts.tolist() == [2, 2] and trains.t_stop.tolist() == pytest.approx(
        [2.0, 2.0], rel=1e-14
    )
    held = Trains.of(frame)
    assert list(held.names) == names
    np.testing.assert_allclose(held.times, trains.times, rtol=1e-14)
    np.testing.assert_allclose(held.t_stop, trains.t_stop, rtol=1e-14)


def test_trials_of_a_table_are_repeats(tmp_path):
    """Unit a fires in trials 0 and 2, unit b in trial 2 only; trials without a spike are silent
    ones."""
    frame = pd.DataFrame({"unit": ["a", "a", "b"], "trial": [0, 2, 2], "time": [0.5, 0.25, 0.75]})
    with pytest.warns(UserWarning, match="3 of 6 trials"):
        trains = read_trains(as_csv(tmp_path / "x", frame))
    assert trains.counts.tolist() == [1, 0, 1, 0, 0, 1] and trains.unit.tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("unit\ttime (ms)", "{unit}\t{time}"),
        ("peak (uV)\ttime_ms\tunit\tdepth\tx", "80\t{time}\t{unit}\t7\t8"),
        ("label\tunit\ttime (ms)\tpeak", "\t{unit}\t{time}\t80"),
    ],
    ids=["unit of time behind a blank", "blank in another heading", "empty cells"],
)
def test_names_and_cells_between_tabs_may_hold_blanks_or_be_empty(tmp_path, heading, row):
    """Read as cells between blanks, the unit of time is lost, and the columns behind are taken for
    those of times and units."""
    spikes = [("b", 500), ("a", 250), ("b", 125), ("a", 2000)]
    (tmp_path / "cells.tsv").write_text(
        "\n".join([heading, *(row.format(unit=unit, time=time) for unit, time in spikes)])
    )
    trains = read_trains(tmp_path / "cells.tsv")
    assert [name.split("/")[-1] for name in trains.names] == ["a", "b"]
    assert [trains.train(k).tolist() for k in range(2)] == [[0.25, 2.0], [0.125, 0.5]]


@pytest.mark.parametrize("separator", [",", ";", " "])
def test_cells_in_quotation_marks_hold_what_else_would_set_columns_apart(tmp_path, separator):
    """Commas, semicolons, blanks and ``#``, as spreadsheets write them; text after a ``#`` outside
    is passed over."""
    lines = (
        ("unit", "time"),
        ('"CA1, left; #3"', "0.25"),
        ('"CA1, left; #3"', "0.5 # late"),
        ('"b"', "0.75"),
    )
    path = tmp_path / "cell.csv"
    path.write_text("\n".join(separator.join(line) for line in lines))
    trains = read_trains(path, Layout(time_unit="s"))
    assert [name.split("/")[-1] for name in trains.names] == ["CA1, left; #3", "b"]
    assert [trains.train(k).tolist() for k in range(2)] == [[0.25, 0.5], [0.75]]


def test_blanks_under_a_heading_with_tabs_are_still_read(tmp_path):
    (tmp_path / "cells.txt").write_text("unit\ttime_ms\n3 500\n3 250\n")
    assert read_trains(tmp_path / "cells.txt").train(0).tolist() == [0.25, 0.5]


def test_spans_of_time_are_read_as_such(tmp_path):
    frame = pd.DataFrame({"time": pd.to_timedelta([500, 250], unit="ms")})
    assert (
        read_trains(as_parquet(tmp_path / "x", frame)).times.tolist()
        == [0.25, 0.5]
        == Trains.of(frame).times.tolist()
    )


def test_arrays_of_units_are_named_after_their_arrays(tmp_path):
    np.savez_compressed(tmp_path / "cells.npz", beta=[0.5, 0.25], alpha=np.empty(0))
    trains = read_trains(tmp_path / "cells.npz")
    assert [name.rsplit("/")[-1] for name in trains.names] == [
        "beta",
        "alpha",
    ] and trains.counts.tolist() == [2, 0]
    assert trains.fault(0) == "the times are not sorted"
    chosen = read_trains(tmp_path / "cells.npz", Layout("beta", time_unit="ms"))
    assert chosen.times.tolist() == [0.0005, 0.00025] and chosen.n_units == 1


def test_samples_need_their_rate(tmp_path):
    frame = pd.DataFrame({"spike_sample": [15000, 3000], "unit": [1, 2]})
    np.savez(tmp_path / "units.npz", a=np.array([3000, 15000]))
    np.save(tmp_path / "cell.npy", np.array([3000, 15000]))
    for path, count in (
        (as_csv(tmp_path / "x", frame), 2),
        (as_parquet(tmp_path / "x", frame), 2),
        (tmp_path / "units.npz", 1),
        (tmp_path / "cell.npy", 1),
    ):
        with pytest.raises(DataError, match=r"sampling.rate"):
            read_trains(path)
        trains = read_trains(path, Layout(sampling_rate=30000.0))
        assert sorted(trains.times) == [0.1, 0.5] and trains.n_units == count
    with pytest.raises(
        DataError, match="the column 'time_ms' says ms, the unit of time is samples"
    ):
        read_trains(
            as_csv(tmp_path / "y", pd.DataFrame({"time_ms": [1.0], "unit": 1})),
            Layout(sampling_rate=10.0),
        )
    with pytest.raises(
        DataError, match=r"'spike_sample' holds 0.5, expected whole numbers of samples"
    ):
        read_trains(
            as_csv(tmp_path / "y", pd.DataFrame({"spike_sample": [0.5], "unit": 1})),
            Layout(sampling_rate=10.0),
        )


def test_a_choice_that_headings_leave_open_is_asked_for(tmp_path):
    path = as_csv(
        tmp_path / "x",
        pd.DataFrame(
            {"time": [0.5, 0.25], "timestamp_ms": [5.0, 2.0], "unit": 1, "cluster_id": [7, 8]}
        ),
    )
    with pytest.raises(
        DataError,
        match=r"columns 'time' and 'timestamp_ms' may each hold the spike times; say "
        r"which by time_column",
    ):
        read_trains(path)
    with pytest.raises(
        DataError,
        match=r"columns 'unit' and 'cluster_id' may each hold the units; say which by unit_column",
    ):
        read_trains(path, Layout(time_column="time"))
    trains = read_trains(path, Layout(time_column="timestamp_ms", unit_column="cluster_id"))
    assert trains.times.tolist() == [0.005, 0.002] and [name[-1] for name in trains.names] == [
        "7",
        "8",
    ]
    with pytest.raises(
        DataError,
        match="there is no column 'when' for the time; the columns are time, timestamp_ms, unit, "
        "cluster_id",
    ):
        read_trains(path, Layout(time_column="when"))


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (["time", "sample", "unit"], ("time", "unit", "")),
        (["Spike Times (s)", "Unit ID"], ("Spike Times (s)", "Unit ID", "s")),
        (["times[ms]", "units"], ("times[ms]", "units", "ms")),
        (["timestamps_us", "spike_clusters"], ("timestamps_us", "spike_clusters", "us")),
        (["sample_index"], ("sample_index", "", "samples")),
        (["spike_times_samples", "cell"], ("spike_times_samples", "cell", "samples")),
        (["t", "neuron_name"], ("t", "neuron_name", "")),
        (["seconds", "count"], None),
        (["unit", "rate"], None),
    ],
)
def test_headings_say_what_columns_hold(headings, expected):
    columns = find_columns("x.csv", headings)
    assert (columns and (columns.time, columns.unit, columns.time_unit)) == expected


def refused(path, content):
    if isinstance(content, str):
        path.with_suffix(".csv").write_text(content)
        return path.with_suffix(".csv")
    if isinstance(content, pd.DataFrame):
        return as_parquet(path, content)
    np.savez(path.with_suffix(".npz"), **content)
    return path.with_suffix(".npz")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("time,unit\n0.5,1.5\n", "'unit' holds 1.5, expected names or whole numbers"),
        ("time,unit\n0.5,\n", "line 2 has 1 cells under 2 headings"),
        ("time,unit,x\n0.5,,1\n", "'unit' holds an empty name"),
        ("time,unit\n0.5,nan\n", "'unit' holds nan, expected names or whole numbers"),
        ("time,unit\nsoon,1\n", "'soon' in line 2 is not a decimal number"),
        ("time,unit\n0.5,1,3\n", "line 2 has 3 cells under 2 headings"),
        ("time,time,unit\n1,2,3\n", "columns 'time' and 'time' may each hold the spike times"),
        (
            pd.DataFrame({"time": ["0.5"], "unit": [1]}),
            "'time' holds objects, expected spike times as numbers",
        ),
        (pd.DataFrame({"time": [0.5], "unit": [True]}), "'unit' holds truth values"),
        (pd.DataFrame({"time": [0.5, 1.0], "unit": ["a", None]}), "'unit' is empty in row 2"),
        (
            pd.DataFrame({"time": pd.to_datetime(["2020-01-01"])}),
            "'time' holds dates, expected spike times",
        ),
        (
            pd.DataFrame({"x": [0.5]}),
            r"no column has a name of spike times \(time, spike_times, t\); the columns are x",
        ),
        (
            pd.DataFrame({"time": np.empty(0), "unit": np.empty(0)}),
            "the table has columns time, unit and no row",
        ),
        (
            pd.DataFrame({"time": [0.5, 1.0], "unit": [[1], [2]]}),
            "'unit' holds lists, expected one name or number per spike",
        ),
        ({"a": np.array([{}])}, "'a' holds Python objects, which are not unpickled"),
        ({"a": np.array(["x"])}, "'a' holds text, expected spike times as numbers"),
        ({"a": np.ones((2, 2))}, r"'a' has the shape \(2, 2\), expected one row of spike times"),
        (
            {"times": np.ones(2), "units": np.ones(3)},
            "the columns differ in length: 3 in 'units', 2 in 'times'",
        ),
        (
            {"times": np.ones(2), "amplitudes": np.ones(2)},
            "the arrays are times, amplitudes; expected one array per unit",
        ),
        ({}, "the arrays are none"),
    ],
)
def test_tables_that_cannot_be_read_are_refused_in_a_sentence(tmp_path, content, says):
    path = refused(tmp_path / "x", content)
    with pytest.raises(DataError, match=says) as caught:
        read_trains(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and text.endswith(".") and "\n" not in text


def test_times_that_are_no_number_are_left_to_the_table(tmp_path):
    table = nc.describe(
        as_parquet(tmp_path / "x", pd.DataFrame({"time": [0.5, np.nan, 1.5], "unit": [1, 1, 2]})),
        n_surrogates=0,
    )
    assert table["reason"].tolist() == ["1 times are not finite", "one spike"] and table[
        "duration"
    ].tolist() == [1.5, 1.5]


def test_an_archive_that_declares_more_than_it_holds_is_refused(tmp_path):
    path, array = tmp_path / "x.npz", io.BytesIO()
    np.save(array, np.zeros(3))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", array.getvalue().replace(b"(3,), }   ", b"(3000,), }"))
    with pytest.raises(DataError, match="'a' declares 24000 bytes and holds 152"):
        read_trains(path)


def test_without_pyarrow_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = as_parquet(tmp_path / "x", pd.DataFrame({"time": [0.5]}))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(
        MissingExtraError,
        match=r"^pyarrow, which .* is not installed: pip install .neurocode\[parquet\].\.$",
    ):
        read_layout(path, Layout())
    with pytest.raises(
        DataError,
        match=r"no reader for '.parquet' files; its spike trains are read by .*read_trains",
    ):
        nc.read(path)


@pytest.mark.parametrize(
    ("headings", "unit"),
    [
        (("time_s", "time_sec", "times_secs", "time (second)", "spike_times [seconds]"), "s"),
        (("time_ms", "t_msec", "times_msecs", "time (millisecond)", "TIME_MILLISECONDS"), "ms"),
        (("time_us", "t (µs)", "time_microsecond", "timestamps [microseconds]"), "us"),
        (
            (
                "sample",
                "spike_samples",
                "time_sample",
                "time (samples)",
                "t_frame",
                "frame_index",
                "sample_indices",
            ),
            "samples",
        ),
        (("time", "t", "spike_times", "status", "items"), ""),
    ],
)
def test_units_of_time_have_many_spellings(headings, unit):
    assert [unit_of_heading(heading) for heading in headings] == [unit] * len(headings)


def test_a_header_of_samples_says_no_unit_of_time():
    assert (
        unit_of_header(["sample", "time_ms"]) == "ms" and unit_of_header(["sample", "unit"]) is None
    )


@pytest.mark.parametrize(
    ("trial", "stimulus"),
    [
        ("trial", "stimulus"),
        ("trials", "stimuli"),
        ("trial_index", "stimulus_id"),
        ("repeat_number", "condition"),
        ("repeats", "stim_id"),
        ("trial_id", "conditions"),
    ],
)
def test_repeats_are_trials_and_conditions_are_stimuli(trial, stimulus):
    columns = find_columns("x.csv", [stimulus, "time", trial, "cell"])
    assert (columns.trial, columns.stimulus, columns.unit, columns.time) == (
        trial,
        stimulus,
        "cell",
        "time",
    )


def test_the_unit_of_time_is_that_of_the_option_where_the_heading_says_none():
    times, unit = times_of_column("x.csv", "time", np.array([500.0, 750.0]), "ms", None)
    assert times.tolist() == [500.0, 750.0] and unit == "ms"
    assert times_of_column("x.csv", "time_us", np.array([500]), None, None)[1] == "us"


def test_an_impossible_time_ends_no_train():
    assert (
        last_time({(0, 0, 0): np.array([500.0, 2e14]), (1, 0, 0): np.array([750.0, np.inf])}, 1e-3)
        == 0.75
    )


@pytest.mark.filterwarnings("ignore:.* trials have no row")
def test_stimuli_may_have_been_shown_in_unlike_numbers_of_trials():
    """Stimulus 0 in trial 0 alone, stimulus 1 in trials 0 and 2; units 3 and 8 fire in some of
    them."""
    rows = np.array(
        [[3, 0, 0, 0.5], [8, 1, 2, 0.25], [8, 1, 0, 0.75], [3, 1, 2, 1.5], [3, 1, 2, 1.25]]
    )
    cells = cells_of_rows("x.csv", rows, ["unit", "stimulus", "trial", "time"])
    assert {key: times.tolist() for key, times in cells.items()} == {
        (3, 0, 0): [0.5],
        (3, 1, 0): [],
        (3, 1, 2): [1.25, 1.5],
        (8, 0, 0): [],
        (8, 1, 0): [0.75],
        (8, 1, 2): [0.25],
    }


def test_a_column_of_stimuli_keeps_their_trials_apart(tmp_path):
    """Trial 0 of stimulus 0 and trial 0 of stimulus 1 are two different trains."""
    (tmp_path / "cell.csv").write_text("stimulus,trial,time\n0,0,0.25\n1,0,0.5\n1,0,0.75\n")
    trains = read_trains(tmp_path / "cell.csv")
    assert trains.condition.tolist() == [0, 1] and trains.counts.tolist() == [1, 2]


def test_a_data_frame_keeps_stimuli_and_times_before_zero():
    """Milliseconds from -500 to 750: every train ends with the last spike of all, those with
    earlier ones begin with them."""
    frame = pd.DataFrame(
        {"stimulus": [0, 1, 1, 1], "trial": [0, 0, 1, 1], "time_ms": [250.0, 500.0, -500.0, 750.0]}
    )
    trains = Trains.of(frame)
    assert trains.condition.tolist() == [0, 1, 1] and trains.counts.tolist() == [1, 1, 2]
    np.testing.assert_allclose(trains.times, [0.25, 0.5, -0.5, 0.75])
    np.testing.assert_allclose(trains.t_start, [0.0, 0.0, -0.5])
    np.testing.assert_allclose(trains.t_stop, [0.75] * 3)
