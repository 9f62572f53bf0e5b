"""A statistic from outside the package appears in the table, in the file of results and on the
page; lists of names are complete."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode import statistics
from neurocode.cli.describe_report import write_description
from neurocode.errors import DataError
from neurocode.recordings import Layout, Trains
from neurocode.statistics import distributions
from neurocode.statistics.describe import ALL, columns_of
from neurocode.statistics.distributions import complexity_by_bin, count_moments, interval_histogram
from neurocode.statistics.surrogates import surrogate_complexity
from neurocode.statistics.unit_statistics import Column, UnitStatistic, binned_events

TRAINS = [[0.0, 1.0, 3.0], [0.5, 1.0, 2.0, 2.25], [0.25, 0.125], [2.0]]


def median_intervals(trains):
    return [
        np.median(np.diff(trains.train(k))) if trains.counts[k] > 1 else np.nan
        for k in range(trains.n_trains)
    ]


MEDIAN = UnitStatistic(
    [Column("median_isi", "half of the intervals are shorter", "s")], median_intervals
)
ENDS = UnitStatistic(
    [Column("earliest", "first spike"), Column("latest", "last spike")],
    lambda trains: [
        [*trains.train(k)[[0, -1]]] if trains.counts[k] else [np.nan] * 2
        for k in range(trains.n_trains)
    ],
)


def test_a_statistic_from_outside_stands_in_the_table():
    """Intervals 1 and 2; 0.5, 1 and 0.25; the third unit is not sorted and has no value, whatever
    the function gives."""
    table = nc.describe(TRAINS, statistics=[*ALL, MEDIAN, ENDS], n_surrogates=0)
    assert table["median_isi"].tolist()[:2] == [1.5, 0.5] and table[
        "median_isi"
    ].isna().tolist() == [False, False, True, True]
    assert table["latest"].iloc[[0, 1, 3]].tolist() == [3.0, 2.25, 2.0] and np.isnan(
        table["latest"].iloc[2]
    )
    ours = nc.describe(TRAINS, n_surrogates=0)
    assert list(table.columns) == [
        *ours.columns.drop("reason"),
        "median_isi",
        "earliest",
        "latest",
        "reason",
    ]
    pd.testing.assert_frame_equal(table[ours.columns], ours)


def test_statistics_are_chosen_by_row_and_by_column():
    whole = nc.describe(TRAINS, n_surrogates=19)
    always = ["n_spikes", "n_trains", "duration"]
    for chosen, columns in (
        (["cv"], ["cv"]),
        (["lv", "rate", "cv"], ["rate", "cv", "lv"]),
        (["drift"], ["drift", "drift_p"]),
        (["drift_p", "lz_z"], ["drift_p", "lz_z"]),
        ([MEDIAN], ["median_isi"]),
        ([], []),
    ):
        part = nc.describe(TRAINS, statistics=chosen, n_surrogates=19)
        assert list(part.columns) == [*always, *columns, "reason"]
        shared = [name for name in part.columns if name in whole]
        pd.testing.assert_frame_equal(part[shared], whole[shared])


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (
            ["median"],
            "'median' is not a statistic of a description; known are rate, intervals, allan_factor",
        ),
        ("cv", "expected a sequence of names and statistics"),
        (
            [*ALL, UnitStatistic([Column("cv", "mine")], median_intervals)],
            "has a column 'cv' already",
        ),
        ([MEDIAN, MEDIAN], "has a column 'median_isi' already"),
        (
            [UnitStatistic([Column("x", "")], lambda trains: [1.0])],
            r"'x' gives values of the shape \(1, 1\) for 4 units and 1 columns",
        ),
        (
            [UnitStatistic([Column("x", "")], lambda trains: np.ones((4, 2)))],
            r"shape \(4, 2\) for 4 units and 1 columns",
        ),
    ],
)
def test_statistics_that_do_not_fit_are_refused(chosen, says):
    with pytest.raises(DataError, match=says):
        nc.describe(TRAINS, statistics=chosen, n_surrogates=0)


def test_a_statistic_from_outside_is_defined_on_the_page(tmp_path):
    (tmp_path / "cells.csv").write_text("unit,time\na,0.5\na,1.0\na,2.5\n")
    options = {"bin_size": None, "n_surrogates": 0, "seed": 0}
    write_description(
        [tmp_path / "cells.csv"], tmp_path / "out", Layout(), statistics=[MEDIAN], **options
    )
    page = (
        (tmp_path / "out" / "report.html")
        .read_text()
        .split("<h2>Columns</h2>")[1]
        .split("<h2>Settings</h2>")[0]
    )
    row = "<td>median_isi</td>\n      <td>s</td>\n      <td>half of the intervals are shorter</td>"
    assert row in page and "<td>cv</td>" in page
    assert json.loads((tmp_path / "out" / "result.json").read_text())["units"]["median_isi"] == "s"
    assert pd.read_csv(tmp_path / "out" / "units.csv")["median_isi"].tolist() == [1.0]


def test_every_column_says_what_it_means():
    table = nc.describe(TRAINS, n_surrogates=19)
    assert ["unit", *table.columns] == [column.name for column in columns_of()]
    assert all(len(column.meaning) > 10 for column in columns_of())


def test_distributions_by_hand():
    trains = Trains.of([[0.0, 1.0, 3.0], [[0.5], [0.5, 1.0, 1.0]]])
    edges, probability = interval_histogram(trains, [0, 1])
    assert probability[probability > 0].tolist() == pytest.approx([1 / 3] * 3) and edges[
        [0, -1]
    ] == pytest.approx([0.4995, 2.002])
    assert interval_histogram(trains, [])[1].tolist() == [0.0]
    mean, variance = count_moments(trains, [0, 1])
    assert mean.tolist() == pytest.approx([2 / 3, 2.0]) and variance.tolist() == pytest.approx(
        [1 / 3, 2.0]
    )
    regular = Trains.of([np.arange(400) * 0.1, np.arange(1200) * 0.05])
    ratios = complexity_by_bin(regular, [0, 1], [0.25, 1.0], most_units=30, seed=1)
    assert (
        ratios.shape == (2, 2)
        and np.all(ratios[:, 0] < 0.2)
        and complexity_by_bin(regular, [], [0.5], most_units=3, seed=1).shape == (0, 1)
    )


def test_all_public_functions_of_statistics_are_listed():
    """But the compiled loops of ``lempel_ziv``, and ``describe`` and ``compare``, which share the
    name of their module."""
    for info in pkgutil.iter_modules(statistics.__path__):
        module = importlib.import_module(f"neurocode.statistics.{info.name}")
        for name, value in vars(module).items():
            public = not name.startswith("_") and (
                inspect.isfunction(value) or inspect.isclass(value)
            )
            if (
                public
                and value.__module__ == module.__name__
                and info.name not in ("lempel_ziv", name)
            ):
                assert name in statistics.__all__ and getattr(statistics, name) is value, (
                    f"{info.name}.{name}"
                )
    assert len(set(statistics.__all__)) == len(statistics.__all__) and all(
        hasattr(statistics, name) for name in statistics.__all__
    )
    assert (
        statistics.time_rescaling
        is importlib.import_module("neurocode.statistics.time_rescaling").time_rescaling
    )


def test_counts_of_a_single_train_are_those_of_its_whole_seconds():
    """One spike in the first second and two in the next: mean 1.5, variance 0.5; less than two
    seconds say nothing."""
    spikes = np.array([0.5, 1.25, 1.75])
    for stop, moments in ((2.0, ([1.5], [0.5])), (1.99, ([], []))):
        arrays = count_moments(Trains.of_arrays([[(spikes, 0.0, stop)]], ["a"]), [0])
        assert tuple(values.tolist() for values in arrays) == moments


def test_bins_of_the_complexity_are_shares_of_the_mean_interval_of_each_unit(monkeypatch):
    """Five units of 16 s with intervals of 1/8 to 2 s; of at most two, every third, with bins of
    1/4 and 1 interval."""
    steps = (0.125, 0.25, 0.5, 1.0, 2.0)
    trains = Trains.of_arrays(
        [[(np.arange(0.0, 16.0, step), 0.0, 16.0)] for step in steps], list("abcde")
    )

    def lengths_and_seed(events, lengths, n_surrogates, seed):
        return SimpleNamespace(ratio=np.array(lengths) + seed)

    monkeypatch.setattr(distributions, "surrogate_complexity", lengths_and_seed)
    table = complexity_by_bin(trains, range(5), [0.25, 1.0], most_units=2, seed=7)
    assert table.tolist() == [[16 * 8 * 4 + 7, 16 * 8 + 7], [16 * 4 + 7, 16 + 7]]
    monkeypatch.setattr(distributions, "MOST_BINS", 64)
    table = complexity_by_bin(trains, range(5), [0.25, 1.0], most_units=9, seed=0)
    assert table.tolist() == [[64, 16], [32, 8]]


def test_repeats_of_the_counts_of_each_condition():
    """Counts 1 and 3 of one stimulus, 0, 1 and 2 of another: means 2 and 1, variances 2 and 1."""
    repeats = [[0.5], [0.5, 0.6, 0.7], [], [0.5], [0.5, 0.6]]
    unit = [(np.array(times), 0.0, 1.0) for times in repeats]
    mean, variance = count_moments(Trains.of_arrays([unit], ["a"], [[4, 4, 5, 5, 5]]), [0])
    assert mean.tolist() == [2, 1] and variance.tolist() == [2, 1]


def test_surrogates_are_those_of_the_seed():
    train = np.cumsum(np.random.default_rng(1).exponential(0.1, 60))
    row = nc.describe([train], n_surrogates=19, seed=5, bin_size=0.05).iloc[0]
    events, length = binned_events(Trains.of([train]), 0, 0.05)
    for prefix, method in (("lz", "rate"), ("lz_isi", "isi")):
        expected = surrogate_complexity([events], [length], method=method, n_surrogates=19, seed=5)
        assert row[f"{prefix}_z"] == expected.z[0] and row[f"{prefix}_ratio"] == expected.ratio[0]
        assert row[f"{prefix}_p"] == row[f"{prefix}_q"] == expected.p[0]


def test_p_values_are_adjusted_for_the_number_of_units():
    """By Benjamini and Hochberg: of increasing p-values the k-th times 4/k, and none above a later
    one."""
    random = np.random.default_rng(2)
    table = nc.describe(
        [np.cumsum(random.gamma(shape, 0.1 / shape, 60)) for shape in (0.3, 0.6, 1.0, 3.0)],
        n_surrogates=39,
    )
    for prefix in ("lz", "lz_isi"):
        p = table[f"{prefix}_p"].to_numpy()
        order = np.argsort(p)
        adjusted = np.minimum.accumulate((p[order] * 4 / np.arange(1, 5))[::-1])[::-1]
        assert table[f"{prefix}_q"].to_numpy()[order] == pytest.approx(np.minimum(adjusted, 1.0))
        assert not np.allclose(p, table[f"{prefix}_q"])
