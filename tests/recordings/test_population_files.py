"""Populations from spike trains and files: bins, repeats, stimuli, and what is refused."""

from __future__ import annotations

import warnings

# imported first, since it takes over the warnings of a block in which it is first imported
import brian2  # noqa: F401
import neo
import numpy as np
import pytest
import scipy.io

import neurocode as nc
from neurocode.errors import DataError, MissingRepeatWarning
from neurocode.recordings import Layout, Trains, population_of_trains, read_population
from neurocode.recordings.stimulus_file import read_stimulus
from neurocode.recordings.two_step_archive import frame_bins


def repeated(n_repeats: int = 10) -> Trains:
    """Two cells over one second; the first spikes at 0.105 s plus 0.1 s per repeat, the second at
    0.5 s."""
    units = [
        [(np.array([0.105 + 0.1 * (repeat % 8)]), 0.0, 1.0) for repeat in range(n_repeats)],
        [(np.array([0.5]), 0.0, 1.0)] * n_repeats,
    ]
    return Trains.of_arrays(units, ["a", "b"])


def test_spikes_fall_into_half_open_bins_of_the_time_that_cells_share():
    trains = Trains.of_arrays(
        [
            [(np.array([0.5, 1.0, 1.29, 2.9]), 0.0, 3.0)],
            [(np.array([1.1, 2.45, 2.7]), 1.0, 2.8)],
        ],
        ["a", "b"],
    )
    with pytest.warns(UserWarning, match=r"2 of 7 spikes lie outside the 1 to 2\.8 s"):
        data = population_of_trains(trains, dt=0.1)
    (counts,) = data.pieces
    assert data.names == ("a", "b") and counts.shape == (2, 18)
    assert [np.flatnonzero(row).tolist() for row in counts] == [[0, 2], [1, 14, 17]]


def test_every_fifth_repeat_is_held_out_and_time_is_the_stimulus():
    data = population_of_trains(repeated(), dt=0.01)
    # of ten repeats four are a test, the least; each lasts 100 bins
    assert len(data.pieces) == 6 and data.repeats.n_repeats == 6 and data.test.n_repeats == 4
    assert [piece.shape[1] for piece in data.pieces] == [100] * 6
    held = [int(np.flatnonzero(data.test.spikes[0, :, k])[0]) for k in range(4)]
    kept = [int(np.flatnonzero(data.repeats.spikes[0, :, k])[0]) for k in range(6)]
    times = [10 + 10 * (repeat % 8) for repeat in range(10)]
    assert held == [times[k] for k in (1, 3, 6, 8)]
    assert kept == [times[k] for k in (0, 2, 4, 5, 7, 9)]
    assert np.flatnonzero(data.test.spikes[1, :, 0]).tolist() == [50]
    np.testing.assert_allclose(data.test.stimulus[:, 0], np.linspace(-1, 1, 100), atol=1e-6)
    np.testing.assert_allclose(data.stimuli[5][:, 0], np.linspace(-1, 1, 100), atol=1e-6)
    assert data.is_driven_by_time and data.stimulus_mean == pytest.approx(0.0, abs=1e-6)
    # repeat k of ten was presented at 2 k / 9 - 1 of the session, fitted or held out
    for part, numbers in ((data.repeats, (0, 2, 4, 5, 7, 9)), (data.test, (1, 3, 6, 8))):
        assert part.presentations == pytest.approx(2 * np.array(numbers) / 9 - 1)
    np.testing.assert_array_equal(data.presentations, data.repeats.presentations)


def test_repeats_without_windows_share_one_from_the_first_to_the_last_spike():
    # spikes at 0.1, 0.5 and 1 s of every repeat, and earlier ones in two of them
    base = [[-0.5, -0.2, 0.1, 0.5, 1.0], [-0.1, 0.1, 0.5, 1.0], [0.1, 0.5]]
    data = population_of_trains([list(map(np.array, base))] * 2, dt=0.01)
    assert [np.flatnonzero(piece[0]).tolist() for piece in data.pieces] == [
        [0, 30, 60, 100, 150],
        [40, 60, 100, 150],
        [60, 100],
    ]
    assert data.pieces[0].shape == (2, 151)
    empty = [np.array([0.3, 0.9]), np.array([]), np.array([0.2])]
    data = population_of_trains([empty] * 2, dt=0.1)
    assert [piece[0].nonzero()[0].tolist() for piece in data.pieces] == [[3, 9], [], [2]]


def test_repeats_on_the_clock_of_the_session_begin_at_their_own_start():
    def unit(delay):
        return [
            (np.array([start + delay]), start + shift, start + 1.0)
            for start, shift in ((0.0, 0.0), (5.0, 0.0), (9.0, 0.0))
        ]

    data = population_of_trains(Trains.of_arrays([unit(0.25), unit(0.5)], "ab"), dt=0.05)
    assert all(np.argwhere(piece).tolist() == [[0, 5], [1, 10]] for piece in data.pieces)
    assert data.pieces[0].shape == (2, 20)


def test_stated_windows_that_differ_are_cut_to_what_is_shared_with_a_warning():
    trains = Trains.of_arrays(
        [[(np.arange(0.05, 10, 0.1), 0.0, 10.0)], [(np.arange(2.05, 8, 0.5), 2.0, 8.0)]], "ab"
    )
    with pytest.warns(UserWarning, match=r"40 of 112 spikes lie outside the 2 to 8 s"):
        data = population_of_trains(trains, dt=0.05)
    assert data.pieces[0].shape == (2, 120)
    with pytest.raises(DataError, match="are of 2 stimuli"):
        population_of_trains(
            Trains.of_arrays([[(np.array([0.1]), 0.0, 1.0)] * 4], ["a"], [np.array([0, 0, 1, 1])])
        )


def test_bare_times_last_until_the_latest_spike_of_all_cells():
    data = population_of_trains([np.arange(0.0, 100, 0.1), np.arange(0.0, 5, 0.05)], dt=0.01)
    assert data.pieces[0].shape == (2, 9991) and data.pieces[0].sum(axis=1).tolist() == [1000, 100]


def test_bins_are_exact_late_on_a_clock():
    times = 1_000_000.3 + 0.002 * np.arange(20)
    trains = Trains.of_arrays([[(times, 1_000_000.3, 1_000_000.34)]], ["a"])
    assert population_of_trains(trains, dt=0.002).pieces[0].tolist() == [[1.0] * 20]


def test_few_repeats_are_all_fitted():
    data = population_of_trains(repeated(7), dt=0.01)
    assert data.test is None and data.repeats.n_repeats == 7


def test_cells_with_few_spikes_are_left_out_by_name():
    trains = [np.arange(0.05, 2.0, 0.1), np.array([0.5])]
    with pytest.warns(UserWarning, match="1 of 2 cells have fewer than 5 spikes.*: 1"):
        data = population_of_trains(trains, dt=0.01, least_spikes=5)
    assert data.names == ("0",)


def test_samples_that_last_whole_bins_are_frames_on_the_clock_of_the_spikes():
    trains = Trains.of_arrays([[(np.array([0.21, 0.4]), 0.0, 1.0)]], ["a"])
    values = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    times = [0.2, 0.4, 0.6, 0.8]
    data = population_of_trains(trains, dt=0.05, stimulus=values, stimulus_times=times)
    # the stimulus begins at 0.2 s and its samples last 0.2 s, four bins
    assert data.bins_per_frame == 4
    assert np.flatnonzero(data.pieces[0][0]).tolist() == [0, 4]
    np.testing.assert_allclose(data.stimuli[0], values)
    # a window from 0.31 s begins with the sample at 0.4 s
    late = Trains.of_arrays([[(np.array([0.39, 0.41, 0.6]), 0.31, 1.0)]], ["a"])
    with pytest.warns(UserWarning, match="1 of 3 spikes lie outside the 0.4 to 1 s"):
        data = population_of_trains(late, dt=0.05, stimulus=values, stimulus_times=times)
    np.testing.assert_allclose(data.stimuli[0], values[1:])
    assert np.flatnonzero(data.pieces[0][0]).tolist() == [0, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stimulus": np.zeros(4)}, "needs the times"),
        ({"stimulus": np.zeros(4), "stimulus_times": [0, 1]}, "2 times for 4 samples"),
        ({"stimulus": np.zeros(3), "stimulus_times": [0, 2, 1]}, "increasing"),
        ({"stimulus": np.zeros(3), "stimulus_times": [50, 51, 52]}, "share no time"),
        ({"stimulus": 3.0, "stimulus_times": [0.0]}, "a single number"),
        ({"stimulus": ["a", "b"], "stimulus_times": [0, 1]}, "expected numbers"),
        ({"stimulus": [1, 2j], "stimulus_times": [0, 1]}, "complex128"),
        ({"stimulus_times": [0.0, 1.0]}, "times need a stimulus"),
        ({"dt": 0.0}, "positive time"),
        ({"least_spikes": 100}, "No cell has 100 spikes"),
        ({"dt": "5 mV"}, "The bin"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        population_of_trains([np.arange(0.05, 2.0, 0.1)], **options)


def test_unequal_repeats_and_a_stimulus_for_repeats_are_refused():
    one, two = np.array([0.1]), np.array([0.2])
    with pytest.raises(DataError, match="no spike trains"):
        population_of_trains([])
    with pytest.raises(DataError, match="between 2 and 3 repeats"):
        population_of_trains([[one, two], [one, two, one]])
    with pytest.raises(DataError, match="one train per cell"):
        population_of_trains([[one, two], [one, two]], stimulus=np.zeros(2), stimulus_times=[0, 1])


def test_a_saved_recording_is_read_back(tmp_path):
    random = np.random.default_rng(0)
    data = nc.PopulationExperiment(
        [random.random((2, 40)) < 0.3, random.random((2, 60)) < 0.3],
        [random.normal(size=(4, 3)), random.normal(size=(6, 3))],
        dt=2e-3,
        bins_per_frame=10,
        repeats=random.random((2, 30, 5)) < 0.3,
        test=random.random((2, 20, 4)) < 0.3,
        test_stimulus=random.normal(size=(2, 3)),
        presentations=[3, 9],
        test_presentations=[0, 1, 2, 9],
        names=["x", "y"],
        name="made",
    )
    back = read_population(data.save(tmp_path / "cells.npz"))
    assert (back.dt, back.bins_per_frame, back.names, back.name) == (2e-3, 10, ("x", "y"), "made")
    for first, second in (
        *zip(data.pieces, back.pieces, strict=True),
        *zip(data.stimuli, back.stimuli, strict=True),
        (data.repeats.spikes, back.repeats.spikes),
        (data.test.spikes, back.test.spikes),
        (data.test.stimulus, back.test.stimulus),
        (data.test.presentations, back.test.presentations),
        (data.presentations, back.presentations),
    ):
        np.testing.assert_array_equal(first, second)
    assert back.repeats.stimulus is None
    with pytest.raises(DataError, match="takes no further stimulus"):
        read_population(tmp_path / "cells.npz", stimulus="x.csv")
    with pytest.raises(DataError, match=r"saved as \.npz"):
        data.save(tmp_path / "cells.mat")
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    with pytest.raises(DataError, match="holds no population recording"):
        nc.PopulationExperiment.load(tmp_path / "other.npz")
    np.savez(tmp_path / "part.npz", **{"population recording": np.array("{}")})
    with pytest.raises(DataError, match=r"part\.npz: .*n_pieces"):
        nc.PopulationExperiment.load(tmp_path / "part.npz")


def test_the_archive_of_moving_bars_is_read_with_its_frames(tmp_path):
    random = np.random.default_rng(1)
    spikes = random.integers(0, 2, (3, 40, 2)).astype(float)
    frames = random.integers(0, 2, (5, 4, 2)).astype(bool)
    frames[0, :, 0] = [0, 1, 0, 1]
    scipy.io.savemat(
        tmp_path / "nonrepeat_data_bars.mat",
        {"spikes_train": spikes, "stimulus": np.repeat(frames, 10, axis=1)[:, None]},
    )
    repeats, test = random.integers(0, 2, (2, 3, 30, 6)).astype(float)
    scipy.io.savemat(tmp_path / "repeat_data_bars.mat", {"spikes_train": repeats})
    shown = np.repeat(random.integers(0, 2, (5, 3)).astype(bool), 10, axis=1)
    scipy.io.savemat(
        tmp_path / "test_data_bars.mat", {"spikes_test": test, "stimulus_test": shown[:, None]}
    )
    data = read_population(tmp_path)
    assert data.bins_per_frame == 10 and data.dt == pytest.approx(1.667e-3)
    np.testing.assert_array_equal(data.pieces[1], spikes[..., 1])
    np.testing.assert_array_equal(data.stimuli[1], frames[..., 1].T)
    np.testing.assert_array_equal(data.repeats.spikes, repeats)
    np.testing.assert_array_equal(data.test.spikes, test)
    np.testing.assert_array_equal(data.test.stimulus, shown[:, ::10].T)
    assert frame_bins(np.array([[[1, 1, 1, 0, 0, 0, 0, 0, 0]]])) == 3
    (tmp_path / "test_data_more.mat").write_bytes(b"")
    with pytest.raises(DataError, match="2 files are called test_data"):
        read_population(tmp_path)


def test_a_file_of_spikes_is_binned_with_its_layout(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("unit,time_ms\na,1\nb,3.9\na,4\nb,9.5\n")
    data = read_population(path, Layout(t_stop=10.0), dt="2 ms", least_spikes=1)
    assert data.name == "cells" and data.n_cells == 2
    assert [np.flatnonzero(row).tolist() for row in data.pieces[0]] == [[0, 2], [1, 4]]
    with pytest.raises(DataError, match=r"cells\.csv: No cell has 50 spikes"):
        read_population(path)


def test_stimuli_are_read_from_text_archives_and_nwb(tmp_path):
    np.savez(tmp_path / "s.npz", times=[0.0, 0.5], values=np.arange(12.0).reshape(2, 3, 2))
    samples, times = read_stimulus(tmp_path / "s.npz")
    assert samples.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert times.tolist() == [0.0, 0.5]
    np.savez(tmp_path / "t.npz", a=[1.0])
    with pytest.raises(DataError, match=r"'times' and 'values'.*holds a"):
        read_stimulus(tmp_path / "t.npz")
    (tmp_path / "ms.csv").write_text("time_ms,x\n0,1\n10,2\n")
    assert read_stimulus(tmp_path / "ms.csv")[1].tolist() == [0.0, 0.01]
    (tmp_path / "n.csv").write_text("samples,x\n0,1\n10,2\n")
    with pytest.raises(DataError, match="first column is called 'samples'"):
        read_stimulus(tmp_path / "n.csv")
    for heading in ("", "x", "time (min)", "index"):
        (tmp_path / "h.csv").write_text(f"{heading},time\n0,1\n10,2\n")
        with pytest.raises(DataError, match="expected times: 'time'"):
            read_stimulus(tmp_path / "h.csv")
    for times, values, message in (
        (["a", "b"], [0.0, 1.0], "the times of the stimulus are of the type '<U1'"),
        ([0.0, 1.0], [1j, 2.0], "the values of the stimulus are of the type 'complex128'"),
        ([], [], "has 0 samples"),
        ([0.0, 1.0], 3.0, r"shape \(\) at times of shape \(2,\)"),
        ([0.0, 1.0], [[1.0, 2.0]], r"shape \(1, 2\) at times"),
    ):
        np.savez(tmp_path / "bad.npz", times=times, values=values)
        with pytest.raises(DataError, match=message):
            read_stimulus(tmp_path / "bad.npz")
    (tmp_path / "one.csv").write_text("time\n0.1\n0.2\n")
    with pytest.raises(DataError, match="at least one of a feature"):
        read_stimulus(tmp_path / "one.csv")
    with pytest.raises(DataError, match=r"absent\.npz: there is no such file"):
        read_stimulus(tmp_path / "absent.npz")


def test_a_series_of_an_nwb_file_is_a_stimulus(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    from datetime import UTC, datetime

    file = pynwb.NWBFile("made", "id", datetime(2026, 1, 1, tzinfo=UTC))
    for name, values, options in (
        (
            "position",
            [1.0, 2.0, 3.0],
            {"conversion": 0.01, "offset": 0.5, "starting_time": 5.0, "rate": 2.0},
        ),
        ("lick", [1.0, 1.0], {"timestamps": np.array([0.1, 0.4])}),
    ):
        series = pynwb.TimeSeries(name=name, data=np.array(values), unit="m", **options)
        file.add_acquisition(series)
    file.add_unit(spike_times=np.arange(5.05, 6.5, 0.1), obs_intervals=[[5.0, 6.5]])
    path = tmp_path / "session.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    samples, times = read_stimulus("position", path)
    np.testing.assert_allclose(samples[:, 0], [0.51, 0.52, 0.53])
    assert times.tolist() == [5.0, 5.5, 6.0]
    data = read_population(path, dt=0.1, stimulus="position", least_spikes=1)
    assert data.bins_per_frame == 5 and data.pieces[0].tolist() == [[1.0] * 15]
    np.testing.assert_allclose(data.stimuli[0][:, 0], [0.51, 0.52, 0.53])
    with pytest.raises(DataError, match=r"0 series are called 'speed'.*lick, position"):
        read_stimulus("speed", path)
    with pytest.raises(DataError, match=r"0 series are called 'spike_times'"):
        read_stimulus("spike_times", path)


def test_a_repeat_that_one_cell_lacks_is_refused():
    block = neo.Block()
    for k in range(4):
        segment = neo.Segment()
        segment.spiketrains += [
            neo.SpikeTrain([0.1 + 0.05 * k], units="s", t_stop=1.0, name=name)
            for name in ("a", "b")
            if (name, k) not in {("a", 3), ("b", 0)}
        ]
        block.segments.append(segment)
    with pytest.raises(DataError, match=r"'a' has trains in 3 of 4 segments"):
        population_of_trains(block)
    with pytest.warns(MissingRepeatWarning, match="counted without the others"):
        assert Trains.of(block).n_trains == 6


def test_repeats_on_the_clock_of_a_session_without_windows_are_refused():
    trains = [[10.0 * k + np.array([0.1, 0.5]) for k in range(5)]] * 2
    with pytest.raises(DataError, match=r"follow those of the repeat before, up to 40\.5 s"):
        population_of_trains(trains, dt=0.01)


def test_times_that_fill_the_memory_and_late_recordings_are_said():
    with pytest.raises(DataError, match="in another unit than seconds"):
        population_of_trains([np.array([1.0, 5e9])])
    with pytest.warns(UserWarning, match=r"to begin at 0 s, and its first spike lies at 1000 s"):
        population_of_trains([np.arange(1000.0, 1010.0, 0.1)], dt=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stated = Trains.of_arrays([[(np.array([5.0, 5.5]), 3.0, 5.5)]], ["a"])
        assert population_of_trains(stated, dt=0.01).pieces[0].shape == (1, 251)


def test_the_windows_of_neo_trains_hold_even_where_they_end_with_a_spike():
    short = neo.SpikeTrain([0.5, 5.0], units="s", t_stop=5.0)
    long = neo.SpikeTrain([0.5, 1.5, 9.0], units="s", t_stop=10.0)
    with pytest.warns(UserWarning, match="2 of 5 spikes lie outside the 0 to 5 s"):
        data = population_of_trains([short, long], dt=0.1)
    assert data.pieces[0].shape == (2, 50)


def test_a_damaged_archive_is_called_damaged(tmp_path):
    path = tmp_path / "cells.npz"
    np.savez(path, a=np.zeros(20))
    held = path.read_bytes()
    # the directory at the end is found, but its first entry is spoilt
    path.write_bytes(held.replace(b"PK\x01\x02", b"PK\x07\x02"))
    for read in (read_population, read_stimulus):
        with pytest.raises(DataError, match=r"cells\.npz: the file is damaged or truncated"):
            read(path)
