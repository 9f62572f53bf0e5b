"""Whether a time step is small against the fastest time constant that the equations of a model
have."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping

import numpy as np
from scipy.special import exprel, ndtr

from neurocode.errors import CoarseStepWarning
from neurocode.models.model import NeuronModel
from neurocode.models.names import is_noise
from neurocode.simulation.evaluate import Array, evaluate
from neurocode.simulation.program import Prepare
from neurocode.simulation.statements import parse
from neurocode.units import parse_unit, preferred_unit

#: Exact at any step for the linear equations that they admit.
EXACT = ("matrix_exponential", "exact", "linear")
#: With these, each variable decays exactly; one that decays in far less than a step follows the
#: others at once, as intended.
EXPONENTIAL = ("exponential_euler", "symplectic_exponential_euler")
AT_ONCE = 1e-3
#: Longest step without a warning, and the recommended step, in units of the fastest time constant.
LONGEST, ADVISED = 0.5, 0.1
#: A fixed parameter whose name begins like this is the step for which the equations are written, as
#: in the meta-neuron.
STEP_OF_TEXT = "dt_"
#: Change of a state, in its usual unit, over which slopes are taken.
CHANGE = 1e-3

FUNCTIONS = {
    "abs": np.abs,
    "arccos": np.arccos,
    "arcsin": np.arcsin,
    "arctan": np.arctan,
    "ceil": np.ceil,
    "clip": np.clip,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "expm1": np.expm1,
    "exprel": exprel,
    "floor": np.floor,
    "int": np.trunc,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "normal_cdf": ndtr,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def time_constants(
    model: NeuronModel, parameters: Mapping[str, float | np.ndarray] | None = None, dt: float = 1e-4
) -> np.ndarray:
    """Time constants of a model around its initial state, fastest first.

    They are the inverse sizes of the eigenvalues of the matrix of slopes of ``dx/dt``, without
    noise and at zero input.

    Parameters
    ----------
    model : NeuronModel
    parameters : mapping of str to float or numpy.ndarray, optional
        Values in SI that replace the model's; every entry of an array counts.
    dt : float
        Time step in seconds, for equations that read it.

    Returns
    -------
    numpy.ndarray
        In seconds, one per state (and entry of arrays); infinite where nothing changes.

    Examples
    --------
    >>> import neurocode as nc
    >>> round(float(time_constants(nc.models.lif())[0]), 6)
    0.02
    """
    matrices = _slopes(
        model,
        {
            **model.values,
            **(parameters or {}),
            "t": 0.0,
            "dt": dt,
            **dict.fromkeys(model.inputs, 0.0),
        },
    )
    matrices = matrices[np.all(np.isfinite(matrices), axis=(1, 2))]
    with np.errstate(divide="ignore"):
        return np.sort(1.0 / np.abs(np.linalg.eigvals(matrices)).ravel())


def warn_of_coarse_step(
    model: NeuronModel,
    dt: float,
    parameters: Mapping[str, float | np.ndarray] | None = None,
    stacklevel: int = 3,
) -> None:
    """Warn once, in one sentence, if a time step is not small against the fastest time constant of
    a model.

    There is no warning for integrators that are exact for linear equations, for variables that
    decay within a thousandth of a step under an exponential integrator, and for a step that equals
    a fixed parameter ``dt_...`` of the model.

    Parameters
    ----------
    model : NeuronModel
    dt : float
        Time step in seconds.
    parameters : mapping of str to float or numpy.ndarray, optional
        Values in SI that replace the model's.
    stacklevel : int
        Stack level of the warning; 3 names the caller of the function that calls this one.

    Examples
    --------
    >>> import neurocode as nc
    >>> warn_of_coarse_step(nc.models.lif(), 1e-4)
    """
    if model.integrator in EXACT or _is_written_for(model, dt):
        return
    constants = time_constants(model, parameters, dt)
    shortest = AT_ONCE * dt if model.integrator in EXPONENTIAL else 0.0
    fastest = float(np.min(constants[constants > shortest], initial=np.inf))
    if dt > LONGEST * fastest * (1 + 1e-6):
        warnings.warn(
            f"The time step of {1e3 * dt:.3g} ms is not small against the fastest time constant "
            f"of model '{model.name}', {1e3 * fastest:.3g} ms, so spikes may come out wrong: take "
            f"{1e3 * ADVISED * fastest:.2g} ms or less.",
            CoarseStepWarning,
            stacklevel=stacklevel,
        )


def _is_written_for(model: NeuronModel, dt: float) -> bool:
    steps = [
        p.si for name, p in model.parameters.items() if name.startswith(STEP_OF_TEXT) and p.fixed
    ]
    return any(np.all(np.isclose(step, dt, rtol=1e-6, atol=0.0)) for step in steps)


def _slopes(model: NeuronModel, names: Mapping[str, float | np.ndarray]) -> np.ndarray:
    """Return slopes of ``dx/dt`` at the initial state, of shape (entries, states, states)."""
    prepare = Prepare({name: parse(text) for name, text in model.subexpressions.items()})
    units = {equation.name: equation.unit for equation in model.parsed}
    noise = dict.fromkeys(
        (name for e in model.parsed if e.expression for name in _noise_in(e.expression)), 0.0
    )
    names = {**names, **noise, "spiked": 0.0}
    state: dict[str, Array | np.ndarray | float] = dict.fromkeys(model.states, 0.0)
    with np.errstate(all="ignore"):
        for name, text in model.initial.items():
            state[name] = evaluate(prepare(parse(text)), {**names, **state}, functions=FUNCTIONS)
        rates = [prepare(parse(e.expression)) for e in model.parsed if e.kind == "differential"]
        columns = []
        for name in model.states:
            change = CHANGE * preferred_unit(parse_unit(units[name]).dim)[1]
            ends = [
                [
                    evaluate(
                        rate,
                        {**names, **state, name: state[name] + sign * change},
                        functions=FUNCTIONS,
                    )
                    for rate in rates
                ]
                for sign in (1, -1)
            ]
            columns.append(
                [np.subtract(up, down) / (2 * change) for up, down in zip(*ends, strict=True)]
            )
    entries = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(slope, float)) for column in columns for slope in column)
    )
    n = len(model.states)
    return np.moveaxis(np.reshape(np.stack(entries), (n, n, -1)), -1, 0)


def _noise_in(text: str) -> set[str]:
    return {
        node.id
        for node in ast.walk(parse(text))
        if isinstance(node, ast.Name) and is_noise(node.id)
    }
