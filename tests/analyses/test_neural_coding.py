"""The study of recorded responses: what is held out, likelihoods of known truth, tests that are right when nothing differs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.errors import DataError
from neurocode.studies import holm, key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("neural-coding", ROOT)

from analyses.neural_coding import claims, fitting, models, protocols, recordings, responses, rows, summary  # noqa: E402


def by_time(spikes, dt=2e-3):
    return recordings._by_time("made", "up", spikes, dt, 1 / 3)


def modulated(seed, trials=18, steps=1000, units=1, mean=30):
    """Trials of a rate that goes up and down between nearly zero and twice its mean in Hz, in bins of 2 ms."""
    random = np.random.default_rng(seed)
    probability = 2e-3 * mean * (1 + 0.93 * np.sin(2 * np.pi * np.arange(steps) * 2e-3 / 0.5))
    return random.random((trials, steps, units)) < probability[None, :, None], probability


def test_bins_and_filters():
    assert recordings.binned([np.array([0.0, 0.0031, 5.0]), np.array([])], 1e-3, 5).tolist() == [[1, 0, 0, 1, 0], [0] * 5]
    step = np.r_[np.zeros(10), np.ones(200)][:, None]
    own = recordings.filtered(step, 1e-3)
    assert own.shape == (210, 5) and np.allclose(own[10:, 1], 1 - np.exp(-np.arange(1, 201) / 5.0))


def test_trials_are_held_out_and_nothing_is_in_two_parts():
    spikes = np.zeros((10, 4, 1), bool)
    spikes[np.arange(10), 0] = True
    own = by_time(spikes)
    counts = [len(span.spikes) for span in (*own.training, *own.validation, own.test)]
    assert counts == [6, 1, 3] and len(own.average) == 7
    with pytest.raises(DataError, match="too few"):
        by_time(spikes[:2])


def test_sequences_hold_every_counted_step_once():
    own = by_time(modulated(0)[0])
    part = fitting.windows(own.test, 2, own.dt)
    assert part.valid.sum() == 1000 and part.targets[part.valid].sum() == own.test.spikes[2].sum()
    assert part.inputs.min() > 0 and part.targets[0, : round(fitting.SETTLING / own.dt)].sum() == 0


LONG_MODELS = [pytest.param(*case, marks=pytest.mark.long) for case in (("glm", 0.7), ("output", 0.5), ("internal", 0.5))]


@pytest.mark.parametrize(("model", "share"), [("psth", 0.8), *LONG_MODELS])
def test_a_known_rate_is_found(model, share):
    """Poisson trials of a known rate: a share of the bits per spike of the truth (0.38) on held-out trials, never more."""
    spikes, probability = modulated(1, trials=60)
    own = by_time(spikes)
    found = fitting.fit(model, own, 200, 20, 0, 1)
    base, n = fitting.constant_log_probability(own).sum(), own.test.counted.sum()
    truth = (fitting._poisson(np.tile(probability[:, None], 1), own.test.counted).sum() - base) / n / np.log(2)
    assert share * truth < (found.repeats.sum() - base) / n / np.log(2) < truth + 0.02
    assert found.spikes.shape == own.test.counted.shape and found.spikes.sum() == pytest.approx(n, rel=0.3)


@pytest.mark.parametrize(("settings", "best"), [(1, 0.01), (2, 0.03), (3, 0.03)])
def test_the_setting_that_is_best_on_validation_is_kept(settings, best, monkeypatch):
    """Of the first settings of the grid; the rest of a fit is that of the chosen one."""
    own, scores = by_time(modulated(2, trials=9, steps=50)[0]), {0.01: -3.0, 0.03: -1.0, 0.1: -2.0}
    monkeypatch.setattr(fitting, "_trained", lambda kind, recording, setting, updates, seed: (setting, None, scores[setting]))
    monkeypatch.setattr(fitting, "held_out", lambda net, task, span, repeat, dt, seed: -net)
    monkeypatch.setattr(fitting, "drawn", lambda net, recording, n_repeats, seed: np.full(n_repeats, net))
    found = fitting.fit("glm", own, 1, 4, 0, settings)
    assert (found.setting, found.validation) == (best, scores[best]) and np.isnan(found.width)
    assert found.repeats.tolist() == [-best] * len(own.test.spikes) and found.spikes.tolist() == [best] * 4


def test_a_deterministic_network_repeats_itself():
    own = by_time(modulated(2, trials=9, steps=300)[0])
    found = fitting.fit("deterministic", own, 8, 4, 0, 1)
    assert np.all(found.spikes == found.spikes[:1]) and np.all(np.isneginf(found.repeats))
    assert own.rates.shape == (1,)


def test_every_model_starts_at_the_recorded_rates():
    """2 Hz, where histories hardly matter: within a quarter, more than four standard errors; the adapting neuron fires less."""
    own = by_time(modulated(3, units=2, mean=2)[0])
    for model in ("glm", "gif", "coupled"):
        net = models.network(model, own, 0.02, 0)
        spikes = fitting.drawn(net, own, 100, 1)
        ratio = spikes.mean(axis=(0, 1)) / own.dt / own.rates
        assert np.all((ratio > (0.4 if model == "gif" else 0.75)) & (ratio < 1.25)), model


@pytest.mark.long
def test_units_are_compared_by_what_is_defined():
    spikes, _ = modulated(4, trials=8, units=2)
    table = pd.DataFrame(responses.unit_rows(spikes, modulated(5, trials=8, units=2)[0], 2e-3, 0))
    assert set(table["statistic"]) >= {"rate", "fano_mean", "interval_distribution", "autocorrelogram", "noise_correlation"}
    assert set(table.groupby("statistic").size()) == {2}
    single = pd.DataFrame(responses.unit_rows(spikes, spikes[:1], 2e-3, 0)).set_index(["statistic", "unit"])
    assert single.loc[("fano_factor", 0), "note"].startswith("not defined")
    curves = rows.curves_of(spikes, 2e-3, rows.example(spikes))
    assert set(curves) == {"intervals", "variances", "autocorrelogram", "raster"}


def test_exchange_of_two_equal_models_gives_uniform_probabilities():
    """200 tests of differences without an effect: 5 % of them below 0.05, at most 10 % (false alarm 1e-3)."""
    random = np.random.default_rng(0)
    p = np.array([summary.sign_flip(random.normal(size=10), random) for _ in range(200)])
    assert 0.01 <= np.mean(p < 0.05) <= 0.10
    assert summary.sign_flip(np.full(10, 1.0), random) == pytest.approx(2 / 1024)
    assert summary.sign_flip(random.normal(1, 1, 100), random) < 1e-3
    assert holm(np.array([0.01, np.nan, 0.04, 0.03])).tolist()[0] == pytest.approx(0.03)
    assert np.isnan(holm(np.array([0.01, np.nan]))[1])


def made_units(gap):
    """Two recordings of six units; internal noise is nearer by a gap."""
    random = np.random.default_rng(1)
    table = []
    for name, unit in [(n, u) for n in ("a", "b", "c") for u in range(6)]:
        for model, more in (("internal", 0.0), ("output", gap), ("glm", 0.0), ("gif", 0.0), ("psth", 0.0), ("deterministic", 1.0)):
            for statistic in (*summary.TESTED, "fano_factor"):
                value = 1 + more + 0.01 * random.normal()
                table.append({
                    "dataset": "made", "name": name, "model": model, "unit": unit, "statistic": statistic, "recorded": 1.0,
                    "difference": value, "reference": 0.1, "note": "", "resampled": "1.0 1.02 0.98", "value": value,
                })  # fmt: skip
    return pd.DataFrame(table)


def made_likelihood(gap):
    models_ = {"internal": gap, "output": 0.0, "gif": 0.0}
    return pd.DataFrame([
        {"dataset": "made", "name": name, "model": model, "repeat": k, "bits": 10 * (1 + more + 0.001 * k), "spikes": 10}
        for name in "abc" for model, more in models_.items() for k in range(3)
    ])  # fmt: skip


def test_tables_see_what_was_put_in(monkeypatch):
    monkeypatch.setattr(summary, "DRAWS", 200)
    units, likelihood = made_units(0.3), made_likelihood(0.2)
    tests = summary.test_table(units, likelihood).set_index(["statistic", "rival"])
    assert tests.loc[("fano_mean", "output"), "advantage"] == pytest.approx(0.3, abs=0.02)
    assert tests.loc[("fano_mean", "output"), "p_corrected"] < 0.05 < tests.loc[("fano_mean", "glm"), "p_corrected"]
    assert tests.loc[("bits_per_spike", "output"), "advantage"] == pytest.approx(0.2)
    assert tests.loc[("bits_per_spike", "psth"), "note"].startswith("not defined")
    table = summary.summary_table(units, likelihood).set_index(["model", "statistic"])
    own = table.loc[("output", "fano_mean")]
    assert own["low"] < 1.3 < own["high"] and own["high"] - own["low"] < 0.05
    assert table.loc[("internal", "bits_per_spike"), "value"] == pytest.approx(1.201)


def test_claims_follow_the_tables(tmp_path):
    made_units(0.3).to_parquet(tmp_path / "units.parquet", index=False)
    made_likelihood(0.2).to_csv(tmp_path / "likelihood.csv", index=False)
    found = {claim.claim.split(" (")[0]: claim.verdict for claim in claims.claims(tmp_path)}
    assert len(found) == len(tomllib.loads(claims.FIXED.read_text(encoding="utf-8")))
    confirmed = {claim for claim, verdict in found.items() if verdict == "confirmed"}
    assert sum("noise at the output alone" in claim for claim in confirmed) == 5
    assert not any("Poisson" in claim for claim in confirmed) and any("deterministic" in claim for claim in confirmed)
    assert claims.claims(tmp_path / "nothing") == []


def test_rows_are_distinct_and_histograms_only_where_there_are_repeats(recorded_data):
    found = protocols.rows("reduced")
    assert len({key_of(row) for row in found}) == len(found)
    without = {row["dataset"] for row in found} - {row["dataset"] for row in found if row["model"] == "psth"}
    assert without == {"grasshopper", "song-waveform"}
    assert {row["dataset"] for row in found if row["model"] == "coupled"} == {"retina"}


def test_recordings_are_read_as_their_readme_says(recorded_data):
    retina = recordings.recording("retina", "Movie1Exp1")
    assert retina.n_units == 38 and len(retina.average) + len(retina.test.spikes) == 30
    assert sum(len(s.spikes) for s in (*retina.training, *retina.validation)) == 20
    locust = recordings.recording("grasshopper", "1")
    assert sum(s.counted.sum() for s in (*locust.training, *locust.validation, locust.test)) == 929
    song = recordings.recording("song-waveform", "st49_2_4_1/4")
    assert song.test.features.shape == (9280, 80) and song.test.stop == 9280 and song.average is None
    with pytest.raises(DataError, match="no song"):
        recordings.song("st49_2_4_1/Z9")
