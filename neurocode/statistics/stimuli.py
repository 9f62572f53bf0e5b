"""The stimuli of a recording as a table: one row per stimulus."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neurocode.recordings.trains import Trains
from neurocode.statistics.variability import fano_factor

#: What the columns mean.
STIMULUS_COLUMNS = {
    "stimulus": "number of the stimulus in the file",
    "n_units": "units with trains under this stimulus",
    "n_repeats": "repeats of the unit with most of them",
    "t_start": "earliest start of a repeat (s)",
    "t_stop": "latest end of a repeat (s)",
    "n_spikes": "spikes of all units and repeats",
    "rate": "spikes over the duration of all trains, mean over units (Hz)",
    "fano_factor": "variance (unbiased) over mean of the counts of the repeats, mean over units "
    "with spikes",
}


def stimulus_table(trains: Trains) -> pd.DataFrame:
    """Repeats, spikes, mean rate and Fano factor under each stimulus.

    Parameters
    ----------
    trains : Trains

    Returns
    -------
    pandas.DataFrame
        One row per stimulus, with the columns of ``STIMULUS_COLUMNS``.

    Examples
    --------
    >>> unit = [([0.1, 0.2], 0.0, 1.0), ([0.1], 0.0, 1.0), ([0.3], 0.0, 1.0)]
    >>> table = stimulus_table(Trains.of_arrays([unit], ["a"], [[0, 0, 7]]))
    >>> table[["stimulus", "n_repeats", "n_spikes", "rate"]].values.tolist()
    [[0.0, 2.0, 3.0, 1.5], [7.0, 1.0, 1.0, 1.0]]
    """
    rows = [
        _row(trains, stimulus, np.flatnonzero(trains.condition == stimulus))
        for stimulus in np.unique(trains.condition)
    ]
    return pd.DataFrame(rows, columns=list(STIMULUS_COLUMNS))


def _row(trains: Trains, stimulus: int, chosen: np.ndarray) -> dict[str, float]:
    counts, durations = trains.counts, trains.t_stop - trains.t_start
    of_units = [chosen[trains.unit[chosen] == unit] for unit in np.unique(trains.unit[chosen])]
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.array([counts[part].sum() / durations[part].sum() for part in of_units])
    fano_factors = np.array([fano_factor(counts[part]) for part in of_units])
    return {
        "stimulus": int(stimulus),
        "n_units": len(of_units),
        "n_repeats": max(map(len, of_units)),
        "t_start": float(trains.t_start[chosen].min()),
        "t_stop": float(trains.t_stop[chosen].max()),
        "n_spikes": int(counts[chosen].sum()),
        "rate": _mean(rates),
        "fano_factor": _mean(fano_factors),
    }


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan
