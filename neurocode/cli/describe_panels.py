"""Parts of the page of a description that show single units, pairs of units and stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.cli import page
from neurocode.cli.describe_text import complexity_of_units
from neurocode.cli.spreadsheet import write_csv
from neurocode.cli.unit_choice import MOST_PANELS
from neurocode.errors import DataError
from neurocode.frames import column
from neurocode.plotting.correlogram_figure import correlogram_figure
from neurocode.plotting.unit_figure import unit_figure
from neurocode.recordings.trains import Trains, join
from neurocode.statistics.correlograms import Correlogram, cross_correlogram
from neurocode.statistics.stimuli import STIMULUS_COLUMNS, stimulus_table
from neurocode.statistics.unit_panels import (
    UnitPanels,
    correlogram_bin,
    correlogram_reach,
    unit_panels,
)

#: Dots per inch of the panels in the page, which may hold sixty of them.
DPI = 150
PANELS_CAPTION = (
    "a, spikes of the repeats, those of every other stimulus in grey; a single train is cut into "
    "lines. b, rate over the repeats (peristimulus time histogram) or over the recording, in the "
    "bins of least expected error (Shimazaki & Shinomoto 2007). c, interspike intervals, in bins "
    "that are not finer than the resolution of the spike times. d, autocorrelogram without the "
    "spike itself; blue: a Poisson process of constant rate."
)
PAIRS_CAPTION = (
    "Black: spikes of the second unit around those of the first, as a rate. Blue: what unrelated "
    "trains give, with a pointwise 95 % band of Poisson counts, outside which one bin in twenty "
    "lies by chance. Over repeats, unrelated trains are those of different repeats, which keep "
    "what both units owe to the stimulus; elsewhere they are the correlogram smoothed by a partly "
    "hollow Gaussian of ten bins (Stark & Abeles 2009), which keeps what both units share slowly."
)
PAIR_COLUMNS = {
    "n_first": "spikes of the first unit",
    "n_second": "spikes of the second unit",
    "unrelated": "what the band is the band of",
    "bin_size": "of the correlogram (s)",
    "outside": "bins whose count lies outside the band",
    "by_chance": "bins expected there if the units were unrelated",
    "largest_lag": "lag of the bin that lies farthest above the band (s); empty where none does",
}


@dataclass(frozen=True)
class Session:
    """Trains and table of all files, and what belongs to their files.

    Attributes
    ----------
    trains : Trains
    table : pandas.DataFrame
    files : list of str
        Names of the files without their endings.
    file_of : numpy.ndarray of int
        Number of the file of each unit.
    resolution : numpy.ndarray
        Step of the spike times of the file of each unit in seconds; zero for times on no grid.
    """

    trains: Trains
    table: pd.DataFrame
    files: list[str]
    file_of: np.ndarray
    resolution: np.ndarray

    @property
    def file_of_units(self) -> list[str]:
        """Name of the file of each unit."""
        return [self.files[number] for number in self.file_of]


def panel_name(unit: int) -> str:
    """Name of the place in the page where the panels of a unit are."""
    return f"unit-{unit}"


def row_name(unit: int) -> str:
    """Name of the row of a unit."""
    return f"row-{unit}"


def pair_name(pair: tuple[int, int]) -> str:
    """Name of the place in the page where a cross-correlogram is."""
    return f"pair-{pair[0]}-{pair[1]}"


def stimulus_parts(session: Session, folder: Path) -> list[str]:
    """The stimuli of every file, written and shown; nothing where no file has repeats or several
    stimuli."""
    parts = []
    for number, file in enumerate(session.files):
        units = np.flatnonzero(session.file_of == number).tolist()
        trains = join([session.trains.select(unit) for unit in units])
        if trains.n_trains > len(np.unique(trains.unit)):
            parts.append(stimulus_table(trains).assign(file=file))
    if not parts:
        return [
            page.paragraph(
                "No unit has repeats or several stimuli in what was read, so that there is no "
                "peristimulus time histogram."
            )
        ]
    table = pd.concat(parts, ignore_index=True)
    table = table.filter(items=["file", *STIMULUS_COLUMNS])
    write_csv(table.set_index("file"), folder / "stimuli.csv")
    meanings = {"file": "file of the units", **STIMULUS_COLUMNS}
    if column(table, "file").nunique() == 1:
        table = table.drop(columns="file")
    return [
        page.table(table, example="rate>5"),
        page.definitions(meanings, table.columns),
    ]


def unit_parts(
    session: Session, units: Sequence[int], pairs: Sequence[tuple[int, int]], folder: Path
) -> list[str]:
    """A section for each unit: its numbers, its panels, and links to its row and its pairs."""
    texts = complexity_of_units(session.table)
    parts = []
    for place, unit in enumerate(units):
        targets = {"row in the table": f"#{row_name(unit)}"}
        targets |= {
            f"pair with {session.trains.names[partner]}": f"#{pair_name(pair)}"
            for pair in pairs
            if unit in pair
            for partner in pair
            if partner != unit
        }
        for text, step in (("previous unit", place - 1), ("next unit", place + 1)):
            if 0 <= step < len(units):
                targets[text] = f"#{panel_name(units[step])}"
        section = [page.paragraph(_numbers(session, unit)), page.navigation(targets)]
        section += [page.paragraph(text) for text in (texts[unit],) if text]
        section.append(_panels(session, unit, folder))
        parts.append(page.section(panel_name(unit), session.trains.names[unit], section))
    return parts


def panels_note(n_drawn: int, drawable: int) -> str:
    """How many units have panels, and how others get them."""
    if n_drawn == drawable:
        return f"Panels of all {n_drawn} units that have intervals."
    first = f"the first {n_drawn}" if n_drawn == MOST_PANELS else str(n_drawn)
    return (
        f"Panels of {first} of {drawable} units that have intervals. --panels UNIT draws those of "
        f"chosen units, --panels all those of all."
    )


def pair_parts(
    session: Session, pairs: Sequence[tuple[int, int]], drawn: Sequence[int], folder: Path
) -> list[str]:
    """The table of the chosen pairs, and a section for each with its cross-correlogram."""
    if not pairs:
        return [
            page.hint("No pair was chosen: --pairs A:B draws the cross-correlogram of A and B.")
        ]
    correlograms = {pair: _pair(session, *pair) for pair in pairs}
    _write_correlograms(session, correlograms, folder / "correlograms.csv")
    table = pd.DataFrame(
        [
            {"pair": _title(session, pair), **_pair_row(counts)}
            for pair, counts in correlograms.items()
        ]
    )
    parts = [
        page.paragraph(PAIRS_CAPTION),
        page.table(
            table,
            {"pair": [f"#{pair_name(pair)}" for pair in pairs]},
            rows=[f"row-{pair_name(pair)}" for pair in pairs],
            example="outside>5",
        ),
        page.definitions(PAIR_COLUMNS, table.columns),
    ]
    return parts + [
        page.section(
            pair_name(pair),
            _title(session, pair),
            _pair_section(session, pair, counts, drawn, folder),
        )
        for pair, counts in correlograms.items()
    ]


def _pair_section(
    session: Session,
    pair: tuple[int, int],
    counts: Correlogram | str,
    drawn: Sequence[int],
    folder: Path,
) -> list[str]:
    """Links to the rows and panels of a pair, and its cross-correlogram or why there is none."""
    names = session.trains.names
    targets = {"row in the table of pairs": f"#row-{pair_name(pair)}"}
    targets |= {names[unit]: f"#{panel_name(unit)}" for unit in pair if unit in drawn}
    parts = [page.navigation(targets)]
    if isinstance(counts, str):
        return [*parts, page.paragraph(f"No cross-correlogram: {counts}")]
    note = _across_files(session, pair)
    figure = correlogram_figure(counts, *(names[unit] for unit in pair))
    picture = _inline(figure, folder, f"Cross-correlogram of {_title(session, pair)}")
    return [*parts, *([page.paragraph(note)] if note else []), picture]


def _title(session: Session, pair: tuple[int, int]) -> str:
    first, second = (session.trains.names[unit] for unit in pair)
    return f"{first} : {second}"


def _numbers(session: Session, unit: int) -> str:
    """The main numbers of a unit in a line."""
    row, step = session.table.iloc[unit], session.resolution[unit]
    trains = "1 train" if row["n_trains"] == 1 else f"{row['n_trains']:.0f} trains"
    values = [f"{row['n_spikes']:.0f} spikes in {trains}"]
    values += [
        f"{label} {row[name]:.3g}{unit_of}"
        for name, label, unit_of in (
            ("rate", "rate", " Hz"),
            ("cv", "CV", ""),
            ("lv", "LV", ""),
            ("burst_index", "intervals below 6 ms", ""),
            ("fano_factor", "Fano factor", ""),
            ("lz_ratio", "LZ over rate-matched surrogates", ""),
        )
        if name in row and np.isfinite(row[name])
    ]
    values.append(
        f"spike times in steps of {step * 1e3:.3g} ms" if step else "spike times on no common grid"
    )
    return "; ".join(values) + "." + (f" {row['reason']}." if row["reason"] else "")


def _panels(session: Session, unit: int, folder: Path) -> str:
    if not np.isfinite(session.table["cv"].iloc[unit]):
        return page.paragraph("No panels: the unit has no interval that can be used.")
    panels = unit_panels(session.trains, unit, resolution=float(session.resolution[unit]))
    return _inline(unit_figure(panels), folder, _described(panels))


def _described(panels: UnitPanels) -> str:
    """What stands for the panels where they are not seen."""
    rate = max(float(np.nanmax(values)) for values in panels.rate.rates.values())
    return (
        f"Panels of {panels.name}: raster of {panels.n_spikes} spikes; rate with a peak of "
        f"{rate:.3g} Hz in bins of {panels.rate.bin_size:.3g} s; {panels.intervals.n_intervals} "
        f"intervals; autocorrelogram."
    )


def _inline(figure: Figure, folder: Path, description: str) -> str:
    """A figure as a picture in the page alone."""
    path = folder / "panel.png"
    figure.savefig(path, dpi=DPI)
    plt.close(figure)
    picture = page.panel(path, description)
    path.unlink()
    return picture


def _pair(session: Session, first: int, second: int) -> Correlogram | str:
    """The cross-correlogram of two units, or why there is none."""
    step = float(max(session.resolution[first], session.resolution[second]))
    trains = session.trains
    widths = {"bin_size": correlogram_bin(step), "max_lag": correlogram_reach(step)}
    for unit in (first, second):
        faults = [trains.fault(row) for row in trains.trains_of(unit)]
        if any(faults):
            return f"unit '{trains.names[unit]}': {next(filter(None, faults))}."
    try:
        return cross_correlogram(trains, first, second, **widths)
    except DataError as error:
        return str(error)


def _pair_row(pair: Correlogram | str) -> dict[str, Any]:
    if isinstance(pair, str):
        return dict.fromkeys(PAIR_COLUMNS)
    above = pair.counts - pair.high
    best = int(np.argmax(above))
    return {
        "n_first": pair.n_first,
        "n_second": pair.n_second,
        "unrelated": pair.null,
        "bin_size": pair.bin_size,
        "outside": pair.outside,
        "by_chance": 0.05 * len(pair.lags),
        "largest_lag": float(pair.lags[best]) if above[best] > 0 else np.nan,
    }


def _across_files(session: Session, pair: tuple[int, int]) -> str:
    first, second = (session.file_of[unit] for unit in pair)
    if first == second:
        return ""
    files = session.files[first], session.files[second]
    return (
        f"The units come from two files, {files[0]} and {files[1]}, and are taken to have been "
        f"recorded at the same time."
    )


def _write_correlograms(
    session: Session, correlograms: dict[tuple[int, int], Correlogram | str], path: Path
) -> None:
    frames = [
        pd.DataFrame(
            {
                "first": session.trains.names[a],
                "second": session.trains.names[b],
                "lag_s": pair.lags,
                "count": pair.counts,
                "expected": pair.expected,
                "low_95": pair.low,
                "high_95": pair.high,
            }
        )
        for (a, b), pair in correlograms.items()
        if isinstance(pair, Correlogram)
    ]
    if frames:
        write_csv(pd.concat(frames).set_index("first"), path)
