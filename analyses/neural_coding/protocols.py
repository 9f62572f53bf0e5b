"""Rows of the study: every model on every recording with every seed, with the same number of
settings and updates."""

from __future__ import annotations

from typing import Any

from analyses.neural_coding.integrate_and_fire import CLAMPED
from analyses.neural_coding.recordings import FOLDERS, names, recording

PROTOCOLS = ("reduced", "quick")
#: Networks, neurons driven by one current, and the histogram of other repeats.
MODELS = (
    "output",
    "internal",
    "recurrent-output",
    "recurrent",
    "glm",
    "gif",
    "coupled",
    "igif",
    "igif-ia",
    "psth",
    "deterministic",
)
SETTINGS, SEEDS = 3, (0, 1, 2, 3, 4)
#: Updates of a training. After 200 the networks of raphe cells and the receptor still improve on
#: validation, those of the other recordings no longer do.
UPDATES = {
    "raphe": 600,
    "grasshopper": 600,
    "song-waveform": 200,
    "song-time": 200,
    "retina": 200,
}
#: Spikes that training, validation and test must each hold.
LEAST_SPIKES = 50
#: Models that run for one seed only: ``deterministic`` is the trained network of ``output`` with
#: another way to make spikes, and enters no claim.
ONE_SEED = ("deterministic",)
NO_CURRENT = "the stimulus is not one current"
#: Reasons why a model is not defined for a kind of recording.
NOT_DEFINED = {
    **{
        (dataset, "coupled"): "one unit was recorded at a time"
        for dataset in FOLDERS
        if dataset != "retina"
    },
    **{
        (dataset, "psth"): "the stimulus of the test was not repeated outside it"
        for dataset in ("grasshopper", "song-waveform")
    },
    **{("song-waveform", model): f"{NO_CURRENT} but a sound in 16 bands" for model in CLAMPED},
    **{
        (
            dataset,
            model,
        ): f"{NO_CURRENT}: its file is absent, and the feature is the time since onset"
        for dataset in ("song-time", "retina")
        for model in CLAMPED
    },
    **{
        (
            "grasshopper",
            model,
        ): f"{NO_CURRENT} but the envelope of a sound, and their start is that of slowly firing "
        f"cells"
        for model in CLAMPED
    },
}
#: Data sets of the quick protocol, and its updates.
QUICK, QUICK_UPDATES = ("grasshopper",), 4

Row = dict[str, Any]


def datasets(protocol: str) -> tuple[str, ...]:
    """Return the kinds of recordings."""
    return QUICK if protocol == "quick" else tuple(FOLDERS)


def folders(protocol: str) -> tuple[str, ...]:
    """Return the folders of the data that are read."""
    return tuple(dict.fromkeys(FOLDERS[dataset] for dataset in datasets(protocol)))


def recordings(protocol: str) -> list[tuple[str, str]]:
    """Return data set and name of every recording whose parts hold enough spikes."""
    return [
        (dataset, name)
        for dataset in datasets(protocol)
        for name in names(dataset)
        if recording(dataset, name).fewest_spikes >= LEAST_SPIKES
    ]


def rows(protocol: str) -> list[Row]:
    """Return a row of every model on every recording on which it is defined.

    Rows are ordered by seed, so that a run that is stopped early has complete seeds.
    """
    quick, chosen = protocol == "quick", recordings(protocol)
    return [
        {
            "dataset": dataset,
            "name": name,
            "model": model,
            "updates": QUICK_UPDATES if quick else UPDATES[dataset],
            "settings": 1 if quick else SETTINGS,
            "seed": seed,
        }
        for seed in (SEEDS[:1] if quick else SEEDS)
        for dataset, name in chosen
        for model in MODELS
        if (dataset, model) not in NOT_DEFINED and (seed == SEEDS[0] or model not in ONE_SEED)
    ]


def recorded_rows(protocol: str) -> list[Row]:
    """Return a row of every recording."""
    return [{"dataset": dataset, "name": name} for dataset, name in recordings(protocol)]
