"""The text of a compiled loop over time: one function per block, with its lanes inside.

Statements come from code that Brian2 has checked, as trees; names of the loop itself begin with
``_nc_``, as no name of Brian2 does. Lanes run one after another, which is the order of Brian2's own
compiled targets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from neurocode.errors import ModelError
from neurocode.models.expressions import names_in
from neurocode.networks.captured import BinomialDraws, TimedValues
from neurocode.networks.code import Assignment
from neurocode.networks.program import Plan, Program
from neurocode.simulation.statements import copied, parse

#: Lane of a block, and step of the network.
LANE, STEP = "_nc_lane", "_nc_step"

#: Methods of a generator of NumPy by the names of Brian2.
DRAWS = {"rand": "random", "randn": "standard_normal", "poisson": "poisson"}

#: Conversion of a value to the type of a variable.
CONVERTED = {"float": "np.float64({})", "integer": "np.int64({})", "boolean": "({}) != 0"}


class BlockText:
    """The lines of one block.

    Parameters
    ----------
    program : Program
    plan : Plan
    constants : mapping of str to int
        Places of the constants.

    Attributes
    ----------
    arguments : dict of str to str
        Names of the arrays that the lines need, by their labels.
    """

    def __init__(self, program: Program, plan: Plan, constants: Mapping[str, int]) -> None:
        self.program, self.block = program, program.block
        self._plan, self._constants = plan, constants
        self.arguments: dict[str, str] = {}
        self._shared: set[str] = set()

    def argument(self, label: str) -> str:
        """Return the name of an array in the lines; labels are those of ``compiled.tables``."""
        return self.arguments.setdefault(label, f"_nc_{len(self.arguments)}")

    def events(self) -> tuple[str, str]:
        """Return the names of the sources that spiked in this step, and of their number."""
        key = self.block.events
        return self.argument(f"ids {key}"), self.argument(f"number {key}")

    @property
    def clock_step(self) -> float:
        """Time step of the block's clock in seconds."""
        return self._plan.clocks[self.block.clock][1]

    def array(self, key: str) -> str:
        """Return the name of a state variable or an index."""
        return self.argument(f"array {key}")

    def shared_lines(self) -> list[str]:
        """Return what runs once per step: constants, shared values, and shared statements."""
        block, used = self.block, self._used()
        lines = [
            f"{name} = {self.argument('constants')}[{self._constants[key]}]"
            for name, key in block.constants.items()
            if name in used
        ]
        lines += [f"{n} = {_number(value)}" for n, value in block.literals.items() if n in used]
        written = {line.name for line in self.program.vector}
        for name, reference in block.references.items():
            if reference.index == "0" and name in used - written:
                lines.append(f"{name} = {self._entry(reference.key, '0')}")
                self._shared.add(name)
        for line in self.program.scalar:
            lines += self._assigned(line)
            if line.name in block.references:
                lines.append(f"{self.array(block.references[line.name].key)}[0] = {line.name}")
        self._shared |= {line.name for line in self.program.scalar}
        return lines

    def _used(self) -> set[str]:
        lines = self.program.scalar + self.program.vector
        names = {name for line in lines for name in _needed(line, self.block.conditions)}
        names |= {line.name for line in lines}
        indices = {ref.index for name, ref in self.block.references.items() if name in names}
        return names | indices

    def lane_lines(self, after: list[str] | None = None) -> list[str]:
        """Return what runs in each lane: values are read, statements run, and values written.

        ``after`` are lines that follow the statements.
        """
        seen = set(self._shared)
        lines: list[str] = []
        for line in self.program.vector:
            for name in _needed(line, self.block.conditions):
                lines += self._read(name, seen)
        written = [
            name
            for name in dict.fromkeys(line.name for line in self.program.vector)
            if name in self.block.references
        ]
        for name in written:
            lines += self._read(self.block.references[name].index, seen)
        for line in self.program.vector:
            lines += self._assigned(line)
        for name in written:
            reference = self.block.references[name]
            lines.append(f"{self.array(reference.key)}[{self._place(reference.index)}] = {name}")
        return lines + (after or [])

    def _read(self, name: str, seen: set[str]) -> Iterator[str]:
        """Lines that read a name, after the index that it needs."""
        if name in seen or name not in self.block.references:
            return
        seen.add(name)
        reference = self.block.references[name]
        yield from self._read(reference.index, seen)
        yield f"{name} = {self._entry(reference.key, self._place(reference.index))}"

    def _place(self, index: str) -> str:
        return {"_idx": LANE, "0": "0"}.get(index, index)

    def _entry(self, key: str, place: str) -> str:
        """Return an entry of an array, or what a clock shows in this step."""
        owner, _, variable = key.rpartition(".")
        if owner not in self._plan.clocks:
            return f"{self.array(key)}[{place}]"
        period, dt = self._plan.clocks[owner]
        # after its tick a clock shows the time of its next one
        number = f"-(-{STEP} // {period})"
        return {"timestep": number, "t": f"({number}) * {dt!r}", "dt": repr(dt)}[variable]

    def _assigned(self, line: Assignment) -> list[str]:
        value = self._value(line)
        if line.operator not in (":=", "="):
            value = f"{line.name} {line.operator[:-1]} ({value})"
        statement = f"{line.name} = {CONVERTED[line.kind].format(value)}"
        condition = self.block.conditions.get(line.name)
        return [statement] if condition is None else [f"if {condition}:", f" {statement}"]

    def _value(self, line: Assignment) -> str:
        if line.switch is None:
            return self._text(line.expression, line.numbers)
        condition, true, false = line.switch
        both = [self._text(tree, line.numbers) for tree in (true, false)]
        return f"(({both[0]}) if {condition} else ({both[1]}))"

    def _text(self, tree: ast.expr, numbers: Mapping[str, float]) -> str:
        return ast.unparse(_Compiled(self, numbers).visit(copied(tree)))

    def call(self, name: str, arguments: list[str]) -> str | None:
        """Return the text of a call that needs more than its arguments; None for all others."""
        if name in DRAWS:
            return f"_nc_rng.{DRAWS[name]}({', '.join(arguments)})"
        function = self.block.functions.get(name)
        if isinstance(function, TimedValues):
            values = self.argument(f"timed {self.block.name} {name}")
            step = f"{function.dt / function.upsampling!r}, {function.upsampling}"
            kind = "_nc_timed" if len(arguments) == 1 else "_nc_timed_column"
            return f"{kind}({values}, {step}, {', '.join(arguments)})"
        if isinstance(function, BinomialDraws):
            if function.normal:
                return f"({function.n!r} + {function.p!r} * _nc_rng.standard_normal())"
            return f"np.float64(_nc_rng.binomial({int(function.n)}, {function.p!r}))"
        if callable(function):
            raise ModelError(
                f"'{self.block.name}' calls the function '{name}', which has a JAX version only: "
                f"use engine='jax'."
            )
        return None


def _needed(line: Assignment, conditions: Mapping[str, str]) -> Iterator[str]:
    """Names that a line reads."""
    yield from sorted(names_in(line.expression))
    for part in line.switch or ():
        yield from [part] if isinstance(part, str) else sorted(names_in(part))
    if line.operator not in (":=", "=") or line.name in conditions:
        yield line.name
    if line.name in conditions:
        yield conditions[line.name]


def _number(value: float) -> str:
    text = repr(value)
    return f"np.{text}" if text in ("inf", "nan") else "-np.inf" if text == "-inf" else text


class _Compiled(ast.NodeTransformer):
    """Make a tree one of Python that is compiled: numbers stand for their names, and calls for
    what they need."""

    def __init__(self, block: BlockText, numbers: Mapping[str, float]) -> None:
        self._block, self._numbers = block, numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self._numbers[node.id]) if node.id in self._numbers else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        exponent = getattr(node.right, "value", None)
        # powers of whole numbers are products, as in JAX
        if isinstance(node.op, ast.Pow) and isinstance(exponent, float) and exponent.is_integer():
            node.right = ast.Constant(int(exponent))
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        assert isinstance(node.func, ast.Name)
        text = self._block.call(node.func.id, [ast.unparse(each) for each in node.args])
        return node if text is None else parse(text)
