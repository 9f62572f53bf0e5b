"""Rows of the study. The grids are those of the figure (read off); sizes of the reduced protocol are ours."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd

PROTOCOLS = ("reduced", "full", "quick")
BETAS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0, 1000.0)
RATES = (1e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1)
#: Families with the peak as transcribed; the logistic derivative also with peak one, and the other noise density.
SHAPES = {"superspike": 1.0, "sigmoid": 0.25, "piecewise_linear": 1.0}
MORE_SHAPES = {"sigmoid": 1.0, "gaussian": 1.0}
FEW_BETAS = (5.0, 20.0, 100.0)
#: Slopes of each shape that are repeated on the other spectrum.
BEST_SLOPES = 4
DEPTHS = (1, 2, 4)
BEST_RATE = 0.05
#: Weights of the firing start over the published ones (at least one spike per neuron and trial), and upper-bound strengths.
FIRING = 20.0
STRENGTHS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FIRING_STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
EPOCHS = {"reduced": 20, "full": 50, "quick": 1}
SAMPLES = {"reduced": 1000, "full": 1000, "quick": 32}

Row = dict[str, Any]


def row(protocol: str, **own: Any) -> Row:
    """A row, of what it does not say otherwise."""
    surrogate = {"shape": "superspike", "height": 1.0, "beta": 10.0, "asymptotic": False, "reset_gradient": False}
    network = {"depth": 1, "recurrent": "", "neurons": 100, "gain": 1.0}
    training = {"rate": BEST_RATE, "upper": 0.0, "epochs": EPOCHS[protocol], "batch": 250, "seed": 0}
    data = {"spectrum": "printed", "samples": SAMPLES[protocol], "data_seed": 0}
    return {**surrogate, **network, **training, **data, "describe": False, **own}


def _some(protocol: str, values: Sequence) -> Sequence:
    """All values, or one in the quick protocol."""
    return values[-1:] if protocol == "quick" else values


def _seeds(protocol: str, count: int) -> list[dict[str, int]]:
    """Fresh seeds of weights, order and manifolds."""
    return [{"seed": k, "data_seed": k} for k in range(1, 1 + (1 if protocol == "quick" else count))]


def grid(protocol: str, **own: Any) -> list[Row]:
    """Stage 1: every shape, slope and learning rate on one data set from one start; ``own`` settings apply to all."""
    cells = itertools.product(SHAPES.items(), _some(protocol, BETAS), _some(protocol, RATES))
    return [row(protocol, shape=shape, height=height, beta=beta, rate=rate, **own) for (shape, height), beta, rate in cells]


def repeated(protocol: str, stage_1: pd.DataFrame, spectrum: str = "printed") -> list[Row]:
    """Stage 2: for every shape and slope the learning rate best on validation, with fresh seeds.

    On the released spectrum only the slopes of each shape that were best on validation.
    """
    best = stage_1.loc[stage_1.groupby(["shape", "height", "beta"])["validation_score"].idxmax()]
    if spectrum != "printed":
        best = best.sort_values("validation_score").groupby(["shape", "height"]).tail(BEST_SLOPES)
    return [
        row(protocol, shape=own.shape, height=own.height, beta=own.beta, rate=own.rate, spectrum=spectrum,
            describe=spectrum == "printed", **seed)
        for own in best[["shape", "height", "beta", "rate"]].itertuples(index=False) for seed in _seeds(protocol, 5)
    ]  # fmt: skip


def more_shapes(protocol: str) -> list[Row]:
    """The logistic derivative with peak one, and the Gaussian density."""
    return [
        row(protocol, shape=shape, height=height, beta=beta, **seed)
        for (shape, height), beta, seed in itertools.product(MORE_SHAPES.items(), _some(protocol, FEW_BETAS), _seeds(protocol, 5))
    ]


def controls(protocol: str) -> list[Row]:
    """No derivative and a constant one, from the silent and from a firing start; SuperSpike from the firing one."""
    rates = _some(protocol, RATES)
    plan = [("zero", gain, BEST_RATE) for gain in (1.0, FIRING)] + [("superspike", FIRING, BEST_RATE)]
    plan += [("constant", gain, rate) for gain in (1.0, FIRING) for rate in rates]
    return [
        row(protocol, shape=shape, gain=gain, rate=rate, **seed)
        for (shape, gain, rate), seed in itertools.product(plan, _seeds(protocol, 5))
    ]


def firing_start(protocol: str) -> list[Row]:
    """The shapes from a start at which every neuron fires: what of the effect of the slope is that of a silent start."""
    cells = itertools.product(SHAPES.items(), _some(protocol, FEW_BETAS), _seeds(protocol, 3))
    return [row(protocol, shape=shape, height=height, beta=beta, gain=FIRING, **seed) for (shape, height), beta, seed in cells]


def resets(protocol: str, **own: Any) -> list[Row]:
    """Normalised and asymptotic, attached and detached, by depth and slope; ``own`` settings apply to all."""
    depths, betas = _some(protocol, DEPTHS), _some(protocol, FEW_BETAS)
    plan = itertools.product((False, True), (False, True), depths, betas, _seeds(protocol, 3))
    return [row(protocol, asymptotic=a, reset_gradient=r, depth=d, beta=b, **seed, **own) for a, r, d, b, seed in plan]


def firing_resets(protocol: str) -> list[Row]:
    """The same from a start at which every neuron fires: deeper networks do not leave the silent one."""
    return resets(protocol, gain=FIRING)


def loops(protocol: str) -> list[Row]:
    """Recurrent networks with and without the gradient through their connections."""
    plan = itertools.product((False, True), ("gradient", "no gradient"), _some(protocol, FEW_BETAS), _seeds(protocol, 3))
    return [row(protocol, asymptotic=a, recurrent=r, beta=b, **seed) for a, r, b, seed in plan]


def sparse(protocol: str, strengths: Sequence[float] = STRENGTHS, **own: Any) -> list[Row]:
    """Ever stronger upper bounds of activity; ``own`` settings apply to all."""
    plan = itertools.product(_some(protocol, strengths), _seeds(protocol, 5))
    return [row(protocol, upper=strength, **seed, **own) for strength, seed in plan]


def firing_sparse(protocol: str) -> list[Row]:
    """The same from a start at which every neuron fires: strong bounds keep a silent one silent."""
    return sparse(protocol, FIRING_STRENGTHS, gain=FIRING)


def n_rows(table: str, protocol: str) -> int:
    """Rows of a table."""
    makers = {
        "controls": controls, "grid": grid, "resets": resets, "loops": loops, "sparse": sparse, "more_shapes": more_shapes,
        "firing_start": firing_start, "firing_sparse": firing_sparse, "firing_resets": firing_resets,
        "attached_grid": superspike_grid,
    }  # fmt: skip
    if table in makers:
        return len(makers[table](protocol))
    slopes = len(_some(protocol, BETAS))
    repeats = slopes if table == "repeats" else min(slopes, BEST_SLOPES)
    return len(SHAPES) * repeats * len(_seeds(protocol, 5))


def superspike_grid(protocol: str, **own: Any) -> list[Row]:
    """The grid of one shape, for the statistic of the asymptotic surrogate with an attached reset."""
    return [cell for cell in grid(protocol, **own) if cell["shape"] == "superspike"]
