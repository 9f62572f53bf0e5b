"""What a fit gives: parameters with intervals, likelihood, verdict, and a model that predicts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo
import numpy as np

from neurocode.models.model import NeuronModel
from neurocode.simulation.simulate import simulate

#: Share of the width of the prior below which an estimate is called narrower than it.
NARROWER = 0.5


@dataclass(frozen=True)
class FittedParameter:
    """One parameter after a fit, in its own unit.

    Attributes
    ----------
    value : float
    unit : str
    standard_error : float or None
        None for a fixed parameter.
    interval_95 : tuple of float or None
        From the observed information in the unconstrained coordinate, so it respects the bounds.
    fixed : bool
    identified : bool
        Whether the data determine the value to within its own size: the standard error is below half of the absolute value, and
        ``prior_ratio`` below a half. False for a fixed parameter.
    prior_ratio : float or None
        Standard error over the width of the prior, both in the unconstrained coordinate: near one the value is the prior's, near
        zero that of the data. None for a fixed parameter.
    """

    value: float
    unit: str
    standard_error: float | None = None
    interval_95: tuple[float, float] | None = None
    fixed: bool = True
    identified: bool = False
    prior_ratio: float | None = None

    @property
    def narrower_than_prior(self) -> bool:
        """Whether the data leave less than half of the width of the prior."""
        return self.prior_ratio is not None and self.prior_ratio < NARROWER


@dataclass(frozen=True)
class CrossValidation:
    """Held-out likelihood of blocks of a training recording.

    Attributes
    ----------
    bits_per_spike : float
        Over all blocks, against a Poisson process at the rate of the other blocks.
    folds : tuple of float
        The same for each block.
    """

    bits_per_spike: float
    folds: tuple[float, ...]


@dataclass(frozen=True)
class FitResult:
    """Outcome of :func:`neurocode.fit`.

    Attributes
    ----------
    model : NeuronModel
        The model with fitted values.
    parameters : dict of str to FittedParameter
    likelihood : str
        Name of the likelihood that was climbed: ``clamped`` (spikes under a current) or ``passage`` (spike times of a diffusion).
    log_likelihood : float
        Of the training spikes, in nats, without the prior.
    bic : float
        Bayesian information criterion, number of spikes as sample size.
    bits_per_spike : float
        Training spikes, against a homogeneous Poisson process at the training rate.
    training_rate : float
        In hertz.
    converged : bool
    message : str
    gradient_norm : float
        Norm of the gradient in unconstrained coordinates, prior included, in nats.
    n_spikes : int
        Spikes that entered the likelihood.
    dt : float
        Time step in seconds.
    duration : float
        Of the longest training sweep in seconds; a model that reads ``t`` is tested from there on. Of a fit to spike times, of all
        intervals together.
    seconds : float
        Wall time of the fit.
    seed : int
    rank : int
        Rank of the information of the data alone.
    settings : mapping
        What makes the likelihood again from the same data: ``dt`` and ``voltage`` (seconds between the membrane potentials that
        were fitted too, None for spikes alone) of a clamped likelihood.
    goodness : mapping
        What else was measured at the maximum: ``voltage_residual`` (root mean square, in volts) where a voltage was fitted too;
        of spike times ``rescaling`` (a TimeRescaling of the training intervals), ``dependence`` (rank correlation of rescaled
        neighbours, zero under a right model) and ``dependence_p``.
    verdicts : tuple of str
        What speaks against reading the parameters as those of a neuron, where the likelihood asks; empty where nothing does.
    cross_validation : CrossValidation, optional
        Where models were compared.
    """

    model: NeuronModel
    parameters: dict[str, FittedParameter]
    likelihood: str
    log_likelihood: float
    bic: float
    bits_per_spike: float
    training_rate: float
    converged: bool
    message: str
    gradient_norm: float
    n_spikes: int
    dt: float
    duration: float
    seconds: float
    seed: int
    rank: int
    settings: Mapping[str, float | None] = field(default_factory=dict)
    goodness: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[str, ...] = ()
    cross_validation: CrossValidation | None = None

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Standard error of every parameter in its unit, None where fixed."""
        return {name: parameter.standard_error for name, parameter in self.parameters.items()}

    @property
    def survives(self) -> bool | None:
        """Whether time rescaling rejects neither the distribution of the training intervals nor their independence (each at 5 %).

        None where the likelihood does not test it.
        """
        if "rescaling" not in self.goodness:
            return None
        return bool(self.converged and self.goodness["rescaling"].passed and self.goodness["dependence_p"] > 0.05)

    def predict(
        self,
        current: neo.AnalogSignal | np.ndarray | None = None,
        duration: float | None = None,
        *,
        trials: int = 1,
        seed: int = 0,
        dt: object = None,
    ) -> neo.Block:
        """Simulate repeats of the fitted model under a current, or for some seconds without one; see :func:`neurocode.simulate`.

        Parameters
        ----------
        current : neo.AnalogSignal or numpy.ndarray, optional
            An array is in SI, one value a step of the fit unless ``dt`` is given.
        duration : float, optional
            In seconds.
        trials, seed : int
        dt : float or quantity, optional
            Time step; that of the fit, or 0.1 ms where that has none of its own.
        """
        if current is None:
            engine = "numba" if self.model.has_diffusion else "jax"
            step = self.settings.get("dt", 1e-4) if dt is None else dt
            return simulate(self.model, duration=duration, trials=trials, seed=seed, dt=step, engine=engine)
        if dt is None and not isinstance(current, neo.AnalogSignal):
            dt = self.dt
        return simulate(self.model, current, duration=duration, trials=trials, seed=seed, dt=dt, engine="jax")

    def to_dictionary(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        table = {
            "model": self.model.name,
            "parameters": {name: dict(vars(parameter)) for name, parameter in self.parameters.items()},
            "converged": self.converged,
            "message": self.message,
            "gradient_norm": self.gradient_norm,
            "n_spikes": self.n_spikes,
            "dt": {"value": self.dt, "unit": "s"},
            "log_likelihood": self.log_likelihood,
            "bic": self.bic,
            "bits_per_spike": {"training": self.bits_per_spike},
            "training_rate": {"value": self.training_rate, "unit": "Hz"},
            "information_rank": self.rank,
            "seed": self.seed,
            "seconds": self.seconds,
        }
        if "voltage_residual" in self.goodness:
            table["voltage_interval"] = {"value": self.settings["voltage"], "unit": "s"}
            table["voltage_residual"] = {"value": 1e3 * self.goodness["voltage_residual"], "unit": "mV"}
        if "rescaling" in self.goodness:
            table["ks"] = {key: getattr(self.goodness["rescaling"], key) for key in ("statistic", "band", "passed")}
            table["dependence"] = {"rank_correlation": self.goodness["dependence"], "p_value": self.goodness["dependence_p"]}
            table |= {"survives": self.survives, "verdicts": list(self.verdicts)}
        if self.cross_validation is not None:
            table["cross_validation"] = dict(vars(self.cross_validation))
        return plain(table)

    def save(self, path: str | Path) -> Path:
        """Write the result as JSON to a file, or as ``result.json`` and ``model.toml`` into a folder."""
        path = Path(path)
        if path.suffix != ".json":
            path.mkdir(parents=True, exist_ok=True)
            self.model.save(path / "model.toml")
            path = path / "result.json"
        path.write_text(json.dumps(self.to_dictionary(), indent=2), encoding="utf-8")
        return path


def plain(value: Any) -> Any:
    """Value in types that JSON knows; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (np.bool_, bool)):
        return bool(value)
    if isinstance(value, (np.integer, int)):
        return int(value)
    if isinstance(value, (np.floating, float)):
        return float(value) if math.isfinite(value) else None
    return value
