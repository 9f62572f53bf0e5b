"""Rows of the study: the pilot that chooses distances and sizes, the cells of neuron, kind and
rule, the recordings, and the structure planted in trains of their size.

All numbers are our choice, not from the paper. The seeds of the pilot and of the tuning differ from
those of the results.
"""

from __future__ import annotations

import itertools

import pandas as pd

from analyses.complexity_classification.data import FAMILIES
from analyses.protocol import Grid, Row, result_seeds, tuning_seeds

PROTOCOLS = ("reduced", "quick")
#: Distances that the pilot tries, from hard to easy, and its numbers of neurons.
DISTANCES = {
    "bernoulli": (0.005, 0.01, 0.015, 0.02),
    "markov": (0.2, 0.3, 0.45, 0.6),
    "gamma": (3.0, 5.0, 7.0, 15.0),
    "poisson": (0.04, 0.06, 0.08, 0.12),
}
SIZES = (16, 32, 64)
#: Range of the validation accuracy that fixed parameters must have at a distance with their best
#: size, and the accuracy to which the chosen distance comes nearest.
BAND, GOAL = (0.7, 0.9), 0.8
EPOCHS, PILOT_RATE = 15, 0.03
#: Rules and the number of layers that they train; rules other than gradients train one (see
#: ``neurocode.learning.rules.rule.only_layer``).
ARMS = (("gradient", 1), ("gradient", 2), ("tempotron", 1), ("teacher", 1), ("reward", 1))
#: The neurons of the paper, those of the table of heterogeneity, and kinds of intrinsic parameters:
#: equal and held, random and held, equal at the start and learned, random at the start and learned.
NEURONS, ALL_NEURONS, KINDS = (
    ("lif", "meta"),
    ("lif", "threshold", "adlif", "meta"),
    ("fixed", "random", "learned", "both"),
)
PLASTICITY = ("teacher", "reward")
#: Learning rates of Adam, and factors on the rates of the other rules.
GRIDS: dict[str, Grid] = {
    "gradient": {"rate": (0.01, 0.03, 0.1)},
    **{rule: {"rate": (0.333333, 1.0, 3.0)} for rule in ("tempotron", *PLASTICITY)},
}
#: Number of the three seeds of the tuning that must have trained for a cell to enter the results.
MUST_TRAIN = 2
#: Correlations of neighbouring bins that are planted, number of repeats of each, and number of
#: repeats without correlation.
CORRELATIONS, PLANTED, WITHOUT = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6), 100, 200
PERMUTATIONS = 200
LOADS, CYCLES, LOAD_SEEDS = (1.0, 2.0, 2.5, 3.0, 3.5), 5000, range(10)


def cell(
    protocol: str,
    dataset: str,
    distance: float,
    units: int,
    neuron: str,
    kind: str,
    rule: str,
    depth: int,
) -> Row:
    """Return a row without a learning rate and without a seed."""
    quick = protocol == "quick"
    return {
        "dataset": dataset,
        "distance": distance,
        "units": units,
        "neuron": neuron,
        "kind": kind,
        "rule": rule,
        "depth": depth,
        "epochs": 2 if quick else EPOCHS,
        "sequences": 120 if quick else 0,
    }


def pilot(protocol: str) -> list[Row]:
    """Return the rows of the pilot.

    These are fixed leaky integrate-and-fire neurons under gradients, at every distance and with
    every number of neurons.
    """
    quick = protocol == "quick"
    plan = (
        [("markov", 0.5)]
        if quick
        else [(name, distance) for name, distances in DISTANCES.items() for distance in distances]
    )
    sizes = SIZES[:1] if quick else SIZES
    return [
        {
            **cell(protocol, *task, units, "lif", "fixed", "gradient", 1),
            "rate": PILOT_RATE,
            "seed": seed,
        }
        for task, units, seed in itertools.product(plan, sizes, tuning_seeds(protocol))
    ]


def chosen(pilot: pd.DataFrame, band: tuple[float, float] = BAND) -> pd.DataFrame:
    """Choose the distance and the number of neurons of every task from the table of the pilot.

    At each distance the number of neurons with the best mean validation accuracy is taken, and of
    equally good numbers the smaller one. Of the distances whose accuracy then lies in the band, the
    one nearest to the goal is taken, and of equally near ones the harder one. A task without such a
    distance is left out.
    """
    means = (
        pilot.groupby(["dataset", "distance", "units"], sort=True)["validation_score"]
        .mean()
        .reset_index()
    )
    best = means.loc[means.groupby(["dataset", "distance"])["validation_score"].idxmax()]
    inside = best[best["validation_score"].between(*band)]
    nearest = inside.assign(off=(inside["validation_score"] - GOAL).abs().round(9)).sort_values(
        ["dataset", "off", "distance"]
    )
    return (
        nearest.groupby("dataset")
        .head(1)
        .set_index("dataset")
        .loc[lambda t: [name for name in FAMILIES if name in t.index]]
    )


def cells(protocol: str, tasks: pd.DataFrame) -> list[Row]:
    """Return every cell of the chosen tasks, for the claims of the paper and for the table of
    heterogeneity."""
    plan = [
        ("lif", "learned", "gradient", 1),
        ("lif", "random", "gradient", 1),
        ("lif", "fixed", "teacher", 1),
    ]
    if protocol != "quick":
        paper = [
            (neuron, kind, *arm)
            for neuron, kind, arm in itertools.product(NEURONS, ("fixed", "learned"), ARMS)
            if (neuron, arm[0]) != ("meta", "reward")
        ]
        # Equal fixed thresholds are those of the fixed leaky integrate-and-fire neuron.
        table = [
            (*combination, "gradient", 1)
            for combination in itertools.product(ALL_NEURONS, KINDS)
            if combination != ("threshold", "fixed")
        ]
        plan = list(dict.fromkeys([*paper, *table]))
    return [
        cell(protocol, name, float(task.distance), int(task.units), *combination)
        for (name, task), combination in itertools.product(tasks.iterrows(), plan)
    ]


def grid(protocol: str, rule: str) -> Grid:
    """Return the learning rates of a rule."""
    return {"rate": GRIDS[rule]["rate"][1:2]} if protocol == "quick" else GRIDS[rule]


def with_trained(
    best: pd.DataFrame, tuned: pd.DataFrame, trained: pd.Series, protocol: str
) -> pd.DataFrame:
    """Add to the settings the number of tuning seeds that trained, and whether the cell is left
    out.

    A cell is left out if fewer than two of its three seeds trained. Plasticity with fixed
    parameters is always kept, because a claim asks whether it is better than no training.
    """
    names = [name for name in best.columns if name != "at_edge"]
    counts = (
        tuned.assign(trained_seeds=trained.astype(int))
        .groupby(names, sort=False)["trained_seeds"]
        .sum()
        .reset_index()
    )
    merged = best.merge(counts, on=names, validate="one_to_one")
    needed = 0 if protocol == "quick" else MUST_TRAIN
    always_kept = merged["rule"].isin(PLASTICITY) & (merged["kind"] == "fixed")
    return merged.assign(left_out=(merged["trained_seeds"] < needed) & ~always_kept)


def trainings(protocol: str, settings: pd.DataFrame) -> list[Row]:
    """Return rows with fresh seeds of the cells that are not left out."""
    kept = settings[~settings["left_out"]].drop(columns=["at_edge", "trained_seeds", "left_out"])
    return [
        {**setting, "seed": seed}
        for setting in kept.to_dict("records")
        for seed in result_seeds(protocol)
    ]


def recorded(protocol: str, names: list[str]) -> list[Row]:
    """Return the rows of the recordings whose states are read."""
    return [
        {"name": name, "permutations": PERMUTATIONS, "seed": 0, "sequences": 0} for name in names
    ]


def planted(protocol: str, names: list[str]) -> list[Row]:
    """Return rows of every planted correlation in trains of the size of every recording."""
    quick = protocol == "quick"
    correlations, repeats, without = (
        ((0.0, 0.6), 10, 20) if quick else (CORRELATIONS, PLANTED, WITHOUT)
    )
    return [
        {
            "dataset": name,
            "correlation": c,
            "repeats": repeats,
            "without": without,
            "seed": 0,
            "sequences": 0,
        }
        for name, c in itertools.product(names, correlations)
    ]


def capacities(protocol: str) -> list[Row]:
    """Return rows of the loads of the Tempotron."""
    quick = protocol == "quick"
    loads, seeds, cycles = (LOADS[:1], range(1), 50) if quick else (LOADS, LOAD_SEEDS, CYCLES)
    return [
        {"load": load, "cycles": cycles, "seed": seed, "sequences": 0}
        for load, seed in itertools.product(loads, seeds)
    ]
