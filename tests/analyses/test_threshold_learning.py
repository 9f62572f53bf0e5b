"""The study of learned thresholds in small: its cell, its rows, judges on tables of known truth."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from neurocode.learning import train
from neurocode.studies import key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("threshold-learning", ROOT)

from analyses import protocol  # noqa: E402
from analyses.threshold_learning import claims, networks, protocols, training  # noqa: E402

ENTRIES = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))


def row(arm="both", normalised=False, **options):
    return {
        **protocols.cell("quick", "digits", arm, normalised),
        "rate": 1e-3,
        "threshold": 1.0,
        "seed": 0,
        **options,
    }


def test_the_cell_and_the_votes_are_those_of_the_released_code():
    """u <- 0.5 u (1 - o) + W o, spike at its own threshold, reset to zero, mean over ten voters of
    a class."""
    task = networks.make_task(row())
    net = networks.make_network(row(), task)
    x = np.moveaxis(training.drawn(task, 0).inputs[:5], 0, 1)
    assert set(np.unique(x)) == {0.0, 1.0}
    thresholds = np.random.default_rng(0).uniform(0.5, 1.5, 100)
    place = (thresholds - 0.01) / 9.99
    net = eqx.tree_at(
        lambda n: n.layers[0].intrinsic.coordinates["theta"], net, jnp.asarray(place, jnp.float32)
    )
    response = eqx.filter_jit(net)(jnp.asarray(x))
    signal = x
    for layer, theta in ((net.layers[0], thresholds), (net.readout.layer, np.ones(100))):
        weight, u, o, spikes = np.asarray(layer.connection.weight), 0.0, 0.0, []
        for current in signal:
            u = 0.5 * u * (1 - o) + current @ weight
            o = (u > theta).astype(float)
            spikes.append(o)
        signal = np.stack(spikes)
    np.testing.assert_allclose(
        response.potentials, signal.reshape(4, 5, 10, 10).mean(axis=-1), atol=1e-6
    )


def test_the_surrogate_is_the_released_arctan():
    """h'(x) = (alpha/2) / (1 + (pi alpha x / 2)^2) with alpha 2."""
    x = jnp.linspace(-2, 2, 31)
    np.testing.assert_allclose(
        jax.vmap(jax.grad(networks.SURROGATE))(x), 1 / (1 + (jnp.pi * x) ** 2), rtol=1e-5
    )


def test_images_are_drawn_anew_at_every_presentation_with_the_intensity_as_probability():
    """Two updates on the same images see other spikes; over 2000 draws of four steps within 4.5
    standard errors."""
    task = networks.make_task(row())
    inputs = jnp.moveaxis(jnp.asarray(task.test.inputs[:2]), 0, 1)
    draws = np.stack([task.shown(inputs, jax.random.key(k), training=True) for k in range(500)])
    assert not np.array_equal(draws[0], draws[1])
    p = np.asarray(task.test.inputs[:2, 0])
    error = np.sqrt(p * (1 - p) / 2000)
    assert np.all(np.abs(draws.mean(axis=(0, 1)) - p) <= 4.5 * error + 1e-6)


def test_one_update_moves_thresholds_and_weights_by_the_same_step():
    """Adam's first step is its rate: 1e-3 for weights, and for thresholds to 0.1 % of it; the decay
    ends it at zero."""
    settings = row(epochs=1, sequences=71)
    task = networks.make_task(settings)
    start = networks.make_network(settings, task)
    last = train(start, task, settings=replace(networks.make_settings(settings), clip=None)).last
    moved = np.abs(np.asarray(last.layers[0].intrinsic.values()["theta"]) - 1.0)
    weights = np.abs(
        np.asarray(last.layers[0].connection.weight - start.layers[0].connection.weight)
    )
    np.testing.assert_allclose(np.median(moved[moved > 1e-5]), 1e-3, rtol=2e-3)
    np.testing.assert_allclose(np.median(weights[weights > 1e-5]), 1e-3, rtol=2e-2)


@pytest.mark.parametrize(
    ("arm", "moves"),
    [("both", (True, True)), ("weights", (True, False)), ("thresholds", (False, True))],
)
def test_arms_learn_what_they_are_named_after(arm, moves):
    settings = row(arm, epochs=1, rate=1e-2)
    task = networks.make_task(settings)
    start = networks.make_network(settings, task)
    last = train(start, task, settings=networks.make_settings(settings)).last
    changed = [
        not np.allclose(start.layers[0].connection.weight, last.layers[0].connection.weight),
        not np.allclose(
            start.layers[0].intrinsic.values()["theta"], last.layers[0].intrinsic.values()["theta"]
        ),
    ]
    assert tuple(changed) == moves


@pytest.mark.parametrize(
    ("net", "depth", "sizes"),
    [("dense", 4, [100] * 4), ("convolutional", 4, [8 * 14**2] * 2 + [8 * 7**2] * 2)],
)
def test_deep_networks_have_so_many_hidden_layers(net, depth, sizes):
    task = type("Task", (), {"n_outputs": 10, "n_inputs": 784})
    made = networks.make_network(row(net=net, depth=depth, normalised=True), task)
    assert [layer.n for layer in made.layers] == sizes
    assert all(
        layer.connection.parts[-1].scale.shape == ((100,) if net == "dense" else (8,))
        for layer in made.layers
    )


def test_rows_differ_and_have_one_budget():
    cells, grid = protocols.single("reduced")
    assert len(cells) == 3 * 4 * 2 and len(grid["rate"]) == len(grid["threshold"]) == 3
    best = pd.DataFrame(cells).assign(rate=1e-3, threshold=1.0, at_edge=False)
    rows = protocol.trainings("reduced", best)
    assert len(rows) == len({key_of(settings) for settings in rows}) == 24 * 8
    assert not {settings["seed"] for settings in rows} & set(protocol.tuning_seeds("reduced"))
    deep, _ = protocols.deep("reduced")
    assert len(deep) == 2 * 4 * 2 and {cell["normalised"] for cell in deep} == {True}


def test_starts_take_the_rate_that_is_best_for_each_threshold():
    """At threshold 2 the larger rate is better, at the others the smaller; a widened threshold of 4
    is no start."""
    cells, _ = protocols.single("reduced")
    plan = [
        {**cell, "rate": rate, "threshold": theta, "seed": seed}
        for cell in cells
        for rate in (1e-3, 1e-2)
        for theta in (0.5, 1.0, 2.0, 4.0)
        for seed in (100, 101)
    ]
    table = pd.DataFrame(plan)
    table["validation_score"] = np.where(
        (table["threshold"] == 2.0) == (table["rate"] == 1e-2), 0.9, 0.8
    )
    rows = pd.DataFrame(protocols.starts("reduced", table))
    assert len(rows) == 3 * 2 * 2 * 3 * 8 and set(rows["arm"]) == {"both", "weights"}
    assert rows.groupby("threshold")["rate"].unique().map(list).to_dict() == {
        0.5: [1e-3],
        1.0: [1e-3],
        2.0: [1e-2],
    }


def test_every_fixed_claim_is_judged_or_absent():
    assert {name for name, entry in ENTRIES.items() if "paper_value" not in entry} == set(
        claims.JUDGES
    )


def made_table():
    plan = [
        (arm, normalised, threshold, seed)
        for arm in protocols.ARMS
        for normalised in (True, False)
        for threshold in (0.5, 1.0, 2.0)
        for seed in range(8)
    ]
    table = pd.DataFrame(plan, columns=["arm", "normalised", "threshold", "seed"])
    return table.assign(
        best_epoch=5,
        training_score=0.95,
        chance=0.1,
        test_score=0.9,
        noise=0.8,
        salt=0.8,
        flips=0.8,
        operations=100.0,
        rate_hidden=0.1,
        rate_first=0.2,
        rate_last=0.1,
    )


def judged(name, table):
    return claims.JUDGES[name][1](table, ENTRIES[name])


def test_judges_see_planted_differences():
    """By hand: two points of accuracy at threshold 1, normalised alone; a third of three points of
    noise; half the operations."""
    table = made_table()
    gain = (table["arm"] == "both") & table["normalised"] & (table["threshold"] == 1.0)
    np.testing.assert_allclose(
        judged("over_weights", table.assign(test_score=0.9 + 0.02 * gain)).values, 0.02
    )
    np.testing.assert_allclose(
        judged("over_weights_plain", table.assign(test_score=0.9 + 0.02 * gain)).values, 0.0
    )
    at_one = table[table["threshold"] == 1.0]
    worse = 0.8 - 0.03 * (at_one["arm"] == "weights")
    np.testing.assert_allclose(judged("noise", at_one.assign(salt=worse)).values, 0.01)
    deep = at_one[at_one["normalised"]].assign(net="dense", depth=4)
    halved = deep.assign(operations=np.where(deep["arm"] == "both", 50.0, 100.0))
    np.testing.assert_allclose(judged("deep_operations_dense_4", halved).values, np.log(2))
    assert len(judged("deep_operations_dense_8", halved).values) == 0


def test_the_spread_of_rates_is_that_over_starts_of_trained_networks():
    """SL fires in proportion to the threshold, by factors of two: a spread of ln 2 for each seed;
    STL not at all."""
    table = made_table()
    rates = np.where(table["arm"] == "weights", 0.1 * table["threshold"], 0.1)
    np.testing.assert_allclose(judged("rates", table.assign(rate_hidden=rates)).values, np.log(2))
    failed = (table["seed"] == 3) & (table["threshold"] == 2.0) & (table["arm"] == "both")
    pairs = judged("rates", table.assign(rate_hidden=rates, best_epoch=np.where(failed, 1, 5)))
    assert len(pairs.values) == 7 and pairs.untrained == 1
