"""Recorded data for tests: found through NEUROCODE_DATA, skipped with a reason where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    folder = os.environ.get("NEUROCODE_DATA", "")
    if not Path(folder).is_dir() or not folder:
        pytest.skip("needs recorded data: set NEUROCODE_DATA to their folder")
    return Path(folder)
