"""Free runs of a population in Brian2 and in JAX: the same timing, and the same statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode.errors import FitError
from neurocode.inference.population import FittedPopulation
from neurocode.inference.population.couplings import no_couplings
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.neuron import PopulationNeuron
from neurocode.statistics.population_scores import fano_of_repeats, noise_covariances

DT, N_BINS, TRIALS = 2e-3, 1000, 40


def population_of(model, jumps: np.ndarray, offset: list[float]) -> FittedPopulation:
    """Return a population with traces of 5 and 30 ms and no front end."""
    n_cells = jumps.shape[0]
    neuron = PopulationNeuron(model, (5e-3, 30e-3), DT)
    likelihood = PopulationLikelihood(neuron, None, n_cells)
    coordinates = likelihood.start()
    coordinates[:, 0] += 0.2 * np.arange(n_cells)
    return FittedPopulation(
        likelihood=likelihood,
        weights={
            "offset": np.array(offset, np.float32),
            "drift": np.zeros((n_cells, 2), np.float32),
            "neuron": coordinates,
            "jumps": jumps.astype(np.float32),
        },
        names=tuple("abc"[:n_cells]),
        couplings=no_couplings(),
        bits_per_spike=pd.Series(np.zeros(n_cells)),
        coupling="likelihood",
        stimulus_mean=np.zeros(0, np.float32),
        bins_per_frame=1,
    )


@pytest.mark.parametrize("engine", ["jax", "brian2"])
def test_a_strong_coupling_makes_a_spike_in_the_next_bin(engine) -> None:
    """The receiver never spikes by itself: its rate without coupling is exp(-20) Hz."""
    jumps = np.zeros((2, 2, 2))
    jumps[1, 0, 0], jumps[1, 1, 0] = 60.0, -90.0
    model = nc.models.escape_lif()
    spikes = population_of(model, jumps, [2.0, -20.0]).simulate(
        n_bins=N_BINS, trials=4, engine=engine
    )
    sent, received = spikes
    first = [(np.flatnonzero(sent[:, k])[0], np.flatnonzero(received[:, k])[0]) for k in range(4)]
    assert [after - before for before, after in first] == [1, 1, 1, 1]


def statistics_of(population: FittedPopulation, engine: str) -> dict[str, np.ndarray]:
    """Return rates, Fano factors of 50 ms and noise correlations, with standard errors of each from
    ten groups of trials."""
    spikes = population.simulate(n_bins=N_BINS, trials=TRIALS * 4, engine=engine, seed=5)
    groups = np.split(spikes, 10, axis=2)
    values = np.array(
        [
            np.concatenate(
                [
                    group.mean(axis=(1, 2)) / DT,
                    fano_of_repeats(group),
                    noise_covariances(group)[1],
                ]
            )
            for group in groups
        ]
    )
    return {"mean": values.mean(axis=0), "error": values.std(axis=0, ddof=1) / np.sqrt(10)}


@pytest.mark.parametrize("units", ["without units", "in volts"])
def test_statistics_agree_between_engines(units) -> None:
    """Nine numbers in units of their standard errors (t with about 18 degrees of freedom): 4.5 is
    exceeded in 3 of 1000 tests."""
    jumps = np.zeros((3, 3, 2))
    jumps[1, 0, 0], jumps[2, 0, 1], jumps[0, 0, 1] = 1.5, -1.0, -1.0
    model = nc.models.escape_lif() if units == "without units" else nc.models.gif()
    offset = [4.0, 3.0, 3.5] if units == "without units" else [8.0, 7.5, 7.0]
    population = population_of(model, jumps, offset)
    jax_run, brian_run = (statistics_of(population, engine) for engine in ("jax", "brian2"))
    distance = (jax_run["mean"] - brian_run["mean"]) / np.hypot(
        jax_run["error"], brian_run["error"]
    )
    assert np.all(np.abs(distance) < 4.5), distance
    # coupled cells: the first correlates with the second positively, with the third negatively
    assert jax_run["mean"][6] > 0.02 > -0.02 > jax_run["mean"][7]
    assert np.all(jax_run["mean"][:3] > 2)


def test_an_unknown_engine_is_refused() -> None:
    population = population_of(nc.models.escape_lif(), np.zeros((1, 1, 2)), [3.0])
    with pytest.raises(FitError, match="no engine 'nest'; known are jax, brian2"):
        population.simulate(n_bins=10, engine="nest")
