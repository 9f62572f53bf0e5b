"""Couplings between cells with standard errors, and a verdict for each pair."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import eigh

from neurocode.inference.population.chunks import Chunks
from neurocode.inference.population.from_repeats import COUPLING_RIDGE, HISTORY_RIDGE
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.statistics.quadratic_forms import chi_square_sum_tail
from neurocode.statistics.surrogates import false_discovery_rate

Array = jax.Array

#: Share of false couplings among those that are reported (Benjamini & Hochberg 1995).
FALSE_DISCOVERY_RATE = 0.05
#: Columns of the table of couplings, before the verdict.
COLUMNS = ["sender", "receiver", "strength", "standard_error", "p_value"]
#: Time after a spike over which the strength of a coupling is summed, in milliseconds.
STRENGTH_MS = 20.0


def jump_information(
    likelihood: PopulationLikelihood,
    weights: Weights,
    drives: Array,
    chunks: Chunks,
    *,
    same_drive: bool,
) -> NDArray[np.float64]:
    """Return the Fisher information of the jumps of each cell.

    Let m be the margin in units of the noise, p(m) the probability of a spike, and x the traces of
    all cells. A bin adds ``w x x'`` with ``w = (dp/dm)^2 / (p (1 - p))``. Information about the
    drive is taken out: with ``same_drive`` that of a free value in each bin, which chunks (repeats
    of one stimulus) share, else that of a constant. The parameters of the neuron and of the front
    end are taken as known.

    Parameters
    ----------
    likelihood : PopulationLikelihood
    weights : dict
    drives : array (chunks, cells, bins)
    chunks : Chunks
    same_drive : bool

    Returns
    -------
    numpy.ndarray (cells, cells * traces, cells * traces)
    """
    n_chunks, n_cells, n_bins = chunks.spikes.shape
    margin_weights = jax.jit(_margin_weights, static_argnums=0)
    w = np.concatenate(
        [
            margin_weights(likelihood, weights, drives[n : n + 1], chunks.take(np.array([n])))
            for n in range(n_chunks)
        ]
    )
    traces = np.asarray(chunks.traces).reshape(n_chunks, -1, n_bins)
    return np.stack([_information(w[:, cell], traces, same_drive) for cell in range(n_cells)])


def _information(w: NDArray, traces: NDArray, same_drive: bool) -> NDArray[np.float64]:
    """Return the information of the jumps of one cell from its weights (chunks, bins) and all
    traces (chunks, senders * traces, bins)."""
    size, n_values = traces.shape[1], traces.shape[2] if same_drive else 1
    squares, weighted = np.zeros((size, size)), np.zeros((size, n_values))
    total = w.sum(axis=0, dtype=float) if same_drive else np.array([w.sum(dtype=float)])
    for weight, x in zip(w, traces, strict=True):
        # Products of one chunk are in single precision, for speed; they are summed in double.
        squares += np.asarray(_weighted_square(weight, x))
        weighted += weight * x if same_drive else (x @ weight)[:, None]
    known = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return squares - (weighted * known) @ weighted.T


@jax.jit
def _weighted_square(weight: Array, x: Array) -> Array:
    # XLA multiplies these shapes four times faster than NumPy.
    return (weight * x) @ x.T


def coupling_table(
    jumps: NDArray, information: NDArray, time_constants: Sequence[float], names: Sequence[str]
) -> pd.DataFrame:
    """Return one row per ordered pair of cells.

    Parameters
    ----------
    jumps : array (receivers, senders, traces)
    information : array (receivers, senders * traces, senders * traces)
    time_constants : sequence of float
        Of the traces in seconds.
    names : sequence of str

    Returns
    -------
    pandas.DataFrame
        ``sender``, ``receiver``; ``strength`` is the integral of the effect of a spike on the
        margin over the first 20 ms, in units of the noise times milliseconds, with
        ``standard_error``; ``p_value`` is that of the test that all jumps of the pair are zero;
        ``verdict`` is ``excitatory``, ``inhibitory`` (the sign of the strength) or ``none`` at a
        false discovery rate of 5 % over all pairs.

    Notes
    -----
    The jumps are estimates with a ridge penalty. Let ``I`` be the information, ``P`` the curvature
    of the penalty and ``C`` the inverse of ``I + P``; standard errors are those of ``C``, the
    covariance of jumps given the spikes if the penalty is a prior. The statistic of a pair is
    ``b' D b`` with its jumps ``b`` and the inverse ``D`` of its block of ``C``. If its true jumps
    are zero, the covariance of ``b`` is the block of ``C I C``, and the statistic is a sum of
    chi-square variables with weights below one (Gray 1992, J Am Stat Assoc 87:942): where the
    penalty outweighs the data, jumps vary less than ``C`` says.
    """
    n_cells, _, n_traces = jumps.shape
    ridge = np.where(np.eye(n_cells, dtype=bool), HISTORY_RIDGE, COUPLING_RIDGE)
    times = np.asarray(time_constants) * 1e3
    integral = times * -np.expm1(-STRENGTH_MS / times)
    rows = []
    for receiver in range(n_cells):
        penalty = np.diag(2 * np.repeat(ridge[receiver], n_traces))
        covariance = np.linalg.inv(information[receiver] + penalty)
        sampling = covariance @ information[receiver] @ covariance
        for sender in range(n_cells):
            if sender == receiver:
                continue
            part = slice(sender * n_traces, (sender + 1) * n_traces)
            block, pair = covariance[part, part], jumps[receiver, sender].astype(float)
            rows.append(
                {
                    "sender": names[sender],
                    "receiver": names[receiver],
                    "strength": float(integral @ pair),
                    "standard_error": float(np.sqrt(integral @ block @ integral)),
                    "p_value": _p_value(pair, block, sampling[part, part]),
                }
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    real = false_discovery_rate(table["p_value"].to_numpy(float)) <= FALSE_DISCOVERY_RATE
    sign = np.where(table["strength"] > 0, "excitatory", "inhibitory")
    return table.assign(verdict=np.where(real, sign, "none"))


def _p_value(pair: NDArray, covariance: NDArray, sampling: NDArray) -> float:
    """Return the probability of jumps of a pair at least as large if its true jumps are zero; one
    where the spikes say nothing about them, as those of a silent sender."""
    weights = eigh(sampling, covariance, eigvals_only=True)
    if not np.any(weights > 0):
        return 1.0
    return chi_square_sum_tail(float(pair @ np.linalg.solve(covariance, pair)), weights)


def coupled_pairs(table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float32]:
    """Return one for each pair with a verdict other than ``none`` and for each cell with itself,
    else zero, (receivers, senders, 1).

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"sender": ["a", "b"], "receiver": ["b", "a"], "verdict": ["none", "excitatory"]}
    ... )
    >>> coupled_pairs(table, ["a", "b"])[..., 0].tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    place = {name: number for number, name in enumerate(names)}
    allowed = np.eye(len(names), dtype=np.float32)
    pairs = zip(table["sender"], table["receiver"], table["verdict"], strict=True)
    for sender, receiver, verdict in pairs:
        if verdict != "none":
            allowed[place[receiver], place[sender]] = 1.0
    return allowed[..., None]


def no_couplings() -> pd.DataFrame:
    """Return the table of a population without couplings."""
    return pd.DataFrame(columns=[*COLUMNS, "verdict"])


def _margin_weights(
    likelihood: PopulationLikelihood, weights: Weights, drive: Array, chunks: Chunks
) -> Array:
    """Return the Fisher information of each bin about its margin in units of the noise."""

    def log_odds_of(shift: Array) -> Array:
        log_spike, log_none = likelihood.log_probabilities(weights, drive, chunks, shift)
        return log_spike - log_none

    zero = jnp.zeros(())
    log_odds, slope = jax.jvp(log_odds_of, (zero,), (jnp.ones(()),))
    return jax.nn.sigmoid(log_odds) * jax.nn.sigmoid(-log_odds) * slope**2 * chunks.counted[:, None]
