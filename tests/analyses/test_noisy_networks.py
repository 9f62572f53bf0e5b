"""The study of noisy networks in small: its kinds, its rows, epochs of equal accuracy, judges on tables of known truth."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from neurocode.studies import key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("noisy-networks", ROOT)

from analyses.noisy_networks import claims, networks, protocols, robustness, training  # noqa: E402


def test_the_deterministic_surrogate_is_the_density_of_the_noise():
    """At the same margins; the released one is a Gaussian of width 0.707 whatever the noise."""
    x = jnp.linspace(-1, 1, 41)
    noisy, _, _ = networks.make_layer("escape", 0.3)
    _, matched, _ = networks.make_layer("deterministic", 0.3)
    _, released, _ = networks.make_layer("released", 0.3)
    np.testing.assert_allclose(matched.derivative(x), noisy.noise.density(x, noisy.values, 1e-3), rtol=1e-5)
    np.testing.assert_allclose(released.derivative(x), jnp.exp(-(x**2)) / jnp.sqrt(jnp.pi), rtol=1e-5)


def test_every_kind_starts_from_the_same_weights_and_has_one_budget():
    rows = [protocols.row("quick", "digits", kind, 1e-3, 3) for kind in protocols.KINDS]
    task = networks.make_task(rows[0])
    weights = [np.asarray(networks.make_network(row, task).layers[0].connection.weight) for row in rows]
    assert all(np.array_equal(weights[0], other) for other in weights)
    tuned = pd.DataFrame(protocols.tuning("reduced"))
    assert set(tuned.groupby(["dataset", "kind"]).size()) == {len(protocols.RATES)}
    scored = tuned.assign(validation_score=tuned["rate"])
    found = protocols.trainings("reduced", scored)
    assert len(found) == 90 and {row["rate"] for row in found} == {1e-2}
    assert not {row["seed"] for row in found} & set(tuned["seed"])
    assert (
        len({key_of(row) for row in [*protocols.tuning("reduced"), *found, *protocols.widths("reduced", scored)]}) == 54 + 90 + 20
    )


def test_epochs_are_chosen_at_equal_validation_accuracy():
    """The lowest best accuracy is 0.9; each network is stopped where it first is nearest to it."""
    curves = {"deterministic": "0.5 0.8 0.91 0.95", "escape": "0.4 0.9 0.9 0.88", "both": "0.2 0.7 0.9 0.93"}
    base = protocols.row("reduced", "digits", "escape", 1e-3, 0)
    table = pd.DataFrame([{**base, "kind": kind, "rate": 0.1 * k, "curve": text} for k, (kind, text) in enumerate(curves.items())])
    rows = {row["kind"]: row for row in protocols.matched(table)}
    assert {kind: row["epochs"] for kind, row in rows.items()} == {"deterministic": 3, "escape": 2, "both": 3}
    assert rows["escape"]["other"] == "deterministic" and rows["escape"]["other_epochs"] == 3
    assert rows["deterministic"]["other"] == "escape" and rows["deterministic"]["other_rate"] == pytest.approx(0.1)
    judged = claims.equally_good(pd.DataFrame(rows.values()))
    assert set(judged["kind"]) == {"escape", "both"}


@pytest.mark.long
def test_a_row_trains_and_its_last_network_is_that_of_the_epoch():
    """A training stopped after an epoch is the longer one at that epoch."""
    row = {**protocols.row("quick", "digits", "escape", 1e-2, 0), "epochs": 3}
    found = training.training_row(**row)
    curve = protocols.accuracies_of(found["curve"])
    assert len(curve) == 3 and found["validation_score"] == pytest.approx(max(curve), abs=1e-5)
    short = training.trained({**row, "epochs": 2})
    np.testing.assert_allclose(short.history["validation_score"], curve[:2], atol=1e-5)
    assert training.fano_over_repeats(short.network, networks.make_task(row).test, jax.random.key(1)) > 0


def test_every_fixed_claim_is_judged_or_absent():
    fixed = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))
    assert {name for name, entry in fixed.items() if "paper_value" not in entry} == set(claims.JUDGES)
    assert all({"claim", "source", "statistic"} <= set(entry) for entry in fixed.values())
    families = {name for entry in fixed.values() for name in entry.get("families", ())}
    assert families == {"gaussian", "salt", "drop", "fgsm20", "pgd", "direct", "transfer", "random", "flips", "membrane"}


def test_judges_see_a_planted_difference():
    """Two points more in every level of a family, none elsewhere."""
    random = np.random.default_rng(0)
    plan = [(d, s, k) for d in ("digits", "braille") for s in range(5) for k in protocols.COMPARED]
    table = pd.DataFrame(plan, columns=["dataset", "seed", "kind"]).assign(validation=0.9, common=0.9)
    for name in ("gaussian_1", "salt_0.1", "drop_0.5", "flips_0.1"):
        gain = 0.02 * ((table["kind"] == "escape") & (name != "flips_0.1"))
        table[name] = 0.8 + gain + 0.001 * random.normal(size=len(table))
    better = claims._robust(table, {"families": ["gaussian", "salt", "drop"]})
    same = claims._robust(table, {"families": ["flips"]})
    assert len(better) == 5 and abs(better.mean() - 0.02) < 0.002 and abs(same.mean()) < 0.002


@pytest.mark.long
def test_disturbances_reach_every_family_that_is_judged():
    row = {**protocols.row("quick", "digits", "deterministic", 1e-2, 0), "epochs": 1}
    task = networks.make_task(row)
    net = training.trained(row).last
    part = task.test.select(np.arange(10))
    names = [name for name, _, _ in robustness._variants(net, net, part, task, 0)]
    assert len(names) == len(set(names)) == 3 + 2 + 2 + 6 * 3 + 4 + 3
    columns = pd.DataFrame([dict.fromkeys(names, 1.0)])
    fixed = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))
    for entry in fixed.values():
        if "families" in entry:
            assert claims.mean_over(columns, entry["families"])["mean"].item() == 1.0
