"""Everything that a description writes: table, figure and report."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.cli import page
from neurocode.cli.describe_panels import (
    PANELS_CAPTION,
    Session,
    pair_parts,
    panel_name,
    panels_note,
    row_name,
    stimulus_parts,
    unit_parts,
)
from neurocode.cli.describe_text import complexity_sentences, summary
from neurocode.cli.output import output_folder, write_json
from neurocode.cli.progress import row_progress
from neurocode.cli.spreadsheet import write_csv
from neurocode.cli.unit_choice import chosen_pairs, chosen_units
from neurocode.errors import ClusterError
from neurocode.plotting import describe_figure, save_figure
from neurocode.recordings.files import read_trains
from neurocode.recordings.layout import Layout
from neurocode.recordings.trains import Trains, join
from neurocode.statistics.describe import ALL, columns_of, describe
from neurocode.statistics.distributions import complexity_by_bin, count_moments, interval_histogram
from neurocode.statistics.locked_surrogates import locked_statistic
from neurocode.statistics.surrogates import false_discovery_rate
from neurocode.statistics.time_resolution import time_resolution
from neurocode.statistics.unit_statistics import Column, UnitStatistic
from neurocode.studies import side_by_side

SHOWN_TRAINS, SHOWN_SPIKES, SHOWN_UNITS = 40, 40, 30
BIN_FRACTIONS = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6])

#: Parts of the page that links at its top lead to.
PLACES = ("Units", "Stimuli", "Panels", "Pairs", "Columns")
TABLE_HINT = (
    "A press on a heading sorts the table, a second press turns the order round, a third restores "
    "it. The filter takes words and comparisons of columns, such as rate>5 cv<1. The name of a "
    "unit leads to its panels."
)
CAPTION = (
    "a, spikes of up to forty trains. b, interspike intervals of all units, in bins not finer than "
    "the resolution of their times. c, CV and local variation; lines: Poisson process. d, variance "
    "and mean of spike counts, over repeats where there are any, over windows of 1 s elsewhere; "
    "line: Poisson process. e, LZ76 words over their mean in rate-matched surrogates. f, that "
    "ratio against the bin; median in colour."
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
            statistics=[*ALL, *_locked(bin_size, n_surrogates, seed), *statistics],
            bin_size=bin_size,
            n_surrogates=n_surrogates,
            seed=seed,
        )


def _locked(bin_size: float | None, n_surrogates: int, seed: int) -> list[UnitStatistic]:
    """Complexity against surrogates that keep the PSTH, where there are surrogates."""
    return [locked_statistic(bin_size, n_surrogates, seed)] if n_surrogates else []


def described(
    files: Sequence[Path],
    layout: Layout,
    statistics: Sequence[UnitStatistic],
    bin_size: float | None,
    n_surrogates: int,
    seed: int,
    workers: int,
    scheduler: str | None,
) -> Session:
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
    parts: dict[int, tuple[Trains, pd.DataFrame]] = {}
    with row_progress("files described") as report:
        for outcome in itertools.chain.from_iterable(
            side_by_side(described_file, calls, workers=workers, scheduler=scheduler)
        ):
            if outcome.lost:
                raise ClusterError(f"{files[outcome.number]}: {outcome.lost}")
            parts[outcome.number] = outcome.value
            report(len(parts), len(files))
    trains, tables = zip(*(parts[number] for number in range(len(files))), strict=True)
    table = pd.concat(tables)
    for name in [name for name in table.columns if name.endswith("_q")]:
        table[name] = false_discovery_rate(table[name.removesuffix("q") + "p"].to_numpy())
    n_units = [part.n_units for part in trains]
    return Session(
        trains=join(trains),
        table=table,
        files=[Path(path).stem for path in files],
        file_of=np.repeat(np.arange(len(files)), n_units),
        resolution=np.repeat([time_resolution(part) for part in trains], n_units),
    )


def _seed_of(seed: int, number: int) -> int:
    """Seed of the surrogates of a file; the first file has the seed itself."""
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
    panels: Sequence[str] = (),
    pairs: Sequence[str] = (),
) -> pd.DataFrame:
    """Describe files together and write one folder; the workers change nothing but the time.

    ``statistics`` are added to the table and to what the page says of its columns.
    ``panels`` names the units that are drawn, ``all`` or ``none``; without any, the first sixty
    are. ``pairs`` are written ``A:B``.

    Returns
    -------
    pandas.DataFrame
        See :func:`neurocode.describe`; with surrogates, also the columns of
        :func:`~neurocode.statistics.locked_surrogates.locked_statistic`.

    Raises
    ------
    DataError
        If a unit of ``panels`` or ``pairs`` is not there, or several have its name.
    """
    settings = {"files": [str(path) for path in files], "layout": asdict(layout)}
    settings |= {"bin_size": bin_size, "n_surrogates": n_surrogates, "seed": seed}
    settings |= {"panels": list(panels), "pairs": list(pairs)}
    with output_folder(folder, settings) as scratch:
        _require_units(files, layout, panels, pairs)
        session = described(
            files, layout, statistics, bin_size, n_surrogates, seed, workers, scheduler
        )
        columns = columns_of([*_locked(bin_size, n_surrogates, seed), *statistics])
        units = {column.name: column.unit for column in columns if column.unit}
        write_csv(session.table, scratch / "units.csv")
        write_json(
            scratch / "result.json",
            {"units": units, "table": "units.csv", "n_units": len(session.table)},
        )
        parts = _parts(session, columns, panels, pairs, seed, scratch)
        text = "; ".join(f"{name}: {value}" for name, value in settings.items())
        parts += [page.heading("Settings"), page.paragraph(text)]
        page.write_page(scratch / "report.html", f"{len(session.table)} units", parts)
    return session.table


def _require_units(
    files: Sequence[Path], layout: Layout, panels: Sequence[str], pairs: Sequence[str]
) -> None:
    """Look for chosen units before anything is computed, which may take long."""
    if not (panels or pairs):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [read_trains(path, layout) for path in files]
    names = [name for part in parts for name in part.names]
    of_units = [
        Path(path).stem for path, part in zip(files, parts, strict=True) for _ in part.names
    ]
    chosen_units(names, of_units, panels, [])
    chosen_pairs(names, of_units, pairs)


def _parts(
    session: Session,
    columns: Sequence[Column],
    panels: Sequence[str],
    pairs: Sequence[str],
    seed: int,
    folder: Path,
) -> list[str]:
    """Everything that the page shows of a session."""
    names, files = session.trains.names, session.file_of_units
    drawable = _drawn(session.table).tolist()
    drawn = chosen_units(names, files, panels, drawable)
    numbers_of_pairs = chosen_pairs(names, files, pairs)
    table = session.table.reset_index().dropna(axis="columns", how="all")
    links = [f"#{panel_name(unit)}" if unit in drawn else None for unit in range(len(names))]
    rows = [row_name(unit) for unit in range(len(names))]
    return [
        page.navigation({text: f"#{text.lower()}" for text in PLACES}),
        page.paragraph(summary(session.table)),
        *map(page.paragraph, complexity_sentences(session.table)),
        *_figure_parts(session, seed, folder / "units.pdf"),
        page.anchor("units"),
        page.heading("Units"),
        page.hint(TABLE_HINT),
        page.table(table, {"unit": links}, rows=rows, example="rate>5 cv<1"),
        page.anchor("stimuli"),
        page.heading("Stimuli"),
        *stimulus_parts(session, folder),
        page.anchor("panels"),
        page.heading("Panels"),
        page.paragraph(panels_note(len(drawn), len(drawable))),
        *([page.paragraph(PANELS_CAPTION)] if drawn else []),
        *unit_parts(session, drawn, numbers_of_pairs, folder),
        page.anchor("pairs"),
        page.heading("Pairs"),
        *pair_parts(session, numbers_of_pairs, drawn, folder),
        page.anchor("columns"),
        page.heading("Columns"),
        page.table(_definitions(list(table.columns), columns)),
    ]


def _definitions(names: Sequence[str], columns: Sequence[Column]) -> pd.DataFrame:
    known = {column.name: column for column in columns}
    rows = [(name, known[name].unit, known[name].meaning) for name in names]
    return pd.DataFrame(rows, columns=["column", "unit", "meaning"])


def _figure_parts(session: Session, seed: int, path: Path) -> list[str]:
    """The figure and its caption, or why there is none."""
    if not _drawn(session.table).size:
        return [page.paragraph("No figure: no unit has an interval that can be used.")]
    _, png = save_figure(_figure(session, seed), path)
    return [page.figure(png, CAPTION)]


def _drawn(table: pd.DataFrame) -> np.ndarray:
    """Numbers of the units that the figure shows."""
    return np.flatnonzero((table["n_spikes"] >= 2) & table["cv"].notna())


def _figure(session: Session, seed: int) -> Figure:
    trains, table = session.trains, session.table
    usable = _drawn(table)
    rows = [k for unit in usable for k in trains.trains_of(unit)]
    rows = rows[:: max(1, len(rows) // SHOWN_TRAINS)][:SHOWN_TRAINS]
    starts = trains.t_start[rows]
    seconds = SHOWN_SPIKES / table["rate"].iloc[usable].median()
    spikes = [
        t[t < start + seconds]
        for t, start in zip((trains.train(k) for k in rows), starts, strict=True)
    ]
    return describe_figure(
        table,
        shown=spikes,
        intervals=interval_histogram(
            trains, usable, resolution=float(session.resolution[usable].max())
        ),
        count_moments=count_moments(trains, usable),
        bin_effect=(
            BIN_FRACTIONS,
            complexity_by_bin(trains, usable, BIN_FRACTIONS, most_units=SHOWN_UNITS, seed=seed),
        ),
    )
