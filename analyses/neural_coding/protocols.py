"""Rows of the study: every model on every recording, each with the same number of settings and updates."""

from __future__ import annotations

from typing import Any

from analyses.neural_coding.recordings import FOLDERS, names

PROTOCOLS = ("reduced", "quick")
MODELS = ("deterministic", "output", "internal", "glm", "gif", "psth")
#: Only where several units were recorded together; reported apart.
COUPLED = "coupled"
UPDATES, SETTINGS = 200, 3
#: Data sets of the quick protocol, and its updates.
QUICK, QUICK_UPDATES = ("grasshopper",), 4

Row = dict[str, Any]


def datasets(protocol: str) -> tuple[str, ...]:
    """Kinds of recordings."""
    return QUICK if protocol == "quick" else tuple(FOLDERS)


def folders(protocol: str) -> tuple[str, ...]:
    """Folders of the data that are read."""
    return tuple(dict.fromkeys(FOLDERS[dataset] for dataset in datasets(protocol)))


def recordings(protocol: str) -> list[tuple[str, str]]:
    """Data set and name of every recording."""
    return [(dataset, name) for dataset in datasets(protocol) for name in names(dataset)]


def rows(protocol: str) -> list[Row]:
    """Every model on every recording; histograms only where other repeats were recorded."""
    quick = protocol == "quick"
    common = {"updates": QUICK_UPDATES if quick else UPDATES, "settings": 1 if quick else SETTINGS, "seed": 0}
    found = []
    for dataset, name in recordings(protocol):
        for model in (*MODELS, COUPLED):
            without = {"grasshopper": ("psth", COUPLED), "song-waveform": ("psth", COUPLED), "retina": ()}.get(dataset, (COUPLED,))
            if model not in without:
                found.append({"dataset": dataset, "name": name, "model": model, **common})
    return found


def recorded_rows(protocol: str) -> list[Row]:
    """The recordings themselves."""
    return [{"dataset": dataset, "name": name} for dataset, name in recordings(protocol)]
