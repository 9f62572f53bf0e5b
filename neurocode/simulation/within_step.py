"""Threshold crossing and reset inside the time step.

A path that is below threshold at both ends of a step may have crossed it in between. Given the
ends, the probability is that of a Brownian bridge, ``exp(-2 a b / s)``, with the distances ``a``
and ``b`` to the threshold and the variance ``s`` that the noise adds in the step; the time of the
crossing, in units of the time that remains, is inverse Gaussian (Karatzas & Shreve 1991, section
2.8). The neuron is reset at that time. Each neuron has its own clock, so the step after a spike, or
after a refractory period, is longer or shorter than the others, and spikes are not moved to the
grid. :func:`within_step` gives the equations.

The result is abstract code, like that of Brian2's state updaters, and all engines read it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from neurocode.models.model import NeuronModel
from neurocode.simulation.diffusion import diffusion_of
from neurocode.simulation.statements import parse, read_code, replaced

#: Time of the neuron's clock minus that of the grid (at most zero), time until the neuron leaves
#: refractoriness, and whether it crossed the threshold.
LAG, WAIT, CROSSED = "local_lag", "local_wait", "local_crossed"
TINY = "1e-100"


@dataclass(frozen=True)
class WithinStep:
    """Abstract code of a step with the crossing inside.

    Attributes
    ----------
    durations : str
        ``_start``, the time at which the neuron leaves refractoriness, from the start of the step,
        and ``_free``, the time from then to the end of the step.
    advance : str
        States at the end of the step, and distances to the threshold at both ends.
    decide : str
        ``_crossed``: 1 if the threshold was reached.
    locate : str
        ``_until``, the time of the crossing, and the other states at this time.
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
        """Return the whole update as one text without branches."""
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
        Returns the abstract code of a model by its integrator, while the named states are held.

    Raises
    ------
    ModelError
        If the model is not a one-dimensional diffusion; see :func:`diffusion_of`.

    Notes
    -----
    Let the diffusing state follow ``dx = drift dt + strength dW`` up to its threshold, and let
    ``T`` (``_free``) be the part of the step in which the neuron is not refractory. The end of the
    step is drawn by the integrator of the model, with the other states held at their values in the
    middle. ``a`` (``_before``) and ``b`` (``_after``) are the distances below threshold at the
    start and at the end, and ``s = strength**2 T`` (``_variance``) is the variance that the noise
    adds. Between these ends the path is a Brownian bridge, which reaches the threshold with
    probability

    ``P(crossing) = exp(-2 a max(b, 0) / s)``,

    which is one if the step ends above threshold. If the path reaches it, the time ``t`` from the
    start to the first crossing is

    ``t = T z / (1 + z)``,

    where ``z`` is inverse Gaussian with mean ``a / |b|`` and shape ``a**2 / s`` (Karatzas & Shreve
    1991, section 2.8). To draw ``z``, let ``n`` be standard normal and

    ``q = s n**2 / (2 a |b|)``, ``r = 1 + q + sqrt(q (q + 2))``.

    Then ``z`` is ``(a / |b|) / r`` with probability ``r / (1 + r)`` and ``(a / |b|) r`` otherwise.
    At the crossing the state is reset and the refractory period begins. Two times carry over to the
    next step, both from its start: that of the crossing (``local_lag``, at most zero) and that at
    which the neuron leaves refractoriness (``local_wait``).
    """
    diffusion = diffusion_of(model)
    free_model = without_refractoriness(model)
    variable, other_states = diffusion.variable, diffusion.others
    single = {
        name: code_of(free_model, tuple(state for state in model.states if state != name))
        for name in model.states
    }

    def later(name: str, duration: str, to: str) -> str:
        return _renamed(single[name], {"dt": f"({duration})", name: name}, f"_{name}{to}", name)

    middle = [later(name, f"_start + 0.5*_free - {LAG}", "_mid") for name in other_states]
    starts = [later(name, f"_start - {LAG}", "_start") for name in other_states]
    ends = [later(name, f"dt - {LAG}", "_end") for name in other_states]
    middle_states = {name: f"_{name}_mid" for name in other_states}
    moved = _renamed(
        single[variable], {"dt": "_free", **middle_states}, f"_{variable}_end", variable
    )
    margin = _one_line(model.margin)
    margin_before = _substituted(margin, {name: f"_{name}_start" for name in other_states})
    margin_after = _substituted(
        margin, {name: f"_{name}_end" for name in (variable, *other_states)}
    )
    crossings = [later(name, f"_until - {LAG}", "_cross") for name in other_states]
    return WithinStep(
        durations=f"_start = clip({WAIT}, {LAG}, dt)\n_free = dt - _start",
        advance="\n".join(
            [
                *middle,
                *starts,
                *ends,
                moved,
                f"_before = clip(-({margin_before}), 0, 1e300)",
                f"_after = -({margin_after})",
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
                    for name in other_states
                ),
                f"{LAG} = _crossed*(_until - dt)",
                f"{WAIT} = clip({WAIT} - dt, -dt, 1e300)",
                f"{CROSSED} = _crossed",
            ]
        ),
        reset=f"{model.reset_code_of_brian2}\n{WAIT} = {LAG}"
        + (f" + ({_one_line(model.refractory)})" if model.refractory else ""),
        variable=variable,
        others=other_states,
    )


def without_refractoriness(model: NeuronModel) -> NeuronModel:
    """Return the model without its refractory period, which the clock of the neuron replaces."""
    lines = [
        replace(e, flags=tuple(flag for flag in e.flags if flag != "unless refractory")).text
        for e in model.parsed
    ]
    return replace(model, equations="\n".join(lines), refractory=None, within_step=False)


def _renamed(code: str, names: Mapping[str, str], result: str, variable: str) -> str:
    """Return code with renamed variables that assigns the new value of ``variable`` to ``result``;
    its temporaries get unique names."""
    statements = read_code(code)
    temporaries = {s.name for s in statements if s.name.startswith("_")}
    table = {**{name: f"{result}{name}" for name in temporaries}, **names}
    lines = []
    for statement in statements:
        target = statement.name
        text = _substituted(ast.unparse(statement.expression), table)
        lines.append(f"{result if target == variable else table.get(target, target)} = {text}")
        if target == variable:
            table[variable] = result
    return "\n".join(lines)


def _substituted(text: str, names: Mapping[str, str]) -> str:
    return ast.unparse(replaced(parse(text), names))


def _one_line(text: str) -> str:
    return " ".join(text.split())
