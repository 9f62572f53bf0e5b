"""The adaptive LIF study in small: closed forms, published sizes, a row that is trained, claims, and the committed tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurocode.errors import ModelError
from neurocode.studies import key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("adaptive-lif", ROOT)

from analyses.adaptive_lif import closed_forms, protocols, robustness, stability, wavelets  # noqa: E402
from analyses.adaptive_lif.networks import make_network, make_task  # noqa: E402
from analyses.adaptive_lif.training import training_row  # noqa: E402


@pytest.fixture(scope="module")
def draws():
    return stability.draws(20_000)


def test_random_neurons_are_as_stable_as_the_closed_forms_say(draws):
    """Derivative of the model's step: SE to 1e-12 where it oscillates; EF unstable in 3.5 %, bound at six standard errors."""
    inside = draws[draws["oscillates"]]
    assert inside["radius_error"].abs().max() < 1e-12 and len(inside) > 0.9 * len(draws)
    unstable = (draws["radius"] > 1).groupby(draws["cell"]).mean()
    assert unstable["SE"] == 0 and abs(unstable["EF"] - 0.035) < 6 * np.sqrt(0.035 / 20_000)
    assert draws["frequency"].max() > 85


def test_the_symplectic_neuron_is_not_stable_for_all_parameters():
    """Its bound is 6000.9 for the example neuron; 65.02 is the smallest of the Euler-forward ones."""
    bounds = stability.bounds().set_index("cell")
    assert abs(bounds.loc["EF", "smallest_bound"] - 65.02) < 0.005 and abs(bounds.loc["EF", "example_bound"] - 85.0) < 0.05
    assert abs(bounds.loc["SE", "example_bound"] - 6000.9) < 0.05 and abs(bounds.loc["SE", "smallest_bound"] - 1204) < 0.5
    assert (bounds["radius_below_bound"] < 1).all() and (bounds["radius_above_bound"] > 1).all()


def test_the_example_neuron_has_the_values_of_the_figure():
    table = stability.example().set_index(["cell", "dt_ms", "a"])
    assert abs(table.loc[("EF", 1.0, 120.0), "radius"] - 1.0113) < 5e-5
    assert abs(table.loc[("SE", 1.0, 120.0), "radius"] - 0.97206) < 5e-6
    assert abs(table.loc[("SE", 1.0, 282.0), "frequency"] - 69.5) < 0.05
    assert abs(table.loc[("EF", 0.5, 120.0), "radius_per_ms"] - 0.9918) < 5e-5
    assert np.max(np.abs(table["radius"] - table["radius_closed"])) < 1e-10


@pytest.mark.parametrize("coupling", [5.0, 30.0, 120.0])
def test_a_gradient_is_the_reversed_impulse_response(coupling):
    """Automatic differentiation through 300 steps against the closed form, and its sum against the gain for constant input."""
    found = wavelets.gradient(coupling, 400)[::-1]
    np.testing.assert_allclose(found, closed_forms.impulse_response("SE", coupling, 25e-3, 60e-3, 1e-3, 400), atol=1e-14)
    assert abs(found.sum() - 1 / (1 + coupling)) < 2e-5


@pytest.mark.parametrize(
    ("table", "chosen", "count"),
    [
        ("ecg", {"cell": "SE", "layers": 1}, 1842), ("ecg", {"cell": "EF", "layers": 2}, 4614),
        ("burst_sequences", {"cell": "SE", "classes": 20}, 277_970), ("burst_sequences", {"cell": "LIF", "classes": 20}, 278_548),
        ("spring_mass", {"cell": "SE", "recurrent": True}, 42_608), ("spring_mass", {"cell": "LIF", "recurrent": True}, 42_008),
    ],
)  # fmt: skip
def test_published_networks_have_the_published_number_of_parameters(table, chosen, count, recorded_data):
    rows = [row for row in protocols.ROWS[table]("published") if all(row[name] == value for name, value in chosen.items())]
    row = {**rows[0], **({"samples": 100} if "samples" in rows[0] else {})}
    assert make_network(row, make_task(row)).n_parameters == count


def test_rows_differ_from_one_another():
    for make in protocols.ROWS.values():
        keys = [key_of(row) for protocol in protocols.PROTOCOLS for row in make(protocol)]
        assert len(set(keys)) == len(keys)


@pytest.mark.long
def test_a_row_is_trained_kept_and_disturbed(tmp_path):
    """Trajectories: the errors are of the free-running half; a kept network is read, not trained again."""
    row = next(row for row in protocols.spring_mass("quick") if row["cell"] == "SE")
    row = {**row, "samples": 60, "batch": 16, "neurons": 10}
    first, second = (training_row(tmp_path, **row) for _ in range(2))
    assert first == second and (tmp_path / key_of(row) / "checkpoint.bin").exists()
    assert 0.2 < first["zero_predictor"] < 1.0 and 0 < first["test_score"] < 2.0
    task = make_task(row)
    moved = robustness.shifted(task.test, 2.0)
    assert np.allclose(moved.inputs.mean(), 3 * task.test.inputs.mean(), rtol=1e-3)
    more = robustness.with_events(task.test, 0.1, seed=0)
    assert abs((more.inputs - task.test.inputs).mean() - 0.1) < 6 * np.sqrt(0.09 / task.test.inputs.size)


def test_an_unknown_study_is_refused():
    with pytest.raises(ModelError, match="adaptive-lif"):
        load_study("adaptive-lift", ROOT)
