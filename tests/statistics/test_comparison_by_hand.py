"""Every number of a comparison worked out for small trains."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.statistics.compare import STATISTICS, curves
from neurocode.statistics.complexity import lz76
from neurocode.statistics.spike_distances import (
    spike_distance,
    van_rossum_distance,
    victor_purpura_distance,
)


def trains(*repeats, duration=0.5):
    return [neo.SpikeTrain(repeat, units="s", t_stop=duration) for repeat in repeats]


def spikes_of_counts(*counts):
    """Repeats with so many spikes in each window of 100 ms, evenly inside it."""
    return [
        np.concatenate([0.1 * w + 0.1 * np.arange(1, n + 1) / (n + 1) for w, n in enumerate(row)])
        for row in counts
    ]


def compared(model, recorded, name, **options):
    return nc.compare(model, recorded, statistics=[name], **options).loc[name]


MODEL = trains([0.05, 0.15, 0.25], [0.05])
RECORDED = trains([0.05, 0.15], [0.15, 0.15, 0.36])


def test_rate_by_hand():
    """Four and five spikes of two repeats of half a second."""
    row = compared(MODEL, RECORDED, "rate")
    assert (row["model"], row["recorded"], row["difference"], row["unit"], row["note"]) == (
        4.0,
        5.0,
        1.0,
        "Hz",
        "",
    )
    assert np.isnan(row["reference"]) and np.isnan(row["reference_sd"])


def test_fano_factor_by_hand():
    """Counts 1 1 1 0 0 and 1 0 0 0 0: mean variance 0.2 over mean count 0.4; recorded 1 1 0 0 0 and
    0 2 0 1 0: 0.3 over 0.5."""
    row = compared(MODEL, RECORDED, "fano_factor")
    assert (
        row["model"] == pytest.approx(0.5)
        and row["recorded"] == pytest.approx(0.6)
        and row["difference"] == pytest.approx(0.1)
    )
    assert (
        compared(trains([], []), RECORDED, "fano_factor")["note"]
        == "not defined: needs two repeats with spikes"
    )
    assert compared(MODEL[:1], RECORDED, "fano_factor")["note"].startswith("not defined")


def bumps(*centres):
    """Gaussian bumps of 10 bins, cut off at four of their widths, in 500 bins."""
    bins = np.arange(500)
    return sum(np.exp(-((bins - c) ** 2) / 200) * (abs(bins - c) <= 40) for c in centres)


def test_variance_at_a_mean_by_hand():
    """Variance equal to the mean against twice the mean, and against twice its square, at ten means
    that both sides reach."""
    poisson = trains(*spikes_of_counts((1, 3, 6, 0), (0, 1, 3, 0)), duration=0.4)
    double = trains(*spikes_of_counts((2, 6, 12, 1), (0, 2, 6, 1)), duration=0.4)
    square = trains(*spikes_of_counts((1, 2, 3, 0), (0, 0, 0, 0)), duration=0.4)
    assert compared(poisson, double, "fano_mean")["difference"] == pytest.approx(np.log(2))
    means = np.linspace(np.log(0.5), np.log(1.5), 10)
    expected = np.sqrt(np.mean((np.log(2) + means) ** 2))
    assert compared(poisson, square, "fano_mean")["difference"] == pytest.approx(expected)
    row = compared(
        poisson, trains(*spikes_of_counts((1, 2, 0), (0, 0, 0)), duration=0.4), "fano_mean"
    )
    assert np.isnan(row["difference"]) and "windows of different mean count" in row["note"]
    level = trains(*spikes_of_counts((1, 1, 1), (0, 0, 0)), duration=0.4)
    assert np.isnan(compared(level, level, "fano_mean")["difference"])


def test_interval_distributions_by_hand():
    """All of the model's mass moves by 50 ms; intervals do not run over repeats."""
    model, recorded = trains([0.1, 0.2, 0.3], [0.4]), trains([0.1, 0.25], [0.1, 0.25, 0.4])
    row = compared(model, recorded, "interval_distribution")
    assert (
        row["difference"] == pytest.approx(0.05) and row["unit"] == "s" and np.isnan(row["model"])
    )
    note = "not defined: needs two spikes in a repeat on both sides"
    assert compared(trains([0.1], [0.2]), recorded, "interval_distribution")["note"] == note


def test_autocorrelogram_by_hand():
    """One pair 5 ms apart in two spikes at 2 Hz: 1 / (2 * 2 ms * 2 Hz) in the third bin; lags
    beyond 100 ms count nowhere."""
    side = trains([0.3, 0.305], [], duration=0.5)
    edges, density = curves(side).autocorrelogram
    assert (
        len(density) == 50 and edges[1] == pytest.approx(0.002) and edges[-1] == pytest.approx(0.1)
    )
    np.testing.assert_allclose(density, np.eye(1, 50, 2)[0] / (2 * 0.002 * 2))
    other = trains([0.1, 0.109, 0.2, 0.45], [], duration=0.5)
    density_of_other = np.zeros(50)
    density_of_other[[4, 45, 49 + 1 - 1]] = 0
    for lag in (0.009, 0.091):
        density_of_other[int(lag / 0.002)] += 1 / (4 * 0.002 * 4)
    density_of_other[-1] += 1 / (4 * 0.002 * 4)
    measured = curves(other).autocorrelogram[1]
    np.testing.assert_allclose(measured[:49], density_of_other[:49])
    row = compared(side, trains([0.3, 0.3032], [], duration=0.5), "autocorrelogram")
    assert row["difference"] == pytest.approx(np.sqrt(2 * 125**2 / 50))
    assert np.isnan(compared(trains([], []), side, "autocorrelogram")["difference"])


@pytest.mark.parametrize("dt", [1e-3, 2e-3])
def test_the_autocorrelogram_of_binned_spikes_does_not_depend_on_rounding(dt):
    """A spike every 4 ms, wherever it begins: all lags lie on edges, and each counts in the bin
    that begins there."""
    for first in range(0, 20_000, 37):
        times = (first + 0.5) * dt + 0.004 * np.arange(20)
        density = curves([times, []]).autocorrelogram[1]
        assert set(np.flatnonzero(density)) == set(range(2, 40, 2)), first


def test_complexity_by_hand():
    """Two repeats of ten bins of 5 ms, one after another, words over spikes."""
    side = trains([0.0025, 0.0125, 0.0126], [0.0475], duration=0.05)
    row = compared(side, trains([0.0025], [], duration=0.05), "complexity_per_spike")
    assert (
        row["model"] == lz76("10100000000000000001") / 4
        and row["recorded"] == lz76("1" + "0" * 19) / 1
    )
    assert row["difference"] == abs(row["model"] - row["recorded"])
    empty = compared(trains([], [], duration=0.05), side, "complexity_per_spike")
    assert np.isnan(empty["model"]) and empty["note"] == "not defined: needs spikes on both sides"


@pytest.mark.parametrize(
    ("name", "distance"),
    [
        ("victor_purpura", victor_purpura_distance),
        ("van_rossum", van_rossum_distance),
        ("spike_distance", lambda a, b: spike_distance(a, b, 0.0, 0.5)),
    ],
)
def test_pairwise_distances_by_hand(name, distance):
    """Mean over pairs across the sides over the mean of those within, less one; of each side only
    the first twenty repeats."""
    model, recorded = [[0.1, 0.2], [0.11, 0.3], [0.3]], [[0.12], [0.1, 0.4]]
    inside = [
        np.mean([distance(model[a], model[b]) for a, b in ((0, 1), (0, 2), (1, 2))]),
        distance(*recorded),
    ]
    across = np.mean([distance(a, b) for a in model for b in recorded])
    row = compared(trains(*model), trains(*recorded), name)
    assert row["model"] == pytest.approx(inside[0]) and row["recorded"] == pytest.approx(inside[1])
    assert row["difference"] == pytest.approx(across / (0.5 * sum(inside)) - 1)
    alike = compared(trains([0.1], [0.1]), trains([0.1], [0.1]), name)
    assert (
        np.isnan(alike["difference"])
        and alike["note"] == "not defined: needs two repeats with spikes on both sides"
    )
    many = trains(*[[0.1], [0.2]] * 10, [0.1, 0.15, 0.2, 0.25, 0.3])
    first, last = (
        compared(side, recorded_side, name, n_splits=0)
        for side, recorded_side in ((many, many[:20]), (many[1:], many[:3]))
    )
    assert first["model"] == pytest.approx(first["recorded"]) and first[
        "difference"
    ] == pytest.approx(10 / 20 / (10 / 19) - 1)
    assert last["model"] != pytest.approx(first["model"])


def test_loss_of_the_histogram_by_hand():
    """A model with the recording's own mean response reaches a correlation of one with the signal
    where repeats are alike."""
    recorded = trains([0.1, 0.3], [0.1, 0.3], duration=0.5)
    assert compared(recorded, recorded, "psth_correlation_loss")["difference"] == pytest.approx(
        0, abs=1e-12
    )
    row = compared(trains([0.1], [0.1], duration=0.5), recorded, "psth_correlation_loss")
    expected = 1 - np.corrcoef(bumps(100), bumps(100, 300))[0, 1]
    assert row["difference"] == pytest.approx(expected)
    assert "share a signal" in compared(recorded, recorded[:1], "psth_correlation_loss")["note"]


def test_reference_is_the_difference_of_random_halves():
    """Five repeats in halves of two and three, dealt with the seed; mean and spread over the
    splits, unit by unit."""
    counts = np.array([1, 2, 4, 8, 16])
    recorded = [np.arange(1, n + 1) / 20 for n in counts]
    row = compared(recorded, recorded, "rate", n_splits=6, seed=5)
    random, values = np.random.default_rng(5), []
    for _ in range(6):
        order = random.permutation(5)
        values.append(abs(counts[order[:2]].mean() - counts[order[2:]].mean()) / 0.8)
    assert row["reference"] == pytest.approx(np.mean(values)) and row[
        "reference_sd"
    ] == pytest.approx(np.std(values, ddof=1))
    three = compared(recorded[:3], recorded[:3], "rate")
    assert np.isnan(three["reference"]) and np.isnan(three["reference_sd"])
    assert np.isfinite(compared(recorded[:4], recorded[:4], "rate")["reference"])
    single_split = compared(recorded, recorded, "rate", n_splits=1)
    assert np.isfinite(single_split["reference"]) and np.isnan(single_split["reference_sd"])


def test_units_are_averaged():
    """Rates of 4 and 2 Hz against 5 and 2 Hz; a unit without a value does not count."""
    row = compared([MODEL, trains([0.1], [0.1])], [RECORDED, trains([0.1], [0.1])], "rate")
    assert (row["model"], row["recorded"], row["difference"]) == (3.0, 3.5, 0.5)
    row = compared([MODEL, trains([], [])], [RECORDED, trains([], [])], "fano_factor")
    assert row["difference"] == pytest.approx(0.1) and row["note"] == ""


def test_noise_correlation_by_hand():
    """Counts of two units over two repeats and five windows; residuals around the windows' means,
    pooled."""
    first, second = [(1, 0, 2, 0, 1), (0, 1, 0, 0, 2)], [(2, 0, 1, 1, 0), (0, 1, 0, 1, 1)]
    sides = [
        [trains(*spikes_of_counts(*rows)) for rows in pair]
        for pair in ((first, second), (first, first))
    ]
    row = compared(*sides, "noise_correlation")
    residuals = [np.array(rows) - np.mean(rows, axis=0) for rows in (first, second)]
    expected = np.corrcoef(residuals[0].ravel(), residuals[1].ravel())[0, 1]
    assert row["model"] == pytest.approx(expected) and row["recorded"] == pytest.approx(1.0)
    assert (
        row["difference"] == pytest.approx(1 - expected)
        and row["note"] == ""
        and np.isnan(row["reference"])
    )


def test_reference_of_the_noise_correlation():
    rows = np.random.default_rng(3).integers(0, 4, (2, 5, 4))
    side = [trains(*spikes_of_counts(*unit), duration=0.4) for unit in rows]
    row = compared(side, side, "noise_correlation", n_splits=3, seed=8)
    random, values = np.random.default_rng(8), []

    def noise(chosen):
        part = rows[:, chosen] - rows[:, chosen].mean(axis=1, keepdims=True)
        return np.corrcoef(part.reshape(2, -1))[0, 1]

    for _ in range(3):
        order = random.permutation(5)
        values.append(abs(noise(order[:2]) - noise(order[2:4])))
    expected = [
        abs(noise(o[:2]) - noise(o[2:])) for o in (np.random.default_rng(8).permutation(5),)
    ]
    assert row["difference"] == 0 and row["recorded"] == pytest.approx(noise(np.arange(5)))
    random, values = np.random.default_rng(8), []
    for _ in range(3):
        order = random.permutation(5)
        values.append(abs(noise(order[:2]) - noise(order[2:])))
    assert row["reference"] == pytest.approx(np.mean(values)) and row[
        "reference_sd"
    ] == pytest.approx(np.std(values, ddof=1))
    assert values[0] == pytest.approx(expected[0])
    assert np.isnan(compared(side, side, "noise_correlation", n_splits=1)["reference_sd"])


@pytest.mark.parametrize(
    "lacking", ["one unit", "one repeat", "repeats that differ", "model repeats that differ"]
)
def test_where_a_noise_correlation_is_not_defined(lacking):
    side = [trains([0.1], [0.2, 0.3]), trains([0.1, 0.3], [0.4])]
    model, recorded = {
        "one unit": (side[:1], side[:1]),
        "one repeat": ([unit[:1] for unit in side], [unit[:1] for unit in side]),
        "repeats that differ": (side, [side[0], side[1][:1]]),
        "model repeats that differ": ([side[0], side[1][:1]], side),
    }[lacking]
    row = compared(model, recorded, "noise_correlation")
    assert (
        row["note"]
        == "not defined: needs two units with the same two or more repeats, equally long"
    )
    assert np.isnan(row["difference"])


def test_curves_by_hand():
    """Intervals of 100 and 150 ms in edges that grow by one factor from 1 ms to the duration, as
    probabilities."""
    curves_of_units = curves(
        [trains([0.1], [0.2]), trains([0.1, 0.2, 0.35], [0.1, 0.2], duration=0.5)], 1
    )
    edges, probability = curves_of_units.intervals
    np.testing.assert_allclose(edges, 1e-3 * 500 ** (np.arange(61) / 60))
    expected = np.histogram([0.1, 0.15, 0.1], edges)[0] / 3
    np.testing.assert_allclose(probability, expected)
    mean, variance = curves_of_units.counts
    assert mean.tolist() == [0.5] and variance.tolist() == [0.5]
    times, rate = curves_of_units.psth
    assert len(times) == 500 and rate.sum() * 1e-3 == pytest.approx(2.5, abs=1e-6)
    short = curves(trains([0.0], [0.0005], duration=0.001))
    assert (
        short.intervals[0][-1] == pytest.approx(2e-3)
        and short.intervals[1].sum() == 0
        and short.counts[0].size == 0
    )


def test_all_statistics_are_compared_unless_some_are_chosen():
    table = nc.compare(MODEL, RECORDED)
    assert (
        table.index.tolist() == [*STATISTICS, "noise_correlation"]
        and table.index.name == "statistic"
    )
    assert table.columns.tolist() == [
        "model",
        "recorded",
        "difference",
        "reference",
        "reference_sd",
        "unit",
        "note",
    ]
    assert nc.compare(MODEL, RECORDED, statistics=("rate", "fano_factor")).index.tolist() == [
        "rate",
        "fano_factor",
    ]


def test_trains_start_at_their_start():
    """Repeats cut from one recording: each counts from its own start."""
    shifted = [neo.SpikeTrain([10.05, 10.15] * pq.s, t_start=10 * pq.s, t_stop=10.5 * pq.s)] * 2
    at_zero = trains([0.05, 0.15], [0.05, 0.15])
    row = compared(shifted, at_zero, "victor_purpura")
    assert compared(shifted, at_zero, "rate")["difference"] == pytest.approx(
        0, abs=1e-9
    ) and np.isnan(row["difference"])
    assert compared(shifted, trains([0.05, 0.17], [0.05, 0.15]), "victor_purpura")[
        "recorded"
    ] == pytest.approx(2)


@pytest.mark.parametrize(
    ("model", "recorded", "says"),
    [
        (
            trains([0.1]),
            trains([0.1], duration=1.0),
            "lasts 0.5 s in the model and 1 s in the recording",
        ),
        ([[0.9]], trains([0.1]), "lasts 0.9 s in the model and 0.5 s in the recording"),
        (
            [trains([0.1])[0], trains([0.1], duration=1.0)[0]],
            RECORDED,
            "unit 0 on the model side last 0.5 to 1 s",
        ),
        ([[]], [[]], "neither a duration nor a spike"),
        ([MODEL, MODEL], [RECORDED], "model has 2 units, the recording 1"),
        ([], RECORDED, "model side has no spike train"),
        (MODEL, [], "recorded side has no spike train"),
        ([[0.2, 0.1]], RECORDED, "not sorted"),
    ],
)
def test_sides_that_cannot_be_compared_are_named(model, recorded, says):
    with pytest.raises(DataError, match=says):
        nc.compare(model, recorded)


def test_unknown_statistics_and_units_are_named():
    with pytest.raises(
        DataError,
        match="'lag' is not a statistic of a comparison; known are rate, psth_correlation_loss",
    ):
        nc.compare(MODEL, RECORDED, statistics=["rate", "lag"])
    for unit in (1, -1):
        with pytest.raises(DataError, match=f"no unit {unit}, the trains hold 1"):
            curves(MODEL, unit)


def test_arrays_end_with_the_longer_side():
    """A side of arrays lasts as long as the side that says its duration, or as the last spike of
    both."""
    assert compared([[0.1, 0.2], [0.3]], trains([0.1], [0.1]), "rate")["model"] == pytest.approx(3)
    assert compared([[0.1, 0.2], [0.3]], [[0.1], [0.6]], "rate")["model"] == pytest.approx(2.5)
