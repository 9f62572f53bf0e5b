"""Chunks, their sums, and a likelihood that depends on time, computed by hand."""

from __future__ import annotations

from dataclasses import replace

import jax
import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import FitError
from neurocode.inference.clamped import voltage_choice
from neurocode.inference.clamped.lanes import (
    Clamp,
    StaticCoordinates,
    _blocks,
    _spike_terms,
    _voltage_terms,
    continued,
    cut,
    mismatch,
    split,
    steps_since_spike,
)
from neurocode.inference.clamped.likelihood import Carry, ClampedLikelihood, _exclude_refractory
from neurocode.inference.clamped.passes import _add_voltage
from neurocode.inference.coordinates import Coordinates
from neurocode.inference.scores import _over
from neurocode.models import EscapeNoise, NeuronModel, Parameter
from neurocode.simulation.effect import spike_effect
from neurocode.simulation.step import NEVER

#: Hazard exp(slope*t - theta) in a step of 0.1 s, at the time at which the step begins.
DT = 0.1
DRIFTING = NeuronModel(
    name="drifting",
    equations="dv/dt = -v/tau : 1\nu = v + slope*t + I : 1\nI : 1",
    margin="u - theta",
    reset="v = 0",
    integrator="exponential_euler",
    noise=EscapeNoise("exponential", scale="scale", rate="rate"),
    parameters={
        "tau": Parameter.of("9 second", fixed=True),
        "scale": Parameter(1.0, fixed=True),
        "rate": Parameter.of("10 Hz", fixed=True),
        "theta": Parameter(1.0),
        "slope": Parameter.of("0.5 Hz"),
    },
)


def sweep(n, spikes, counted=None):
    flags = np.zeros(n, bool)
    flags[list(spikes)] = True
    return Clamp(np.arange(float(n)), flags, np.ones(n, bool) if counted is None else counted)


def by_hand(times, spikes):
    hazard = np.exp(0.5 * times - 1.0)
    return np.sum(np.log(1 - np.exp(-hazard[spikes]))) - np.sum(hazard) + np.sum(hazard[spikes])


@pytest.mark.parametrize("chunk_steps", [100, 4])
def test_a_likelihood_that_reads_the_time_is_its_hazards(chunk_steps):
    sweeps = [
        Clamp(np.zeros(n), sweep(n, spikes).spikes, np.ones(n, bool))
        for n, spikes in ((10, [2, 7]), (6, [0]))
    ]
    likelihood = ClampedLikelihood(DRIFTING, sweeps, DT, chunk_steps=chunk_steps, t_start=2.0)
    z = likelihood.coordinates.to_coordinates(DRIFTING.values)
    times = [2.0 + DT * np.arange(10), 2.0 + DT * np.arange(6)]
    expected = by_hand(times[0], [2, 7]) + by_hand(times[1], [0])
    assert likelihood.log_likelihood(z) == pytest.approx(expected, rel=1e-12)
    for probabilities, time in zip(likelihood.passes.spike_probabilities(z), times, strict=True):
        np.testing.assert_allclose(probabilities, 1 - np.exp(-np.exp(0.5 * time - 1.0)), rtol=1e-12)
    assert likelihood.n_spikes == 3 and likelihood.passes.n_voltages == 0
    result = likelihood.passes.derivatives(z, *likelihood.passes.first_start(z))
    gradient, information = np.zeros(2), np.zeros((2, 2))
    for time, spikes in zip(times, ([2, 7], [0]), strict=True):
        hazard = np.exp(0.5 * time - 1.0)
        flags = np.isin(np.arange(len(time)), spikes)
        score = np.where(flags, hazard * np.exp(-hazard) / (1 - np.exp(-hazard)), -hazard)
        # by theta (size 1) and by slope (size 0.5)
        design = np.stack([np.full(len(time), -1.0), 0.5 * time])
        gradient += design @ score
        information += (design * hazard**2 * np.exp(-hazard) / (1 - np.exp(-hazard))) @ design.T
    np.testing.assert_allclose(result.gradient, gradient, rtol=1e-9)
    np.testing.assert_allclose(result.information, information, rtol=1e-9)
    assert result.value == pytest.approx(expected, rel=1e-12)


def test_the_prior_is_normal_around_the_values_of_the_model():
    likelihood = ClampedLikelihood(DRIFTING, [sweep(10, [2])], DT, prior_width=0.5)
    free = ClampedLikelihood(DRIFTING, [sweep(10, [2])], DT)
    z = likelihood.coordinates.to_coordinates(DRIFTING.values) + np.array([1.0, -2.0])
    held, loose = (part.evaluate(z) for part in (likelihood, free))
    assert held.value - loose.value == pytest.approx(-0.5 * 4 * 5)
    np.testing.assert_allclose(held.gradient - loose.gradient, [-4.0, 8.0], rtol=1e-9)
    np.testing.assert_allclose(
        held.information - loose.information, 4 * np.eye(2), rtol=1e-9, atol=1e-9
    )
    assert likelihood.log_likelihood(z) == pytest.approx(free.log_likelihood(z), rel=1e-12)


def test_sweeps_are_cut_into_padded_columns_in_order():
    data = [
        sweep(5, [1, 4]),
        Clamp(
            np.array([9.0, 8.0]),
            np.array([True, False]),
            np.array([False, True]),
            np.array([0.1, np.nan]),
        ),
    ]
    with jax.enable_x64(True):
        lanes = cut(data, 3, DT, t_start=1.0)
    np.testing.assert_array_equal(lanes.current, np.array([[0, 1, 2], [3, 4, 4], [9, 8, 8]]).T)
    np.testing.assert_array_equal(lanes.spikes, np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0]]).T)
    np.testing.assert_array_equal(lanes.counted, np.array([[1, 1, 1], [1, 1, 0], [0, 1, 0]]).T)
    np.testing.assert_allclose(
        lanes.time, np.array([[1.0, 1.1, 1.2], [1.3, 1.4, 1.5], [1.0, 1.1, 1.2]]).T
    )
    np.testing.assert_array_equal(lanes.first, [True, False, True])
    np.testing.assert_array_equal(lanes.since, [NEVER, 2, NEVER])
    np.testing.assert_array_equal(lanes.voltage, np.array([[0.1, np.nan, np.nan]]).T)


def test_groups_are_filled_with_lanes_that_count_nothing():
    with jax.enable_x64(True):
        lanes = cut([sweep(9, [1])], 3, DT)
        groups = split(lanes, 2)
    assert [group.since.shape[0] for group in groups] == [2, 2]
    np.testing.assert_array_equal(groups[1].current[:, 0], [6, 7, 8])
    assert (
        not np.any(groups[1].counted[:, 1])
        and groups[1].first.tolist() == [False, True]
        and groups[0].first.tolist() == [True, False]
    )
    assert np.all(groups[0].counted) and len(split(lanes, 3)) == 3


def test_steps_since_the_last_spike_before():
    assert steps_since_spike(np.array([True, False, False, True, True])).tolist() == [
        NEVER,
        1,
        2,
        3,
        1,
    ]
    assert np.all(steps_since_spike(np.zeros(4, bool)) >= NEVER)


def test_terms_of_spikes_are_their_log_likelihood_score_and_information():
    """Log odds log 3 and 0 of two counted steps (p = 3/4 with a spike, 1/2 without) and one that
    does not count."""
    odds, slopes = (
        np.log([[3.0], [1.0], [5.0]]),
        np.array([[[2.0], [1.0], [7.0]], [[0.0], [-1.0], [7.0]]]),
    )
    spikes, counted = np.array([[True], [False], [True]]), np.array([[True], [True], [False]])
    with jax.enable_x64(True):
        value, gradient, information = _spike_terms(
            *map(jax.numpy.asarray, (odds, slopes, spikes, counted))
        )
    assert float(value) == pytest.approx(np.log(0.75) + np.log(0.5))
    np.testing.assert_allclose(gradient, [2 * 0.25 - 0.5, 0.5])
    np.testing.assert_allclose(information, [[4 * 3 / 16 + 0.25, -0.25], [-0.25, 0.25]])


def test_terms_of_voltages_are_sums_over_what_is_known():
    voltage, recorded = np.array([[1.0], [2.0], [3.0]]), np.array([[1.5], [np.nan], [2.0]])
    slopes = np.array([[[1.0], [9.0], [2.0]]])
    with jax.enable_x64(True):
        squares, slope, product = _voltage_terms(
            *map(jax.numpy.asarray, (voltage, slopes, recorded))
        )
    assert float(squares) == 1.25 and slope.tolist() == [0.5 - 2.0] and product.tolist() == [[5.0]]


def test_a_voltage_counts_by_its_profiled_gaussian():
    """Two residuals of mean square 1/8: -(log(2 pi/8) + 1), slopes and products over the
    variance."""
    spikes, voltage = (
        (3.0, np.array([1.0]), np.array([[2.0]])),
        (0.25, np.array([0.5]), np.array([[1.0]])),
    )
    value, gradient, information = _add_voltage(spikes, voltage, 2)
    assert value == pytest.approx(3.0 - (np.log(2 * np.pi / 8) + 1))
    assert gradient.tolist() == [1.0 + 0.5 * 8] and information.tolist() == [[2.0 + 8.0]]


def test_blocks_are_the_largest_divisor_of_the_steps():
    for n_steps, shape in (
        (250, (1, 250, 1)),
        (500, (2, 250, 1)),
        (510, (3, 170, 1)),
        (251, (251, 1, 1)),
        (6, (1, 6, 1)),
    ):
        assert _blocks(jax.numpy.zeros((n_steps, 1))).shape == shape
    np.testing.assert_array_equal(
        _blocks(jax.numpy.arange(1000.0).reshape(500, 2))[1, 0], [500, 501]
    )


def test_lanes_continue_their_predecessors():
    np.testing.assert_array_equal(
        continued(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])), [[0, 1, 2], [0, 4, 5]]
    )


def test_mismatch_is_relative_to_the_range_and_leaves_out_first_lanes():
    start, following = {"v": np.array([5.0, 1.0, 2.0])}, {"v": np.array([9.0, 1.0, 4.0])}
    assert mismatch(start, following, np.array([True, False, False])) == pytest.approx(2 / 9)
    assert mismatch(start, following, np.array([True, False, True])) == 0.0
    difference = mismatch(
        {**start, "w": np.array([0.0, 1.0, 0.0])},
        {**following, "w": np.array([0.0, 2.0, 0.0])},
        np.array([True, False, False]),
    )
    assert difference == pytest.approx(0.5)
    assert np.isnan(mismatch({"v": np.array([np.nan])}, {"v": np.array([1.0])}, np.array([False])))


def test_coordinates_are_equal_by_what_they_hold():
    first, second = (StaticCoordinates(Coordinates.of(DRIFTING)) for _ in range(2))
    other = StaticCoordinates(Coordinates.of(DRIFTING.with_parameters(theta=2.0)))
    assert (
        first == second
        and hash(first) == hash(second)
        and first != other
        and first != "coordinates"
    )


def test_refractory_steps_do_not_count_and_hold_no_spike():
    data = _exclude_refractory(sweep(8, [1, 4]), 3, DT)
    assert np.flatnonzero(data.counted).tolist() == [0, 1, 4, 7]
    assert np.all(_exclude_refractory(sweep(8, [1, 2]), 1, DT).counted)
    with pytest.raises(
        FitError,
        match=r"The spike at 0.4000 s follows its predecessor within the refractory "
        r"period of 400 ms",
    ):
        _exclude_refractory(sweep(8, [1, 4]), 4, DT)


def test_a_test_spike_that_the_model_forbids_has_no_bits():
    """Two spikes 200 ms apart under a refractory period of 300 ms: an error in training, likelihood
    zero in a test."""
    forbidding = replace(DRIFTING, refractory="0.3*second").with_fixed("theta", "slope")
    spikes = nc.Experiment(neo.SpikeTrain([1.05, 1.25], units="s", t_stop=3.0))
    with pytest.raises(
        FitError, match="follows its predecessor within the refractory period of 300 ms"
    ):
        ClampedLikelihood.of(forbidding, spikes, dt=DT)
    data = ClampedLikelihood.of_test(forbidding, spikes, dt=DT)
    assert data.log_likelihood(data.origin) == -np.inf == data.bits_per_spike(-np.inf, 1.0)
    assert (
        data.rescaled_intervals(data.origin).size == 0
        and "at 1.2000 s follows its predecessor" in data.impossible
    )
    assert _over(3.0, 2.0) == 1.5 and np.isnan(_over(3.0, 0.0))


def test_start_states_follow_a_step_along_their_sensitivities():
    carry = Carry({"v": np.array([1.0, 2.0])}, {"v": np.array([[10.0, 20.0]])})
    start, tangents = carry.moved(np.array([0.5]))
    assert (
        start["v"].tolist() == [6.0, 12.0]
        and tangents is carry.tangents
        and carry.moved(None)[0] is carry.start
    )


@pytest.mark.parametrize(
    ("states", "sensitivities", "settled"),
    [
        (1e-7, 1e-5, (True, True)),
        (1.1e-7, 0.0, (False, True)),
        (0.0, 1.1e-5, (False, True)),
        (1.1e-3, 0.0, (False, False)),
        (0.0, 1.1e-2, (False, False)),
        (np.nan, np.nan, (True, True)),
    ],
)
def test_a_pass_is_settled_where_chunks_agree(monkeypatch, states, sensitivities, settled):
    """Chunks must agree to 1e-7 of the range in states and 1e-5 in sensitivities; during the ascent
    to 1e-3 and 1e-2."""
    likelihood = ClampedLikelihood(DRIFTING, [sweep(10, [2, 7])], DT, chunk_steps=5)
    z = likelihood.origin
    exact = likelihood.passes.derivatives(z, *likelihood.passes.first_start(z))
    monkeypatch.setattr(
        likelihood.passes,
        "derivatives",
        lambda *_: replace(exact, mismatch=states, tangent_mismatch=sensitivities),
    )
    assert (likelihood.evaluate(z).settled, likelihood.evaluate(z, rough=True).settled) == settled


def test_the_effect_of_a_spike_is_its_threshold_jump_where_nothing_else_changes():
    """Reset to rest and no current after a spike: the margin falls by a_gamma exp(-t/tau), shown
    from the refractory period on."""
    model = nc.models.gif((50.0,)).with_parameters(V_r="-70 mV", a_eta_1=0.0, a_gamma_1="6 mV")
    times, effect = spike_effect(model, 1e-3, duration=0.1)
    np.testing.assert_allclose(times, np.arange(4, 100) * 1e-3, rtol=1e-9)
    np.testing.assert_allclose(effect, -6e-3 * np.exp(-times / 0.05), rtol=1e-9)
    doubled = spike_effect(model.with_parameters(a_gamma_1="12 mV"), 1e-3)[1]
    assert len(doubled) == 496 and doubled[0] == pytest.approx(2 * effect[0], rel=1e-9)


@pytest.mark.parametrize(("gain", "interval"), [(0.019, None), (0.021, 0.2), (-1.0, None)])
def test_the_voltage_is_used_from_a_fiftieth_of_a_bit_on(monkeypatch, gain, interval):
    """The first two thirds of each sweep are fitted, with C and E_L free where the voltage is; the
    last third is scored."""

    seen, bits = [], iter([2.0, 2.0 + gain])

    class Recorded:
        origin, rate = np.zeros(1), 1.0

        def __init__(self, candidate, clamps, step, *, prior_width=np.inf):
            seen.append(
                (
                    candidate.parameters["C"].fixed,
                    step,
                    [c.counted for c in clamps],
                    clamps[0].voltage is None,
                )
            )

        def require_training_data(self):
            pass

        def log_likelihood(self, z):
            return 0.0

        def bits_per_spike(self, log_likelihood, rate):
            return next(bits)

    monkeypatch.setattr(voltage_choice, "ClampedLikelihood", Recorded)
    monkeypatch.setattr(
        voltage_choice,
        "search",
        lambda *_: type("Ascent", (), {"point": type("Point", (), {"z": np.zeros(1)})})(),
    )
    train = neo.SpikeTrain([1.5, 2.5], units="s", t_stop=3.0)
    signals = [
        neo.AnalogSignal(np.zeros((30_000, 1)), units=unit, sampling_rate=10 * pq.kHz)
        for unit in ("pA", "mV")
    ]
    choice = voltage_choice.choose_voltage(nc.models.gif((50.0,)), nc.Experiment(train, *signals))
    assert choice.interval == interval and (choice.bits_spikes, choice.bits_voltage) == (
        2.0,
        2.0 + gain,
    )
    assert [entry[0] for entry in seen] == [True, True, False, False] and all(
        entry[1] == pytest.approx(4e-4) for entry in seen
    )
    assert [entry[3] for entry in seen] == [True, True, False, True]
    first_part, second_part = seen[0][2][0], seen[1][2][0]
    assert np.flatnonzero(first_part)[[0, -1]].tolist() == [1250, 4999] and np.flatnonzero(
        second_part
    )[[0, -1]].tolist() == [5000, 7499]
