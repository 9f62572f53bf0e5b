"""Hostile and unusual models in all three engines give the same spikes or the same error; no code
of theirs is executed, and nothing is slow."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import neurocode as nc
from neurocode.errors import NeurocodeError
from neurocode.models import EscapeNoise, NeuronModel, Parameter

ENGINES = ("brian2", "jax", "numba")
STEPS, DT = 25, 1e-3
HOSTILE = [
    "zz = 0.0\n  print(123456)\n  yy",
    "__import__('os').system('echo 123456')",
    "v; print(123456)",
    "v\nprint(123456)",
    "(lambda: 1)()",
    "v.__class__",
    "v[0]",
    "exec('1')",
    "9**9**9",
    "v**1e6",
    "((v**16)**16)**16",
    "f'{v}'",
    "v # 1",
    "v \\\n + 1",
    "0x10",
    "1_000",
    "True",
    "v and 1",
    "1 < v < 2",
    "None",
    "...",
    "v if v else 1",
    "1e999",
    "v @ v",
    "[v]",
    "'v'",
    "",
    " ",
    "\u0000",
    "é",
    "not_refractory",
    "lastspike",
    "xi",
    "spiked",
    "i",
    "N",
    "1/0",
    "(-2)**0.5",
    "1e30**16",
    "timestep(t, dt)",
    "rand()",
    "randn()",
]
NAMES = [
    "a",
    "b",
    "tau",
    "e",
    "pi",
    "inf",
    "since_",
    "step_",
    "old_v",
    "new_v",
    "steps_since_spike",
    "not_refractory",
    "xi",
    "xi_1",
    "exp",
    "mV",
    "t",
    "dt",
    "range",
    "double",
    "_x",
    "x" * 41,
    "dW",
    "f",
    "x",
    "k_1",
    "clock",
    "p_a_1",
    "h_a",
    "BA_v",
    "lambda",
]
LEAVES = ["v", "w", "a", "b", "I", "1", "2.5", "0.5", "0", "t/tau", "dt/tau", "v", "w"]
OPERATIONS = [
    "{0} + {1}",
    "{0} - {1}",
    "({0})*({1})",
    "({0})/(1 + abs({1}))",
    "-({0})",
    "exp(-abs({0}))",
    "clip({0}, -1, 2)",
    "({0})**2",
]
OPERATIONS += [
    "tanh({0})",
    "int({0} > {1})",
    "int({0} > 1 and not {1} < 0)",
    "sqrt(abs({0}))",
    "floor({0})",
    "({0}) % 2",
    "sign({0})",
]
RESETS, STARTS = ["v = 0", "v -= 1", "w += 0.2", "w = v", "v *= a"], ["0.2", "v + 1", "w + 1", "a"]
INTEGRATORS = [
    "euler",
    "rk2",
    "rk4",
    "exponential_euler",
    "matrix_exponential",
    "symplectic_euler",
    "exact",
    "heun",
    "magic",
    "gsl",
    "RK4",
]


def of(*options):
    return st.sampled_from(options)


def mostly(usual, odd, share=8):
    """Return ``usual`` in most draws and ``odd`` in one of ``share`` draws."""
    return st.integers(1, share).flatmap(lambda number: odd if number == share else usual)


expressions = st.recursive(
    of(*LEAVES),
    lambda inner: st.builds(
        lambda form, first, second: form.format(first, second), of(*OPERATIONS), inner, inner
    ),
    max_leaves=4,
)
odd_expressions = mostly(expressions, of(*HOSTILE), 20)
odd_names = mostly(of("c", "d"), of(*NAMES, HOSTILE[0]), 3)
units = mostly(of("1"), of("volt", "V", "mV", "boolean", "1)", "amp*amp", "second**9"), 25)
parameter_values = of("0.5", "1.5", "-0.3", "2 mV", "0")


@st.composite
def fields(draw):
    """Fields of a model, most of them dimensionless neurons that could run."""
    first, second = draw(odd_expressions), draw(odd_expressions)
    flag = draw(mostly(of(""), of(" (unless refractory)", " (constant over dt)", " (fun)"), 5))
    lines = [
        f"dv/dt = ({first} - v)/tau : {draw(units)}{flag}",
        f"dw/dt = ({second} - w)/tau : {draw(units)}",
        "I : 1",
    ]
    if draw(st.booleans()):
        lines.append(f"u = {draw(odd_expressions)} : 1")
    if draw(mostly(st.just(False), st.booleans(), 5)):
        lines.append("spiked : 1")
    margin = draw(mostly(of("v - 0.5", "v - w", "v + w - 0.3*I"), odd_expressions, 3))
    noise = draw(
        mostly(
            st.none(),
            of(
                ("gaussian", "a", ""),
                ("exponential", "a", "b"),
                ("uniform", HOSTILE[0], ""),
                ("x", "a", ""),
            ),
            10,
        )
    )
    return {
        "equations": "\n".join(draw(st.permutations(lines))),
        "margin": margin,
        "reset": "\n".join(
            draw(
                st.lists(
                    mostly(of("v = 0", "v -= 1", "w += 0.2", "w = v", "v *= a"), of(*HOSTILE), 15),
                    max_size=3,
                )
            )
        ),
        "refractory": draw(
            mostly(of(None, "2*ms", "tau/5"), of("a", "v > 1", "2 ms", "-1*ms", *HOSTILE), 6)
        ),
        "integrator": draw(mostly(of("euler", "rk2", "rk4"), of(*INTEGRATORS), 3)),
        "after_reset": draw(mostly(of(()), of(("w",), ("v",), ("x",)), 5)),
        "initial": draw(
            mostly(
                of({}),
                st.dictionaries(
                    of("v", "w", "u"), mostly(of("0.2", "v + 1", "w + 1", "a"), of(*HOSTILE), 8)
                ),
                3,
            )
        ),
        "names": draw(st.lists(odd_names, max_size=2)),
        "values": draw(st.lists(parameter_values, min_size=2, max_size=2)),
        "noise": noise,
    }


def outcome(options, engine):
    """Return the spikes of a tiny run, or the sentence with which it is refused."""
    options = dict(options)
    noise, names, values = options.pop("noise"), options.pop("names"), options.pop("values")
    try:
        parameters = {
            "tau": Parameter.of("5 ms"),
            "a": Parameter.of("0.5"),
            "b": Parameter.of("1.2"),
        }
        parameters |= {
            name: Parameter.of(value) for name, value in zip(names, values, strict=False)
        }
        noise = None if noise is None else EscapeNoise(*noise)
        model = NeuronModel(name="odd", parameters=parameters, noise=noise, **options)
        current = np.repeat([1.3, 0.1, 2.7, -0.4, 1.9], STEPS // 5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block = nc.simulate(model, current, dt=DT, seed=1, engine=engine)
    except NeurocodeError as error:
        return str(error)
    return (
        None
        if model.is_stochastic
        else np.round(block.segments[0].spiketrains[0].magnitude / DT).astype(int).tolist()
    )


def compare(options, capfd):
    outcomes = []
    for engine in ENGINES:
        began = time.perf_counter()
        outcomes.append(outcome(options, engine))
        assert time.perf_counter() - began < 10, engine
    assert outcomes[0] == outcomes[1] == outcomes[2]
    if isinstance(outcomes[0], str):
        assert "\n" not in outcomes[0] and 10 < len(outcomes[0]) < 700
    assert "123456" not in capfd.readouterr().out


#: Nothing is shrunk: each try compiles a program.
OPTIONS = {
    "phases": [Phase.generate],
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=12, **OPTIONS)
@given(fields())
def test_engines_agree_on_odd_models(capfd, options):
    """A dozen, each compiled three times unless refused; more are refused in
    ``tests/models/test_checks.py``."""
    compare(options, capfd)


@pytest.mark.long
@settings(max_examples=400, **OPTIONS)
@given(fields())
def test_engines_agree_on_four_hundred_odd_models(capfd, options):
    compare(options, capfd)
