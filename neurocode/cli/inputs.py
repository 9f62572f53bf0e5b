"""Hashes of the data and model of a fit: a finished fit is reused only if none of them changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from neurocode.errors import DataError, ModelError
from neurocode.models import NeuronModel, by_name
from neurocode.models.writing import to_dictionary
from neurocode.recordings.phy import files_of_phy, is_phy


def inputs_of(data: str, model: NeuronModel) -> dict[str, str]:
    """Hashes of the data (from :func:`data_hash`) and of the text and values of the model, and the
    version of neurocode."""
    text = json.dumps(to_dictionary(model), sort_keys=True)
    return {
        "data": data,
        "model": hashlib.sha256(text.encode()).hexdigest(),
        "neurocode": version("neurocode"),
    }


def data_hash(files: Sequence[str | Path | None]) -> str:
    """Hash of the bytes of the files of one recording; in a folder of Phy, of the files read."""
    digests = [content_hash(part) for file in files for part in _parts(file)]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _parts(file: str | Path | None) -> list[Path]:
    if file is None:
        return [Path()]  # keeps the position of an absent file, which has no bytes
    return files_of_phy(file) if is_phy(file) else [Path(file)]


def content_hash(path: Path) -> str:
    """Hash of the bytes of a file; empty if it cannot be read, which its reader reports better."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def require_distinct_files(recordings: Sequence[Path], others: Sequence[Path] = ()) -> None:
    """Refuse folders in place of files, and recordings whose results would be written into the same
    folder.

    Raises
    ------
    DataError
    """
    for path in (*recordings, *others):
        if path.is_dir() and not is_phy(path):
            raise DataError(f"{path}: this is a folder, expected a file with a recording.")
    if len({path.stem for path in recordings}) < len(recordings):
        raise DataError("Two recordings share a file name; give them different names.")


def require_unchanged(
    files: Sequence[str | Path | None], model: NeuronModel, expected: dict[str, str]
) -> None:
    """Refuse data or a model that changed since a task was created for them.

    Raises
    ------
    DataError
    """
    if inputs_of(data_hash(files), model) != expected:
        names = ", ".join(str(file) for file in files if file is not None)
        raise DataError(
            f"{names}: the data or the model '{model.name}' changed while the command ran; run it "
            f"again."
        )


def models_of(
    names: Sequence[str], short_names: Mapping[str, Sequence[str]]
) -> dict[str, NeuronModel]:
    """Distinct models by name; a short name stands for one or several models.

    Raises
    ------
    ModelError
        If a model is unknown, or two would write into one folder.
    """
    models: dict[str, NeuronModel] = {}
    folders: dict[str, str] = {}
    for name in (name for entry in names for name in short_names.get(entry, (entry,))):
        models[name] = by_name(name)
        earlier = folders.setdefault(Path(name).stem, name)
        if Path(earlier).resolve() != Path(name).resolve():
            raise ModelError(
                f"The models '{earlier}' and '{name}' would both write into a folder "
                f"'{Path(name).stem}'; give one of the files another name."
            )
    return {name: models[name] for name in folders.values()}
