"""Comparing fits of several models, ranked by cross-validated likelihood, in a table and on a
page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neurocode.cli import page
from neurocode.cli.output import output_folder, write_json
from neurocode.cli.spreadsheet import write_csv
from neurocode.frames import column

#: Meanings of the columns that every comparison has.
MEANINGS = {
    "rank": "1 is the model with the most cross-validated bits for these data",
    "cross_validated_bits": "bits per spike of blocks of time that a refit did not see, over a "
    "Poisson process",
    "training_bits": "bits per training spike over a Poisson process at the training rate",
    "converged": "whether the search ended at a maximum",
    "seconds": "duration of the fit",
}


@dataclass(frozen=True)
class Comparison:
    """How fits to one kind of data are compared.

    Attributes
    ----------
    data : tuple of str
        Columns that name the data; models are ranked within the same data.
    row : callable
        Function from an entry of ``result.json`` to the columns of its row other than names, rank,
        likelihoods and seconds.
    meanings : mapping of str to str
        Meanings of those columns.
    headings : mapping of str to str
        Columns that the terminal shows, and their headings.
    table : str
        Name of the file of the table.
    title, text : str
        Title and introduction of the page.
    summary : callable
        Function from the table to sentences that summarise it.
    """

    data: tuple[str, ...]
    row: Callable[[dict[str, Any]], dict[str, Any]]
    meanings: Mapping[str, str]
    headings: Mapping[str, str]
    table: str
    title: str
    text: str
    summary: Callable[[pd.DataFrame], Sequence[str]] = lambda frame: ()

    def frame(self, entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
        """One row per fit, ranked for each recording or unit by the likelihood of blocks that a
        refit did not see."""
        frame = pd.DataFrame([self._row(entry) for entry in entries])
        bits = pd.Series(pd.to_numeric(column(frame, "cross_validated_bits")))
        frame["cross_validated_bits"] = bits
        ranks = bits.groupby([frame[name] for name in self.data]).rank(
            ascending=False, method="first"
        )
        frame.insert(len(self.data) + 1, "rank", ranks)
        return frame.sort_values([*self.data, "rank"], kind="stable").reset_index(drop=True)

    def write(self, folder: Path, entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
        """Write the entries, their table, and a page with links to the page of each fit."""
        frame = self.frame(entries)
        links = [
            None if isinstance(row["error"], str) else f"{row['folder']}/report.html"
            for row in frame.to_dict("records")
        ]
        page_frame = frame.drop(columns="folder").dropna(axis="columns", how="all")
        parts = [page.paragraph(text) for text in (self.text, *self.summary(frame))]
        parts += [
            page.table(page_frame, {"model": links}, example="rank=1"),
            page.definitions({**MEANINGS, **self.meanings}, page_frame.columns),
        ]
        with output_folder(folder, {"fits": [entry["folder"] for entry in entries]}) as scratch:
            write_json(scratch / "result.json", {"results": list(entries)})
            write_csv(frame.drop(columns="folder").set_index(self.data[0]), scratch / self.table)
            page.write_page(scratch / "report.html", self.title, parts)
        return frame

    def _row(self, entry: dict[str, Any]) -> dict[str, Any]:
        validation, bits = entry.get("cross_validation") or {}, entry.get("bits_per_spike") or {}
        return {
            **{name: entry[name] for name in self.data},
            "model": Path(entry["folder"]).name,
            "folder": entry["folder"],
            "error": entry.get("error"),
            "cross_validated_bits": validation.get("bits_per_spike"),
            "training_bits": bits.get("training"),
            "bic": entry.get("bic"),
            "converged": entry.get("converged"),
            **self.row(entry),
            "seconds": entry.get("seconds"),
        }
