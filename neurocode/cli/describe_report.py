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
from neurocode.cli.progress import row_progress
from neurocode.cli.spreadsheet import write_csv
from neurocode.errors import ClusterError
from neurocode.plotting import describe_figure, save_figure
from neurocode.recordings.files import read_trains
from neurocode.recordings.layout import Layout
from neurocode.recordings.trains import Trains, join
from neurocode.statistics.describe import MOST_BINS, binned_events, describe
from neurocode.statistics.surrogates import false_discovery_rate, surrogate_complexity
from neurocode.statistics.variability import window_counts
from neurocode.studies import side_by_side

SHOWN_TRAINS, SHOWN_SPIKES, SHOWN_UNITS = 40, 40, 30
BIN_FRACTIONS = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
COUNT_WINDOW = 1.0

CAPTION = (
    "a, spikes of up to forty trains. b, interspike intervals of all units. c, CV and local variation; lines: Poisson process. "
    "d, variance and mean of spike counts, over repeats where there are any, over windows of 1 s elsewhere; line: Poisson process. "
    "e, LZ76 words over their mean in rate-matched surrogates. f, that ratio against the bin; median in colour."
)


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
    with row_progress("files described") as report:
        for outcome in itertools.chain.from_iterable(side_by_side(described_file, calls, workers=workers, scheduler=scheduler)):
            if outcome.lost:
                raise ClusterError(f"{files[outcome.number]}: {outcome.lost}")
            found[outcome.number] = outcome.value
            report(len(found), len(files))
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
        write_csv(table, scratch / "units.csv")
        write_json(scratch / "result.json", {"units": UNITS, "table": "units.csv", "n_units": len(table)})
        shown = table.reset_index().dropna(axis="columns", how="all")
        parts = [
            page.paragraph(_summary(table)),
            *_figure_parts(trains, table, seed, scratch / "units.pdf"),
            page.heading("Units"),
            page.table(shown),
            page.heading("Columns"),
            page.table(_definitions(shown.columns)),
            page.heading("Settings"),
            page.paragraph("; ".join(f"{name}: {value}" for name, value in settings.items())),
        ]
        page.write_page(scratch / "report.html", f"{len(table)} units", parts)
    return table


#: What the columns hold, and in which unit.
COLUMNS = {
    "unit": ("", "name in the file, or the file's name and the number of the unit in it, from 0"),
    "n_spikes": ("", "spikes in all trains"),
    "n_trains": ("", "trains, the repeats of the unit"),
    "duration": ("s", "of all trains together"),
    "rate": ("Hz", "spikes over duration"),
    "mean_isi": ("s", "mean interspike interval"),
    "min_isi": ("s", "shortest interspike interval"),
    "cv": ("", "coefficient of variation of the intervals; 1 for a Poisson process"),
    "cv2": ("", "coefficient of variation of neighbouring intervals (Holt et al. 1996); 1 for a Poisson process"),
    "lv": ("", "local variation (Shinomoto et al. 2003); 1 for a Poisson process"),
    "lvr": ("", "local variation corrected for a refractory time of 5 ms (Shinomoto et al. 2009)"),
    "serial_correlation": ("", "Pearson's correlation of an interval with the next"),
    "burst_index": ("", "share of intervals below 6 ms"),
    "allan_factor": ("", "squared difference of counts in adjacent windows of 1 s over twice their mean; 1 for a Poisson process"),
    "fano_factor": ("", "variance (unbiased) over mean of the counts of the repeats; 1 for a Poisson process"),
    "drift": ("", "Spearman's correlation of the count with the number of the repeat"),
    "drift_p": ("", "its p-value, two-sided"),
    "bin_size": ("s", "bin of the complexity"),
    "lz76": ("", "words of the Lempel-Ziv parsing of 1976"),
    "entropy_rate": ("bits per bin", "entropy of independent bins of this rate times lz_ratio"),
    "lz_ratio": ("", "words over their mean in rate-matched surrogates"),
    "lz_z": ("", "distance from that mean in standard deviations of the surrogates"),
    "lz_p": ("", "its p-value, two-sided"),
    "lz_q": ("", "p-value adjusted for the number of units (false discovery rate)"),
    "lz_isi_ratio": ("", "words over their mean in surrogates of shuffled intervals"),
    "lz_isi_z": ("", "distance from that mean in standard deviations of the surrogates"),
    "lz_isi_p": ("", "its p-value, two-sided"),
    "lz_isi_q": ("", "p-value adjusted for the number of units (false discovery rate)"),
    "reason": ("", "why entries are missing or doubtful"),
}
UNITS = {name: unit for name, (unit, _) in COLUMNS.items() if unit}


def _definitions(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame([(name, *COLUMNS[name]) for name in names], columns=["column", "unit", "meaning"])


def _figure_parts(trains: Trains, table: pd.DataFrame, seed: int, path: Path) -> list[str]:
    """The figure and its caption, or why there is none."""
    if not _drawn(table).size:
        return [page.paragraph("No figure: no unit has an interval that can be used.")]
    _, png = save_figure(_figure(trains, table, seed), path)
    return [page.image(png, CAPTION), page.paragraph(CAPTION)]


def _drawn(table: pd.DataFrame) -> np.ndarray:
    """Numbers of the units that the figure shows."""
    return np.flatnonzero((table["n_spikes"] >= 2) & table["cv"].notna())


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
    usable = _drawn(table)
    rows = [k for unit in usable for k in trains.trains_of(unit)]
    rows = rows[:: max(1, len(rows) // SHOWN_TRAINS)][:SHOWN_TRAINS]
    starts = trains.t_start[rows]
    seconds = SHOWN_SPIKES / table["rate"].iloc[usable].median()
    shown = [t[t < start + seconds] for t, start in zip((trains.train(k) for k in rows), starts, strict=True)]
    return describe_figure(
        table,
        shown=shown,
        intervals=_interval_histogram(trains, usable),
        count_moments=_count_moments(trains, usable),
        bin_effect=(BIN_FRACTIONS, _bin_effect(trains, table, _thinned(trains, table, usable), seed)),
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


def _thinned(trains: Trains, table: pd.DataFrame, usable: np.ndarray) -> np.ndarray:
    """Some of the units whose trains fill memory at no bin."""
    finest = BIN_FRACTIONS[0] * table["mean_isi"].to_numpy()
    fitting = usable[table["duration"].to_numpy()[usable] <= MOST_BINS * finest[usable]]
    return fitting[:: max(1, len(fitting) // SHOWN_UNITS)]


def _bin_effect(trains: Trains, table: pd.DataFrame, units: np.ndarray, seed: int) -> np.ndarray:
    ratios = np.full((len(units), len(BIN_FRACTIONS)), np.nan)
    for column, fraction in enumerate(BIN_FRACTIONS):
        binned = [binned_events(trains, unit, fraction * table["mean_isi"].iloc[unit]) for unit in units]
        if binned:
            events, lengths = zip(*binned, strict=True)
            ratios[:, column] = surrogate_complexity(list(events), lengths, n_surrogates=19, seed=seed).ratio
    return ratios
