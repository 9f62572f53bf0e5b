"""A population that runs freely in Brian2: one group of neurons, couplings as synapses."""

from __future__ import annotations

import brian2
import numpy as np
from brian2.units.fundamentalunits import Quantity
from numpy.typing import NDArray

from neurocode.models.model import NeuronModel
from neurocode.simulation.brian import BRIAN, code_generation, neuron_group, random_state
from neurocode.units import parse_unit, si_unit_text


def run_in_brian(
    model: NeuronModel,
    couplings: NDArray,
    current: NDArray,
    dt: float,
    seed: int,
) -> NDArray[np.float32]:
    """Draw spikes of a population in Brian2.

    A spike of a cell moves the traces ``x_1``, ``x_2`` ... of the cells that it is coupled to in
    the same step, after the threshold and so before the next one.

    Parameters
    ----------
    model : NeuronModel
        With traces, and one value per cell of fitted parameters.
    couplings : array (receivers, senders, traces)
        Jumps of the traces in SI; those of a cell itself are in the reset of the model.
    current : array (trials, cells, bins)
        Input of each cell in SI.
    dt : float
        Time step in seconds.
    seed : int

    Returns
    -------
    numpy.ndarray of float32 (cells, bins, trials)
    """
    n_trials, n_cells, n_bins = current.shape
    size = n_trials * n_cells
    per_neuron = {
        name: np.tile(value, n_trials) for name, value in model.values.items() if np.ndim(value)
    }
    stimulus = np.ascontiguousarray(current.reshape(size, n_bins).T)
    spikes = np.zeros((size, n_bins), np.float32)
    with BRIAN, random_state(seed), code_generation(n_bins):
        group = neuron_group(model, size, dt, parameters=per_neuron, stimulus=stimulus)
        monitor = brian2.SpikeMonitor(group)
        network = brian2.Network(group, monitor, *_synapses(group, model, couplings, n_trials))
        network.run(n_bins * dt * brian2.second, namespace={})
        spikes[np.asarray(monitor.i), np.round(np.asarray(monitor.t) / dt).astype(int)] = 1.0
    return np.transpose(spikes.reshape(n_trials, n_cells, n_bins), (1, 2, 0))


def _synapses(
    group: brian2.NeuronGroup, model: NeuronModel, couplings: NDArray, n_trials: int
) -> list[brian2.Synapses]:
    """Return the couplings in every trial; cells of different trials are not coupled."""
    n_cells, _, n_traces = couplings.shape
    coupled = np.any(couplings != 0, axis=2) & ~np.eye(n_cells, dtype=bool)
    receivers, senders = np.nonzero(coupled)
    if not len(receivers):
        return []
    traces = range(1, n_traces + 1)
    unit = si_unit_text(model.parameters["h_1"].unit)
    synapses = brian2.Synapses(
        group,
        group,
        "\n".join(f"w_{k} : {unit} (constant)" for k in traces),
        on_pre="\n".join(f"x_{k}_post += w_{k}" for k in traces),
    )
    shift = n_cells * np.repeat(np.arange(n_trials), len(receivers))
    synapses.connect(i=np.tile(senders, n_trials) + shift, j=np.tile(receivers, n_trials) + shift)
    for k in traces:
        jumps = np.tile(couplings[receivers, senders, k - 1], n_trials)
        setattr(synapses, f"w_{k}", Quantity(jumps, dim=parse_unit(unit).dim))
    return [synapses]
