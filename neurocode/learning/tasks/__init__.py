"""Tasks that networks learn.

Contents
--------
burst_sequences, spring_mass
    Generated (Baronig et al. 2025).
ecg, heidelberg, braille, mnist, digits
    From files; :func:`download_heidelberg` fetches the Heidelberg sets.
"""

from __future__ import annotations

from neurocode.learning.tasks.generated import burst_sequences, spring_mass
from neurocode.learning.tasks.recorded import braille, digits, download_heidelberg, ecg, heidelberg, mnist

__all__ = ["braille", "burst_sequences", "digits", "download_heidelberg", "ecg", "heidelberg", "mnist", "spring_mass"]
