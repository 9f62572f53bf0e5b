"""Networks of raphe neurons at reduced size: cells in a layer, what learns, comparison with
recordings, judges."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode.learning import train
from neurocode.recordings import Trains
from neurocode.studies import StudyRun, key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("raphe-networks", ROOT)

from analyses.raphe_networks import cells, claims, networks, protocols, study, training  # noqa: E402

ENTRIES = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def planted():
    return {cell: json.loads(cells.planted_row(cell, 0)["values"]) for cell in cells.CELLS}


def row(arm, **options):
    settings = {
        "dataset": "bursts",
        "arm": arm,
        "neurons": 7,
        "epochs": 1,
        "sequences": 60,
        "rate": 0.01,
        "gain": 200.0,
        "seed": 3,
    }
    return {**settings, **options}


def test_neurons_of_a_layer_are_the_cells_in_turn_in_their_units_and_with_their_noise(planted):
    """Neuron 5 is the first cell again; millivolts become volts, and the width of the escape rate
    is the cell's."""
    settings = row("fitted")
    net = networks.make_network(settings, networks.make_task(settings), planted)
    in_layer = net.layers[0].intrinsic.values()
    values = list(planted.values())
    for name, scale in (
        ("V_T", 1e-3),
        ("g_L", 1e-9),
        ("Delta_V", 1e-3),
        ("tau_h", 1e-3),
        ("a_eta_2", 1e-12),
    ):
        np.testing.assert_allclose(
            in_layer[name], [scale * values[k % 5][name] for k in range(7)], rtol=1e-6
        )
    library = nc.models.igif_ia()
    assert (
        float(in_layer["C"]) == library.values["C"]
        and net.layers[0].model.noise == library.noise
        and net.is_stochastic
    )
    assert not net.layers[0].intrinsic.coordinates and float(
        net.layers[0].dynamics.current
    ) == pytest.approx(200e-12)


def test_dealing_parameters_anew_keeps_values_and_breaks_combinations(planted):
    dealt = cells.shuffled(planted, 1)
    assert list(dealt) == list(planted) and dealt == cells.shuffled(planted, 1) != cells.shuffled(
        planted, 2
    )
    for name in planted["DRN156"]:
        assert sorted(values[name] for values in dealt.values()) == sorted(
            values[name] for values in planted.values()
        )
    assert not any(values in planted.values() for values in dealt.values())
    same = cells.library(planted)
    assert (
        all(values == same["DRN156"] for values in same.values()) and same["DRN164"]["V_T"] == -58.0
    )


def test_arms_share_synapses_and_only_one_learns_neurons(planted):
    task = networks.make_task(row("fitted"))
    nets = {arm: networks.make_network(row(arm), task, planted) for arm in protocols.ARMS}
    weights = [np.asarray(net.layers[0].recurrent.weight) for net in nets.values()]
    assert all(np.array_equal(weights[0], other) for other in weights)
    free = nc.models.igif_ia().free
    assert {arm: len(net.layers[0].intrinsic.coordinates) for arm, net in nets.items()} == {
        "fitted": 0,
        "shuffled": 0,
        "library": 0,
        "learned": len(free),
    }
    learned, fitted = (nets[arm].layers[0].intrinsic.values() for arm in ("learned", "fitted"))
    for name in free:
        np.testing.assert_allclose(learned[name], fitted[name], rtol=1e-5)


def test_samples_are_held():
    task = networks.make_task(row("fitted"))
    longer = networks.held(task, 3)
    assert longer.test.inputs.shape[1] == 3 * task.test.inputs.shape[1]
    np.testing.assert_array_equal(longer.test.inputs[:, 4], task.test.inputs[:, 1])
    assert longer.test.valid.sum() == 3 * task.test.valid.sum()


def test_windows_of_a_train_count_from_their_own_start():
    """Spikes at 0.1, 1.0, 1.9, 2.05 s of a recording of 2.1 s in windows of 1 s: what does not fill
    a window is left out."""
    windows = cells.windows(np.array([0.1, 1.0, 1.9, 2.05]), 2.1, 1.0)
    assert len(windows) == 2 and windows[0].tolist() == [0.1]
    np.testing.assert_allclose(windows[1], [0.0, 0.9])


def test_unlikeness_is_that_of_compare_by_cell(monkeypatch):
    """Neurons 0 and 2 are the first cell, neuron 1 the second; spikes of 20 Hz against recordings
    of 10 and 40 Hz."""
    monkeypatch.setattr(training, "STATISTICS", ("rate", "interval_distribution"))
    random = np.random.default_rng(1)
    raster = random.random((500, 12, 3)) < 0.02
    net = lambda x, key: type("Response", (), {"spikes": (raster,)})  # noqa: E731
    recorded = {
        name: (np.sort(random.uniform(0, 30, int(30 * rate))), 30.0)
        for name, rate in (("a", 10), ("b", 40))
    }
    part = type("Part", (), {"inputs": np.zeros((12, 500, 1))})
    unlikeness = training.unlikeness(net, part, recorded, 0)
    network_trains = Trains.of_rasters(raster.transpose(2, 1, 0), networks.STEP)
    windows = [
        [t[(t >= 0.5 * k) & (t < 0.5 * (k + 1))] - 0.5 * k for k in range(12)]
        for t in (recorded[c][0] for c in "aba")
    ]
    cell_trains = Trains.of_arrays(
        [[(times, 0.0, 0.5) for times in unit] for unit in windows], list("012")
    )
    table = nc.compare(network_trains, cell_trains, statistics=training.STATISTICS, seed=0)
    by_hand = np.log(table["difference"] / table["reference"])
    assert unlikeness["rate"] == pytest.approx(by_hand["rate"], rel=1e-6) and unlikeness[
        "unlikeness"
    ] == pytest.approx(by_hand.mean(), rel=1e-6)
    rates = np.array(
        [[len(np.concatenate(unit)) / 6 for unit in windows], raster.sum(axis=(0, 1)) / 6]
    )
    assert table.loc["rate", "difference"] == pytest.approx(np.abs(np.diff(rates, axis=0)).mean())


def test_all_arms_have_one_budget_and_other_seeds_tune():
    cells, grid = protocols.cells("reduced")
    assert len(cells) == 8 and all(len(values) >= 2 for values in grid.values())
    best = pd.DataFrame(cells).assign(rate=0.01, gain=50.0, at_edge=False)
    rows = protocols.trainings("reduced", best)
    assert len({key_of(settings) for settings in rows}) == 64 and not {
        settings["seed"] for settings in rows
    } & set(protocols.TUNING_SEEDS)


def table(**columns):
    random = np.random.default_rng(0)
    rows = [
        {
            "arm": arm,
            "seed": seed,
            "dataset": "ecg",
            "best_epoch": 9,
            "training_score": 0.9,
            "chance": 0.2,
            "test_score": score + 0.001 * random.normal(),
            "after_unlikeness": unlike,
            "before_unlikeness": 0.5,
        }
        for arm, score, unlike in (
            ("fitted", 0.8, 0.4),
            ("library", 0.75, 0.9),
            ("shuffled", 0.8, 0.6),
            ("learned", 0.85, 1.0),
        )
        for seed in range(8)
    ]
    return pd.DataFrame(rows).assign(**columns)


def test_judges_find_what_was_planted():
    judged = {
        name: claims.JUDGES[name][1](table(), entry).values for name, entry in ENTRIES.items()
    }
    assert set(judged) == set(claims.JUDGES) == set(ENTRIES)
    assert (
        abs(judged["fitted_library"].mean() - 0.05) < 0.002
        and abs(judged["fitted_shuffled"].mean()) < 0.002
    )
    assert (
        abs(judged["learned_fitted"].mean() - 0.05) < 0.002 and len(judged["learned_fitted"]) == 8
    )
    np.testing.assert_allclose(judged["like_library"], 0.5)
    np.testing.assert_allclose(judged["like_shuffled"], 0.2)
    np.testing.assert_allclose(judged["like_learned"], 0.6)
    np.testing.assert_allclose(judged["still_alike"], np.log(2) - 0.4)
    np.testing.assert_allclose(judged["training_moves"], -0.1)
    lost = claims.JUDGES["still_alike"][1](table(best_epoch=1), ENTRIES["still_alike"])
    assert len(lost.values) == 0 and lost.untrained == 8


@pytest.mark.long
def test_training_leaves_fitted_neurons_as_they_are(planted):
    """Fitted neurons stay the same to the last bit while their synapses change; neurons that learn
    change as well."""
    for arm, changed in (("fitted", False), ("learned", True)):
        settings = row(arm)
        task = networks.make_task(settings)
        before = networks.make_network(settings, task, planted)
        after = train(before, task, seed=0, settings=networks.make_settings(settings)).last
        first, last = (net.layers[0].intrinsic.values() for net in (before, after))
        assert any(not np.array_equal(first[name], last[name]) for name in first) == changed
        assert not np.array_equal(
            before.layers[0].connection.weight, after.layers[0].connection.weight
        )
        assert jax.tree.structure(before) == jax.tree.structure(after)


@pytest.mark.long
def test_the_quick_protocol_runs_from_an_empty_folder_and_draws(tmp_path, monkeypatch):
    from figures import raphe_networks as figures

    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    for part in STUDY.parts.values():
        part(StudyRun("quick", tmp_path, tmp_path / "networks", 1, None, lambda done, total: None))
    trained = pd.read_parquet(tmp_path / "training.parquet")
    assert set(trained["arm"]) == {"fitted"} and trained["after_unlikeness"].notna().all()
    assert study.cells_of(pd.read_parquet(tmp_path / "fits.parquet")).keys() == set(cells.CELLS)
    assert {claim.verdict for claim in STUDY.claims(tmp_path)} == {"not comparable"}
    assert len(figures.draw(tmp_path, tmp_path)) == 2
