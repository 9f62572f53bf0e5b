"""Populations from files of any kind."""

from __future__ import annotations

from pathlib import Path

from neurocode.errors import DataError
from neurocode.recordings.files import read_trains
from neurocode.recordings.layout import Layout
from neurocode.recordings.population import RECORDING, PopulationExperiment
from neurocode.recordings.population_trains import no_missing_repeat, population_of_trains
from neurocode.recordings.stimulus_file import read_stimulus
from neurocode.recordings.two_step_archive import is_two_step, read_two_step

#: Cells with fewer spikes are left out of populations from files.
LEAST_SPIKES = 50


def read_population(
    path: str | Path,
    layout: Layout | None = None,
    *,
    dt: float = 2e-3,
    stimulus: str | Path | None = None,
    least_spikes: int = LEAST_SPIKES,
) -> PopulationExperiment:
    """Read cells that were recorded together.

    Parameters
    ----------
    path : path
        An archive that :meth:`neurocode.PopulationExperiment.save` wrote, the folder of the archive
        of moving bars (Mahuas et al. 2020), or any file of spike trains, which
        :func:`neurocode.recordings.population_of_trains` bins.
    layout : Layout, optional
        Description of a file of spike trains.
    dt : float or quantity
        Length of a bin of spike trains, in seconds if it has no unit.
    stimulus : str or path, optional
        As :func:`read_stimulus` takes it, for a file of spike trains.
    least_spikes : int
        Cells with fewer spikes are left out, with a warning.

    Raises
    ------
    DataError
        If the file cannot be read, or a stimulus is given for a file that has its own.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "cells.npz"
    >>> _ = PopulationExperiment(np.eye(2), dt=2e-3).save(file)
    >>> read_population(file).n_cells
    2
    """
    path = Path(path)
    if is_population(path):
        if stimulus is not None:
            raise DataError(
                f"{path}: a saved recording takes no further stimulus; it holds its own, or none."
            )
        return read_two_step(path) if path.is_dir() else PopulationExperiment.load(path)
    samples, times = (None, None) if stimulus is None else read_stimulus(stimulus, path)
    try:
        with no_missing_repeat():
            trains = read_trains(path, layout)
        return population_of_trains(
            trains,
            dt=dt,
            stimulus=samples,
            stimulus_times=times,
            least_spikes=least_spikes,
            name=path.stem,
        )
    except DataError as error:
        raise error if str(path) in str(error) else DataError(f"{path}: {error}") from None


def is_population(path: str | Path) -> bool:
    """Return whether a path holds a population with its own stimulus and repeats, not spike trains
    alone."""
    return is_two_step(path) or RECORDING.holds(path)
