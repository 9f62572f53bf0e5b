"""Files of recorded data that tasks read."""

from __future__ import annotations

from pathlib import Path

#: Dorsal raphe neurons with a minute of training and ten repeats of a test.
RAPHE = ("DRN156", "DRN158", "DRN159", "DRN162", "DRN164")


def raphe_file(cell: str, part: str) -> Path:
    """Recording of a cell: ``part`` is ``"training"`` or ``"test"``."""
    from analyses.datasets import data_folder

    return data_folder("raphe") / f"{cell}_5ht_{part}.abf"
