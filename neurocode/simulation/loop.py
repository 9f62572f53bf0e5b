"""A model as a compiled loop over time for one neuron after another, whose state stays in registers
and whose random numbers are drawn when they are needed.

The statements are those that Brian2 and the JAX step run; they come from whitelisted text
(``models/expressions.py``) and checked names (``models/names.py``). Variables of the loop itself
end in an underscore, which no name of a model does.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from types import FunctionType

import numba
import numpy as np

from neurocode.models.expressions import names_in
from neurocode.models.model import SPIKED, NeuronModel
from neurocode.simulation.brian import NEVER, within_step_code
from neurocode.simulation.program import (
    Hoist,
    Prepare,
    Program,
    build_program,
    renamed,
    reset_statements,
)
from neurocode.simulation.statements import Statement, parse, read_code, replaced
from neurocode.simulation.within_step import CROSSED, LAG, TINY, WAIT

#: A crossing less likely than exp(-40) is not drawn.
NEGLIGIBLE = 40


def time_loop(model: NeuronModel, dt: float) -> Callable:
    """Compile the loop over time of a block of neurons; models of equal structure share it.

    Parameters
    ----------
    model : NeuronModel
    dt : float
        Time step in seconds, for the checks of the model.

    Returns
    -------
    callable
        ``(rng, n_steps, dt, t_start, stimulus, parameters, steps, offsets, counts) -> total``. It
        takes a random generator, the number of steps, times in seconds, the input in SI of shape
        (steps, 1 or neurons) and parameters in SI of shape (parameters, 1 or neurons). It fills in
        the step of every spike and the time inside this step, neuron after neuron, and ``counts``,
        the number of spikes of each neuron. It returns the number of all spikes, including those
        for which there was no room.
    """
    return _compiled(_source(model, dt))


@lru_cache(maxsize=64)
def _compiled(source: str) -> Callable:
    code = compile(source, "<time loop>", "exec")
    function = FunctionType(
        next(c for c in code.co_consts if hasattr(c, "co_code")), dict(FUNCTIONS), "time_loop"
    )
    return numba.njit(nogil=True, error_model="numpy")(function)


def _source(model: NeuronModel, dt: float) -> str:
    body = _within_step_body(model, dt) if model.within_step else _grid_body(model, dt)
    constants, initial, loop = body
    columns = [
        f"{name} = parameters_[{k}, neuron_ if parameters_.shape[1] > 1 else 0]"
        for k, name in enumerate(model.parameters)
    ]
    inputs = [
        f"{name} = stimulus_[step_, neuron_ if stimulus_.shape[1] > 1 else 0]"
        for name in model.inputs
    ]
    return "\n".join(
        [
            "def time_loop(rng_, n_steps_, dt, t_start_, stimulus_, parameters_, steps_, "
            "offsets_, counts_):",
            " total_ = 0",
            " for neuron_ in range(counts_.shape[0]):",
            *(
                "  " + line
                for line in [
                    *columns,
                    "t = t_start_",
                    *dict.fromkeys(f"{name} = 0.0" for name in model.inputs),
                ]
            ),
            *("  " + line for line in [*constants, *initial]),
            "  for step_ in range(n_steps_):",
            *("   " + line for line in ["t = t_start_ + step_*dt", *inputs, *loop]),
            " return total_",
        ]
    )


def _record(offset: str) -> list[str]:
    return [
        "if total_ < steps_.shape[0]:",
        " steps_[total_] = step_",
        f" offsets_[total_] = {offset}",
        "total_ += 1",
        "counts_[neuron_] += 1",
    ]


def _grid_body(model: NeuronModel, dt: float) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of constants, initial values and one step, with spikes on the time grid."""
    program = build_program(model, dt)
    prepare = Prepare({name: parse(text) for name, text in model.subexpressions.items()})
    states = [*model.states, *([SPIKED] if model.uses_spiked else [])]
    constants, active = _assignments(program.constants), _assignments(program.active)
    loop = active
    if program.refractory is not None:
        period, fixed = (
            _text(program.refractory),
            names_in(program.refractory) <= {*model.parameters, "dt", *map(_name, constants)},
        )
        if fixed:
            constants.append(f"period_ = timestep({period}, dt)")
        loop = [
            f"refractory_ = since_ < {'period_' if fixed else f'timestep({period}, dt)'}",
            *_refractory_update(program, states, active),
        ]
    condition = _text(
        prepare(parse(f"({model.margin}) > 0" if model.noise is None else model.threshold))
    )
    condition = (
        f"not refractory_ and ({condition})" if program.refractory is not None else condition
    )
    spike = [
        *_record("0.0"),
        *_assignments(program.reset),
        *([f"{SPIKED} = 1.0"] if model.uses_spiked else []),
        "since_ = 0",
    ]
    loop += [f"{SPIKED} = 0.0"] if model.uses_spiked else []
    loop += [
        f"if {condition}:",
        *(" " + line for line in spike),
        "since_ += 1",
        *_assignments(program.after_reset),
    ]
    initial = [f"since_ = {NEVER}", *(f"{name} = 0.0" for name in states)]
    initial += [f"{name} = 0.0 + {_text(tree)}" for name, tree in program.initial.items()]
    if model.is_stochastic:
        constants, loop = _reciprocals(constants, loop, {*model.parameters, *map(_name, constants)})
    return constants, initial, loop


def _refractory_update(program: Program, states: Sequence[str], active: list[str]) -> list[str]:
    """Return the lines of an update in which some states may be held."""
    unaffected = [
        n for n in states if n not in program.held_names and n not in program.switched_names
    ]
    if not unaffected and not program.switched_names:
        return ["if not refractory_:", *(" " + line for line in active)]
    refractory_lines = [f"new_{name}_ = {name}" for name in unaffected] + [
        f"{name} = old_{name}_" for name in states
    ]
    refractory_lines += _assignments(program.held) + [
        f"{name} = old_{name}_" for name in program.held_names
    ]
    refractory_lines += [f"{name} = new_{name}_" for name in unaffected]
    return [
        *(f"old_{name}_ = {name}" for name in states),
        *active,
        "if refractory_:",
        *(" " + line for line in refractory_lines),
    ]


def _reciprocals(
    constants: list[str], loop: list[str], constant_names: set[str]
) -> tuple[list[str], list[str]]:
    """Multiply by reciprocals of constants instead of dividing, which is faster and equal up to
    rounding."""
    inverses: dict[str, str] = {}

    class Invert(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
            self.generic_visit(node)
            if (
                isinstance(node.op, ast.Div)
                and isinstance(node.right, ast.Name)
                and node.right.id in constant_names
            ):
                name = inverses.setdefault(node.right.id, f"inverse_{node.right.id}_")
                return ast.BinOp(node.left, ast.Mult(), ast.Name(name, ast.Load()))
            return node

    tree = Invert().visit(ast.parse("\n".join(loop)))
    return constants + [
        f"{inverse} = 1.0 / {name}" for name, inverse in inverses.items()
    ], ast.unparse(tree).splitlines()


def _name(assignment: str) -> str:
    return assignment.partition(" = ")[0]


def _within_step_body(model: NeuronModel, dt: float) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of constants, initial values and one step with the crossing inside it.

    A neuron whose clock agrees with the grid takes a shorter path.
    """
    parts = within_step_code(model, dt)
    prepare = Prepare({name: parse(text) for name, text in model.subexpressions.items()})
    hoist = Hoist({*model.parameters, "dt"})

    def statements(text: str) -> list[Statement]:
        return [Statement(s.name, prepare(s.expression)) for s in read_code(text)]

    durations, slow, decide, locate, finish = (
        [Statement(s.name, hoist(s.expression)) for s in statements(text)]
        for text in (parts.durations, parts.advance, parts.decide, parts.locate, parts.finish)
    )
    reset = [Statement(name, hoist(prepare(tree))) for name, tree in reset_statements(parts.reset)]
    on_grid = {"_start": "0", "_free": "dt", LAG: "0"}
    fast = renamed(
        [Statement(s.name, replaced(s.expression, on_grid)) for s in statements(parts.advance)],
        "_grid",
    )
    fast = hoist.statements(fast)
    later_names = set().union(*(names_in(s.expression) for s in [*decide, *locate, *finish]))
    shared = [s.name for s in slow if s.name in later_names]
    grid_names = {s.name for s in fast}
    constant = {s.name for s in hoist.constants}
    aliases = [
        f"{name} = _grid{name}" for name in shared if "_grid" + name in grid_names | constant
    ]
    states = (parts.variable, *parts.others)
    loop = [
        f"if {LAG} == 0.0 and {WAIT} <= 0.0:",
        *(" " + line for line in ["_start = 0.0", "_free = dt", *_assignments(fast), *aliases]),
        "else:",
        *(" " + line for line in [*_assignments(durations), *_assignments(slow)]),
        "_crossed = 0",
        f"if _free > 0 and 2*_before*_after < {NEGLIGIBLE}*(_variance + {TINY}):",
        *(" " + line for line in _assignments(decide)),
        "if _crossed:",
        *(
            " " + line
            for line in [
                *_assignments(locate),
                *_assignments(finish),
                *_record(f"{LAG} + dt"),
                *_assignments(reset),
            ]
        ),
        "else:",
        *(f" {name} = _{name}_end" for name in states),
        f" {LAG} = 0.0",
        f" {WAIT} -= dt",
    ]
    initial = [f"{name} = 0.0" for name in (*states, LAG, WAIT, CROSSED)]
    initial += [
        f"{name} = 0.0 + {_text(prepare(parse(text)))}" for name, text in model.initial.items()
    ]
    return _assignments(hoist.constants), initial, loop


def _assignments(statements: Iterable[Statement]) -> list[str]:
    return [f"{s.name} = {_text(s.expression)}" for s in statements]


class _Random(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("rand", "randn"):
            node.args = [ast.Name("rng_", ast.Load())]
        return node


def _text(tree: ast.expr) -> str:
    return ast.unparse(_Random().visit(tree))


@numba.njit(inline="always")
def _rand(rng: np.random.Generator) -> float:
    return rng.random()


@numba.njit(inline="always")
def _randn(rng: np.random.Generator) -> float:
    return rng.standard_normal()


@numba.njit(error_model="numpy")
def _exprel(x: float) -> float:
    return 1.0 if abs(x) < 1e-16 else np.expm1(x) / x


@numba.njit(error_model="numpy")
def _clip(x: float, low: float, high: float) -> float:
    raised = low if x < low else x
    return high if raised > high else raised  # NaN stays NaN, as in NumPy


@numba.njit
def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x * 0.70710678118654752440)


@numba.njit
def _timestep(t: float, dt: float) -> float:
    return np.floor((t + 1e-3 * dt) / dt)


@numba.njit
def _int(x: float) -> float:
    return np.trunc(x * 1.0)


FUNCTIONS = {
    "np": np,
    "range": range,
    "abs": abs,
    "arccos": np.arccos,
    "arcsin": np.arcsin,
    "arctan": np.arctan,
    "ceil": np.ceil,
    "clip": _clip,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "expm1": np.expm1,
    "exprel": _exprel,
    "floor": np.floor,
    "int": _int,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "normal_cdf": _normal_cdf,
    "rand": _rand,
    "randn": _randn,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
    "timestep": _timestep,
}
