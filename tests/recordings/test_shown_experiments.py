"""Experiments cut by sweep and by time, displayed, saved and compared."""

from __future__ import annotations

import h5py
import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Experiment, Repeat

DT, SAMPLES = 1e-3, 1000


def signal(values, unit):
    return neo.AnalogSignal(np.asarray(values, float), units=unit, sampling_rate=1 / DT * pq.Hz)


def square(picoampere):
    return picoampere * ((np.arange(SAMPLES) >= 200) & (np.arange(SAMPLES) < 700))


@pytest.fixture
def experiment():
    """Four sweeps of 1 s with squares of 0 to 300 pA; sweep ``n`` spikes at 300, 310, ... ms, ``n``
    times. The test has two."""
    trains = [0.3 + 0.01 * np.arange(number) for number in range(4)]
    currents = [signal(square(100.0 * number), "pA") for number in range(4)]
    voltages = [signal(np.linspace(-70, -60 + number, SAMPLES), "mV") for number in range(4)]
    test = Experiment([[0.1, 0.2], [0.15, 0.9]], signal(square(50.0), "pA"), name="repeats")
    return Experiment(trains, currents, voltages, test=test, name="cell")


def test_sweeps_are_picked_by_their_numbers(experiment):
    some = experiment.sweeps("3,1")
    assert [(r.number, len(r.spike_times)) for r in some.repeats] == [
        (3, 3),
        (1, 1),
    ] and some.test == experiment.test
    assert some.sweeps(1).n_spikes == 1 and experiment.sweeps([0, 1, 2, 3]) == experiment
    with pytest.raises(DataError) as caught:
        some.sweeps("2")
    assert str(caught.value) == "cell: there is no sweep 2; there are 1, 3."


def test_a_part_of_each_sweep_is_cut_on_samples(experiment):
    part = experiment.time_slice(0.3004, 0.32)
    assert [r.spike_times.round(9).tolist() for r in part.repeats] == [
        [],
        [0.0],
        [0.0, 0.01],
        [0.0, 0.01],
    ]
    for repeat, whole in zip(part.repeats, experiment.repeats, strict=True):
        np.testing.assert_array_equal(repeat.current, whole.current[300:320])
        np.testing.assert_array_equal(repeat.voltage, whole.voltage[300:320])
        assert (
            repeat.duration == pytest.approx(0.02)
            and repeat.number == whole.number
            and repeat.dt == whole.dt
        )
    assert part.test == experiment.test
    assert (
        experiment.time_slice(t_stop=0.3).n_spikes == 0
        and experiment.time_slice(t_start=0.3).n_spikes == 6
    )
    assert experiment.time_slice(300 * pq.ms, "0.32 second") == experiment.time_slice(0.3, 0.32)
    assert experiment.time_slice() == experiment
    twice = experiment.time_slice(0.1, 0.9).time_slice(0.2, 0.4)
    assert [len(r.spike_times) for r in twice.repeats] == [0, 1, 2, 3] and len(
        twice.repeats[0].current
    ) == 200


def test_spikes_alone_are_cut_at_the_times_themselves():
    repeat = Repeat(np.array([0.1, 0.25, 0.5, 1.0]), 1.0)
    assert repeat.time_slice(0.25, 0.5).spike_times.tolist() == [0.0] and repeat.time_slice(
        0.25
    ).spike_times.tolist() == [
        0,
        0.25,
        0.75,
    ]
    assert repeat.time_slice(0.25, 0.5).duration == 0.25


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ((0.5, 0.5), "The window from 0.5 to 0.5 s is not inside sweep 0, which lasts 1 s."),
        ((0.5, 1.2), "The window from 0.5 to 1.2 s is not inside sweep 0, which lasts 1 s."),
        ((-0.1, 0.5), "The window from -0.1 to 0.5 s is not inside sweep 0, which lasts 1 s."),
        ((0.5001, 0.5003), "The window from 0.5001 to 0.5003 s holds no sample of sweep 0."),
        ((np.nan, 0.5), "The start is nan, expected a finite number."),
    ],
)
def test_windows_that_hold_nothing_are_refused(experiment, window, says):
    with pytest.raises(DataError) as caught:
        experiment.time_slice(*window)
    assert str(caught.value) == says


def test_a_sweep_of_the_test_may_not_come_back_by_a_cut():
    held_out = Experiment([np.array([0.2, 0.3])], signal(np.zeros(500), "pA"))
    whole = Experiment([np.array([0.3, 0.4])], signal(np.zeros(SAMPLES), "pA"), test=held_out)
    with pytest.raises(DataError, match="The test holds a sweep of the training"):
        whole.time_slice(0.1, 0.6)


def test_a_table_has_a_row_a_sweep(experiment):
    table = experiment.to_dataframe()
    assert (
        table.index.tolist() == [0, 1, 2, 3, 0, 1]
        and table["set"].tolist() == ["training"] * 4 + ["test"] * 2
    )
    assert table["stimulus"].tolist() == ["none"] + ["long square"] * 5 and table[
        "n_spikes"
    ].tolist() == [0, 1, 2, 3, 2, 2]
    np.testing.assert_allclose(table["amplitude_pA"], [0, 100, 200, 300, 50, 50])
    np.testing.assert_allclose(table["stimulus_start_s"].iloc[1:], 0.2)
    np.testing.assert_allclose(table["stimulus_duration_s"].iloc[1:], 0.5)
    np.testing.assert_allclose(table["sampling_rate_Hz"], 1000)
    alone = Experiment([[0.1, 0.5]]).to_dataframe()
    assert alone["stimulus"].item() == "not recorded" and alone["rate_Hz"].item() == 2 / 0.5


def test_a_current_without_a_unit_has_a_kind_and_no_picoampere():
    table = Experiment([[0.3]], signal(0.02 * square(100.0), "dimensionless")).to_dataframe()
    assert table["stimulus"].item() == "long square" and np.isnan(table["amplitude_pA"].item())


def test_it_shows_itself_in_ten_lines_and_in_a_notebook(experiment):
    many = Experiment([[0.1]] * 30)
    assert repr(experiment).splitlines() == [
        "Experiment 'cell': 4 sweeps, 4 s, 6 spikes, sampled every 1 ms; test: 2 sweeps, 2 s, 4 "
        "spikes",
        "  sweep 0: no stimulus, 0 spikes in 1 s",
        "  sweep 1: long square of 100 pA from 0.2 to 0.7 s, 1 spike in 1 s",
        "  sweep 2: long square of 200 pA from 0.2 to 0.7 s, 2 spikes in 1 s",
        "  sweep 3: long square of 300 pA from 0.2 to 0.7 s, 3 spikes in 1 s",
    ]
    assert len(repr(many).splitlines()) == 10 and len(many.summary().splitlines()) == 31
    assert (
        repr(many).splitlines()[0] == "Experiment: 30 sweeps, 3 s, 30 spikes, spikes alone; no test"
    )
    page = Experiment([[0.1]], name="<b>")._repr_html_()
    assert "&lt;b&gt;" in page and "<td>not recorded</td>" in page


def test_a_figure_has_a_panel_for_each_signal_and_a_row_for_each_sweep(experiment):
    voltage, current, spikes = experiment.plot().axes
    np.testing.assert_allclose(current.lines[2].get_ydata(), square(200.0), atol=1e-9)
    np.testing.assert_allclose(voltage.lines[3].get_ydata(), np.linspace(-70, -57, SAMPLES))
    assert [
        sorted(segment[0, 0] for segment in row.get_segments()) for row in spikes.collections
    ] == [[0.3 + 0.01 * n for n in range(number)] for number in range(4)]
    assert len(Experiment([[0.1]]).plot().axes) == 1


def test_everything_is_saved_and_comes_back_equal(experiment, tmp_path):
    back = Experiment.load(experiment.save(tmp_path / "cell.npz"))
    assert (
        back == experiment
        and back.test == experiment.test
        and back.test.name == "repeats"
        and back.dt == experiment.dt
    )
    alone = Experiment([[0.1, 1 / 3]])
    assert Experiment.load(alone.save(tmp_path / "alone.npz")) == alone
    assert (
        alone != experiment and alone != "alone" and Experiment([[0.1, 1 / 3]], name="x") != alone
    )


@pytest.mark.parametrize(
    "change",
    [
        {"spike_times": np.array([0.5])},
        {"duration": 2.0},
        {"current": None},
        {"number": 7},
        {"description": "x"},
        {"dt": 2e-3},
    ],
)
def test_every_field_counts_when_experiments_are_compared(change):
    fields = {
        "spike_times": np.array([0.25]),
        "duration": 1.0,
        "current": np.ones(4),
        "voltage": np.zeros(4),
        "dt": 0.25,
    }
    repeat, changed = Repeat(**fields), Repeat(**{**fields, **change})
    assert (
        repeat == Repeat(**fields)
        and repeat != changed
        and Experiment.of_repeats([repeat]) != Experiment.of_repeats([changed])
    )


def test_files_that_hold_no_experiment_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"cell.h5: an experiment is saved as .npz, not as '.h5'"):
        Experiment([[0.1]]).save(tmp_path / "cell.h5")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "pickled.npz", experiment=np.array([{}], dtype=object))
    for name, says in (
        ("other", "the archive holds no experiment"),
        ("text", "this is not a NumPy archive"),
        ("pickled", "is damaged"),
        ("none", "no such file"),
    ):
        with pytest.raises(DataError, match=says) as caught:
            Experiment.load(tmp_path / f"{name}.npz")
        assert "\n" not in str(caught.value)
    whole = (Experiment([[0.1]] * 50).save(tmp_path / "cell.npz")).read_bytes()
    for size in (10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "cut.npz").write_bytes(whole[:size])
        with pytest.raises(DataError):
            Experiment.load(tmp_path / "cut.npz")


def test_recorded_sweeps_against_counts_by_h5py(recorded_data):
    """Upward crossings of 0 mV more than 3 ms apart, counted without neurocode, sweep by sweep."""
    for name in ("FergusonEtAl2015_PYR2", "LantyerEtAl2018_180817_ME_9_CC"):
        path, counts = recorded_data / "nwb-icephys" / f"{name}.nwb", {}
        with h5py.File(path) as file:
            for series in file["acquisition"].values():
                volts, rate = series["data"][()], series["starting_time"].attrs["rate"]
                times = (np.flatnonzero((volts[1:] >= 0) & (volts[:-1] < 0)) + 1) / rate
                counts[int(series.attrs["sweep_number"])] = sum(
                    1 for k, t in enumerate(times) if k == 0 or t - times[k - 1] > 3e-3
                )
        experiment = nc.Experiment.from_files(path)
        assert {r.number: len(r.spike_times) for r in experiment.repeats} == counts and len(
            counts
        ) in (10, 13)
        assert len(set(experiment.to_dataframe()["description"])) == 1
