"""Sweeps chosen by number, tests from the same file, files with one channel each, and a fit to
sweeps of different lengths."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.recordings.current_clamp import ranges, sweep_numbers
from neurocode.recordings.held_out_sweeps import repeated_sweeps
from neurocode.recordings.repeat import Repeat

RATE, SAMPLES = 1000.0, 200


def signal(values, unit, rate=RATE):
    return neo.AnalogSignal(np.asarray(values, float), units=unit, sampling_rate=rate * pq.Hz)


def voltage(spikes, shift=0, samples=SAMPLES):
    values = np.full(samples, -70.0)
    values[10 + shift + 8 * np.arange(spikes)] = 20.0
    return signal(values, "mV")


def block_file(path, sweeps, index=True):
    """Write a file with voltage and current of each sweep; sweeps are numbered from 1."""
    block = neo.Block()
    for number, signals in enumerate(sweeps, start=1):
        segment = neo.Segment(index=number if index else None)
        segment.analogsignals.extend(signals)
        block.segments.append(segment)
    return nc.write(block, path)


@pytest.fixture
def frozen_file(tmp_path):
    """Write a file in which sweeps 2, 4 and 5 share one noise, recorded with the noise of the
    amplifier; steps of 100 and 103 pA are not repeats."""
    random = np.random.default_rng(0)
    frozen, step = 80 * random.standard_normal(SAMPLES), 100.0 * (np.arange(SAMPLES) > 50)
    currents = [
        step,
        frozen,
        1.03 * step,
        frozen,
        frozen,
        60 * random.standard_normal(SAMPLES),
        np.zeros(SAMPLES),
        np.zeros(SAMPLES),
    ]
    measured = [
        signal(c + (0.5 * random.standard_normal(SAMPLES) if c is frozen else 0.0), "pA")
        for c in currents
    ]
    sweeps = [(voltage(2 + number, number), current) for number, current in enumerate(measured)]
    return block_file(tmp_path / "cell.nwb", sweeps)


def told(experiment):
    return [(repeat.number, len(repeat.spike_times)) for repeat in experiment.repeats]


def test_numbers_are_written_as_text_or_given():
    assert (
        sweep_numbers(" 3,5, 7-9,7 ") == [3, 5, 7, 8, 9]
        and sweep_numbers(4) == [4]
        and sweep_numbers(np.arange(2)) == [0, 1]
    )
    assert ranges([5, 1, 2, 3, 9, 8]) == "1-3, 5, 8-9"
    for text in ("", "3-", "a", "-3", "1.5", "3;4"):
        with pytest.raises(
            DataError, match="names no sweeps, expected numbers and ranges such as '3,5,7-12'"
        ):
            sweep_numbers(text)
    for numbers, says in (
        ("9-3", "is not a range of sweeps"),
        ("0-999999999", "at most 100000 sweeps"),
        ([1.0], "is numbered 1.0"),
    ):
        with pytest.raises(DataError, match=says):
            sweep_numbers(numbers)
    with pytest.raises(DataError, match="No sweep is asked for"):
        sweep_numbers([])


def test_sweeps_are_chosen_by_number(frozen_file):
    assert told(nc.Experiment.from_files(frozen_file, sweeps="6,1-2")) == [(6, 7), (1, 2), (2, 3)]
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(frozen_file, sweeps="1,12")
    assert str(caught.value) == f"{frozen_file}: there is no sweep 12; there are 1-8."


def test_test_sweeps_of_the_same_file_leave_the_training(frozen_file):
    experiment = nc.Experiment.from_files(frozen_file, test_sweeps="2,4")
    assert told(experiment) == [(1, 2), (3, 4), (5, 6), (6, 7), (7, 8), (8, 9)] and told(
        experiment.test
    ) == [(2, 3), (4, 5)]
    assert experiment.test.name == experiment.name == "cell"
    some = nc.Experiment.from_files(
        frozen_file, sweeps="1,3", test_sweeps="2,4", t_start=0.02, t_stop=0.12
    )
    assert told(some) == [(1, 0), (3, 3)]
    assert {round(r.duration, 9) for r in (*some.repeats, *some.test.repeats)} == {0.1}
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(frozen_file, sweeps="1-4", test_sweeps="3-5")
    assert (
        str(caught.value)
        == f"{frozen_file}: sweep 3-4 is asked for as training and as test, expected one of them."
    )
    with pytest.raises(
        DataError, match=r"the test takes all sweeps \(1-8\), expected some for the training"
    ):
        nc.Experiment.from_files(frozen_file, test_sweeps="1-8")


def test_repeats_of_one_current_are_the_test(frozen_file):
    experiment = nc.Experiment.from_files(frozen_file, test_sweeps="repeated")
    assert told(experiment.test) == [(2, 3), (4, 5), (5, 6)] and [
        n for n, _ in told(experiment)
    ] == [1, 3, 6, 7, 8]
    assert len(experiment.test.frozen_current) == SAMPLES
    beside = nc.Experiment.from_files(
        frozen_file, frozen_file, sweeps="1,3", test_sweeps="repeated"
    )
    assert told(beside.test) == told(experiment.test) and told(beside) == [(1, 2), (3, 4)]
    with pytest.raises(
        DataError,
        match=r"cell.nwb: no two sweeps share one current, expected repeats; name the sweeps",
    ):
        nc.Experiment.from_files(frozen_file, sweeps="1-3,6", test_sweeps="repeated")


def test_a_test_file_that_holds_a_training_sweep_is_still_refused(frozen_file):
    with pytest.raises(DataError, match=r"cell\.nwb: The test holds a sweep of the training"):
        nc.Experiment.from_files(
            frozen_file, frozen_file, test_sweeps="3", sweeps="1-4", t_start=0.01
        )
    assert told(
        nc.Experiment.from_files(frozen_file, frozen_file, test_sweeps="5", sweeps="1-4").test
    ) == [(5, 6)]


def test_two_repeated_currents_must_be_named():
    first, second = np.random.default_rng(1).normal(0, 1e-10, (2, SAMPLES))
    repeats = [
        Repeat(np.array([0.1]), 0.2, current, None, 1e-3, n)
        for n, current in enumerate([first, second, first, second])
    ]
    with pytest.raises(
        DataError,
        match=r"2 currents were repeated \(sweeps 0, 2 and 1, 3\); name the sweeps of "
        r"the test by numbers",
    ):
        repeated_sweeps(repeats)
    assert repeated_sweeps(repeats[:3]) == [0, 2]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda c: c, True),
        (lambda c: 1.02 * c, False),
        (lambda c: c + 2e-12, False),
        (lambda c: -c, False),
    ],
)
def test_what_counts_as_the_same_current(change, same):
    current = np.random.default_rng(1).normal(0, 1e-10, SAMPLES)
    repeats = [
        Repeat(np.array([0.1]), 0.2, c, None, 1e-3, n)
        for n, c in enumerate([current, change(current)])
    ]
    if same:
        assert repeated_sweeps(repeats) == [0, 1]
    else:
        with pytest.raises(DataError, match="no two sweeps"):
            repeated_sweeps(repeats)


def test_recorded_repeats_are_found(recorded_data):
    """Ten repeats of one frozen noise, in a file of their own."""
    experiment = nc.Experiment.from_files(recorded_data / "raphe" / "DRN164_5ht_test.abf")
    assert repeated_sweeps(experiment.repeats) == list(range(10))


def test_files_of_one_channel_each_are_given_together(recorded_data):
    """Five sweeps of two Igor waves: spikes against upward crossings counted here, and the order of
    a pair does not matter."""
    folder = recorded_data / "ibw"
    files = {
        n: tuple(folder / f"B6_Ch{channel}_IDRest_{n}.ibw" for channel in (3, 0))
        for n in range(181, 186)
    }
    counts = []
    for voltage_file, _ in files.values():
        millivolts = (
            neo.io.IgorIO(str(voltage_file))
            .read_block()
            .segments[0]
            .analogsignals[0]
            .magnitude[:, 0]
        )
        counts.append(int(np.sum((millivolts[1:] >= 0) & (millivolts[:-1] < 0))))
    together = nc.Experiment.from_files(list(files.values()))
    assert told(together) == list(enumerate(counts)) and together.name == "B6_Ch3_IDRest_181"
    turned = nc.Experiment.from_files(files[181][::-1])
    np.testing.assert_array_equal(turned.repeats[0].current, together.repeats[0].current)
    for file, missing in zip(files[181], ("current", "voltage"), strict=True):
        with pytest.raises(
            DataError,
            match=rf"no {missing} channel .*; a wave holds one channel: pass the files of "
            rf"both channels",
        ):
            nc.Experiment.from_files(file)


def test_files_that_do_not_belong_together_are_named(tmp_path):
    pair = (
        block_file(tmp_path / "v.nix", [(voltage(2),), (voltage(3),)]),
        block_file(tmp_path / "i.nix", [(signal(np.zeros(SAMPLES), "pA"),)]),
    )
    with pytest.raises(
        DataError,
        match=r"v.nix and .*i.nix: the files hold 1 to 2 sweeps, expected the same number in each",
    ):
        nc.Experiment.from_files(pair)
    with pytest.raises(DataError, match="files and groups of files are mixed"):
        nc.Experiment.from_files([pair, pair[0]])
    with pytest.raises(DataError, match="No file is given"):
        nc.Experiment.from_files([])


def test_channels_of_a_unit_are_told_by_name_and_number(tmp_path):
    """As Neo reads an ABF file with two voltages: columns of one signal, their names beside it."""
    columns = np.column_stack([voltage(2).magnitude, voltage(5).magnitude])
    two_channels = signal(columns, "mV")
    two_channels.array_annotate(channel_names=np.array(["IN 0", "IN 4"]))
    path = block_file(tmp_path / "cell.nix", [(two_channels, signal(np.zeros(SAMPLES), "pA"))])
    for choice, spikes in (("IN 0", 2), ("IN 4", 5), (1, 5), ("0", 2)):
        assert nc.Experiment.from_files(path, voltage_channel=choice).n_spikes == spikes
    with pytest.raises(
        DataError, match=r"there are 2 voltage channels .*: 'IN 0' in mV, 1: 'IN 4' in mV"
    ):
        nc.Experiment.from_files(path)
    with pytest.raises(
        DataError, match=r"no voltage channel is called '2'; there are 0: 'IN 0' in mV"
    ):
        nc.Experiment.from_files(path, voltage_channel=2)


def test_an_error_of_one_sweep_names_it(tmp_path):
    bad = voltage(3)
    bad[5] = np.nan * pq.mV
    current = signal(np.zeros(SAMPLES), "pA")
    path = block_file(tmp_path / "cell.nix", [(voltage(2), current), (bad, current)])
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(path)
    assert str(caught.value) == f"{path}: sweep 1: The voltage holds 1 values that are not finite."
    assert nc.Experiment.from_files(path, sweeps=0).n_spikes == 2


def test_sweeps_of_unequal_length_are_counted_one_by_one():
    """Three sweeps of 2, 1.5 and 3 s, of each of which the first half second does not count, nor 4
    ms after a counted spike."""
    lengths, spikes = (2.0, 1.5, 3.0), ([0.2, 0.8, 1.9], [0.7], [0.1, 0.55, 2.0, 2.9])
    currents = [signal(np.full(round(1e3 * seconds), 100.0 * seconds), "pA") for seconds in lengths]
    likelihood = ClampedLikelihood.of(
        nc.models.gif((50.0,)), nc.Experiment([np.array(times) for times in spikes], currents)
    )
    assert likelihood.durations == pytest.approx(lengths) and likelihood.n_spikes == 2 + 1 + 3
    assert 6.5 - 3 * 0.5 - 6 * 0.005 <= likelihood.exposure <= 6.5 - 3 * 0.5


@pytest.mark.long
def test_sweeps_of_unequal_length_are_fitted_as_one_training_set():
    """The likelihood of the sweeps of a simulated cell together is the sum over them, and their fit
    takes the spikes of all."""
    model, currents, trains = nc.models.gif((50.0,)), [], []
    for seed, seconds in enumerate((4.0, 2.5, 7.0)):
        current = nc.simulation.stimuli.frozen_noise(
            seconds, 1e-3, mean=100.0, standard_deviation=100.0, seed=seed
        )
        currents.append(current)
        trains.append(
            nc.simulate(model, current, seed=seed, engine="jax").segments[0].spiketrains[0]
        )
    together = nc.Experiment(trains, currents)
    whole, *single_sweeps = (
        ClampedLikelihood.of(model, part)
        for part in (together, *(together.sweeps(number) for number in range(3)))
    )
    z = np.full(len(whole.coordinates.names), 0.1)
    assert whole.log_likelihood(z) == pytest.approx(
        sum(part.log_likelihood(z) for part in single_sweeps), rel=1e-9
    )
    result = nc.fit(model, together, starts=1, seed=0)
    assert (
        result.converged
        and result.n_spikes == sum(int(np.sum(r.spike_times >= 0.5)) for r in together.repeats) > 20
    )
