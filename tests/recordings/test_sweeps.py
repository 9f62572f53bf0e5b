"""The pairing of responses and stimuli in an NWB file: stated by the file, or refused with an error
that lists the candidates."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pynwb
import pytest
from pynwb.icephys import (
    CurrentClampSeries,
    CurrentClampStimulusSeries,
    IZeroClampSeries,
    VoltageClampSeries,
    VoltageClampStimulusSeries,
)

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Layout, detect_spikes, read_trains
from neurocode.recordings.channels import channel_of

RATE, SAMPLES = 1000.0, 40

pytestmark = pytest.mark.filterwarnings("ignore:Spec .*sweep_number")


class Recording:
    """A file under construction; sweep ``n`` has ``n`` spikes, and its current is ``n``
    picoampere."""

    def __init__(self, folder):
        self.path = folder / "cell.nwb"
        self.file = pynwb.NWBFile("test", "test", datetime(2020, 1, 1, tzinfo=UTC))
        self.device = self.file.create_device("amplifier")
        self.electrodes = {}

    def electrode(self, name="electrode"):
        if name not in self.electrodes:
            self.electrodes[name] = self.file.create_icephys_electrode(
                name=name, description="", device=self.device
            )
        return self.electrodes[name]

    def clamp(self, kind, name, data, electrode="electrode", timestamps=None, **more):
        timing = {"rate": RATE} if timestamps is None else {"timestamps": timestamps}
        gain = {} if kind is IZeroClampSeries else {"gain": 1.0}
        return kind(
            name=name,
            data=np.asarray(data),
            electrode=self.electrode(electrode),
            **gain,
            **timing,
            **more,
        )

    def response(self, name, spikes, **more):
        series = self.clamp(CurrentClampSeries, name, voltage(spikes), **more)
        self.file.add_acquisition(series)
        return series

    def stimulus(self, name, picoamperes, samples=SAMPLES, **more):
        series = self.clamp(
            CurrentClampStimulusSeries, name, np.full(samples, picoamperes * 1e-12), **more
        )
        self.file.add_stimulus(series)
        return series

    def series(self, name, unit, data=None, **more):
        data = np.zeros(SAMPLES) if data is None else data
        series = pynwb.TimeSeries(name=name, data=data, unit=unit, rate=RATE, **more)
        self.file.add_acquisition(series)
        return series

    def write(self):
        with pynwb.NWBHDF5IO(str(self.path), "w") as io:
            io.write(self.file)
        return self.path

    def refused(self, match):
        path = self.write()
        with pytest.raises(DataError, match=match) as caught:
            nc.read(path)
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def voltage(spikes):
    values = np.full(SAMPLES, -70e-3)
    values[4 * np.arange(1, spikes + 1)] = 20e-3
    return values


def pairs(path):
    """Return the number of spikes and the current in picoampere of each repeat."""
    repeats = nc.Experiment.from_files(path).repeats
    return [(len(repeat.spike_times), round(float(repeat.current[0]) * 1e12)) for repeat in repeats]


@pytest.fixture
def recording(tmp_path):
    return Recording(tmp_path)


def test_sweeps_pair_by_number_whatever_their_names(recording):
    """In the order of names, every response would be paired with the current of another sweep."""
    for number, (response, stimulus) in {7: "az", 2: "by", 30: "cx", 4: "dw"}.items():
        recording.response(f"response_{response}", number % 10, sweep_number=number)
        recording.stimulus(f"stimulus_{stimulus}", number % 10, sweep_number=number)
    assert pairs(recording.write()) == [(2, 2), (4, 4), (7, 7), (0, 0)]
    assert [segment.index for segment in nc.read(recording.path).segments] == [2, 4, 7, 30]


def test_a_table_of_recordings_is_honoured(recording):
    responses = {
        name: recording.response(f"resp_{name}", spikes)
        for name, spikes in (("a", 1), ("b", 2), ("c", 3))
    }
    stimuli = {
        name: recording.stimulus(f"stim_{name}", current)
        for name, current in (("a", 3), ("b", 2), ("c", 1))
    }
    for response, stimulus in ("ac", "bb", "ca"):
        recording.file.add_intracellular_recording(
            electrode=recording.electrode(),
            response=responses[response],
            stimulus=stimuli[stimulus],
        )
    assert pairs(recording.write()) == [(1, 1), (2, 2), (3, 3)]


def test_rows_of_a_table_may_be_parts_of_one_series(recording):
    response = recording.clamp(
        CurrentClampSeries, "response", np.concatenate([voltage(1), voltage(5)]), starting_time=2.0
    )
    stimulus = recording.clamp(
        CurrentClampStimulusSeries,
        "stimulus",
        np.repeat([1e-12, 5e-12], SAMPLES),
        starting_time=2.0,
    )
    recording.file.add_acquisition(response)
    recording.file.add_stimulus(stimulus)
    for start in (SAMPLES, 0):
        recording.file.add_intracellular_recording(
            electrode=recording.electrode(),
            response=response,
            response_start_index=start,
            response_index_count=SAMPLES,
            stimulus=stimulus,
            stimulus_start_index=start,
            stimulus_index_count=SAMPLES,
        )
    assert pairs(recording.write()) == [(5, 5), (1, 1)]
    starts = [
        float(segment.analogsignals[0].t_start) for segment in nc.read(recording.path).segments
    ]
    assert starts == pytest.approx([2.0 + SAMPLES / RATE, 2.0])


def test_a_row_without_a_stimulus_has_a_voltage_alone(recording):
    recording.file.add_intracellular_recording(
        electrode=recording.electrode(), response=recording.response("alone", 3)
    )
    (segment,) = nc.read(recording.write()).segments
    assert [signal.name for signal in segment.analogsignals] == ["alone"]
    with pytest.raises(DataError, match="no current channel"):
        nc.Experiment.from_files(recording.path)


def test_series_outside_the_table_are_named(recording):
    response, stimulus = recording.response("inside", 3), recording.stimulus("also_inside", 3)
    recording.response("outside", 3)
    recording.file.add_intracellular_recording(
        electrode=recording.electrode(), response=response, stimulus=stimulus
    )
    recording.refused("'outside' is in no row of the table of intracellular recordings")


def test_twelve_sweeps_without_numbers_are_refused_with_the_candidates(recording):
    for number in range(12):
        recording.response(f"response_{number:02d}", 1)
        recording.stimulus(f"stimulus_{number:02d}", 1)
    recording.refused(
        "sweep 0 holds 12 voltage series .'response_00', 'response_01', .*'response_05' and 6 "
        "more., expected one"
    )


def test_one_voltage_and_one_current_need_no_number(recording):
    recording.response("response", 3)
    recording.stimulus("stimulus", 8)
    assert pairs(recording.write()) == [(3, 8)]


def test_a_number_that_some_series_lack_is_refused(recording):
    recording.response("response", 3, sweep_number=1)
    recording.stimulus("stimulus", 3)
    recording.refused("'stimulus' has no sweep number, but the other series have one")


def test_two_responses_of_one_sweep_are_refused(recording):
    for name in ("first", "second"):
        recording.response(name, 3, sweep_number=1)
    recording.refused("sweep 1 holds 2 voltage series .'first', 'second'., expected one")


def test_two_stimuli_of_one_sweep_are_refused(recording):
    recording.response("response", 3, sweep_number=1)
    for name in ("first", "second"):
        recording.stimulus(name, 3, sweep_number=1)
    recording.refused("sweep 1 holds 2 current series .'first', 'second'., expected one")


def test_a_current_without_a_voltage_is_refused(recording):
    recording.response("response", 3, sweep_number=1)
    recording.stimulus("stimulus", 3, sweep_number=2)
    recording.refused("sweep 2 holds 'stimulus', expected a voltage")


@pytest.mark.parametrize("kind", [VoltageClampSeries, VoltageClampStimulusSeries])
def test_voltage_clamp_is_refused_with_the_reason(recording, kind):
    series = recording.clamp(kind, "clamped", np.zeros(SAMPLES), sweep_number=1)
    if kind is VoltageClampSeries:
        recording.file.add_acquisition(series)
    else:
        recording.file.add_stimulus(series)
    recording.response("response", 3, sweep_number=1)
    recording.refused("'clamped' was recorded in voltage clamp, expected current clamp")


def test_a_voltage_at_no_current_is_a_voltage(recording):
    recording.file.add_acquisition(
        recording.clamp(IZeroClampSeries, "rest", voltage(2), sweep_number=1)
    )
    (segment,) = nc.read(recording.write()).segments
    assert float(segment.analogsignals[0].max()) == pytest.approx(20e-3)


def test_two_cells_are_refused_until_one_is_chosen(recording):
    recording.response("response", 3, sweep_number=1, electrode="left")
    recording.response("other", 4, sweep_number=2, electrode="right")
    for number, electrode in ((1, "left"), (2, "right")):
        recording.stimulus(
            f"stimulus_{electrode}", number, sweep_number=number, electrode=electrode
        )
    path = recording.write()
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(path)
    assert str(caught.value) == (
        f"{path}: the sweeps come from 2 electrodes (left, right), expected one cell; choose it "
        f"by voltage_channel."
    )
    for electrode, number, spikes in (("left", 1, 3), ("right", 2, 4)):
        (repeat,) = nc.Experiment.from_files(path, voltage_channel=electrode).repeats
        assert (repeat.number, len(repeat.spike_times), repeat.current[0]) == (
            number,
            spikes,
            number * 1e-12,
        )


@pytest.mark.parametrize("missing", [1, SAMPLES // 2, SAMPLES - 1])
def test_samples_at_uneven_times_are_refused(recording, missing):
    """One sample is missing, so the times after it are one interval later."""
    recording.response(
        "response", 3, timestamps=(np.arange(SAMPLES) + (np.arange(SAMPLES) >= missing)) / RATE
    )
    recording.stimulus("stimulus", 3)
    recording.refused(
        "'response' has a time for each sample, and these are not even; expected one sampling rate"
    )


@pytest.mark.parametrize("jitter", [0.0, 2e-5])
def test_samples_at_even_times_are_as_good_as_a_rate(recording, jitter):
    """From 2.5 s, to a fiftieth of an interval: the rate is the whole number nearby, and the
    stimulus begins with the voltage."""
    stray = jitter * np.where(np.arange(SAMPLES) % 2, 1, -1)
    recording.response("response", 3, timestamps=2.5 + np.arange(SAMPLES) / RATE + stray)
    recording.stimulus("stimulus", 7, starting_time=2.5)
    (segment,) = nc.read(recording.write()).segments
    read = segment.analogsignals[0]
    assert (float(read.sampling_rate), float(read.t_start)) == (
        RATE,
        pytest.approx(2.5, abs=jitter + 1e-12),
    )
    (repeat,) = nc.Experiment.from_files(recording.path).repeats
    assert (len(repeat.spike_times), repeat.current[0], repeat.dt) == (3, 7e-12, 1 / RATE)


def test_a_voltage_without_an_amplifier_may_have_even_times(recording):
    """Events and behaviour with times of their own are passed over."""
    even = np.arange(SAMPLES) / RATE
    for name, unit, times in (
        ("voltage", "volts", even),
        ("position", "meters", even),
        ("odd", "volts", even**2),
    ):
        recording.file.add_acquisition(
            pynwb.TimeSeries(name=name, data=np.zeros(SAMPLES), unit=unit, timestamps=times)
        )
    (segment,) = nc.read(recording.write()).segments
    assert [signal.annotations["series"] for signal in segment.analogsignals] == ["voltage"]


def test_voltage_and_current_begin_together(recording):
    recording.response("response", 3, sweep_number=1, starting_time=1.0)
    recording.stimulus("stimulus", 3, sweep_number=1, starting_time=1.0 + 0.6 / RATE)
    recording.refused("voltage and current of sweep 1 begin at 1 and 1.0006 s, expected together")


def test_half_a_sample_apart_is_together(recording):
    recording.response("response", 3, sweep_number=1, starting_time=1.0)
    recording.stimulus("stimulus", 3, sweep_number=1, starting_time=1.0 + 0.4 / RATE)
    assert pairs(recording.write()) == [(3, 3)]


def test_a_current_of_another_length_is_refused(recording):
    recording.response("response", 3, sweep_number=1)
    recording.stimulus("stimulus", 3, samples=SAMPLES - 1, sweep_number=1)
    with pytest.raises(
        DataError,
        match=r"cell.nwb: Current and voltage differ in length or sampling: .* has 39 .* has 40 ",
    ):
        nc.Experiment.from_files(recording.write())


@pytest.mark.parametrize(
    ("unit", "what"),
    [("volts", "voltages"), ("mV", "voltages"), ("amperes", "currents"), ("pA", "currents")],
)
def test_plain_series_that_could_be_either_are_refused(recording, unit, what):
    for name in ("first", "second"):
        recording.series(name, unit)
    recording.refused(
        f"the file holds 2 {what} .'first', 'second'. and no sweep numbers that pair them"
    )


def test_plain_series_of_one_kind_each_form_one_sweep(recording):
    recording.series("v", "mV", 1e3 * voltage(3))
    recording.series("i", "pA", np.full(SAMPLES, 6.0))
    recording.series("temperature", "celsius")
    recording.series("licks", "no unit at all!", np.array([True] * SAMPLES))
    recording.series("image", "pixels", np.zeros((2, 3, 4)))
    assert pairs(recording.write()) == [(3, 6)]
    assert len(nc.read(recording.path).segments[0].analogsignals) == 4


def test_conversion_and_offset_are_applied(recording):
    recording.series("v", "volts", np.arange(4), conversion=1e-3, offset=-2e-3)
    (signal,) = nc.read(recording.write()).segments[0].analogsignals
    np.testing.assert_allclose(signal.rescale("mV").magnitude[:, 0], [-2, -1, 0, 1])


def test_a_plain_voltage_beside_sweeps_is_refused(recording):
    recording.response("response", 3, sweep_number=1)
    recording.series("temperature", "celsius")
    recording.series("field", "volts")
    recording.refused("the file does not say which sweep 'field' belongs to")


def test_units_are_described_whatever_the_signals_are(recording):
    for name in ("first", "second"):
        recording.series(name, "volts")
    recording.file.add_unit(spike_times=[0.1, 0.2], obs_intervals=[[0.0, 5.0]])
    recording.file.add_unit(spike_times=[0.3], obs_intervals=[[1.0, 2.0]])
    trains = read_trains(recording.write())
    assert trains.names == ("unit 0", "unit 1") and trains.counts.tolist() == [2, 1]
    assert trains.t_start.tolist() == [0.0, 1.0] and trains.t_stop.tolist() == [5.0, 2.0]
    reasons = nc.describe(trains, n_surrogates=0)["reason"]
    assert reasons.tolist() == ["", "times lie outside [1, 2] s; one spike"]


def test_spikes_outside_their_observation_are_no_neo_train(recording):
    recording.file.add_unit(spike_times=[0.3], obs_intervals=[[1.0, 2.0]])
    recording.refused(
        r"the times of 'unit 0' are not all finite and inside \[1, 2\] s, where it was observed"
    )


def test_units_beside_sweeps_have_a_segment_of_their_own(recording):
    for number in (1, 2):
        recording.response(f"response_{number}", number, sweep_number=number)
        recording.stimulus(f"stimulus_{number}", number, sweep_number=number)
    recording.file.add_unit(spike_times=[0.1, 0.2])
    assert pairs(recording.write()) == [(1, 1), (2, 2)]
    segments = nc.read(recording.path).segments
    assert [(len(s.analogsignals), len(s.spiketrains)) for s in segments] == [
        (2, 0),
        (2, 0),
        (0, 1),
    ]


def test_units_without_intervals_end_at_the_last_possible_spike(recording):
    for times in ([0.5, 1.5], [0.25], [-0.5, 0.5], [0.1, np.nan], [0.1, 1e308], [0.1, np.inf]):
        recording.file.add_unit(spike_times=times)
    trains = read_trains(recording.write())
    assert trains.t_stop.tolist() == [1.5] * 6
    assert trains.t_start.tolist() == [0.0, 0.0, -0.5, 0.0, 0.0, 0.0]
    table = nc.describe(trains, n_surrogates=0)
    assert table["reason"].tolist() == [
        "",
        "one spike",
        "",
        "1 times are not finite",
        "times lie outside [0, 1.5] s",
        "1 times are not finite",
    ]
    assert table["rate"].iloc[0] == pytest.approx(2 / 1.5)
    with pytest.raises(DataError, match=r"'unit 3' are not all finite"):
        nc.read(recording.path)


@pytest.mark.parametrize("interval", [[0.0, 1e11], [np.nan, 1.0], [-1e11, 0.0]])
def test_observation_intervals_are_possible(recording, interval):
    recording.file.add_unit(spike_times=[0.1], obs_intervals=[interval])
    recording.refused(r"a unit was observed from .* s, expected times up to 1e\+10 s")


def test_a_file_without_units_or_series_is_named(recording):
    recording.file.add_unit_column("quality", "of the sorting")
    recording.file.add_unit(quality="good")
    path = recording.write()
    with pytest.raises(DataError, match="neither units nor regularly sampled series"):
        nc.read(path)
    with pytest.raises(DataError, match="the file holds no spike train"):
        read_trains(path)


@pytest.mark.parametrize(
    ("name", "spikes", "dt"),
    [
        ("FergusonEtAl2015_PYR2", [0, 0, 1, 2, 3, 4, 7, 7, 8, 8, 10, 8, 9], 1e-4),
        ("LantyerEtAl2018_180817_ME_9_CC", [0, 0, 0, 9, 21, 27, 33, 37, 42, 46], 5e-5),
    ],
)
def test_recorded_sweeps_pair(recorded_data, name, spikes, dt):
    experiment = nc.Experiment.from_files(recorded_data / "nwb-icephys" / f"{name}.nwb")
    assert [len(repeat.spike_times) for repeat in experiment.repeats] == spikes
    assert experiment.dt == pytest.approx(dt)


def test_recorded_voltage_clamp_is_refused(recorded_data):
    with pytest.raises(DataError, match=r"'VoltageClampSeries_01'.*recorded in voltage clamp"):
        nc.read(recorded_data / "nwb-icephys" / "LantyerEtAl2018_170328_AB_277_ST50_C.nwb")


def test_units_that_were_observed_in_stretches_are_read_one_stretch_at_a_time(recording):
    """Ten seconds at 2 Hz, eighty that nobody looked at, ten at 1 Hz; neighbours that touch are one
    stretch."""
    times = np.concatenate([np.arange(0.25, 10, 0.5), np.arange(90.5, 100, 1.0)])
    recording.file.add_unit(
        spike_times=times, obs_intervals=[[90.0, 100.0], [0.0, 4.0], [4.0, 10.0]]
    )
    path = recording.write()
    with pytest.raises(DataError) as caught:
        read_trains(path)
    assert str(caught.value) == (
        f"{path}: a unit was observed in 2 stretches, not between 10 and 90 s; choose a window "
        f"inside one of them by t_start and t_stop."
    )
    with pytest.raises(DataError, match="not between 10 and 90 s"):
        read_trains(path, Layout(t_start=20.0, t_stop=80.0))
    for window, rate in (((0.0, 10.0), 2.0), ((90.0, 100.0), 1.0), ((1.0, 3.0), 2.0)):
        table = nc.describe(
            read_trains(path, Layout(t_start=window[0], t_stop=window[1])), n_surrogates=0
        )
        assert table["rate"].item() == rate and table["duration"].item() == window[1] - window[0]


def simultaneous(recording, electrodes=("left", "right"), sweeps=3):
    """Sweeps of several electrodes, row by row: sweep ``n`` at electrode ``k`` has ``n + k`` spikes
    and ``10 k + n`` picoampere."""
    rows = {}
    for number in range(sweeps):
        for place, name in enumerate(electrodes):
            response = recording.response(f"{name}_v{number}", number + place, electrode=name)
            stimulus = recording.stimulus(
                f"{name}_i{sweeps - number}", 10 * place + number, electrode=name
            )
            rows[number, place] = recording.file.add_intracellular_recording(
                electrode=recording.electrode(name), response=response, stimulus=stimulus
            )
    return rows


def test_simultaneous_sequential_and_repeated_recordings_place_each_sweep(recording):
    """Two electrodes at once, three sweeps in the order 1, 0, 2 of the table, in two sequences and
    one repetition."""
    rows = simultaneous(recording)
    for sweep, number in ((1, 11), (0, 10), (2, 12)):
        recording.file.add_icephys_simultaneous_recording(
            recordings=[rows[sweep, 0], rows[sweep, 1]], id=number
        )
    recording.file.add_icephys_sequential_recording(
        simultaneous_recordings=[0, 2], stimulus_type="square", id=20
    )
    recording.file.add_icephys_sequential_recording(
        simultaneous_recordings=[1], stimulus_type="ramp", id=21
    )
    recording.file.add_icephys_repetition(sequential_recordings=[0, 1], id=30)
    path = recording.write()
    segments = nc.read(path).segments
    assert [(segment.index, len(segment.analogsignals)) for segment in segments] == [
        (10, 4),
        (11, 4),
        (12, 4),
    ]
    keys = ("stimulus_type", "sequence", "repetition")
    assert [tuple(segment.annotations[key] for key in keys) for segment in segments] == [
        ("ramp", 21, 30),
        ("square", 20, 30),
        ("square", 20, 30),
    ]
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(path)
    assert str(caught.value) == (
        f"{path}: there are 2 voltage channels (in a unit of V), expected one; choose by "
        f"voltage_channel among "
        "0: 'left_v0' or 'left' in V, 1: 'right_v0' or 'right' in V."
    )
    repeats = nc.Experiment.from_files(path, voltage_channel="right").repeats
    told = [
        (r.number, len(r.spike_times), round(r.current[0] * 1e12), r.description) for r in repeats
    ]
    assert told == [(10 + n, n + 1, 10 + n, "square" if n else "ramp") for n in range(3)]
    for choice in ("left", 0, "0"):
        chosen = [channel_of(segment, "voltage", "", choice) for segment in segments]
        assert [len(detect_spikes(signal, dead_time=0.0)) for signal in chosen] == [0, 1, 2]
    crossed = nc.Experiment.from_files(
        path, voltage_channel="left", current_channel="right"
    ).repeats
    assert [round(repeat.current[0] * 1e12) for repeat in crossed] == [10, 11, 12]
    with pytest.raises(
        DataError,
        match=r"no voltage channel is called 'middle'; there are 0: 'left_v0' or "
        r"'left' in V, 1: 'right",
    ):
        channel_of(segments[0], "voltage", "cell", "middle")


def test_sweep_numbers_of_the_series_name_the_rows_of_the_table(recording):
    for number, row in ((7, "a"), (3, "b")):
        series = {"sweep_number": number}
        response, stimulus = (
            recording.response(f"v{row}", number, **series),
            recording.stimulus(f"i{row}", number, **series),
        )
        recording.file.add_intracellular_recording(
            electrode=recording.electrode(), response=response, stimulus=stimulus
        )
    assert [repeat.number for repeat in nc.Experiment.from_files(recording.write()).repeats] == [
        3,
        7,
    ]


def test_tables_that_contradict_themselves_are_refused(recording):
    rows = simultaneous(recording, ("one",))
    recording.file.add_icephys_simultaneous_recording(recordings=[rows[0, 0], rows[1, 0]])
    recording.file.add_icephys_simultaneous_recording(recordings=[rows[1, 0], rows[2, 0]])
    recording.refused("the table of simultaneous recordings refers to row 1 twice")


def test_a_row_outside_the_simultaneous_recordings_is_named(recording):
    rows = simultaneous(recording, ("one",))
    recording.file.add_icephys_simultaneous_recording(recordings=[rows[0, 0], rows[1, 0]])
    recording.refused(
        "row 2 of the intracellular recordings is in no row of the simultaneous recordings"
    )


def test_sweeps_in_voltage_clamp_beside_others_are_left_out_and_said_to_be(recording):
    for number in (1, 3):
        recording.response(f"v{number}", number, sweep_number=number)
        recording.stimulus(f"i{number}", number, sweep_number=number)
    recording.file.add_acquisition(
        recording.clamp(VoltageClampSeries, "clamped", np.zeros(SAMPLES), sweep_number=2)
    )
    path = recording.write()
    assert pairs(path) == [(1, 1), (3, 3)]
    assert nc.read(path).annotations["voltage_clamp"] == [2]
    with pytest.raises(
        DataError, match=r"cell\.nwb: sweep 2 was recorded in voltage clamp, expected current clamp"
    ):
        nc.Experiment.from_files(path, sweeps="1-3")


def test_settings_of_the_amplifier_are_kept_and_nothing_is_taken_off(recording):
    settings = {
        "bridge_balance": 15e6,
        "capacitance_compensation": 4e-12,
        "bias_current": float("nan"),
    }
    recording.response("response", 3, **settings)
    recording.stimulus("stimulus", 8)
    (segment,) = nc.read(recording.write()).segments
    noted = segment.analogsignals[0].annotations
    assert (
        noted["bridge_balance"] == 15e6
        and noted["capacitance_compensation"] == pytest.approx(4e-12)
        and "bias_current" not in noted
    )
    np.testing.assert_array_equal(segment.analogsignals[0].magnitude[:, 0], voltage(3))
    assert pairs(recording.path) == [(3, 8)]


@pytest.mark.parametrize(
    ("stimulus", "choice", "held"),
    [
        (0, "auto", -30),
        (2, "auto", -28),
        (-30, "auto", -30),
        (-28, "auto", -28),
        (-30, "add", -60),
        (0, "ignore", 0),
        (-12, "ignore", -12),
    ],
)
def test_a_bias_current_is_added_to_a_command_that_does_not_hold_it(
    recording, stimulus, choice, held
):
    recording.response("response", 3, bias_current=-30e-12)
    recording.stimulus("stimulus", stimulus)
    (repeat,) = nc.Experiment.from_files(recording.write(), bias_current=choice).repeats
    np.testing.assert_allclose(repeat.current, held * 1e-12, atol=1e-18)


def test_a_bias_current_that_may_be_in_the_stimulus_or_not_is_refused(recording):
    recording.response("response", 3, bias_current=-30e-12)
    recording.stimulus("stimulus", -12)
    path = recording.write()
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(path)
    assert str(caught.value) == (
        f"{path}: sweep 0 states a bias current of -30 pA and its stimulus begins at -12 pA, "
        f"which does not say whether the "
        "stimulus holds the bias; say so by bias_current='add' or 'ignore'."
    )
    with pytest.raises(
        DataError, match="bias_current is 'perhaps', expected one of auto, add, ignore"
    ):
        nc.Experiment.from_files(path, bias_current="perhaps")


def test_numbers_with_a_prefix_stay_as_they_are_stored(recording):
    """Millivolts with their factor to volts come back as those millivolts, with nothing rounded."""
    stored = np.float32([-70.123, 30.77, -69.9])
    for name, unit, factor in (("v", "volts", 1e-3), ("i", "amperes", 1e-12)):
        recording.series(name, unit, stored, conversion=factor)
    signals = nc.read(recording.write()).segments[0].analogsignals
    assert sorted(signal.units.dimensionality.string for signal in signals) == ["mV", "pA"]
    for signal in signals:
        np.testing.assert_array_equal(signal.magnitude[:, 0], stored)
        assert signal.dtype == np.float32


def test_twelve_sweeps_keep_their_stimuli_where_the_table_pairs_against_the_alphabet(
    recording,
):
    """Six seconds of a cell cut into sweeps. Names of responses rise, names of stimuli fall, rows
    stand in neither order."""
    levels, samples, dt = 20.0 * np.arange(1, 13), 500, 1e-3
    current = nc.simulation.stimuli.steps(levels.tolist(), samples * dt, dt)
    simulated = (
        nc.simulate(nc.models.gif((50.0,)), current, seed=1, engine="jax")
        .segments[0]
        .spiketrains[0]
    )
    spikes = np.round(simulated.rescale("s").magnitude / dt).astype(int)
    volts, amperes = np.full(12 * samples, -70e-3), current.rescale("A").magnitude[:, 0]
    volts[spikes] = 20e-3
    for number in np.random.default_rng(0).permutation(12):
        part = slice(number * samples, (number + 1) * samples)
        response = recording.clamp(CurrentClampSeries, f"response_{number:02d}", volts[part])
        stimulus = recording.clamp(
            CurrentClampStimulusSeries, f"stimulus_{11 - number:02d}", amperes[part]
        )
        recording.file.add_acquisition(response)
        recording.file.add_stimulus(stimulus)
        recording.file.add_intracellular_recording(
            electrode=recording.electrode(), response=response, stimulus=stimulus, id=int(number)
        )
    repeats = nc.Experiment.from_files(recording.write(), dead_time=0.0).repeats
    assert [repeat.number for repeat in repeats] == list(range(12)) and len(spikes) > 30
    for number, repeat in enumerate(repeats):
        inside = spikes[spikes // samples == number] - number * samples
        np.testing.assert_allclose(repeat.spike_times, inside[inside > 0] * dt, atol=1e-9)
        np.testing.assert_allclose(repeat.current, levels[number] * 1e-12, rtol=1e-12)
