"""How lanes write: each to its own entry, all adding to shared entries, or one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from neurocode.models.expressions import names_in
from neurocode.networks.captured import Block, Reference
from neurocode.networks.code import Assignment

ADDING = {"+=", "-="}
SCALING = {"*=", "/="}


@dataclass(frozen=True)
class Writes:
    """What the vector statements of a block write.

    Attributes
    ----------
    separate, added, scaled, set : tuple of str
        Names that each lane writes to its own entry; to whose shared entries lanes only add, or
        which they only scale; and names set to the same value by all lanes.
    ordered : str
        Name whose result depends on the order of the lanes, or nothing.
    """

    separate: tuple[str, ...]
    added: tuple[str, ...]
    scaled: tuple[str, ...]
    set: tuple[str, ...]
    ordered: str = ""


def writes_of(block: Block, vector: tuple[Assignment, ...], unique: frozenset[str]) -> Writes:
    """Sort the names that a block writes.

    Parameters
    ----------
    block : Block
    vector : tuple of Assignment
    unique : frozenset of str
        Indices in which no entry appears twice.
    """
    written = {each.name for each in vector if each.name in block.references}
    kinds: dict[str, list[str]] = {"separate": [], "added": [], "scaled": [], "set": []}
    ordered = ""
    for name in sorted(written):
        kind = _kind(name, block, vector, unique)
        if kind == "ordered" or _has_alias(name, written, block, unique):
            ordered = name
        else:
            kinds[kind].append(name)
    return Writes(**{kind: tuple(names) for kind, names in kinds.items()}, ordered=ordered)


def _kind(name: str, block: Block, vector: tuple[Assignment, ...], unique: frozenset[str]) -> str:
    index = block.references[name].index
    if index in unique:
        return "separate"
    lines = [each for each in vector if each.name == name]
    read = set().union(*(_names(each) for each in vector)) | set(block.conditions.values())
    operators = {each.operator for each in lines}
    if name not in read and operators <= ADDING:
        return "added"
    if name not in read and operators <= SCALING:
        return "scaled"
    if operators == {"="} and all(_shared(each, vector, block.references) for each in lines):
        return "set" if block.conditions.get(name) is None else "ordered"
    return "ordered"


def _names(line: Assignment) -> set[str]:
    names = names_in(line.expression)
    for part in line.switch or ():
        names |= {part} if isinstance(part, str) else names_in(part)
    return names


def _shared(
    line: Assignment, vector: Iterable[Assignment], references: Mapping[str, Reference]
) -> bool:
    """Whether all lanes compute the same value: nothing in it differs between lanes."""
    made = {each.name for each in vector}
    return not any(
        name in made or (name in references and references[name].index != "0")
        for name in _names(line)
    )


def _has_alias(name: str, written: set[str], block: Block, unique: frozenset[str]) -> bool:
    """Whether lanes see through another name what others have written to the same array."""
    reference = block.references[name]
    return any(
        other.key == reference.key
        and (other.index != reference.index or label in written or reference.index not in unique)
        for label, other in block.references.items()
        if label != name
    )
