"""Tasks that networks learn.

Contents
--------
burst_sequences, spring_mass
    Generated (Baronig et al. 2025).
random_manifolds
    Generated (Zenke & Vogels 2021).
ecg, heidelberg, braille
    From files; :func:`download_heidelberg` fetches the Heidelberg sets.
digits, mnist, fashion_mnist, cifar10
    Images.
nmnist, dvs_gesture, read_aedat
    Event cameras.
spoken_digits, mel_frames
    Waveforms as input currents.
sources, tell_sources_apart
    Sources of spike trains of known statistics, and telling them apart.
"""

from __future__ import annotations

from neurocode.learning.tasks import sources
from neurocode.learning.tasks.events import dvs_gesture, nmnist, read_aedat
from neurocode.learning.tasks.generated import burst_sequences, spring_mass
from neurocode.learning.tasks.images import cifar10, digits, fashion_mnist, mnist
from neurocode.learning.tasks.manifolds import random_manifolds
from neurocode.learning.tasks.recorded import braille, download_heidelberg, ecg, heidelberg
from neurocode.learning.tasks.sources import tell_sources_apart
from neurocode.learning.tasks.speech import mel_frames, spoken_digits

__all__ = [
    "braille", "burst_sequences", "cifar10", "digits", "download_heidelberg", "dvs_gesture", "ecg", "fashion_mnist", "heidelberg",
    "mel_frames", "mnist", "nmnist", "random_manifolds", "read_aedat", "sources", "spoken_digits", "spring_mass",
    "tell_sources_apart",
]  # fmt: skip
