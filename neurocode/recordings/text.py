"""Reading numbers from text files: columns separated by commas, semicolons, tabs or blanks, with or
without a header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.columns import unit_of_heading

TEXT_SUFFIXES = (".txt", ".csv", ".tsv", ".dat")

#: A decimal number, or a word for a missing one. Python's ``float`` accepts more, such as ``1_000``
#: and digits of other scripts.
NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)",
    re.ASCII | re.IGNORECASE,
)
#: A cell in quotation marks, which may hold commas, blanks and ``#``.
QUOTED = re.compile(r'"[^"]*"')
#: A word that may head a column begins with a letter; ``0x1A`` does not.
HEADING = re.compile(r"[^\W\d].*")


@dataclass(frozen=True)
class NumberTable:
    """Numbers of a text file.

    Attributes
    ----------
    header : tuple of str
        Words above the columns; empty if there are none.
    rows : list of numpy.ndarray
        Numbers of each line; a line without numbers is an empty row.
    """

    header: tuple[str, ...]
    rows: list[np.ndarray]

    @property
    def n_columns(self) -> int:
        """Number of columns of the longest line."""
        return max((len(row) for row in self.rows), default=0)

    def column(self) -> np.ndarray | None:
        """All numbers if they are in one line or there is one per line, None if they fill lines and
        columns."""
        filled = [row for row in self.rows if row.size]
        if len(filled) > 1 and self.n_columns > 1:
            return None
        return np.concatenate([*filled, np.empty(0)])

    def array(self) -> np.ndarray | None:
        """Lines by columns if all lines with numbers hold equally many numbers, else None."""
        filled = [row for row in self.rows if row.size]
        return np.stack(filled) if filled and len({len(row) for row in filled}) == 1 else None


@dataclass(frozen=True)
class CellTable:
    """Cells of a text file as unconverted text.

    Attributes
    ----------
    header : tuple of str
        Words above the columns; empty if there are none.
    lines : list of (int, list of str)
        Number and cells of each line other than the header.
    """

    header: tuple[str, ...]
    lines: list[tuple[int, list[str]]]

    def columns(self, path: Path, headings: Sequence[str], numeric: str) -> dict[str, np.ndarray]:
        """Columns by their headings, one of them as numbers and the others as text; empty lines are
        skipped.

        Raises
        ------
        DataError
            If a line has more cells than there are headings or lacks one of the columns, or a cell
            is not a number.
        """
        place = {heading: self.header.index(heading) for heading in headings}
        filled = [(number, cells) for number, cells in self.lines if cells]
        for number, cells in filled:
            if not max(place.values()) < len(cells) <= len(self.header):
                raise DataError(
                    f"{path}: line {number} has {len(cells)} cells under {len(self.header)} "
                    f"headings."
                )
        numbers = np.concatenate(
            [
                np.empty(0),
                *(_numbers(path, number, [cells[place[numeric]]]) for number, cells in filled),
            ]
        )
        words = {
            heading: np.array([cells[column].strip("\"'") for _, cells in filled], dtype=object)
            for heading, column in place.items()
        }
        return words | {numeric: numbers}


def read_cells(path: Path) -> CellTable:
    """Read the cells of a text file.

    Columns are separated by semicolons, commas or blanks, the first of these that the file
    contains, or by tabs if the first line names columns between tabs: such names may hold blanks,
    and such cells may be empty. Cells in quotation marks may hold any of these. Text after ``#`` is
    ignored. The first line may name the columns.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If the file is not UTF-8 text.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.csv"
    >>> _ = file.write_text("unit,time\\na,0.5\\n")
    >>> read_cells(file)
    CellTable(header=('unit', 'time'), lines=[(2, ['a', '0.5'])])
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: the file is not text in UTF-8, expected numbers as text."
        ) from None
    lines = [
        (number, line[: len(_masked(line).split("#")[0])].rstrip())
        for number, line in enumerate(text.splitlines(), 1)
        if not line.lstrip().startswith("#")
    ]
    separator = _separator([_masked(line) for _, line in lines if line])
    cells = [(number, _cells_of(line, separator)) for number, line in lines]
    header = _header(cells)
    return CellTable(
        tuple(header or ()), [(number, line) for number, line in cells if line != header]
    )


def read_numbers(path: Path) -> NumberTable:
    """Read the numbers of a text file; see :func:`read_cells`.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If the file is not UTF-8 text, or holds decimal commas or anything that is not a decimal
        number; the message names the line.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.csv"
    >>> _ = file.write_text("unit,time\\n1,0.5\\n2,0.25\\n")
    >>> read_numbers(file).array().tolist()
    [[1.0, 0.5], [2.0, 0.25]]
    """
    return numbers_of(path, read_cells(path))


def numbers_of(path: Path, table: CellTable) -> NumberTable:
    """The cells of a text file as numbers.

    Raises
    ------
    DataError
        See :func:`read_numbers`.
    """
    rows = [_numbers(path, number, cells) for number, cells in table.lines]
    if table.header and not any(row.size for row in rows):
        raise DataError(
            f"{path}: the file holds the words '{', '.join(table.header)}' and no number."
        )
    return NumberTable(table.header, rows)


def require_header(path: Path, header: Sequence[str], axes: Sequence[str], time_unit: str) -> None:
    """Refuse a header that contradicts the requested axes or unit of time.

    Raises
    ------
    DataError

    Examples
    --------
    >>> require_header(Path("cell.csv"), ("unit", "time (s)"), ("unit", "time"), "s")
    """
    words = [
        re.split(r"[^a-z]", word.strip("\"'").lower(), maxsplit=1)[0].removesuffix("s")
        for word in header
    ]
    wanted = [name.removesuffix("s") for name in axes]
    if sorted(words) == sorted(wanted) and words != wanted:
        raise DataError(
            f"{path}: the columns are called {', '.join(header)}, the axes say {', '.join(axes)}."
        )
    for word in header:
        unit = unit_of_heading(word)
        if unit and unit != time_unit:
            raise DataError(
                f"{path}: the column '{word}' says {unit}, the unit of time is {time_unit}."
            )


def _separator(lines: Sequence[str]) -> str | None:
    """Separator between the columns of non-empty lines; None stands for blanks of any kind."""
    for sign in ";,":
        if any(sign in line for line in lines):
            return sign
    named = bool(lines) and "\t" in lines[0] and HEADING.match(lines[0].strip("\"' ")) is not None
    return "\t" if named and any("\t" in line for line in lines[1:]) else None


def _cells_of(line: str, separator: str | None) -> list[str]:
    cells = [cell.strip() for cell in _split(line, separator)] if line else []
    return cells[:-1] if separator and cells and not cells[-1] else cells


def _split(line: str, separator: str | None) -> list[str]:
    """Parts of a line between separators; cells in quotation marks are not split."""
    masked = _masked(line)
    if masked == line:
        return line.split(separator)
    if separator is None:
        return [line[slice(*match.span())] for match in re.finditer(r"\S+", masked)]
    ends = list(accumulate(len(part) + 1 for part in masked.split(separator)))
    return [line[start : end - 1] for start, end in zip([0, *ends], ends, strict=False)]


def _masked(line: str) -> str:
    """A line whose cells in quotation marks are replaced by underscores, which separate nothing."""
    return QUOTED.sub(lambda match: "_" * len(match.group()), line) if '"' in line else line


def _header(cells: list[tuple[int, list[str]]]) -> list[str] | None:
    """The first non-empty line if it begins with a word and holds no number, else None."""
    first = next((line for _, line in cells if line), [])
    words = [cell.strip("\"'") for cell in first if cell]
    named = (
        bool(words)
        and HEADING.fullmatch(words[0])
        and not any(NUMBER.fullmatch(word) for word in words)
    )
    return first if named else None


def _numbers(path: Path, number: int, cells: list[str]) -> np.ndarray:
    for cell in cells:
        if not NUMBER.fullmatch(cell):
            hint = ": write decimals with a point" if re.fullmatch(r"[0-9]+,[0-9]+", cell) else ""
            raise DataError(
                f"{path}: '{cell[:40]}' in line {number} is not a decimal number{hint}."
            )
    return np.array(cells, float)
