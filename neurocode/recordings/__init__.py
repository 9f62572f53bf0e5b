"""Data in: files, spikes from voltage, experiments with training and test sets, downloads.

Contents
--------
read, write
    A file to a Neo block, and back as NWB or NIX.
detect_spikes
    Spikes from a membrane potential.
Experiment, Repeat
    A recording made ready for a fit.
datasets
    Named public recordings: listed, found in ``NEUROCODE_DATA`` or downloaded.
"""

from neurocode.recordings import datasets
from neurocode.recordings.detection import detect_spikes
from neurocode.recordings.experiment import Experiment, Repeat
from neurocode.recordings.files import read, write

__all__ = ["Experiment", "Repeat", "datasets", "detect_spikes", "read", "write"]
