"""Populations with repeats of an unknown stimulus: time as stimulus, saving, and the command."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import neurocode as nc
from neurocode.cli import app
from neurocode.cli.fit_population import coupling_for, front_end_for
from neurocode.errors import FitError
from neurocode.inference.population import FittedPopulation, LinearFrontEnd, Schedule
from neurocode.recordings import Trains, population_of_trains
from neurocode.statistics.population_scores import score_repeats

DT, N_BINS, N_REPEATS = 2e-3, 1000, 30


@pytest.fixture(scope="module")
def recording() -> nc.PopulationExperiment:
    """Two Poisson cells with rates of 10 to 90 Hz that follow a slow wave, in antiphase."""
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(N_BINS) / 400)
    rates = np.stack([10 + 80 * wave, 10 + 80 * (1 - wave)])[:, None]
    spikes = np.random.default_rng(3).random((2, N_REPEATS, N_BINS)) < rates * DT
    return population_of_trains(Trains.of_rasters(spikes.astype(int), DT), dt=DT)


@pytest.fixture(scope="module")
def command(recording, tmp_path_factory):
    """The command on the recording, and its output folder."""
    folder = tmp_path_factory.mktemp("population")
    data, output = recording.save(folder / "cells.npz"), folder / "out"
    arguments = [str(data), "--updates", "400", "--trials", "120", "-o", str(output)]
    result = CliRunner().invoke(app, ["fit-population", *arguments], env={"COLUMNS": "80"})
    return result, output


def test_free_runs_follow_the_rate_of_repeats_that_were_held_out(recording, command) -> None:
    result, output = command
    assert result.exit_code == 0, result.output
    simulated = np.load(output / "simulated.npz")["spikes"]
    assert simulated.shape == (2, N_BINS, 120) and recording.test.n_repeats == 6
    scores = score_repeats(simulated[:, 200:], recording.test.spikes[:, 200:])
    table = pd.read_csv(output / "scores.csv", index_col="score")
    assert table.loc["psth_r", "model"] == pytest.approx(scores.psth_r, rel=1e-6)
    assert table.loc["fano_error", "model"] == pytest.approx(scores.fano_error, rel=1e-6)
    # Free runs follow the held-out PSTH better than half of the held-out repeats the other half.
    assert scores.psth_r > table.loc["psth_r", "recorded"] > 0.6
    # The standard error of a ratio is 0.05: 480 recorded spikes of each cell in the test, 1900 in
    # the training.
    np.testing.assert_allclose(scores.rate_ratio, 1.0, atol=0.15)
    assert scores.runaways == 0


def test_the_command_writes_what_the_fit_holds(command) -> None:
    result, output = command
    (entry,) = json.loads((output / "result.json").read_text())["results"]
    cells = pd.read_csv(output / "cells.csv", index_col="cell")
    assert entry["bits_per_spike"]["test"] == pytest.approx(cells["test_bits_per_spike"].mean())
    assert entry["n_pairs"] == 2 and entry["coupling"] == "repeats"
    assert len(pd.read_csv(output / "couplings.csv")) == 2
    assert f"{entry['bits_per_spike']['test']:.3f} on the test" in result.output
    assert "Couplings" in (output / "report.html").read_text()
    settings = json.loads((output / "provenance.json").read_text())["settings"]
    assert (settings["front_end"], settings["seed"], settings["updates"]) == ("time", 0, 400)
    model = nc.models.load(output / "model.toml")
    taus = model.parameters["tau"].value
    np.testing.assert_allclose(taus, cells["tau (ms)"], rtol=1e-9)


def test_a_saved_population_makes_the_same_spikes(recording, command, tmp_path) -> None:
    _, output = command
    population = FittedPopulation.load(output / "population.npz")
    simulated = np.load(output / "simulated.npz")["spikes"]
    again = population.simulate(
        recording.test.stimulus,
        trials=120,
        presentations=np.resize(recording.test.presentations, 120),
    )
    np.testing.assert_array_equal(again, simulated)
    population.save(tmp_path / "again.npz")
    back = FittedPopulation.load(tmp_path / "again.npz")
    pd.testing.assert_frame_equal(back.couplings, population.couplings)
    pd.testing.assert_series_equal(back.bits_per_spike, population.bits_per_spike)
    assert back.notes == population.notes and back.names == ("0", "1")


def test_time_is_refused_for_a_stimulus_of_several_features() -> None:
    random = np.random.default_rng(0)
    data = nc.PopulationExperiment(
        random.random((2, 400)) < 0.1, random.normal(size=(40, 3)), dt=DT, bins_per_frame=10
    )
    with pytest.raises(FitError, match="takes a single feature per bin"):
        nc.fit_population(nc.models.escape_lif(), data, front_end="time", coupling="none")
    noise = nc.PopulationExperiment(
        random.random((2, 400)) < 0.1,
        random.uniform(-1, 1, (400, 1)),
        dt=DT,
        repeats=random.random((2, 400, 4)) < 0.1,
    )
    assert not noise.is_driven_by_time and front_end_for(noise, "auto") == "subunits"
    with pytest.raises(FitError, match="grows evenly from -1 to 1"):
        nc.fit_population(nc.models.escape_lif(), noise, front_end="time", coupling="none")


def run(*arguments) -> str:
    """Output of the command, as one line."""
    result = CliRunner().invoke(app, ["fit-population", *map(str, arguments)])
    return " ".join(f"{result.output} {result.exception or ''}".split())


def test_options_that_do_not_apply_are_refused(recording, tmp_path) -> None:
    data = recording.save(tmp_path / "cells.npz")
    for option, value in (("--bin", 5), ("--least-spikes", 5), ("--t-stop", 3), ("--axes", "unit")):
        message = run(data, option, value, "-o", tmp_path / "out")
        assert f"in bins already. The option {option} does not apply" in message
    assert "takes no further stimulus" in run(data, "--stimulus", "x", "-o", tmp_path / "out")
    alone = nc.PopulationExperiment(recording.pieces, dt=DT).save(tmp_path / "alone.npz")
    message = run(alone, "--trials", 5, "-o", tmp_path / "out")
    assert "has no test repeats. The option --trials does not apply" in message


def test_a_recording_is_not_overwritten_by_its_own_fit(recording, tmp_path) -> None:
    data = recording.save(tmp_path / "population.npz")
    before = data.read_bytes()
    assert "expected another output folder" in run(data, "--updates", 1, "-o", tmp_path)
    assert data.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [data.name]


def test_a_test_that_cannot_be_scored_does_not_lose_the_fit(recording, tmp_path) -> None:
    random = np.random.default_rng(0)
    short = nc.PopulationExperiment(
        [random.random((2, 3000)) < 0.05], dt=DT, test=random.random((2, 150, 5)) < 0.1
    )
    options = ["--coupling", "none", "--updates", "2", "-o", tmp_path / "out"]
    message = run(short.save(tmp_path / "short.npz"), *options)
    assert "hold 150 bins, expected more than 200" in message
    (entry,) = json.loads((tmp_path / "out" / "result.json").read_text())["results"]
    assert any("hold 150 bins" in note for note in entry["notes"])
    assert "hold 150 bins" in (tmp_path / "out" / "report.html").read_text()
    assert entry["front_end"] == "none" and "scores" not in entry


def test_cells_that_were_left_out_stand_in_the_result(tmp_path) -> None:
    random = np.random.default_rng(0)
    rows = [f"{cell},{time:.4f}" for cell in "ab" for time in np.sort(random.uniform(0, 20, 200))]
    (tmp_path / "cells.csv").write_text("\n".join(["unit,time", *rows, "c,3.5"]) + "\n")
    options = ["--coupling", "none", "--updates", "1", "-o", tmp_path / "out"]
    message = run(tmp_path / "cells.csv", *options)
    (entry,) = json.loads((tmp_path / "out" / "result.json").read_text())["results"]
    expected = "1 of 3 cells have fewer than 50 spikes and are left out"
    assert expected in entry["notes"][0] and entry["notes"][0].endswith("cells/c.")
    assert expected in message


def test_archives_of_another_kind_are_named(command, recording, tmp_path) -> None:
    _, output = command
    message = run(output / "population.npz", "-o", tmp_path / "out")
    assert "this is a fitted population, which is read by FittedPopulation.load" in message
    data = recording.save(tmp_path / "cells.npz")
    described = CliRunner().invoke(app, ["describe", str(data), "-o", str(tmp_path / "out")])
    message = " ".join(f"{described.output} {described.exception or ''}".split())
    assert "a population recording, which is read by neurocode fit-population" in message


def test_a_front_end_of_your_own_is_not_saved(tmp_path) -> None:
    class Own(LinearFrontEnd):
        pass

    random = np.random.default_rng(0)
    data = nc.PopulationExperiment(
        random.random((1, 2000)) < 0.1, random.normal(size=(200, 2)), dt=DT, bins_per_frame=10
    )
    filters = nc.inference.population.SeparableFilters(1, 20, 3, 10, 0.0)
    population = nc.fit_population(
        nc.models.escape_lif(),
        data,
        front_end=Own(filters),
        coupling="none",
        schedule=Schedule(updates=1),
    )
    with pytest.raises(FitError, match="class Own cannot be saved"):
        population.save(tmp_path / "own.npz")


def test_front_end_and_coupling_follow_from_the_data(recording) -> None:
    random = np.random.default_rng(0)
    alone = nc.PopulationExperiment(random.random((2, 400)) < 0.1, dt=DT)
    bars = nc.PopulationExperiment(
        random.random((2, 400)) < 0.1, random.normal(size=(40, 3)), dt=DT, bins_per_frame=10
    )
    assert [front_end_for(data, "auto") for data in (recording, alone, bars)] == [
        "time",
        None,
        "subunits",
    ]
    assert front_end_for(bars, "none") is None and front_end_for(bars, "linear") == "linear"
    assert [coupling_for(data, "auto") for data in (recording, alone)] == ["repeats", "likelihood"]
