"""Simulated recordings with known parameters: one model under frozen noise, as data for a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import neo

from neurocode.models import NeuronModel
from neurocode.recordings import Experiment
from neurocode.simulation import stimuli
from neurocode.simulation.simulate import simulate


def simulated_experiment(
    model: NeuronModel,
    *,
    current: Mapping[str, Any],
    training: object = 60.0,
    test: object = 8.0,
    repeats: int = 10,
    dt: object = 2e-4,
    seed: int,
) -> Experiment:
    """Simulate a training sweep and test repeats of one frozen current, voltage included.

    Parameters
    ----------
    model : NeuronModel
        Its values are the true parameters with which a fit can be compared. It has a state ``v``
        and a current as its input.
    current : mapping
        Options of :func:`neurocode.simulation.stimuli.frozen_noise`: ``mean``,
        ``standard_deviation``, ``time_constant``, ``unit``.
    training, test, dt : float, quantity or text
        Durations of the training sweep and of each test repeat, and the time step, in seconds
        unless a unit is given.
    repeats : int
        Number of test repeats.
    seed : int
        Seed of the training current and of the noise; the test uses the next number.

    Returns
    -------
    Experiment

    Raises
    ------
    DataError
        For times that are not positive, or a current whose unit is not that of the model's input.

    Examples
    --------
    >>> import neurocode as nc
    >>> truth = nc.models.lif()
    >>> noise = {"mean": 300.0, "standard_deviation": 100.0}
    >>> times = {"training": "500 ms", "test": "200 ms"}
    >>> experiment = simulated_experiment(truth, current=noise, **times, repeats=3, seed=0)
    >>> len(experiment.test.repeats)
    3
    """

    def record(
        duration: object, trials: int, seed: int
    ) -> tuple[list[neo.SpikeTrain], neo.AnalogSignal, list[neo.AnalogSignal]]:
        noise = stimuli.frozen_noise(duration, dt, seed=seed, **current)
        block = simulate(model, noise, trials=trials, seed=seed, record=("v",), engine="jax")
        return (
            [s.spiketrains[0] for s in block.segments],
            noise,
            [s.analogsignals[0] for s in block.segments],
        )

    held_out = Experiment(*record(test, repeats, seed + 1))
    return Experiment(*record(training, 1, seed), test=held_out, name="simulated recording")
