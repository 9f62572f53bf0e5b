"""A study: parts that write tables, protocols that set how long they run, and the claims that the
tables decide."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd

import neurocode
from neurocode.errors import DataError, ModelError
from neurocode.studies.claims import Claim
from neurocode.studies.runner import Progress, Settings, Work, run_study


@dataclass(frozen=True)
class StudyRun:
    """How a part is run.

    Attributes
    ----------
    protocol : str
    output : pathlib.Path
        Folder of the tables.
    scratch : pathlib.Path
        Folder of files that are too large to keep with the tables, such as trained networks.
    workers : int
        Number of parallel processes.
    scheduler : str or None
        Address of a Dask scheduler whose workers are used instead.
    progress : callable
        Called with the number of finished rows and the number of all rows.
    """

    protocol: str
    output: Path
    scratch: Path
    workers: int
    scheduler: str | None
    progress: Progress

    def rows(self, work: Work, rows: Sequence[Settings], table: str) -> pd.DataFrame:
        """Run rows into a table of the output folder, as :func:`run_study`.

        Raises
        ------
        DataError
            If rows failed; the others are kept.
        """
        path = self.output / table
        frame = run_study(
            work, rows, path, workers=self.workers, scheduler=self.scheduler, progress=self.progress
        )
        failed = frame["error"].dropna()
        if len(failed):
            last = failed.iloc[0].strip().splitlines()[-1]
            raise DataError(
                f"{path}: {len(failed)} rows failed and are run again next time; the first: {last}"
            )
        return frame


def no_data(protocol: str) -> Mapping[str, Sequence[str]]:
    """Return no data, for a study that reads no recordings."""
    return {}


@dataclass(frozen=True)
class Study:
    """A study, ``STUDY`` in the module ``study`` of its folder under ``analyses``.

    Attributes
    ----------
    title : str
    protocols : tuple of str
        The first is the default; ``"quick"``, if there is one, takes a few minutes.
    parts : mapping of str to callable
        Each takes a :class:`StudyRun` and writes its tables; parts run in this order, so a part may
        read the tables of earlier ones.
    claims : callable
        Returns the claims from the folder of the tables; claims without tables are left out.
    data : callable
        Returns, for a protocol, the folders of ``NEUROCODE_DATA`` that each part reads; parts that
        read none may be left out.
    """

    title: str
    protocols: tuple[str, ...]
    parts: Mapping[str, Callable[[StudyRun], object]]
    claims: Callable[[Path], Sequence[Claim]]
    data: Callable[[str], Mapping[str, Sequence[str]]] = no_data

    def require_data(self, protocol: str, parts: Sequence[str]) -> None:
        """Refuse a run that lacks recorded data before it computes anything.

        Parameters
        ----------
        protocol : str
        parts : sequence of str
            Parts that are to be run.

        Raises
        ------
        DataError
            If a folder that one of the parts reads is not in ``NEUROCODE_DATA``; the message names
            it, and the parts that run without it.

        Examples
        --------
        >>> study = Study("made", ("quick",), {"all": print}, claims=lambda folder: [])
        >>> study.require_data("quick", ["all"])
        """
        missing = {part: missing_folders(names) for part, names in self.data(protocol).items()}
        folders = list(dict.fromkeys(folder for part in parts for folder in missing.get(part, ())))
        if not folders:
            return
        several = len(folders) > 1
        data_folder = os.environ.get("NEUROCODE_DATA", "")
        where = (
            f"{'are' if several else 'is'} not in {data_folder}" if data_folder else "is not set"
        )
        without = [part for part in self.parts if not missing.get(part)]
        options = " ".join(f"--part {part}" for part in without)
        hint = f"; without {'them' if several else 'it'}, run {options}" if without else ""
        raise DataError(
            f"The study reads the folder{'s' if several else ''} {', '.join(folders)} of "
            f"NEUROCODE_DATA, which {where}{hint}."
        )


def missing_folders(names: Sequence[str]) -> list[str]:
    """Return those folders of recorded data that ``NEUROCODE_DATA`` does not hold."""
    data_folder = os.environ.get("NEUROCODE_DATA", "")
    return [name for name in names if not data_folder or not (Path(data_folder) / name).is_dir()]


def load_study(name: str, root: Path | None = None) -> Study:
    """Study of a name such as ``adaptive-lif``.

    Parameters
    ----------
    name : str
    root : path, optional
        Folder that holds ``analyses``; see :func:`checkout`.

    Raises
    ------
    ModelError
        If there is no study of this name.
    """
    return module_of("analyses", name, root, "study").STUDY


def checkout(root: Path | None = None) -> Path:
    """Return the folder that holds ``analyses`` and ``figures``: ``root``, the working directory,
    or the folder of the package's source.

    Raises
    ------
    ModelError
        If none of these holds them.
    """
    candidates = [root] if root else [Path.cwd(), Path(neurocode.__file__).parents[1]]
    for candidate in candidates:
        if (candidate / "analyses").is_dir() and (candidate / "figures").is_dir():
            return candidate.resolve()
    raise ModelError(
        "Studies lie in the folders analyses and figures of a checkout of neurocode: run the "
        "command there."
    )


def results_of(name: str, place: Path) -> Path:
    """Folder of the committed tables of a study."""
    return place / "analyses" / _module_name(name) / "results"


def _module_name(name: str) -> str:
    return name.replace("-", "_")


def module_of(kind: str, name: str, root: Path | None, module: str = "") -> ModuleType:
    """Module of a study: ``analyses/NAME/module.py``, or ``figures/NAME.py``.

    Raises
    ------
    ModelError
        If there is no such module.
    """
    checkout_folder = checkout(root)
    names = names_of(kind, checkout_folder, module)
    if name not in names:
        raise ModelError(
            f"'{name}' is not among the {kind}; known are {', '.join(names) or 'none'}."
        )
    return module_from(
        ".".join(part for part in (kind, _module_name(name), module) if part), checkout_folder
    )


def module_from(name: str, checkout_folder: Path) -> ModuleType:
    """Module of a checkout outside the package, such as ``benchmarks.leaderboard``.

    Raises
    ------
    ModelError
        If the checkout does not hold it.
    """
    if str(checkout_folder) not in sys.path:
        sys.path.insert(0, str(checkout_folder))
    if not (checkout_folder / name.partition(".")[0]).is_dir():
        raise ModelError(
            f"{checkout_folder} has no folder {name.partition('.')[0]}: run it in a checkout."
        )
    return importlib.import_module(name)


def names_of(kind: str, place: Path, module: str = "") -> list[str]:
    """Names of the studies, or figures, of a checkout."""
    pattern = f"*/{module}.py" if module else "*.py"
    stems = (path.parent.name if module else path.stem for path in (place / kind).glob(pattern))
    return sorted(name.replace("_", "-") for name in stems)
