"""The study of recorded responses: held-out parts, likelihoods with a known truth, and intervals
that have the right coverage when nothing differs."""

from __future__ import annotations

import itertools
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import ttest_1samp

import neurocode as nc
from neurocode.errors import DataError, FitError, TrainingError
from neurocode.learning import evaluate
from neurocode.studies import key_of
from neurocode.studies.claims import mean_interval
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = load_study("neural-coding", ROOT)

from analyses.neural_coding import (  # noqa: E402
    claims,
    fitting,
    integrate_and_fire,
    models,
    nested,
    protocols,
    recordings,
    responses,
    rows,
    summary,
)


def by_time(spikes, dt=2e-3):
    return recordings._by_time("made", "up", spikes, dt, 1 / 3)


def modulated(seed, trials=18, steps=1000, units=1, mean=30):
    """Return trials in bins of 2 ms with a rate in Hz that oscillates between nearly zero and twice
    its mean."""
    random = np.random.default_rng(seed)
    probability = 2e-3 * mean * (1 + 0.93 * np.sin(2 * np.pi * np.arange(steps) * 2e-3 / 0.5))
    return random.random((trials, steps, units)) < probability[None, :, None], probability


def test_bins_and_filters():
    assert recordings.binned([np.array([0.0, 0.0031, 5.0]), np.array([])], 1e-3, 5).tolist() == [
        [1, 0, 0, 1, 0],
        [0] * 5,
    ]
    step = np.r_[np.zeros(10), np.ones(200)][:, None]
    filtered = recordings.filtered(step, 1e-3)
    assert filtered.shape == (210, 5) and np.allclose(
        filtered[10:, 1], 1 - np.exp(-np.arange(1, 201) / 5.0)
    )


def test_trials_are_held_out_and_nothing_is_in_two_parts():
    spikes = np.zeros((10, 4, 1), bool)
    spikes[np.arange(10), 0] = True
    recording = by_time(spikes)
    counts = [
        len(span.spikes) for span in (*recording.training, *recording.validation, recording.test)
    ]
    assert counts == [6, 1, 3] and len(recording.average) == 7
    with pytest.raises(DataError, match="too few"):
        by_time(spikes[:2])


def test_sequences_hold_every_counted_step_once():
    recording = by_time(modulated(0)[0])
    part = fitting.windows(recording.test, 2, recording.dt)
    assert (
        part.valid.sum() == 1000
        and part.targets[part.valid].sum() == recording.test.spikes[2].sum()
    )
    assert (
        part.inputs.min() > 0
        and part.targets[0, : round(fitting.SETTLING / recording.dt)].sum() == 0
    )


LONG_MODELS = [
    pytest.param(*case, marks=pytest.mark.long)
    for case in (("glm", 0.7), ("output", 0.5), ("internal", 0.5))
]


@pytest.mark.parametrize(("model", "share"), [("psth", 0.8), *LONG_MODELS])
def test_a_known_rate_is_found(model, share):
    """Poisson trials of a known rate: a share of the bits per spike of the truth (0.38) on held-out
    trials, never more."""
    spikes, probability = modulated(1, trials=60)
    recording = by_time(spikes)
    result = fitting.fit(model, recording, 200, 20, 0, 1)
    base, n = fitting.constant_log_probability(recording).sum(), recording.test.counted.sum()
    truth = (
        (fitting._poisson(np.tile(probability[:, None], 1), recording.test.counted).sum() - base)
        / n
        / np.log(2)
    )
    assert share * truth < (result.log_probability.sum() - base) / n / np.log(2) < truth + 0.02
    assert (
        result.spikes.shape == recording.test.counted.shape
        and result.spikes.sum() == pytest.approx(n, rel=0.3)
    )


def stand_in(monkeypatch, scores):
    """Replace trainings by ones that return a network named after its setting, or fail if the
    setting has no score."""

    def trained(kind, recording, setting, updates, seed):
        if setting not in scores:
            raise TrainingError("Update 1 is not finite.")
        return setting, scores[setting]

    monkeypatch.setattr(fitting, "_trained", trained)
    monkeypatch.setattr(
        fitting, "held_out", lambda net, span, dt, seed: np.full((len(span.spikes), 1), -net)
    )
    monkeypatch.setattr(
        fitting, "drawn", lambda net, recording, n_repeats, seed: np.full(n_repeats, net)
    )


@pytest.mark.parametrize(("settings", "best"), [(1, 0.01), (2, 0.03), (3, 0.03)])
def test_the_setting_that_is_best_on_validation_is_kept(settings, best, monkeypatch):
    """The setting is chosen among the first settings of the grid; all other values of the fit are
    those of the chosen setting."""
    recording, scores = (
        by_time(modulated(2, trials=9, steps=50)[0]),
        {0.01: -3.0, 0.03: -1.0, 0.1: -2.0},
    )
    stand_in(monkeypatch, scores)
    result = fitting.fit("glm", recording, 1, 4, 0, settings)
    assert (result.setting, result.validation, result.failed) == (
        best,
        scores[best],
        0,
    ) and np.isnan(result.width)
    assert (
        result.log_probability.tolist() == [[-best]] * len(recording.test.spikes)
        and result.spikes.tolist() == [best] * 4
    )


def test_a_setting_that_does_not_train_is_counted_and_not_chosen(monkeypatch):
    recording = by_time(modulated(2, trials=9, steps=50)[0])
    stand_in(monkeypatch, {0.03: -1.0})
    result = fitting.fit("glm", recording, 1, 4, 0, 3)
    assert (result.setting, result.failed) == (0.03, 2)
    stand_in(monkeypatch, {})
    with pytest.raises(TrainingError, match="not finite"):
        fitting.fit("glm", recording, 1, 4, 0, 3)


def test_likelihoods_of_units_add_up_to_that_of_training():
    """A network without hidden layer has no shared noise, so its units are independent given the
    past."""
    recording = by_time(modulated(6, trials=9, steps=1000, units=2)[0])
    net = models.network("glm", recording, 0.02, 0)
    logs = fitting.held_out(net, recording.test, recording.dt, 0)
    assert logs.shape == (3, 2)
    for repeat in range(3):
        part = fitting.windows(recording.test, repeat, recording.dt)
        whole = evaluate(net, part, fitting.task_of(recording)).score * part.valid.sum()
        assert logs[repeat].sum() == pytest.approx(whole, rel=1e-4)


def test_a_deterministic_network_repeats_itself():
    recording = by_time(modulated(2, trials=9, steps=300)[0])
    result = fitting.fit("deterministic", recording, 8, 4, 0, 1)
    assert np.all(result.spikes == result.spikes[:1]) and np.all(
        np.isneginf(result.log_probability)
    )
    assert recording.rates.shape == (1,)


def test_every_model_starts_at_the_recorded_rates():
    """2 Hz, where histories hardly matter: within a quarter, more than four standard errors; the
    adapting neuron fires less."""
    recording = by_time(modulated(3, units=2, mean=2)[0])
    for model in ("glm", "gif", "coupled"):
        net = models.network(model, recording, 0.02, 0)
        spikes = fitting.drawn(net, recording, 100, 1)
        ratio = spikes.mean(axis=(0, 1)) / recording.dt / recording.rates
        assert np.all((ratio > (0.4 if model == "gif" else 0.75)) & (ratio < 1.25)), model


@pytest.mark.parametrize("kinds", [("internal", "recurrent"), ("output", "recurrent-output")])
def test_connections_inside_the_hidden_layer_start_at_nothing_and_act(kinds):
    """Before training, a recurrent network equals the one without recurrence; with other weights it
    differs."""
    recording = by_time(modulated(7, trials=3, steps=60)[0])
    nets = [models.network(kind, recording, 0.02, 0) for kind in kinds]
    inputs, key = jnp.asarray(recording.test.features)[:, None], jax.random.key(1)
    plain, recurrent = (np.asarray(eqx.filter_jit(net)(inputs, key).spikes[0]) for net in nets)
    assert np.array_equal(plain, recurrent) and plain.sum() > 0
    hidden = nets[1].layers[0]
    assert (
        hidden.recurrent.weight.shape == (32, 32)
        and not hidden.recurrent.gradient
        and nets[0].layers[0].recurrent is None
    )
    assert hidden.model.is_stochastic == (kinds[1] == "recurrent")
    driven = eqx.tree_at(lambda layer: layer.recurrent.weight, hidden, jnp.ones((32, 32)))
    assert np.sum(eqx.filter_jit(driven)(inputs, key)) > plain.sum()


def neuron_with_history():
    """An integrate-and-fire neuron that is refractory for two steps of half a millisecond and whose
    threshold jumps."""
    return nc.models.gif((5.0,)).with_parameters(
        V_T="-62 mV", Delta_V="4 mV", t_ref="1 ms", g_L="10 nS"
    )


def driven(spikes, seed=0):
    current = 1e-12 * np.random.default_rng(seed).normal(80, 40, spikes.shape[1])
    return recordings.Drive(None, current, np.asarray(spikes, bool), 0.0)


def test_a_spike_in_a_bin_is_as_probable_as_all_ways_to_have_one():
    """Bins of three steps, by enumeration: the eight patterns of the second bin after each of two
    first bins."""
    model, dt = neuron_with_history(), 5e-4
    patterns = np.array(list(itertools.product((0, 1), repeat=3)), bool)
    for first in ([0, 0, 0], [0, 1, 0]):
        spikes = np.concatenate([np.tile(np.array(first, bool), (8, 1)), patterns], axis=1)
        drive = driven(spikes)
        by_step = integrate_and_fire.bin_log_probabilities(model, drive, 1, dt)[:, 3:].sum(axis=1)
        assert np.exp(by_step).sum() == pytest.approx(1.0, abs=1e-12)
        silent = np.exp(by_step[0])
        in_bins = np.exp(integrate_and_fire.bin_log_probabilities(model, drive, 3, dt)[:, 1])
        assert in_bins[0] == pytest.approx(silent, abs=1e-12) and 0.05 < silent < 0.95
        np.testing.assert_allclose(in_bins[1:], np.exp(by_step[1:]).sum(), atol=1e-12)


def test_a_constant_rate_gains_nothing_over_itself():
    """Escape at 50 Hz whatever the past: bits against that rate are zero in bins of any width."""
    model = nc.models.igif((5.0,)).with_parameters(
        lapse="0.9 Hz", V_T="20 mV", V_i="0 mV", V_drift="0 mV", t_ref="0.1 ms", Delta_V="0.1 mV"
    )
    spikes = np.random.default_rng(3).random((2, 600)) < 0.05
    logs = integrate_and_fire.bin_log_probabilities(model, driven(spikes), 6, 1e-4)
    binned, rate = spikes.reshape(2, 100, 6).any(axis=2), 0.9 * 6e-4
    np.testing.assert_allclose(logs, np.where(binned, np.log(-np.expm1(-rate)), -rate), rtol=1e-6)


def test_bins_of_one_step_have_the_likelihood_of_fits():
    """That of :mod:`neurocode.inference`, which leaves out the first 500 ms, and its bits against a
    constant rate."""
    dt, rate = 1e-3, 12.0
    current = nc.simulation.stimuli.frozen_noise(2, dt, mean=70, standard_deviation=40, seed=2)
    model = nc.models.gif((50.0,))
    trains = [
        segment.spiketrains[0]
        for segment in nc.simulate(model, current, trials=3, seed=3, engine="jax").segments
    ]
    likelihood = nc.inference.ClampedLikelihood.of_test(
        model, nc.Experiment(trains, current), dt=dt
    )
    spikes = recordings.binned([train.rescale("s").magnitude for train in trains], dt, 2000)
    drive = recordings.Drive(None, current.rescale("A").magnitude[:, 0], spikes, 0.0)
    counted = spikes[:, 500:]
    gained = integrate_and_fire.bin_log_probabilities(model, drive, 1, dt)[:, 500:].sum()
    assert (
        gained == pytest.approx(likelihood.log_likelihood(likelihood.origin), rel=1e-9)
        and counted.sum() > 20
    )
    constant = np.where(counted, np.log(-np.expm1(-rate * dt)), -rate * dt).sum()
    assert (gained - constant) / counted.sum() / np.log(2) == pytest.approx(
        likelihood.bits_per_spike(gained, rate), rel=1e-9
    )


def test_settling_comes_before_the_stimulus_and_the_clock_waits():
    """A neuron that settles under the first current is at its rest there; drift counts from the
    start of the test."""
    spikes, dt = np.zeros((1, 40), bool), 5e-4
    model, steady = neuron_with_history(), recordings.Drive(None, np.full(40, 1e-10), spikes, 0.0)
    rested = integrate_and_fire.bin_log_probabilities(model, steady, 4, dt, settling=4000)
    assert (
        np.ptp(rested)
        < 1e-9
        < np.ptp(integrate_and_fire.bin_log_probabilities(model, steady, 4, dt))
    )
    drifting = nc.models.igif((5.0,)).with_parameters(V_drift="5 mV", V_T="-65 mV", t_ref="1 ms")
    log_probabilities = [
        integrate_and_fire.bin_log_probabilities(
            drifting, replace(steady, after=t), 4, dt, settling=4000
        )
        for t in (0.0, 1e4)
    ]
    higher = drifting.with_parameters(V_T="-60 mV", V_drift="0 mV")
    np.testing.assert_allclose(
        log_probabilities[1],
        integrate_and_fire.bin_log_probabilities(higher, steady, 4, dt, settling=4000),
        rtol=1e-9,
    )
    assert np.all(log_probabilities[0] < log_probabilities[1])


def test_spikes_of_its_own_have_the_probability_of_the_likelihood():
    """First bins of 4000 free runs against the clamped probability of the same bin without a spike
    before it."""
    model, dt, runs = neuron_with_history(), 5e-4, 4000
    drive = driven(np.zeros((1, 24), bool))
    probability = -np.expm1(integrate_and_fire.bin_log_probabilities(model, drive, 4, dt)[0])
    spikes = integrate_and_fire.own_spikes(model, drive, 4, runs, 5, dt)
    assert spikes.shape == (runs, 6)
    still = np.cumprod(np.c_[np.ones(runs), ~spikes[:, :-1]], axis=1).astype(bool)
    for k in range(6):
        n = still[:, k].sum()
        error = np.sqrt(probability[k] * (1 - probability[k]) / n)
        assert abs(spikes[still[:, k], k].mean() - probability[k]) < 4 * error
    assert np.array_equal(
        spikes[:50], integrate_and_fire.own_spikes(model, drive, 4, runs, 5, dt)[:50]
    )


def test_a_neuron_of_one_current_is_counted_where_the_others_are(monkeypatch):
    """Only the held-out stretch counts, and the fit has twice as many starts as the others have
    settings."""
    requests = []

    def fitted(model, recording, seed, starts):
        requests.append((model, seed, starts))
        return neuron_with_history()

    spikes = np.random.default_rng(1).random((2, 300, 1)) < 0.05
    fine = np.zeros((2, 1500), bool)
    fine[:, ::5] = spikes[:, :, 0]
    span = recordings.Span(np.zeros((300, 1)), spikes, 100, 300)
    drive = recordings.Drive(None, np.full(1500, 8e-11), fine, 0.0)
    recording = recordings.Recording(
        "raphe", "made", 1e-3, False, [span], [span], span, None, drive
    )
    monkeypatch.setattr(integrate_and_fire, "fitted", fitted)
    result = fitting.fit("igif", recording, 200, 7, 4, 3)
    logs = integrate_and_fire.bin_log_probabilities(neuron_with_history(), drive, 5, settling=1500)
    np.testing.assert_allclose(result.log_probability, logs[:, 100:].sum(axis=1)[:, None])
    assert result.spikes.shape == (7, 200, 1) and requests == [("igif", 4, 6)]


def test_a_fit_that_is_worse_than_a_constant_rate_is_no_rival(monkeypatch):
    """A fit that began where the likelihood is flat raises an error that names the cell."""
    recording = recordings.Recording(
        "raphe", "made", 1e-3, False, [], [], None, None, recordings.Drive(None, None, None, 0.0)
    )

    def fit(model, experiment, *, seed, starts, dt):
        assert (model.name, seed, starts, dt) == ("igif-ia", 3, 6, recordings.FINE)
        return SimpleNamespace(bits_per_spike=bits, model="fitted")

    monkeypatch.setattr(nc, "fit", fit)
    bits = 0.5
    assert integrate_and_fire.fitted("igif-ia", recording, 3, 6) == "fitted"
    bits = -9.5
    with pytest.raises(FitError, match=r"raphe made: the fit of 'igif-ia' has -9\.50 bits"):
        integrate_and_fire.fitted("igif-ia", recording, 3, 6)


@pytest.mark.long
def test_units_are_compared_by_what_is_defined():
    spikes, _ = modulated(4, trials=8, units=2)
    recorded = modulated(5, trials=8, units=2)[0]
    table = pd.DataFrame(responses.unit_rows(spikes, recorded, 2e-3))
    assert set(table["statistic"]) >= {
        "rate",
        "fano_mean",
        "interval_distribution",
        "autocorrelogram",
        "noise_correlation",
    }
    assert set(table.groupby("statistic").size()) == {2}
    single = pd.DataFrame(responses.unit_rows(spikes, spikes[:1], 2e-3)).set_index(
        ["statistic", "unit"]
    )
    assert single.loc[("fano_factor", 0), "note"].startswith("not defined")
    halves = pd.DataFrame(responses.reference_rows(recorded, 2e-3)).set_index(
        ["statistic", "unit"]
    )["reference"]
    assert halves.notna().all() and 0 < halves[("fano_mean", 0)] < 1
    curves = rows.curves_of(spikes, 2e-3, rows.example(spikes))
    assert (
        set(curves) == {"intervals", "variances", "raster"}
        and rows.curves_of(spikes, 2e-3, None)["raster"] == ""
    )


def test_means_of_cells_by_hand():
    """Cells of 1, 2 and of 5: means 1.5 and 5; t(1) at 97.5 % is 12.706."""
    estimate = nested.nested_mean([1.0, 2.0, 5.0], ["a", "a", "b"])
    assert estimate[:1] + estimate[3:6] == (3.25, 3.25, 2, 3)
    assert estimate.low == pytest.approx(3.25 - 12.7062 * 3.5 / 2, rel=1e-4)
    assert estimate.within == pytest.approx(np.sqrt(0.5)) and estimate.between == pytest.approx(
        np.sqrt(3.5**2 / 2 - 0.5 * 0.75)
    )
    alone = nested.nested_mean([2.0, 2.0], ["a", "a"])
    assert alone.mean == 2.0 and np.isnan(alone.low) and np.isnan(alone.between)


def test_means_of_cells_are_the_mixed_model_of_restricted_likelihood():
    """Four cells of five recordings: the maximum of the restricted likelihood, found numerically,
    has our mean and components."""
    random = np.random.default_rng(4)
    values = random.normal(0.5, 1, (4, 1)) + random.normal(0, 0.7, (4, 5))
    cells = np.repeat(np.arange(4), 5)

    def loss(logs):
        between, within = np.exp(logs)
        inverse = np.linalg.inv(between * (cells[:, None] == cells) + within * np.eye(20))
        mean = inverse.sum(axis=0) @ values.ravel() / inverse.sum()
        residuals = values.ravel() - mean
        return (
            residuals @ inverse @ residuals - np.linalg.slogdet(inverse)[1] + np.log(inverse.sum())
        )

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    estimate = nested.nested_mean(values.ravel(), cells)
    np.testing.assert_allclose(np.exp(best.x / 2), [estimate.between, estimate.within], rtol=1e-4)
    error = np.sqrt(np.exp(best.x[0]) / 4 + np.exp(best.x[1]) / 20)
    assert (estimate.high - estimate.mean) / 3.182446 == pytest.approx(error, rel=1e-4)


@pytest.mark.parametrize(("n_cells", "effect"), [(2, 0.0), (5, 0.0), (5, 3.0)])
def test_false_alarms_of_recordings_nested_in_cells(n_cells, effect):
    """1000 data sets of ten recordings a cell, no effect: 5 % of intervals over cells miss zero
    (two standard errors are 1.4 %), of those over recordings more than 40 %; an effect of three
    standard deviations of a cell is seen."""
    random = np.random.default_rng(8)
    drawn = (
        effect
        + random.normal(0, 1, (1000, n_cells, 1))
        + random.normal(0, 0.5, (1000, n_cells, 10))
    )
    alarms = ttest_1samp(drawn.mean(axis=2), 0.0, axis=1).pvalue < 0.05
    cells = np.repeat(np.arange(n_cells), 10)
    ours = (
        np.array([nested.nested_mean(sample.ravel(), cells)[1:3] for sample in drawn[:50]]).prod(
            axis=1
        )
        > 0
    )
    np.testing.assert_array_equal(ours, alarms[:50])
    if effect:
        assert alarms.mean() > 0.95
    else:
        assert 0.03 < alarms.mean() < 0.07
        pooled = np.mean(
            [low * high > 0 for low, high in map(mean_interval, drawn.reshape(1000, -1)[:200])]
        )
        assert pooled > 0.4


def made_rows(gap, seeds=(0, 1)):
    """Rows of two songs of two neurons and of five raphe cells: internal noise is nearer by a gap
    and gains as many bits more."""
    random = np.random.default_rng(1)
    names = [("song-time", f"st{k}/{song}") for k in (1, 2) for song in "AB"] + [
        ("raphe", f"cell{k}") for k in range(5)
    ]
    table = []
    farther = dict.fromkeys(
        ("internal", "glm", "gif", "psth", "recurrent", "recurrent-output"), 0.0
    ) | {
        "output": gap,
        "igif": -gap,
    }
    for (dataset, name), seed, (model, more) in itertools.product(names, seeds, farther.items()):
        if (dataset, model) in protocols.NOT_DEFINED:
            continue
        units = [
            {
                "unit": 0,
                "statistic": of,
                "model": 1.0,
                "recorded": 1.0,
                "difference": 1 + more + 0.01 * random.normal(),
                "note": "",
            }
            for of in (*summary.TESTED[:3], "fano_factor")
        ]
        bits = 10 * (1 - more + 0.1 * seed)
        table.append(
            {
                "dataset": dataset,
                "name": name,
                "model": model,
                "seed": seed,
                "units": json.dumps(units),
                "bits": json.dumps([bits]),
                "spikes": json.dumps([10]),
            }
        )
    references = json.dumps(
        [{"unit": 0, "statistic": name, "reference": 0.1} for name in summary.TESTED[:3]]
    )
    return pd.DataFrame(table), pd.DataFrame(
        [{"dataset": d, "name": n, "units": references} for d, n in names]
    )


def test_seeds_are_averaged_inside_a_recording_and_recordings_inside_a_cell():
    recordings_ = summary.recording_table(*made_rows(0.3))
    likelihoods = recordings_[recordings_["statistic"] == summary.LIKELIHOOD].set_index(
        ["dataset", "name", "model"]
    )
    first = likelihoods.loc[("raphe", "cell0", "internal")]
    assert (first["score"], first["seeds"], first["runs"]) == (pytest.approx(1.05), 2, 2)
    assert first["seed_sd"] == pytest.approx(0.1 / np.sqrt(2))
    assert recordings_.groupby("dataset")["cell"].nunique().to_dict() == {
        "raphe": 5,
        "song-time": 2,
    }
    pairs = summary.pair_table(recordings_).set_index(["dataset", "statistic", "model", "rival"])
    pair = pairs.loc[("song-time", summary.LIKELIHOOD, "internal", "output")]
    assert (pair["cells"], pair["recordings"], pair["nearer"]) == (2, 4, 2) and pair[
        "mean"
    ] == pytest.approx(0.3)
    assert pairs.loc[("raphe", "fano_mean", "internal", "igif"), "mean"] == pytest.approx(
        -0.3, abs=0.02
    )
    assert ("song-time", summary.LIKELIHOOD, "internal", "igif") not in pairs.index
    table = summary.summary_table(recordings_).set_index(["dataset", "model", "statistic"])
    assert table.loc[
        ("raphe", "output", "fano_mean"), ["mean", "median"]
    ].tolist() == pytest.approx([1.3, 1.3], abs=0.02)
    assert table.loc[("raphe", "output", "fano_mean"), "reference"] == pytest.approx(0.1)
    assert (
        "onset" in table.loc[("song-time", "igif", "all"), "note"]
        and table.loc[("raphe", "psth", summary.LIKELIHOOD), "cells"] == 5
    )


def test_a_statistic_that_one_seed_lacks_says_so():
    table, recorded = made_rows(0.0)
    cut = (table["name"] == "cell0") & (table["model"] == "internal")
    table.loc[cut & (table["seed"] == 0), "bits"] = "[null]"
    table.loc[cut, "units"] = (
        table.loc[cut, "units"]
        .str.replace('"note": ""', '"note": "not defined: made up"')
        .str.replace(r'"difference": [0-9.]+', '"difference": NaN', regex=True)
    )
    of_recordings = summary.recording_table(table, recorded).set_index(
        ["name", "model", "statistic"]
    )
    assert of_recordings.loc[
        ("cell0", "internal", summary.LIKELIHOOD), ["score", "seeds", "runs"]
    ].tolist() == [pytest.approx(1.1), 1, 2]
    lost = of_recordings.loc[("cell0", "internal", "fano_mean")]
    assert np.isnan(lost["score"]) and lost["note"] == "not defined: made up" and lost["seeds"] == 0
    of_data_sets = summary.summary_table(of_recordings.reset_index()).set_index(
        ["dataset", "model", "statistic"]
    )
    assert of_data_sets.loc[("raphe", "internal", "fano_mean"), ["cells", "left_out"]].tolist() == [
        4,
        1,
    ]


def test_units_that_run_away_are_counted_by_hand():
    """Ratios of mean rates over seeds: 2, 3.5 and 0.5 for one model, 1 for the other; a unit that
    was silent has no ratio."""
    rates = [("a", 4.0, 2.0), ("a", 7.0, 2.0), ("a", 1.0, 2.0), ("a", 5.0, 0.0), ("b", 2.0, 2.0)]
    table = pd.DataFrame(rates, columns=["model", "value", "recorded"])
    counted = summary.runaway_table(table.assign(dataset="retina", statistic="rate"))
    assert counted.to_dict("list") == {
        "dataset": ["retina", "retina"],
        "model": ["a", "b"],
        "units": [3, 1],
        "runaways": [1, 0],
        "largest": [3.5, 1.0],
    }


def test_the_part_with_fewest_spikes_counts():
    """Six trials: the second and the fifth are held out, one of the rest chooses."""
    spikes = np.zeros((6, 40, 2), bool)
    for trial, number in enumerate((1, 2, 3, 4, 5, 6)):
        spikes[trial, :number, 0] = spikes[trial, :number, 1] = True
    recording = by_time(spikes)
    parts = (recording.training, recording.validation, [recording.test])
    sums = [sum(int(span.counted.sum()) for span in part) for part in parts]
    assert sums == [16, 12, 14] and recording.fewest_spikes == 12


def test_claims_follow_the_tables(tmp_path):
    """Each data set has its own verdict: five cells decide, two neurons that differ from each other
    do not, and a rival that is nearer refutes."""
    summary.recording_table(*made_rows(0.3)).to_parquet(tmp_path / "units.parquet", index=False)
    judged = claims.claims(tmp_path)
    verdicts = {
        (claim.claim.rpartition("(")[2].rstrip(")"), claim.dataset): claim for claim in judged
    }
    assert len(verdicts) < len(judged), (
        "the claim that two models are equal has the statistic of the one that one is better"
    )
    better = [
        claim
        for claim in judged
        if "better" in claim.claim and claim.claim.endswith("internal noise against output)")
    ]
    assert {claim.dataset for claim in better} == {"raphe", "song-time"} and len(better) == 8
    assert all(
        claim.verdict == "confirmed" and claim.seeds == 5
        for claim in better
        if claim.dataset == "raphe"
    )
    assert {
        claim.verdict
        for claim in judged
        if claim.dataset == "raphe" and "against igif)" in claim.claim
    } == {"refuted"}
    assert {
        claim.verdict
        for claim in judged
        if "as well as" in claim.claim and claim.dataset == "raphe"
    } == {"refuted"}
    assert not any(
        "igif" in claim.claim or "as well" in claim.claim
        for claim in judged
        if claim.dataset == "song-time" and claim.verdict == "confirmed"
    )
    assert claims.claims(tmp_path / "nothing") == []


def test_every_claim_is_complete_and_has_a_margin_on_every_data_set():
    fixed = tomllib.loads(claims.FIXED.read_text(encoding="utf-8"))
    for entry in fixed["claims"].values():
        assert set(entry) == {
            "claim",
            "source",
            "statistic",
            "family",
            "of",
            "model",
            "rival",
            "kind",
        }
        assert entry["family"] in fixed["families"] and entry["kind"] in ("better", "equal")
        assert entry["rival"] in summary.PAIRS[entry["model"]]
        for dataset in protocols.FOLDERS:
            assert (
                fixed["margins"][entry["of"]].get(dataset, fixed["margins"][entry["of"]].get("any"))
                > 0
            )
    rivals = {
        entry["rival"] for entry in fixed["claims"].values() if entry["of"] == summary.LIKELIHOOD
    }
    assert rivals == {
        "output",
        "glm",
        "gif",
        "igif",
        "igif-ia",
        "psth",
        "recurrent-output",
        "internal",
    }


def test_rows_are_distinct_and_models_stand_where_they_make_sense(recorded_data):
    planned = pd.DataFrame(protocols.rows("reduced"))
    assert len({key_of(row) for row in protocols.rows("reduced")}) == len(planned)
    # a starling neuron with fewer than 50 spikes in a part of each of its recordings is left out
    songs = planned[planned["dataset"].str.startswith("song")]
    assert set(songs["name"].str.split("/").str[0]) == {"st49_2_4_1"}
    updates = planned.groupby("dataset")["updates"].agg(set).to_dict()
    assert updates == {name: {protocols.UPDATES[name]} for name in protocols.FOLDERS}
    on = {model: set(of_model["dataset"]) for model, of_model in planned.groupby("model")}
    every = set(protocols.FOLDERS)
    assert on["psth"] == every - {"grasshopper", "song-waveform"} and on["coupled"] == {"retina"}
    assert on["igif"] == on["igif-ia"] == {"raphe"}
    assert all(
        on[model] == every
        for model in ("output", "internal", "recurrent", "recurrent-output", "glm", "gif")
    )
    seeds = planned.groupby(["dataset", "name", "model"])["seed"].agg(tuple)
    assert set(seeds.drop("deterministic", level="model")) == {(0, 1, 2, 3, 4)} and set(
        seeds.xs("deterministic", level="model")
    ) == {(0,)}


def test_recordings_are_read_as_their_readme_says(recorded_data):
    retina = recordings.recording("retina", "Movie1Exp1")
    assert retina.n_units == 38 and len(retina.average) + len(retina.test.spikes) == 30
    assert sum(len(s.spikes) for s in (*retina.training, *retina.validation)) == 20
    locust = recordings.recording("grasshopper", "1")
    assert sum(s.counted.sum() for s in (*locust.training, *locust.validation, locust.test)) == 929
    song = recordings.recording("song-waveform", "st49_2_4_1/4")
    assert (
        song.test.features.shape == (9280, 80) and song.test.stop == 9280 and song.average is None
    )
    with pytest.raises(DataError, match="no song"):
        recordings.song("st49_2_4_1/Z9")


def test_the_current_of_a_raphe_cell_is_that_of_the_networks(recorded_data):
    """Spikes fall into the same bins, the current is that behind the features, and nothing comes
    from the last fifth of the training."""
    cell = recordings.recording("raphe", "DRN158_gaba")
    drive, per_bin = cell.drive, round(cell.dt / recordings.FINE)
    np.testing.assert_array_equal(
        drive.spikes.reshape(5, -1, per_bin).any(axis=2), cell.test.counted[:, :, 0]
    )
    current = recordings.averaged(drive.current, recordings.FINE, cell.dt)
    assert np.corrcoef(current, cell.test.features[:, 0])[0, 1] == pytest.approx(1.0, abs=1e-6)
    (training,) = drive.training.repeats
    assert training.duration == pytest.approx(48.0) and drive.after == pytest.approx(60.0)
    assert len(training.spike_times) == cell.training[0].counted.sum()
