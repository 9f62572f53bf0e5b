"""Estimates, their coordinates and intervals, computed by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.stats import norm

import neurocode as nc
from neurocode.errors import DataError, FitError
from neurocode.inference import FitResult, FittedParameter, refit
from neurocode.inference.bootstrap import parametric_bootstrap
from neurocode.inference.coordinates import Coordinates
from neurocode.inference.estimates import fitted_model, fitted_parameters, information_rank
from neurocode.inference.profile import _crossings, profile_likelihood
from neurocode.inference.result import CrossValidation, plain
from neurocode.models import NeuronModel, Parameter
from neurocode.statistics.time_rescaling import TimeRescaling

#: One parameter of each kind: two bounds, one below, one above, none, none and zero, fixed.
MODEL = NeuronModel(
    name="kinds",
    equations="dv/dt = -v/tau : 1",
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
#: log(1/3); log((3 - 1)/3); -log((-1 + 5)/5); -2/2; 0
Z = np.array([np.log(1 / 3), np.log(2 / 3), -np.log(4 / 5), -1.0, 0.0])
#: (high - low) p (1 - p); distance to the bound; the same; size; unit
SLOPES = np.array([4 * 0.25 * 0.75, 2.0, 4.0, 2.0, 1.0])


def test_coordinates_of_every_kind_of_bound():
    coordinates = Coordinates.of(MODEL)
    assert coordinates.names == ("both", "below", "above", "free", "zero")
    np.testing.assert_allclose(coordinates.to_coordinates(MODEL.values), Z, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(coordinates.slope(Z), SLOPES, rtol=1e-12)
    values = {name: MODEL.values[name] for name in coordinates.names}
    assert coordinates.numbers(Z) == pytest.approx(values, rel=1e-12)
    with jax.enable_x64(True):
        traced = coordinates.to_values(jax.numpy.asarray(Z))
        slopes = jax.jacfwd(coordinates.to_values)(jax.numpy.asarray(Z))
    for index, name in enumerate(coordinates.names):
        assert float(traced[name]) == pytest.approx(values[name], rel=1e-12)
        np.testing.assert_allclose(slopes[name], SLOPES * (np.arange(5) == index), rtol=1e-12)


def test_values_on_a_bound_are_moved_inside_by_a_ten_thousandth():
    coordinates = Coordinates.of(MODEL)
    z = coordinates.to_coordinates(
        {"both": 4.0, "below": 1.0, "above": -1.0, "free": 0.0, "zero": 2.0}
    )
    expected = [np.log(0.9999 / 1e-4), np.log(1e-4), -np.log(1e-4), 0.0, 2.0]
    np.testing.assert_allclose(z, expected, rtol=1e-9)
    far = coordinates.to_coordinates(
        {"both": -9.0, "below": -9.0, "above": 9.0, "free": 6.0, "zero": 0.0}
    )
    np.testing.assert_allclose(
        far, [np.log(1e-4 / 0.9999), np.log(1e-4), -np.log(1e-4), 3.0, 0.0], rtol=1e-9
    )


def test_scales_are_in_si():
    model = nc.models.gif((20.0,))
    coordinates = Coordinates.of(model)
    assert coordinates.scale[coordinates.names.index("a_eta_1")] == pytest.approx(20e-12)
    zero = Coordinates.of(model.with_parameters(a_eta_1=0.0))
    assert zero.scale[zero.names.index("a_eta_1")] == pytest.approx(1e-12)


def estimates(deviations, prior_width=3.0, correlation=0.0):
    """Fitted parameters of MODEL for given standard deviations of its coordinates; the first two
    may be correlated."""
    covariance = np.diag(np.square(deviations).astype(float))
    covariance[0, 1] = covariance[1, 0] = correlation * deviations[0] * deviations[1]
    coordinates = Coordinates.of(MODEL)
    return fitted_parameters(
        MODEL, Z, np.linalg.inv(covariance), SLOPES, coordinates.numbers, prior_width
    )


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_intervals_respect_the_bounds_and_errors_follow_the_slopes(correlation):
    deviations = np.array([0.5, 0.2, 0.1, 0.3, 0.4])
    fitted = estimates(deviations, correlation=correlation)
    factor = norm.ppf(0.975)
    for index, (name, upper) in enumerate(
        [("both", 1), ("below", 1), ("above", 1), ("free", 1), ("zero", 1)]
    ):
        assert fitted[name].standard_error == pytest.approx(
            SLOPES[index] * deviations[index], rel=1e-9
        )
        assert fitted[name].prior_ratio == pytest.approx(deviations[index] / 3, rel=1e-9)
        assert not fitted[name].fixed and upper
    z = np.log(1 / 3) + factor * 0.5 * np.array([-1, 1])
    assert fitted["both"].interval_95 == pytest.approx(tuple(4 / (1 + np.exp(-z))), rel=1e-6)
    assert fitted["below"].interval_95 == pytest.approx(
        (1 + 2 * np.exp(-0.2 * factor), 1 + 2 * np.exp(0.2 * factor)), rel=1e-6
    )
    assert fitted["above"].interval_95 == pytest.approx(
        (-1 - 4 * np.exp(0.1 * factor), -1 - 4 * np.exp(-0.1 * factor)), rel=1e-6
    )
    assert fitted["free"].interval_95 == pytest.approx(
        (-2 - 0.6 * factor, -2 + 0.6 * factor), rel=1e-6
    )
    assert fitted["tau"] == FittedParameter(10.0, "ms")
    assert (
        fitted["tau"].fixed
        and fitted["tau"].interval_95 is None
        and not fitted["tau"].narrower_than_prior
    )


def test_identified_means_known_to_half_of_the_value_and_of_the_prior():
    """A value of -2 is identified with an error of 0.98 but not with 1.02; the error must also be
    below half the width of the prior; a value of zero is never identified."""
    for deviation, prior_width, identified, narrower in (
        (0.49, 3.0, True, True),
        (0.51, 3.0, False, True),
        (0.49, 0.97, False, False),
        (0.49, 0.99, True, True),
        (1.49, 3.0, False, True),
        (1.51, 3.0, False, False),
        (0.49, np.inf, True, True),
    ):
        fitted = estimates(np.array([0.1, 0.1, 0.1, deviation, 0.01]), prior_width)
        assert (fitted["free"].identified, fitted["free"].narrower_than_prior) == (
            identified,
            narrower,
        ), (deviation, prior_width)
        assert not fitted["zero"].identified


def test_a_direction_without_information_has_no_finite_error():
    information = np.diag([4.0, 4.0, 4.0, 4.0, 0.0])
    fitted = fitted_parameters(MODEL, Z, information, SLOPES, Coordinates.of(MODEL).numbers, 3.0)
    assert fitted["free"].standard_error == pytest.approx(1.0) and np.isinf(
        fitted["zero"].standard_error
    )
    assert not fitted["zero"].identified and not fitted["zero"].narrower_than_prior
    upwards = fitted_parameters(
        MODEL, Z, np.diag([4.0, 4.0, 4.0, -4.0, 4.0]), SLOPES, Coordinates.of(MODEL).numbers, np.inf
    )
    assert np.isinf(upwards["free"].standard_error) and not upwards["free"].identified


def test_values_return_to_the_units_of_the_model():
    fitted = fitted_model(nc.models.gif((20.0,)), {"V_T": -0.051, "a_eta_1": 7e-12})
    assert fitted.parameters["V_T"].value == pytest.approx(-51.0) and fitted.parameters[
        "a_eta_1"
    ].value == pytest.approx(7.0)


def test_rank_counts_directions_above_a_millionth():
    assert (
        information_rank(np.diag([1e6, 1.0, 1e-3])) == 3
        and information_rank(np.diag([1.0, 0.0])) == 1
    )
    assert information_rank(np.array([[1.0, 1.0], [1.0, 1.0]])) == 1
    assert information_rank(np.array([[1.0, 1 - 2.1e-6], [1 - 2.1e-6, 1.0]])) == 2
    assert information_rank(np.array([[1.0, 1 - 0.9e-6], [1 - 0.9e-6, 1.0]])) == 1


RESULT = FitResult(
    model=nc.models.gif((20.0,)),
    parameters={"V_T": FittedParameter(-45.0, "mV", 1.0, (-47.0, -43.0), False, True, 0.1)},
    likelihood="clamped",
    log_likelihood=-10.0,
    bic=30.0,
    bits_per_spike=np.nan,
    training_rate=5.0,
    converged=True,
    message="converged: well",
    gradient_norm=np.inf,
    n_spikes=50,
    dt=1e-3,
    duration=10.0,
    seconds=1.5,
    seed=3,
    rank=4,
)


def test_a_result_as_a_table_has_units_and_no_number_that_json_does_not_know():
    table = RESULT.to_dictionary()
    assert table["parameters"]["V_T"] == {
        "value": -45.0,
        "unit": "mV",
        "standard_error": 1.0,
        "interval_95": [-47.0, -43.0],
        "fixed": False,
        "identified": True,
        "prior_ratio": 0.1,
    }
    assert table["bits_per_spike"] == {"training": None} and table["gradient_norm"] is None
    assert (
        table["training_rate"] == {"value": 5.0, "unit": "Hz"}
        and table["information_rank"] == 4
        and table["seed"] == 3
    )
    assert (
        "voltage_interval" not in table
        and "cross_validation" not in table
        and "voltage_residual" not in table
    )
    more = replace(
        RESULT,
        settings={"voltage": 0.2},
        goodness={"voltage_residual": 3e-3},
        cross_validation=CrossValidation(1.5, (1.0, 2.0)),
    ).to_dictionary()
    assert more["voltage_interval"] == {"value": 0.2, "unit": "s"} and more["voltage_residual"] == {
        "value": 3.0,
        "unit": "mV",
    }
    assert more["cross_validation"] == {"bits_per_spike": 1.5, "folds": [1.0, 2.0]}
    assert RESULT.standard_errors == {"V_T": 1.0}


def test_plain_values():
    values = {
        1: (np.int64(2), np.float32(0.5), np.bool_(True)),
        "x": [np.nan, -np.inf, "text", None, True],
    }
    assert plain(values) == {"1": [2, 0.5, True], "x": [None, None, "text", None, True]}
    assert [type(value) for value in plain(values)["1"]] == [int, float, bool]


def test_crossings_lie_between_the_points_around_them():
    """Heights -|x| at -2 to 2: the level -1.5 is crossed at -1.5 and 1.5; sides that stay above it
    have no end."""
    values = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert _crossings(values, -np.abs(values), -1.5) == pytest.approx((-1.5, 1.5))
    below, above = _crossings(values, np.array([-1.0, -0.5, 0.0, -1.0, -2.0]), -1.5)
    assert np.isnan(below) and above == pytest.approx(1.5)
    below, above = _crossings(values, np.array([-2.0, -1.0, 0.0, -1.0, -1.0]), -1.5)
    assert below == pytest.approx(-1.5) and np.isnan(above)


def quadratic_ascents(monkeypatch, curvature, free):
    """Return ascents and likelihoods with a known maximum, -1/2 (x - peak)' H (x - peak) of the
    parameter values, solved for the free parameters."""

    class Likelihood:
        name = "clamped"

        def __init__(self, model):
            self.model, self.coordinates = model, Coordinates.of(model)

        @classmethod
        def of(cls, model, data):
            return cls(model)

        def with_model(self, model):
            return Likelihood(model)

    class Climb:
        def __init__(self, likelihood, z):
            distance = np.array(
                [
                    float(likelihood.model.parameters[name].value) - peak
                    for name, peak in free.items()
                ]
            )
            names = list(free)
            held = [names.index(name) for name in names if likelihood.model.parameters[name].fixed]
            left = [index for index in range(len(names)) if index not in held]
            distance[left] = -np.linalg.solve(
                curvature[np.ix_(left, left)], curvature[np.ix_(left, held)] @ distance[held]
            )
            self.point = type(
                "Point", (), {"log_likelihood": -0.5 * distance @ curvature @ distance, "z": z}
            )

        def climb(self, passes, enough):
            assert passes == 80 and enough == 1e-3

    monkeypatch.setattr(refit, "Ascent", lambda likelihood, z, progress: Climb(likelihood, z))
    return Likelihood


def test_a_profile_of_a_quadratic_ends_1_96_errors_from_its_peak(monkeypatch):
    """Curvature [[4, 1], [1, 2]]: the profile of the first has curvature 4 - 1/2, so its error is
    1/sqrt(3.5)."""
    curvature = np.array([[4.0, 1.0], [1.0, 2.0]])
    model = (
        nc.models.gif((20.0,))
        .with_fixed("g_L", "V_r", "a_eta_1", "a_gamma_1")
        .with_parameters(V_T=-45.0, Delta_V=3.0)
    )
    likelihood = quadratic_ascents(monkeypatch, curvature, {"V_T": -45.0, "Delta_V": 3.0})
    error = 1 / np.sqrt(3.5)
    fitted = {
        "V_T": FittedParameter(-45.0, "mV", error, None, False, True, 0.1),
        "C": FittedParameter(100.0, "pF"),
    }
    result = replace(RESULT, model=model, parameters=fitted)
    profile = profile_likelihood(result, None, "V_T", n_points=13, likelihood=likelihood)
    np.testing.assert_allclose(profile.values, -45.0 + np.linspace(-3, 3, 13) * error, rtol=1e-12)
    np.testing.assert_allclose(
        profile.log_likelihood, -0.5 * 3.5 * (profile.values + 45.0) ** 2, rtol=1e-9, atol=1e-12
    )
    assert profile.interval_95 == pytest.approx(
        (-45 - 1.96 * error, -45 + 1.96 * error), abs=0.02 * error
    )
    assert profile.name == "V_T" and profile.unit == "mV"
    short = profile_likelihood(result, None, "V_T", n_points=3, reach=1.0, likelihood=likelihood)
    assert np.isnan(short.interval_95).all() and short.values[0] == pytest.approx(-45 - error)
    bounded = replace(result, parameters={"V_T": replace(fitted["V_T"], standard_error=20.0)})
    values = profile_likelihood(bounded, None, "V_T", likelihood=likelihood).values
    assert np.all((values > -90) & (values < 20))
    for name in ("C", "nothing"):
        with pytest.raises(
            FitError,
            match=f"'{name}' was not estimated together with other parameters; estimated were "
            f"V_T, Delta_V",
        ):
            profile_likelihood(result, None, name)
    with pytest.raises(FitError, match="not estimated together"):
        profile_likelihood(replace(result, model=model.with_fixed("Delta_V")), None, "V_T")


def test_a_bootstrap_has_a_row_a_sample_in_the_units_of_the_model(monkeypatch):
    current = nc.simulation.stimuli.steps([300.0], 0.2, 1e-3)
    experiment = nc.Experiment(
        nc.simulate(RESULT.model, current, seed=1, engine="jax").segments[0].spiketrains[0], current
    )
    quadratic_ascents(monkeypatch, np.eye(1), {"V_T": -45.0})
    frame = parametric_bootstrap(
        replace(RESULT, model=RESULT.model.with_fixed("C")), experiment, n_samples=3, seed=4
    )
    assert frame.shape == (3, len(RESULT.model.free)) and list(frame.columns) == list(
        RESULT.model.free
    )
    np.testing.assert_allclose(frame["V_T"], -45.0, rtol=1e-9)
    np.testing.assert_allclose(frame["a_eta_1"], 20.0, rtol=1e-9)


def test_a_saved_result_comes_back_as_it_was(tmp_path):
    """Every field is read back, including arrays and numbers that are not finite; the JSON is
    readable."""
    rescaling = TimeRescaling(0.1, 0.2, True, np.array([0.25, 0.5]))
    flat = FittedParameter(1.0, "nS", np.inf, (-np.inf, np.inf), False, False, np.inf)
    full = replace(
        RESULT,
        parameters={**RESULT.parameters, "g_L": flat},
        settings={"dt": 1e-3, "voltage": None},
        verdicts=("one", "two"),
        goodness={"rescaling": rescaling, "dependence": np.float64(0.1), "dependence_p": np.nan},
        cross_validation=CrossValidation(np.nan, (1.0, np.nan)),
    )
    for result, path in ((full, tmp_path / "folder"), (RESULT, tmp_path / "one.json")):
        loaded = nc.FitResult.load(result.save(path))
        assert loaded == result and loaded.model == result.model and repr(loaded) == repr(result)
    loaded = nc.FitResult.load(tmp_path / "folder")
    assert loaded.goodness["rescaling"].quantiles.tolist() == [0.25, 0.5] and np.isnan(
        loaded.cross_validation.bits_per_spike
    )
    assert loaded.parameters["g_L"].standard_error == np.inf and isinstance(
        loaded.cross_validation.folds, tuple
    )
    for changed in (
        replace(full, seed=4),
        replace(full, goodness={}),
        replace(full, model=nc.models.gif((21.0,))),
    ):
        assert changed != full
    table = json.loads((tmp_path / "folder" / "result.json").read_text())
    assert table["parameters"]["V_T"]["value"] == -45.0 and table["gradient_norm"] is None
    assert nc.models.load(tmp_path / "folder" / "model.toml") == RESULT.model


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not a JSON file"),
        ("[1]", "holds no saved FitResult"),
        ('{"saved": {"Path": {}}}', "holds no saved FitResult"),
        ('{"saved": {"FitResult": {"model": {"Popen": {}}}}}', "'Popen', which is none of"),
        ('{"saved": {"FitResult": {}}}', "damaged"),
    ],
)
def test_what_is_no_saved_result_is_said(tmp_path, text, says):
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        nc.FitResult.load(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        nc.FitResult.load(tmp_path / "nowhere.json")


def test_a_result_shows_itself_in_ten_lines_and_as_a_table():
    frame = RESULT.to_dataframe()
    assert frame.loc[
        "V_T", ["unit", "estimate", "standard_error", "low_95", "high_95"]
    ].tolist() == [
        "mV",
        -45.0,
        1.0,
        -47.0,
        -43.0,
    ]
    assert frame.loc["V_T", "status"] == "narrower than the prior" and frame.loc["V_T", "meaning"]
    many = replace(
        RESULT, parameters={f"p{number}": RESULT.parameters["V_T"] for number in range(12)}
    )
    assert len(repr(many).splitlines()) == 10 and repr(many).endswith("... and 4 more")
    assert len(many.summary().splitlines()) == 13
    assert "V_T = -45 ± 1 mV, 95 % from -47 to -43, narrower than the prior" in RESULT.summary()
    page = replace(RESULT, verdicts=("a < b",))._repr_html_()
    assert "<table" in page and "a &lt; b" in page and "narrower than the prior" in page
    figure = RESULT.plot()
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
        "V_T (mV)"
    ] and "50 spikes" in figure.axes[0].get_title()


def test_a_free_parameter_without_an_interval_is_described():
    bare = FittedParameter(-45.0, "mV", fixed=False, prior_ratio=0.9)
    assert bare.described == "-45 mV, as wide as the prior"
