"""A fitted population: its neurons, couplings and front end, and how it runs freely."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from neurocode.errors import DataError, FitError
from neurocode.inference.options import whole_number
from neurocode.inference.population.brian_run import run_in_brian
from neurocode.inference.population.free_run import run_freely
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood, baseline
from neurocode.inference.population.result_file import (
    flat_weights,
    grouped_weights,
    likelihood_of,
    likelihood_values,
)
from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter
from neurocode.recordings.saved_archive import POPULATION
from neurocode.units import parse_unit

#: Number of trials that are simulated at a time.
TRIALS_AT_ONCE = 128
ENGINES = ("jax", "brian2")


@dataclass(frozen=True, eq=False, repr=False)
class FittedPopulation:
    """Neurons fitted to a recorded population, with couplings and a front end.

    Attributes
    ----------
    names : tuple of str
        Of the cells.
    couplings : pandas.DataFrame
        One row per ordered pair: strength, standard error, p-value and verdict; empty without
        couplings.
    bits_per_spike : pandas.Series
        Of the training, per cell: gain over a Poisson process of the same rate, given the recorded
        spikes before each bin.
    coupling : str
        How couplings were fitted.
    notes : tuple of str
        What a reader should know.
    stimulus_mean : numpy.ndarray
        Mean of each feature over the training, which is taken from every stimulus.
    """

    likelihood: PopulationLikelihood
    weights: Weights
    names: tuple[str, ...]
    couplings: pd.DataFrame
    bits_per_spike: pd.Series
    coupling: str
    stimulus_mean: NDArray[np.float32]
    bins_per_frame: int
    notes: tuple[str, ...] = field(default=())

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self.likelihood.neuron.dt

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.names)

    @cached_property
    def model(self) -> NeuronModel:
        """The neurons as one model: equations with traces, and one value per cell of each fitted
        parameter and of the jumps of its own history."""
        model, neuron = self.likelihood.neuron.model, self.likelihood.neuron
        values = self.likelihood.values(self.weights)
        fitted = {name: np.asarray(values[name], float) for name in neuron.base.free}
        cells = np.arange(self.n_cells)
        for trace, jumps in enumerate(self.weights["jumps"][cells, cells].T, start=1):
            fitted[f"h_{trace}"] = np.asarray(jumps, float) * neuron.scale
        parameters = {name: _with_value(model.parameters[name], si) for name, si in fitted.items()}
        return replace(model, parameters={**model.parameters, **parameters})

    @property
    def parameters(self) -> pd.DataFrame:
        """Fitted parameters of the neurons in their units, one row per cell."""
        model = self.model
        columns = {
            f"{name} ({model.parameters[name].unit})": model.parameters[name].value
            for name in self.likelihood.neuron.base.free
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="cell"))

    def simulate(
        self,
        stimulus: ArrayLike | None = None,
        *,
        n_bins: int | None = None,
        trials: int = 1,
        presentations: ArrayLike | None = None,
        engine: str = "jax",
        seed: int = 0,
    ) -> NDArray[np.float32]:
        """Let the population run freely.

        Parameters
        ----------
        stimulus : array (frames, features), optional
            For a population with a front end.
        n_bins : int, optional
            Duration of a population without a front end.
        trials : int
        presentations : array (trials,), optional
            When each trial is presented, from -1 to 1 over the session; evenly spread by default.
        engine : {"jax", "brian2"}
            In Brian2 the cells are a neuron group with couplings as synapses.
        seed : int

        Returns
        -------
        numpy.ndarray of float32 (cells, bins, trials)

        Raises
        ------
        DataError
            If the stimulus does not fit the front end, or the duration is not known.
        FitError
            For an unknown engine, or a number of trials or a seed that is not a whole number.
        """
        if engine not in ENGINES:
            raise FitError(f"There is no engine '{engine}'; known are {', '.join(ENGINES)}.")
        trials = whole_number(trials, "The number of trials", 1)
        seed = whole_number(seed, "The seed")
        times = (
            np.linspace(-1, 1, trials)
            if presentations is None
            else np.asarray(presentations, float)
        )
        if times.shape != (trials,):
            raise DataError(f"There are {times.size} presentations for {trials} trials.")
        drive = self._drive(stimulus, n_bins)
        parts = []
        for number, start in enumerate(range(0, trials, TRIALS_AT_ONCE)):
            some = jnp.asarray(times[start : start + TRIALS_AT_ONCE], jnp.float32)
            drives = baseline(self.weights, some, self.n_cells, drive.shape[-1]) + drive
            parts.append(self._run(drives, engine, seed, number))
        return np.concatenate(parts, axis=2)

    def _run(self, drives: jax.Array, engine: str, seed: int, number: int) -> NDArray[np.float32]:
        """Run some trials; ``number`` tells them from others of the same seed."""
        if engine == "jax":
            key = jax.random.fold_in(jax.random.PRNGKey(seed), number)
            return run_freely(self.likelihood, self.weights, drives, key)
        neuron = self.likelihood.neuron
        return run_in_brian(
            self.model,
            neuron.scale * np.asarray(self.weights["jumps"], float),
            neuron.input_scale * np.asarray(drives, float),
            neuron.dt,
            int(np.random.SeedSequence([seed, number]).generate_state(1)[0]),
        )

    def save(self, path: str | Path) -> Path:
        """Write the population as a NumPy archive, which :meth:`load` reads.

        Raises
        ------
        DataError
            If the name does not end in ``.npz``.
        FitError
            For a front end of your own.
        """
        contents = {
            "likelihood": likelihood_values(self.likelihood),
            "names": self.names,
            "couplings": self.couplings.to_csv(index=False),
            "bits_per_spike": self.bits_per_spike.tolist(),
            "coupling": self.coupling,
            "bins_per_frame": self.bins_per_frame,
            "notes": self.notes,
        }
        arrays = {**flat_weights(self.weights), "stimulus_mean": self.stimulus_mean}
        return POPULATION.write(path, contents, arrays)

    @classmethod
    def load(cls, path: str | Path) -> FittedPopulation:
        """Read a population that :meth:`save` wrote; it makes the same spikes for the same seed.

        Raises
        ------
        DataError
            If there is no such file, or it holds no population.
        """
        return POPULATION.read(path, cls._of_archive)

    @classmethod
    def _of_archive(cls, contents: dict[str, Any], arrays: dict[str, NDArray]) -> FittedPopulation:
        mean = arrays.pop("stimulus_mean")
        index = pd.Index(contents["names"], name="cell")
        return cls(
            likelihood=likelihood_of(contents["likelihood"]),
            weights=grouped_weights(arrays),
            names=tuple(contents["names"]),
            couplings=pd.read_csv(
                StringIO(contents["couplings"]),
                dtype={"sender": str, "receiver": str, "verdict": str},
                keep_default_na=False,
                float_precision="round_trip",
            ),
            bits_per_spike=pd.Series(
                contents["bits_per_spike"], index=index, name="bits per spike"
            ),
            coupling=contents["coupling"],
            stimulus_mean=mean,
            bins_per_frame=contents["bins_per_frame"],
            notes=tuple(contents["notes"]),
        )

    def _drive(self, stimulus: ArrayLike | None, n_bins: int | None) -> jax.Array:
        """Return the drive by a stimulus without its constant part, (1, cells, bins)."""
        front_end = self.likelihood.front_end
        if front_end is None:
            if n_bins is None or stimulus is not None:
                raise DataError(
                    "A population without a front end takes a duration in bins, no stimulus."
                )
            return jnp.zeros((1, self.n_cells, whole_number(n_bins, "The number of bins", 1)))
        frames = np.asarray(stimulus, np.float32) if stimulus is not None else np.zeros((0, 0))
        if frames.ndim != 2 or frames.shape[1] != len(self.stimulus_mean):
            raise DataError(
                f"The stimulus has the shape {frames.shape}, expected (frames, "
                f"{len(self.stimulus_mean)})."
            )
        context = ((front_end.context_frames, 0), (0, 0))
        centred = np.pad(frames - self.stimulus_mean, context)
        return front_end.drive(self.weights["front_end"], jnp.asarray(centred)[None])

    def __repr__(self) -> str:
        base = self.likelihood.neuron.base.name
        real = int(np.sum(self.couplings["verdict"] != "none")) if len(self.couplings) else 0
        return (
            f"FittedPopulation({self.n_cells} cells of '{base}', {real} of "
            f"{len(self.couplings)} couplings, {self.bits_per_spike.mean():.2f} bits per spike)"
        )


def _with_value(parameter: Parameter, si: NDArray) -> Parameter:
    """Return a parameter with one value per cell, given in SI and kept inside its bounds."""
    in_unit = si / parse_unit(parameter.unit).scale
    return replace(parameter, value=np.clip(in_unit, *parameter.bounds), per_neuron=True)
