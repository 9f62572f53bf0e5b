"""Units and pairs of units that are asked for by name."""

from __future__ import annotations

from collections.abc import Sequence

from neurocode.errors import DataError

#: Panels that are drawn unless units are named, and the words for all and for none.
MOST_PANELS, ALL_UNITS, NO_UNITS = 60, "all", "none"
#: Names that a message lists.
LISTED = 8


def chosen_units(
    names: Sequence[str], files: Sequence[str], wanted: Sequence[str], drawable: Sequence[int]
) -> list[int]:
    """Numbers of the units whose panels are drawn.

    Parameters
    ----------
    names : sequence of str
        Of all units.
    files : sequence of str
        The name of the file of each unit without its ending.
    wanted : sequence of str
        Names of units, ``all``, or ``none``; without any, the first sixty.
    drawable : sequence of int
        Units that have something to draw.

    Raises
    ------
    DataError
        For a name that no unit has, or several.

    Examples
    --------
    >>> chosen_units(["a/0", "a/1"], ["a", "a"], ["1"], [0, 1])
    [1]
    """
    if not wanted:
        return list(drawable[:MOST_PANELS])
    words = {ALL_UNITS: list(drawable), NO_UNITS: []}
    if len(wanted) == 1 and wanted[0] in words and wanted[0] not in names:
        return words[wanted[0]]
    return list(dict.fromkeys(unit_of(names, files, text) for text in wanted))


def chosen_pairs(
    names: Sequence[str], files: Sequence[str], wanted: Sequence[str]
) -> list[tuple[int, int]]:
    """Numbers of the units of pairs that are written ``A:B``.

    Raises
    ------
    DataError
        For a text that is no pair of units, or a pair of a unit with itself.

    Examples
    --------
    >>> chosen_pairs(["x:1", "x:2"], ["f", "f"], ["x:1:x:2"])
    [(0, 1)]
    """
    return list(dict.fromkeys(_pair(names, files, text) for text in wanted))


def _pair(names: Sequence[str], files: Sequence[str], text: str) -> tuple[int, int]:
    """The two units of a pair, wherever a colon separates two names."""
    colons = [place for place, letter in enumerate(text) if letter == ":"]
    if not colons:
        raise DataError(f"'{text}' is not a pair of units, expected two names as in A:B.")
    faults: list[DataError] = []
    for place in colons:
        try:
            first, second = (
                unit_of(names, files, part) for part in (text[:place], text[place + 1 :])
            )
        except DataError as error:
            faults.append(error)
            continue
        if first == second:
            raise DataError(
                f"'{text}' is a pair of a unit with itself; its panels hold the autocorrelogram."
            )
        return first, second
    raise faults[0]


def unit_of(names: Sequence[str], files: Sequence[str], text: str) -> int:
    """Number of the unit that a text names: by its whole name, else by the last part of a name
    with slashes, else by file and name.

    Raises
    ------
    DataError
        If there is none, or several.

    Examples
    --------
    >>> unit_of(["unit 1", "unit 1"], ["day1", "day2"], "day2/unit 1")
    1
    """
    spelled = [
        list(names),
        [name.rsplit("/", 1)[-1] for name in names],
        [f"{file}/{name}" for file, name in zip(files, names, strict=True)],
    ]
    for spelling in spelled:
        matching = [number for number, name in enumerate(spelling) if name == text]
        if len(matching) == 1:
            return matching[0]
        if matching:
            examples = ", ".join(f"'{spelled[2][number]}'" for number in matching[:LISTED])
            raise DataError(f"{len(matching)} units are called '{text}'; write {examples}.")
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    raise DataError(f"There is no unit '{text}'; known are {', '.join(names[:LISTED])}{more}.")
