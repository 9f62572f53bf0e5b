"""A population that was recorded together: spike counts in bins, its stimulus, and repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurocode.errors import DataError
from neurocode.recordings.saved_archive import RECORDING

#: Fewest repeats of a test: each half must have two.
LEAST_TEST = 4
#: Largest share of the spikes that may lie in a bin with another spike of the same cell, since a
#: neuron fires at most once per time step.
MOST_IN_SHARED_BINS = 0.02
#: Largest deviation of the steps of a stimulus that is time, as a share of a step: values are in
#: single precision.
UNEVEN = 0.2
#: Time of the first and of the last presentation.
Session = tuple[float, float]


@dataclass(frozen=True)
class PopulationRepeats:
    """Repeated presentations of one stimulus.

    Attributes
    ----------
    spikes : numpy.ndarray of float32 (cells, bins, repeats)
        Which bins hold a spike, one or zero.
    stimulus : numpy.ndarray of float32 (frames, features) or None
    presentations : numpy.ndarray (repeats,)
        When each repeat was presented, from -1 at the start of the session to 1 at its end.
    """

    spikes: NDArray[np.float32]
    stimulus: NDArray[np.float32] | None
    presentations: NDArray[np.float64]

    @property
    def n_repeats(self) -> int:
        """Number of repeats."""
        return self.spikes.shape[2]


class PopulationExperiment:
    """Spikes of cells that were recorded together, in bins, with the stimulus that drove them.

    Parameters
    ----------
    spikes : array of counts (cells, bins), or a sequence of these
        One array per piece of the recording. Pieces may differ in length.
    stimulus : array (frames, features), or a sequence of these, optional
        One per piece, for example pixels, a spectrogram, or position and running speed.
    dt : float
        Length of a bin in seconds.
    bins_per_frame : int
        Number of bins that a frame of the stimulus lasts.
    repeats : array of counts (cells, bins, repeats), optional
        Repeats of one stimulus for training, which couplings can be estimated from.
    test : array of counts (cells, bins, repeats), optional
        Repeats that fits never see.
    test_stimulus : array (frames, features), optional
    presentations, repeat_presentations, test_presentations : array, optional
        When each piece or repeat was presented, as numbers that grow with time, on one clock.
        Without them pieces and repeats are taken as evenly spread over the session.
    names : sequence of str, optional
        One per cell, all different.
    name : str
        Name of the recording.

    Attributes
    ----------
    pieces : tuple of numpy.ndarray of float32 (cells, bins)
    stimuli : tuple of numpy.ndarray of float32 (frames, features), or None
    repeats, test : PopulationRepeats or None
    presentations : numpy.ndarray
    shared_bins : int
        Number of spikes that were left out because an earlier spike of the cell lay in their bin.

    Raises
    ------
    DataError
        If shapes do not fit together, a count is negative or not whole, values are not finite, a
        cell has no spike, or more than 2 % of the spikes share a bin with another spike of their
        cell.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> spikes, frames = rng.random((3, 2000)) < 0.02, rng.normal(size=(200, 5))
    >>> data = PopulationExperiment(spikes, frames, dt=2e-3, bins_per_frame=10)
    >>> data.n_cells, data.n_features, data.duration
    (3, 5, 4.0)
    """

    def __init__(
        self,
        spikes: ArrayLike | Sequence[ArrayLike],
        stimulus: ArrayLike | Sequence[ArrayLike] | None = None,
        *,
        dt: float,
        bins_per_frame: int = 1,
        repeats: ArrayLike | None = None,
        test: ArrayLike | None = None,
        test_stimulus: ArrayLike | None = None,
        presentations: ArrayLike | None = None,
        repeat_presentations: ArrayLike | None = None,
        test_presentations: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        name: str = "",
    ) -> None:
        if not (np.isfinite(dt) and dt > 0):
            raise DataError(f"The length of a bin must be a positive number of seconds, not {dt}.")
        if int(bins_per_frame) != bins_per_frame or bins_per_frame < 1:
            raise DataError(
                f"A frame lasts a whole number of bins, at least one, not {bins_per_frame}."
            )
        self.dt, self.bins_per_frame, self.name = float(dt), int(bins_per_frame), str(name)
        counts = [_counts(piece, "piece", 2) for piece in _pieces(spikes)]
        n_cells = counts[0].shape[0]
        if any(piece.shape[0] != n_cells for piece in counts):
            raise DataError(
                f"The pieces hold {sorted({piece.shape[0] for piece in counts})} cells, expected "
                f"the same cells in each."
            )
        self.names = (
            tuple(f"cell {n}" for n in range(n_cells)) if names is None else tuple(map(str, names))
        )
        if len(self.names) != n_cells:
            raise DataError(f"There are {len(self.names)} names for {n_cells} cells.")
        if len(set(self.names)) < n_cells:
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise DataError(f"Two cells are called '{twice}', expected a name for each.")
        self.shared_bins = int(sum(np.sum(piece - np.minimum(piece, 1)) for piece in counts))
        self.pieces = tuple(np.minimum(piece, 1).astype(np.float32) for piece in counts)
        self._check_spikes(sum(float(piece.sum()) for piece in counts))
        self.stimuli = None if stimulus is None else self._stimuli(_pieces(stimulus))
        session = _session(presentations, repeat_presentations, test_presentations)
        self.presentations = _presented(presentations, session, len(self.pieces), "pieces")
        self.repeats = self._repeats(repeats, None, repeat_presentations, session, "repeats")
        self.test = self._repeats(test, test_stimulus, test_presentations, session, "test")

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.names)

    @property
    def n_features(self) -> int:
        """Number of features of the stimulus, zero without one."""
        return 0 if self.stimuli is None else self.stimuli[0].shape[1]

    @cached_property
    def is_driven_by_time(self) -> bool:
        """Whether the only feature of the stimulus is time: one value per bin, from -1 to 1, that
        grows evenly through every piece and through the test."""
        if self.n_features != 1 or self.bins_per_frame != 1:
            return False
        frames = [*(self.stimuli or ())]
        if self.test is not None and self.test.stimulus is not None:
            frames.append(self.test.stimulus)
        steps = np.concatenate([np.diff(values[:, 0]) for values in frames])
        step = np.median(steps) if len(steps) else 0.0
        even = step > 0 and np.max(np.abs(steps - step)) <= UNEVEN * step
        return bool(even and max(np.max(np.abs(values)) for values in frames) <= 1)

    @cached_property
    def stimulus_mean(self) -> NDArray[np.float32]:
        """Mean of each feature over all pieces; empty without a stimulus."""
        if self.stimuli is None:
            return np.zeros(0, np.float32)
        return np.concatenate(self.stimuli).mean(axis=0, dtype=float).astype(np.float32)

    @property
    def duration(self) -> float:
        """Duration of all pieces together in seconds."""
        return float(sum(piece.shape[1] for piece in self.pieces) * self.dt)

    @property
    def rates(self) -> NDArray[np.float64]:
        """Mean rate of each cell over all pieces, in hertz."""
        counts = [piece.sum(axis=1, dtype=float) for piece in self.pieces]
        return np.sum(counts, axis=0) / self.duration

    def save(self, path: str | Path) -> Path:
        """Write the recording as a NumPy archive, which :meth:`load` and ``neurocode
        fit-population`` read.

        Raises
        ------
        DataError
            If the name does not end in ``.npz``.
        """
        contents = {
            "dt": self.dt,
            "bins_per_frame": self.bins_per_frame,
            "names": self.names,
            "name": self.name,
            "n_pieces": len(self.pieces),
            "shared_bins": self.shared_bins,
        }
        arrays: dict[str, Any] = {"presentations": self.presentations}
        arrays |= {f"spikes_{n}": piece.astype(np.uint8) for n, piece in enumerate(self.pieces)}
        arrays |= {f"stimulus_{n}": frames for n, frames in enumerate(self.stimuli or ())}
        for part in ("repeats", "test"):
            held: PopulationRepeats | None = getattr(self, part)
            if held is not None:
                arrays[part] = held.spikes.astype(np.uint8)
                arrays[f"{part}_presentations"] = held.presentations
                if held.stimulus is not None:
                    arrays[f"{part}_stimulus"] = held.stimulus
        return RECORDING.write(path, contents, arrays)

    @classmethod
    def load(cls, path: str | Path) -> PopulationExperiment:
        """Read a recording that :meth:`save` wrote.

        Raises
        ------
        DataError
            If there is no such file, or it holds no recording of a population.
        """
        return RECORDING.read(path, cls._of_archive)

    @classmethod
    def _of_archive(
        cls, contents: dict[str, Any], arrays: dict[str, NDArray]
    ) -> PopulationExperiment:
        pieces = range(contents["n_pieces"])
        data = cls(
            [arrays[f"spikes_{n}"] for n in pieces],
            [arrays[f"stimulus_{n}"] for n in pieces] if "stimulus_0" in arrays else None,
            dt=contents["dt"],
            bins_per_frame=contents["bins_per_frame"],
            repeats=arrays.get("repeats"),
            test=arrays.get("test"),
            test_stimulus=arrays.get("test_stimulus"),
            presentations=arrays["presentations"],
            repeat_presentations=arrays.get("repeats_presentations"),
            test_presentations=arrays.get("test_presentations"),
            names=contents["names"],
            name=contents["name"],
        )
        data.shared_bins = contents["shared_bins"]
        return data

    def __repr__(self) -> str:
        parts = [
            f"{self.n_cells} cells",
            f"{len(self.pieces)} pieces of {self.duration:g} s in all",
            f"bins of {self.dt * 1e3:g} ms",
        ]
        parts += [f"{self.n_features} features of a stimulus"] if self.stimuli else []
        parts += [f"{self.repeats.n_repeats} repeats for training"] if self.repeats else []
        parts += [f"{self.test.n_repeats} held-out repeats"] if self.test else []
        return f"PopulationExperiment({', '.join(parts)})"

    def _check_spikes(self, n_spikes: float) -> None:
        silent = [name for name, rate in zip(self.names, self.rates, strict=True) if rate == 0]
        if silent:
            raise DataError(f"{silent[0]} has no spike, expected spikes of every cell.")
        self._check_shared(self.shared_bins, n_spikes, "pieces")

    def _check_shared(self, n_shared: float, n_spikes: float, where: str) -> None:
        if n_shared > MOST_IN_SHARED_BINS * n_spikes:
            raise DataError(
                f"{n_shared:g} of {n_spikes:g} spikes of the {where} share a bin of "
                f"{self.dt * 1e3:g} ms with another spike of their cell, expected at most "
                f"{MOST_IN_SHARED_BINS:.0%}: use shorter bins."
            )

    def _stimuli(self, stimuli: Sequence[ArrayLike]) -> tuple[NDArray[np.float32], ...]:
        if len(stimuli) != len(self.pieces):
            raise DataError(
                f"There are {len(stimuli)} stimuli for {len(self.pieces)} pieces of spikes."
            )
        frames = tuple(
            self._frames(stimulus, piece.shape[1], f"piece {n}")
            for n, (stimulus, piece) in enumerate(zip(stimuli, self.pieces, strict=True))
        )
        if len({stimulus.shape[1] for stimulus in frames}) > 1:
            raise DataError("The stimuli of the pieces differ in the number of features.")
        return frames

    def _frames(self, stimulus: ArrayLike, n_bins: int, where: str) -> NDArray[np.float32]:
        frames = np.asarray(stimulus, float)
        if frames.ndim != 2:
            raise DataError(
                f"The stimulus of {where} has {frames.ndim} axes, expected frames and features."
            )
        if frames.shape[0] * self.bins_per_frame != n_bins:
            raise DataError(
                f"The stimulus of {where} has {frames.shape[0]} frames of {self.bins_per_frame} "
                f"bins, expected frames for {n_bins} bins."
            )
        if not np.all(np.isfinite(frames)):
            raise DataError(f"The stimulus of {where} has values that are not finite.")
        return frames.astype(np.float32)

    def _repeats(
        self,
        spikes: ArrayLike | None,
        stimulus: ArrayLike | None,
        presentations: ArrayLike | None,
        session: Session,
        where: str,
    ) -> PopulationRepeats | None:
        if spikes is None:
            return None
        counts = _counts(spikes, where, 3)
        if counts.shape[0] != self.n_cells:
            raise DataError(f"The {where} hold {counts.shape[0]} cells, expected {self.n_cells}.")
        self._check_shared(float(np.sum(counts - np.minimum(counts, 1))), counts.sum(), where)
        frames = None if stimulus is None else self._frames(stimulus, counts.shape[1], where)
        if frames is not None and frames.shape[1] != self.n_features:
            raise DataError(
                f"The stimulus of the {where} has {frames.shape[1]} features, that of the pieces "
                f"{self.n_features}."
            )
        return PopulationRepeats(
            np.minimum(counts, 1).astype(np.float32),
            frames,
            _presented(presentations, session, counts.shape[2], where),
        )


def _pieces(values: Any) -> list[ArrayLike]:
    """Return a list of pieces from one array of two axes or from a sequence of them."""
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return [values]
    pieces = list(values)
    if not pieces:
        raise DataError("A population needs at least one piece of a recording.")
    return pieces


def _counts(spikes: ArrayLike, where: str, n_axes: int) -> NDArray[np.float64]:
    counts = np.asarray(spikes, float)
    if counts.ndim != n_axes or 0 in counts.shape:
        expected = "cells, bins" if n_axes == 2 else "cells, bins, repeats"
        raise DataError(
            f"The spikes of the {where} have the shape {counts.shape}, expected ({expected})."
        )
    if not np.all((counts >= 0) & (counts == np.floor(counts))):
        raise DataError(
            f"The spikes of the {where} must be counts: whole numbers that are not negative."
        )
    return counts


def _session(*presentations: ArrayLike | None) -> Session:
    """Return the first and the last of all presentations; zeros if none are stated."""
    stated = [np.ravel(np.asarray(times, float)) for times in presentations if times is not None]
    finite = np.concatenate([times[np.isfinite(times)] for times in stated] or [np.zeros(1)])
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _presented(
    presentations: ArrayLike | None, session: Session, count: int, where: str
) -> NDArray[np.float64]:
    """Return the times of presentations, scaled from -1 at the start of the session to 1 at its
    end."""
    if presentations is None:
        return np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
    times = np.asarray(presentations, float)
    if times.shape != (count,) or not np.all(np.isfinite(times)):
        raise DataError(f"Expected {count} finite numbers as presentations of the {where}.")
    first, last = session
    return np.zeros(count) if first == last else 2 * (times - first) / (last - first) - 1
