"""Rows of the training tables: what fits into eight core-hours, the released sizes of bursts and
springs, and a quick look.

Seeds of the tuning are not those of the results. SE and EF keep the released learning rate of 0.01
on the tasks of the paper; every rival is tuned there, and every arm on Braille. Steps of the
networks stand for one sample of the data; time constants are in steps.
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
#: Of SE and EF on the electrocardiograms, and of everything else; five systems of springs are the
#: paper's.
PUBLISHED_SEEDS, SEEDS = 12, 5
#: Traces of a network whose neurons are described.
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
#: Rivals are compared in networks of one layer, for as many epochs as the budget has (ours).
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
#: Of 2857 sequences 70 % are 2000 for training.
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
#: Epochs of a tuning of runs at a constant rate, which may be cut short (ours).
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
    """A row without learning rate and seed; ``sequences`` are those of a reduced data set, none
    where it is whole."""
    return {"sequences": 0, **base, "arm": arm, **options}


def tuned_cells(protocol: str) -> tuple[list[Row], Grid]:
    """Arms whose learning rate is searched, and where; what is released trains at a constant rate
    and is tuned in few epochs."""
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
    """The published network of two layers, 400 epochs at a constant rate: SE, EF, and LIF at its
    own rate."""
    if protocol == "quick":
        return _rated([row(QUICK, arm, dataset="bursts-5") for arm in ("SE", "LIF")], best, 1)
    if protocol == "published":
        return []
    rows = [
        *_rated([row(ECG, arm) for arm in ("SE", "EF")], best, PUBLISHED_SEEDS),
        *_rated([row(ECG, "LIF")], best, SEEDS),
    ]
    return sorted(rows, key=lambda own: own["seed"])


def rivals(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Baselines and normalised networks on electrocardiograms and Braille, and learned delays on
    Braille."""
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
    """Trajectories: every arm on the published stiffness, SE and EF on slower and faster springs,
    SE and LIF in small networks."""
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
    """Burst sequences of twenty classes, the most of the paper."""
    if protocol == "quick":
        return _rated([row(QUICK, "EF", dataset="bursts-5")], best, 1)
    size = _sizes(protocol)[0]
    return _rated([row(size, arm, dataset="bursts-20") for arm in ("SE", "EF", "LIF")], best, SEEDS)


def disturbed(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Trained networks that are disturbed: of the electrocardiograms the seeds that SE and LIF
    share, and of bursts."""
    chosen = [own for own in ecg(protocol, best) if own["seed"] < SEEDS]
    chosen += [] if protocol == "quick" else bursts(protocol, best)
    return [own for own in chosen if own["arm"] in ("SE", "LIF")]


def described(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Networks of the electrocardiograms whose neurons are described."""
    return [{**own, "traces": DESCRIBED} for own in ecg(protocol, best) if own["seed"] < SEEDS]


def _sizes(protocol: str) -> tuple[Row, Row]:
    """Networks and data of bursts and of springs."""
    return (PUBLISHED_BURSTS, PUBLISHED_SPRINGS) if protocol == "published" else (BURSTS, SPRINGS)


def _rated(cells: Iterable[Row], best: pd.DataFrame, seeds: int) -> list[Row]:
    """Every cell with its learning rate, for so many seeds."""
    return [
        {**cell, "rate": rate_of(cell, best), "seed": seed}
        for seed, cell in itertools.product(range(seeds), list(cells))
    ]


def rate_of(cell: Row, best: pd.DataFrame) -> float:
    """The rate tuned for this arm and task in networks with as many layers, or the released one.

    Smaller networks take it over, and networks with delays that of those without.
    """
    arm = cell["arm"].removesuffix("-delays")
    found = best[_is(best, {**cell, "arm": arm}, ("arm", "dataset", "layers"))]
    return float(found["rate"].iloc[0]) if len(found) else RELEASED_RATE


def _is(best: pd.DataFrame, cell: Row, names: Sequence[str]) -> pd.Series:
    return (best[list(names)] == [cell[name] for name in names]).all(axis=1)
