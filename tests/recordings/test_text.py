"""Numbers in text files: every separator, with or without a header, and a one-sentence error for
anything that is not a decimal number."""

from __future__ import annotations

import codecs

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Layout, read_layout, read_trains
from neurocode.recordings.text import read_numbers


def written(folder, content, name="cell.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "0.1\n0.2\n0.3\n",
        "0.1,0.2,0.3",
        "0.1, 0.2, 0.3,\n",
        "0.1;0.2;0.3\n",
        "0.1;\n0.2;\n0.3;\n",
        "0.1 0.2\t0.3\n",
        "0.1\r\n0.2\r\n0.3\r\n",
        codecs.BOM_UTF8 + b"0.1\n0.2\n0.3\n",
        codecs.BOM_UTF8 + b"Zeit (s)\n0.1\n0.2\n0.3\n",
        "# times of spikes\ntime\n0.1\n0.2 # a doublet\n0.3\n",
        '"time"\n0.1\n0.2\n0.3\n',
        "+0.1\n2e-1\n.3\n",
        "\n0.1\n\n0.2\n0.3\n\n",
    ],
)
def test_three_spikes_in_every_form(tmp_path, content):
    path = written(tmp_path, content)
    assert nc.read(path).segments[0].spiketrains[0].magnitude.tolist() == [0.1, 0.2, 0.3]
    assert read_layout(path, Layout()).times.tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("0x1A\n0x2B\n", "'0x1A' in line 1 is not a decimal number"),
        ("0.1\n0x2B\n", "'0x2B' in line 2 is not a decimal number"),
        ("0,1;0,2\n", "'0,1' in line 1 is not a decimal number: write decimals with a point"),
        ("0.1 0.2, 0.3\n", "'0.1 0.2' in line 1 is not a decimal number"),
        ("1_000\n", "'1_000' in line 1"),
        ("0.1,,0.3\n", "'' in line 1"),
        ("time\nrate\n", "'rate' in line 2"),
        ("time\n", "holds the words 'time' and no number"),
        ("unit,time\n\n", "holds the words 'unit, time' and no number"),
        ("unit,0.1\n", "'unit' in line 1"),
        ("٠١\n", "'٠١' in line 1"),
        (b"\xff\xfe0\x00.\x001\x00", "not text in UTF-8"),
        (b"\x80\x81\x82", "not text in UTF-8"),
        ("x" * 100 + "\n0.1\n" + "y" * 100, f"'{'y' * 40}' in line 3"),
    ],
)
def test_what_is_no_number_is_named(tmp_path, content, match):
    path = written(tmp_path, content)
    for read in (nc.read, lambda file: read_layout(file, Layout())):
        with pytest.raises(DataError, match=match) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("nan\n0.2\n", r"spike time nan \(number 1\) is not finite"),
        ("0.1\ninf\n", r"spike time inf \(number 2\) is not finite"),
        ("-0.1\n0.2\n", r"spike time -0.1 \(number 1\) is negative"),
        ("0.2\n0.1\n", r"spike time 0.1 \(number 2\) comes after a later one"),
        ("0.1\n0.2\n0.2\n", r"spike time 0.2 \(number 3\) is given twice"),
        ("0.1\n1e308\n", r"spike time 1e\+308 \(number 2\) is later than 1e\+10 s"),
        ("0.1,1\n0.2,1\n", "2 lines of 2 columns, expected one column"),
    ],
)
def test_what_is_no_spike_train_is_named(tmp_path, content, match):
    with pytest.raises(DataError, match=match):
        nc.read(written(tmp_path, content))


def test_the_unit_of_time_scales_the_latest_time(tmp_path):
    path = written(tmp_path, "1e11\n")
    assert nc.read(path, time_unit="ms").segments[0].spiketrains[0].rescale(
        "s"
    ).magnitude.tolist() == [1e8]
    with pytest.raises(DataError, match="later than"):
        nc.read(path)
    assert nc.read(written(tmp_path, "1e10\n")).segments[0].spiketrains[0].magnitude.tolist() == [
        1e10
    ]


def test_an_array_file_says_the_same_of_its_times(tmp_path):
    path = tmp_path / "cell.npy"
    np.save(path, np.array([[0.5], [1.5]]))
    assert nc.read(path).segments[0].spiketrains[0].magnitude.tolist() == [0.5, 1.5]
    np.save(path, np.array(0.5))
    assert nc.read(path).segments[0].spiketrains[0].magnitude.tolist() == [0.5]
    np.save(path, np.array([]))
    assert len(nc.read(path).segments[0].spiketrains[0]) == 0
    np.save(path, np.ones((2, 3)))
    with pytest.raises(DataError, match=r"shape \(2, 3\), expected one column"):
        nc.read(path)
    np.save(path, np.array([1, 2], np.uint8))
    assert nc.read(path, time_unit="s").segments[0].spiketrains[0].magnitude.tolist() == [1.0, 2.0]
    for read in (nc.read, read_trains):
        with pytest.raises(
            DataError, match="the array holds whole numbers, which may be samples; say their unit"
        ):
            read(path)


def test_rows_and_columns_of_a_table(tmp_path):
    table = read_numbers(written(tmp_path, "unit,time\n1,0.5\n\n2,0.25\n"))
    assert table.header == ("unit", "time") and table.n_columns == 2
    assert [row.tolist() for row in table.rows] == [[1.0, 0.5], [], [2.0, 0.25]]
    assert table.array().tolist() == [[1.0, 0.5], [2.0, 0.25]] and table.column() is None
    uneven = read_numbers(written(tmp_path, "1,2\n3\n"))
    assert uneven.array() is None and uneven.column() is None and uneven.header == ()
    empty = read_numbers(written(tmp_path, "\n\n"))
    assert (
        empty.array() is None
        and empty.column().tolist() == []
        and len(empty.rows) == 2
        and empty.n_columns == 0
    )


def test_a_table_of_units_and_times_as_text(tmp_path):
    path = written(tmp_path, "unit,time\n2,0.5\n1,0.25\n2,0.125\n")
    trains = read_layout(path, Layout(axes="unit,time"))
    assert [trains.train(k).tolist() for k in range(2)] == [[0.25], [0.125, 0.5]]
    assert [read_layout(path, Layout()).train(k).tolist() for k in range(2)] == [
        [0.25],
        [0.125, 0.5],
    ]
    with pytest.raises(
        DataError,
        match=r"2 lines of up to 2 columns \(x, y\), which do not fit the axes 'spike'; say",
    ):
        read_layout(written(tmp_path, "x,y\n1,2\n3,4\n"), Layout())
    with pytest.raises(
        DataError, match=r"2 lines of up to 2 columns, which do not fit the axes 'unit,time'"
    ):
        read_layout(written(tmp_path, "1 2\n3\n"), Layout(axes="unit,time"))


def test_counts_and_trials_as_text(tmp_path):
    counts = read_layout(written(tmp_path, "0 2\n1 0\n"), Layout(axes="trial,bin", bin_size=0.5))
    assert [counts.train(k).tolist() for k in range(2)] == [
        [0.5, 0.5],
        [0.0],
    ] and counts.t_stop.tolist() == [1.0, 1.0]
    assert read_layout(written(tmp_path, "0\n2\n"), Layout(axes="bin")).times.tolist() == [1.0, 1.0]
    trials = read_layout(written(tmp_path, "0.5,0.75\n\n0.25\n"), Layout(axes="trial"))
    assert trials.counts.tolist() == [2, 0, 1] and trials.t_stop.tolist() == [0.75] * 3
