"""What a fit to spike times gives, and whether the model survives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import neo

from neurocode.inference.result import FitResult, plain
from neurocode.simulation.simulate import simulate
from neurocode.statistics.time_rescaling import TimeRescaling


@dataclass(frozen=True)
class SpikeTimesResult(FitResult):
    """Outcome of :func:`fit_spike_times`; see :class:`FitResult` for what both kinds of fit share.

    Attributes
    ----------
    rescaling : TimeRescaling
        Test that the intervals, each mapped by the distribution that the model gives it, are uniform.
    dependence : float
        Rank correlation of neighbouring rescaled intervals, zero under a right model.
    dependence_p : float
        Its p-value.
    verdicts : tuple of str
        What speaks against reading the parameters as those of a neuron; empty where nothing does.
    """

    rescaling: TimeRescaling | None = None
    dependence: float = 0.0
    dependence_p: float = 1.0
    verdicts: tuple[str, ...] = ()

    @property
    def survives(self) -> bool:
        """Whether time rescaling rejects neither the distribution of the intervals nor their independence (each at 5 %)."""
        return bool(self.converged and self.rescaling.passed and self.dependence_p > 0.05)

    def predict(self, duration: float, *, trials: int = 1, seed: int = 0, dt: float = 1e-4) -> neo.Block:
        """Simulate the fitted model without an input, for some seconds; see :func:`neurocode.simulate`."""
        return simulate(self.model, duration=duration, trials=trials, seed=seed, dt=dt, engine="numba")

    def to_dictionary(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        table = super().to_dictionary()
        table["ks"] = plain({key: getattr(self.rescaling, key) for key in ("statistic", "band", "passed")})
        table["dependence"] = plain({"rank_correlation": self.dependence, "p_value": self.dependence_p})
        table |= {"survives": self.survives, "verdicts": list(self.verdicts)}
        return table
