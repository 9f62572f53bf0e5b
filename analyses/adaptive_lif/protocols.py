"""Rows of the training tables for three protocols.

The protocol ``reduced`` fits into eight core-hours, ``published`` has the released sizes of bursts
and springs, and ``quick`` gives a quick look. The seeds of the tuning differ from those of the
results. SE and EF keep the released learning rate of 0.01 on the tasks of the paper; every rival is
tuned there, and every arm is tuned on Braille. One step of a network stands for one sample of the
data; time constants are in steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from analyses.adaptive_lif.networks import Row
from analyses.protocol import Grid

PROTOCOLS = ("reduced", "published", "quick")
RELEASED_RATE, GRID = 0.01, {"rate": (3e-3, 0.01, 0.03)}
TUNING_SEEDS = (100, 101, 102)
#: Numbers of seeds: of SE and EF on the electrocardiograms, and of everything else. Five systems of
#: springs are also those of the paper.
PUBLISHED_SEEDS, SEEDS = 12, 5
#: Number of traces in which the neurons of a network are described.
DESCRIBED = 40

ECG = {
    "dataset": "ecg",
    "layers": 2,
    "neurons": 36,
    "batch": 64,
    "blocks": 1,
    "samples": 0,
    "epochs": 400,
    "schedule": "constant",
}
#: Rivals are compared in networks of one layer, for the number of epochs that the budget allows
#: (our choice, not from the paper).
ECG_RIVALS = {**ECG, "layers": 1, "epochs": 20, "schedule": "cosine"}
BRAILLE = {
    "dataset": "braille",
    "layers": 2,
    "neurons": 64,
    "batch": 50,
    "blocks": 1,
    "samples": 0,
    "epochs": 75,
    "schedule": "cosine",
}
#: Of the 2857 sequences 70 %, which are 2000, are for training.
BURSTS = {
    "layers": 1,
    "neurons": 128,
    "batch": 50,
    "blocks": 2,
    "samples": 2857,
    "epochs": 40,
    "schedule": "cosine",
}
SPRINGS = {
    "layers": 1,
    "neurons": 100,
    "batch": 32,
    "blocks": 1,
    "samples": 1024,
    "epochs": 60,
    "schedule": "cosine",
}
PUBLISHED_BURSTS = {
    **BURSTS,
    "neurons": 510,
    "batch": 128,
    "blocks": 4,
    "samples": 8000,
    "epochs": 400,
    "schedule": "constant",
}
PUBLISHED_SPRINGS = {
    **SPRINGS,
    "neurons": 200,
    "batch": 256,
    "samples": 4096,
    "epochs": 200,
    "schedule": "constant",
}
SIZES = (25, 50)

ECG_ARMS = ("SE", "ALIF", "LSTM", "SE-normalised", "LIF-normalised")
BRAILLE_ARMS = ("SE", "LIF", "ALIF", "LSTM", "SE-normalised", "LIF-normalised", "SE-delays")
#: Arms whose learning rate is released.
RELEASED = ("SE", "EF", "SE-feed-forward")
#: Number of epochs in the tuning of runs at a constant rate, which may be cut short (our choice).
TUNED_EPOCHS = 40

QUICK = {
    "layers": 1,
    "neurons": 12,
    "batch": 32,
    "blocks": 1,
    "samples": 100,
    "epochs": 2,
    "schedule": "cosine",
    "sequences": 100,
}


def row(base: Mapping[str, object], arm: str, **options: object) -> Row:
    """Return a row without learning rate and seed.

    ``sequences`` is the size of a reduced data set, and zero for a whole one.
    """
    return {"sequences": 0, **base, "arm": arm, **options}


def tuned_cells(protocol: str) -> tuple[list[Row], Grid]:
    """Return the arms whose learning rate is tuned, and their grid.

    Runs of released configurations train at a constant rate, and are tuned in few epochs.
    """
    if protocol == "quick":
        return [row(QUICK, "LIF", dataset="bursts-5")], {"rate": (RELEASED_RATE,)}
    bursts, springs = _sizes(protocol)
    if protocol == "published":
        bursts, springs = ({**size, "epochs": TUNED_EPOCHS} for size in (bursts, springs))
    tuned = [row(bursts, "LIF", dataset="bursts-20"), row(springs, "LIF", dataset="springs")]
    if protocol == "reduced":
        tuned += [row(ECG, "LIF", epochs=TUNED_EPOCHS)]
        tuned += [row(ECG_RIVALS, arm) for arm in ECG_ARMS if arm not in RELEASED]
        tuned += [row(BRAILLE, arm) for arm in BRAILLE_ARMS if arm != "SE-delays"]
    return tuned, GRID


def ecg(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows of the published network of two layers: SE, EF, and LIF at its tuned rate.

    Networks train for 400 epochs at a constant rate.
    """
    if protocol == "quick":
        return _rated([row(QUICK, arm, dataset="bursts-5") for arm in ("SE", "LIF")], best, 1)
    if protocol == "published":
        return []
    rows = [
        *_rated([row(ECG, arm) for arm in ("SE", "EF")], best, PUBLISHED_SEEDS),
        *_rated([row(ECG, "LIF")], best, SEEDS),
    ]
    return sorted(rows, key=lambda entry: entry["seed"])


def rivals(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows of baselines and normalised networks on electrocardiograms and Braille, and of
    learned delays on Braille."""
    if protocol == "quick":
        arms = ("ALIF", "LSTM", "SE-normalised", "SE-delays")
        return _rated([row(QUICK, arm, dataset="bursts-5") for arm in arms], best, 1)
    if protocol == "published":
        return []
    cells = [
        *(row(ECG_RIVALS, arm) for arm in ECG_ARMS),
        *(row(BRAILLE, arm) for arm in BRAILLE_ARMS),
    ]
    return _rated(cells, best, SEEDS)


def springs(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return the rows of trajectories.

    They are every arm on the published stiffness, SE and EF on slower and faster springs, and SE
    and LIF in small networks.
    """
    size = QUICK if protocol == "quick" else _sizes(protocol)[1]
    if protocol == "quick":
        return _rated([row(size, arm, dataset="springs") for arm in ("SE", "LIF")], best, 1)
    cells = [row(size, arm, dataset="springs") for arm in ("SE", "EF", "LIF", "SE-feed-forward")]
    if protocol == "reduced":
        cells += [
            row(size, arm, dataset=name)
            for name in ("springs-slow", "springs-fast")
            for arm in ("SE", "EF")
        ]
        cells += [
            row(size, arm, dataset="springs", neurons=neurons)
            for neurons in SIZES
            for arm in ("SE", "LIF")
        ]
    return _rated(cells, best, SEEDS)


def bursts(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows of burst sequences of twenty classes, the largest number in the paper."""
    if protocol == "quick":
        return _rated([row(QUICK, "EF", dataset="bursts-5")], best, 1)
    size = _sizes(protocol)[0]
    return _rated([row(size, arm, dataset="bursts-20") for arm in ("SE", "EF", "LIF")], best, SEEDS)


def disturbed(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows of the trained networks that are disturbed.

    They are those on electrocardiograms with the seeds that SE and LIF share, and those on bursts.
    """
    chosen = [entry for entry in ecg(protocol, best) if entry["seed"] < SEEDS]
    chosen += [] if protocol == "quick" else bursts(protocol, best)
    return [entry for entry in chosen if entry["arm"] in ("SE", "LIF")]


def described(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows of the networks on electrocardiograms whose neurons are described."""
    return [
        {**entry, "traces": DESCRIBED} for entry in ecg(protocol, best) if entry["seed"] < SEEDS
    ]


def _sizes(protocol: str) -> tuple[Row, Row]:
    """Return the base rows of bursts and of springs."""
    return (PUBLISHED_BURSTS, PUBLISHED_SPRINGS) if protocol == "published" else (BURSTS, SPRINGS)


def _rated(cells: Iterable[Row], best: pd.DataFrame, seeds: int) -> list[Row]:
    """Return every cell with its learning rate, for ``seeds`` seeds."""
    return [
        {**cell, "rate": rate_of(cell, best), "seed": seed}
        for seed, cell in itertools.product(range(seeds), list(cells))
    ]


def rate_of(cell: Row, best: pd.DataFrame) -> float:
    """Return the rate tuned for this arm and task in networks with as many layers, or the released
    one.

    Smaller networks use the rate of the full size, and networks with delays that of networks
    without them.
    """
    arm = cell["arm"].removesuffix("-delays")
    tuned = best[_is(best, {**cell, "arm": arm}, ("arm", "dataset", "layers"))]
    return float(tuned["rate"].iloc[0]) if len(tuned) else RELEASED_RATE


def _is(best: pd.DataFrame, cell: Row, names: Sequence[str]) -> pd.Series:
    return (best[list(names)] == [cell[name] for name in names]).all(axis=1)
