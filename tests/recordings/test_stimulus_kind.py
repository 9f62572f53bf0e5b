"""Kinds of stimuli are distinguished; their amplitudes and times are known because the test
generates them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from neurocode.recordings.stimulus_kind import stimulus_of

DT, SECONDS, PA = 1e-4, 2.0, 1e-12
SAMPLES = round(SECONDS / DT)
TIMES = np.arange(SAMPLES) * DT


def square(picoampere, start, stop, rest=0.0):
    current = np.full(SAMPLES, rest * PA)
    current[round(start / DT) : round(stop / DT)] += picoampere * PA
    return current


def ramp(picoampere, start, stop):
    inside = (start <= TIMES) & (stop > TIMES)
    return np.where(inside, picoampere * PA * (TIMES - start) / (stop - start), 0.0)


def amplifier(picoampere, seed=1):
    return picoampere * PA * np.random.default_rng(seed).standard_normal(SAMPLES)


def filtered_noise(picoampere, start, stop, tau, seed=2):
    """Ornstein-Uhlenbeck process between two times."""
    random, decay = np.random.default_rng(seed), np.exp(-DT / tau)
    inside = np.flatnonzero((start <= TIMES) & (stop > TIMES))
    values, state = np.zeros(SAMPLES), 0.0
    for sample, draw in zip(inside, random.standard_normal(len(inside)), strict=True):
        state = decay * state + np.sqrt(1 - decay**2) * draw
        values[sample] = picoampere * PA * state
    return values


def told(current, dt=DT):
    stimulus = stimulus_of(current, dt)
    return stimulus.kind, *(
        round(value, 6)
        for value in (
            stimulus.amplitude / PA,
            stimulus.start,
            stimulus.duration,
            stimulus.rest / PA,
        )
    )


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (square(100, 0.5, 1.5), ("long square", 100, 0.5, 1.0, 0)),
        (square(-20, 0.0123, 0.1123), ("long square", -20, 0.0123, 0.1, 0)),
        (square(100, 0.5, 0.5999), ("short square", 100, 0.5, 0.0999, 0)),
        (square(2000, 0.5, 0.5005), ("short square", 2000, 0.5, 0.0005, 0)),
        (square(50, 0.5, 1.5, rest=-80), ("long square", 50, 0.5, 1.0, -80)),
        (square(1.5, 0.5, 1.5), ("long square", 1.5, 0.5, 1.0, 0)),
        (square(-10, 0.1, 0.11) + square(100, 0.5, 1.5), ("long square", 100, 0.5, 1.0, 0)),
        (square(-50, 0.2, 0.7) + square(80, 1.0, 1.9), ("steps", 80, 0.2, 1.7, 0)),
        (
            square(50, 0.2, 0.8) + square(50, 0.5, 1.1) + square(50, 0.7, 1.3),
            ("steps", 150, 0.2, 1.1, 0),
        ),
        (
            sum(square(500, t, t + 0.002) for t in np.arange(0.5, 1.0, 0.02)),
            ("steps", 500, 0.5, 0.482, 0),
        ),
        (
            np.where(TIMES >= 0.2, 200 * PA * np.sin(2 * np.pi * 5 * (TIMES - 0.2)), 0.0),
            ("other", 200, 0.2016, 1.7969, 0),
        ),
    ],
)
def test_commands_are_told_to_the_sample(current, expected):
    assert told(current) == expected


@pytest.mark.parametrize(
    "current",
    [
        np.zeros(SAMPLES),
        np.full(SAMPLES, -40 * PA),
        amplifier(3),
        amplifier(15) + 50 * PA,
        np.zeros(1),
    ],
)
def test_no_stimulus_is_none(current):
    stimulus = stimulus_of(current, DT)
    assert (
        stimulus.kind == "none"
        and stimulus.amplitude == 0
        and np.isnan([stimulus.start, stimulus.duration]).all()
    )
    assert stimulus.rest == np.median(current[:100])


@pytest.mark.parametrize("end", [150, -60])
@pytest.mark.parametrize("noise", [0, 4])
def test_a_ramp_begins_where_its_line_leaves_the_rest(end, noise):
    kind, amplitude, start, duration, _ = told(ramp(end, 0.4, 1.4) + amplifier(noise))
    assert kind == "ramp"
    assert amplitude == pytest.approx(end, abs=0.2 + noise) and start == pytest.approx(
        0.4, abs=2e-3 + 0.002 * noise
    )
    assert start + duration == pytest.approx(1.4, abs=2e-3)


def test_a_ramp_may_fall_back_to_rest():
    kind, amplitude, start, duration, _ = told(ramp(100, 0.4, 1.4)[::-1].copy())
    assert (kind, round(amplitude)) == ("ramp", 100)
    assert start == pytest.approx(0.6, abs=2e-3) and duration == pytest.approx(1.0, abs=3e-3)


@pytest.mark.parametrize("noise", [5, 12])
def test_a_recorded_square_with_what_spikes_leave_in_it(noise):
    """Noise of the amplifier, and artefacts of 1 ms and several hundred picoampere at each
    spike."""
    current = square(60, 0.5, 1.5, rest=-70) + amplifier(noise)
    for spike in np.arange(0.55, 1.5, 0.1):
        current[round(spike / DT) + np.arange(10)] += np.repeat([600, -500], 5) * PA
    kind, amplitude, start, duration, rest = told(current)
    assert (
        kind == "long square"
        and amplitude == pytest.approx(60, abs=2)
        and rest == pytest.approx(-70, abs=3)
    )
    assert start == pytest.approx(0.5, abs=1.1e-3) and duration == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("tau", [2e-4, 3e-3, 20e-3])
@pytest.mark.parametrize("noise", [0, 5])
def test_noise_has_its_standard_deviation_as_amplitude(tau, noise):
    current = filtered_noise(100, 0.3, 1.8, tau) + amplifier(noise)
    kind, amplitude, start, duration, _ = told(current)
    inside = current[(TIMES >= 0.3) & (TIMES < 1.8)]
    assert (
        kind == "noise"
        and start == pytest.approx(0.3, abs=0.01)
        and duration == pytest.approx(1.5, abs=0.02)
    )
    if tau > 1e-3:
        assert amplitude == pytest.approx(inside.std() / PA, rel=0.05)


def test_noise_over_the_whole_sweep_and_held_noise_are_noise():
    white = 80 * PA * np.random.default_rng(3).standard_normal(SAMPLES)
    held = np.repeat(80 * PA * np.random.default_rng(3).standard_normal(SAMPLES // 20), 20)
    for current in (white, held):
        assert stimulus_of(current, DT).kind == "noise"


def test_recorded_stimuli_are_the_pulses_that_their_files_name(recorded_data):
    """Amplitudes against the medians of plateau and rest that h5py gives, and what the descriptions
    say."""
    for name, windows, duration in (
        ("FergusonEtAl2015_PYR2", ((0.0, 0.05), (0.2, 1.0)), 1.0),
        ("LantyerEtAl2018_180817_ME_9_CC", ((0.0, 0.05), (0.2, 0.5)), 0.5),
    ):
        with h5py.File(recorded_data / "nwb-icephys" / f"{name}.nwb") as file:
            for series in file["stimulus/presentation"].values():
                rate, current = (
                    series["starting_time"].attrs["rate"],
                    series["data"][()].astype(float),
                )
                rest, plateau = (
                    np.median(current[round(a * rate) : round(b * rate)]) for a, b in windows
                )
                named = float(series.attrs["description"].split("pulse ~")[1].split("pA")[0])
                stimulus = stimulus_of(current, 1 / rate)
                assert stimulus.kind == "long square" and stimulus.duration == pytest.approx(
                    duration, abs=1e-3
                )
                assert stimulus.amplitude == pytest.approx(plateau - rest, abs=5 * PA)
                assert (stimulus.amplitude + stimulus.rest) / PA == pytest.approx(named, abs=8)


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        # A pulse 40 ms before a square is a part of it, one 60 ms before it is not.
        (square(-10, 0.45, 0.46) + square(100, 0.5, 1.5), ("long square", 100, 0.45, 1.05, 0)),
        (square(-10, 0.43, 0.44) + square(100, 0.5, 1.5), ("long square", 100, 0.5, 1.0, 0)),
        # A square five times as long as the other stands for the sweep, one four times as long does
        # not.
        (square(-40, 0.1, 0.2) + square(100, 0.5, 1.0), ("long square", 100, 0.5, 0.5, 0)),
        (square(-40, 0.1, 0.2) + square(100, 0.5, 0.9), ("steps", 100, 0.1, 0.8, 0)),
        # A line from 100 to 140 pA spans less than half of its largest deviation.
        (
            np.where((TIMES >= 0.5) & (TIMES < 1.5), (100 + 40 * (TIMES - 0.5)) * PA, 0.0),
            ("other", 139.996, 0.5, 1.0, 0),
        ),
    ],
)
def test_pauses_pulses_and_slopes_have_their_limits(current, expected):
    assert told(current) == expected


@pytest.mark.parametrize(("start", "stop"), [(0.5007, 1.5003), (0.5003, 1.5007), (0.5, 1.5)])
def test_edges_of_a_recorded_square_are_found_to_the_sample_inside_and_beside_their_bins(
    start, stop
):
    kind, _, begin, duration, _ = told(square(100, start, stop) + amplifier(4))
    assert (kind, begin, round(begin + duration, 6)) == ("long square", start, stop)


@pytest.mark.parametrize(("n_turns", "kind"), [(8, "other"), (9, "noise")])
def test_noise_turns_by_eight_steps(n_turns, kind):
    """Lines between points that lie above and below the rest by 20 to 100 pA."""
    heights = np.array([100, -20, 30, -90, 30, -20, 90, -90, 100])[:n_turns]
    current = np.interp(TIMES, np.linspace(0.2, 1.8, n_turns + 2), [0, *heights * PA, 0])
    assert told(current)[0] == kind


@pytest.mark.parametrize(("depth", "kind"), [(0.1, "other"), (0.5, "noise")])
def test_noise_turns_by_unlike_steps(depth, kind):
    """A sine whose amplitude is modulated: the coefficient of variation of its steps is the depth
    over the root of two."""
    modulated = 100 * PA * np.sin(2 * np.pi * 20 * TIMES) * (1 + depth * np.sin(2 * np.pi * TIMES))
    assert told(modulated)[0] == kind
