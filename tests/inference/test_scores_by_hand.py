"""Every number of ``result.json``, computed by hand for a neuron with two rates, whose maximum is a
share of bins, and five test spikes."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.cli.fit_report import entry, score_table
from neurocode.errors import DataError, FitError
from neurocode.inference import (
    ClampedLikelihood,
    CrossValidation,
    Scores,
    cross_validate,
    held_out,
    refit,
)
from neurocode.inference.checks import reservations
from neurocode.inference.clamped import likelihood as clamped_likelihood
from neurocode.inference.clamped.grid import choose_dt, clamp, counted_steps, on_grid
from neurocode.inference.clamped.lanes import Clamp
from neurocode.models import EscapeNoise, NeuronModel, Parameter
from neurocode.recordings import Repeat
from neurocode.simulation.raw_run import RawRun

#: Hazard exp(gain*I - theta) in a bin of 0.1 s: the rate is 10 Hz at zero margin, the margin
#: follows the current at once.
DT = 0.1
TWO_RATES = NeuronModel(
    name="two rates",
    equations="dv/dt = -v/tau : 1\nu = v + gain*I : 1\nI : 1",
    margin="u - theta",
    reset="v = 0",
    integrator="exponential_euler",
    noise=EscapeNoise("exponential", scale="scale", rate="rate"),
    parameters={
        "tau": Parameter.of("9 second", fixed=True),
        "scale": Parameter(1.0, fixed=True),
        "rate": Parameter.of("10 Hz", fixed=True),
        "theta": Parameter(1.0),
        "gain": Parameter(1.0),
    },
)
#: Training: 5 bins that do not count, then 80 with no current, of which 8 hold a spike, and 40 with
#: current, of which 20 do.
CURRENT = np.concatenate([np.zeros(5), np.tile([0.0, 0.0, 1.0], 40)])
LOW, HIGH = np.flatnonzero(CURRENT[5:] == 0) + 5, np.flatnonzero(CURRENT[5:] == 1) + 5
SPIKES = np.sort(np.concatenate([LOW[::10], HIGH[::2]]))


def train(steps, n):
    return neo.SpikeTrain((np.asarray(steps) + 0.5) * DT, units="s", t_stop=n * DT)


def signal(values):
    return neo.AnalogSignal(
        np.asarray(values, float)[:, None], units="dimensionless", sampling_period=DT * pq.s
    )


#: Test: two repeats of 5 bins that do not count and 10 that do, with 3 and 2 spikes in them.
TEST_CURRENT = np.concatenate([np.zeros(5), [0, 1, 0, 0, 1, 0, 1, 0, 0, 1]])
REPEATS = ([6, 9, 11], [6, 14])
PREDICTED = ([6, 9], [6, 14], [11], [6, 10])


@pytest.fixture(scope="module")
def experiment():
    test = nc.Experiment([train(steps, 15) for steps in REPEATS], signal(TEST_CURRENT))
    return nc.Experiment(train(SPIKES, 125), signal(CURRENT), test=test, name="paper")


@pytest.fixture(scope="module")
def result(experiment):
    """Fit from values near the maximum; the search then ends within a twentieth of a standard error
    of it."""
    return nc.fit(
        TWO_RATES.with_parameters(theta=2.2504, gain=1.8839),
        experiment,
        starts=1,
        prior_width=np.inf,
    )


def test_a_search_ends_within_a_twentieth_of_a_standard_error_and_a_thousandth_of_a_nat(
    experiment, result
):
    searched = nc.fit(TWO_RATES, experiment, starts=1, prior_width=np.inf)
    assert (
        searched.converged
        and result.log_likelihood - 1e-3 < searched.log_likelihood < TRAINING_LOG_LIKELIHOOD + 1e-9
    )
    for name in ("theta", "gain"):
        near = result.parameters[name]
        assert searched.parameters[name].value == pytest.approx(
            near.value, abs=0.05 * near.standard_error
        )


def share_log_likelihood(count, bins):
    return count * np.log(count / bins) + (bins - count) * np.log(1 - count / bins)


#: Over all 120 bins: 28 spikes against a constant hazard of 28/120.
TRAINING_LOG_LIKELIHOOD = share_log_likelihood(8, 80) + share_log_likelihood(20, 40)
TRAINING_POISSON = 28 * np.log(1 - np.exp(-28 / 120)) - 92 * 28 / 120
#: Hazards at the maximum: the shares of bins with a spike are 1/10 and 1/2.
LOW_HAZARD, HIGH_HAZARD = -np.log(0.9), -np.log(0.5)


def test_a_fit_is_the_share_of_bins_with_a_spike(result):
    """theta = -log(-log(9/10)), gain = log(-log(1/2)) + theta; information h^2 exp(-h)/(1 -
    exp(-h)) a bin on the log hazard."""
    table = result.to_dictionary()
    theta = -np.log(LOW_HAZARD)
    gain = np.log(HIGH_HAZARD) + theta
    assert table["converged"] and table["message"].startswith(
        "converged: a full Newton step is expected to gain"
    )
    parameters = table["parameters"]
    assert parameters["theta"]["value"] == pytest.approx(theta, abs=1e-4) and parameters["gain"][
        "value"
    ] == pytest.approx(gain, abs=1e-4)
    low = 80 * LOW_HAZARD**2 * 0.9 / 0.1
    high = 40 * HIGH_HAZARD**2 * 0.5 / 0.5
    errors = {"theta": np.sqrt(1 / low), "gain": np.sqrt(1 / low + 1 / high)}
    for name, value in (("theta", theta), ("gain", gain)):
        assert parameters[name]["standard_error"] == pytest.approx(errors[name], rel=1e-3)
        half = 1.959964 * errors[name]
        assert parameters[name]["interval_95"] == pytest.approx(
            [value - half, value + half], rel=2e-3
        )
        assert (
            parameters[name]["unit"] == "1"
            and not parameters[name]["fixed"]
            and parameters[name]["identified"]
        )
        assert parameters[name]["prior_ratio"] == 0.0
    assert parameters["rate"] == {
        "value": 10.0,
        "unit": "Hz",
        "standard_error": None,
        "interval_95": None,
        "fixed": True,
        "identified": False,
        "prior_ratio": None,
    }
    assert (
        table["n_spikes"] == 28
        and table["dt"] == {"value": DT, "unit": "s"}
        and table["model"] == "two rates"
    )
    assert table["log_likelihood"] == pytest.approx(TRAINING_LOG_LIKELIHOOD, abs=1e-6)
    assert table["bic"] == pytest.approx(2 * np.log(28) - 2 * TRAINING_LOG_LIKELIHOOD, abs=1e-5)
    bits = (TRAINING_LOG_LIKELIHOOD - TRAINING_POISSON) / 28 / np.log(2)
    assert table["bits_per_spike"] == {"training": pytest.approx(bits, abs=1e-7)}
    assert table["training_rate"] == {"value": pytest.approx(28 / 12.0, rel=1e-12), "unit": "Hz"}
    assert (
        table["information_rank"] == 2
        and table["seed"] == 0
        and result.duration == pytest.approx(12.5)
    )
    assert table["gradient_norm"] < 0.1


def prior_estimate(width):
    """theta of spikes without gain under a normal prior around one: bisection on the slope of the
    posterior."""
    low, high = -5.0, 5.0
    for _ in range(80):
        theta = 0.5 * (low + high)
        hazard = np.exp(-theta)
        slope = (
            -28 * hazard * np.exp(-hazard) / (1 - np.exp(-hazard))
            + 92 * hazard
            - (theta - 1) / width**2
        )
        low, high = (theta, high) if slope > 0 else (low, theta)
    return theta


@pytest.mark.parametrize("width", [0.2, 3.0])
def test_a_prior_pulls_as_its_width_says(experiment, width):
    """With the gain fixed at zero: the maximum of log-likelihood and normal prior, its curvature,
    its ratio to the prior."""
    fitted = nc.fit(
        TWO_RATES.with_parameters(gain=0.0).with_fixed("gain"),
        experiment,
        starts=1,
        prior_width=width,
    )
    theta = prior_estimate(width)
    hazard = np.exp(-theta)
    curvature = (
        28 * hazard * np.exp(-hazard) * (hazard / (1 - np.exp(-hazard)) - 1) / (1 - np.exp(-hazard))
        + 92 * hazard
    )
    error = 1 / np.sqrt(curvature + 1 / width**2)
    assert fitted.parameters["theta"].value == pytest.approx(theta, abs=0.05 * error)
    assert fitted.parameters["theta"].standard_error == pytest.approx(error, rel=1e-2)
    assert fitted.parameters["theta"].prior_ratio == pytest.approx(error / width, rel=1e-2)
    assert (
        fitted.parameters["theta"].narrower_than_prior
        == (width == 3.0)
        == fitted.parameters["theta"].identified
    )


@pytest.fixture
def scores(result, experiment, monkeypatch):
    run = RawRun(
        [np.array(steps) for steps in PREDICTED], *[None] * (len(RawRun.__dataclass_fields__) - 1)
    )
    monkeypatch.setattr(clamped_likelihood, "run_jax", lambda *arguments, **options: run)
    return nc.evaluate(result, experiment, n_predictions=4, seed=3)


def test_held_out_bits_are_those_of_five_spikes_in_twenty_bins(scores):
    """Bins with current: 4 a repeat, 3 and 2 of them with a spike (6, 9, 11 and 6, 14); without: 6
    a repeat, none with a spike."""
    log_likelihood = 5 * np.log(0.5) + 3 * np.log(0.5) + 12 * np.log(0.9)
    rate = 28 / 12.0
    poisson = 5 * np.log(1 - np.exp(-rate * DT)) - 15 * rate * DT
    assert scores.bits_per_spike == pytest.approx(
        (log_likelihood - poisson) / 5 / np.log(2), abs=1e-4
    )


def test_similarities_are_counted_by_hand(scores):
    """No two spikes of different bins are within 8 ms, so products count shared bins: 6 is shared
    by both repeats (1 pair of 1).

    Predicted with recorded: 2, 1, 1, 1 with the first and 1, 2, 0, 1 with the second: 9/8 a pair.
    Among the predicted: pairs 1-2, 1-4 and 2-4 share bin 6: 3 of 6 pairs.
    """
    md = 2 * (9 / 8) / (1 + 0.5)
    table = scores.to_dictionary()
    assert table["md_star"] == {
        "4ms": pytest.approx(md, rel=1e-12),
        "8ms": pytest.approx(md, rel=1e-12),
    }
    assert table["reliability"] == {
        key: pytest.approx(1 / 2.5, rel=1e-12) for key in ("4ms", "8ms")
    }
    assert table["md_star_ceiling"] == {"4ms": None, "8ms": None}
    gammas = {"2ms": 2e-3, "4ms": 4e-3}
    shared = ((2, 1, 1, 1), (1, 2, 0, 1))
    for key, window in gammas.items():
        expected, recorded = [], []
        for spikes, row in zip(REPEATS, shared, strict=True):
            for steps, count in zip(PREDICTED, row, strict=True):
                chance = 2 * window * len(steps) / 1.5
                expected.append(
                    (count - chance * len(spikes))
                    / (0.5 * (len(spikes) + len(steps)))
                    / (1 - chance)
                )
        for a, b in (REPEATS, REPEATS[::-1]):
            chance = 2 * window * len(b) / 1.5
            recorded.append((1 - chance * len(a)) / 2.5 / (1 - chance))
        assert table["gamma"][key] == pytest.approx(np.mean(expected), rel=1e-12)
        assert scores.gamma_recorded[key] == pytest.approx(np.mean(recorded), rel=1e-12)
        assert table["gamma_over_recorded"][key] == pytest.approx(
            np.mean(expected) / np.mean(recorded), rel=1e-12
        )


def test_rates_and_histograms_are_those_of_the_spikes(scores):
    assert scores.recorded_rate == pytest.approx(
        2.5 / 1.5
    ) and scores.predicted_rate == pytest.approx(7 / 4 / 1.5)
    assert scores.to_dictionary()["rate"] == {
        "recorded": pytest.approx(5 / 3),
        "predicted": pytest.approx(7 / 6),
        "unit": "Hz",
    }
    times = (np.arange(1500) + 0.5) * 1e-3
    rates = []
    for repeats in (REPEATS, PREDICTED):
        centres = np.concatenate([np.array(steps) for steps in repeats]) * DT + 0.5e-3
        rates.append(np.sum(np.exp(-0.5 * ((times[:, None] - centres) / 10e-3) ** 2), axis=1))
    assert scores.psth_correlation == pytest.approx(np.corrcoef(*rates)[0, 1], abs=2e-4)


def test_explained_variance_counts_shared_bins(scores):
    """Spikes of different bins are ten widths s apart: covariances are shared spikes / (2 s
    sqrt(pi)) less n m / T.

    Predicted: shares 3/4, 1/4, 1/4, 1/4, 1/4 of repeats in bins 6, 9, 10, 11 and 14; recorded mean:
    1 in bin 6, 1/2 in 9, 11, 14.
    """
    gain = 1 / (2 * 0.01 * np.sqrt(np.pi))

    def explained(shared, first, second, n, m):
        variances = gain * (first + second) - (n**2 + m**2) / 1.5
        return 2 * (gain * shared - n * m / 1.5) / variances

    model = np.mean([explained(5 / 4, 3, 13 / 16, 3, 7 / 4), explained(1, 2, 13 / 16, 2, 7 / 4)])
    among = np.mean([explained(2, 3, 7 / 4, 3, 5 / 2), explained(3 / 2, 2, 7 / 4, 2, 5 / 2)])
    assert scores.explained_variance == pytest.approx(model / among, rel=2e-4)
    assert scores.to_dictionary()["explained_variance"] == scores.explained_variance
    assert not any("explained variance" in note for note in scores.notes)


@pytest.mark.parametrize(
    ("repeats", "predicted", "value", "note"),
    [
        (REPEATS, ([], []), 0.0, ""),
        (REPEATS[:1] * 3, (REPEATS[0], REPEATS[0]), 1.0, ""),
        (
            REPEATS[:1],
            PREDICTED,
            np.nan,
            "The explained variance is not defined: a single recorded repeat.",
        ),
        (
            ([], []),
            PREDICTED,
            np.nan,
            "The explained variance is not defined: the mean of the recorded repeats does not "
            "vary.",
        ),
    ],
)
def test_explained_variance_of_silence_of_equal_repeats_and_of_one(
    result, monkeypatch, repeats, predicted, value, note
):
    run = RawRun(
        [np.array(steps, int) for steps in predicted],
        *[None] * (len(RawRun.__dataclass_fields__) - 1),
    )
    monkeypatch.setattr(clamped_likelihood, "run_jax", lambda *arguments, **options: run)
    test = nc.Experiment([train(steps, 15) for steps in repeats], signal(TEST_CURRENT))
    scores = nc.evaluate(
        result,
        nc.Experiment(train(SPIKES, 125), signal(CURRENT), test=test),
        n_predictions=len(predicted),
    )
    assert scores.explained_variance == pytest.approx(value, abs=1e-12, nan_ok=True)
    assert [text for text in scores.notes if "explained variance" in text] == (
        [note] if note else []
    )
    written = json.loads(json.dumps(scores.to_dictionary()))["explained_variance"]
    assert written is None if note else written == scores.explained_variance
    assert len(scores.plot().axes) == 4 and len(repr(scores).splitlines()) <= 10


def test_rescaled_intervals_are_sums_of_hazards(scores):
    """Intervals between counted spikes: 6-9, 9-11 and 6-14; hazards log(1/0.9) or log 2 a bin, and
    a share of the last bin."""
    random = np.random.default_rng(3)
    first, second = random.uniform(size=3), random.uniform(size=2)
    low, high = LOW_HAZARD, HIGH_HAZARD
    elapsed = [
        2 * low - np.log(1 - first[1] / 2),
        low - np.log(1 - first[2] / 2),
        5 * low + 2 * high - np.log(1 - second[1] / 2),
    ]
    values = np.sort(1 - np.exp(-np.array(elapsed)))
    np.testing.assert_allclose(scores.ks.quantiles, values, atol=1e-4)
    statistic = max(np.max(np.arange(1, 4) / 3 - values), np.max(values - np.arange(3) / 3))
    assert scores.ks.statistic == pytest.approx(statistic, abs=1e-4)
    assert scores.ks.band == pytest.approx(1.358 / np.sqrt(3), rel=1e-12)
    assert scores.ks.passed == (statistic < 1.358 / np.sqrt(3))


def test_the_table_of_scores_holds_them(result, scores, experiment):
    validated = replace(result, cross_validation=CrossValidation(0.25, (0.2, 0.3)))
    frame = score_table(validated, scores).set_index("score")
    assert frame.loc["bits per spike, training", "model"] == result.bits_per_spike
    assert frame.loc["bits per spike, cross-validated", "model"] == 0.25
    assert frame.loc["bits per spike, held out", "model"] == scores.bits_per_spike
    md = scores.md_star["8ms"]
    assert tuple(frame.loc["Md* (8ms)", ["model", "low_95", "high_95"]]) == (md.value, *md.interval)
    assert frame.loc["coincidence factor (2ms)", "recorded"] == scores.gamma_recorded["2ms"]
    assert frame.loc["reliability (4ms)", "recorded"] == scores.reliability["4ms"]
    assert frame.loc["explained variance (10 ms)", "model"] == scores.explained_variance
    assert tuple(frame.loc["rate (Hz)", ["model", "recorded"]]) == (
        scores.predicted_rate,
        scores.recorded_rate,
    )
    assert tuple(frame.loc["KS statistic (passes below band)", ["model", "high_95"]]) == (
        scores.ks.statistic,
        scores.ks.band,
    )
    table = entry(validated, scores, experiment)
    assert table["recording"] == "paper" and table["n_recorded_spikes"] == 28
    assert set(table["bits_per_spike"]) == {"training", "test"} and table["cross_validation"][
        "folds"
    ] == [0.2, 0.3]
    assert table["reservations"] == reservations(validated, scores)


def test_saved_scores_come_back_as_they_were(scores, tmp_path):
    """All numbers are read back to the last bit, including those that are not finite, from a file
    and from a folder."""
    unusual = replace(
        scores,
        bits_per_spike=-np.inf,
        recorded=[np.array([0.1 + 0.2, 1.0]), np.empty(0)],
        notes=["a note"],
    )
    for saved in (scores, unusual):
        for path in (tmp_path / "own.json", tmp_path):
            loaded = nc.Scores.load(saved.save(path))
            assert loaded == saved == Scores.load(path)
            for name in (part.name for part in fields(Scores)):
                assert isinstance(getattr(saved, name), type(getattr(loaded, name))), name
            assert [train.tolist() for train in loaded.recorded] == [
                train.tolist() for train in saved.recorded
            ]
            assert (
                loaded.md_star["8ms"].interval == saved.md_star["8ms"].interval
                and loaded.ks.passed == saved.ks.passed
            )
    assert loaded != scores and loaded != "scores" and replace(loaded, notes=[]) != loaded
    assert json.loads((tmp_path / "scores.json").read_text())[
        "explained_variance"
    ] == pytest.approx(scores.explained_variance)
    (tmp_path / "other.json").write_text('{"saved": {"FitResult": {}}}')
    with pytest.raises(
        DataError, match=r"other\.json holds no saved Scores, expected what Scores\.save wrote"
    ):
        Scores.load(tmp_path / "other.json")
    with pytest.raises(DataError, match=r"none\.json: cannot be read"):
        Scores.load(tmp_path / "none.json")


def test_scores_show_themselves(scores):
    assert (
        scores.summary().splitlines()[0]
        == "Scores on 2 held-out repeats of 1.5 s with 5 spikes, 4 predicted"
    )
    assert (
        f"  explained variance (10 ms): {scores.explained_variance:.3g}"
        in scores.summary().splitlines()
    )
    assert (
        f"  reliability (8ms): recorded {scores.reliability['8ms']:.3g}"
        in scores.summary().splitlines()
    )
    low, high = scores.md_star["8ms"].interval
    assert f"Md* (8ms): 1.5, 95 % from {low:.3g} to {high:.3g}" in scores.summary()
    assert len(repr(scores).splitlines()) == 10 and repr(scores).endswith("more")
    assert len(scores.summary().splitlines()) == 1 + len(scores.to_dataframe()) + len(scores.notes)
    page = replace(scores, notes=["rate < 1"])._repr_html_()
    assert (
        "rate &lt; 1" in page
        and "<th>KS statistic (passes below band)</th>" in page
        and "NaN" not in page
    )
    figure = scores.plot()
    raster, predicted, rates, quantiles = figure.axes
    assert [len(axes.collections) for axes in (raster, predicted)] == [2, 4]
    np.testing.assert_array_equal(quantiles.lines[0].get_ydata(), scores.ks.quantiles)
    assert rates.lines[0].get_ydata().sum() * 1e-3 == pytest.approx(7 / 4, rel=1e-3)
    assert len(replace(scores, md_star={}).plot().axes) == 1


def test_every_check_speaks_from_its_own_limit_on(result, scores):
    bits = result.bits_per_spike
    good_ks = replace(scores.ks, passed=True)
    quiet = replace(
        scores, bits_per_spike=0.51 * bits, predicted_rate=1.24 * scores.recorded_rate, ks=good_ks
    )
    validated = replace(result, cross_validation=CrossValidation(0.51 * bits, ()))
    assert reservations(validated, quiet) == [] == reservations(result)
    for changed_result, changed, word in (
        (
            replace(result, converged=False, message="not converged: a gain of 2 nats"),
            quiet,
            "did not converge (a gain of 2 nats)",
        ),
        (
            replace(result, bits_per_spike=-0.1),
            quiet,
            "no better than a constant rate (-0.1 bits per spike)",
        ),
        (replace(result, bits_per_spike=0.0), quiet, "no better than a constant rate"),
        (
            replace(result, cross_validation=CrossValidation(0.49 * bits, ())),
            quiet,
            "Blocks of the training recording",
        ),
        (result, replace(quiet, bits_per_spike=0.49 * bits), "The test spikes have"),
        (result, replace(quiet, bits_per_spike=-np.inf), "The test spikes have -inf"),
        (
            result,
            replace(quiet, ks=replace(scores.ks, passed=False)),
            "Time rescaling rejects the model",
        ),
        (
            result,
            replace(quiet, predicted_rate=1.26 * scores.recorded_rate),
            "off by more than a quarter",
        ),
        (
            result,
            replace(quiet, predicted_rate=0.74 * scores.recorded_rate),
            "off by more than a quarter",
        ),
    ):
        sentences = reservations(changed_result, changed)
        assert len(sentences) == 1 and word in sentences[0], word
    undefined = replace(
        quiet, ks=replace(scores.ks, passed=False, statistic=np.nan), bits_per_spike=np.nan
    )
    assert (
        reservations(result, undefined) == []
        and reservations(result, replace(quiet, predicted_rate=0.76 * scores.recorded_rate)) == []
    )


def test_cross_validation_scores_blocks_by_the_shares_of_the_others(result, experiment):
    """Each of two blocks is scored with the shares of the bins of the other block, against the
    constant rate of the other block."""
    flags = np.zeros(125, bool)
    flags[SPIKES] = True
    blocks = [np.arange(5, 62), np.arange(62, 125)]
    gains, counts = [], []
    for left_out, remaining in (blocks, blocks[::-1]):
        log_likelihood = 0.0
        for level in (0.0, 1.0):
            share = np.mean(flags[remaining][CURRENT[remaining] == level])
            inside = flags[left_out][CURRENT[left_out] == level]
            log_likelihood += np.sum(inside) * np.log(share) + np.sum(~inside) * np.log(1 - share)
        hazard = np.mean(flags[remaining])
        gains.append(
            log_likelihood
            - np.sum(flags[left_out]) * np.log(1 - np.exp(-hazard))
            + np.sum(~flags[left_out]) * hazard
        )
        counts.append(np.sum(flags[left_out]))
    validation = cross_validate(TWO_RATES, result, experiment, folds=2, prior_width=np.inf)
    assert validation.folds == pytest.approx(
        [g / c / np.log(2) for g, c in zip(gains, counts, strict=True)], abs=3e-3
    )
    assert validation.bits_per_spike == pytest.approx(
        np.sum(gains) / np.sum(counts) / np.log(2), abs=3e-3
    )


def test_the_training_likelihood_of_no_fold_sees_the_held_out_spikes(
    result, experiment, monkeypatch
):
    """For every fold the climb ends where it ends when the spikes of the held-out block, and they
    alone, are others."""
    ends = []
    original = refit.Ascent.climb

    def climb(self, *arguments, **options):
        original(self, *arguments, **options)
        ends.append((self.point.log_likelihood, *self.point.z))

    monkeypatch.setattr(refit.Ascent, "climb", climb)
    cross_validate(TWO_RATES, result, experiment, prior_width=np.inf)
    reference = list(ends)
    edges = np.linspace(0, 125, 5).astype(int)
    for fold in range(4):
        inside = (edges[fold] <= SPIKES) & (edges[fold + 1] > SPIKES)
        free = np.setdiff1d(np.arange(edges[fold], edges[fold + 1]), SPIKES)
        moved = np.sort(np.concatenate([SPIKES[~inside], free[: np.sum(inside) + 2]]))
        ends.clear()
        cross_validate(
            TWO_RATES, result, nc.Experiment(train(moved, 125), signal(CURRENT)), prior_width=np.inf
        )
        assert ends[fold] == pytest.approx(reference[fold], rel=1e-12), fold
        others = [number for number in range(4) if number != fold]
        assert all(abs(ends[number][0] - reference[number][0]) > 1e-3 for number in others), (
            "the moved spikes are trained on"
        )


def test_rates_and_bits_of_clamps():
    counted = np.array([False, True, True, True, True])
    clamps = [
        Clamp(np.zeros(5), np.array([True, True, False, False, True]), counted),
        Clamp(np.zeros(5), np.zeros(5, bool), counted),
    ]
    likelihood, of_silence = (
        ClampedLikelihood(TWO_RATES, sweeps, 0.1) for sweeps in (clamps, clamps[1:])
    )
    assert (
        likelihood.n_spikes == 2
        and likelihood.exposure == pytest.approx(0.8)
        and likelihood.rate == pytest.approx(2 / 0.8)
    )
    expected = 2 * np.log(1 - np.exp(-0.3)) - 6 * 0.3
    assert likelihood.null_log_likelihood(3.0) == pytest.approx(expected, rel=1e-12)
    assert likelihood.bits_per_spike(expected + 4 * np.log(2), 3.0) == pytest.approx(2.0, rel=1e-12)
    assert np.isnan(of_silence.bits_per_spike(-1.0, 3.0))


def test_what_stays_and_what_goes_when_steps_are_held_out():
    data = Clamp(
        np.arange(4.0),
        np.array([True, False, True, True]),
        np.array([True, True, False, True]),
        np.arange(4.0),
    )
    kept, held_out = data.hold_out(np.array([False, False, True, True]))
    np.testing.assert_array_equal(kept.counted, [True, True, False, False])
    np.testing.assert_array_equal(held_out.counted, [False, False, False, True])
    np.testing.assert_array_equal(kept.voltage, [0, 1, np.nan, np.nan])
    assert held_out.voltage is None and kept.n_spikes == 1 and held_out.n_spikes == 1
    np.testing.assert_array_equal(kept.spikes, data.spikes)


@pytest.mark.parametrize(
    ("sampling", "requested", "step"),
    [
        (None, None, 1e-4),
        (None, 5e-3, 5e-3),
        (5e-5, None, 1e-4),
        (1e-5, None, 1e-4),
        (2e-4, None, 2e-4),
        (1.5e-4, None, 1.5e-4),
        (5e-5, 2e-4, 2e-4),
        (1e-4, 1e-4, 1e-4),
    ],
)
def test_the_time_step_is_a_multiple_of_the_sampling_interval(sampling, requested, step):
    assert choose_dt(sampling, requested) == pytest.approx(step, rel=1e-12)


@pytest.mark.parametrize("requested", [0.5e-4, 1.5e-4, 2.01e-4])
def test_other_time_steps_are_refused(requested):
    with pytest.raises(
        DataError, match=r"is not a whole multiple of the sampling interval of 0.0001 s"
    ):
        choose_dt(1e-4, requested)


def test_a_repeat_on_the_grid_by_hand():
    """Steps of 0.1 s over samples of 0.05 s: currents averaged in twos, spikes in the step that
    they begin, ends excluded."""
    repeat = Repeat(
        np.array([0.05, 0.1, 0.35, 0.399, 1.15]),
        1.15,
        np.arange(23.0),
        np.arange(23.0) * 1e-3,
        0.05,
    )
    with pytest.raises(
        DataError, match=r"Two spikes fall into one time step of 100 ms at 0.3000 s"
    ):
        clamp(repeat, 0.1)
    repeat = replace(repeat, spike_times=np.array([0.05, 0.1, 0.35, 1.05, 1.12]))
    data = clamp(repeat, 0.1)
    np.testing.assert_allclose(data.current, 0.5 + 2 * np.arange(11))
    np.testing.assert_array_equal(np.flatnonzero(data.spikes), [0, 1, 3, 10])
    np.testing.assert_array_equal(data.counted, np.arange(11) >= 5)
    assert (
        data.voltage is None
        and clamp(replace(repeat, current=None), 0.1).current.tolist() == [0.0] * 11
    )
    np.testing.assert_allclose(on_grid(np.arange(6.0), 0.1, 0.2, 3), [0.5, 2.5, 4.5])


def test_the_first_half_second_does_not_count_in_sweeps_of_a_second_or_more():
    assert (
        np.sum(counted_steps(10, 0.1)) == 5
        and np.all(counted_steps(9, 0.1))
        and np.flatnonzero(counted_steps(20, 0.05))[0] == 10
    )


def test_the_voltage_is_compared_at_the_ends_of_steps_away_from_spikes():
    """Steps of 1 ms; a spike in step 20 takes out steps 18 to 30; every 4 ms of the rest, and not
    beyond the last sample."""
    repeat = Repeat(np.array([0.0205]), 0.048, np.zeros(96), np.arange(96) * 1e-3, 5e-4)
    data = clamp(repeat, 1e-3, voltage=4e-3)
    expected = [step for step in range(3, 48, 4) if not 18 <= step <= 30 and 2 * (step + 1) < 96]
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(data.voltage)), expected)
    np.testing.assert_allclose(data.voltage[expected], 2e-3 * (np.array(expected) + 1))
    with pytest.raises(DataError, match="was not recorded"):
        clamp(replace(repeat, voltage=None), 1e-3, voltage=4e-3)


def test_too_few_spikes_and_free_parameters_and_inputs_are_counted(experiment):
    twenty = np.append(np.arange(5), LOW[:20])
    assert (
        nc.fit(
            TWO_RATES, nc.Experiment(train(np.unique(twenty), 125), signal(CURRENT)), starts=1
        ).n_spikes
        == 20
    )
    with pytest.raises(FitError, match="19 spikes after the first 500 ms, at least 20"):
        nc.fit(TWO_RATES, nc.Experiment(train(twenty[:-1], 125), signal(CURRENT)))
    with pytest.raises(FitError, match="no free parameter"):
        nc.fit(TWO_RATES.with_fixed("theta", "gain"), experiment)


def test_bursts_are_said_from_a_fifth_of_the_intervals_on():
    spikes = np.zeros(1000, bool)
    spikes[np.cumsum([5, *([9] * 2), *([20] * 8)])] = True
    quiet = Clamp(np.zeros(1000), spikes, np.ones(1000, bool))
    one_more = Clamp(np.zeros(1000), spikes | (np.arange(1000) == 1), np.ones(1000, bool))
    remarks = [ClampedLikelihood(TWO_RATES, [data], 1e-3).remarks() for data in (quiet, one_more)]
    assert remarks == [[], ["the cell bursts: 27% of its intervals are below 10 ms"]]


def test_predictions_are_made_under_the_mean_of_the_recorded_currents(monkeypatch):
    """Two repeats of one current, recorded with noise of opposite sign: the mean is the current
    itself."""
    noise = 1e-3 * np.random.default_rng(1).standard_normal(20)
    repeats = [train([6, 9], 20), train([6, 14], 20)]
    test = nc.Experiment(repeats, [signal(CURRENT[:20] + noise), signal(CURRENT[:20] - noise)])
    data, stimuli = ClampedLikelihood.of_test(TWO_RATES, test, dt=DT), []
    run = RawRun([np.array([], int)], *[None] * (len(RawRun.__dataclass_fields__) - 1))
    monkeypatch.setattr(
        clamped_likelihood, "run_jax", lambda *_, stimulus, **__: stimuli.append(stimulus) or run
    )
    data.predict(1, 0), data.simulate(1, 1, 0)
    np.testing.assert_allclose(stimuli[0], CURRENT[:20], atol=1e-12)
    np.testing.assert_allclose(stimuli[1], CURRENT[:20] - noise, atol=1e-12)
    two_currents = nc.Experiment(repeats, [signal(CURRENT[:20]), signal(np.roll(CURRENT[:20], 1))])
    with pytest.raises(DataError, match="do not share one frozen current"):
        ClampedLikelihood.of_test(TWO_RATES, two_currents, dt=DT).predict(1, 0)


def test_a_ceiling_has_a_mean_and_a_spread(scores):
    ceiling = replace(scores, md_star_ceiling={"4ms": (0.9, 0.05), "8ms": (0.8, 0.1)})
    table = ceiling.to_dictionary()
    assert table["md_star_ceiling"] == {"4ms": 0.9, "8ms": 0.8} and table["md_star_ceiling_sd"] == {
        "4ms": 0.05,
        "8ms": 0.1,
    }
    assert ceiling.to_dataframe()["recorded"][["Md* (4ms)", "Md* (8ms)"]].tolist() == [0.9, 0.8]


def test_a_test_longer_than_the_training_is_noted(result, experiment, scores):
    assert not any("longer than the training" in note for note in scores.notes)
    short = nc.evaluate(replace(result, duration=1.0), experiment, n_predictions=4)
    assert "The test lasts 1.5 s, longer than the training of 1 s." in short.notes


def test_a_narrow_prior_holds_every_refit_at_the_model(result, experiment):
    """With theta and gain held at one the hazard of a bin is exp(-1) without current and 1 with it,
    in every block."""
    flags = np.zeros(125, bool)
    flags[SPIKES] = True
    hazards = np.where(CURRENT == 1, 1.0, np.exp(-1))
    blocks = [np.arange(5, 62), np.arange(62, 125)]
    bits = []
    for left_out, remaining in (blocks, blocks[::-1]):
        constant = np.full(len(left_out), np.mean(flags[remaining]))
        model, poisson = (
            np.sum(np.where(flags[left_out], np.log(1 - np.exp(-hazard)), -hazard))
            for hazard in (hazards[left_out], constant)
        )
        bits.append((model - poisson) / np.sum(flags[left_out]) / np.log(2))
    validation = cross_validate(TWO_RATES, result, experiment, folds=2, prior_width=1e-4)
    assert validation.folds == pytest.approx(bits, abs=3e-3)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_seed_of_an_evaluation_is_that_of_all_its_draws(result, experiment, monkeypatch, seed):
    drawn = []

    def draws(score):
        return lambda *arguments, seed, **options: (
            drawn.append(seed) or score(*arguments, seed=seed, **options)
        )

    run = RawRun(
        [np.array(steps) for steps in PREDICTED], *[None] * (len(RawRun.__dataclass_fields__) - 1)
    )
    monkeypatch.setattr(clamped_likelihood, "run_jax", draws(lambda *arguments, **options: run))
    monkeypatch.setattr(held_out, "md_star", draws(held_out.md_star))
    monkeypatch.setattr(held_out, "md_star_ceiling", draws(held_out.md_star_ceiling))
    nc.evaluate(result, experiment, n_predictions=4, seed=seed)
    assert drawn == [seed] * 5


def test_the_time_of_a_test_goes_on_where_the_training_ends(result, experiment, monkeypatch):
    """An input that depends on time, such as a periodic one, reaches the test 12.5 s later than the
    training."""
    starts = []
    run = RawRun(
        [np.array(steps) for steps in PREDICTED], *[None] * (len(RawRun.__dataclass_fields__) - 1)
    )
    monkeypatch.setattr(
        clamped_likelihood,
        "run_jax",
        lambda *arguments, **options: starts.append(options["t_start"]) or run,
    )
    nc.evaluate(result, experiment, n_predictions=4)
    assert starts == [pytest.approx(12.5)]
