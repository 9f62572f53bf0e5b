"""The study of complexity classification: judges on tables of known truth, blocks, decoders, and a row of every kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.complexity_classification import protocols
from analyses.complexity_classification.claims import best_cell, claims
from analyses.complexity_classification.networks import neuron
from analyses.complexity_classification.readouts import readout_scores
from analyses.complexity_classification.recordings import States, recorded_task
from analyses.complexity_classification.states import distance_matrix, permuted, thinned
from neurocode.errors import ModelError
from neurocode.statistics.spike_distances import van_rossum_distance
from neurocode.tasks.sources import Bernoulli, Markov, tell_sources_apart


def made(tmp_path, gain, over_count, raw=0.8):
    """Tables in which learning adds ``gain``, complexity ``over_count`` over counts, and raw counts reach ``raw``."""
    random = np.random.default_rng(0)
    rows = []
    for cell in protocols.cells("reduced"):
        for seed in range(10):
            score = 0.9 + (gain if cell[2] == "learned" else 0.0) + 1e-3 * random.standard_normal()
            own = dict(zip(("task", "neuron", "kind", "rule"), cell, strict=True))
            rows.append({**own, "seed": seed, "sequences": 0, "error": None, "test_complexity": score,
                         "validation_complexity": score, "test_count": score - over_count})  # fmt: skip
    pd.DataFrame(rows).assign(key=range(len(rows))).to_parquet(tmp_path / "training.parquet")
    rows = [
        {"task": task, "neuron": neuron, "kind": kind, "rule": "none", "gain": 1.5, "seed": seed, "sequences": 0, "error": None,
         "test_complexity": 0.85, "validation_complexity": 0.85, "test_count": raw}
        for task in protocols.TASKS for neuron, kind in (("none", "raw"), ("lif", "fixed")) for seed in range(10)
    ]  # fmt: skip
    pd.DataFrame(rows).assign(key=range(len(rows))).to_parquet(tmp_path / "controls.parquet")
    return {claim.claim: claim.verdict for claim in claims(tmp_path)}


def test_judges_find_what_tables_hold(tmp_path):
    """A gain of five points is confirmed, none is not; raw inputs that reach the accuracy take the credit."""
    found = made(tmp_path, 0.05, 0.02)
    verdict = {key: next(v for k, v in found.items() if key in k) for key in ("13.5", "8.5", "heterogeneity", "spike count", "raw")}
    assert set(verdict.values()) == {"confirmed"}
    credited = made(tmp_path, 0.05, 0.02, raw=0.999)
    assert {next(v for k, v in credited.items() if key in k) for key in ("13.5", "8.5", "spike count", "raw")} == {"depends"}
    none = made(tmp_path, -0.02, -0.02)
    assert next(v for k, v in none.items() if "13.5" in k) == "not confirmed"
    assert next(v for k, v in none.items() if "spike count" in k) == "not confirmed"


def test_the_best_cell_is_chosen_on_validation(tmp_path):
    made(tmp_path, 0.05, 0.0)
    table = pd.read_parquet(tmp_path / "training.parquet")
    table.loc[(table["rule"] == "stdp") & (table["kind"] == "fixed"), "validation_complexity"] = 2.0
    table.loc[(table["rule"] == "stdp") & (table["kind"] == "fixed"), "test_complexity"] = 0.0
    assert set(best_cell(table, "markov")["rule"]) == {"stdp"}


def test_every_cell_has_the_same_budget():
    """Six settings of two seeds a cell, ten seeds of the test, none of them a seed of the tuning."""
    cells = protocols.cells("reduced")
    rows = pd.DataFrame(protocols.tuning("reduced", cells))
    assert set(rows.groupby(["task", "neuron", "kind", "rule"]).size()) == {12} and len(cells) == 60
    assert rows["updates"].nunique() == 1 and rows["updates"].max() <= 200
    tuned = rows.assign(validation_complexity=rows["factor"])
    settings = protocols.best_settings(tuned)
    assert set(settings.values()) == {(3.0, 1.5)}
    tested = pd.DataFrame(protocols.trainings("reduced", settings, protocols.SEEDS))
    assert len(tested) == 600 and not set(tested["seed"]) & set(rows["seed"])


def test_raw_inputs_reach_what_the_sheet_computed():
    """Equal rates: complexity 0.906 and count 0.547 (standard error of the sheet 0.018, of these 400 samples 0.025); bounds of
    four standard errors of the difference."""
    task = tell_sources_apart([Bernoulli(0.2), Markov(0.2, 0.5)], n_samples=1200, n_bins=500, shares=(0.5, 1 / 6), seed=3)
    found = readout_scores(task, None)
    assert found["test_complexity"] == pytest.approx(0.906, abs=0.08)
    assert found["test_count"] == pytest.approx(0.547, abs=0.12)


def test_divergent_types_are_refused_by_name():
    """The released types T1 and T2 have a below zero."""
    for parameters in ({"a": -0.009, "b": 0.246, "c": -0.058, "d": 0.065}, {"a": -0.009, "b": 0.246, "c": 0.064, "d": 0.091}):
        with pytest.raises(ModelError, match="Parameter 'a'"):
            neuron("meta").with_parameters(parameters)


def states(blocked):
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    rasters = random.random((40, 2, 300)) < np.array([0.1, 0.3])[labels][:, None, None]
    return States("made", rasters, 1e-3, labels, np.tile(np.repeat(np.arange(5), 4), 2), blocked)


def test_permutations_respect_blocks():
    """Every fold keeps its numbers of each state; where samples follow one another whole blocks are exchanged."""
    random = np.random.default_rng(1)
    for blocked in (False, True):
        own = states(blocked)
        orders = [permuted(own, random) for _ in range(20)]
        assert any(not np.array_equal(order, own.labels) for order in orders)
        for order in orders:
            for fold in range(5):
                assert np.bincount(order[own.folds == fold]).tolist() == [4, 4]
                if blocked:
                    assert len(np.unique(order[(own.folds == fold) & (own.labels == 0)])) == 1


def test_thinning_makes_rates_equal():
    """Rates of both states within four standard errors of the lower one (one in 16 000 a side)."""
    own = states(False)
    rasters = thinned(own, np.random.default_rng(2))
    for fold in range(5):
        inside = [rasters[(own.labels == label) & (own.folds == fold)].mean() for label in (0, 1)]
        assert abs(inside[0] - inside[1]) < 4 * np.sqrt(2 * 0.1 * 0.9 / (4 * 2 * 300))
    rates = [rasters[own.labels == label].mean() for label in (0, 1)]
    assert abs(rates[0] - rates[1]) < 4 * np.sqrt(2 * 0.1 * 0.9 / (20 * 2 * 300)) and not np.any(rasters & ~own.rasters)


def test_distances_are_those_of_van_rossum():
    """Against the closed form of the library, within what bins of a millisecond allow."""
    random = np.random.default_rng(0)
    rasters = random.random((3, 1, 400)) < 0.03
    found = distance_matrix(rasters, 1e-3)
    for i, j in ((0, 1), (1, 2)):
        times = [np.flatnonzero(rasters[k, 0]) * 1e-3 for k in (i, j)]
        assert found[i, j] == pytest.approx(van_rossum_distance(*times, 20e-3) ** 2 / 2, rel=0.06)


def test_recorded_states_become_tasks(recorded_data):
    """50 movements of two directions: folds that part them, none in two parts."""
    task = recorded_task("stn-direction", 0)
    assert [len(part) for part in (task.training, task.validation, task.test)] == [30, 10, 10]
    assert task.training.inputs.shape[1:] == (500, 1) and task.test.targets.sum() == 5
