"""Rates and starts of NWB series, computed by hand: stated in the file, or from the times of
samples."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.recordings.nwb_timing import even_rate, is_even, timing_of

PATH = Path("cell.nwb")


def series(rate=None, starting_time=None, timestamps=None):
    return SimpleNamespace(
        name="voltage", rate=rate, starting_time=starting_time, timestamps=timestamps
    )


def test_a_part_begins_at_the_time_of_its_first_sample():
    """At 4 Hz the third sample after 2 s is taken at 2.5 s, whether the rate or the times are
    stated."""
    assert (
        timing_of(PATH, series(4.0, 2.0), 2, 5)
        == timing_of(PATH, series(timestamps=2 + np.arange(8) / 4), 2, 5)
        == (4.0, 2.5)
    )
    assert timing_of(PATH, series(4.0)) == (4.0, 0.0)
    assert timing_of(PATH, series(timestamps=np.arange(8) / 4)) == (4.0, 0.0)


class Declared:
    """Times for which a file declares more entries than fit into memory."""

    def __len__(self):
        return 10**13


def test_times_are_counted_before_they_are_read():
    for read in (timing_of, is_even):
        with pytest.raises(DataError, match="the times of 'voltage'"):
            read(PATH, series(timestamps=Declared()))
    assert is_even(PATH, series(4.0)) and is_even(PATH, series(timestamps=np.arange(3.0)))
    assert not is_even(PATH, series(timestamps=np.arange(3.0) ** 2))


def test_a_part_before_a_missing_sample_is_even():
    times = np.array([0.0, 0.25, 0.5, 1.0, 1.25])
    assert timing_of(PATH, series(timestamps=times), 0, 3) == (4.0, 0.0) and timing_of(
        PATH, series(timestamps=times), 3, 5
    ) == (
        4.0,
        1.0,
    )
    with pytest.raises(
        DataError, match=r"^cell.nwb: 'voltage' has a time for each sample, and these are not even"
    ):
        timing_of(PATH, series(timestamps=times))


@pytest.mark.parametrize(
    ("stray", "rate"), [(0.0, 1.0), (0.09, 1.0), (0.11, None), (-0.09, 1.0), (-0.11, None)]
)
def test_times_stray_by_a_tenth_of_an_interval_at_most(stray, rate):
    """One of 201 samples 1 s apart, in the middle, where it does not turn the line and moves its
    height by a part in 201."""
    times = np.arange(201.0)
    times[100] += stray
    assert even_rate(times) == rate


def test_rates_that_are_no_whole_number_are_kept():
    """30.5 samples a second, and 0.4: the nearest whole rates, 30 and 0, do not fit 100 samples."""
    assert even_rate(np.arange(100) / 30.5) == pytest.approx(30.5, rel=1e-12)
    assert even_rate(np.arange(100) / 0.4) == pytest.approx(0.4, rel=1e-12)


@pytest.mark.parametrize(
    "times",
    [[], [1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan, 2.0], [0.0, np.inf], [0.0, 7.5, -7.5, 5.0]],
)
def test_times_that_give_no_rate(times):
    assert even_rate(np.array(times)) is None
