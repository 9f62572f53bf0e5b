"""The result of a fit: parameters with intervals, likelihood, verdicts, and a model that
predicts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.display import html, lines
from neurocode.inference.lossless import encode, load_saved, save_value
from neurocode.models.model import NeuronModel
from neurocode.plotting.estimates_figure import estimates_figure
from neurocode.simulation.simulate import simulate
from neurocode.statistics.time_rescaling import TimeRescaling

#: An estimate whose standard error is below this share of the prior width is called narrower than
#: the prior.
NARROWER = 0.5
#: Name of a saved result inside a folder.
FILE = "result.json"


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
        95 % interval from the observed information in the unconstrained coordinate, so that it
        respects the bounds.
    fixed : bool
    identified : bool
        Whether the data determine the value to within its own size: the standard error is below
        half of the absolute value, and ``prior_ratio`` below a half. False for a fixed parameter.
    prior_ratio : float or None
        Standard error divided by the width of the prior, both in the unconstrained coordinate. The
        prior determines the value if this is near one, the data if it is near zero. None for a
        fixed parameter.
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
        """Whether the standard error is below half of the width of the prior."""
        return self.prior_ratio is not None and self.prior_ratio < NARROWER

    @property
    def status(self) -> str:
        """Whether the value was fixed, and otherwise whether the data or the prior decide it."""
        return (
            "fixed"
            if self.fixed
            else "narrower than the prior"
            if self.narrower_than_prior
            else "as wide as the prior"
        )

    @property
    def described(self) -> str:
        """Value, standard error, unit and interval in one line of text."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        if self.fixed:
            return f"{self.value:.4g}{unit} (fixed)"
        if self.interval_95 is None:
            return f"{self.value:.4g}{unit}, {self.status}"
        low, high = self.interval_95
        return (
            f"{self.value:.4g} ± {self.standard_error:.2g}{unit}, 95 % from {low:.4g} to "
            f"{high:.4g}, {self.status}"
        )


@dataclass(frozen=True)
class CrossValidation:
    """Held-out likelihood of blocks of a training recording.

    Attributes
    ----------
    bits_per_spike : float
        Bits per spike over all blocks, against a Poisson process at the rate of the other blocks.
    folds : tuple of float
        Bits per spike of each block.
    """

    bits_per_spike: float
    folds: tuple[float, ...]


@dataclass(frozen=True, eq=False, repr=False)
class FitResult:
    """Outcome of :func:`neurocode.fit`.

    Attributes
    ----------
    model : NeuronModel
        The model with fitted values.
    parameters : dict of str to FittedParameter
    likelihood : str
        Name of the likelihood that was maximised: ``clamped`` (spikes under a current) or
        ``passage`` (spike times of a diffusion).
    log_likelihood : float
        Log-likelihood of the training spikes in nats, without the prior.
    bic : float
        Bayesian information criterion with the number of spikes as sample size.
    bits_per_spike : float
        Gain on the training spikes over a homogeneous Poisson process at the training rate.
    training_rate : float
        Mean firing rate in the training data, in hertz.
    converged : bool
    message : str
    gradient_norm : float
        Norm of the gradient in unconstrained coordinates, prior included, in nats.
    n_spikes : int
        Spikes that entered the likelihood.
    dt : float
        Time step in seconds.
    duration : float
        Duration of the longest training sweep in seconds, at which the test of a model that reads
        ``t`` begins. For a fit to spike times, the total duration of all intervals.
    seconds : float
        Wall time of the fit.
    seed : int
    rank : int
        Rank of the information of the data without the prior.
    settings : mapping
        Options that make the likelihood again from the same data. For a clamped likelihood these
        are ``dt`` and ``voltage`` (seconds between the fitted membrane potentials, None for spikes
        alone).
    goodness : mapping
        Further measures at the maximum: ``voltage_residual`` (root mean square, in volts) if a
        voltage was fitted too; for spike times ``rescaling`` (a TimeRescaling of the training
        intervals), ``dependence`` (rank correlation of neighbouring rescaled intervals, zero under
        the correct model) and ``dependence_p``, its p-value.
    verdicts : tuple of str
        Reasons not to read the parameters as those of a neuron; empty if there are none or the
        likelihood does not test this.
    cross_validation : CrossValidation, optional
        Present if models were compared.
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
    settings: Mapping[str, Any] = field(default_factory=dict)
    goodness: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[str, ...] = ()
    cross_validation: CrossValidation | None = None

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Standard error of every parameter in its unit, None for fixed ones."""
        return {name: parameter.standard_error for name, parameter in self.parameters.items()}

    @property
    def survives(self) -> bool | None:
        """Whether time rescaling rejects neither the distribution of the training intervals nor
        their independence (each at 5 %).

        None if the likelihood does not test this.
        """
        if "rescaling" not in self.goodness:
            return None
        return bool(
            self.converged
            and self.goodness["rescaling"].passed
            and self.goodness["dependence_p"] > 0.05
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Papers that the likelihood is based on, besides that of the model."""
        return (
            ("Ladenbauer et al. 2019",)
            if self.likelihood == "passage"
            else ("Truccolo et al. 2005",)
        )

    def predict(
        self,
        current: neo.AnalogSignal | np.ndarray | None = None,
        duration: float | None = None,
        *,
        trials: int = 1,
        seed: int = 0,
        dt: object = None,
    ) -> neo.Block:
        """Simulate repeats of the fitted model under a current, or for some seconds without one;
        see :func:`neurocode.simulate`.

        Parameters
        ----------
        current : neo.AnalogSignal or numpy.ndarray, optional
            An array is in SI units, with one value per time step of the fit unless ``dt`` is given.
        duration : float, optional
            Duration of each repeat in seconds.
        trials, seed : int
        dt : float or quantity, optional
            Time step. The default is that of the fit, or 0.1 ms if the fit has none.
        """
        if current is None:
            engine = "numba" if self.model.has_diffusion else "jax"
            step = self.settings.get("dt", 1e-4) if dt is None else dt
            return simulate(
                self.model, duration=duration, trials=trials, seed=seed, dt=step, engine=engine
            )
        if dt is None and not isinstance(current, neo.AnalogSignal):
            dt = self.dt
        return simulate(
            self.model, current, duration=duration, trials=trials, seed=seed, dt=dt, engine="jax"
        )

    def to_dictionary(self) -> dict[str, Any]:
        """Return the result as plain values for JSON; infinite numbers and NaN become None."""
        table = {
            "model": self.model.name,
            "parameters": {
                name: dict(vars(parameter)) for name, parameter in self.parameters.items()
            },
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
            table["voltage_residual"] = {
                "value": 1e3 * self.goodness["voltage_residual"],
                "unit": "mV",
            }
        if "rescaling" in self.goodness:
            table["ks"] = {
                key: getattr(self.goodness["rescaling"], key)
                for key in ("statistic", "band", "passed")
            }
            table["dependence"] = {
                "rank_correlation": self.goodness["dependence"],
                "p_value": self.goodness["dependence_p"],
            }
            table |= {"survives": self.survives, "verdicts": list(self.verdicts)}
        if self.cross_validation is not None:
            table["cross_validation"] = dict(vars(self.cross_validation))
        return plain(table)

    def to_dataframe(self) -> pd.DataFrame:
        """Return a table with one row per parameter: meaning, unit, estimate, standard error,
        interval, and whether the data determine it.

        Returns
        -------
        pandas.DataFrame
            ``prior_ratio`` is near zero if the data determine the value and near one if the prior
            does; ``status`` says the same in words.
        """
        rows = {}
        for name, fitted in self.parameters.items():
            low, high = fitted.interval_95 or (None, None)
            rows[name] = {
                "meaning": self.model.parameters[name].description,
                "unit": fitted.unit,
                "estimate": fitted.value,
                "standard_error": fitted.standard_error,
                "low_95": low,
                "high_95": high,
                "prior_ratio": fitted.prior_ratio,
                "status": fitted.status,
                "identified": fitted.identified,
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")

    def summary(self) -> str:
        """Return the verdicts and the estimates as text, one line per parameter."""
        return lines(
            self._heading(), self._rows(), most=len(self.parameters) + len(self.verdicts) + 2
        )

    def plot(self) -> Figure:
        """Plot the estimates with their 95 % intervals, each in its unit."""
        shown = [
            (
                f"{name} ({fitted.unit})" if fitted.unit != "1" else name,
                fitted.value,
                fitted.interval_95,
            )
            for name, fitted in self.parameters.items()
            if not fitted.fixed and fitted.interval_95 is not None
        ]
        return estimates_figure(
            [label for label, _, _ in shown],
            [value for _, value, _ in shown],
            [interval for _, _, interval in shown],
            n=self.n_spikes,
        )

    def __repr__(self) -> str:
        return lines(self._heading(), self._rows())

    def _repr_html_(self) -> str:
        return html(self._heading(), self.to_dataframe(), self.verdicts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FitResult) and encode(self) == encode(other)

    def _heading(self) -> str:
        verdict = self.message.partition(":")[0]
        return (
            f"Fit of '{self.model.name}' to {self.n_spikes} spikes ({self.likelihood} "
            f"likelihood), {verdict}: "
            f"{self.bits_per_spike:.3g} bits per spike, log-likelihood {self.log_likelihood:.2f} "
            f"nats"
        )

    def _rows(self) -> list[str]:
        estimates = [
            f"{name} = {fitted.described}"
            for name, fitted in self.parameters.items()
            if not fitted.fixed
        ]
        fixed = [name for name, fitted in self.parameters.items() if fitted.fixed]
        return [*estimates, *self.verdicts, *([f"fixed: {', '.join(fixed)}"] if fixed else [])]

    def save(self, path: str | Path) -> Path:
        """Write the result as JSON, which :meth:`load` reads: to a file, or into a folder as
        ``result.json`` beside ``model.toml``.

        Besides the readable values the file holds all fields without loss, under ``saved``.
        """
        file = save_value(self, path, FILE)
        if file != Path(path):
            self.model.save(file.parent / "model.toml")
        return file

    @classmethod
    def load(cls, path: str | Path) -> FitResult:
        """Read a result that :meth:`save` or ``neurocode fit`` wrote, with all fields unchanged.

        Parameters
        ----------
        path : path
            The file, or the folder that holds it.

        Raises
        ------
        DataError
            If there is no such file, or it holds no saved result.

        Examples
        --------
        >>> import neurocode as nc, tempfile
        >>> model = nc.models.lif_diffusive()
        >>> block = nc.simulate(model, duration=12, seed=1, engine="numba")
        >>> result = nc.fit(model, block.segments[0].spiketrains)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nc.FitResult.load(result.save(folder)) == result
        True
        """
        return load_saved(path, FILE, cls, (FittedParameter, CrossValidation, TimeRescaling))


def plain(value: Any) -> Any:
    """Convert a value into types that JSON knows; infinite numbers and NaN become None."""
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
