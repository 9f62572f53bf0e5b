"""Threshold crossing and reset inside the time step.

A path that is below threshold at both ends of a step may have crossed it in between. Given the
ends, the probability is that of a Brownian bridge, ``exp(-2 a b / s)``, with the distances ``a``
and ``b`` to the threshold and the variance ``s`` that the noise adds in the step; the time of the
crossing, in units of the time that remains, is inverse Gaussian (Karatzas & Shreve 1991, section
2.8). The neuron is reset at that time: each has a clock of its own, so the step after a spike, or
after a refractory period, is longer or shorter than the others and no time is lost to the grid.

The text made here is abstract code, like that of Brian2's state updaters; all engines read it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from neurocode.models.model import NeuronModel
from neurocode.simulation.diffusion import diffusion_of
from neurocode.simulation.statements import parse, replaced

#: Time of the neuron's own clock before the grid's, time until it leaves refractoriness, and
#: whether it crossed.
LAG, WAIT, CROSSED = "local_lag", "local_wait", "local_crossed"
TINY = "1e-100"


@dataclass(frozen=True)
class WithinStep:
    """Abstract code of a step with the crossing inside.

    Attributes
    ----------
    durations : str
        When the neuron is free: ``_start`` and ``_free``, relative to the start of the step.
    advance : str
        States at the end of the step, distances to the threshold at both ends.
    decide : str
        ``_crossed``: 1 if the threshold was reached.
    locate : str
        ``_until``: the time of the crossing; and the other states then.
    finish : str
        Assignments to the states of the model.
    reset : str
        Reset of the model and of its clock.
    others : tuple of str
        States besides the diffusing one.
    """

    durations: str
    advance: str
    decide: str
    locate: str
    finish: str
    reset: str
    variable: str
    others: tuple[str, ...]

    @property
    def update(self) -> str:
        """The whole update as one text, without branches."""
        return "\n".join(
            part
            for part in (self.durations, self.advance, self.decide, self.locate, self.finish)
            if part
        )


def within_step(
    model: NeuronModel, code_of: Callable[[NeuronModel, tuple[str, ...]], str]
) -> WithinStep:
    """Make the code of a step with the crossing inside it.

    Parameters
    ----------
    model : NeuronModel
    code_of : callable
        Abstract code of the model's own integrator for a model in which the states named are held.

    Raises
    ------
    ModelError
        If the model is no one-dimensional diffusion; see :func:`diffusion_of`.
    """
    diffusion = diffusion_of(model)
    free = without_refractoriness(model)
    variable, others = diffusion.variable, diffusion.others
    single = {
        name: code_of(free, tuple(other for other in model.states if other != name))
        for name in model.states
    }

    def later(name: str, duration: str, to: str) -> str:
        return _renamed(single[name], {"dt": f"({duration})", name: name}, f"_{name}{to}", name)

    middle = [later(name, f"_start + 0.5*_free - {LAG}", "_mid") for name in others]
    starts = [later(name, f"_start - {LAG}", "_start") for name in others]
    ends = [later(name, f"dt - {LAG}", "_end") for name in others]
    held = {name: f"_{name}_mid" for name in others}
    moved = _renamed(single[variable], {"dt": "_free", **held}, f"_{variable}_end", variable)
    margin = _one_line(model.margin)
    before = _substituted(margin, {name: f"_{name}_start" for name in others})
    after = _substituted(margin, {name: f"_{name}_end" for name in (variable, *others)})
    crossings = [later(name, f"_until - {LAG}", "_cross") for name in others]
    return WithinStep(
        durations=f"_start = clip({WAIT}, {LAG}, dt)\n_free = dt - _start",
        advance="\n".join(
            [
                *middle,
                *starts,
                *ends,
                moved,
                f"_before = clip(-({before}), 0, 1e300)",
                f"_after = -({after})",
                f"_variance = ({diffusion.strength})**2*_free",
            ]
        ),
        decide=f"_crossed = int(rand() < exp(-2*_before*clip(_after, 0, 1e300)/(_variance + "
        f"{TINY})))*int(_free > 0)",
        locate="\n".join(
            [
                f"_distance = abs(_after) + {TINY}",
                "_mean = _before/_distance",
                f"_ratio = clip(0.5*_variance*randn()**2/((_before + {TINY})*_distance), 0, 1e100)",
                "_root = 1 + _ratio + sqrt(_ratio*(_ratio + 2))",
                "_first = int(rand()*(1 + 1/_root) < 1)",
                "_time = _mean*(_first/_root + (1 - _first)*_root)",
                "_until = _start + _free*_time/(1 + _time)",
                *crossings,
            ]
        ),
        finish="\n".join(
            [
                f"{variable} = _{variable}_end",
                *(
                    f"{name} = _crossed*_{name}_cross + (1 - _crossed)*_{name}_end"
                    for name in others
                ),
                f"{LAG} = _crossed*(_until - dt)",
                f"{WAIT} = clip({WAIT} - dt, -dt, 1e300)",
                f"{CROSSED} = _crossed",
            ]
        ),
        reset=f"{model.reset_code}\n{WAIT} = {LAG}"
        + (f" + ({_one_line(model.refractory)})" if model.refractory else ""),
        variable=variable,
        others=others,
    )


def without_refractoriness(model: NeuronModel) -> NeuronModel:
    """The model without its refractory period, which the clock of the neuron replaces."""
    lines = [
        replace(e, flags=tuple(flag for flag in e.flags if flag != "unless refractory")).text
        for e in model.parsed
    ]
    return replace(model, equations="\n".join(lines), refractory=None, within_step=False)


def _renamed(code: str, names: Mapping[str, str], result: str, variable: str) -> str:
    """Code with other names, its temporaries set apart, that leaves the new value of ``variable``
    in ``result``."""
    statements = ast.parse(code).body
    own = {s.targets[0].id for s in statements if s.targets[0].id.startswith("_")}
    table = {**{name: f"{result}{name}" for name in own}, **names}
    lines = []
    for statement in statements:
        target = statement.targets[0].id
        text = _substituted(ast.unparse(statement.value), table)
        lines.append(f"{result if target == variable else table.get(target, target)} = {text}")
        if target == variable:
            table[variable] = result
    return "\n".join(lines)


def _substituted(text: str, names: Mapping[str, str]) -> str:
    return ast.unparse(replaced(parse(text), names))


def _one_line(text: str) -> str:
    return " ".join(text.split())
