"""What a fit was made from, as hashes: a finished one is read back only if none of it has changed."""

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
    """Hashes of the data (of :func:`data_hash`) and of the text and values of the model, and the
    version of neurocode."""
    text = json.dumps(to_dictionary(model), sort_keys=True)
    return {
        "data": data,
        "model": hashlib.sha256(text.encode()).hexdigest(),
        "neurocode": version("neurocode"),
    }


def data_hash(files: Sequence[str | Path | None]) -> str:
    """Hash of the bytes of the files of one recording, of a folder of Phy those that are read."""
    digests = [content_hash(part) for file in files for part in _parts(file)]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _parts(file: str | Path | None) -> list[Path]:
    if file is None:
        return [Path()]  # keeps the place of what is absent: it has no bytes
    return files_of_phy(file) if is_phy(file) else [Path(file)]


def content_hash(path: Path) -> str:
    """Hash of the bytes of a file; empty where it cannot be read, which its reader says better."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def require_distinct_files(recordings: Sequence[Path], others: Sequence[Path] = ()) -> None:
    """Refuse folders where files are read, and recordings whose results would be written into one
    folder.

    Raises
    ------
    DataError
    """
    for path in (*recordings, *others):
        if path.is_dir() and not is_phy(path):
            raise DataError(f"{path}: this is a folder, expected a file with a recording.")
    if len({path.stem for path in recordings}) < len(recordings):
        raise DataError("Two recordings share a file name; give them names of their own.")


def require_unchanged(
    files: Sequence[str | Path | None], model: NeuronModel, expected: dict[str, str]
) -> None:
    """Refuse data or a model that are not those that a task was made for.

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
    """Models by name, each once; a short name stands for one or several.

    Raises
    ------
    ModelError
        If a model is unknown, or two would write into one folder.
    """
    models: dict[str, NeuronModel] = {}
    folders: dict[str, str] = {}
    for name in (name for given in names for name in short_names.get(given, (given,))):
        models[name] = by_name(name)
        other = folders.setdefault(Path(name).stem, name)
        if Path(other).resolve() != Path(name).resolve():
            raise ModelError(
                f"The models '{other}' and '{name}' would both write into a folder "
                f"'{Path(name).stem}'; give one of the files "
                "another name."
            )
    return {name: models[name] for name in folders.values()}
