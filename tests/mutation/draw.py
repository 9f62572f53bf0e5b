"""Mutants: one-line faults that a hurried author could make, drawn with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

#: What mutants are drawn from.
PACKAGES = {
    "recordings": ("neurocode/recordings/*.py",),
    "statistics": ("neurocode/statistics/*.py",),
    "inference": ("neurocode/inference/*.py", "neurocode/inference/clamped/*.py"),
    "passage": ("neurocode/inference/passage/*.py",),
    "studies": ("neurocode/studies/*.py",),
    "learning": (
        "neurocode/learning/training.py",
        "neurocode/learning/settings.py",
        "neurocode/learning/readout.py",
        "neurocode/learning/losses.py",
        "neurocode/learning/regularisers.py",
        "neurocode/learning/rules/*.py",
    ),
}

#: Faults that pass for code: a sign, a boundary, a factor, an off-by-one, a condition turned round.
#: Faults that no author makes (a shift for a sum) raise at once and would only flatter the tests.
OPERATORS = tuple(
    f"core/{name}"
    for name in (
        "ReplaceBinaryOperator_Add_Sub",
        "ReplaceBinaryOperator_Sub_Add",
        "ReplaceBinaryOperator_Mul_Div",
        "ReplaceBinaryOperator_Div_Mul",
        "ReplaceBinaryOperator_Pow_Mul",
        "ReplaceBinaryOperator_FloorDiv_Mul",
        "ReplaceBinaryOperator_Mod_Mul",
        "ReplaceBinaryOperator_BitAnd_BitOr",
        "ReplaceComparisonOperator_Lt_LtE",
        "ReplaceComparisonOperator_LtE_Lt",
        "ReplaceComparisonOperator_Gt_GtE",
        "ReplaceComparisonOperator_GtE_Gt",
        "ReplaceComparisonOperator_Lt_Gt",
        "ReplaceComparisonOperator_Gt_Lt",
        "ReplaceComparisonOperator_Eq_NotEq",
        "ReplaceComparisonOperator_NotEq_Eq",
        "ReplaceComparisonOperator_Is_IsNot",
        "ReplaceComparisonOperator_IsNot_Is",
        "ReplaceUnaryOperator_Delete_USub",
        "ReplaceUnaryOperator_Delete_Not",
        "ReplaceUnaryOperator_Delete_Invert",
        "AddNot",
        "ReplaceTrueWithFalse",
        "ReplaceFalseWithTrue",
        "ReplaceAndWithOr",
        "ReplaceOrWithAnd",
        "ReplaceBreakWithContinue",
        "ReplaceContinueWithBreak",
        "NumberReplacer",
        "ZeroIterationForLoop",
    )
)


@dataclass(frozen=True)
class Mutant:
    """One fault in one line.

    Attributes
    ----------
    package, path : str
        Where it lies; ``path`` is relative to the checkout.
    line : int
        Counted from one.
    operator : str
        Of cosmic-ray.
    occurrence : int
        Number of the place among those of the operator in the file.
    before, after : str
        The line without and with the fault.
    """

    package: str
    path: str
    line: int
    operator: str
    occurrence: int
    before: str
    after: str

    @property
    def key(self) -> str:
        """Return a key of the place in the present state of the source."""
        return f"{self.path}:{self.line}:{self.operator}:{self.occurrence}"

    @property
    def name(self) -> str:
        """Return path, line and fault; the name stays the same as long as the line does."""
        return f"{self.path}: {self.before} -> {self.after}"

    def code(self, root: Path) -> str:
        """Return the file with the fault in it."""
        return mutate_code(
            (root / self.path).read_text(encoding="utf-8"),
            get_operator(self.operator)(),
            self.occurrence,
        )


def draw(root: Path, count: int, seed: int, packages: Sequence[str]) -> list[Mutant]:
    """Draw mutants without replacement, at most one a place in the source; an order that does not
    depend on ``count``.

    Parameters
    ----------
    root : pathlib.Path
        Of the checkout.
    count, seed : int
    packages : sequence of str
        Among :data:`PACKAGES`.
    """
    places = [
        place
        for package in packages
        for path in _files(root, package)
        for place in _places(root, package, path)
    ]
    random.Random(seed).shuffle(places)
    drawn: list[Mutant] = []
    taken = set()
    for package, path, line, column, operator, occurrence in places:
        if len(drawn) == count:
            break
        if (path, line, column) in taken:
            continue
        mutant = _mutant(root, package, path, operator, occurrence, line)
        if mutant is not None:
            taken.add((path, line, column))
            drawn.append(mutant)
    return drawn


def _files(root: Path, package: str) -> list[Path]:
    return sorted(path for pattern in PACKAGES[package] for path in root.glob(pattern))


def _places(root: Path, package: str, path: Path) -> Iterator[tuple]:
    tree = get_ast_from_path(path)
    nodes = list(ast_nodes(tree))
    for operator in OPERATORS:
        change = get_operator(operator)()
        positions = [start for node in nodes for start, _ in change.mutation_positions(node)]
        for occurrence, (line, column) in enumerate(positions):
            yield package, str(path.relative_to(root)), line, column, operator, occurrence


def _mutant(
    root: Path, package: str, path: str, operator: str, occurrence: int, line: int
) -> Mutant | None:
    """Return the mutant, or None if the change affects nothing that runs (an annotation, a line
    that only imports)."""
    original = (root / path).read_text(encoding="utf-8")
    changed = mutate_code(original, get_operator(operator)(), occurrence)
    pairs = zip(original.splitlines(), (changed or original).splitlines(), strict=False)
    before, after = next(((a.strip(), b.strip()) for a, b in pairs if a != b), ("", ""))
    if not before or before.startswith(("def ", "class ", "import ", "from ")):
        return None
    return Mutant(package, path, line, operator, occurrence, before, after)
