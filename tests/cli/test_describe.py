"""``neurocode describe`` from files to a page."""

from __future__ import annotations

import json

import neo
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from neurocode.cli import app
from neurocode.errors import DataError
from neurocode.recordings import write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write three cells as text with one line per trial: a Poisson train, a regular train, and one
    without spikes."""
    path = tmp_path_factory.mktemp("cells")
    random = np.random.default_rng(1)
    poisson = [np.sort(random.uniform(0, 5000, 100)) for _ in range(6)]
    regular = [np.arange(20, 5000, 50) + random.normal(0, 2, 100) for _ in range(6)]
    for name, trials in {"poisson": poisson, "regular": regular, "silent": [[]] * 6}.items():
        (path / f"{name}.txt").write_text(
            "\n".join(" ".join(f"{t:.3f}" for t in trial) for trial in trials) + "\n"
        )
    return path


def run(folder, output, *more):
    files = [str(folder / f"{name}.txt") for name in ("poisson", "regular", "silent")]
    options = ["--axes", "trial", "--time-unit", "ms", "--t-stop", "5000", "-o", str(output), *more]
    return CliRunner().invoke(app, ["describe", *files, *options], env={"COLUMNS": "80"})


@pytest.fixture(scope="module")
def described(folder, tmp_path_factory):
    """Output of the command on the three cells with 19 surrogates, and the folder that it wrote."""
    output = tmp_path_factory.mktemp("described") / "out"
    return run(folder, output, "--surrogates", "19"), output


def test_a_description_writes_table_figure_and_page(folder, tmp_path):
    result = run(folder, tmp_path / "out", "--surrogates", "49")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "out" / "units.csv", index_col="unit")
    poisson, regular, silent = table.iloc[0], table.iloc[1], table.iloc[2]
    assert regular["cv"] < 0.2 and regular["lz_ratio"] < 0.9 and regular["fano_factor"] == 0
    assert (
        0.7 < poisson["cv"] < 1.3
        and poisson["lz_p"] > 0.01
        and poisson["reason"] != poisson["reason"]
    )
    assert silent["reason"] == "no spike" and np.isnan(silent["cv"])
    assert json.loads((tmp_path / "out" / "result.json").read_text())["units"]["rate"] == "Hz"
    assert {"units.pdf", "units.png", "report.html", "provenance.json"} <= {
        p.name for p in (tmp_path / "out").iterdir()
    }
    page = (tmp_path / "out" / "report.html").read_text()
    assert "http" not in page and "note: " in result.output


def test_the_same_seed_gives_the_same_table(folder, described, tmp_path):
    run(folder, tmp_path / "again", "--surrogates", "19")
    assert (described[1] / "units.csv").read_bytes() == (
        tmp_path / "again" / "units.csv"
    ).read_bytes()


@pytest.mark.long
def test_two_workers_give_the_table_of_one(folder, described, tmp_path):
    """The tables are equal byte for byte; p-values are adjusted for the units of all files
    together."""
    assert run(folder, tmp_path / "two", "--surrogates", "19", "--workers", "2").exit_code == 0
    assert (described[1] / "units.csv").read_bytes() == (
        tmp_path / "two" / "units.csv"
    ).read_bytes()
    table = pd.read_csv(described[1] / "units.csv", index_col="unit")
    assert table["lz_q"].iloc[1] == pytest.approx(min(1.0, 2 * table["lz_p"].iloc[:2].min()))


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "bad.nwb").write_bytes(b"nothing")
    result = describe(tmp_path / "bad.nwb", "-o", tmp_path / "out")
    assert result.exit_code == 1 and "bad.nwb: the file is damaged or truncated" in str(
        result.exception
    )


def describe(*arguments):
    return CliRunner().invoke(app, ["describe", *map(str, arguments)])


def plain(text):
    return " ".join(text.split())


def test_a_description_without_a_usable_unit_says_so(tmp_path):
    """NaN, no spike, one spike: a table of reasons and a page without a figure, no traceback."""
    np.save(tmp_path / "cells.npy", np.array([[0, 0.5], [0, np.nan], [1, 0.25]]))
    run = describe(
        tmp_path / "cells.npy", "--axes", "unit,time", "-o", tmp_path / "out", "--surrogates", "19"
    )
    assert run.exit_code == 0, run.exception
    table = pd.read_csv(tmp_path / "out" / "units.csv", index_col="unit")
    assert table["reason"].tolist() == ["1 times are not finite", "one spike"] and table[
        "n_spikes"
    ].tolist() == [2, 1]
    assert not (tmp_path / "out" / "units.pdf").exists()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "No figure: no unit has an interval that can be used." in page and "<img" not in page
    assert "2 units, 3 spikes" in run.output and "2 units, 3 spikes" in page


def test_a_window_of_a_recording_is_described(tmp_path):
    """Ten spikes at whole seconds; the window from 2.5 to 6 s holds those at 3, 4, 5 and 6."""
    (tmp_path / "cell.csv").write_text("time\n" + "\n".join(map(str, range(1, 11))) + "\n")
    run = describe(
        tmp_path / "cell.csv",
        "--t-start",
        2.5,
        "--t-stop",
        6,
        "-o",
        tmp_path / "out",
        "--surrogates",
        "19",
    )
    assert run.exit_code == 0, run.exception
    row = pd.read_csv(tmp_path / "out" / "units.csv").iloc[0]
    assert (row["n_spikes"], row["duration"], row["mean_isi"]) == (4, 3.5, 1.0) and row[
        "rate"
    ] == pytest.approx(4 / 3.5)
    assert "1 unit, 4 spikes; medians: 1.14 Hz, CV 0" in plain(run.output)


def test_names_are_shown_as_they_are_and_never_computed(tmp_path):
    """A name with markup of the terminal would break the last line; one that begins with ``=`` is a
    formula to a spreadsheet."""
    block = neo.Block()
    segment = neo.Segment()
    names = ["[/bold]", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "plain", "<b>bold</b>"]
    for name in names:
        segment.spiketrains.append(neo.SpikeTrain([0.5], units="s", t_stop=1.0, name=name))
    block.segments.append(segment)
    run = describe(write(block, tmp_path / "cells.nwb"), "-o", tmp_path / "out", "--surrogates", 0)
    assert run.exit_code == 0, run.exception
    assert "note: [/bold], =cmd|' /C calc'!A0, +1, -1, @SUM(A1) and 2 more: one spike" in plain(
        run.output
    )
    written = pd.read_csv(tmp_path / "out" / "units.csv")["unit"].tolist()
    assert written == [
        "[/bold]",
        "'=cmd|' /C calc'!A0",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "plain",
        "<b>bold</b>",
    ]
    assert "&lt;b&gt;bold" in (tmp_path / "out" / "report.html").read_text()


def test_every_column_is_defined_on_the_page_with_its_unit(described):
    output = described[1]
    page = (output / "report.html").read_text()
    _, columns = page.split("<h2>Columns</h2>")
    columns, settings = columns.split("<h2>Settings</h2>")
    table = pd.read_csv(output / "units.csv")
    filled = [name for name in table.columns if table[name].notna().any()]
    assert all(f"<td>{name}</td>" in columns for name in filled)
    assert (
        "<td>entropy_rate</td>\n      <td>bits per bin</td>" in columns
        and "poisson.txt" in settings
    )
    units = json.loads((output / "result.json").read_text())["units"]
    assert units == {
        "duration": "s",
        "rate": "Hz",
        "mean_isi": "s",
        "min_isi": "s",
        "bin_size": "s",
        "entropy_rate": "bits per bin",
    }


def test_output_is_readable_at_eighty_columns(described):
    lines = described[0].stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert plain(" ".join(lines)).startswith("3 units, 1200 spikes; medians: 20 Hz, CV")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{folder}/absent.nwb"], "absent.nwb: there is no such file."),
        (
            ["{folder}/none"],
            ": the folder holds no recording; expected a Phy folder or files that end in .nwb, "
            ".abf, .ibw, .nix, .mat, .h5, .hdf5, .npy, .npz, .parquet, .csv, .tsv.",
        ),
        (
            ["{folder}/*.nwb"],
            "*.nwb: no file matches; expected recordings that end in .nwb, .abf, .ibw, .nix, "
            ".mat, .h5, .hdf5, .npy, .npz, .parquet, .txt, .csv, .tsv, .dat.",
        ),
        (["{folder}/cell.txt", "--layout", "{folder}"], ": this is a folder, expected a file."),
        (
            ["{folder}/cell.txt", "--layout", "{folder}/axes.toml"],
            "axes.toml: The layout's axes is 3, expected text.",
        ),
        (
            ["{folder}/cell.txt", "--t-stop", "nan"],
            "The layout's t_stop is nan, expected a finite number.",
        ),
        (
            ["{folder}/cell.txt", "--bin-size", "0"],
            "The layout's bin_size is 0 s, expected a positive time.",
        ),
        (
            ["{folder}/cell.txt", "--complexity-bin", "inf"],
            "The bin size is inf, expected a finite number.",
        ),
        (
            ["{folder}/cell.txt", "--seed", "-1"],
            "There are 200 surrogates with seed -1, expected zero or more.",
        ),
        (["{folder}/cell.txt", "--axes", "unit"], ": an array of shape (2,) has no axes 'unit'."),
    ],
)
def test_faults_are_one_sentence_and_write_nothing(tmp_path, arguments, says):
    (tmp_path / "cell.txt").write_text("0.5\n1.5\n")
    (tmp_path / "axes.toml").write_text("axes = 3\n")
    (tmp_path / "none").mkdir()
    result = describe(*[text.format(folder=tmp_path) for text in arguments], "-o", tmp_path / "out")
    assert isinstance(result.exception, DataError) and str(result.exception).endswith(says)
    assert not (tmp_path / "out").exists()


def test_an_option_comes_before_the_entry_of_a_layout(folder, tmp_path, neurocode):
    """An option selects half of the recording although the layout selects all of it; everything
    that is not an option is taken from the layout."""
    layout = tmp_path / "layout.toml"
    layout.write_text('axes = "trial"\ntime_unit = "ms"\nt_stop = 5000\n')
    for more, duration in (
        ((), 5.0),
        (("--t-stop", 2500), 2.5),
        (("--t-stop", 4, "--time-unit", "s"), 4.0),
    ):
        code, _, error = neurocode(
            "describe",
            folder / "regular.txt",
            "--layout",
            layout,
            *more,
            "--surrogates",
            0,
            "--panels",
            "none",
            "-o",
            tmp_path / "out",
        )
        assert code == 0, error
        table = pd.read_csv(tmp_path / "out" / "units.csv")
        assert (
            table["duration"].item() == pytest.approx(6 * duration)
            and table["n_trains"].item() == 6
        )


def test_files_that_would_be_misread_are_refused(folder, tmp_path, neurocode):
    block = neo.Block()
    block.segments.append(neo.Segment())
    block.segments[0].spiketrains.append(neo.SpikeTrain([0.5], units="s", t_stop=1.0, name="cell"))
    session, text = write(block, tmp_path / "session.nwb"), folder / "regular.txt"
    for files, more, says in (
        (
            (session,),
            ("--variable", "x"),
            "'.nwb' files state where their spikes are, so --variable does not apply to them.",
        ),
        (
            (session,),
            ("--bin-size", 3),
            "'.nwb' files state where their spikes are, so --bin-size does not apply to them.",
        ),
        (
            (session,),
            ("--labels", "good"),
            "'.nwb' files state where their spikes are, so --labels does not apply to them.",
        ),
        (
            (session,),
            ("--sampling-rate", 3),
            "'.nwb' files state where their spikes are, so --sampling-rate does not apply to them.",
        ),
        (
            (text, folder / "." / "regular.txt"),
            ("--axes", "trial"),
            "A file is given twice, expected each recording once.",
        ),
    ):
        code, _, error = neurocode("describe", *files, *more, "-o", tmp_path / "none")
        assert code == 1 and says in " ".join(error.split()), error


def test_a_folder_and_a_pattern_are_described_as_their_files_are(tmp_path):
    """A folder with a sorting, a table and an archive is read in the order of names; the labels
    select clusters of the sorting only."""
    place = tmp_path / "sessions"
    (place / "b_phy").mkdir(parents=True)
    np.save(place / "b_phy" / "spike_times.npy", np.array([100, 200, 300, 500]))
    np.save(place / "b_phy" / "spike_clusters.npy", np.array([1, 0, 1, 0]))
    (place / "b_phy" / "params.py").write_text("sample_rate = 1000.0\n")
    (place / "b_phy" / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tmua\n1\tgood\n")
    (place / "a.csv").write_text("time_ms,unit\n500,x\n250,y\n")
    np.savez(place / "c.npz", z=[0.5, 0.75])
    (place / "notes.txt").write_text("no spikes here")
    options = ("--labels", "good", "--surrogates", 0, "-o")
    with pytest.warns(UserWarning, match="raw file does not exist"):
        run = describe(place, *options, tmp_path / "out")
    assert run.exit_code == 0, run.exception
    table = pd.read_csv(tmp_path / "out" / "units.csv", index_col="unit")
    assert table.index.tolist() == [
        "sessions/a/x",
        "sessions/a/y",
        "b_phy/1 (good)",
        "sessions/c/z",
    ]
    assert table["n_spikes"].tolist() == [1, 1, 2, 2] and table["mean_isi"].tolist()[
        2:
    ] == pytest.approx([0.2, 0.25])
    assert describe(place / "*.csv", "--surrogates", 0, "-o", tmp_path / "two").exit_code == 0
    assert pd.read_csv(tmp_path / "two" / "units.csv")["unit"].tolist() == [
        "sessions/a/x",
        "sessions/a/y",
    ]
