"""Tasks that networks learn.

Contents
--------
burst_sequences, spring_mass
    Generated (Baronig et al. 2025).
random_manifolds
    Generated (Zenke & Vogels 2021).
ecg, heidelberg, braille, mnist, digits
    From files; :func:`download_heidelberg` fetches the Heidelberg sets.
spoken_digits, mel_frames
    Waveforms as input currents.
"""

from __future__ import annotations

from neurocode.learning.tasks.generated import burst_sequences, spring_mass
from neurocode.learning.tasks.manifolds import random_manifolds
from neurocode.learning.tasks.recorded import braille, digits, download_heidelberg, ecg, heidelberg, mnist
from neurocode.learning.tasks.speech import mel_frames, spoken_digits

__all__ = [
    "braille", "burst_sequences", "digits", "download_heidelberg", "ecg", "heidelberg", "mel_frames", "mnist", "random_manifolds",
    "spoken_digits", "spring_mass",
]  # fmt: skip
