"""Models as TOML: what is written is read back, and every fault gives one sentence that begins with
the file."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models import Parameter
from neurocode.models.files import MAXIMUM_BYTES, from_dictionary
from neurocode.models.writing import to_dictionary

TEXT = """
name = "plain"
equations = "dv/dt = -v/tau : 1"
margin = "v - 1"
reset = "v = 0"
{more}
[parameters]
tau = {{ value = "10 ms", bounds = ["1 ms", "1 s"], fixed = true }}
{last}
"""


def load(tmp_path, more="", last="", text=TEXT):
    path = tmp_path / "model.toml"
    path.write_text(text.format(more=more, last=last))
    return nc.models.load(path)


def test_values_bounds_and_defaults_are_those_of_the_file(tmp_path):
    model = load(tmp_path, 'after_reset = ["v"]\ninitial = { v = 0.5 }', 'b = 2\nc = "-3.5 mV"')
    assert model.parameters["tau"] == Parameter(10.0, "ms", (1.0, 1000.0), fixed=True)
    assert model.parameters["b"] == Parameter(2.0) and model.parameters["c"] == Parameter(
        -3.5, "mV"
    )
    assert (model.integrator, model.after_reset, dict(model.initial), model.refractory) == (
        "euler",
        ("v",),
        {"v": "0.5"},
        None,
    )
    assert (model.within_step, model.noise, model.description) == (False, None, "")
    assert model.values["tau"] == pytest.approx(0.01) and model.parameters[
        "tau"
    ].si_bounds == pytest.approx((1e-3, 1.0))
    assert model.free == ("b", "c")


def test_a_table_leaves_out_what_is_the_default():
    table = to_dictionary(nc.models.normalised_lif())
    assert set(table) == {
        "name",
        "description",
        "equations",
        "margin",
        "reset",
        "integrator",
        "parameters",
    }
    assert table["parameters"]["theta"] == {
        "value": "1.0",
        "bounds": ["0.1", "10.0"],
        "fixed": True,
        "description": "threshold",
    }
    assert from_dictionary(table) == nc.models.normalised_lif()
    open_ended = replace(
        nc.models.lif(),
        parameters={**nc.models.lif().parameters, "C": Parameter(1.0, "pF", (0.5, math.inf))},
    )
    assert to_dictionary(open_ended)["parameters"]["C"]["bounds"] == ["0.5 pF", "inf pF"]
    assert from_dictionary(to_dictionary(open_ended)) == open_ended


def test_one_value_for_each_neuron_is_a_list(tmp_path):
    model = nc.models.lif().with_parameters(C=np.array([100.0, 200.0]))
    assert to_dictionary(model)["parameters"]["C"]["value"] == ["100.0 pF", "200.0 pF"]
    assert nc.models.load(model.save(tmp_path / "two.toml")).parameters["C"].value.tolist() == [
        100.0,
        200.0,
    ]
    mixed = load(tmp_path, last='b = { value = ["1 mV", "0.5 V"] }').parameters["b"]
    assert mixed.unit == "mV" and mixed.value.tolist() == [1.0, 500.0]


@pytest.mark.parametrize(
    ("more", "last", "says"),
    [
        (
            'threshold = "v > 1"',
            "",
            "unknown key 'threshold'; write the distance to the threshold: margin = 'v - V_T'",
        ),
        ('method = "rk4"', "", "unknown key 'method'; write integrator"),
        (
            "refractory = 2",
            "",
            r"'refractory' must be text, such as '2\*ms' or the name of a parameter",
        ),
        (
            'refractory = "2 ms"',
            "",
            r"refractory period '2 ms' is not a mathematical expression: write '2\*ms'",
        ),
        ('refractory = "v > 1"', "", "refractory period uses 'v > 1' where it needs a number"),
        ('initial = { v = "0.2 mV" }', "", r"write '0.2\*mV'"),
        ('after_reset = "v"', "", "'after_reset' must be a list of names"),
        ("after_reset = [1]", "", "'after_reset' must be a list of names"),
        ("within_step = 1", "", "'within_step' must be true or false"),
        ("noise = 3", "", "'noise' must be a table"),
        (
            'noise = { family = "gaussian", width = "b" }',
            "",
            "keys family, scale, rate, lapse and ceiling",
        ),
        (
            'noise = { family = "gaussian", scale = 3 }',
            "b = 1",
            "parameter of the escape noise has the name 3",
        ),
        (
            'noise = { family = "gaussian", scale = "nothing" }',
            "",
            "reads the parameter 'nothing', which the model does not have",
        ),
        (
            "",
            'b = { value = 1, fixed = "yes" }',
            "parameter 'b': 'fixed' of a parameter must be true or false, not 'yes'",
        ),
        ("", "b = { value = 1, bounds = [0] }", "parameter 'b': bounds are a list of two values"),
        (
            "",
            'b = { value = "1 mV", bounds = ["0 ms", "2 mV"] }',
            "parameter 'b': '0 ms' is not in a unit of mV",
        ),
        ("", "b = { bounds = [0, 1] }", "parameter 'b' takes the keys .* value is required"),
        ("", "b = { value = 1, unit = 3 }", "parameter 'b' takes the keys"),
        ("", "b = true", "parameter 'b': 'True' is not a value"),
        ("", "b = []", "parameter 'b': a list of values, one per neuron"),
        ("", 'b = [1, ["2"]]', "parameter 'b': a list of values, one per neuron"),
        ("", 'b = ["1 mV", "2 s"]', "parameter 'b': '2 s' is not in a unit of mV"),
        ("", "b = nan", "parameter 'b': A parameter value must be finite"),
        ("", "b = 1979-05-27", "parameter 'b' takes the keys"),
        ("", "b = 1" + "0" * 400, "parameter 'b': A value is larger than 1e.300"),
        ("", "b = 1" + "0" * 5000, "not a TOML file"),
        ("", f'"{"b" * 300}" = 1', "names are ASCII letters"),
        ("", '"a\\nb" = true', "'True' is not a value"),
    ],
)
def test_faults_are_one_sentence(tmp_path, more, last, says):
    with pytest.raises(ModelError, match=says) as error:
        load(tmp_path, more, last)
    assert (
        "\n" not in str(error.value)
        and "model.toml" in str(error.value)
        and len(str(error.value)) < 500
    )


def test_files_that_are_none(tmp_path):
    (tmp_path / "long.toml").write_bytes(b"#" * (MAXIMUM_BYTES + 1))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000 + "]" * 5000)
    for path, says in (
        ("long.toml", "larger than 5000000 bytes"),
        ("binary.toml", "not a TOML file"),
        ("deep.toml", "nested|not a TOML"),
        ("absent.toml", "no such model file"),
        ("", "this is a folder"),
        ("a\x00b", "not a TOML"),
        ("x" * 300, "cannot be read"),
    ):
        with pytest.raises(ModelError, match=says):
            nc.models.load(tmp_path / path if path else tmp_path)
    with pytest.raises(ModelError, match="this is not a file"):
        nc.models.load("/dev/null")
    with pytest.raises(ModelError, match="no model 'unheard'; known are lif, "):
        nc.models.by_name("unheard")


def test_a_model_with_a_value_per_neuron_says_how_many():
    model = nc.models.escape_lif()
    three = model.with_parameters(tau=np.array([5.0, 10.0, 20.0]))
    assert (model.n_neurons, three.n_neurons) == (1, 3)
    one = model.with_parameters(tau=np.array([5.0])).of_one_neuron()
    assert one.n_neurons == 1 and one.parameters["tau"].value == 5.0
    assert not np.ndim(one.parameters["tau"].value)
    uneven = three.with_parameters(v_r=np.array([0.0, 0.1]))
    with pytest.raises(ModelError, match="different numbers of neurons: tau 3, v_r 2"):
        _ = uneven.n_neurons
    for engine in ("brian2", "jax", "numba"):
        with pytest.raises(ModelError, match=r"values for 3 neurons, expected trials=3.*not 2"):
            nc.simulate(three, np.zeros(10), dt=1e-3, trials=2, engine=engine)
        block = nc.simulate(
            three, np.zeros(10), dt=1e-3, parameters={"tau": 10.0}, trials=2, engine=engine
        )
        assert len(block.segments) == 2
    with pytest.raises(ModelError, match="values for 3 neurons"):
        current = nc.simulation.stimuli.frozen_noise(1, 1e-3, mean=0, standard_deviation=1, seed=1)
        nc.fit(three, nc.Experiment([np.array([0.1, 0.2])], current))
