"""Reading data: files, spikes from voltage, experiments with training and test sets, downloads.

Contents
--------
read, write
    Read a file into a Neo block; write a block as NWB or NIX.
detect_spikes
    Spikes from a membrane potential.
Experiment, Repeat
    A recording prepared for a fit, and one of its sweeps.
PopulationExperiment, PopulationRepeats
    Cells that were recorded together: spike counts, stimulus, repeats.
read_population, population_of_trains
    A population from a file, and from spike trains.
sweep_table
    A table of the sweeps of a file with the stimulus and spikes of each.
Trains
    Many spike trains as arrays.
Layout, read_layout
    Spike trains from MAT, HDF5, NPY and text files by a description of where they are.
read_trains
    Spike trains of any of these files.
datasets
    Named public recordings: listed, found in ``NEUROCODE_DATA`` or downloaded.
"""

from neurocode.recordings import datasets
from neurocode.recordings.detection import detect_spikes
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.files import read, read_trains, write
from neurocode.recordings.layout import Layout, read_layout
from neurocode.recordings.population import PopulationExperiment, PopulationRepeats
from neurocode.recordings.population_files import read_population
from neurocode.recordings.population_trains import population_of_trains
from neurocode.recordings.repeat import Repeat
from neurocode.recordings.sweep_table import sweep_table
from neurocode.recordings.trains import Trains

__all__ = [
    "Experiment",
    "Layout",
    "PopulationExperiment",
    "PopulationRepeats",
    "Repeat",
    "Trains",
    "datasets",
    "detect_spikes",
    "population_of_trains",
    "read",
    "read_layout",
    "read_population",
    "read_trains",
    "sweep_table",
    "write",
]
