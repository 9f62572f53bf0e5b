"""Stability and frequency of both discretisations (Fig. 3), from the derivative of the model's step
and from closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import neurocode as nc
from analyses.adaptive_lif import closed_forms
from analyses.adaptive_lif.networks import CELLS
from neurocode.simulation import Linearisation, linearise

MS = 1e-3
#: Example of the figure, its time steps in ms, and its couplings.
TAU_U, TAU_W, STEPS_MS = 25 * MS, 60 * MS, (0.001, 0.5, 1.0)
COUPLINGS = np.sort([*np.arange(10.0, 800.0, 5.0), 282.0])
RANGES = {"tau_u": (5 * MS, 25 * MS), "tau_w": (60 * MS, 300 * MS)}
#: Number of random neurons that are drawn in the figure; the statistics count all.
SHOWN = 1000
#: Relative distance to the ends of the oscillatory range within which two eigenvalues are too near
#: for comparison.
MARGIN = 1e-6


def linearised(
    cell: str, a: np.ndarray, tau_u: np.ndarray, tau_w: np.ndarray, dt: float
) -> Linearisation:
    """Return the linearised steps of neurons with effective coupling ``a``.

    The scale ``q`` is one, so that it does not bound ``a``.
    """
    model = nc.models.adlif(CELLS[cell]).with_parameters(q=1.0)
    values = np.broadcast_arrays(a, tau_u, tau_w)
    return linearise(model, dt, parameters=dict(zip(("a", "tau_u", "tau_w"), values, strict=True)))


def example() -> pd.DataFrame:
    """Return spectral radius and frequency against the coupling, for three time steps.

    Those of the closed forms and of the differential equation are added.
    """
    parts = []
    for cell in CELLS:
        for step in STEPS_MS:
            linear = linearised(cell, COUPLINGS, TAU_U, TAU_W, step * MS)
            decay, frequency = closed_forms.continuous(COUPLINGS, TAU_U, TAU_W)
            parts.append(
                pd.DataFrame(
                    {
                        "cell": cell,
                        "dt_ms": step,
                        "a": COUPLINGS,
                        "radius": linear.spectral_radius,
                        "radius_closed": closed_forms.spectral_radius(
                            cell, COUPLINGS, TAU_U, TAU_W, step * MS
                        ),
                        "radius_per_ms": linear.spectral_radius ** (1 / step),
                        "frequency": linear.frequency,
                        "frequency_closed": closed_forms.frequency(
                            cell, COUPLINGS, TAU_U, TAU_W, step * MS
                        ),
                        "radius_continuous": np.exp(-decay * step * MS),
                        "frequency_continuous": frequency,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def draws(count: int, seed: int = 0) -> pd.DataFrame:
    """Return random neurons at a time step of 1 ms, one row per neuron and discretisation.

    Couplings are uniform between 0 and 120, time constants are uniform in their ranges.
    """
    random = np.random.default_rng(seed)
    a = random.uniform(0, 120, count)
    tau_u, tau_w = (random.uniform(*RANGES[name], count) for name in RANGES)
    parts = []
    for cell in CELLS:
        linear = linearised(cell, a, tau_u, tau_w, MS)
        parts.append(
            pd.DataFrame(
                {
                    "cell": cell,
                    "a": a,
                    "tau_u": tau_u,
                    "tau_w": tau_w,
                    "radius": linear.spectral_radius,
                    "frequency": linear.frequency,
                    "radius_error": linear.spectral_radius
                    - closed_forms.spectral_radius(cell, a, tau_u, tau_w, MS),
                    "oscillates": oscillates(cell, a, tau_u, tau_w),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def oscillates(cell: str, a: np.ndarray, tau_u: np.ndarray, tau_w: np.ndarray) -> np.ndarray:
    """Return whether neurons lie inside the oscillatory range, at a relative margin from its
    ends."""
    low, high = closed_forms.oscillation_range(cell, tau_u, tau_w, MS)
    return (a > low * (1 + MARGIN)) & (a < high * (1 - MARGIN))


def bounds() -> pd.DataFrame:
    """Return the smallest stability bound over the ranges of time constants, and the bound of the
    example neuron."""
    tau_u, tau_w = np.meshgrid(*(np.linspace(*RANGES[name], 241) for name in RANGES), indexing="ij")
    rows = []
    for cell in CELLS:
        bound = closed_forms.stability_bound(cell, tau_u, tau_w, MS)
        least = np.unravel_index(np.argmin(bound), bound.shape)
        example_bound = closed_forms.stability_bound(cell, np.array(TAU_U), np.array(TAU_W), MS)
        beyond = linearised(
            cell,
            np.array([example_bound * (1 - 1e-9), example_bound * (1 + 1e-9)]),
            TAU_U,
            TAU_W,
            MS,
        ).spectral_radius
        rows.append(
            {
                "cell": cell,
                "smallest_bound": bound[least],
                "tau_u_ms": tau_u[least] / MS,
                "tau_w_ms": tau_w[least] / MS,
                "example_bound": float(example_bound),
                "radius_below_bound": beyond[0],
                "radius_above_bound": beyond[1],
            }
        )
    return pd.DataFrame(rows)


def write(folder: Path, count: int = 100_000) -> None:
    """Write the tables of this part."""
    example().to_csv(folder / "stability_example.csv", index=False, float_format="%.10g")
    random = draws(count)
    sample = random.groupby("cell").head(SHOWN).drop(columns=["radius_error", "oscillates"])
    sample.to_csv(folder / "stability_draws.csv", index=False, float_format="%.6g")
    parts = []
    for cell, of_cell in random.groupby("cell"):
        inside = of_cell[of_cell["oscillates"]]
        parts.append(
            {
                "cell": cell,
                "draws": count,
                "unstable": float((of_cell["radius"] > 1).mean()),
                "lowest_radius": of_cell["radius"].min(),
                "highest_radius": of_cell["radius"].max(),
                "highest_stable_frequency": of_cell.loc[of_cell["radius"] <= 1, "frequency"].max(),
                "largest_radius_error": float(inside["radius_error"].abs().max()),
            }
        )
    pd.DataFrame(parts).merge(bounds(), on="cell").to_csv(
        folder / "stability.csv", index=False, float_format="%.10g"
    )
