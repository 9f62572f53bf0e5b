"""State updaters that Brian2 lacks: staggered (symplectic) Euler and the matrix exponential.

Each is a Brian2 ``StateUpdateMethod`` that turns equations into abstract code. All engines read
that code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy
from brian2.equations import Equations
from brian2.equations.equations import PARAMETER, SingleEquation
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str
from brian2.stateupdaters.base import (
    StateUpdateMethod,
    UnsupportedEquationsException,
    extract_method_options,
)
from brian2.stateupdaters.explicit import euler
from brian2.stateupdaters.exponential_euler import (
    exponential_euler,
    get_conditionally_linear_system,
)

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel

Matrix = dict[tuple[str, str], str]

#: Terms of the Taylor series of the scaled propagator, and number of squarings. With the norm of
#: ``A dt`` up to 60 the remainder is below 1e-15 and the squarings lose less than three digits.
TAYLOR_TERMS = 12
SQUARINGS = 8
#: Longest text of a propagator in characters: that of about four states that all depend on one
#: another. Compiling a longer text takes more than about ten seconds.
MOST_LETTERS = 60_000


class StaggeredEuler(StateUpdateMethod):
    """Update the variables one after another, each from the values already updated.

    For ``dx/dt = f(x, y)``, ``dy/dt = g(x, y)`` in this order: ``x' = x + dt f(x, y)``, then
    ``y' = y + dt g(x', y)``, the symplectic (semi-implicit) Euler scheme. With ``base`` the
    exponential Euler updater each variable decays exactly while the others are held. The order is
    that of the method option ``order``, a tuple of names; Brian2 itself sorts the names and does
    not keep their order.

    Parameters
    ----------
    base : callable
        Brian2 updater applied to one equation at a time.
    """

    def __init__(self, base: Callable[..., str]) -> None:
        self.base = base

    def __call__(
        self,
        equations: Equations,
        variables: Mapping | None = None,
        method_options: Mapping | None = None,
    ) -> str:
        order = extract_method_options(method_options, {"order": None})["order"]
        return "\n".join(
            self.base(_single_equation(equations, name), variables)
            for name in _ordered_states(equations, order)
        )


class MatrixExponential(StateUpdateMethod):
    """Exact transition of any linear system with additive noise, its input held over the step.

    ``dx = (A x + b) dt + B dW`` is advanced by ``x <- exp(A dt) x + (integral of exp(A s) ds) b + L
    z`` with z standard normal and ``L L' = integral of exp(A s) B B' exp(A' s) ds``: an
    Ornstein-Uhlenbeck process has its exact mean, variance and autocovariance at any time step. All
    three matrices come from a scaled Taylor series and repeated doubling (Moler & Van Loan 2003,
    method 3; Van Loan 1978). Nothing is diagonalised, so oscillating, degenerate and defective
    systems are computed correctly, where Brian2's ``exact`` returns NaN.
    """

    def __call__(
        self,
        equations: Equations,
        variables: Mapping | None = None,
        method_options: Mapping | None = None,
    ) -> str:
        system = _linear_system(equations, variables)
        held = [
            name
            for name, equation in equations.items()
            if "unless refractory" in getattr(equation, "flags", ())
        ]
        states = list(_ordered_states(equations))
        active = _PropagatorCode(states, system, "a")
        updates = {name: active.update(name) for name in states}
        draws = [f"{_draw(name)} = randn()" for name in states if (name, name) in active.spread]
        lines = [*draws, *active.lines]
        if held:
            frozen = _PropagatorCode(states, system.without(held), "h")
            for name in (
                n
                for n in states
                if n not in held and frozen.update(n) != active.update(n).replace("_a_", "_h_")
            ):
                lines = [*lines, *frozen.lines] if frozen.lines[0] not in lines else lines
                updates[name] = (
                    f"int(not_refractory)*({updates[name]}) + (1 - "
                    f"int(not_refractory))*({frozen.update(name)})"
                )
        lines = [*lines, *(f"_next_{name} = {update}" for name, update in updates.items())]
        lines += [f"{name} = _next_{name}" for name in states]
        return "\n".join(lines)


@dataclass(frozen=True)
class _LinearSystem:
    """Coefficients of ``dx = (A x + b) dt + B dW`` as text: ``matrix``, ``constant`` and ``noise``;
    zeros are absent."""

    matrix: Matrix
    constant: dict[str, str]
    noise: Matrix

    def without(self, names: list[str]) -> _LinearSystem:
        """Return the system in which the named variables do not change."""
        return _LinearSystem(
            {key: value for key, value in self.matrix.items() if key[0] not in names},
            {name: value for name, value in self.constant.items() if name not in names},
            {key: value for key, value in self.noise.items() if key[0] not in names},
        )


class _PropagatorCode:
    """Abstract code for exp(A dt), its integral and the factor of the noise covariance, zero
    entries left out."""

    def __init__(self, states: list[str], system: _LinearSystem, tag: str) -> None:
        self.states, self.constant, self.tag = states, system.constant, tag
        self.lines: list[str] = [f"_h_{tag} = dt/{2**SQUARINGS}"]
        self._count = self._letters = 0
        if len(states) == 1:
            self._one_state(states[0], system)
            return
        scaled = {key: self._assign(f"_h_{tag}*({text})") for key, text in system.matrix.items()}
        propagator, integral = self._taylor(scaled)
        covariance = self._first_covariance(scaled, system.noise)
        for _ in range(SQUARINGS):
            covariance = self._add(
                covariance,
                self._product(self._product(propagator, covariance), _transposed(propagator)),
            )
            integral = self._add(integral, self._product(propagator, integral))
            propagator = self._product(propagator, propagator)
        self.propagator, self.integral = propagator, integral
        self.spread = self._cholesky(covariance)

    def _one_state(self, name: str, system: _LinearSystem) -> None:
        """Set propagator, integral and noise factor of a single state in closed form."""
        key = (name, name)
        rate = system.matrix.get(key, "0")
        self.propagator, self.spread = {key: self._assign(f"exp(dt*({rate}))")}, {}
        self.integral = {key: self._assign(f"dt*exprel(dt*({rate}))")}
        if system.noise:
            variance = " + ".join(f"({strength})**2" for strength in system.noise.values())
            self.spread = {key: self._assign(f"sqrt(({variance})*dt*exprel(2*dt*({rate})))")}

    def update(self, name: str) -> str:
        terms = [
            f"{self.propagator[name, source]}*{source}"
            for source in self.states
            if (name, source) in self.propagator
        ]
        terms += [
            f"{self.integral[name, source]}*({text})"
            for source, text in self.constant.items()
            if (name, source) in self.integral
        ]
        terms += [
            f"{self.spread[name, source]}*{_draw(source)}"
            for source in self.states
            if (name, source) in self.spread
        ]
        return " + ".join(terms) if terms else "0"

    def _first_covariance(self, scaled: Matrix, noise: Matrix) -> Matrix:
        """Noise covariance over the first, shortest step: h sum of M^k(S)/(k+1)! with M(S) = X S +
        S X'."""
        term = {
            key: self._assign(f"_h_{self.tag}*({value})")
            for key, value in self._product(noise, _transposed(noise)).items()
        }
        total = term
        for k in range(1, TAYLOR_TERMS if term else 0):
            grown = self._add(self._product(scaled, term), self._product(term, _transposed(scaled)))
            term = {key: self._assign(f"{value}/{k + 1}") for key, value in grown.items()}
            total = self._add(total, term)
        return total

    def _cholesky(self, covariance: Matrix) -> Matrix:
        """Return the lower factor of a covariance; a direction without noise has a zero pivot."""
        factor: Matrix = {}
        for row, name in enumerate(self.states):
            if (name, name) not in covariance:
                continue
            for column in self.states[: row + 1]:
                common = [k for k in self.states if (name, k) in factor and (column, k) in factor]
                shared = [f"{factor[name, k]}*{factor[column, k]}" for k in common]
                remainder = " - ".join([covariance.get((name, column), "0"), *shared])
                if column == name:
                    pivot = self._assign(remainder)
                    factor[name, name] = self._assign(f"sqrt(0.5*({pivot} + abs({pivot})))")
                elif (column, column) in factor and remainder != "0":
                    pivot = factor[column, column]
                    factor[name, column] = self._assign(
                        f"({remainder})*{pivot}/({pivot}*{pivot} + 1e-300)"
                    )
        return factor

    def _assign(self, expression: str) -> str:
        self._count += 1
        self._letters += len(expression)
        if self._letters > MOST_LETTERS:
            raise UnsupportedEquationsException(
                f"its {len(self.states)} coupled states make too long a program."
            )
        name = f"_p_{self.tag}_{self._count}"
        self.lines.append(f"{name} = {expression}")
        return name

    def _taylor(self, scaled: Matrix) -> tuple[Matrix, Matrix]:
        """Sums of X^k/k! and of h X^k/(k+1)! by Horner's rule, X the scaled matrix."""
        identity = {(name, name): "1" for name in self.states}
        integral = dict(identity)
        for term in range(TAYLOR_TERMS, 1, -1):
            integral = self._add(
                identity,
                self._product({key: f"{value}/{term}" for key, value in scaled.items()}, integral),
            )
        propagator = self._add(identity, self._product(scaled, integral))
        return propagator, {
            key: self._assign(f"_h_{self.tag}*{value}") for key, value in integral.items()
        }

    def _product(self, left: Matrix, right: Matrix) -> Matrix:
        terms: dict[tuple[str, str], list[str]] = {}
        for (row, inner), first in left.items():
            for (second_row, column), second in right.items():
                if second_row == inner:
                    terms.setdefault((row, column), []).append(f"({first})*({second})")
        return {key: self._assign(" + ".join(products)) for key, products in terms.items()}

    def _add(self, left: Matrix, right: Matrix) -> Matrix:
        keys = dict.fromkeys([*left, *right])
        return {
            key: self._assign(" + ".join(m[key] for m in (left, right) if key in m)) for key in keys
        }


def _transposed(matrix: Matrix) -> Matrix:
    return {(column, row): value for (row, column), value in matrix.items()}


def _draw(name: str) -> str:
    """Return the name of the standard normal number that drives a state."""
    return f"_normal_{name}"


def _linear_system(equations: Equations, variables: Mapping | None) -> _LinearSystem:
    states = list(_ordered_states(equations))
    symbols = {name: sympy.Symbol(name, real=True) for name in states}
    matrix: Matrix = {}
    constant: dict[str, str] = {}
    noise: Matrix = {}
    for name, expression in equations.get_substituted_expressions(variables):
        deterministic, stochastic = expression.split_stochastic()
        for source, coefficient in (stochastic or {}).items():
            strength = _activate(str_to_sympy(coefficient.code, variables))
            if strength.free_symbols & set(symbols.values()):
                raise UnsupportedEquationsException(
                    f"The noise of '{name}' is not additive: its strength depends on the state."
                )
            noise[name, source] = sympy_to_str(strength)
        drift = (
            _activate(str_to_sympy(deterministic.code, variables)).expand()
            if deterministic
            else sympy.Integer(0)
        )
        for state, symbol in symbols.items():
            slope = sympy.simplify(sympy.diff(drift, symbol))
            if slope.free_symbols & set(symbols.values()):
                raise UnsupportedEquationsException(
                    f"The equation of '{name}' is not linear in '{state}'."
                )
            if slope != 0:
                matrix[name, state] = sympy_to_str(slope)
        offset = drift.subs(dict.fromkeys(symbols.values(), 0))
        if offset != 0:
            constant[name] = sympy_to_str(offset)
    return _LinearSystem(matrix, constant, noise)


def _activate(expression: sympy.Expr) -> sympy.Expr:
    """Drop the factor ``int(not_refractory)`` that Brian2 adds to held equations."""
    flags = [
        f
        for f in expression.atoms(sympy.Function)
        if f.func.__name__ == "int_" and str(f.args[0]) == "not_refractory"
    ]
    return expression.subs(dict.fromkeys(flags, 1))


def _ordered_states(equations: Equations, order: tuple[str, ...] | None = None) -> tuple[str, ...]:
    states = tuple(name for name in equations if name in equations.diff_eq_names)
    return states if order is None else tuple(name for name in order if name in states)


def _single_equation(equations: Equations, name: str) -> Equations:
    """The equations with only ``name`` integrated and every other state a parameter."""
    lines = [
        equation
        if equation.varname == name or equation.type != "differential equation"
        else SingleEquation(PARAMETER, equation.varname, equation.dim, var_type=equation.var_type)
        for equation in equations.values()
    ]
    return Equations(lines)


INTEGRATORS = {
    "symplectic_euler": StaggeredEuler(euler),
    "symplectic_exponential_euler": StaggeredEuler(exponential_euler),
    "matrix_exponential": MatrixExponential(),
}

STAGGERED = tuple(
    name for name, updater in INTEGRATORS.items() if isinstance(updater, StaggeredEuler)
)


def register_integrators() -> None:
    """Make the integrators known to Brian2 by name; calling it again changes nothing."""
    for name, updater in INTEGRATORS.items():
        if name not in StateUpdateMethod.stateupdaters:
            StateUpdateMethod.register(name, updater)


def require_integrator(name: str) -> None:
    """Refuse an integrator that the engines do not know.

    Raises
    ------
    ModelError
    """
    register_integrators()
    if name not in SUPPORTED:
        raise ModelError(f"There is no integrator '{name}'; known are {', '.join(SUPPORTED)}.")


#: Updaters of Brian2 that are numerically sound on their own. Its GSL updaters exist in C++ only,
#: and Brian2 has deprecated 'independent'.
BRIAN_INTEGRATORS = (
    "euler",
    "rk2",
    "rk4",
    "heun",
    "milstein",
    "exponential_euler",
    "exact",
    "linear",
)
SUPPORTED = (*INTEGRATORS, *BRIAN_INTEGRATORS)
EXACT_IN_SYMBOLS, MOST_EXACT_STATES = ("exact", "linear"), 2


def require_conditional_linearity(
    model: NeuronModel, equations: Equations, variables: Mapping
) -> None:
    """Refuse equations from which Brian2's ``exponential_euler`` would drop a term, such as
    ``v**2`` next to ``v`` without a constant.

    Raises
    ------
    ModelError
        If a variable's equation is not linear in it.
    """
    if model.integrator not in ("exponential_euler", "symplectic_exponential_euler"):
        return
    try:
        system = get_conditionally_linear_system(equations, variables)
    except ValueError:
        return
    for name, expression in equations.get_substituted_expressions(variables):
        slope, constant = system[name]
        missing_terms = (
            str_to_sympy(expression.code, variables)
            - slope * sympy.Symbol(name, real=True)
            - constant
        )
        if missing_terms.expand() != 0:
            raise ModelError(
                f"The integrator '{model.integrator}' does not admit model '{model.name}': the "
                f"equation of '{name}' is not linear in '{name}'; take 'rk4'."
            )


def require_few_states(model: NeuronModel) -> None:
    """Refuse large systems for Brian2's ``exact``, which solves the matrix exponential symbolically
    and would take hours.

    Raises
    ------
    ModelError
        If the model has more than two states.
    """
    if model.integrator in EXACT_IN_SYMBOLS and len(model.states) > MOST_EXACT_STATES:
        raise ModelError(
            f"Model '{model.name}': the integrator '{model.integrator}' takes at most "
            f"{MOST_EXACT_STATES} states, not "
            f"{len(model.states)}; 'matrix_exponential' solves any linear system."
        )
