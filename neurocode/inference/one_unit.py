"""Conversion of the data that a user passes to a fit into spike trains of one unit."""

from __future__ import annotations

from typing import Any, cast

import neo
import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.containers import holds_units, is_stretch
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.trains import NO_TRAINS, SpikeTrainLike, Trains, is_train, usable_trains

EXPECTED = (
    "expected a neo.SpikeTrain, spike times in seconds as an array, or a sequence of these "
    "with one entry per repeat"
)


def one_unit(spiketrains: object) -> Trains:
    """Convert spike trains of one unit into :class:`Trains`, one train per repeat.

    Parameters
    ----------
    spiketrains : neo.SpikeTrain, Trains of one unit, one-dimensional array or pandas.Series of
    seconds, or a sequence of trains
        Spike times of the unit, or a container of one unit; see :meth:`Trains.of`. Trains given as
        arrays begin at zero and end at their last spike.

    Raises
    ------
    DataError
        For anything else, such as several units, a neo.Block with a current, a raster of booleans,
        or complex numbers.

    Examples
    --------
    >>> one_unit([[0.1, 0.2], [0.15]]).t_stop.tolist()
    [0.2, 0.15]
    """
    _require_no_signal(spiketrains)
    if isinstance(spiketrains, Trains) or holds_units(spiketrains) or is_stretch(spiketrains):
        trains = Trains.of(spiketrains)
        if trains.n_units != 1:
            raise DataError(
                f"The trains hold {trains.n_units} units, expected one; fit each by itself."
            )
        return trains
    if isinstance(spiketrains, NO_TRAINS) or not np.iterable(spiketrains):
        raise DataError(f"{_name(spiketrains)} is not fitted; {EXPECTED}.")
    is_empty = isinstance(spiketrains, (list, tuple)) and not spiketrains
    entries = [spiketrains] if is_train(spiketrains) and not is_empty else spiketrains
    trains = [entry if is_stretch(entry) else _train(entry) for entry in entries]
    if not trains:
        raise DataError(f"There is no spike train; {EXPECTED}.")
    return Trains.of([trains])


def experiment_of(data: object) -> Experiment:
    """Return an experiment unchanged, or make one of spike trains alone; see :func:`one_unit`.

    Raises
    ------
    DataError
        For data that are not spike trains of one unit.
    """
    return (
        data
        if isinstance(data, Experiment)
        else Experiment(usable_trains(one_unit(data)).to_neo()[0])
    )


def _require_no_signal(spiketrains: object) -> None:
    """Refuse blocks and segments with signals, because the current that drove the neuron would
    silently be ignored."""
    segments = spiketrains.segments if isinstance(spiketrains, neo.Block) else [spiketrains]
    if any(isinstance(segment, neo.Segment) and segment.analogsignals for segment in segments):
        raise DataError(
            f"A neo.{type(spiketrains).__name__} with signals is not fitted as it is: expected "
            f"the trains of one unit, such as "
            "[segment.spiketrains[0] for segment in block.segments], inside nc.Experiment where "
            "there is a current."
        )


def _train(entry: Any) -> SpikeTrainLike:
    if isinstance(entry, NO_TRAINS) or holds_units(entry) or not np.iterable(entry):
        raise DataError(f"{_name(entry)} is not a spike train; {EXPECTED}.")
    try:
        values = np.asarray(entry)
    except ValueError:
        raise DataError(f"{_name(entry)} is not a spike train; {EXPECTED}.") from None
    if values.ndim != 1:
        raise DataError(f"A spike train has one dimension, not {values.ndim}; {EXPECTED}.")
    if values.size and values.dtype.kind not in "iuf":
        raise DataError(
            f"Spike times are of the type '{values.dtype}', expected real numbers in seconds."
        )
    return cast("SpikeTrainLike", entry)


def _name(entry: object) -> str:
    module = type(entry).__module__.split(".")[0]
    return (
        f"A {type(entry).__name__}"
        if module == "builtins"
        else f"A {module}.{type(entry).__name__}"
    )
