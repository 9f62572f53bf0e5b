"""Everything that a description writes: table, figure and report."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from neurocode.cli import page
from neurocode.cli.output import output_folder, write_json
from neurocode.errors import ClusterError, DataError
from neurocode.plotting import describe_figure, save_figure
from neurocode.recordings.files import read
from neurocode.recordings.layout import Layout, read_layout
from neurocode.recordings.trains import Trains, join
from neurocode.statistics.describe import binned_events, describe
from neurocode.statistics.surrogates import false_discovery_rate, surrogate_complexity
from neurocode.statistics.variability import window_counts
from neurocode.studies import side_by_side

BY_LAYOUT = (".mat", ".h5", ".hdf5", ".npy", ".txt", ".csv", ".dat")
SHOWN_TRAINS, SHOWN_SPIKES, SHOWN_UNITS = 40, 40, 30
BIN_FRACTIONS = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
COUNT_WINDOW = 1.0

CAPTION = (
    "a, spikes of up to forty trains. b, interspike intervals of all units. c, CV and local variation; lines: Poisson process. "
    "d, variance and mean of spike counts, over repeats where there are any, over windows of 1 s elsewhere; line: Poisson process. "
    "e, LZ76 words over their mean in rate-matched surrogates. f, that ratio against the bin; median in colour."
)


def read_trains(path: Path, layout: Layout) -> Trains:
    """Trains of one file, by its layout or by Neo.

    Raises
    ------
    DataError
        If the file holds no spike train.
    """
    if path.suffix.lower() in BY_LAYOUT:
        return read_layout(path, layout)
    trains = Trains.of(read(path))
    if not trains.n_units:
        raise DataError(f"{path}: the file holds no spike train.")
    return trains


def described_file(path: Path, layout: Layout, bin_size: float | None, n_surrogates: int, seed: int) -> tuple[Trains, pd.DataFrame]:
    """Trains of a file, and the table of its units."""
    trains = read_trains(path, layout)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return trains, describe(trains, bin_size=bin_size, n_surrogates=n_surrogates, seed=seed)


def described(
    files: Sequence[Path], layout: Layout, bin_size: float | None, n_surrogates: int, seed: int, workers: int, scheduler: str | None
) -> tuple[Trains, pd.DataFrame]:
    """Trains and table of all files, each described by a worker; p-values are adjusted for the units of all.

    Raises
    ------
    ClusterError
        If a file kills its worker again and again, or the scheduler is not there.
    """
    calls = [(Path(path), layout, bin_size, n_surrogates, _seed_of(seed, number)) for number, path in enumerate(files)]
    found: dict[int, tuple[Trains, pd.DataFrame]] = {}
    for outcome in itertools.chain.from_iterable(side_by_side(described_file, calls, workers=workers, scheduler=scheduler)):
        if outcome.lost:
            raise ClusterError(f"{files[outcome.number]}: {outcome.lost}")
        found[outcome.number] = outcome.value
    parts = [found[number] for number in range(len(files))]
    table = pd.concat([own for _, own in parts])
    for name in [name for name in table.columns if name.endswith("_q")]:
        table[name] = false_discovery_rate(table[name.removesuffix("q") + "p"].to_numpy())
    return join([trains for trains, _ in parts]), table


def _seed_of(seed: int, number: int) -> int:
    """Of the surrogates of a file: that of the first is the one given."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) if number else seed


def write_description(
    files: Sequence[Path], folder: Path, layout: Layout, *, bin_size: float | None, n_surrogates: int, seed: int, workers: int = 1,
    scheduler: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Describe files together and write one folder; the workers change nothing but the time.

    Returns
    -------
    pandas.DataFrame
        See :func:`neurocode.describe`.
    """
    settings = {"files": [str(path) for path in files], "layout": asdict(layout)}
    settings |= {"bin_size": bin_size, "n_surrogates": n_surrogates, "seed": seed}
    with output_folder(folder, settings) as scratch:
        trains, table = described(files, layout, bin_size, n_surrogates, seed, workers, scheduler)
        table.to_csv(scratch / "units.csv")
        write_json(scratch / "result.json", {"units": UNITS, "table": "units.csv", "n_units": len(table)})
        _, png = save_figure(_figure(trains, table, seed), scratch / "units.pdf")
        shown = table.reset_index().dropna(axis="columns", how="all")
        parts = [
            page.paragraph(_summary(table)),
            page.image(png, CAPTION),
            page.paragraph(CAPTION),
            page.heading("Units"),
            page.table(shown),
        ]
        page.write_page(scratch / "report.html", f"{len(table)} units", parts)
    return table


#: Units of the columns that have one.
UNITS = {"duration": "s", "rate": "Hz", "mean_isi": "s", "min_isi": "s", "bin_size": "s"}


def _summary(table: pd.DataFrame) -> str:
    usable = table[table["reason"] == ""]
    text = f"{len(table)} units, {int(table['n_spikes'].sum())} spikes; {len(usable)} units without a reservation. "
    text += "Median over units: " + ", ".join(
        f"{label} {table[name].median():.3g}"
        for name, label in (("rate", "rate (Hz)"), ("cv", "CV"), ("lv", "LV"), ("serial_correlation", "serial correlation"),
                            ("fano_factor", "Fano factor over repeats"), ("lz_ratio", "LZ complexity over surrogates"))
        if name in table and table[name].notna().any()
    )  # fmt: skip
    return text + ". The Fano factor has the unbiased variance; p-values of complexity are two-sided, q is adjusted for the units."


def _figure(trains: Trains, table: pd.DataFrame, seed: int):
    usable = np.flatnonzero((table["n_spikes"] >= 2) & table["cv"].notna())
    rows = [k for unit in usable for k in trains.trains_of(unit)]
    rows = rows[:: max(1, len(rows) // SHOWN_TRAINS)][:SHOWN_TRAINS]
    starts = trains.t_start[rows] if rows else np.zeros(0)
    seconds = SHOWN_SPIKES / table["rate"].iloc[usable].median() if usable.size else 1.0
    shown = [t[t < start + seconds] for t, start in zip((trains.train(k) for k in rows), starts, strict=True)]
    return describe_figure(
        table,
        shown=shown,
        intervals=_interval_histogram(trains, usable),
        count_moments=_count_moments(trains, usable),
        bin_effect=(BIN_FRACTIONS, _bin_effect(trains, table, usable[:: max(1, len(usable) // SHOWN_UNITS)], seed)),
    )


def _interval_histogram(trains: Trains, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chosen = np.flatnonzero(np.isin(trains.unit, usable))
    intervals = np.concatenate([np.diff(trains.train(k)) for k in chosen]) if chosen.size else np.array([])
    intervals = intervals[intervals > 0]
    if not intervals.size:
        return np.array([1e-3, 1.0]), np.zeros(1)
    edges = np.geomspace(intervals.min() * 0.999, intervals.max() * 1.001, 41)
    return edges, np.histogram(intervals, edges)[0] / intervals.size


def _count_moments(trains: Trains, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of counts: over repeats of a condition, or over windows of a single train."""
    counts, moments = trains.counts, []
    for unit in usable:
        own = np.array(trains.trains_of(unit))
        groups = [counts[own[trains.condition[own] == c]] for c in np.unique(trains.condition[own])]
        if max(len(group) for group in groups) == 1 and trains.t_stop[own[0]] - trains.t_start[own[0]] >= 2 * COUNT_WINDOW:
            groups = [window_counts([trains.train(own[0])], trains.t_start[own[0]], trains.t_stop[own[0]], COUNT_WINDOW)[0]]
        moments += [(np.mean(group), np.var(group, ddof=1)) for group in groups if len(group) > 1]
    return tuple(np.array(moments).T) if moments else (np.empty(0), np.empty(0))


def _bin_effect(trains: Trains, table: pd.DataFrame, units: np.ndarray, seed: int) -> np.ndarray:
    ratios = np.full((len(units), len(BIN_FRACTIONS)), np.nan)
    for column, fraction in enumerate(BIN_FRACTIONS):
        binned = [binned_events(trains, unit, fraction * table["mean_isi"].iloc[unit]) for unit in units]
        if binned:
            events, lengths = zip(*binned, strict=True)
            ratios[:, column] = surrogate_complexity(list(events), lengths, n_surrogates=19, seed=seed).ratio
    return ratios
