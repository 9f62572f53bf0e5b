"""The surrogate gradient study in small: its cell, its rows, its judges on tables of known truth."""

from __future__ import annotations

import tomllib
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from neurocode.learning import evaluate
from neurocode.studies import key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("surrogate-gradients", ROOT)

from analyses.surrogate_gradients import claims, networks, protocols  # noqa: E402


def test_the_cell_is_that_of_the_paper():
    """Update equations of the paper written out in NumPy, one layer with recurrence and its readout, in float64."""
    row = protocols.row("quick", recurrent="gradient", gain=15.0, neurons=30)
    net = networks.make_network(row)
    x = (np.random.default_rng(0).random((60, 3, 20)) < 0.1).astype(float)
    with jax.enable_x64(True):
        net = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), net)
        response = eqx.filter_jit(net)(jnp.asarray(x))
    w, v, out = (
        np.asarray(a, float)
        for a in (net.layers[0].connection.weight, net.layers[0].recurrent.weight, net.readout.connection.weight)
    )
    mem, syn, slow = np.exp(-0.1), np.exp(-0.2), np.exp(-0.05)
    u, c, s = (np.zeros((3, 30)) for _ in range(3))
    potential, current = np.zeros((3, 10)), np.zeros((3, 10))
    for step in range(60):
        u, c = (mem * u + (1 - mem) * c) * (1 - s), syn * c + x[step] @ w + s @ v
        s = (u > 1).astype(float)
        assert np.array_equal(np.asarray(response.spikes[0][step]), s)
        potential, current = slow * potential + (1 - slow) * current, syn * current + s @ out
        np.testing.assert_allclose(response.potentials[step], potential, atol=1e-12)
    assert np.mean(np.asarray(response.spikes[0])) > 0.01


def test_the_published_start_is_silent_and_the_other_one_fires():
    """At least one spike per neuron and trial from the firing start."""
    for gain, low, high in ((1.0, 0.0, 0.0), (protocols.FIRING, 1.0, 5.0)):
        row = protocols.row("quick", gain=gain, samples=50)
        task = networks.make_task(row)
        spikes = 100 * evaluate(networks.make_network(row), task.validation, task).rates[0]
        assert low <= spikes <= high


def test_the_grid_has_the_size_that_was_fixed():
    """3 shapes x 12 slopes x 6 rates, then 36 x 5: 253 440 updates of 250 sequences; no two rows are one."""
    stage_1 = protocols.grid("reduced")
    scores = pd.DataFrame(stage_1).assign(validation_score=np.random.default_rng(0).random(len(stage_1)))
    stage_2 = protocols.repeated("reduced", scores)
    assert (len(stage_1), len(stage_2)) == (216, 180)
    assert sum(row["epochs"] * 8000 // row["batch"] for row in stage_1 + stage_2) == 253_440
    rows = [*stage_1, *stage_2, *(r for make in (protocols.controls, protocols.sparse) for r in make("reduced"))]
    assert len({key_of(row) for row in rows}) >= len(rows) - 6  # the unbounded rows of two tables are one


def test_every_fixed_claim_has_its_judge():
    fixed = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))
    assert set(fixed) - {"chance"} == set(claims.JUDGES)
    assert all({"claim", "source", "statistic", "bound"} <= set(fixed[name]) for name in claims.JUDGES)


def scores(rows, **values):
    return pd.DataFrame(rows).assign(error=None, **values)


def test_judges_see_what_tables_hold():
    """A shape that is worse by 5 points is seen, one by 1 point is within the bound; chance is chance."""
    stage_1 = scores(protocols.grid("reduced"), validation_score=0.5)
    repeats = pd.DataFrame(protocols.repeated("reduced", stage_1)).assign(error=None)
    noise = 0.002 * np.random.default_rng(1).normal(size=len(repeats))
    for gap, holds in ((0.05, False), (0.01, True)):
        good = 0.9 - gap * (repeats["shape"] == "sigmoid") - 0.3 * (repeats["beta"] > 100) + noise
        values, judged = claims._shape("repeats")({"repeats": repeats.assign(validation_score=good, test_score=good)}, 0.1, 0.02)
        assert bool(judged) == holds and abs(values.mean() - gap) < 0.004
    control = scores(protocols.controls("reduced"), validation_score=0.1, test_score=0.1)
    assert claims._zero_silent({"controls": control}, 0.1, 0.0)[1]
    assert not claims._zero_silent({"controls": control.assign(test_score=0.15)}, 0.1, 0.0)[1]


def test_a_broken_line_is_found():
    """Accuracy that falls below 0.3 spikes: place within 10 %, and a straight line is not called broken."""
    random = np.random.default_rng(2)
    spikes = 10 ** random.uniform(-2, 1, 60)
    accuracy = 0.9 + np.minimum(np.log10(spikes / 0.3), 0) * 0.6 + 0.01 * random.normal(size=60)
    table = pd.DataFrame({"spikes": spikes, "test_score": accuracy})
    place, below, above = claims.fit_broken_line(table)
    assert 10**place == pytest.approx(0.3, rel=0.1) and below == pytest.approx(0.6, abs=0.05) and abs(above) < 0.05
    assert claims._sparse("sparse")({"sparse": table}, 0.1, 0.0)[1]
    straight = table.assign(test_score=0.5 + 0.1 * np.log10(spikes) + 0.02 * random.normal(size=60))
    assert not claims._sparse("sparse")({"sparse": straight}, 0.1, 0.0)[1]
