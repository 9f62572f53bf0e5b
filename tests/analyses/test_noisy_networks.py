"""The study of noisy networks in small: its kinds, its rows, its measures, judges on tables of
known truth."""

from __future__ import annotations

import tomllib
from pathlib import Path
from unittest.mock import create_autospec

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from neurocode.studies import key_of
from neurocode.studies.study import load_study
from neurocode.tasks.losses import as_loss

ROOT = Path(__file__).parents[2]
STUDY = load_study("noisy-networks", ROOT)

from analyses import datasets, protocol  # noqa: E402
from analyses.noisy_networks import (  # noqa: E402
    calibration,
    claims,
    limit,
    networks,
    protocols,
    robustness,
    training,
)

ENTRIES = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))


def row(kind, net="dense", **options):
    return {
        **protocols.cell("quick", "digits", net, kind),
        "rate": 1e-2,
        "width": 0.3,
        "seed": 3,
        **options,
    }


def test_the_deterministic_surrogate_is_the_density_of_the_noise():
    x = jnp.linspace(-1, 1, 41)
    noisy, _ = networks.layer_options("escape", 0.4)
    _, options = networks.layer_options("deterministic", 0.4)
    np.testing.assert_allclose(
        options["surrogate"].derivative(x), noisy.noise.density(x, noisy.values, 1e-3), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("escape", {"scale": 0.4}),
        ("diffusive", {"sigma": 0.4}),
        ("both", {"scale": 0.4, "sigma": 0.4}),
    ],
)
def test_the_width_reaches_every_noise_of_a_kind(kind, values):
    model, options = networks.layer_options(kind, 0.4)
    assert {name: float(model.values[name]) for name in values} == values
    assert (options["surrogate"] is None) == (kind != "diffusive")


def test_every_kind_starts_from_the_same_weights():
    task = networks.make_task(row("escape"))
    weights = [
        np.asarray(networks.make_network(row(kind), task).layers[0].connection.weight)
        for kind in protocols.KINDS
    ]
    assert all(np.array_equal(weights[0], other) for other in weights)


def test_convolutional_networks_have_the_layers_of_their_papers_and_start_as_he():
    """LeNet-5: 6 and 16 channels of 5 by 5, 120 and 84 units; CIFARNet at an eighth: 16, 32, 64,
    128, 64 channels."""
    task = type("Task", (), {"n_outputs": 10})
    made = {net: networks.make_network(row("escape", net), task) for net in ("lenet", "cifar")}
    assert [layer.n for layer in made["lenet"].layers] == [6 * 28**2, 16 * 14**2, 120, 84]
    assert [layer.n for layer in made["cifar"].layers] == [
        16 * 28**2,
        32 * 28**2,
        64 * 14**2,
        128 * 7**2,
        64 * 7**2,
    ]
    weight = np.asarray(made["cifar"].layers[3].connection.parts[-1].weight)
    assert weight.shape == (128, 64, 3, 3) and weight.var() == pytest.approx(2 / (64 * 9), rel=0.02)
    assert np.abs(weight).max() <= np.sqrt(6 / (64 * 9))


def test_all_kinds_have_one_budget_and_seeds_of_the_tuning_are_others():
    cells, grid = protocols.dense("reduced")
    assert len(cells) == 15 and len({tuple(cell.items()) for cell in cells}) == 15
    best = pd.DataFrame(cells).assign(rate=1e-3, width=0.3, at_edge=False)
    rows = protocol.trainings("reduced", best)
    assert len(rows) == len({key_of(settings) for settings in rows}) == 15 * 8
    assert not {settings["seed"] for settings in rows} & set(protocol.tuning_seeds("reduced"))
    assert all(len(values) >= 3 for values in grid.values())
    sizes = protocols.sizes("reduced", best)
    assert len(sizes) == 3 * 5 * 8 and {
        settings["epochs"] * (settings["training_size"] // 50) for settings in sizes
    } == {1400}


def test_a_transferred_attack_is_made_for_the_other_network_of_the_same_seed():
    cells, _ = protocols.dense("reduced")
    best = pd.DataFrame(cells).assign(rate=[1e-3 * k for k in range(15)], width=0.3, at_edge=False)
    rates = {(setting.dataset, setting.kind): setting.rate for setting in best.itertuples()}
    rows = protocols.robustness("reduced", best)
    assert len(rows) == 120
    for settings in rows:
        other = "escape" if settings["kind"] == "deterministic" else "deterministic"
        assert (
            settings["other_kind"] == other
            and settings["other_rate"] == rates[settings["dataset"], other]
        )


def test_calibration_error_by_hand():
    """Confidence 0.9 with one of two right, and 0.6 with two of two: (2 |0.5 - 0.9| + 2 |1 -
    0.6|)/4 = 0.4."""
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert calibration.calibration_error(probabilities, np.array([0, 1, 1, 1])) == pytest.approx(
        0.4
    )
    assert calibration.calibration_error(np.eye(3), np.arange(3)) == 0.0


def test_class_probabilities_are_those_of_the_loss():
    task = networks.make_task(row("escape", sequences=60))
    net = networks.make_network(row("deterministic"), task)
    x = jnp.moveaxis(jnp.asarray(task.test.inputs), 0, 1)
    expected = softmax(np.mean(eqx.filter_jit(net)(x).potentials, axis=0), axis=-1)
    np.testing.assert_allclose(
        calibration.class_probabilities(net, task.test, task, 0, 1), expected, atol=1e-6
    )
    noisy = networks.make_network(row("escape"), task)
    many = calibration.class_probabilities(noisy, task.test, task, 0, 50)
    one_pass = calibration.class_probabilities(noisy, task.test, task, 0, 1)
    np.testing.assert_allclose(many.sum(axis=1), 1, atol=1e-5)
    assert (
        not np.allclose(many, one_pass)
        and np.abs(many.mean(axis=0) - one_pass.mean(axis=0)).max() < 0.02
    )


def test_counted_votes_by_hand():
    """Of 10 voters a class, two thirds of the first and half of the second spike in two valid
    steps: 20/3 against 5 votes."""
    shares = jnp.array([[[1.0, 0.4]], [[1 / 3, 0.6]], [[0.0, 1.0]]])
    loss, right = networks.CountedVotes(10).loss_and_score(
        shares, jnp.array([1]), jnp.array([[True], [True], [False]])
    )
    assert float(loss) == pytest.approx(np.log1p(np.exp(20 / 3 - 5)), rel=1e-5) and int(right) == 0


def test_only_letters_are_learned_from_votes(monkeypatch):
    monkeypatch.setattr(
        networks, "dataset", lambda name, seed, steps: datasets.dataset("digits", seed, steps)
    )
    assert networks.make_task(row("escape", dataset="braille")).loss == networks.CountedVotes(10)
    assert networks.make_task(row("escape")).loss == as_loss("mean_potential")


def test_attacks_of_noisy_networks_go_through_and_over_the_noise_those_of_others_once(monkeypatch):
    """Attacks are recognised by their names and by the number of passes over which they average."""
    task = networks.make_task(row("escape", sequences=60))
    part = task.test.select(np.arange(4))
    nets = {kind: networks.make_network(row(kind), task) for kind in ("deterministic", "escape")}
    names, passes = {}, {}
    for kind, net in nets.items():
        attacks = [
            create_autospec(getattr(robustness.disturb, name), return_value=part)
            for name in ("fast_gradient_sign", "projected_gradient")
        ]
        for attack, name in zip(attacks, ("fast_gradient_sign", "projected_gradient"), strict=True):
            monkeypatch.setattr(robustness.disturb, name, attack)
        variants = list(robustness.variants(net, nets["escape"], part, task, 0))
        monkeypatch.undo()
        names[kind] = [name for name, *_ in variants]
        passes[kind] = [
            [call.kwargs["passes"] for call in attack.call_args_list] for attack in attacks
        ]
    through = {
        f"{attack}_through_{size:g}" for attack in ("fgsm", "pgd") for size in robustness.SIZES
    }
    assert set(names["escape"]) - set(names["deterministic"]) == through and set(
        names["deterministic"]
    ) < set(names["escape"])
    sizes, over = len(robustness.SIZES), robustness.PASSES
    assert passes["escape"] == [[1, over, over] * sizes, [1, over] * sizes]
    assert passes["deterministic"] == [[1, over] * sizes, [1] * sizes]


@pytest.mark.long
def test_a_row_has_the_scores_of_its_network():
    settings = row("escape", epochs=3)
    task, result = training.trained(settings)
    scores = training.size_row(**settings)
    assert scores["gap"] == pytest.approx(scores["last_training_score"] - scores["last_test_score"])
    assert scores["test_score"] == result.test_score and scores["best_epoch"] == result.best_epoch
    assert (
        training.fano_over_repeats(
            result.network, task.test.select(np.arange(10)), jax.random.key(1)
        )
        > 0
    )


def test_every_fixed_claim_is_judged_or_absent():
    assert {name for name, entry in ENTRIES.items() if "paper_value" not in entry} <= set(
        claims.JUDGES
    )
    for entry in ENTRIES.values():
        assert {"claim", "source", "statistic"} <= set(entry)
        assert "paper_value" in entry or {"family", "kind", "margin"} <= set(entry)


def test_judges_see_planted_differences():
    """Noise loses two points less at every level of a family and none elsewhere, has a gap of one
    point less at 200 images."""
    random = np.random.default_rng(0)
    plan = [(s, k) for s in range(8) for k in protocols.KINDS]
    table = pd.DataFrame(plan, columns=["seed", "kind"]).assign(
        clean=0.95, best_epoch=5, training_score=0.9, chance=0.1
    )
    for name in (
        "gaussian_1",
        "salt_0.1",
        "drop_0.5",
        "flips_0.1",
        "fgsm_over_0.1",
        "fgsm_through_0.1",
    ):
        gain = 0.02 * ((table["kind"] == "escape") & (name[:5] != "flips")) + 0.03 * (
            name == "fgsm_through_0.1"
        )
        table[name] = 0.8 + gain + 0.001 * random.normal(size=len(table))
    judge = {
        name: (lambda t, n=name: claims.JUDGES[n][1](t, ENTRIES[n]).values)
        for name in ENTRIES
        if name in claims.JUDGES
    }
    assert (
        len(judge["robust_input"](table)) == 8
        and abs(judge["robust_input"](table).mean() - 0.02) < 0.002
    )
    assert abs(judge["robust_spikes"](table).mean()) < 0.002
    assert abs(judge["one_pass_fgsm"](table).mean() - 0.03) < 0.002
    sizes = table.assign(training_size=200, gap=np.where(table["kind"] == "escape", 0.04, 0.05))
    np.testing.assert_allclose(judge["regularisation_gap_200"](sizes), 0.01)
    assert len(judge["regularisation_gap_500"](sizes)) == 0


@pytest.mark.long
def test_disturbances_reach_every_family_that_is_judged():
    task = networks.make_task(row("escape", sequences=60))
    net = networks.make_network(row("escape"), task)
    names = [
        name
        for name, _, _ in robustness.variants(net, net, task.test.select(np.arange(10)), task, 0)
    ]
    assert len(names) == len(set(names)) == 3 + 2 + 2 + 6 * 3 + 4 + 3
    columns = pd.DataFrame([dict.fromkeys(["clean", *names], 1.0)])
    for entry in ENTRIES.values():
        for which in ("disturbances", "weaker"):
            if which in entry:
                assert len(claims.levels_of(columns, entry[which])) >= 3


def test_narrow_noise_is_no_noise():
    """At a width of 0.001 at most one step in a thousand has another spike, and gradients agree to
    5 %."""
    (setting,) = protocols.limit("quick")
    differences = limit.limit_row(**setting)
    assert not set(differences) & set(setting)
    assert (
        0 < differences["rate_hidden"] < 0.5
        and differences["spikes_differ"] < 1e-3
        and differences["gradients_differ"] < 0.05
    )


def test_the_limit_tells_wide_noise_from_none(monkeypatch):
    (setting,) = protocols.limit("quick")
    monkeypatch.setattr(limit, "NARROW", 0.3)
    differences = limit.limit_row(**setting)
    assert differences["spikes_differ"] > 0.01 and differences["gradients_differ"] > 0.1
