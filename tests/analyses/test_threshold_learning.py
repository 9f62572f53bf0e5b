"""The study of learned thresholds in small: its cell, its rows, judges on tables of known truth."""

from __future__ import annotations

import tomllib
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from neurocode.learning import train
from neurocode.studies import key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("threshold-learning", ROOT)

from analyses.threshold_learning import claims, networks, protocols  # noqa: E402

RATES = {(name, learned, n): 1e-3 for name in protocols.NAMES for learned in protocols.LEARNED for n in (False, True)}


def test_the_cell_and_the_votes_are_those_of_the_released_code():
    """u <- 0.5 u (1 - o) + W o, spike at its own threshold, reset to zero, mean over ten voters of a class."""
    row = protocols.row("quick", "digits", "both", False, 1e-3, 0)
    task = networks.make_task(row)
    net = networks.make_network(row, task)
    x = np.moveaxis(task.test.inputs[:5], 0, 1)
    assert set(np.unique(x)) == {0.0, 1.0}
    thresholds = np.random.default_rng(0).uniform(0.5, 1.5, 100)
    place = (thresholds - 0.01) / 9.99
    net = eqx.tree_at(lambda n: n.layers[0].intrinsic.coordinates["theta"], net, jnp.asarray(place, jnp.float32))
    response = eqx.filter_jit(net)(jnp.asarray(x))
    signal = x
    for layer, theta in ((net.layers[0], thresholds), (net.readout.layer, np.ones(100))):
        weight, u, o, spikes = np.asarray(layer.connection.weight), 0.0, 0.0, []
        for now in signal:
            u = 0.5 * u * (1 - o) + now @ weight
            o = (u > theta).astype(float)
            spikes.append(o)
        signal = np.stack(spikes)
    np.testing.assert_allclose(response.potentials, signal.reshape(8, 5, 10, 10).mean(axis=-1), atol=1e-6)


def test_the_surrogate_is_the_released_arctan():
    """h'(x) = (alpha/2) / (1 + (pi alpha x / 2)^2) with alpha 2."""
    x = jnp.linspace(-2, 2, 31)
    np.testing.assert_allclose(jax.vmap(jax.grad(networks.SURROGATE))(x), 1 / (1 + (jnp.pi * x) ** 2), rtol=1e-5)


def test_one_update_moves_thresholds_and_weights_by_the_same_step():
    """Adam's first step is its rate: 1e-3 for weights, and for thresholds to 0.1 % of it."""
    row = {**protocols.row("quick", "digits", "both", False, 1e-3, 0), "epochs": 1, "sequences": 71}
    task = networks.make_task(row)
    start = networks.make_network(row, task)
    last = train(start, task, settings=networks.make_settings(row)).last
    moved = np.abs(np.asarray(last.layers[0].intrinsic.values()["theta"]) - 1.0)
    weights = np.abs(np.asarray(last.layers[0].connection.weight - start.layers[0].connection.weight))
    np.testing.assert_allclose(np.median(moved[moved > 1e-5]), 1e-3, rtol=2e-3)
    np.testing.assert_allclose(np.median(weights[weights > 1e-5]), 1e-3, rtol=2e-2)


def test_rows_differ_and_have_one_budget():
    tuned = protocols.tuning("reduced")
    assert len(tuned) == 54 and len({key_of(row) for row in tuned}) == 54
    for make, count in ((protocols.trainings, 270), (protocols.decays, 20), (protocols.decisions, 30), (protocols.noisy, 30)):
        rows = make("reduced", RATES)
        assert len(rows) == len({key_of(row) for row in rows}) == count
        assert not {row["seed"] for row in rows} & {row["seed"] for row in tuned}


def test_every_fixed_claim_is_judged_or_absent():
    fixed = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))
    assert {name for name, entry in fixed.items() if "paper_value" not in entry} == set(claims.JUDGES)


def test_a_gain_that_a_tuned_threshold_also_gives_is_not_one():
    """Weights alone reach at threshold 2 what learned thresholds reach at every one: better from 1, not better than tuned."""
    table = pd.DataFrame(protocols.trainings("reduced", RATES)).assign(error=None)
    random = np.random.default_rng(1)
    alone = np.where(table["threshold"] == 2.0, 0.9, 0.8)
    score = np.where(table["learned"] == "weights", alone, 0.9) + 0.001 * random.normal(size=len(table))
    table = table.assign(test_score=score, validation_score=score)
    entry = {"normalised": True}
    assert claims._from_one(table, entry).mean() > 0.09
    assert abs(claims._over("weights")(table, entry).mean()) < 0.005
    rates = np.where(table["learned"] == "weights", 0.1 * table["threshold"], 0.1)
    assert claims._rates(table.assign(rate_hidden=rates), {"normalised": False}).mean() > 0.5
