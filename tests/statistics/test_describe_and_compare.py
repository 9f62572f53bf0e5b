"""The table of many units and the comparison of a model with a recording; bad trains give errors
that name them."""

from __future__ import annotations

import warnings

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Trains
from neurocode.statistics.compare import curves


def poisson_repeats(rate, duration, count, seed):
    """Return inhomogeneous Poisson repeats; ``rate`` is a function of time in hertz, at most 50."""
    random = np.random.default_rng(seed)
    repeats = []
    for _ in range(count):
        times = np.sort(random.uniform(0, duration, random.poisson(50 * duration)))
        repeats.append(times[random.uniform(0, 50, times.size) < rate(times)])
    return repeats


def modulated(times):
    return 15 + 14 * np.sin(2 * np.pi * 2 * times)


@pytest.fixture(scope="module")
def alike():
    """A model, a recording like it, and their comparison."""
    model, recorded = (poisson_repeats(modulated, 5.0, 10, seed) for seed in (1, 2))
    return model, recorded, nc.compare(model, recorded)


@pytest.mark.parametrize(
    ("train", "reason"),
    [
        (np.array([]), "no spike"),
        (np.array([0.5]), "one spike"),
        (np.array([0.1, 0.5, 0.5, 0.9]), "two spikes at one time"),
        (np.array([0.5, 0.1, 0.9]), "not sorted"),
        (np.array([0.1, np.nan, 0.9]), "not finite"),
    ],
)
def test_bad_trains_have_a_reason_and_no_silent_number(train, reason):
    table = nc.describe([train, np.arange(0.1, 20, 0.1)], n_surrogates=19)
    bad, good = table.iloc[0], table.iloc[1]
    assert (
        reason in bad["reason"]
        and good["reason"] == ""
        and good["cv"] == pytest.approx(0, abs=1e-9)
    )
    if reason != "two spikes at one time":
        assert np.isnan(bad["cv"]) and np.isnan(bad["lz_ratio"])


def test_times_outside_their_train_have_a_reason():
    units = Trains.of_arrays(
        [[(np.array([-0.5, 0.5]), 0.0, 1.0)], [(np.array([0.5, 1.5]), 0.0, 1.0)]], ["early", "late"]
    )
    table = nc.describe(units, n_surrogates=0)
    assert table["reason"].str.contains("outside").all() and table["rate"].isna().all()


def test_a_misread_unit_of_time_warns():
    """A rate far too high has intervals far too short: seconds taken for milliseconds; and the
    reverse."""
    high = "rate of 10000 Hz: are the times in seconds, read as milliseconds or smaller?"
    with pytest.warns(UserWarning, match="are the times in seconds, read as milliseconds"):
        assert nc.describe([np.arange(1, 500) * 1e-4], n_surrogates=0)["reason"].iloc[0] == high
    low = "rate of 0.01 Hz: are the times in milliseconds or smaller, read as seconds?"
    with pytest.warns(
        UserWarning, match="are the times in milliseconds or smaller, read as seconds"
    ):
        assert nc.describe([np.arange(30) * 100.0], n_surrogates=0)["reason"].iloc[0] == low


def test_units_of_time_and_forms_of_trains_give_one_table():
    seconds = np.cumsum(np.random.default_rng(1).exponential(0.1, 200))
    stop = seconds[-1]
    forms = [
        [neo.SpikeTrain(seconds * pq.s, t_stop=stop * pq.s)],
        [neo.SpikeTrain(seconds * 1e3 * pq.ms, t_stop=stop * pq.s)],
        [[seconds]],
        neo.SpikeTrain(seconds * pq.s, t_stop=stop * pq.s),
        [seconds * 1e3 * pq.ms],
    ]
    tables = [nc.describe(form, n_surrogates=19) for form in forms]
    for table in tables[1:]:
        np.testing.assert_allclose(
            table.drop(columns="reason").to_numpy(),
            tables[0].drop(columns="reason").to_numpy(),
            rtol=1e-9,
        )


def test_table_of_poisson_units_is_that_of_poisson_processes():
    """Fano factor, CV, LV and complexity of 60 units average to 1 within four standard errors (plus
    1 % for LZ's bins)."""
    units = [poisson_repeats(lambda t: 20 + 0 * t, 10.0, 10, seed) for seed in range(60)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = nc.describe(units, n_surrogates=49)
    for name in ("cv", "lv", "fano_factor"):
        assert abs(table[name].mean() - 1) < 4 * table[name].std() / np.sqrt(60) + 0.01
    assert np.sum(table["lz_q"] < 0.05) <= 3


def test_duplicate_names_stay_apart():
    trains = [
        neo.SpikeTrain([0.1, 0.2, 0.4] * pq.s, t_stop=1 * pq.s, name="unit") for _ in range(2)
    ]
    assert len(nc.describe(trains, n_surrogates=0)) == 2


def test_a_model_like_the_recording_is_within_the_reference(alike):
    """Ten repeats of one inhomogeneous Poisson process against ten others: differences below the
    reference of half as many repeats plus four of its standard deviations."""
    _, _, table = alike
    defined = table[table["note"] == ""]
    assert np.all(defined["difference"] < defined["reference"] + 4 * defined["reference_sd"])
    assert table.loc["noise_correlation", "note"].startswith("not defined")


def test_what_a_model_lacks_is_seen():
    """A Poisson process of the right rate but no modulation loses the histogram; identical repeats
    have no variance."""
    recorded = poisson_repeats(modulated, 5.0, 10, 2)
    flat = nc.compare(poisson_repeats(lambda t: 15 + 0 * t, 5.0, 10, 3), recorded)
    assert flat.loc["psth_correlation_loss", "difference"] > 0.6
    frozen = nc.compare([recorded[0]] * 10, recorded)
    assert (
        frozen.loc["fano_factor", "model"] == 0 and "not defined" in frozen.loc["fano_mean", "note"]
    )


def test_units_of_different_duration_are_compared_without_a_noise_correlation():
    """Arrays end at their last spikes: unit a lasts 6 s and unit b 5 s, so no window of one belongs
    to one of the other."""
    first, second = np.array([0.5, 1.5, 2.25, 4.0, 6.0]), np.array([1.0, 3.0, 5.0])
    table = nc.compare(*[{"a": [first, first], "b": [second, second]}] * 2)
    assert table.loc["rate", "model"] == pytest.approx((5 / 6 + 3 / 5) / 2, rel=1e-12)
    assert (
        table.loc["noise_correlation", "note"]
        == "not defined: needs two units with the same two or more repeats, equally long"
    )


def test_noise_correlation_of_shared_input_is_compared():
    random = np.random.default_rng(4)
    shared = [np.sort(random.uniform(0, 4, 60)) for _ in range(12)]
    units = [
        [np.sort(np.concatenate([s[::2], random.uniform(0, 4, 30)])) for s in shared]
        for _ in range(2)
    ]
    alone = [[np.sort(random.uniform(0, 4, 60)) for _ in range(12)] for _ in range(2)]
    row = nc.compare(alone, units).loc["noise_correlation"]
    assert (
        row["recorded"] > 0.3 and abs(row["model"]) < 0.2 and row["difference"] > row["reference"]
    )


def test_sides_that_do_not_fit_are_named():
    with pytest.raises(DataError, match="model has 2 units"):
        nc.compare([[np.array([0.1])], [np.array([0.1])]], [[np.array([0.1])]])
    with pytest.raises(DataError, match="no spike train"):
        nc.compare([], [[np.array([0.1])]])
    with pytest.raises(DataError, match="no unit"):
        nc.describe([])


def test_the_figure_of_a_comparison_is_drawn(alike, tmp_path):
    from neurocode.plotting import compare_figure, save_figure
    from neurocode.statistics.compare import curves

    model, recorded, table = alike
    figure = compare_figure(table, curves(model), curves(recorded))
    names = [text.get_text() for axes in figure.axes for text in axes.get_yticklabels()]
    assert "fano mean" in names and "spike distance" not in names
    assert all(
        path.stat().st_size > 1000 for path in save_figure(figure, tmp_path / "comparison.pdf")
    )
    longer = poisson_repeats(modulated, 6.0, 10, 3)
    with pytest.raises(
        DataError,
        match=r"rate ends at 4.9975 s, the recorded one at 5.9875 s; give both trains "
        r"the same t_stop",
    ):
        compare_figure(table, curves(model), curves(longer))


def test_arrays_that_begin_before_zero_are_not_laid_over_one_another():
    """Each would begin at its own first spike; Neo trains say where they begin, and give no
    difference to themselves."""
    random = np.random.default_rng(0)
    repeats = [np.sort(np.append(random.uniform(-0.5, 1.0, 20), 0.2)) for _ in range(8)]
    for call in (lambda: nc.compare(repeats, repeats), lambda: curves(repeats)):
        with pytest.raises(
            DataError,
            match=r"side holds a spike at -0\.\d+ s in an array, which begins at zero; "
            r"give Neo trains",
        ):
            call()
    with pytest.raises(DataError, match="begins at zero"):
        nc.compare([iter(repeats)], [iter(repeats)])
    later = [times + 0.6 for times in repeats]
    pd.testing.assert_frame_equal(nc.compare([iter(later)], [later]), nc.compare([later], [later]))
    trains = [neo.SpikeTrain(times, units="s", t_start=-0.5, t_stop=1.0) for times in repeats]
    centres, rate = curves(trains).psth
    assert centres[np.argmax(rate)] == pytest.approx(0.7, abs=0.02)
