"""Which sweeps of a recording are its test: by number, or because their current was repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.current_clamp import SweepNumbers, chosen_numbers, ranges
from neurocode.recordings.repeat import Repeat
from neurocode.recordings.stimulus_kind import stimulus_of

#: Repeats whose currents correlate less do not share one frozen stimulus.
FROZEN_CORRELATION = 0.95
#: Standard deviation and mean of repeated currents agree to this share of the standard deviation:
#: steps of other size do not.
FROZEN_SIZE = 0.01
#: For the number of test sweeps: those whose current is one waveform.
REPEATED = "repeated"


def parted(
    repeats: Sequence[Repeat],
    sweeps: SweepNumbers | None,
    test_sweeps: SweepNumbers,
    where: str = "",
) -> tuple[list[Repeat], list[Repeat]]:
    """Sweeps of the training and of the test.

    Parameters
    ----------
    repeats : sequence of Repeat
    sweeps : str, int or iterable of int, optional
        Of the training; all that are not of the test otherwise.
    test_sweeps : str, int or iterable of int
        Of the test, or ``"repeated"``: see :func:`repeated_sweeps`.
    where : str
        Name of the file, used in messages.

    Raises
    ------
    DataError
        If there is no such sweep, one is asked for as both, or none is left for the training.

    Examples
    --------
    >>> repeats = [Repeat(np.array([0.1]), 1.0, number=number) for number in range(4)]
    >>> [[repeat.number for repeat in part] for part in parted(repeats, None, "1,3")]
    [[0, 2], [1, 3]]
    """
    numbered = {repeat.number: repeat for repeat in repeats}
    seen = list(numbered) if sweeps is None else chosen_numbers(sweeps, list(numbered), where)
    begin = f"{where}: " if where else ""
    if test_sweeps == REPEATED:
        unseen = repeated_sweeps([numbered[number] for number in seen], where)
        seen = [number for number in seen if number not in unseen]
    else:
        unseen = chosen_numbers(test_sweeps, list(numbered), where)
        both = sorted(set(seen) & set(unseen)) if sweeps is not None else []
        if both:
            raise DataError(
                f"{begin}sweep {ranges(both)} is asked for as training and as test, expected one "
                f"of them."
            )
        seen = [number for number in seen if number not in unseen]
    if not seen:
        raise DataError(
            f"{begin}the test takes all sweeps ({ranges(unseen)}), expected some for the training."
        )
    return [numbered[number] for number in seen], [numbered[number] for number in unseen]


def repeated_sweeps(repeats: Sequence[Repeat], where: str = "") -> list[int]:
    """Numbers of the sweeps that were given one and the same current.

    Two currents are the same if they are equally long, correlate by 0.95 or more, and agree in
    standard deviation and mean to 1 % of the standard deviation: recorded currents carry noise, and
    steps of other size are no repeats.

    Parameters
    ----------
    repeats : sequence of Repeat
    where : str
        Name of the file, used in messages.

    Raises
    ------
    DataError
        If no current was repeated, or several were.
    """
    groups: list[list[Repeat]] = []
    for repeat in repeats:
        if repeat.current is None or stimulus_of(repeat.current, repeat.dt).kind == "none":
            continue
        for group in groups:
            if _same_current(group[0].current, repeat.current):
                group.append(repeat)
                break
        else:
            groups.append([repeat])
    found = [[repeat.number for repeat in group] for group in groups if len(group) > 1]
    begin = f"{where}: " if where else ""
    if not found:
        raise DataError(
            f"{begin}no two sweeps share one current, expected repeats; name the sweeps of the "
            f"test by their numbers."
        )
    if len(found) > 1:
        several = " and ".join(ranges(numbers) for numbers in found[:4])
        raise DataError(
            f"{begin}{len(found)} currents were repeated (sweeps {several}); name the sweeps of "
            f"the test by numbers."
        )
    return found[0]


def _same_current(first: np.ndarray, second: np.ndarray) -> bool:
    if len(first) != len(second):
        return False
    deviation, other = float(np.std(first)), float(np.std(second))
    if deviation == 0 or other == 0:
        return False
    alike = (
        abs(other - deviation) <= FROZEN_SIZE * deviation
        and abs(np.mean(first) - np.mean(second)) <= FROZEN_SIZE * deviation
    )
    return alike and float(np.corrcoef(first, second)[0, 1]) >= FROZEN_CORRELATION
