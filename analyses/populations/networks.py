"""Networks with planted couplings under a shared drive: what the fit finds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter
from sklearn.metrics import roc_auc_score

import neurocode as nc
from neurocode.inference.population import Schedule
from neurocode.inference.population.couplings import STRENGTH_MS
from neurocode.inference.population.free_run import run_freely
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.neuron import TIME_CONSTANTS_MS, PopulationNeuron

#: Bin in seconds, share of the ordered pairs that are coupled, and range of the jump of a coupling
#: in units of the noise, which decays with 6.8 ms; half of the cells excite, half inhibit.
BIN, CONNECTED, JUMPS = 2e-3, 0.1, (0.4, 1.2)
#: Jumps of a cell's own traces of 3.4 and 54 ms.
OWN_JUMPS = (-3.0, -0.3)
#: Mean drive in units of the noise, and the standard deviations of its shared and its private part;
#: both are Ornstein-Uhlenbeck processes.
DRIVE, SHARED, PRIVATE, CORRELATION_SECONDS = 2.6, 0.6, 0.5, 0.05
#: Lag up to which coincidences count for a cross-correlogram, in bins.
CORRELOGRAM_BINS = 10
#: Quantile of a two-sided 95 % interval.
TWO_SIDED = 1.959964


@dataclass(frozen=True)
class Network:
    """A planted network and its spikes.

    Attributes
    ----------
    jumps : numpy.ndarray (receivers, senders, traces)
        In units of the noise.
    spikes : numpy.ndarray (cells, bins, repeats)
        Repeats of one stimulus.
    """

    jumps: NDArray[np.float64]
    spikes: NDArray[np.float32]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.jumps.shape[0]


@cache
def _likelihood(n_cells: int) -> PopulationLikelihood:
    times = tuple(time * 1e-3 for time in TIME_CONSTANTS_MS)
    return PopulationLikelihood(PopulationNeuron(nc.models.escape_lif(), times, BIN), None, n_cells)


def plant(neurons: int, bins: int, repeats: int, seed: int) -> Network:
    """Return a network that ran freely under a drive that its repeats share."""
    random = np.random.default_rng(seed)
    jumps = _planted_jumps(neurons, random)
    shared = _ornstein_uhlenbeck(1, bins, random)
    drive = DRIVE + SHARED * shared + PRIVATE * _ornstein_uhlenbeck(neurons, bins, random)
    likelihood = _likelihood(neurons)
    weights = {"neuron": likelihood.start(), "jumps": jumps.astype(np.float32)}
    trials = jnp.asarray(np.repeat(drive[None], repeats, axis=0), jnp.float32)
    return Network(jumps, run_freely(likelihood, weights, trials, jax.random.PRNGKey(seed)))


def _planted_jumps(neurons: int, random: np.random.Generator) -> NDArray[np.float64]:
    jumps = np.zeros((neurons, neurons, len(TIME_CONSTANTS_MS)))
    connected = random.random((neurons, neurons)) < CONNECTED
    sign = np.where(random.permutation(neurons) < neurons // 2, 1, -1)
    jumps[..., TIME_CONSTANTS_MS.index(6.8)] = (
        connected * sign * random.uniform(*JUMPS, (neurons, neurons))
    )
    cells = np.arange(neurons)
    jumps[cells, cells] = 0.0
    for time, jump in zip((3.4, 54.0), OWN_JUMPS, strict=True):
        jumps[cells, cells, TIME_CONSTANTS_MS.index(time)] = jump
    return jumps


def _ornstein_uhlenbeck(count: int, bins: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return processes with unit variance that begin in their stationary distribution."""
    decay = np.exp(-BIN / CORRELATION_SECONDS)
    noise = np.sqrt(1 - decay**2) * random.normal(size=(count, bins))
    noise[:, 0] /= np.sqrt(1 - decay**2)
    return lfilter([1.0], [1.0, -decay], noise, axis=1)


def network_row(dataset: str, neurons: int, bins: int, repeats: int, seed: int) -> dict[str, float]:
    """Fit one planted network with all settings at their defaults, and compare with the truth."""
    network = plant(neurons, bins, repeats, seed)
    data = nc.PopulationExperiment(
        list(np.moveaxis(network.spikes, 2, 0)), dt=BIN, repeats=network.spikes
    )
    population = nc.fit_population(
        nc.models.escape_lif(),
        data,
        front_end=None,
        coupling="repeats",
        # the couplings come from the repeats; what is fitted afterwards does not change their table
        schedule=Schedule(updates=1),
        seed=seed,
    )
    return {
        "rate": float(network.spikes.mean() / BIN),
        **compared(population.couplings, population.names, network),
    }


def compared(table: pd.DataFrame, names: Sequence[str], network: Network) -> dict[str, float]:
    """Return how the table of couplings compares with the planted ones.

    Parameters
    ----------
    table : pandas.DataFrame
        Of the fit.
    names : sequence of str
        Of the cells.
    network : Network
    """
    place = {name: cell for cell, name in enumerate(names)}
    sender = table["sender"].map(place).to_numpy(int)
    receiver = table["receiver"].map(place).to_numpy(int)
    truth = strengths(network.jumps)[receiver, sender]
    error = (table["strength"].to_numpy(float) - truth) / table["standard_error"].to_numpy(float)
    is_coupled, is_found = truth != 0, (table["verdict"] != "none").to_numpy()
    inside = np.abs(error) <= TWO_SIDED
    found = int(is_found.sum())
    right_sign = np.where(truth > 0, "excitatory", "inhibitory") == table["verdict"].to_numpy()
    return {
        "pairs": len(table),
        "coupled": int(is_coupled.sum()),
        "found": found,
        "false": int((is_found & ~is_coupled).sum()),
        "wrong_sign": int((is_found & is_coupled & ~right_sign).sum()),
        "false_share": float((is_found & ~is_coupled).sum() / max(found, 1)),
        "coverage": float(inside.mean()),
        "coverage_coupled": float(inside[is_coupled].mean()) if is_coupled.any() else np.nan,
        "bias_uncoupled": float(error[~is_coupled].mean()),
        "area": area_under_curve(is_coupled, -table["p_value"].to_numpy(float)),
        "area_correlogram": area_under_curve(
            is_coupled, correlogram_scores(network.spikes)[receiver, sender]
        ),
    }


def strengths(jumps: NDArray) -> NDArray[np.float64]:
    """Return the integral of the planted effects over 20 ms, (receivers, senders), in units of the
    noise times milliseconds."""
    times = np.asarray(TIME_CONSTANTS_MS)
    return jumps @ (times * -np.expm1(-STRENGTH_MS / times))


def area_under_curve(is_coupled: NDArray, score: NDArray) -> float:
    """Return the area under the ROC curve of existing couplings; NaN where all pairs or none are
    coupled."""
    if is_coupled.all() or not is_coupled.any():
        return float("nan")
    return float(roc_auc_score(is_coupled, score))


def correlogram_scores(spikes: NDArray) -> NDArray[np.float64]:
    """Return how far the coincidences of each pair lie from those of different repeats,
    (receivers, senders), in standard deviations of a Poisson count.

    A coincidence is a spike of the receiver within the ten bins after one of the sender.
    """
    before = np.zeros(spikes.shape)
    for lag in range(1, CORRELOGRAM_BINS + 1):
        before[:, lag:] += spikes[:, :-lag]
    n_cells, n_repeats = spikes.shape[0], spikes.shape[2]
    same = spikes.reshape(n_cells, -1) @ before.reshape(n_cells, -1).T
    all_pairs = spikes.sum(axis=2, dtype=float) @ before.sum(axis=2, dtype=float).T
    expected = (all_pairs - same) / (n_repeats - 1)
    return np.abs(same - expected) / np.sqrt(np.maximum(expected, 1.0))
