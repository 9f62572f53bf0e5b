"""The parts of a fitted population, each against numbers worked by hand or plain loops."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.inference.population import LinearFrontEnd, SeparableFilters, SubunitFrontEnd
from neurocode.inference.population.blocked_filter import filter_frames
from neurocode.inference.population.chunks import Chunks, cut_pieces
from neurocode.inference.population.free_run import run_freely
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.neuron import PopulationNeuron
from neurocode.inference.population.temporal_basis import framewise, raised_cosines
from neurocode.inference.population.time_front_end import TimeFrontEnd
from neurocode.inference.population.traces import spike_traces
from neurocode.simulation.step import step_function
from neurocode.statistics.surrogates import false_discovery_rate

DT = 2e-3
TIMES = (4e-3, 20e-3)


@pytest.fixture(scope="module")
def likelihood() -> PopulationLikelihood:
    neuron = PopulationNeuron(nc.models.escape_lif(), TIMES, DT)
    return PopulationLikelihood(neuron, None, 3)


@pytest.fixture(scope="module")
def weights() -> dict:
    random = np.random.default_rng(1)
    jumps = random.normal(scale=0.4, size=(3, 3, 2)).astype(np.float32)
    return {
        "offset": np.array([3.0, 2.5, 3.5], np.float32),
        "drift": np.array([[0.3, -0.2], [0.0, 0.0], [-0.5, 0.1]], np.float32),
        "neuron": np.array([[-0.5, -2.0], [0.0, 0.0], [0.5, 1.0]], np.float32),  # tau, v_r
        "jumps": jumps,
    }


def chunks_of(likelihood: PopulationLikelihood, spikes: np.ndarray, presentation: float) -> Chunks:
    return cut_pieces(
        [spikes],
        None,
        np.array([presentation]),
        decays=likelihood.neuron.decays,
        n_bins=spikes.shape[1],
        context_frames=0,
        bins_per_frame=1,
        unsettled_bins=100,
    )


def test_traces_of_two_spikes_by_hand() -> None:
    traces = spike_traces(np.array([[0, 1, 1, 0, 0]]), np.array([0.5, 0.1]))
    np.testing.assert_allclose(traces[0, 0], [0, 0, 0.5, 0.75, 0.375])
    np.testing.assert_allclose(traces[0, 1], [0, 0, 0.1, 0.11, 0.011], rtol=1e-6)


def test_traces_decay_as_the_integrator_of_the_model_says(likelihood) -> None:
    np.testing.assert_allclose(likelihood.neuron.decays, np.exp(-DT / np.array(TIMES)), rtol=1e-6)
    euler = nc.models.gif()
    neuron = PopulationNeuron(euler, TIMES, 1e-4)
    assert euler.integrator == "exponential_euler" or not np.allclose(
        neuron.decays, np.exp(-1e-4 / np.array(TIMES)), rtol=1e-9
    )


@pytest.mark.parametrize("bins_per_frame", [1, 3])
def test_filtered_frames_equal_a_convolution_in_bins(bins_per_frame) -> None:
    random = np.random.default_rng(0)
    functions = raised_cosines(10, 4)
    combined = random.normal(size=4)
    kernels = framewise(functions, bins_per_frame) @ combined
    frames = random.normal(size=47)
    context = kernels.shape[0] - 1
    padded = np.pad(frames, (context, 0))
    response = filter_frames(jnp.asarray(padded)[None, None], jnp.asarray(kernels)[None])[0]
    in_bins = np.repeat(frames, bins_per_frame)
    by_lag = np.concatenate([[0.0], functions @ combined])
    expected = np.convolve(in_bins, by_lag)[: len(in_bins)]
    np.testing.assert_allclose(response.reshape(-1), expected, atol=1e-5)


def test_a_rank_adds_up() -> None:
    random = np.random.default_rng(0)
    signals, kernels = random.normal(size=(2, 1, 30)), random.normal(size=(2, 4, 5))
    both = filter_frames(jnp.asarray(signals), jnp.asarray(kernels))
    single = [filter_frames(jnp.asarray(signals[[r]]), jnp.asarray(kernels[[r]])) for r in (0, 1)]
    np.testing.assert_allclose(both, single[0] + single[1], atol=1e-5)


def test_subunits_and_their_gain_equal_a_loop_over_frames() -> None:
    filters = SeparableFilters(1, 6, 3, 2, 0.0)
    front_end = SubunitFrontEnd(filters, 2, 5e-3)
    random = np.random.default_rng(3)
    weights = front_end.initial(jax.random.PRNGKey(0), 1, 4)
    weights |= {
        "space": jnp.asarray(random.normal(size=(1, 2, 1, 4)), jnp.float32),
        "offset": jnp.asarray([[0.3, -0.2]]),
        "weight": jnp.asarray([[1.0, -0.7]]),
        "log_gain": jnp.asarray([[0.2, 0.5]]),
        "log_gain_time": jnp.log(jnp.asarray([0.03])),
    }
    context, n_frames = front_end.context_frames, 12
    frames = random.normal(size=(1, context + n_frames, 4)).astype(np.float32)
    drive = np.asarray(front_end.drive(weights, jnp.asarray(frames)))[0, 0].reshape(n_frames, 2)
    linear = np.asarray(filters.responses(weights, jnp.asarray(frames)))[0, :, 0]
    active = np.log1p(np.exp(4 * (linear + np.array([0.3, -0.2])[:, None, None]))) / 4
    pool, expected, decay = 0.0, [], np.exp(-0.01 / 0.03)
    for m in range(active.shape[1]):
        expected.append((active[0, m] - 0.7 * active[1, m]) / (1 + pool))
        target = np.exp(0.2) * active[0, m].mean() + np.exp(0.5) * active[1, m].mean()
        pool = decay * pool + (1 - decay) * target
    np.testing.assert_allclose(drive, np.array(expected)[-n_frames:], rtol=2e-5)


def test_log_likelihood_equals_a_loop_over_bins(likelihood, weights) -> None:
    """The membrane, its reset, history, couplings and drift, written once more in plain numbers."""
    random = np.random.default_rng(5)
    spikes = (random.random((3, 1440)) < 0.05).astype(np.float32)
    chunks = chunks_of(likelihood, spikes, 0.5)
    result = np.asarray(likelihood.log_likelihood(weights, chunks))
    values = {k: np.asarray(v) for k, v in likelihood.values(weights).items()}
    decay, fades = np.exp(-DT / values["tau"]), np.exp(-DT / np.array(TIMES))
    current = weights["offset"] + weights["drift"] @ [0.5, 0.25]
    v, x, expected = np.full(3, current), np.zeros((3, 2)), np.zeros(3)
    for bin_number, fired in enumerate(spikes.T > 0):
        x = x * fades
        v = decay * v + (1 - decay) * current
        hazard = DT * np.exp(v + np.einsum("csk,sk->c", weights["jumps"], x))
        if bin_number >= 100:
            expected += np.where(fired, np.log(-np.expm1(-hazard)), -hazard)
        v = np.where(fired, values["v_r"], v)
        x = x + fired[:, None]
    np.testing.assert_allclose(result, expected, rtol=2e-5)


def test_the_equations_that_are_shown_are_those_that_were_fitted(likelihood, weights) -> None:
    """A cell with its own history, stepped by the text with traces, has the same probabilities."""
    alone = {**weights, "jumps": weights["jumps"] * np.eye(3)[..., None]}
    spikes = (np.random.default_rng(2).random((3, 720)) < 0.05).astype(np.float32)
    chunks = chunks_of(likelihood, spikes, 0.0)
    log_spike, _ = likelihood.log_probabilities(alone, likelihood.drive(alone, chunks), chunks)
    neuron = likelihood.neuron
    step = step_function(neuron.model, DT)
    values = {**neuron.model.values, **likelihood.values(alone)}
    values |= {f"h_{k + 1}": alone["jumps"][np.arange(3), np.arange(3), k] for k in (0, 1)}
    state, margins = step.initial_state(values, (3,)), []
    for fired in spikes.T:
        state, output = step(state, jnp.asarray(alone["offset"]), values, spikes=fired > 0)
        margins.append(output.margin)
    expected = neuron.noise.log_probabilities(jnp.stack(margins, 1), values, DT)[0]
    # Where the membrane started is forgotten after some spikes.
    np.testing.assert_allclose(log_spike[0, :, 400:], expected[:, 400:], atol=1e-4)


def test_a_free_run_fires_as_often_as_its_rate_says(likelihood, weights) -> None:
    """With the reset at the drive nothing depends on the past: four standard errors of a binomial,
    three cells, false alarm 2e-4."""
    offset = np.array([3.0, 2.0, 4.0], np.float32)
    unreset = {
        "neuron": np.stack([weights["neuron"][:, 0], offset], axis=1),
        "jumps": np.zeros((3, 3, 2), np.float32),
    }
    drive = jnp.broadcast_to(offset[:, None], (50, 3, 2000))
    spikes = run_freely(likelihood, unreset, drive, jax.random.PRNGKey(0))[:, 200:]
    expected = -np.expm1(-np.exp(offset) * DT)
    error = np.sqrt(expected * (1 - expected) / spikes[0].size)
    assert np.all(np.abs(spikes.mean(axis=(1, 2)) - expected) < 4 * error)


def test_a_coupling_acts_in_the_bin_after_a_spike_and_not_before(likelihood, weights) -> None:
    """Cell 0 makes cell 1 fire in the next bin; the probability then is 1 - exp(-e^(offset + jump
    e^(-dt/tau)) dt) = 0.9999."""
    offset = np.array([3.0, -20.0, -20.0], np.float32)
    coupled = {
        "neuron": np.stack([weights["neuron"][:, 0], offset], axis=1),
        "jumps": np.zeros((3, 3, 2), np.float32),
    }
    coupled["jumps"][1, 0, 0] = (np.log(10 / DT) + 20) / np.exp(-DT / TIMES[0])
    drive = jnp.broadcast_to(offset[:, None], (20, 3, 500))
    spikes = run_freely(likelihood, coupled, drive, jax.random.PRNGKey(1))
    before, after = spikes[0, 200:-1] > 0, spikes[1, 201:] > 0
    assert before.sum() > 100
    assert np.all(after[before])
    assert spikes[2].sum() == 0


def test_a_model_without_escape_noise_is_refused() -> None:
    with pytest.raises(ModelError, match="escape noise"):
        PopulationNeuron(nc.models.lif(), TIMES, DT)
    with pytest.raises(ModelError, match="positive and distinct"):
        PopulationNeuron(nc.models.escape_lif(), (1e-3, 1e-3), DT)


def test_a_drive_in_units_of_the_noise_moves_a_neuron_with_units_alike() -> None:
    """The input of GIF that moves its margin by one scale of the noise is scale times leak."""
    model = nc.models.gif()
    neuron = PopulationNeuron(model, TIMES, 1e-4)
    values = model.values
    assert neuron.input_scale == pytest.approx(values["Delta_V"] * values["g_L"], rel=1e-6)
    assert "dx_2/dt = -x_2/tau_x_2 : volt" in neuron.model.equations


def test_rates_become_drives() -> None:
    neuron = PopulationNeuron(nc.models.escape_lif(), TIMES, DT)
    drives = neuron.drive_of_rate(np.array([5.0, 50.0]))
    np.testing.assert_allclose(-np.expm1(-np.exp(drives) * DT) / DT, [5.0, 50.0], rtol=1e-3)


def test_benjamini_and_hochberg_by_hand() -> None:
    """0.03 exceeds its own bound of 0.025, but 0.035 is below 0.0375, so that both are rejected."""
    assert (false_discovery_rate([0.9, 0.03, 0.035, 0.01]) <= 0.05).tolist() == [
        False,
        True,
        True,
        True,
    ]
    assert not np.any(false_discovery_rate([0.2, 0.9]) <= 0.05)


def test_the_penalty_of_a_linear_front_end_by_hand() -> None:
    front_end = LinearFrontEnd(SeparableFilters(1, 4, 2, 1, 10.0))
    weights = {"space": jnp.asarray([[[1.0, 3.0]]]), "time": jnp.asarray([[[2.0, 0.0]]])}
    assert front_end.penalty(weights).tolist() == [10.0 * 4 + 10 + 4]


def test_spikes_in_a_refractory_period_are_counted() -> None:
    """With a period of 6 ms a neuron cannot fire in the two bins of 2 ms after a spike, as in
    Brian2: spikes 1 and 2 bins after one do not count, a spike 3 bins after one does."""
    model = nc.models.gif().with_parameters(t_ref="6 ms")
    likelihood = PopulationLikelihood(PopulationNeuron(model, TIMES, DT), None, 1)
    spikes = np.zeros((1, 720), np.float32)
    spikes[0, [300, 301, 400, 402, 500, 503]] = 1
    weights = {
        "offset": np.zeros(1, np.float32),
        "drift": np.zeros((1, 2), np.float32),
        "neuron": likelihood.start(),
    }
    chunks = chunks_of(likelihood, spikes, 0.0)
    assert likelihood.refractory_spikes(weights, chunks).tolist() == [2.0]


def test_a_model_that_reads_the_time_is_refused() -> None:
    model = nc.models.NeuronModel(
        name="clock",
        equations="dv/dt = (I*sin(t/second) - v)/tau : 1\nI : 1",
        margin="v",
        reset="v = 0",
        parameters=nc.models.escape_lif().parameters,
        noise=nc.models.escape_lif().noise,
    )
    with pytest.raises(ModelError, match="reads the time"):
        PopulationNeuron(model, TIMES, DT)


def test_pieces_that_are_too_short_are_refused(likelihood) -> None:
    with pytest.raises(DataError, match="longer than 100 bins"):
        chunks_of(likelihood, np.ones((3, 100), np.float32), 0.0)


def test_a_free_function_of_time_is_linear_between_knots() -> None:
    front_end = TimeFrontEnd(n_bins=10)
    assert front_end.n_knots == 6
    knots = np.array([[0.0, 1.0, 4.0, 2.0, 0.0, 0.0]], np.float32)  # at -2, -1.2, -0.4, 0.4, 1.2, 2
    times = np.array([[[-1.2], [-0.8], [0.0], [0.4], [3.0]]], np.float32)
    drive = np.asarray(front_end.drive({"knots": knots}, times))
    np.testing.assert_allclose(drive, [[[1.0, 2.5, 3.0, 2.0, 0.0]]], atol=1e-5)
    penalty = np.asarray(front_end.penalty({"knots": knots}))
    np.testing.assert_allclose(penalty, [0.1 * (1 + 9 + 4 + 4)], rtol=1e-6)
