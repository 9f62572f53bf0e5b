"""Fit a population that was recorded together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurocode.errors import FitError
from neurocode.inference.options import whole_number
from neurocode.inference.population.chunks import Chunks, chunk_bins
from neurocode.inference.population.climb import CellLosses, Climb, Schedule, Tell
from neurocode.inference.population.couplings import (
    coupled_pairs,
    coupling_table,
    jump_information,
    no_couplings,
)
from neurocode.inference.population.evaluation import bits_per_spike
from neurocode.inference.population.from_repeats import (
    RepeatsFit,
    jumps_penalty,
)
from neurocode.inference.population.front_end import FrontEnd, Weights
from neurocode.inference.population.likelihood import (
    LANE_BINS,
    PopulationLikelihood,
    summed_over,
)
from neurocode.inference.population.linear_front_end import LinearFrontEnd, SeparableFilters
from neurocode.inference.population.neuron import TIME_CONSTANTS_MS, PopulationNeuron
from neurocode.inference.population.refinement import (
    LEAST_MEASURED_BINS,
    can_be_measured,
    refine,
)
from neurocode.inference.population.result import FittedPopulation
from neurocode.inference.population.subunit_front_end import SubunitFrontEnd
from neurocode.inference.population.taming import notes_of, tame
from neurocode.inference.population.time_front_end import TimeFrontEnd
from neurocode.inference.population.windows import windows_of
from neurocode.models.model import NeuronModel
from neurocode.recordings.population import PopulationExperiment, PopulationRepeats

Array = jax.Array

COUPLINGS = ("repeats", "likelihood", "none")
MEASURES = ("auto", "repeats", "none")
FRONT_ENDS = ("subunits", "linear", "time")
#: Longest lag of a filter of the stimulus in seconds, number of raised cosines, rank, subunits per
#: cell and smoothness over neighbouring features, all chosen on held-out pieces of training.
FILTER_SECONDS, N_FUNCTIONS, RANK, N_SUBUNITS, SMOOTHNESS = 0.4, 12, 2, 8, 20.0
#: Bins at the start of a chunk that do not count.
UNSETTLED_SECONDS = 0.15
#: Updates of the second fit to repeats, of the couplings that the first one found.
AGAIN_REPEATS = 120


class OvercoupledWarning(UserWarning):
    """Couplings by likelihood take what the stimulus does to two cells alike for a coupling."""


def fit_population(
    model: NeuronModel,
    data: PopulationExperiment,
    *,
    front_end: str | FrontEnd | None = "subunits",
    coupling: str = "repeats",
    measure: str = "auto",
    time_constants_ms: Sequence[float] = TIME_CONSTANTS_MS,
    schedule: Schedule | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> FittedPopulation:
    """Fit one neuron per cell, its history, couplings between cells, and what drives them.

    Given the recorded spikes the cells are independent, so that all are fitted at once. History and
    couplings are sums of exponentials that are added to the margin of the neuron. Pairs whose
    coupling is not significant are then left out and the others are fitted again: hundreds of
    couplings that are noise make free runs run away. The table of couplings, with its standard
    errors, is that of all pairs.

    If free runs on the training still run away, all couplings are multiplied by 0.8 until none
    does, and a note of the result says so.

    Parameters
    ----------
    model : NeuronModel
        With one input and escape noise, for example ``nc.models.escape_lif()``. Its free parameters
        are fitted for each cell.
    data : PopulationExperiment
        Its test repeats are not used.
    front_end : {"subunits", "linear", "time"}, FrontEnd, or None
        What turns the stimulus into the drive; None for a recording without a stimulus. ``"time"``
        is a free function of the only feature, which is time from -1 to 1 as
        :func:`neurocode.recordings.population_of_trains` makes it for repeats.
    coupling : {"repeats", "likelihood", "none"}
        ``"repeats"`` fits neurons, history and couplings to repeats of one stimulus with a free
        drive, then the front end with all of these held (Mahuas et al. 2020): fitted again, the
        neurons would make up for what the front end leaves out, with weaker recovery from spikes.
        ``"likelihood"`` fits all at once, which makes noise correlations too large where the
        stimulus is not modelled well.
        ``"none"`` fits a history, but no couplings.
    measure : {"auto", "repeats", "none"}
        ``"repeats"`` then adjusts the gain of the front end, a constant drive and the scale of the
        couplings until free runs on the stimuli of the training have the Fano factors and noise
        correlations of the repeats, at a small cost in likelihood (sample and measure, Bellec &
        Wang 2021). ``"auto"`` does so if couplings come from repeats and there is a front end.
    time_constants_ms : sequence of float
        Of the exponentials.
    schedule : Schedule, optional
        Number of updates, learning rate and chunks per update.
    seed : int
    tell : callable, optional
        Called with the number of the update and the number of updates.

    Returns
    -------
    FittedPopulation

    Raises
    ------
    FitError
        For an unknown front end, coupling or measure, a front end without a stimulus, or
        ``coupling="repeats"`` or ``measure="repeats"`` without repeats.
    ModelError
        If the model has no escape noise, several inputs, or is not excited by its input.

    Examples
    --------
    >>> import neurocode as nc
    >>> rng = np.random.default_rng(0)
    >>> data = nc.PopulationExperiment(rng.random((2, 8000)) < 0.02, dt=2e-3)
    >>> population = nc.fit_population(
    ...     nc.models.escape_lif(),
    ...     data,
    ...     front_end=None,
    ...     coupling="none",
    ...     schedule=nc.inference.population.Schedule(updates=3),
    ... )
    >>> population.simulate(n_bins=500, trials=4).shape
    (2, 500, 4)
    """
    seed = whole_number(seed, "The seed")
    chosen = _front_end(front_end, data)
    if coupling not in COUPLINGS:
        raise FitError(f"There is no coupling '{coupling}'; known are {', '.join(COUPLINGS)}.")
    repeats = _repeats_of(data) if coupling == "repeats" else None
    measured = _measured(measure, coupling, chosen, data)
    notes = _notes(data, coupling)
    neuron = PopulationNeuron(model, tuple(t * 1e-3 for t in time_constants_ms), data.dt)
    likelihood = PopulationLikelihood(neuron, chosen, data.n_cells)
    weights = _start(likelihood, data, seed)
    table = no_couplings()
    if repeats is not None:
        from_repeats, table = _fit_repeats(likelihood, repeats, weights, data.names, seed, tell)
        weights |= {name: from_repeats[name] for name in ("neuron", "jumps")}
    chunks, schedule = _chunks(likelihood, data), schedule or Schedule()
    climb = partial(_climb, Climb(_losses(likelihood, chunks), chunks), seed=seed, tell=tell)
    if coupling == "likelihood":
        weights = climb(weights, np.ones_like(weights["jumps"][..., :1]), schedule)
        table = _couplings_of_likelihood(likelihood, weights, chunks, data.names)
        again = replace(schedule, updates=-(-schedule.updates // 2))
        weights = climb(weights, coupled_pairs(table, data.names), again)
    else:
        history = np.eye(data.n_cells, dtype=np.float32)[..., None]
        weights = climb(weights, None if coupling == "repeats" else history, schedule)
    if coupling != "none" or measured is not None:
        windows = windows_of(likelihood, weights, chunks)
        if coupling != "none":
            weights, windows, factor = tame(likelihood, weights, windows, seed)
            notes += notes_of(factor)
        if measured is not None:
            # free runs that run away say nothing about what to adjust
            weights = refine(likelihood, weights, windows, measured, seed)
    return FittedPopulation(
        likelihood=likelihood,
        weights=jax.tree.map(np.asarray, weights),
        names=data.names,
        couplings=table,
        bits_per_spike=bits_per_spike(
            summed_over(likelihood.log_likelihood, weights, chunks),
            chunks.n_spikes,
            float(np.sum(chunks.counted)),
            data.names,
        ),
        coupling=coupling,
        stimulus_mean=data.stimulus_mean,
        bins_per_frame=data.bins_per_frame,
        notes=notes + _refractory_notes(likelihood, weights, chunks),
    )


def _repeats_of(data: PopulationExperiment) -> PopulationRepeats:
    if data.repeats is None:
        raise FitError(
            "Couplings from repeats need repeats of one stimulus, of which the data have none: use "
            "coupling='likelihood', or 'none'."
        )
    return data.repeats


def _measured(
    measure: str, coupling: str, front_end: FrontEnd | None, data: PopulationExperiment
) -> PopulationRepeats | None:
    """Return the repeats whose statistics free runs shall have, or None."""
    if measure not in MEASURES:
        raise FitError(f"There is no measure '{measure}'; known are {', '.join(MEASURES)}.")
    possible = front_end is not None and can_be_measured(data.repeats)
    if measure == "repeats" and not possible:
        raise FitError(
            f"Free runs are measured against at least two repeats of {LEAST_MEASURED_BINS} bins or "
            f"more, by a population with a front end: use measure='none'."
        )
    wanted = measure == "repeats" or (measure == "auto" and coupling == "repeats")
    return data.repeats if wanted and possible else None


def _front_end(front_end: str | FrontEnd | None, data: PopulationExperiment) -> FrontEnd | None:
    if front_end is None:
        return None
    if isinstance(front_end, str) and front_end not in FRONT_ENDS:
        raise FitError(f"There is no front end '{front_end}'; known are {', '.join(FRONT_ENDS)}.")
    if data.stimuli is None:
        raise FitError("The data have no stimulus, so that the front end must be None.")
    if not isinstance(front_end, str):
        return front_end
    if front_end == "time":
        return _time_front_end(data)
    n_lags = max(2, round(FILTER_SECONDS / data.dt))
    filters = SeparableFilters(
        min(RANK, data.n_features),
        n_lags,
        min(N_FUNCTIONS, n_lags),
        data.bins_per_frame,
        SMOOTHNESS,
    )
    if front_end == "linear":
        return LinearFrontEnd(filters)
    return SubunitFrontEnd(filters, N_SUBUNITS, data.dt)


def _time_front_end(data: PopulationExperiment) -> TimeFrontEnd:
    if data.stimuli is None or not data.is_driven_by_time:
        raise FitError(
            "The front end 'time' takes a single feature per bin, time that grows evenly from -1 "
            "to 1 in every piece, as population_of_trains makes it for repeats."
        )
    steps = np.diff(data.stimuli[0][:, 0])
    return TimeFrontEnd(n_bins=max(2, round(2 / float(np.median(steps))) + 1))


def _notes(data: PopulationExperiment, coupling: str) -> tuple[str, ...]:
    notes = []
    if data.shared_bins:
        notes.append(
            f"{data.shared_bins} spikes were left out, since an earlier spike of the cell lies in "
            f"their bin of {data.dt * 1e3:g} ms."
        )
    if coupling == "likelihood":
        notes.append(
            "Couplings by likelihood hold what the front end leaves out of a shared stimulus; "
            "noise correlations of free runs come out too large."
            if data.stimuli is not None
            else "Couplings by likelihood hold any input that the cells share."
        )
        warnings.warn(notes[-1], OvercoupledWarning, stacklevel=3)
    return tuple(notes)


def _refractory_notes(
    likelihood: PopulationLikelihood, weights: Weights, chunks: Chunks
) -> tuple[str, ...]:
    if likelihood.neuron.base.refractory is None:
        return ()
    left_out = int(np.sum(summed_over(likelihood.refractory_spikes, weights, chunks)))
    if not left_out:
        return ()
    return (
        f"{left_out} of {int(np.sum(chunks.n_spikes))} spikes lie in the refractory period of the "
        f"model and do not count; a shorter one would keep them.",
    )


def _start(likelihood: PopulationLikelihood, data: PopulationExperiment, seed: int) -> Weights:
    n_cells, n_traces = data.n_cells, len(likelihood.neuron.time_constants)
    weights: Weights = {
        "offset": likelihood.neuron.drive_of_rate(data.rates).astype(np.float32),
        "drift": np.zeros((n_cells, 2), np.float32),
        "neuron": likelihood.start(),
        "jumps": np.zeros((n_cells, n_cells, n_traces), np.float32),
    }
    if likelihood.front_end is not None:
        key = jax.random.PRNGKey(seed)
        weights["front_end"] = likelihood.front_end.initial(key, n_cells, data.n_features)
    return weights


def _chunks(likelihood: PopulationLikelihood, data: PopulationExperiment) -> Chunks:
    lengths = [piece.shape[1] for piece in data.pieces]
    stimuli = None if likelihood.front_end is None else data.stimuli
    return likelihood.cut(
        data.pieces,
        None if stimuli is None else [stimulus - data.stimulus_mean for stimulus in stimuli],
        data.presentations,
        n_bins=chunk_bins(lengths, LANE_BINS, data.bins_per_frame),
        bins_per_frame=data.bins_per_frame,
        unsettled_bins=max(round(UNSETTLED_SECONDS / data.dt), likelihood.settling_bins),
    )


def _losses(likelihood: PopulationLikelihood, chunks: Chunks) -> CellLosses:
    """Return the losses of pieces of the recording; jumps that are free are penalised, those of
    pairs that are not ``allowed`` are zero."""

    def losses(free: Weights, fixed: Weights, some: Chunks) -> Array:
        now = {**fixed, **free}
        lost: Array | float = 0.0
        if "jumps" in free:
            now["jumps"] = free["jumps"] * fixed["allowed"]
            lost = jumps_penalty(now["jumps"])
        if likelihood.front_end is not None:
            lost = lost + likelihood.front_end.penalty(now["front_end"])
        scale = chunks.n_chunks / some.spikes.shape[0]
        return lost - likelihood.log_likelihood(now, some) * scale

    return losses


def _climb(
    climb: Climb,
    weights: Weights,
    allowed: NDArray | None,
    schedule: Schedule,
    *,
    seed: int,
    tell: Tell | None,
) -> Weights:
    """Return weights fitted to the chunks.

    Only pairs with ``allowed`` (receivers, senders, 1) are coupled; with None the neurons and their
    jumps are held.
    """
    if allowed is None:
        fixed = {name: weights[name] for name in ("neuron", "jumps")}
        free = {name: value for name, value in weights.items() if name not in fixed}
        return {**fixed, **climb(free, fixed, schedule, seed=seed, tell=tell)}
    free = {**weights, "jumps": weights["jumps"] * allowed}
    return climb(free, {"allowed": allowed}, schedule, seed=seed, tell=tell)


def _fit_repeats(
    likelihood: PopulationLikelihood,
    repeats: PopulationRepeats,
    weights: Weights,
    names: Sequence[str],
    seed: int,
    tell: Tell | None,
) -> tuple[Weights, pd.DataFrame]:
    """Return weights fitted to repeats with significant couplings alone, and the table of all."""
    fit = RepeatsFit(likelihood, repeats)
    fitted = fit(weights, np.ones_like(weights["jumps"][..., :1]), seed=seed, tell=tell)
    drives = fit.drives(fitted, jnp.asarray(fit.chunks.presentations))
    table = _couplings(likelihood, fitted, drives, fit.chunks, names, same_drive=True)
    pairs = coupled_pairs(table, names)
    return fit(fitted, pairs, seed=seed, updates=AGAIN_REPEATS, tell=tell), table


def _couplings_of_likelihood(
    likelihood: PopulationLikelihood, weights: Weights, chunks: Chunks, names: Sequence[str]
) -> pd.DataFrame:
    drive = jax.jit(likelihood.drive)
    drives = jnp.concatenate(
        [drive(weights, chunks.take(np.array([n]))) for n in range(chunks.n_chunks)]
    )
    return _couplings(likelihood, weights, drives, chunks, names, same_drive=False)


def _couplings(
    likelihood: PopulationLikelihood,
    weights: Weights,
    drives: Array,
    chunks: Chunks,
    names: Sequence[str],
    *,
    same_drive: bool,
) -> pd.DataFrame:
    information = jump_information(likelihood, weights, drives, chunks, same_drive=same_drive)
    time_constants = likelihood.neuron.time_constants
    return coupling_table(np.asarray(weights["jumps"]), information, time_constants, names)
