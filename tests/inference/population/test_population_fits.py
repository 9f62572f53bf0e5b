"""Fits of simulated populations: what was put in is found, and what was not is not."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, FitError, ModelError
from neurocode.inference.population import OvercoupledWarning, Schedule
from neurocode.inference.population.free_run import run_freely
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.neuron import PopulationNeuron
from neurocode.inference.population.temporal_basis import raised_cosines

DT = 2e-3
TIMES_MS = (5.0, 30.0)


def simulated(jumps: np.ndarray, drive: np.ndarray, seed: int) -> np.ndarray:
    """Return spikes (cells, bins, trials) of neurons whose drive is (trials, cells, bins)."""
    neuron = PopulationNeuron(nc.models.escape_lif(), tuple(t * 1e-3 for t in TIMES_MS), DT)
    n_cells = jumps.shape[0]
    likelihood = PopulationLikelihood(neuron, None, n_cells)
    start = likelihood.start()
    weights = {"neuron": start, "jumps": jumps.astype(np.float32)}
    return run_freely(
        likelihood, weights, jnp.asarray(drive, jnp.float32), jax.random.PRNGKey(seed)
    )


@pytest.fixture(scope="module")
def coupled() -> nc.PopulationExperiment:
    """Cell 0 excites cell 1, cell 1 inhibits cell 2; 10 pieces of 8 s."""
    jumps = np.zeros((3, 3, 2))
    jumps[1, 0, 0], jumps[2, 1, 1] = 1.5, -1.5
    spikes = simulated(jumps, np.full((10, 3, 4000), 3.2), seed=0)
    return nc.PopulationExperiment(list(np.moveaxis(spikes, 2, 0)), dt=DT)


@pytest.fixture(scope="module")
def population(coupled) -> nc.inference.population.FittedPopulation:
    with pytest.warns(OvercoupledWarning, match="any input that the cells share"):
        return nc.fit_population(
            nc.models.escape_lif(),
            coupled,
            front_end=None,
            coupling="likelihood",
            time_constants_ms=TIMES_MS,
            schedule=Schedule(updates=120, rate=0.08, chunks_per_update=10),
        )


def test_pairs_without_a_coupling_are_left_out_of_the_model(population) -> None:
    coupled = np.any(population.weights["jumps"] != 0, axis=2)
    place = dict(zip(population.names, range(3), strict=True))
    expected = np.eye(3, dtype=bool)
    for row in population.couplings.itertuples():
        expected[place[row.receiver], place[row.sender]] = row.verdict != "none"
    np.testing.assert_array_equal(coupled, expected)
    assert expected[1, 0] and expected[2, 1] and not expected.all()


def test_couplings_are_found_with_their_signs(population) -> None:
    verdicts = population.couplings.set_index(["sender", "receiver"])["verdict"]
    real = {("cell 0", "cell 1"): "excitatory", ("cell 1", "cell 2"): "inhibitory"}
    assert {pair: v for pair, v in verdicts.items() if v != "none"} == real


def test_strengths_lie_within_four_standard_errors(population) -> None:
    """Six pairs, false alarm 4e-4. True strengths: 1.5 x 5 ms (1 - e^-4), -1.5 x 30 ms (1 -
    e^(-2/3))."""
    table = population.couplings.set_index(["sender", "receiver"])
    truth = dict.fromkeys(table.index, 0.0)
    truth[("cell 0", "cell 1")] = 1.5 * 5 * -np.expm1(-4)
    truth[("cell 1", "cell 2")] = -1.5 * 30 * -np.expm1(-2 / 3)
    error = table["strength"] - np.array([truth[pair] for pair in table.index])
    assert np.all(np.abs(error) < 4 * table["standard_error"])
    assert np.all(table["standard_error"] < 4)


def test_a_fitted_population_fires_as_the_recorded_one(population, coupled) -> None:
    """About 1500 spikes per cell were recorded: 4 standard errors are 10 %, false alarm 2e-4."""
    spikes = population.simulate(n_bins=4000, trials=40, seed=3)
    rates = spikes[:, 200:].mean(axis=(1, 2)) / DT
    np.testing.assert_allclose(rates, coupled.rates, rtol=0.1)


def test_the_model_holds_history_and_values_of_every_cell(population) -> None:
    model = population.model
    assert model.margin == "(v) + x_1 + x_2"
    assert model.parameters["h_1"].value.shape == (3,)
    np.testing.assert_allclose(
        model.parameters["h_2"].value, population.weights["jumps"][range(3), range(3), 1], rtol=1e-6
    )
    assert list(population.parameters.columns) == ["tau (ms)", "v_r (1)"]


def test_the_same_seed_gives_the_same_spikes(population) -> None:
    first, second = (population.simulate(n_bins=300, trials=3, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.any(first != population.simulate(n_bins=300, trials=3, seed=6))


def test_a_shared_drive_is_no_coupling_for_repeats_but_is_one_for_likelihood() -> None:
    """Two cells without couplings and with one strong drive, the same in 20 repeats."""
    random = np.random.default_rng(0)
    slow = np.repeat(random.normal(size=100), 10)
    drive = np.broadcast_to(3.0 + 1.3 * slow, (20, 2, 1000))
    spikes = simulated(np.zeros((2, 2, 2)), drive, seed=1)
    data = nc.PopulationExperiment(list(np.moveaxis(spikes, 2, 0)), dt=DT, repeats=spikes)
    options = {
        "front_end": None,
        "time_constants_ms": TIMES_MS,
        "schedule": Schedule(updates=60, rate=0.08, chunks_per_update=20),
    }
    model = nc.models.escape_lif()
    by_repeats = nc.fit_population(model, data, coupling="repeats", **options)
    with pytest.warns(OvercoupledWarning):
        by_likelihood = nc.fit_population(model, data, coupling="likelihood", **options)
    assert by_repeats.couplings["verdict"].tolist() == ["none", "none"]
    assert by_likelihood.couplings["verdict"].tolist() == ["excitatory", "excitatory"]


def test_a_linear_filter_of_a_stimulus_is_recovered() -> None:
    """The drive is 3 plus one raised cosine of the lag, times 4, on the first of two features; the
    correlation of fitted and true drives is above 0.97."""
    frames = np.random.default_rng(4).normal(size=(12, 200, 2))
    kernel = np.concatenate([[0.0], 4 * raised_cosines(25, 6)[:, 2]])
    in_bins = np.repeat(frames[..., 0], 5, axis=1)
    drive = np.stack([3.0 + np.convolve(row, kernel)[None, :1000] for row in in_bins])
    spikes = simulated(np.zeros((1, 1, 2)), drive, seed=2)
    test = simulated(np.zeros((1, 1, 2)), np.broadcast_to(drive[:1], (12, 1, 1000)), seed=3)
    data = nc.PopulationExperiment(
        list(np.moveaxis(spikes, 2, 0)),
        list(frames + 3.0),
        dt=DT,
        bins_per_frame=5,
        test=test,
        test_stimulus=frames[0] + 3.0,
    )
    filters = nc.inference.population.SeparableFilters(1, 25, 6, 5, 0.0)
    fitted = nc.fit_population(
        nc.models.escape_lif(),
        data,
        front_end=nc.inference.population.LinearFrontEnd(filters),
        coupling="none",
        time_constants_ms=TIMES_MS,
        schedule=Schedule(updates=120, rate=0.08, chunks_per_update=12),
    )
    response = np.asarray(fitted._drive(frames[0] + 3.0, None))[0, 0]
    assert np.corrcoef(response, drive[0, 0])[0, 1] > 0.97
    assert len(fitted.couplings) == 0
    assert fitted.bits_per_spike["cell 0"] > 0.3
    # The mean of the stimulus, here 3, is taken from that of the test as from that of the training.
    evaluation = nc.evaluate_population(fitted, data, trials=48)
    assert evaluation.scores.rate_ratio[0] == pytest.approx(1.0, abs=0.15)
    assert evaluation.bits_per_spike["cell 0"] > 0.3


def test_what_cannot_be_fitted_is_refused(coupled) -> None:
    model = nc.models.escape_lif()
    with pytest.raises(FitError, match="use coupling='likelihood'"):
        nc.fit_population(model, coupled, front_end=None)
    with pytest.raises(FitError, match="no stimulus"):
        nc.fit_population(model, coupled)
    with pytest.raises(FitError, match="no coupling 'all'"):
        nc.fit_population(model, coupled, front_end=None, coupling="all")
    with pytest.raises(FitError, match="no front end 'lines'"):
        nc.fit_population(model, coupled, front_end="lines")
    two = model.with_parameters(tau=np.array([10.0, 20.0]))
    with pytest.raises(ModelError, match="has values for 2 neurons"):
        nc.fit_population(two, coupled, front_end=None, coupling="none")


def test_what_cannot_be_simulated_is_refused(population) -> None:
    with pytest.raises(DataError, match="duration in bins"):
        population.simulate(np.zeros((3, 2)))
    with pytest.raises(DataError, match="2 presentations for 3 trials"):
        population.simulate(n_bins=5, trials=3, presentations=[0, 1])


def test_a_population_is_scored_on_repeats_that_it_never_saw(population) -> None:
    """The test comes from the same neurons: free runs reach what one half of the recording reaches
    against the other, and bits per spike stay positive for the coupled cells."""
    jumps = np.zeros((3, 3, 2))
    jumps[1, 0, 0], jumps[2, 1, 1] = 1.5, -1.5
    test = simulated(jumps, np.full((40, 3, 2000), 3.2), seed=9)
    data = nc.PopulationExperiment(list(np.moveaxis(test, 2, 0)), dt=DT, test=test)
    evaluation = nc.evaluate_population(population, data, trials=80)
    assert evaluation.scores.n_repeats == 80 and evaluation.scores.runaways == 0
    table = evaluation.table
    assert table.loc["fano_error", "model"] < 2.5 * table.loc["fano_error", "recorded"]
    assert np.all(table["low_95"] <= table["model"])
    assert np.all(table["model"] <= table["high_95"])
    noise = table.loc["correlation_error_noise"]
    assert noise["model"] < 2.5 * noise["recorded"]
    # Log-likelihood of the truth over that of a constant: 0.02 to 0.1 bits per spike here.
    assert np.all(evaluation.bits_per_spike[1:] > 0)


def test_what_cannot_be_evaluated_is_refused(population, coupled) -> None:
    with pytest.raises(DataError, match="has no test repeats"):
        nc.evaluate_population(population, coupled)
    few = nc.PopulationExperiment(list(coupled.pieces), dt=DT, test=np.ones((3, 100, 5), dtype=int))
    with pytest.raises(DataError, match="hold 100 bins, expected more than 200"):
        nc.evaluate_population(population, few)
    three = nc.PopulationExperiment(list(coupled.pieces), dt=DT, test=np.ones((3, 300, 3)))
    with pytest.raises(DataError, match="has 3 repeats, expected 4 at least"):
        nc.evaluate_population(population, three)
