"""The decision whether fitting the recorded voltage helps, made inside the training recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurocode.inference.clamped.grid import choose_dt, clamp
from neurocode.inference.clamped.likelihood import ROUGH_DT, ClampedLikelihood
from neurocode.inference.optimise import Report
from neurocode.inference.options import prior_width_of, whole_number
from neurocode.inference.search import search
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment

#: Parameters that a recorded voltage determines but spikes alone do not.
FREED_BY_VOLTAGE = ("C", "E_L")
#: Interval between compared voltages in seconds, because the residuals of recorded cells are
#: correlated over about 100 ms.
INTERVAL = 0.2
#: Share of each sweep that is fitted; the rest is predicted.
FITTED_SHARE = 2 / 3
STARTS = 4
#: Gain in bits per spike from which the voltage is used. The last third of a recording of one
#: minute cannot resolve a smaller gain.
LEAST_GAIN = 0.02


@dataclass(frozen=True)
class VoltageChoice:
    """Outcome of :func:`choose_voltage`.

    Attributes
    ----------
    interval : float or None
        The ``voltage`` to pass to :func:`neurocode.fit`: None unless the voltage gains more than
        0.02 bits per spike.
    bits_spikes, bits_voltage : float
        Bits per spike of the last third of each sweep, predicted from fits to the first two thirds.
    """

    interval: float | None
    bits_spikes: float
    bits_voltage: float


def with_voltage_freed(model: NeuronModel) -> NeuronModel:
    """Return a copy of a model in which the capacitance and the resting potential are free."""
    return model.with_fixed(
        *(name for name in FREED_BY_VOLTAGE if name in model.parameters), fixed=False
    )


def choose_voltage(
    model: NeuronModel,
    experiment: Experiment,
    *,
    prior_width: float = 3.0,
    seed: int = 0,
    progress: Report | None = None,
) -> VoltageChoice:
    """Fit the first two thirds of the training sweeps with and without the voltage, and compare how
    well both fits predict the last third.

    A test is recorded after the training, so the last part of the training stands in for it. The
    fits are rough: they use a time step of up to 0.4 ms and few starts.

    Parameters
    ----------
    model : NeuronModel
        The model as it is fitted to spikes alone; in the fit to the voltage ``C`` and ``E_L`` are
        freed.
    experiment : Experiment
        An experiment with a recorded voltage.
    prior_width : float
    seed : int
    progress : callable, optional

    Returns
    -------
    VoltageChoice

    Raises
    ------
    FitError, DataError
        As for :func:`neurocode.fit`.
    """
    prior_width, seed = prior_width_of(prior_width), whole_number(seed, "The seed")
    step = choose_dt(experiment.dt, None)
    step *= max(1, round(ROUGH_DT / step))
    scores = []
    for candidate, interval in ((model, None), (with_voltage_freed(model), INTERVAL)):
        sweeps = [clamp(repeat, step, voltage=interval) for repeat in experiment.repeats]
        fitted_sweeps, predicted_sweeps = zip(
            *(sweep.hold_out(_last_third(len(sweep.spikes))) for sweep in sweeps), strict=True
        )
        likelihood = ClampedLikelihood(candidate, fitted_sweeps, step, prior_width=prior_width)
        likelihood.require_training_data()
        z = search(likelihood, likelihood.origin, STARTS, seed, progress).point.z
        prediction = ClampedLikelihood(candidate, predicted_sweeps, step)
        scores.append(prediction.bits_per_spike(prediction.log_likelihood(z), likelihood.rate))
    return VoltageChoice(INTERVAL if scores[1] > scores[0] + LEAST_GAIN else None, *scores)


def _last_third(n_steps: int) -> np.ndarray:
    return np.arange(n_steps) >= FITTED_SHARE * n_steps
