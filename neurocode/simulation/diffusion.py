"""The stochastic differential equation of a membrane potential, read from the text of a model."""

from __future__ import annotations

from dataclasses import dataclass

import brian2
import sympy
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str

from neurocode.errors import ModelError
from neurocode.models.expressions import parse_statements
from neurocode.models.model import NeuronModel


@dataclass(frozen=True)
class Diffusion:
    """``dx = drift dt + strength dW`` up to the time at which the margin of ``x`` reaches zero.

    Attributes
    ----------
    variable : str
        The state that ``xi`` drives.
    drift, strength : str
        Expressions of states, inputs and parameters; the strength is per square root of a second.
    threshold, reset : str
        Value of the variable at a spike and after it.
    others : tuple of str
        The other states; they evolve by themselves between spikes.
    """

    variable: str
    drift: str
    strength: str
    threshold: str
    reset: str
    others: tuple[str, ...]


def diffusion_of(model: NeuronModel) -> Diffusion:
    """Read the one-dimensional diffusion to a threshold that a model describes.

    Raises
    ------
    ModelError
        If no state or several carry ``xi``, if its strength depends on a state, if another state
        depends on the diffusing one, or if the margin is not that state minus a threshold.

    Examples
    --------
    >>> import neurocode as nc
    >>> diffusion_of(nc.models.lif_diffusive()).variable
    'v'
    """
    equations = brian2.Equations("\n".join(equation.text for equation in model.parsed))
    expressions = dict(equations.get_substituted_expressions())
    split = {name: expression.split_stochastic() for name, expression in expressions.items()}
    noisy = [name for name, (_, noise) in split.items() if noise]
    if len(noisy) != 1:
        carriers = "none" if not noisy else ", ".join(noisy)
        raise ModelError(
            f"Model '{model.name}': exactly one state must carry the noise xi, found {carriers}."
        )
    (variable,) = noisy
    drift, noise = split[variable]
    strength = sympy.sqrt(
        sympy.Add(*(_symbolic(coefficient.code) ** 2 for coefficient in noise.values()))
    )
    if _names(strength) & set(model.states):
        raise ModelError(
            f"Model '{model.name}': the strength of the noise in '{variable}' depends on a state; "
            f"it must be additive."
        )
    other_states = tuple(name for name in model.states if name != variable)
    for name in other_states:
        if variable in _names(_symbolic(expressions[name].code)):
            raise ModelError(
                f"Model '{model.name}': '{name}' depends on '{variable}'; the first passage is "
                f"one-dimensional only if it does not."
            )
    return Diffusion(
        variable,
        drift.code if drift else "0",
        sympy_to_str(strength),
        *_ends(model, variable),
        other_states,
    )


def _ends(model: NeuronModel, variable: str) -> tuple[str, str]:
    symbol = sympy.Symbol(variable, real=True)
    threshold = sympy.expand(symbol - _symbolic(model.margin))
    if variable in _names(threshold):
        raise ModelError(
            f"Model '{model.name}': the margin must be '{variable}' minus a threshold, not "
            f"'{model.margin}'."
        )
    resets = {
        name: (operator, text) for name, operator, text in parse_statements(model.reset, "reset")
    }
    operator, text = resets.get(variable, ("", ""))
    if operator != "=":
        raise ModelError(f"Model '{model.name}': the reset must assign '{variable}' a value.")
    return sympy_to_str(threshold), text


def _symbolic(text: str) -> sympy.Expr:
    return str_to_sympy(text)


def _names(expression: sympy.Expr) -> set[str]:
    return {str(symbol) for symbol in expression.free_symbols}
