"""Choosing the test sweeps of a recording by number, or because they share one current."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.current_clamp import SweepNumbers, chosen_numbers, ranges
from neurocode.recordings.repeat import Repeat, sampled
from neurocode.recordings.stimulus_kind import stimulus_of

#: Repeats whose currents correlate less do not share one frozen stimulus.
FROZEN_CORRELATION = 0.95
#: Standard deviation and mean of repeated currents agree to this share of the standard deviation;
#: those of steps of different sizes do not.
FROZEN_SIZE = 0.01
#: Takes the place of the numbers of test sweeps: those that share one waveform of current.
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
        Numbers of the training sweeps; by default all that do not belong to the test.
    test_sweeps : str, int or iterable of int
        Numbers of the test sweeps, or ``"repeated"``: see :func:`repeated_sweeps`.
    where : str
        Name of the file, used in messages.

    Raises
    ------
    DataError
        If there is no such sweep, a sweep is asked for as training and as test, or no sweep is left
        for the training.

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
        shared = sorted(set(seen) & set(unseen)) if sweeps is not None else []
        if shared:
            raise DataError(
                f"{begin}sweep {ranges(shared)} is asked for as training and as test, expected one "
                f"of them."
            )
        seen = [number for number in seen if number not in unseen]
    if not seen:
        raise DataError(
            f"{begin}the test takes all sweeps ({ranges(unseen)}), expected some for the training."
        )
    return [numbered[number] for number in seen], [numbered[number] for number in unseen]


def repeated_sweeps(repeats: Sequence[Repeat], where: str = "") -> list[int]:
    """Numbers of the sweeps whose stimulus is the same waveform of current.

    Two currents are the same if they are equally long, correlate by 0.95 or more, and agree in
    standard deviation and mean to 1 % of the standard deviation: recorded currents carry noise, and
    steps of different sizes are not repeats.

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
        if repeat.current is None or stimulus_of(*sampled(repeat, "current")).kind == "none":
            continue
        for group in groups:
            if _same_current(sampled(group[0], "current")[0], repeat.current):
                group.append(repeat)
                break
        else:
            groups.append([repeat])
    repeated = [[repeat.number for repeat in group] for group in groups if len(group) > 1]
    begin = f"{where}: " if where else ""
    if not repeated:
        raise DataError(
            f"{begin}no two sweeps share one current, expected repeats; name the sweeps of the "
            f"test by their numbers."
        )
    if len(repeated) > 1:
        several = " and ".join(ranges(numbers) for numbers in repeated[:4])
        raise DataError(
            f"{begin}{len(repeated)} currents were repeated (sweeps {several}); name the sweeps of "
            f"the test by numbers."
        )
    return repeated[0]


def _same_current(first: np.ndarray, second: np.ndarray) -> bool:
    if len(first) != len(second):
        return False
    deviation, second_deviation = float(np.std(first)), float(np.std(second))
    if deviation == 0 or second_deviation == 0:
        return False
    alike = bool(
        abs(second_deviation - deviation) <= FROZEN_SIZE * deviation
        and abs(np.mean(first) - np.mean(second)) <= FROZEN_SIZE * deviation
    )
    return alike and float(np.corrcoef(first, second)[0, 1]) >= FROZEN_CORRELATION
