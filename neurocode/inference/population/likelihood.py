"""The likelihood of recorded spikes of a population, which falls into one term per cell.

Given the recorded spikes of all cells, the cells are independent. The membrane of each is run with
its spikes clamped, in lanes that start a little before their first counted bin, and the traces of
all spikes add to its margin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neurocode.inference.coordinates import Coordinates
from neurocode.inference.population.chunks import Chunks, cut_pieces
from neurocode.inference.population.front_end import FrontEnd, Weights
from neurocode.inference.population.neuron import PopulationNeuron
from neurocode.recordings.population import PopulationRepeats
from neurocode.simulation.step import State

Array = jax.Array

#: Length of the lanes of a membrane in bins, and time constants after which a membrane has
#: forgotten where it started.
LANE_BINS, SETTLING_TIMES = 720, 6.0
#: Least number of bins over which a membrane settles.
LEAST_SETTLING_BINS = 60


@dataclass(frozen=True, eq=False)
class PopulationLikelihood:
    """Log-likelihood of recorded spikes, one value per cell.

    Attributes
    ----------
    neuron : PopulationNeuron
    front_end : FrontEnd or None
        None for a recording without a stimulus.
    n_cells : int
    """

    neuron: PopulationNeuron
    front_end: FrontEnd | None
    n_cells: int

    def __post_init__(self) -> None:
        # Numbers that programs hold as constants are computed before a program is traced.
        _ = self.settling_bins, self.neuron.input_scale, self.neuron.decays

    @cached_property
    def coordinates(self) -> Coordinates:
        """Coordinates of the free parameters of a neuron."""
        return Coordinates.of(self.neuron.base)

    def start(self) -> NDArray[np.float32]:
        """Return the coordinates of the model's values for every cell, (cells, parameters)."""
        one = self.coordinates.to_coordinates(self.neuron.base.values)
        return np.tile(one, (self.n_cells, 1)).astype(np.float32)

    def values(self, weights: Weights) -> dict[str, Array]:
        """Return all parameters of the neurons in SI; free ones have the axis of the cells."""
        fixed = self.neuron.base.values.items()
        return {
            **{name: jnp.asarray(value, jnp.float32) for name, value in fixed},
            **self.coordinates.to_values(weights["neuron"]),
        }

    @cached_property
    def settling_bins(self) -> int:
        """Number of bins after which a membrane has forgotten where it started."""
        radius = float(self.neuron.linear.spectral_radius)
        bins = SETTLING_TIMES / -np.log(radius) if 0 < radius < 1 else 0.0
        return int(np.clip(np.ceil(bins), LEAST_SETTLING_BINS, LANE_BINS))

    def cut(
        self,
        pieces: Sequence[NDArray],
        stimuli: Sequence[NDArray] | None,
        presentations: NDArray,
        *,
        n_bins: int,
        bins_per_frame: int,
        unsettled_bins: int,
    ) -> Chunks:
        """Return pieces as chunks of ``n_bins``, with traces and frames as this likelihood needs
        them; see :func:`cut_pieces`."""
        return cut_pieces(
            pieces,
            stimuli,
            presentations,
            decays=self.neuron.decays,
            n_bins=n_bins,
            context_frames=0 if self.front_end is None else self.front_end.context_frames,
            bins_per_frame=bins_per_frame,
            unsettled_bins=unsettled_bins,
        )

    def cut_repeats(
        self,
        repeats: PopulationRepeats,
        stimulus: NDArray | None,
        *,
        bins_per_frame: int,
        unsettled_bins: int,
    ) -> Chunks:
        """Return one chunk per repeat, filled up to whole lanes and frames."""
        unit = int(np.lcm(LANE_BINS, bins_per_frame))
        return self.cut(
            list(np.moveaxis(repeats.spikes, 2, 0)),
            None if stimulus is None else [stimulus] * repeats.n_repeats,
            repeats.presentations,
            n_bins=-(-repeats.spikes.shape[1] // unit) * unit,
            bins_per_frame=bins_per_frame,
            unsettled_bins=unsettled_bins,
        )

    def drive(self, weights: Weights, chunks: Chunks) -> Array:
        """Return the drive of each cell in units of the noise, (chunks, cells, bins)."""
        n_bins = chunks.spikes.shape[-1]
        drive = baseline(weights, chunks.presentations, self.n_cells, n_bins)
        if self.front_end is None:
            return drive
        return drive + self.front_end.drive(weights["front_end"], chunks.stimulus)

    def log_likelihood(self, weights: Weights, chunks: Chunks) -> Array:
        """Return the log-likelihood of the counted bins in nats, (cells,)."""
        return self.of_drive(weights, self.drive(weights, chunks), chunks)

    def of_drive(self, weights: Weights, drive: Array, chunks: Chunks) -> Array:
        """Return the log-likelihood in nats for a given drive, (cells,)."""
        log_spike, log_none = self.log_probabilities(weights, drive, chunks)
        terms = jnp.where(chunks.spikes > 0, log_spike, log_none)
        return jnp.einsum("bct,bt->c", terms, chunks.counted)

    def log_probabilities(
        self, weights: Weights, drive: Array, chunks: Chunks, shift: Array | float = 0.0
    ) -> tuple[Array, Array]:
        """Return the logarithms of the probabilities of a spike and of none in each bin, given the
        spikes before it, (chunks, cells, bins).

        Both are zero where a cell is refractory, so that a spike there does not count.

        ``shift`` is added to all margins, in units of the noise.
        """
        values = self.values(weights)
        margin, refractory = self._membranes(values, drive, chunks.spikes)
        coupled = jnp.einsum("bskt,csk->bct", chunks.traces, weights["jumps"])
        column = {
            name: value[:, None] if jnp.ndim(value) else value for name, value in values.items()
        }
        log_spike, log_none = self.neuron.noise.log_probabilities(
            margin + self.neuron.scale * (coupled + shift), column, self.neuron.dt
        )
        return jnp.where(refractory, 0.0, log_spike), jnp.where(refractory, 0.0, log_none)

    def refractory_spikes(self, weights: Weights, chunks: Chunks) -> Array:
        """Return the number of counted spikes of each cell that its refractory period excludes."""
        values = self.values(weights)
        refractory = self._membranes(values, self.drive(weights, chunks), chunks.spikes)[1]
        return jnp.einsum("bct,bct,bt->c", refractory, chunks.spikes, chunks.counted)

    def _membranes(
        self, values: dict[str, Array], drive: Array, spikes: Array
    ) -> tuple[Array, Array]:
        """Return the margins without traces in SI and where cells are refractory, of shape (chunks,
        cells, bins), with clamped spikes."""
        step, settling = self.neuron.step, self.settling_bins
        prepared = step.prepare(values)
        current = self.neuron.input_scale * _lanes(drive, settling)
        clamped = _lanes(spikes, settling) > 0
        state = step.initial_state(prepared, current.shape[1:])

        def advance(state: State, slot: tuple[Array, Array]) -> tuple[State, tuple[Array, Array]]:
            inputs = {**dict.fromkeys(step.inputs, slot[0]), "t": jnp.zeros(())}
            state, output = step(state, inputs, prepared, spikes=slot[1])
            return state, (output.margin, output.refractory)

        _, outputs = jax.lax.scan(advance, state, (current, clamped))
        margin, refractory = (_joined(output[settling:], drive.shape) for output in outputs)
        return margin, refractory


def baseline(weights: Weights, presentations: Array, n_cells: int, n_bins: int) -> Array:
    """Return the constant part of the drive and its slow drift over the session, (chunks, cells,
    bins)."""
    drift = jnp.stack([presentations, presentations**2], axis=-1) @ weights["drift"].T
    constant = weights["offset"] + drift
    return jnp.broadcast_to(constant[..., None], (*constant.shape, n_bins))


def summed_over(
    function: Callable[[Weights, Chunks], Array], weights: Weights, chunks: Chunks
) -> np.ndarray:
    """Return the sum over chunks of a function of weights and one chunk, which needs the memory of
    one chunk."""
    compiled = jax.jit(function)
    parts = [
        np.asarray(compiled(weights, chunks.take(np.array([n]))), float)
        for n in range(chunks.n_chunks)
    ]
    return np.sum(parts, axis=0)


def _lanes(values: Array, settling: int) -> Array:
    """Return lanes with the bins before each, (settling + lane bins, chunks, lanes, cells)."""
    chunks, cells, n_bins = values.shape
    lanes = values.reshape(chunks, cells, n_bins // LANE_BINS, LANE_BINS)
    tails = lanes[..., -settling:]
    before = jnp.concatenate(
        [jnp.repeat(lanes[:, :, :1, :1], settling, axis=-1), tails[:, :, :-1]], axis=2
    )
    return jnp.transpose(jnp.concatenate([before, lanes], axis=-1), (3, 0, 2, 1))


def _joined(lanes: Array, shape: tuple[int, ...]) -> Array:
    """Undo :func:`_lanes` for lanes without the bins before them."""
    return jnp.transpose(lanes, (1, 3, 2, 0)).reshape(shape)
