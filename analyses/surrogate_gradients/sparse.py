"""The sparse limit: the activity at which the broken line of accuracy against activity has its
break."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analyses.protocol import is_trained

#: Number of places at which a break is tried, number of samples of the bootstrap, and smallest
#: number of networks to which a line is fitted.
PLACES, SAMPLES = 60, 500
FEWEST = 5


def fit_broken_line(table: pd.DataFrame) -> tuple[float, float, float]:
    """Fit a broken line to test accuracy against the decimal logarithm of spikes per neuron and
    sequence.

    The fit is by least squares over the networks that trained and fire. The break is sought on a
    grid between the second lowest and the second highest activity.

    Returns
    -------
    (float, float, float)
        Place of the break, slope below it and slope above it; NaN if there are fewer than five
        networks.
    """
    rows = table[(table["spikes"] > 0) & is_trained(table)]
    if len(rows) < FEWEST:
        return float("nan"), float("nan"), float("nan")
    x, y = np.log10(rows["spikes"].to_numpy()), rows["test_score"].to_numpy()
    inner = np.unique(x)[1:-1]
    places = np.linspace(inner[0], inner[-1], PLACES)
    beyond = x - places[:, None]
    design = np.stack([np.ones_like(beyond), np.minimum(beyond, 0), np.maximum(beyond, 0)], axis=2)
    fits = np.linalg.pinv(design) @ y
    errors = np.sum((np.einsum("pxk,pk->px", design, fits) - y) ** 2, axis=1)
    best = int(np.argmin(errors))
    return float(places[best]), float(fits[best, 1]), float(fits[best, 2])


def lines_by_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the broken line of every seed: ``place, below, above``."""
    seeds = sorted(table["seed"].unique())
    lines = [fit_broken_line(table[table["seed"] == seed]) for seed in seeds]
    return pd.DataFrame(
        lines, index=pd.Index(seeds, name="seed"), columns=["place", "below", "above"]
    )


def write_limit(table: pd.DataFrame, path: Path) -> None:
    """Write the activity at which the line over all seeds breaks, and the slopes per decade.

    The 95 % interval of the activity is a bootstrap over seeds.
    """
    seeds, random = np.array(sorted(table["seed"].unique())), np.random.default_rng(0)
    drawn = [
        fit_broken_line(
            pd.concat([table[table["seed"] == seed] for seed in random.choice(seeds, len(seeds))])
        )[0]
        for _ in range(SAMPLES)
    ]
    place, below, above = fit_broken_line(table)
    low, high = 10 ** np.nanquantile(drawn, [0.025, 0.975])
    row = {
        "spikes": 10**place,
        "low": low,
        "high": high,
        "slope_below": below,
        "slope_above": above,
    }
    pd.DataFrame([row]).to_csv(path, index=False, float_format="%.6g")
