"""Recordings prepared for a fit: what they hold, in SI units, and a one-sentence error for each
that cannot be used."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings.detection import after_dead_time, detect_spikes
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.repeat import CLIPPED_SAMPLES, Repeat, sampled

SAMPLES = 100


def train(*times, start=0.0, stop=0.1, unit="s"):
    return neo.SpikeTrain(np.array(times) * pq.s, units="s", t_start=start, t_stop=stop).rescale(
        unit
    )


def signal(values, unit, rate=1000.0, start=0.0):
    return neo.AnalogSignal(
        np.asarray(values, float), units=unit, sampling_rate=rate * pq.Hz, t_start=start * pq.s
    )


RAMP = np.linspace(0.0, 99.0, SAMPLES)
CURRENT, VOLTAGE = signal(RAMP, "pA"), signal(RAMP - 120.0, "mV")


def refused(*arguments, **options):
    with pytest.raises(DataError) as caught:
        Experiment(*arguments, **options)
    return str(caught.value)


def test_a_sweep_is_held_in_si_from_its_start():
    experiment = Experiment(
        train(10.01, 10.05, start=10.0, stop=10.1, unit="ms"),
        signal(RAMP, "pA", start=10.0),
        signal(RAMP - 120, "mV", start=10.0),
    )
    (repeat,) = experiment.repeats
    np.testing.assert_allclose(repeat.spike_times, [0.01, 0.05], atol=1e-12)
    assert (
        repeat.duration == pytest.approx(0.1)
        and repeat.dt == pytest.approx(1e-3)
        and experiment.dt == repeat.dt
    )
    np.testing.assert_allclose(repeat.current, RAMP * 1e-12)
    np.testing.assert_allclose(repeat.voltage, (RAMP - 120) * 1e-3)
    assert experiment.n_spikes == 2 and experiment.test is None and experiment.name == ""


def test_spikes_alone_have_no_interval():
    experiment = Experiment([train(0.0), train(0.05, 0.1)], name="cell")
    assert experiment.n_spikes == 3 and experiment.dt is None and experiment.name == "cell"
    assert experiment.repeats[0].current is None and experiment.repeats[0].voltage is None


def test_one_current_serves_all_sweeps_or_each_has_its_own():
    one_current = Experiment([train(0.01)] * 2, CURRENT)
    two_currents = Experiment(
        [train(0.01)] * 2, [CURRENT, signal(2 * RAMP, "pA")], [VOLTAGE, VOLTAGE]
    )
    np.testing.assert_array_equal(one_current.repeats[0].current, one_current.repeats[1].current)
    np.testing.assert_allclose(two_currents.repeats[1].current, 2e-12 * RAMP)
    np.testing.assert_allclose(two_currents.frozen_current, 1.5e-12 * RAMP)
    assert (
        refused([train(0.01)] * 2, [CURRENT]) == "There are 1 current signals for 2 spike trains."
    )
    assert (
        refused([train(0.01)], CURRENT, [VOLTAGE] * 2)
        == "There are 2 voltage signals for 1 spike trains."
    )
    assert refused([]) == "An experiment needs at least one spike train."


def unsorted_train(*times):
    values = train(*sorted(times))
    values[:] = np.array(times) * pq.s
    return values


@pytest.mark.parametrize("times", [(0.05, 0.01), (0.01, np.nan)])
def test_times_are_finite_and_increase(times):
    assert (
        refused(unsorted_train(*times))
        == "Spike times must be finite, increasing and inside the sweep."
    )


@pytest.mark.parametrize(
    ("current", "voltage", "says"),
    [
        (
            signal(RAMP[:-1], "pA"),
            VOLTAGE,
            "Current and voltage differ in length or sampling: the current has 99 samples every "
            "0.001 s, the voltage has 100 ",
        ),
        (
            signal(RAMP, "pA", rate=1000.1),
            VOLTAGE,
            "Current and voltage differ in length or sampling",
        ),
        (
            signal(RAMP, "pA", start=0.0006),
            VOLTAGE,
            "Current and voltage begin at 0.0006 and 0 s, expected together.",
        ),
        (signal(RAMP[:99], "pA"), None, "The spike train lasts 0.1 s, its signals 0.099 s."),
        (
            signal(np.zeros((SAMPLES, 2)), "pA"),
            None,
            "The current has 2 channels of 100 samples, expected one that is not empty.",
        ),
        (
            None,
            signal(np.zeros((0, 1)), "mV"),
            "The voltage has 1 channels of 0 samples, expected one that is not empty.",
        ),
        (signal(RAMP, "mV"), None, "The current is in mV, expected a unit of"),
        (None, signal(RAMP, "pA"), "The voltage is in pA, expected a unit of"),
        (
            signal([*RAMP[:-2], np.nan, np.inf], "pA"),
            None,
            "The current holds 2 values that are not finite.",
        ),
        (
            None,
            signal([*RAMP[:-1], np.nan], "mV"),
            "The voltage holds 1 values that are not finite.",
        ),
        (signal(RAMP, "nA"), None, "The current reaches 9.9e-08 A, beyond 2e-08 A"),
    ],
)
def test_signals_that_do_not_fit_are_named(current, voltage, says):
    assert refused(train(0.01), current, voltage).startswith(says)


def test_half_a_sample_is_no_difference():
    Experiment(train(0.01), signal(RAMP, "pA", start=0.0004), VOLTAGE)
    Experiment(train(0.01, stop=0.1004), CURRENT)
    assert "lasts 0.1006 s, its signals 0.1 s" in refused(train(0.01, stop=0.1006), CURRENT)


def test_a_clipped_voltage_is_told_by_a_run_at_its_largest_value():
    values = RAMP - 120.0
    values[50 : 50 + CLIPPED_SAMPLES - 1] = 20.0
    values[70:73] = 20.0
    Experiment(train(0.01), None, signal(values, "mV"))
    values[50 + CLIPPED_SAMPLES - 1] = 20.0
    assert (
        refused(train(0.01), None, signal(values, "mV"))
        == "The voltage is clipped: it stays at 20.0 mV for 8 samples."
    )
    at_the_end = RAMP - 120.0
    at_the_end[-CLIPPED_SAMPLES:] = 30.0
    assert "stays at 30.0 mV for 8 samples" in refused(train(0.01), None, signal(at_the_end, "mV"))
    Experiment(train(0.01), None, signal(np.full(SAMPLES, -70.0), "mV"))


def test_repeats_and_test_are_sampled_alike():
    fast = signal(RAMP, "pA", rate=2000.0)
    assert refused([train(0.01), train(0.01, stop=0.05)], [CURRENT, fast]) == (
        "The repeats are sampled every 0.0005 to 0.001 s, expected the same interval."
    )
    held_out = Experiment(train(0.01, stop=0.05), fast)
    assert refused(train(0.01), CURRENT, test=held_out) == (
        "Training and test are sampled at 0.001 s and 0.0005 s, expected the same interval."
    )
    assert (
        Experiment(train(0.01), CURRENT, test=Experiment(train(0.05), CURRENT)).test.n_spikes == 1
    )


def test_a_sweep_given_twice_is_known_by_several_spikes():
    """A single spike at the same time may be chance; two at the same times mean the same sweep."""
    assert (
        Experiment(train(0.01), CURRENT, test=Experiment(train(0.01), CURRENT)).test.n_spikes == 1
    )
    assert refused(
        train(0.01, 0.05), CURRENT, test=Experiment(train(0.01, 0.05), CURRENT)
    ).startswith("The test holds a sweep")


def test_a_frozen_current_is_shared():
    random = np.random.default_rng(1)
    shared, noises = 10.0 * random.standard_normal(SAMPLES), random.standard_normal((2, SAMPLES))
    frozen = Experiment(
        [train(0.01)] * 2, [signal(shared + 2 * noise, "pA") for noise in noises]
    ).frozen_current
    np.testing.assert_allclose(frozen, 1e-12 * (shared + 2 * noises.mean(axis=0)))
    for currents, says in (
        (
            [signal(10 * noise, "pA") for noise in noises],
            r"frozen current: correlation 0\.\d\d with their mean",
        ),
        (
            [CURRENT, signal(np.zeros(SAMPLES), "pA")],
            "frozen current: correlation nan with their mean",
        ),
    ):
        with pytest.raises(DataError, match=says):
            _ = Experiment([train(0.01)] * 2, currents).frozen_current
    with pytest.raises(DataError, match="frozen current: they have 50 to 100 samples"):
        _ = Experiment(
            [train(0.01), train(0.01, stop=0.05)], [CURRENT, signal(RAMP[:50], "pA")]
        ).frozen_current
    with pytest.raises(DataError, match="The repeats have no current"):
        _ = Experiment(train(0.01)).frozen_current
    constant = Experiment([train(0.01)] * 2, signal(np.full(SAMPLES, 5.0), "pA")).frozen_current
    np.testing.assert_allclose(constant, 5e-12)


def test_a_spike_is_the_first_sample_at_or_above_the_threshold():
    volts = signal([-70, 0, 10, -70, -1, 0, -70], "mV", start=2.0)
    spikes = detect_spikes(volts, dead_time=0.0)
    np.testing.assert_allclose(spikes.magnitude, [2.001, 2.005])
    assert float(spikes.t_start) == 2.0 and float(spikes.t_stop) == pytest.approx(2.007)
    np.testing.assert_allclose(
        detect_spikes(volts, threshold=5.0, dead_time=0.0).magnitude, [2.002]
    )
    np.testing.assert_allclose(detect_spikes(signal([-0.07, 0.02, -0.07], "V")).magnitude, [0.001])


def test_the_dead_time_counts_from_the_last_spike_kept():
    assert after_dead_time(np.array([0.0, 1.0, 2.0, 3.0, 4.5]), 1.0).tolist() == [0.0, 2.0, 4.5]
    assert after_dead_time(np.array([]), 1.0).tolist() == []


def block_file(folder, *channels, sweeps=1, name="cell.nix"):
    block = neo.Block()
    for _ in range(sweeps):
        segment = neo.Segment()
        segment.analogsignals.extend(channels)
        block.segments.append(segment)
    return nc.write(block, folder / name)


SPIKING = signal(np.where(np.arange(SAMPLES) % 40 == 20, 20.0, -70.0 + 0.01 * RAMP), "mV")


def test_a_file_becomes_an_experiment(tmp_path):
    path = block_file(tmp_path, SPIKING, CURRENT, sweeps=2)
    test = block_file(
        tmp_path,
        signal(np.roll(SPIKING.magnitude[:, 0], 3), "mV"),
        CURRENT,
        sweeps=2,
        name="test.nix",
    )
    experiment = Experiment.from_files(path, test, current_offset="5 pA")
    assert (
        [len(repeat.spike_times) for repeat in experiment.repeats]
        == [2, 2]
        == [len(r.spike_times) for r in experiment.test.repeats]
    )
    np.testing.assert_allclose(experiment.repeats[1].current, (RAMP - 5) * 1e-12, atol=1e-20)
    np.testing.assert_allclose(experiment.test.repeats[0].current, (RAMP - 5) * 1e-12, atol=1e-20)
    assert experiment.name == "cell"
    assert Experiment.from_files(path, spike_threshold=30.0).n_spikes == 0
    assert Experiment.from_files(path, dead_time=50.0).n_spikes == 2


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        (
            (SPIKING,),
            "there is no current channel (in a unit of A); channels found: unnamed in mV.",
        ),
        (
            (CURRENT,),
            "there is no voltage channel (in a unit of V); channels found: unnamed in pA.",
        ),
        (
            (SPIKING, VOLTAGE, CURRENT),
            "there are 2 voltage channels (in a unit of V), expected one; "
            "choose by voltage_channel among 0: unnamed in mV, 1: unnamed in mV.",
        ),
        (
            (SPIKING, signal(np.zeros((SAMPLES, 3)), "pA")),
            "there are 3 current channels (in a unit of A), expected one; "
            "choose by current_channel among 0: unnamed in pA, 1: unnamed in pA, 2: unnamed in pA.",
        ),
        (
            (signal([*RAMP[:-1], np.nan], "mV"), CURRENT),
            "The voltage holds 1 values that are not finite.",
        ),
    ],
)
def test_channels_that_are_missing_or_many_are_named(tmp_path, channels, says):
    path = block_file(tmp_path, *channels)
    with pytest.raises(DataError) as caught:
        Experiment.from_files(path)
    assert str(caught.value) == f"{path}: {says}"


def test_a_train_begins_with_its_signals():
    """The starts of train and signals may differ by at most half a sample."""
    delayed = signal(RAMP, "pA", start=0.05)
    assert (
        refused(train(0.01), delayed)
        == "The spike train begins at 0 s, its current at 0.05 s, expected one start."
    )
    assert refused(train(0.01), None, signal(RAMP - 120.0, "mV", start=5.0)) == (
        "The spike train begins at 0 s, its voltage at 5 s, expected one start."
    )
    assert Experiment(train(0.01), signal(RAMP, "pA", start=0.0004)).n_spikes == 1


def test_a_signal_without_a_sampling_interval_is_named():
    unsampled = Repeat(np.array([0.01]), 0.1, current=np.ones(SAMPLES), number=4)
    with pytest.raises(DataError, match="Sweep 4 has no sampling interval of its current"):
        sampled(unsampled, "current")
    with pytest.raises(DataError, match="Sweep 4 has no voltage"):
        sampled(unsampled, "voltage")
    with pytest.raises(DataError, match="Sweep 4 has no sampling interval of its current"):
        Experiment.of_repeats([unsampled]).plot()
