"""Finding the columns of spike times and units of a table by their headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from neurocode.errors import DataError

#: Unit of time of a column that counts samples.
SAMPLES = "samples"
#: A unit of time after a space, an underscore or a bracket: ``time_ms``, ``t (s)``, ``times [us]``.
SUFFIX = re.compile(
    r"(?P<word>.*?)(?:[\s_]+|[\s_]*[\[(]\s*)(?P<unit>s|secs?|seconds?|ms|msecs?|milliseconds?|us|µs|microseconds?|samples?|frames?)"
    r"\s*[\])]?"
)
UNITS_OF_TIME = {
    "sec": "s",
    "second": "s",
    "msec": "ms",
    "millisecond": "ms",
    "µs": "us",
    "microsecond": "us",
}
UNITS_OF_TIME |= {"sample": SAMPLES, "frame": SAMPLES}

TIME_WORDS = {"time", "t", "spiketime", "timestamp", "spiketimestamp"}
SAMPLE_WORDS = {
    "sample",
    "spikesample",
    "sampleindex",
    "sampleindices",
    "frame",
    "spikeframe",
    "frameindex",
}
UNIT_WORDS = {"unit", "cluster", "neuron", "cell", "spikeunit", "spikecluster", "id"}
TRIAL_WORDS, STIMULUS_WORDS = {"trial", "repeat"}, {"stimulus", "stimuli", "stim", "condition"}
#: What may follow the word for a unit or a trial: ``unit_id``, ``cluster_ids``, ``trial_number``.
NUMBERED = re.compile(r"(id|name|index|number|label)s?$")


@dataclass(frozen=True)
class Columns:
    """Headings of the columns that hold spike times and, if there are any, units, trials and
    stimuli.

    Attributes
    ----------
    time, unit, trial, stimulus : str
        Empty where there is no such column.
    time_unit : str
        Unit that the heading of the times states: ``"s"``, ``"ms"``, ``"us"``, ``"samples"``, or
        an empty text.
    """

    time: str
    unit: str = ""
    trial: str = ""
    stimulus: str = ""
    time_unit: str = ""

    @property
    def by_axis(self) -> dict[str, str]:
        """Headings by the names of the axes of a layout."""
        headings = {
            "unit": self.unit,
            "stimulus": self.stimulus,
            "trial": self.trial,
            "time": self.time,
        }
        return {axis: heading for axis, heading in headings.items() if heading}


def find_columns(
    where: object, headings: Sequence[str], *, time: str = "", unit: str = ""
) -> Columns | None:
    """Find the columns of a table with one row per spike.

    Parameters
    ----------
    where : path or str
        Beginning of error messages.
    headings : sequence of str
    time, unit : str
        Headings of the columns to take, where more than one column would fit.

    Returns
    -------
    Columns or None
        None where no heading is that of spike times.

    Raises
    ------
    DataError
        If two columns may hold the times or the units, or the table lacks the chosen column.

    Examples
    --------
    >>> find_columns("cells.csv", ["spike_time_ms", "cluster_id", "amplitude"])
    Columns(time='spike_time_ms', unit='cluster_id', trial='', stimulus='', time_unit='ms')
    """
    chosen_time = _chosen(where, headings, time, "time") if time else ""
    if not chosen_time:
        times = [name for name in headings if is_time_heading(name)]
        samples = [
            name
            for name in headings
            if _word(name) in SAMPLE_WORDS or (_word(name) in TIME_WORDS and name not in times)
        ]
        chosen_time = _only(where, times or samples, "spike times", "time_column")
    if not chosen_time:
        return None
    chosen_unit = (
        _chosen(where, headings, unit, "unit")
        if unit
        else _of_words(where, headings, UNIT_WORDS, "units", "unit_column")
    )
    trial, stimulus = (
        _of_words(where, headings, words, what, "")
        for words, what in ((TRIAL_WORDS, "trials"), (STIMULUS_WORDS, "stimuli"))
    )
    return Columns(chosen_time, chosen_unit, trial, stimulus, unit_of_heading(chosen_time))


def is_time_heading(heading: str) -> bool:
    """Whether a heading is a word for times, alone or with a unit of time.

    Examples
    --------
    >>> [is_time_heading(word) for word in ("time", "t_ms", "time (min)", "sample", "x")]
    [True, True, False, False, False]
    """
    return _word(heading) in TIME_WORDS and _suffix(heading) != SAMPLES


def unit_of_heading(heading: str) -> str:
    """Unit of time that a heading states: ``"s"``, ``"ms"``, ``"us"``, ``"samples"``, or an empty
    text.

    Examples
    --------
    >>> [unit_of_heading(word) for word in ("time_ms", "times (us)", "spike_sample", "times")]
    ['ms', 'us', 'samples', '']
    """
    return SAMPLES if _word(heading) in SAMPLE_WORDS else _suffix(heading)


def unit_of_header(header: Sequence[str]) -> str | None:
    """The first unit of time that one of several headings states, or None where none does.

    Examples
    --------
    >>> unit_of_header(["unit", "time (ms)"])
    'ms'
    """
    return next((unit for unit in map(unit_of_heading, header) if unit and unit != SAMPLES), None)


def _suffix(heading: str) -> str:
    match = SUFFIX.fullmatch(_plain(heading))
    if match is None:
        return ""
    unit = match["unit"]
    return UNITS_OF_TIME.get(unit.removesuffix("s") if len(unit) > 2 else unit, unit)


def _plain(heading: str) -> str:
    return heading.strip().strip("\"'").strip().lower()


def _word(heading: str) -> str:
    """A heading without its unit of time, plural and marks between words."""
    plain = _plain(heading)
    match, joined = SUFFIX.fullmatch(plain), _joined(plain)
    return (
        _joined(match["word"]) if match and match["word"] and joined not in SAMPLE_WORDS else joined
    )


def _joined(words: str) -> str:
    return _singular(re.sub(r"[\s_.\-]+", "", words))


def _singular(word: str) -> str:
    """A word without the ``s`` of its plural, except for known words that end in ``s``
    (``stimulus``, ``sample indices``)."""
    return word if word in STIMULUS_WORDS | SAMPLE_WORDS else word.removesuffix("s")


def _of_words(
    where: object, headings: Sequence[str], words: set[str], what: str, option: str
) -> str:
    candidates = [
        name
        for name in headings
        if _word(name) in words or _singular(NUMBERED.sub("", _word(name))) in words
    ]
    return _only(where, candidates, what, option)


def _only(where: object, candidates: Sequence[str], what: str, option: str) -> str:
    if len(candidates) > 1:
        listed = " and ".join(f"'{name}'" for name in candidates)
        choose = (
            f"say which by {option} (--{option.replace('_', '-')})"
            if option
            else "keep one of them"
        )
        raise DataError(f"{where}: the columns {listed} may each hold the {what}; {choose}.")
    return candidates[0] if candidates else ""


def _chosen(where: object, headings: Sequence[str], name: str, what: str) -> str:
    matching = [heading for heading in headings if heading.strip().strip("\"'") == name]
    if len(matching) != 1:
        problem = "there are several columns" if matching else "there is no column"
        raise DataError(
            f"{where}: {problem} '{name}' for the {what}; the columns are {', '.join(headings)}."
        )
    return matching[0]
