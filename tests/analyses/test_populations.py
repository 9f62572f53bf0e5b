"""The study of populations at reduced size: planted networks, what is compared, and the judges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.studies import StudyRun
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("populations", ROOT)

from analyses.populations import claims, networks  # noqa: E402


def test_strengths_are_the_effect_of_a_spike_over_20_ms() -> None:
    jumps = np.zeros((2, 2, 7))
    jumps[1, 0, networks.TIME_CONSTANTS_MS.index(6.8)] = 0.5
    jumps[1, 0, networks.TIME_CONSTANTS_MS.index(27.0)] = -0.1
    times = (np.arange(200_000) + 0.5) * 1e-4  # ms
    effect = 0.5 * np.exp(-times / 6.8) - 0.1 * np.exp(-times / 27.0)
    expected = np.zeros((2, 2))
    expected[1, 0] = effect.sum() * 1e-4
    np.testing.assert_allclose(networks.strengths(jumps), expected, rtol=1e-6)


def test_a_planted_network_has_the_stated_couplings_and_rates() -> None:
    network = networks.plant(neurons=40, bins=500, repeats=4, seed=0)
    own = np.eye(40, dtype=bool)
    others = network.jumps[~own]
    coupled = np.any(others != 0, axis=1)
    # of 1560 pairs 156 are expected to be coupled, with a standard deviation of 12
    assert 108 < coupled.sum() < 204
    sizes = np.abs(others[coupled][:, 2])
    assert sizes.min() > 0.4 and sizes.max() < 1.2 and np.all(others[coupled][:, [0, 1, 3]] == 0)
    by_sender = network.jumps[..., 2].T
    signs = [set(np.sign(row[row != 0])) for row in by_sender]
    assert all(len(sign) <= 1 for sign in signs)
    assert np.all(network.jumps[own][:, 1] == -3.0) and np.all(network.jumps[own][:, 5] == -0.3)
    assert network.spikes.shape == (40, 500, 4) and 5 < network.spikes.mean() / networks.BIN < 20


def test_what_is_compared_by_hand() -> None:
    """Three cells: a excites b and inhibits c. The first is found, the second is missed, and b to
    a is found though it does not exist."""
    jumps = np.zeros((3, 3, 7))
    jumps[1, 0, 2], jumps[2, 0, 2] = 1.0, -1.0
    strength = 6.8 * -np.expm1(-20 / 6.8)
    rows = [
        ("a", "b", strength + 1.9, 1.0, 1e-9, "excitatory"),
        ("a", "c", -strength + 2.1, 1.0, 0.2, "none"),
        ("b", "a", 3.0, 1.0, 1e-3, "excitatory"),
        ("b", "c", 0.5, 1.0, 0.6, "none"),
        ("c", "a", -0.5, 1.0, 0.7, "none"),
        ("c", "b", 0.0, 1.0, 1.0, "none"),
    ]
    columns = ["sender", "receiver", "strength", "standard_error", "p_value", "verdict"]
    spikes = np.zeros((3, 50, 4))
    spikes[0, 10] = spikes[1, 15] = 1  # in every repeat, so that shifted ones coincide as well
    row = networks.compared(
        pd.DataFrame(rows, columns=columns), ("a", "b", "c"), networks.Network(jumps, spikes)
    )
    assert (row["pairs"], row["coupled"], row["found"], row["false"]) == (6, 2, 2, 1)
    assert row["false_share"] == 0.5 and row["wrong_sign"] == 0
    # 2.1 and 3.0 standard errors are outside
    assert row["coverage"] == pytest.approx(4 / 6) and row["coverage_coupled"] == 0.5
    assert row["bias_uncoupled"] == pytest.approx((3.0 + 0.5 - 0.5 + 0.0) / 4)
    # coupled pairs lead all four others, but for b to a before a to c: seven of eight
    assert row["area"] == pytest.approx(7 / 8)
    assert row["area_correlogram"] == 0.5


def test_correlograms_see_what_single_repeats_share_and_not_what_all_repeats_share() -> None:
    spikes = np.zeros((3, 100, 10))
    for repeat in range(10):
        spikes[0, 5 + 9 * repeat, repeat] = spikes[1, 8 + 9 * repeat, repeat] = 1
    spikes[2, 50] = 1
    score = networks.correlogram_scores(spikes)
    # ten coincidences of a then b; between repeats, a bin later than nine and so on: 9 apart is
    # beyond the ten bins of a to b (12 bins), and 6 after b
    assert score[1, 0] == pytest.approx(10.0)
    assert score[0, 1] == pytest.approx(1.0)
    assert score[2, 2] == 0.0


def test_claims_by_hand() -> None:
    table = pd.DataFrame(
        {
            "pairs": [100, 100, 100],
            "coupled": [10, 20, 0],
            "coverage": [0.94, 0.96, 0.95],
            "coverage_coupled": [0.85, 1.0, np.nan],
            "false_share": [0.0, 0.05, 0.1],
            "area": [0.9, 0.95, np.nan],
            "area_correlogram": [0.7, 0.8, 0.5],
        }
    )
    judged = {name: judge(table, {}).values for name, (_, judge) in claims.JUDGES.items()}
    np.testing.assert_allclose(judged["coverage"], [0.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(judged["coverage_coupled"], [-0.1, 0.05], atol=1e-12)
    np.testing.assert_allclose(judged["false_discoveries"], [0.05, 0.0, -0.05], atol=1e-12)
    np.testing.assert_allclose(judged["detection"], [0.2, 0.15])


@pytest.mark.long
def test_the_quick_protocol_runs_from_an_empty_folder_and_draws(tmp_path, monkeypatch) -> None:
    from figures import populations as figures

    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    for part in STUDY.parts.values():
        part(StudyRun("quick", tmp_path, tmp_path / "networks", 1, None, lambda done, total: None))
    table = pd.read_parquet(tmp_path / "networks.parquet")
    assert table["pairs"].tolist() == [12] and not (tmp_path / "recordings.parquet").exists()
    assert {claim.verdict for claim in STUDY.claims(tmp_path)} == {"not comparable"}
    assert len(figures.draw(tmp_path, tmp_path)) == 2
