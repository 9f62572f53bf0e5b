"""Stability and frequency of both discretisations: the derivative of the model's own step beside
the closed forms (Fig. 3)."""

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
#: Shown of the random neurons; all are counted.
SHOWN = 1000
#: Relative distance to the ends of the oscillatory range within which two eigenvalues are too near
#: for comparison.
MARGIN = 1e-6


def linearised(
    cell: str, a: np.ndarray, tau_u: np.ndarray, tau_w: np.ndarray, dt: float
) -> Linearisation:
    """Neurons of the effective coupling ``a``; the scale ``q`` is one, so that ``a`` is not bounded
    by it."""
    model = nc.models.adlif(CELLS[cell]).with_parameters(q=1.0)
    given = np.broadcast_arrays(a, tau_u, tau_w)
    return linearise(model, dt, parameters=dict(zip(("a", "tau_u", "tau_w"), given, strict=True)))


def example() -> pd.DataFrame:
    """Spectral radius and frequency against the coupling, for three time steps, beside closed forms
    and differential equation."""
    parts = []
    for cell in CELLS:
        for step in STEPS_MS:
            found = linearised(cell, COUPLINGS, TAU_U, TAU_W, step * MS)
            decay, frequency = closed_forms.continuous(COUPLINGS, TAU_U, TAU_W)
            parts.append(
                pd.DataFrame(
                    {
                        "cell": cell,
                        "dt_ms": step,
                        "a": COUPLINGS,
                        "radius": found.spectral_radius,
                        "radius_closed": closed_forms.spectral_radius(
                            cell, COUPLINGS, TAU_U, TAU_W, step * MS
                        ),
                        "radius_per_ms": found.spectral_radius ** (1 / step),
                        "frequency": found.frequency,
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
    """Random neurons: coupling uniform up to 120, time constants uniform in their ranges, at steps
    of 1 ms."""
    random = np.random.default_rng(seed)
    a = random.uniform(0, 120, count)
    tau_u, tau_w = (random.uniform(*RANGES[name], count) for name in RANGES)
    parts = []
    for cell in CELLS:
        found = linearised(cell, a, tau_u, tau_w, MS)
        parts.append(
            pd.DataFrame(
                {
                    "cell": cell,
                    "a": a,
                    "tau_u": tau_u,
                    "tau_w": tau_w,
                    "radius": found.spectral_radius,
                    "frequency": found.frequency,
                    "radius_error": found.spectral_radius
                    - closed_forms.spectral_radius(cell, a, tau_u, tau_w, MS),
                    "oscillates": oscillates(cell, a, tau_u, tau_w),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def oscillates(cell: str, a: np.ndarray, tau_u: np.ndarray, tau_w: np.ndarray) -> np.ndarray:
    """Inside the oscillatory range, a relative margin away from its ends."""
    low, high = closed_forms.oscillation_range(cell, tau_u, tau_w, MS)
    return (a > low * (1 + MARGIN)) & (a < high * (1 - MARGIN))


def bounds() -> pd.DataFrame:
    """Smallest stability bound over the ranges of time constants, and the bound of the example
    neuron."""
    tau_u, tau_w = np.meshgrid(*(np.linspace(*RANGES[name], 241) for name in RANGES), indexing="ij")
    rows = []
    for cell in CELLS:
        bound = closed_forms.stability_bound(cell, tau_u, tau_w, MS)
        least = np.unravel_index(np.argmin(bound), bound.shape)
        own = closed_forms.stability_bound(cell, np.array(TAU_U), np.array(TAU_W), MS)
        beyond = linearised(
            cell, np.array([own * (1 - 1e-9), own * (1 + 1e-9)]), TAU_U, TAU_W, MS
        ).spectral_radius
        rows.append(
            {
                "cell": cell,
                "smallest_bound": bound[least],
                "tau_u_ms": tau_u[least] / MS,
                "tau_w_ms": tau_w[least] / MS,
                "example_bound": float(own),
                "radius_below_bound": beyond[0],
                "radius_above_bound": beyond[1],
            }
        )
    return pd.DataFrame(rows)


def write(folder: Path, count: int = 100_000) -> None:
    """Tables of this part."""
    example().to_csv(folder / "stability_example.csv", index=False, float_format="%.10g")
    random = draws(count)
    shown = random.groupby("cell").head(SHOWN).drop(columns=["radius_error", "oscillates"])
    shown.to_csv(folder / "stability_draws.csv", index=False, float_format="%.6g")
    parts = []
    for cell, own in random.groupby("cell"):
        inside = own[own["oscillates"]]
        parts.append(
            {
                "cell": cell,
                "draws": count,
                "unstable": float((own["radius"] > 1).mean()),
                "lowest_radius": own["radius"].min(),
                "highest_radius": own["radius"].max(),
                "highest_stable_frequency": own.loc[own["radius"] <= 1, "frequency"].max(),
                "largest_radius_error": float(inside["radius_error"].abs().max()),
            }
        )
    pd.DataFrame(parts).merge(bounds(), on="cell").to_csv(
        folder / "stability.csv", index=False, float_format="%.10g"
    )
