"""Spikes on the edges of bins, edges that floating point misses, and the last edge; no other module
of the package puts spikes into bins."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import neurocode
from neurocode.recordings.binning import (
    bin_numbers,
    bins_up_to,
    counts_between,
    interval_numbers,
    whole_bins,
    window_counts_at,
)
from neurocode.statistics.complexity import occupied_bins
from neurocode.statistics.variability import window_counts


def test_a_spike_on_an_edge_begins_its_bin():
    assert bin_numbers(np.array([0.0, 0.1, 0.2, 0.25]), 0.1).tolist() == [0, 1, 2, 2]
    assert bin_numbers(np.array([-0.05, -0.1]), 0.1).tolist() == [-1, -1]


@pytest.mark.parametrize("width", [0.1, 0.3, 1e-3, 1 / 3, 2e-4, 1 / 30000])
def test_multiples_of_a_width_fall_into_their_own_bin(width):
    """0.3 / 0.1, 0.6 / 0.2 and many others come out below the whole number that they are."""
    number = np.arange(100_000)
    assert (number * width / width < number).any() or width in (0.1, 0.3)
    assert np.array_equal(bin_numbers(number * width, width), number)
    assert np.array_equal(bin_numbers((number + 0.999_999) * width, width), number)
    assert all(
        bins_up_to(n * width, width) == n == whole_bins(n * width, width) for n in range(1, 2000)
    )


@pytest.mark.parametrize("per_second", [1000, 500, 2000, 30_000])
def test_multiples_of_a_width_fall_into_their_own_bin_after_a_day(per_second):
    """At 86 400 s a time is rounded by more than a billionth of such bins."""
    number, width = 86_400 * per_second + np.arange(10_000), 1 / per_second
    times = number / per_second
    assert np.mean(times / width < number - 1e-9) > 0.1
    assert np.array_equal(bin_numbers(times, width), number)
    for n, time in zip(number, times, strict=True):
        assert bins_up_to(time, width) == n == whole_bins(time, width)


def test_the_rounding_is_a_billionth_of_a_bin():
    before = np.array([0.3 - 0.5e-10, 0.3 - 2e-10])
    assert bin_numbers(before, 0.1).tolist() == [3, 2] and bin_numbers(
        before, 0.1, rounding=1e-6
    ).tolist() == [3, 3]
    assert [bins_up_to(d, 0.1) for d in (0.3 + 0.5e-10, 0.3 + 2e-10)] == [3, 4]
    assert [whole_bins(d, 0.1) for d in (0.3 - 0.5e-10, 0.3 - 2e-10)] == [3, 2]


def test_counts_between_edges_by_hand():
    """Half-open bins and a closed last one; what lies outside is in none, and edges are compared as
    they are."""
    edges = np.array([0.0, 0.1, 0.2, 0.3])
    assert counts_between([-1e-12, 0.0, 0.1, 0.1, 0.2999, 0.3, 0.3000001], edges).tolist() == [
        1,
        2,
        2,
    ]
    assert interval_numbers(np.array([-1.0, 0.0, 0.1, 0.3, 7.0]), edges).tolist() == [0, 0, 1, 2, 2]


def test_counts_between_equal_edges_are_those_of_the_uniform_histogram():
    """Bit for bit what ``numpy.histogram`` counts over a range, which it does another way; times
    lie on a clock of 0.1 ms."""
    times = np.sort(np.random.default_rng(1).integers(0, 20_000, 5000)) * 1e-4
    for n_bins, width in ((2000, 1e-3), (400, 5e-3), (667, 3e-3)):
        counts, edges = np.histogram(times, bins=n_bins, range=(0, n_bins * width))
        assert np.array_equal(
            counts_between(times, np.linspace(0, n_bins * width, n_bins + 1)), counts
        )
        assert np.array_equal(np.linspace(0, n_bins * width, n_bins + 1), edges)


def test_windows_share_the_edges_of_bins():
    """Windows beside each other count what bins do; windows that overlap count a spike in each."""
    times = np.arange(30) * 0.1
    assert window_counts_at(times, np.arange(10) * 0.3, 0.3).tolist() == [3] * 10
    assert window_counts([times], 0.0, 3.0, 0.3).tolist() == [[3] * 10]
    assert np.array_equal(
        window_counts_at(times, np.arange(10) * 0.3, 0.3), np.bincount(bin_numbers(times, 0.3))
    )
    assert window_counts_at(np.array([0.3]), np.array([0.0, 0.1, 0.2, 0.3]), 0.2).tolist() == [
        0,
        0,
        1,
        1,
    ]


def test_the_last_edge_belongs_to_the_last_occupied_bin():
    bins, n_bins = occupied_bins(np.array([0.05, 0.3]), 0.3, 0.1)
    assert (bins.tolist(), n_bins) == ([0, 2], 3)


#: Histograms of what is no spike time, with the reason.
OTHERS = {
    "learning": "its own steps",
    "simulation": "steps of the time loop",
    "statistics/variability.py": "mean counts of units, for the mean-matched Fano factor",
    "statistics/lempel_ziv.py": "a name of its own",
    "recordings/layout.py": "counts that must be whole numbers",
    "recordings/spike_table.py": "names that must be whole numbers",
    "recordings/phy.py": "clusters that must be whole numbers",
}


def test_spikes_are_put_into_bins_in_one_place():
    """``histogram``, ``digitize`` and the floor of a quotient occur nowhere else in the package."""
    root = Path(neurocode.__file__).parent
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name == "recordings/binning.py" or any(name.startswith(other) for other in OTHERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and getattr(node.func.value, "id", "") == "np"
            ):
                divides = any(
                    isinstance(part, ast.Div)
                    for argument in node.args
                    for part in ast.walk(argument)
                )
                binning = node.func.attr in ("histogram", "digitize") or (
                    node.func.attr == "floor" and divides
                )
                assert not binning, (
                    f"{name}:{node.lineno} puts values into bins; call neurocode.recordings.binning"
                )
