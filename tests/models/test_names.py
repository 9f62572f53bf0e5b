"""Names in a model stay names: nothing is inserted into code that is not an identifier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models import EscapeNoise, NeuronModel, Parameter
from neurocode.models.names import MAXIMUM_LENGTH, check_name

CODE = "zz = 0.0\n  print(123456)\n  yy"


def model_with(name):
    return NeuronModel(
        name="named",
        equations="dv/dt = (-v + I)/tau : 1\nI : 1",
        margin="v - 1",
        reset="v = 0",
        parameters={"tau": Parameter.of("10 ms"), name: Parameter(0.5)},
    )


NO_NAMES = [
    CODE,
    "",
    " a",
    "a ",
    "a b",
    "a.b",
    "a-b",
    "2a",
    "_a",
    "a_",
    "__a",
    "a;b",
    "a\n",
    "ä",
    "a" * 41,
    "a,b",
    "a=1",
    None,
    3,
    ("a",),
]
TAKEN = [
    "e",
    "pi",
    "inf",
    "t",
    "dt",
    "i",
    "N",
    "xi",
    "xi_1",
    "t_in_timesteps",
    "lastspike",
    "not_refractory",
    "stimulus",
    "spiked",
    "lambda",
    "None",
    "import",
    "double",
    "struct",
    "true",
    "range",
    "exp",
    "rand",
    "normal_cdf",
    "clip",
    "mV",
    "second",
    "local_lag",
    "local_wait",
    "local_crossed",
    "base_current",
    "a_pre",
    "a_post",
    "BA_v",
]
#: Names that our engines' own variables once had: they are free now.
FREE = [
    "old_v",
    "new_v",
    "inverse_tau",
    "steps_since_spike",
    "since",
    "period",
    "step",
    "neuron",
    "np",
    "name",
    "clock",
    "f",
    "x",
    "dW",
]


@pytest.mark.parametrize("name", NO_NAMES, ids=repr)
def test_what_is_no_identifier_is_no_name(name):
    with pytest.raises(ModelError, match="names are ASCII letters") as error:
        check_name(name, "parameter")
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("name", TAKEN)
def test_names_that_engines_use_are_refused_for_parameters(name):
    with pytest.raises(ModelError, match=f"reserved name '{name}'"):
        model_with(name)


@pytest.mark.parametrize("name", ["e", "double", "exp", "a_", "local_lag", "xi_1"])
def test_variables_and_inputs_follow_the_same_rule(name):
    with pytest.raises(ModelError, match=f"variable has the (reserved )?name '{name}'"):
        replace(nc.models.lif(), equations=f"d{name}/dt = -{name}/ms : 1", margin=name, reset="")
    with pytest.raises(ModelError, match=f"variable has the (reserved )?name '{name}'"):
        replace(nc.models.normalised_lif(), equations=f"du/dt = -u/tau : 1\n{name} : 1")


def test_the_longest_name_has_forty_letters():
    assert MAXIMUM_LENGTH == 40
    check_name("a" * 40, "parameter")
    with pytest.raises(ModelError):
        check_name("a" * 41, "parameter")


@pytest.mark.parametrize("field", ["scale", "rate", "lapse", "ceiling"])
def test_fields_of_the_noise_are_names(field):
    options = {"scale": "a", "rate": "b", field: "b*__import__('os').system('true')"}
    with pytest.raises(ModelError, match="parameter of the escape noise"):
        EscapeNoise("exponential", **options)


def test_a_model_file_prints_nothing(tmp_path, capfd):
    path = nc.models.lif().save(tmp_path / "model.toml")
    path.write_text(
        path.read_text() + '\n[parameters."zz = 0.0\\n  print(123456)\\n  yy"]\nvalue = "1"\n'
    )
    with pytest.raises(ModelError, match=r"model\.toml: The parameter has the name") as error:
        nc.simulate(nc.models.load(path), np.full(50, 4e-10), dt=1e-4, engine="numba")
    assert "\n" not in str(error.value)
    assert "123456" not in capfd.readouterr().out


@pytest.mark.parametrize("engine", ["brian2", "jax", "numba"])
def test_names_of_variables_inside_the_engines_change_nothing(engine):
    """A neuron whose variables bear them spikes as the one whose variables do not."""
    names = dict(zip("abcdefghijklmn", FREE, strict=True))
    text = (
        "dv/dt = (-v + I + {a})/{c} : 1 (unless refractory)\nd{b}/dt = (v - {b})/{c} : 1\n{n} "
        "= {d} + {e} + {f} : 1\nI : 1"
    )
    trains = []
    for letters in (names, {letter: f"q{letter}" for letter in names}):
        values = {letters[k]: Parameter(0.01 * number) for number, k in enumerate("adefghijklm")}
        model = NeuronModel(
            name="free",
            equations=text.format(**letters),
            margin="v - 0.5 - {n} - 0.1*{b}".format(**letters),
            reset="v = 0\n{b} += {g}".format(**letters),
            refractory="2*ms",
            integrator="rk2",
            initial={letters["b"]: "{h}".format(**letters)},
            parameters={**values, letters["c"]: Parameter.of("10 ms")},
        )
        block = nc.simulate(model, np.full(200, 1.2), dt=1e-3, engine=engine)
        trains.append(block.segments[0].spiketrains[0].magnitude)
    assert len(trains[0]) > 10
    np.testing.assert_array_equal(*trains)


def test_states_may_bear_the_names_of_attributes_of_brian():
    """``clock`` and ``name`` are attributes of a group: set and recorded as variables all the
    same."""
    model = NeuronModel(
        name="attributes",
        equations="dclock/dt = -clock/tau : 1\ndname/dt = -name/tau : 1",
        margin="clock - 10",
        reset="clock = 0",
        integrator="exponential_euler",
        initial={"name": "2", "clock": "3"},
        parameters={"tau": Parameter.of("10 ms")},
    )
    for engine in ("brian2", "jax"):
        signals = (
            nc.simulate(model, duration=0.02, dt=1e-3, record=("clock", "name"), engine=engine)
            .segments[0]
            .analogsignals
        )
        np.testing.assert_allclose(
            signals[0].magnitude[:, 0], 3 * np.exp(-np.arange(20) / 10), rtol=1e-12
        )
        np.testing.assert_allclose(
            signals[1].magnitude[:, 0], 2 * np.exp(-np.arange(20) / 10), rtol=1e-12
        )


def test_names_of_states_do_not_mix_with_those_of_a_propagator():
    """Under ``matrix_exponential`` states called like its own entries (_p_a_1, _h_a, _normal_x,
    _constant_0) keep their values."""
    names = ("p_a_1", "h_a", "normal_x", "constant_0")
    lines = [f"d{name}/dt = -{name}/tau : 1" for name in names]
    model = NeuronModel(
        name="entries",
        equations="\n".join(lines),
        margin="p_a_1 - 10",
        reset="p_a_1 = 0",
        integrator="matrix_exponential",
        initial={name: str(number + 1) for number, name in enumerate(names)},
        parameters={"tau": Parameter.of("10 ms")},
    )
    signals = (
        nc.simulate(model, duration=0.005, dt=1e-3, record=names, engine="jax")
        .segments[0]
        .analogsignals
    )
    for number, signal in enumerate(signals):
        np.testing.assert_allclose(
            signal.magnitude[:, 0], (number + 1) * np.exp(-np.arange(5) / 10), rtol=1e-12
        )
