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
from neurocode.statistics.describe import ALL, columns_of, describe
from neurocode.statistics.distributions import complexity_by_bin, count_moments, interval_histogram
from neurocode.statistics.surrogates import false_discovery_rate
from neurocode.statistics.unit_statistics import Column, UnitStatistic
from neurocode.studies import side_by_side

SHOWN_TRAINS, SHOWN_SPIKES, SHOWN_UNITS = 40, 40, 30
BIN_FRACTIONS = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6])

CAPTION = (
    "a, spikes of up to forty trains. b, interspike intervals of all units. c, CV and local "
    "variation; lines: Poisson process. "
    "d, variance and mean of spike counts, over repeats where there are any, over windows of 1 s "
    "elsewhere; line: Poisson process. "
    "e, LZ76 words over their mean in rate-matched surrogates. f, that ratio against the bin; "
    "median in colour."
)


def described_file(
    path: Path,
    layout: Layout,
    statistics: Sequence[UnitStatistic],
    bin_size: float | None,
    n_surrogates: int,
    seed: int,
) -> tuple[Trains, pd.DataFrame]:
    """Trains of a file, and the table of its units."""
    trains = read_trains(path, layout)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return trains, describe(
            trains,
            statistics=[*ALL, *statistics],
            bin_size=bin_size,
            n_surrogates=n_surrogates,
            seed=seed,
        )


def described(
    files: Sequence[Path],
    layout: Layout,
    statistics: Sequence[UnitStatistic],
    bin_size: float | None,
    n_surrogates: int,
    seed: int,
    workers: int,
    scheduler: str | None,
) -> tuple[Trains, pd.DataFrame]:
    """Trains and table of all files, each described by a worker; p-values are adjusted for the
    units of all.

    Raises
    ------
    ClusterError
        If a file kills its worker again and again, or the scheduler is not there.
    """
    calls = [
        (Path(path), layout, statistics, bin_size, n_surrogates, _seed_of(seed, number))
        for number, path in enumerate(files)
    ]
    found: dict[int, tuple[Trains, pd.DataFrame]] = {}
    with row_progress("files described") as report:
        for outcome in itertools.chain.from_iterable(
            side_by_side(described_file, calls, workers=workers, scheduler=scheduler)
        ):
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
    files: Sequence[Path],
    folder: Path,
    layout: Layout,
    *,
    bin_size: float | None,
    n_surrogates: int,
    seed: int,
    workers: int = 1,
    scheduler: str | None = None,
    statistics: Sequence[UnitStatistic] = (),
) -> pd.DataFrame:
    """Describe files together and write one folder; the workers change nothing but the time.

    ``statistics`` of your own are added to the table and to what the page says of its columns.

    Returns
    -------
    pandas.DataFrame
        See :func:`neurocode.describe`.
    """
    settings = {"files": [str(path) for path in files], "layout": asdict(layout)}
    settings |= {"bin_size": bin_size, "n_surrogates": n_surrogates, "seed": seed}
    with output_folder(folder, settings) as scratch:
        trains, table = described(
            files, layout, statistics, bin_size, n_surrogates, seed, workers, scheduler
        )
        columns = columns_of(statistics)
        units = {column.name: column.unit for column in columns if column.unit}
        write_csv(table, scratch / "units.csv")
        write_json(
            scratch / "result.json", {"units": units, "table": "units.csv", "n_units": len(table)}
        )
        shown = table.reset_index().dropna(axis="columns", how="all")
        parts = [
            page.paragraph(_summary(table)),
            *_figure_parts(trains, table, seed, scratch / "units.pdf"),
            page.heading("Units"),
            page.table(shown),
            page.heading("Columns"),
            page.table(_definitions(shown.columns, columns)),
            page.heading("Settings"),
            page.paragraph("; ".join(f"{name}: {value}" for name, value in settings.items())),
        ]
        page.write_page(scratch / "report.html", f"{len(table)} units", parts)
    return table


def _definitions(names: Sequence[str], columns: Sequence[Column]) -> pd.DataFrame:
    known = {column.name: column for column in columns}
    rows = [(name, known[name].unit, known[name].meaning) for name in names]
    return pd.DataFrame(rows, columns=["column", "unit", "meaning"])


def _figure_parts(trains: Trains, table: pd.DataFrame, seed: int, path: Path) -> list[str]:
    """The figure and its caption, or why there is none."""
    if not _drawn(table).size:
        return [page.paragraph("No figure: no unit has an interval that can be used.")]
    _, png = save_figure(_figure(trains, table, seed), path)
    return [page.image(png, CAPTION), page.paragraph(CAPTION)]


def _drawn(table: pd.DataFrame) -> np.ndarray:
    """Numbers of the units that the figure shows."""
    return np.flatnonzero((table["n_spikes"] >= 2) & table["cv"].notna())


def contents(table: pd.DataFrame) -> str:
    """How many units and spikes a table describes."""
    units, spikes = len(table), int(table["n_spikes"].sum())
    return f"{units} unit{'s' * (units != 1)}, {spikes} spike{'s' * (spikes != 1)}"


def _summary(table: pd.DataFrame) -> str:
    usable = table[table["reason"] == ""]
    text = f"{contents(table)}; without a reservation: {len(usable)}. "
    text += "Median over units: " + ", ".join(
        f"{label} {table[name].median():.3g}"
        for name, label in (
            ("rate", "rate (Hz)"),
            ("cv", "CV"),
            ("lv", "LV"),
            ("serial_correlation", "serial correlation"),
            ("fano_factor", "Fano factor over repeats"),
            ("lz_ratio", "LZ complexity over surrogates"),
        )
        if name in table and table[name].notna().any()
    )
    return (
        text
        + ". The Fano factor has the unbiased variance; p-values of complexity are two-sided, q "
        "is adjusted for the units."
    )


def _figure(trains: Trains, table: pd.DataFrame, seed: int):
    usable = _drawn(table)
    rows = [k for unit in usable for k in trains.trains_of(unit)]
    rows = rows[:: max(1, len(rows) // SHOWN_TRAINS)][:SHOWN_TRAINS]
    starts = trains.t_start[rows]
    seconds = SHOWN_SPIKES / table["rate"].iloc[usable].median()
    shown = [
        t[t < start + seconds]
        for t, start in zip((trains.train(k) for k in rows), starts, strict=True)
    ]
    return describe_figure(
        table,
        shown=shown,
        intervals=interval_histogram(trains, usable),
        count_moments=count_moments(trains, usable),
        bin_effect=(
            BIN_FRACTIONS,
            complexity_by_bin(trains, usable, BIN_FRACTIONS, most_units=SHOWN_UNITS, seed=seed),
        ),
    )
