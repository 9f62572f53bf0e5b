"""The fenced blocks of a document, each with the notes of an invisible comment in the line before
it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\s*$")
COMMENT = re.compile(r"^<!-- (.*) -->$")
#: ``<!-- long -->``: more than ten seconds, or a command that a quick test or the README runs as
#: well. ``<!-- recorded -->``: reads files of NEUROCODE_DATA. ``<!-- not run: reason -->``.
LONG, RECORDED, NOT_RUN = "long", "recorded", "not run: "


@dataclass(frozen=True)
class Block:
    """A fenced block of a document.

    Attributes
    ----------
    where : str
        Document and line.
    language : str
        As written after the fence; empty for none.
    text : str
    notes : tuple of str
        From the comment in the line before the fence, split at semicolons.
    """

    where: str
    language: str
    text: str
    notes: tuple[str, ...]

    @property
    def reason_not_to_run(self) -> str:
        """Empty for a block that is run."""
        return next(
            (note.removeprefix(NOT_RUN) for note in self.notes if note.startswith(NOT_RUN)), ""
        )


def blocks_of(document: Path) -> list[Block]:
    """All fenced blocks of a document in their order."""
    blocks, opened, before = [], None, ""
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), start=1):
        fence = FENCE.match(line)
        if opened is None and fence:
            comment = COMMENT.match(before)
            notes = tuple(note.strip() for note in comment.group(1).split(";")) if comment else ()
            opened = (number, fence.group(1), notes, [])
        elif opened is not None and fence:
            start, language, notes, lines = opened
            blocks.append(Block(f"{document.name}:{start}", language, "\n".join(lines), notes))
            opened = None
        elif opened is not None:
            opened[3].append(line)
        before = line
    return blocks
