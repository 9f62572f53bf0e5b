"""The papers behind what was used, as BibTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from importlib.resources import files

from neurocode.errors import DataError

#: Keys of the papers on which every result is based.
ALWAYS = ("neurocode", "Stimberg2019", "Garcia2014")
#: Papers behind what cannot name its sources: tables of units, which are plain data frames, and
#: starts of networks, of which a network keeps the weights alone.
TOPICS = {
    "describe": ("Shinomoto et al. 2003", "Lempel & Ziv 1976", "Benjamini & Hochberg 1995"),
    "complexity": ("Lempel & Ziv 1976",),
    "fluctuation-driven": ("Rossbroich et al. 2022",),
    "population": ("Mahuas et al. 2020", "Benjamini & Hochberg 1995"),
}
#: Sources as descriptions of models name them: "Ma, Yan, Tang 2023", "Pozzorini et al. 2015" or
#: "Izhikevich 2007".
SOURCE = re.compile(r"([A-Z][\w-]+)(?:,? (?:et al\.|& [A-Z]\w+|[A-Z]\w+))*,? (\d{4})")
#: Attributes of results and networks that hold their parts.
PARTS = ("model", "network", "layers", "readout", "layer")


def cite(*used: object) -> str:
    """BibTeX of neurocode, its engines, and the papers behind models, fits, scores, networks or
    topics.

    Parameters
    ----------
    *used : NeuronModel, FitResult, Scores, Network, TrainingResult or str
        What was used; the topics ``"describe"`` and ``"complexity"`` stand for tables of units,
        ``"fluctuation-driven"`` for a start of networks, ``"population"`` for couplings of a
        recorded population.

    Returns
    -------
    str
        BibTeX entries, each once.

    Raises
    ------
    DataError
        For a text that is not a topic, or something that names no sources.

    Examples
    --------
    >>> import neurocode as nc
    >>> print(cite(nc.models.gif()).count("@article"))
    3
    """
    entries = references()
    keys = [*ALWAYS, *(key for thing in used for key in _keys_of(thing))]
    return "\n\n".join(entries[key] for key in dict.fromkeys(keys)) + "\n"


def references() -> dict[str, str]:
    """Return every known BibTeX entry by its key, the surname of the first author and the year."""
    text = files("neurocode").joinpath("references.bib").read_text(encoding="utf-8")
    return {
        entry.partition("{")[2].partition(",")[0]: entry.strip()
        for entry in re.split(r"(?m)^(?=@)", text)
        if entry.strip()
    }


def keys_in(text: str) -> list[str]:
    """Return the keys of the papers that a text names, such as "Pozzorini et al. 2015"."""
    entries = references()
    keys = (re.sub(r"\W", "", _plain(surname)) + year for surname, year in SOURCE.findall(text))
    return [key for key in keys if key in entries]


def _keys_of(thing: object) -> list[str]:
    if isinstance(thing, str):
        if thing not in TOPICS:
            raise DataError(f"'{thing}' is not a topic to cite; known are {', '.join(TOPICS)}.")
        return [key for source in TOPICS[thing] for key in keys_in(source)]
    sources = list(_sources_of(thing))
    if not sources:
        raise DataError(
            f"A {type(thing).__name__} names no papers; give a model, a fit, scores, a network or "
            f"a training."
        )
    return [key for text in sources for key in keys_in(text)]


def _sources_of(thing: object) -> Iterator[str]:
    """Yield the texts that name the sources of a thing and of its parts."""
    if isinstance(thing, (tuple, list)):
        for part in thing:
            yield from _sources_of(part)
        return
    yield from getattr(thing, "sources", ())
    if isinstance(description := getattr(thing, "description", None), str):
        yield description
    for name in PARTS:
        if (part := getattr(thing, name, None)) is not None and not isinstance(part, (str, int)):
            yield from _sources_of(part)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
