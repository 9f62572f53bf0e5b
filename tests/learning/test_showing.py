"""How networks, results and learned parameters are displayed, with their numbers counted by
hand."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, TrainingResult, Voters
from neurocode.learning.intrinsic import Intrinsic
from neurocode.models import NeuronModel, Parameter
from neurocode.models.bounds import Bounds

DT = 1e-3
KEY = jax.random.key(0)


def layer(n_in: int, n: int, **options) -> Layer:
    return Layer(Dense(n_in, n, key=KEY), nc.models.normalised_lif(), DT, **options)


def two_layers() -> Network:
    """3 x 4 + 4 and 4 x 4 weights and biases, 4 time constants; 4 x 6 + 6 of six voters for two
    classes."""
    hidden = layer(3, 4, recurrent=Recurrent(4, key=KEY), learned=("tau",))
    return Network([hidden, Voters(layer(4, 6), 2)])


def test_a_network_in_lines():
    assert repr(two_layers()).splitlines() == [
        "Network of 3 inputs and 2 outputs: 66 learned values, steps of 1 ms",
        "  layer 1: Dense, 3 to 4; model lif-normalised; recurrent; learns tau",
        "  readout: Voters, 4 to 2; model lif-normalised",
    ]
    noisy = Network(
        [Layer(Dense(3, 4, key=KEY), nc.models.noisy_lif(), DT), Readout(Dense(4, 2, key=KEY), DT)]
    )
    assert repr(noisy).splitlines()[0].endswith("26 learned values, steps of 1 ms, noisy")


def test_a_network_in_a_table():
    frame = two_layers().to_dataframe()
    expected = pd.DataFrame(
        {
            "kind": ["Dense", "Voters"],
            "model": ["lif-normalised"] * 2,
            "n_in": [3, 4],
            "n_out": [4, 2],
            "recurrent": [True, False],
            "shortcut": [False, False],
            "learned": [["tau"], []],
            "n_parameters": [36, 30],
        },
        index=pd.Index(["layer 1", "readout"], name="part"),
    )
    pd.testing.assert_frame_equal(frame, expected)
    # of the names, of the index, and of two parts
    assert two_layers()._repr_html_().count("<tr") == 4


def test_many_layers_are_ten_lines_and_all_in_the_summary():
    deep = Network([*(layer(2, 2) for _ in range(20)), Readout(Dense(2, 2, key=KEY), DT)])
    assert len(repr(deep).splitlines()) == 10 and repr(deep).endswith("... and 13 more")
    assert len(deep.summary().splitlines()) == 22


def result(epochs: int = 12) -> TrainingResult:
    number = np.arange(1, epochs + 1)
    history = pd.DataFrame(
        {
            "epoch": number,
            "loss": 1 / number,
            "score": 1 - 0.5 / number,
            "validation_loss": 1.5 / number,
            "validation_score": 1 - 0.75 / number,
            "seconds": 0.5,
            "rate_0": 0.02,
            "rate_1": 0.03,
        }
    )
    return TrainingResult(two_layers(), two_layers(), history, 3, 0.25, 0.875)


def test_a_training_in_lines():
    text_lines = repr(result()).splitlines()
    assert text_lines[0] == (
        "Training of 12 epochs, best by validation in epoch 3: share of right answers 0.875 and "
        "loss 0.25 on the test part"
    )
    assert (
        text_lines[1]
        == "  epoch 12: loss 0.08333, 0.125 in validation; score 0.9583, 0.9375 in validation"
    )
    assert len(text_lines) == 10 and text_lines[-1] == "  ... and 4 more"
    assert (
        len(result().summary().splitlines()) == 13
        and "  epoch 1: loss 1, 1.5 in validation" in result().summary()
    )


def test_a_training_in_a_table_and_a_figure():
    frame = result().to_dataframe()
    assert frame["best"].tolist() == [False, False, True] + [False] * 9 and frame.drop(
        columns="best"
    ).equals(result().history)
    html = result()._repr_html_()
    assert html.count("<tr") == 14 and "Network of 3 inputs and 2 outputs" in html
    loss, score, rates = replace(result(), score_name="mean squared error").plot().axes
    assert (loss.get_ylabel(), score.get_ylabel()) == ("Loss", "Mean squared error")
    np.testing.assert_allclose(loss.lines[1].get_ydata(), 1.5 / np.arange(1, 13))
    assert score.lines[2].get_xdata()[0] == 3 and len(rates.lines) == 2


def test_a_training_comes_back_from_its_file(tmp_path):
    path = result().save(tmp_path / "result.bin")
    assert TrainingResult.load(path) == result()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match=r"result\.bin: the result of a training is damaged"):
        TrainingResult.load(path)
    with pytest.raises(DataError, match=r"network\.bin: this is not a result of a training"):
        TrainingResult.load(two_layers().save(tmp_path / "network.bin"))
    with pytest.raises(ModelError, match="network with a disturbance cannot be written"):
        replace(
            result(), last=Network([Readout(Dense(2, 2, key=KEY), DT)], lambda spikes, key: spikes)
        ).save(tmp_path / "x.bin")


def test_the_best_and_the_last_network_keep_their_places(tmp_path):
    before = result()
    changed = replace(before, last=jax.tree.map(lambda array: array + 1, before.network))
    back = TrainingResult.load(changed.save(tmp_path / "result.bin"))
    assert back == changed and back.network == before.network and back.last == changed.last
    assert changed != before and changed != replace(before, network=changed.last)


# Coordinates of learned parameters
# ---------------------------------------------------------------------------------------------

MODEL = NeuronModel(
    name="kinds",
    equations="dv/dt = (-v + I)/tau : 1\nI : 1",
    margin="v - both - below - above - free - zero",
    reset="v = 0",
    parameters={
        "tau": Parameter.of("10 ms", fixed=True),
        "both": Parameter(1.0, bounds=(0.0, 4.0)),
        "below": Parameter(3.0, bounds=(1.0, np.inf)),
        "above": Parameter(-5.0, bounds=(-np.inf, -1.0)),
        "free": Parameter(-2.0),
        "zero": Parameter(0.0),
    },
)


def test_learned_parameters_start_at_the_model_and_move_as_by_hand():
    """A quarter of the way; no logarithm of a distance; minus one and zero sizes. Then each
    coordinate by a half."""
    intrinsic = Intrinsic(MODEL, ("both", "below", "above", "free", "zero"), 2)
    start = {"both": 0.25, "below": 0.0, "above": 0.0, "free": -1.0, "zero": 0.0}
    assert {name: float(value) for name, value in intrinsic.coordinates.items()} == start
    assert {name: float(intrinsic.values()[name]) for name in start} == {
        name: MODEL.values[name] for name in start
    }
    moved = jax.tree.map(lambda value: value + 0.5, intrinsic)
    e = np.exp(0.5)
    expected = {"both": 3.0, "below": 1 + 2 * e, "above": -1 - 4 * e, "free": -1.0, "zero": 0.5}
    assert {name: float(moved.values()[name]) for name in start} == pytest.approx(
        expected, rel=1e-6
    )
    far = jax.tree.map(lambda value: value + 2.0, intrinsic).projected()
    assert float(far.values()["both"]) == 4.0 and float(far.values()["below"]) == pytest.approx(
        1 + 2 * np.exp(2), rel=1e-6
    )


def test_a_start_on_a_single_bound_is_refused_and_one_on_one_of_two_is_not():
    def of(name, bounds):
        parameters = {**MODEL.parameters, name: replace(MODEL.parameters[name], bounds=bounds)}
        return Intrinsic(replace(MODEL, parameters=parameters), (name,), 1)

    with pytest.raises(ModelError, match="'below' starts on its bound"):
        of("below", (3.0, np.inf))
    assert float(of("below", (3.0, 4.0)).coordinates["below"]) == 0.0


def test_one_number_and_several_are_the_same_map():
    """Of a fit; that of a network differs between two bounds alone, where it is straight."""
    low, high = np.array([0.0, 1.0, -np.inf, -np.inf]), np.array([4.0, np.inf, -1.0, np.inf])
    scale, z = np.array([1.0, 3.0, 5.0, 2.0]), np.array([0.3, -0.2, 0.7, 1.1])
    together = Bounds(low, high, scale)
    single_bounds = [Bounds(*map(float, bounds)) for bounds in zip(low, high, scale, strict=True)]
    np.testing.assert_array_equal(
        together.value(z, np, jax.nn.sigmoid),
        [b.value(c, np, jax.nn.sigmoid) for b, c in zip(single_bounds, z, strict=True)],
    )
    np.testing.assert_allclose(
        together.coordinate(together.value(z, np, jax.nn.sigmoid)), z, rtol=1e-6
    )
    straight = Bounds(low, high, scale, place=True)
    np.testing.assert_allclose(
        straight.value(z, np), [1.2, 1 + 3 * np.exp(-0.2), -1 - 5 * np.exp(-0.7), 2.2], rtol=1e-12
    )
    np.testing.assert_allclose(straight.coordinate(straight.value(z, np)), z, rtol=1e-12)
    np.testing.assert_allclose(
        straight.slope(z), [4.0, 3 * np.exp(-0.2), 5 * np.exp(-0.7), 2.0], rtol=1e-12
    )
