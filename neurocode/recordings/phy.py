"""Reading folders of spike sorting as Kilosort writes and Phy curates them: spikes in samples,
clusters and labels.

``params.py`` is never executed, because it may come from a stranger: it is only parsed for
assignments of plain values.
"""

from __future__ import annotations

import ast
import csv
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import require_file
from neurocode.recordings.npy import read_npy
from neurocode.recordings.plausible import FASTEST
from neurocode.recordings.spike_table import LARGEST_LABEL, samples_in_seconds
from neurocode.recordings.trains import ROUNDING, Trains

SPIKES, CLUSTERS, TEMPLATES, PARAMETERS = (
    "spike_times.npy",
    "spike_clusters.npy",
    "spike_templates.npy",
    "params.py",
)
#: Files and headings of the labels; the verdict of a person comes before that of the sorter.
LABELS = (
    ("cluster_group.tsv", "group"),
    ("cluster_info.tsv", "group"),
    ("cluster_info.tsv", "KSLabel"),
    ("cluster_KSLabel.tsv", "KSLabel"),
)
IDENTIFIERS = ("cluster_id", "id")
NOISE, UNSORTED, ALL = "noise", "unsorted", "all"
#: Longest parameter file that is read, in bytes.
LONGEST_PARAMETERS = 100_000


def is_phy(path: str | Path) -> bool:
    """Whether a path is a folder of spike sorting, which is one recording, not a folder of several.

    Examples
    --------
    >>> is_phy("absent")
    False
    """
    return (Path(path) / SPIKES).is_file()


def files_of_phy(folder: str | Path) -> list[Path]:
    """The existing files of a folder of spike sorting that :func:`read_phy` opens.

    Examples
    --------
    >>> files_of_phy("absent")
    []
    """
    names = dict.fromkeys((SPIKES, CLUSTERS, TEMPLATES, PARAMETERS, *(name for name, _ in LABELS)))
    return [path for path in (Path(folder) / name for name in names) if path.is_file()]


def read_phy(
    folder: str | Path,
    *,
    labels: str = "",
    sampling_rate: float | None = None,
    t_stop: float | None = None,
) -> Trains:
    """Read the clusters of a folder that Kilosort wrote or Phy saved.

    Parameters
    ----------
    folder : path
        It holds ``spike_times.npy`` (samples), ``spike_clusters.npy`` or else
        ``spike_templates.npy``, and ``params.py``.
    labels : str
        Comma-separated labels of the clusters that are read, for example ``"good,mua"``, or
        ``"all"``. By default all clusters except those labelled noise. A label is that of
        ``cluster_group.tsv``, else of ``cluster_info.tsv``, else that of the sorter in
        ``cluster_KSLabel.tsv``, else ``unsorted``.
    sampling_rate : float, optional
        Sampling rate in hertz; by default that of ``params.py``.
    t_stop : float, optional
        End of the recording in seconds; by default where the raw file of ``params.py`` ends, if it
        is there, else the last spike.

    Returns
    -------
    Trains
        Units are named after the folder, their cluster and its label.

    Raises
    ------
    DataError
        If a file is missing or damaged, there is no sampling rate, no cluster has such a label, or
        spikes lie after the end of the raw file.

    Warns
    -----
    UserWarning
        If clusters are left out as noise, or the recording is taken to end with its last spike.
    """
    folder = Path(folder)
    parameters = _parameters(folder)
    rate = parameters.get("sample_rate") if sampling_rate is None else sampling_rate
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or abs(rate) > FASTEST:
        raise DataError(
            f"{folder}: {PARAMETERS} states no sample_rate as a plain number up to {FASTEST:g} Hz; "
            f"give it (--sampling-rate)."
        )
    samples, clusters = _row(folder / SPIKES), _row(_clusters_file(folder))
    if len(samples) != len(clusters):
        raise DataError(
            f"{folder}: there are {len(samples)} spike times and {len(clusters)} clusters of "
            f"spikes, expected one cluster per spike."
        )
    if len(samples) and samples.min() < 0:
        raise DataError(
            f"{folder}: {SPIKES} holds the sample {samples.min():g}, expected none below zero."
        )
    times = samples_in_seconds(folder, SPIKES, samples, float(rate))
    stop = _end(folder, parameters, float(rate), times) if t_stop is None else t_stop
    chosen = _chosen(folder, np.unique(clusters).tolist(), labels)
    name = folder.resolve().name
    order = np.lexsort((times, clusters))
    times, clusters = times[order], clusters[order]
    units = [times[slice(*np.searchsorted(clusters, [cluster, cluster + 1]))] for cluster in chosen]
    names = [
        f"{name}/{cluster:g}" + (f" ({label})" if label else "")
        for cluster, label in chosen.items()
    ]
    return Trains.of_arrays([[(train, 0.0, stop)] for train in units], names).window(None, t_stop)


def _row(path: Path) -> np.ndarray:
    values = np.atleast_1d(np.squeeze(read_npy(require_file(path))))
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise DataError(
            f"{path}: the array has the shape {values.shape} of '{values.dtype}', expected one "
            f"number per spike."
        )
    if values.size and values.max() > LARGEST_LABEL:
        raise DataError(
            f"{path}: the array holds {values.max():g}, expected the numbers of samples and "
            f"clusters."
        )
    whole = values.astype(np.int64) if values.dtype.kind in "iu" else values
    if whole.dtype.kind == "f" and not np.all(whole == np.floor(whole)):
        raise DataError(
            f"{path}: the array holds {whole[whole != np.floor(whole)][0]:g}, expected whole "
            f"numbers."
        )
    return whole


def _clusters_file(folder: Path) -> Path:
    for name in (CLUSTERS, TEMPLATES):
        if (folder / name).is_file():
            return folder / name
    raise DataError(f"{folder}: there is neither {CLUSTERS} nor {TEMPLATES} beside {SPIKES}.")


def _parameters(folder: Path) -> dict[str, object]:
    """Plain values that ``params.py`` assigns to names; anything else in the file is ignored."""
    path = folder / PARAMETERS
    if not path.is_file():
        return {}
    if path.stat().st_size > LONGEST_PARAMETERS:
        raise DataError(
            f"{path}: the file has {path.stat().st_size} bytes, expected a few assignments."
        )
    try:
        statements = ast.parse(path.read_text(encoding="utf-8")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise DataError(
            f"{path}: the file is not Python text, expected assignments such as "
            f"sample_rate = 30000."
        ) from None
    values = {}
    for statement in statements:
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        ):
            try:
                values[statement.targets[0].id] = ast.literal_eval(statement.value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                values.pop(statement.targets[0].id, None)
    return values


def _end(folder: Path, parameters: dict[str, object], rate: float, times: np.ndarray) -> float:
    """End of the raw file in seconds if it exists, else time of the last spike."""
    last = float(times.max(initial=0.0))
    raw = _raw_samples(folder, parameters)
    if raw is None:
        warnings.warn(
            f"{folder}: the raw file does not exist; the recording is taken to end with its last "
            f"spike, at {last:g} s.",
            stacklevel=3,
        )
        return last
    path, n_samples = raw
    if last > n_samples / rate + ROUNDING:
        raise DataError(
            f"{folder}: a spike at {last:g} s lies after the end of {path.name} at "
            f"{n_samples / rate:g} s; check whether n_channels_dat, dtype and sample_rate of "
            f"{PARAMETERS} fit the file, or give the end (--t-stop)."
        )
    return n_samples / rate


def _raw_samples(folder: Path, parameters: dict[str, object]) -> tuple[Path, float] | None:
    """The raw file and the number of its samples, or None where ``params.py`` does not state them
    or the file does not exist."""
    path, channels, kind = (
        parameters.get(name) for name in ("dat_path", "n_channels_dat", "dtype")
    )
    if isinstance(path, (list, tuple)) and len(path) == 1:
        path = path[0]
    if (
        not isinstance(path, str)
        or not isinstance(channels, int)
        or channels < 1
        or not isinstance(kind, str)
    ):
        return None
    try:
        width, file = np.dtype(kind).itemsize * channels, folder / path
        size = file.stat().st_size if file.is_file() else 0
    except (TypeError, ValueError, OSError):
        return None
    offset = parameters.get("offset", 0)
    size -= offset if isinstance(offset, int) else 0
    return (file, size // width) if size > 0 and width else None


def _chosen(folder: Path, clusters: Sequence[int], labels: str) -> dict[int, str]:
    """Clusters that are read, with their labels."""
    known = _labels(folder)
    label_of = {cluster: (known.get(cluster, UNSORTED) if known else "") for cluster in clusters}
    wanted = {label.strip().lower() for label in labels.split(",") if label.strip()}
    if wanted and ALL not in wanted:
        chosen = {cluster: label for cluster, label in label_of.items() if label.lower() in wanted}
    else:
        chosen = {
            cluster: label
            for cluster, label in label_of.items()
            if wanted or label.lower() != NOISE
        }
    left = len(label_of) - len(chosen)
    if not chosen:
        labels_text = (
            ", ".join(sorted({label or "no label" for label in label_of.values()})) or "none"
        )
        condition = f"labelled {', '.join(sorted(wanted))}" if wanted else "that is not noise"
        raise DataError(
            f"{folder}: there is no cluster {condition}; the labels of its {len(label_of)} "
            f"clusters are {labels_text}."
        )
    absent = sorted(wanted - {ALL} - {label.lower() for label in label_of.values()})
    if absent:
        warnings.warn(f"{folder}: no cluster is labelled {', '.join(absent)}.", stacklevel=3)
    if left and not wanted:
        warnings.warn(
            f"{folder}: {left} of {len(label_of)} clusters are labelled noise and left out "
            f"(--labels all reads them).",
            stacklevel=3,
        )
    return chosen


def _labels(folder: Path) -> dict[int, str]:
    """Labels of clusters; the first file of ``LABELS`` that has one decides."""
    labels: dict[int, str] = {}
    for name, heading in LABELS:
        path = folder / name
        if path.is_file():
            labels = _labels_of_file(path, heading) | labels
    return labels


def _labels_of_file(path: Path, heading: str) -> dict[int, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (UnicodeDecodeError, csv.Error):
        raise DataError(
            f"{path}: the file is not a table of text with tabs between its columns."
        ) from None
    labels = {}
    for row in rows:
        cluster = next((row[name] for name in IDENTIFIERS if row.get(name)), None)
        label = (row.get(heading) or "").strip()
        if cluster is None or not label:
            continue
        if not cluster.strip().isdecimal():
            raise DataError(f"{path}: '{cluster[:40]}' is not the number of a cluster.")
        labels[int(cluster)] = label
    return labels
