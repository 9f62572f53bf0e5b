"""Every public function that takes spike trains takes them in any unit and form, and gives the same
number.

Which functions take trains is read off the names and annotations of their parameters, over every
module of the package: a function that is found here and is neither in ``EXAMPLES`` nor in
``NO_TRAINS`` fails, so that none can be added without its example.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq
from brian2 import second, volt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import neurocode as nc
from neurocode.errors import DataError
from neurocode.inference import (
    ClampedLikelihood,
    FittedParameter,
    cross_validate,
    parametric_bootstrap,
    profile_likelihood,
    score_test,
)
from neurocode.inference import fit as fit_function
from neurocode.inference.one_unit import one_unit
from neurocode.inference.passage import Intervals
from neurocode.plotting.simulation_figure import simulation_figure
from neurocode.plotting.spikes import raster
from neurocode.recordings import Experiment, Trains, population_of_trains
from neurocode.recordings.files import trains_of
from neurocode.recordings.repeat import repeat_of
from neurocode.recordings.trains import in_seconds, listed, repeats_of, spike_times, usable_trains
from neurocode.statistics import (
    coding,
    compare,
    correlograms,
    distance,
    spike_distances,
    variability,
)
from neurocode.statistics.describe import describe

#: Names of parameters that hold spike trains unless their annotation says otherwise.
NAMES = {
    "spiketrains",
    "spiketrain",
    "trains",
    "train",
    "times",
    "recorded",
    "predicted",
    "first",
    "second",
    "repeats",
    "model_trains",
    "recorded_trains",
    "spike_times",
    "experiment",
    "intervals",
}
#: Annotations under which a parameter of such a name may be a spike train, beside those that name
#: one.
ARRAYS = {
    "object",
    "np.ndarray",
    "list[np.ndarray]",
    "Sequence[np.ndarray]",
    "list",
    "Sequence",
    "Any",
    "",
}
#: Found by name, but no spike train of a user: with the reason.
NO_TRAINS = {
    "neurocode.recordings.nwb_timing:even_rate": "times of samples",
    "neurocode.inference.passage.density:interval_distribution": "times at which a density is "
    "wanted",
    "neurocode.inference.passage.density:log_density_function": "times at which a density is "
    "wanted",
    "neurocode.inference.passage.intervals:Intervals.__init__": "marks of the intervals that "
    "Intervals.of makes",
    "neurocode.inference.scores:Scores.__init__": "the result of evaluate, in seconds",
    "neurocode.inference.clamped.lanes:mismatch": "marks of chunks",
    "neurocode.inference.likelihood:Block.holds_times": "times of a likelihood, in seconds",
    "neurocode.inference.likelihood:Likelihood.with_spikes": "spike times that a likelihood "
    "simulated, in seconds",
    "neurocode.inference.clamped.likelihood:ClampedLikelihood.with_spikes": "spike times that a "
    "likelihood simulated, in seconds",
    "neurocode.inference.passage.likelihood:PassageLikelihood.with_spikes": "spike times that a "
    "likelihood simulated, in seconds",
    "neurocode.learning.rules.patterns:Patterns.__init__": "spikes of a simulated network, in "
    "steps",
    "neurocode.plotting.fit_figure:fit_figure": "spike times that evaluate made, in seconds",
    "neurocode.plotting.spike_times_figure:spike_times_figure": "intervals that a fit made, in "
    "seconds",
    "neurocode.plotting.spike_times_figure:interval_histogram": "intervals that a fit made, in "
    "seconds",
    "neurocode.plotting.spike_times_figure:serial_correlation": "correlations",
    "neurocode.plotting.spikes:rates": "histograms",
    "neurocode.plotting.spikes:spike_effect": "times since a spike",
    "neurocode.plotting.spikes:trace": "sample times of a signal",
    "neurocode.recordings.detection:after_dead_time": "crossings that detect_spikes found, in "
    "seconds",
    "neurocode.recordings.repeat:Repeat.__init__": "what Experiment makes of trains, in seconds",
    "neurocode.recordings.containers:stretch_of": "a train of pynapple, in seconds",
    "neurocode.recordings.files:block_of_trains": "spike times that a simulation made, in seconds",
    "neurocode.recordings.trains:Trains.__init__": "what Trains.of makes of trains, in seconds",
    "neurocode.recordings.trains:join": "Trains only",
    "neurocode.statistics.compare:Unit.__init__": "what compare makes of trains, in seconds",
    "neurocode.statistics.complexity:lz76_of_events": "positions in a sequence, whole numbers",
    "neurocode.statistics.complexity:occupied_bins": "times that describe and compare have read, "
    "in seconds from the start",
    "neurocode.recordings.binning:bin_numbers": "times that a caller has read, in seconds",
    "neurocode.recordings.binning:counts_between": "times that a caller has read, in seconds",
    "neurocode.recordings.binning:interval_numbers": "times that a caller has read, in seconds",
    "neurocode.recordings.binning:window_counts_at": "times that a caller has read, in seconds",
    "neurocode.statistics.distributions:complexity_by_bin": "Trains only",
    "neurocode.statistics.distributions:count_moments": "Trains only",
    "neurocode.statistics.distributions:interval_histogram": "Trains only",
    "neurocode.statistics.correlograms:autocorrelogram": "Trains only",
    "neurocode.statistics.correlograms:cross_correlogram": "Trains only",
    "neurocode.statistics.locked_surrogates:locked_complexity": "Trains only",
    "neurocode.statistics.stimuli:stimulus_table": "Trains only",
    "neurocode.statistics.time_resolution:time_resolution": "Trains only",
    "neurocode.statistics.unit_panels:best_width": "times from the start of each repeat, in "
    "seconds",
    "neurocode.statistics.unit_panels:bin_counts": "times from the start of a train, in seconds",
    "neurocode.statistics.unit_panels:rate_over_time": "Trains only",
    "neurocode.statistics.unit_panels:unit_panels": "Trains only",
    "neurocode.statistics.unit_statistics:complexity_bins": "Trains only",
    "neurocode.statistics.unit_statistics:binned_events": "Trains only",
    "neurocode.statistics.unit_statistics:UnitStatistic.__init__": "a function of Trains",
    "neurocode.statistics.unit_statistics:durations": "Trains only",
    "neurocode.statistics.unit_statistics:spike_counts": "Trains only",
    "neurocode.statistics.lempel_ziv:count_lz76": "positions in a sequence, whole numbers",
    "neurocode.statistics.lempel_ziv:count_lz76_binary": "positions in a sequence, whole numbers",
    "neurocode.statistics.lempel_ziv:hash_levels": "positions in a sequence, whole numbers",
    "neurocode.statistics.variability:fano_column": "Trains only",
    "neurocode.statistics.variability:interval_table": "Trains only",
}

#: Two trains in seconds; no time and no difference lies on the edge of a bin or window below.
FIRST = np.array([0.1013, 0.1637, 0.3049, 0.3371, 0.5083, 0.7817, 0.9])
SECOND = np.array([0.1027, 0.2531, 0.3109, 0.5273, 0.9])
DURATION = 0.9


def neo_train(times: np.ndarray, unit: str) -> neo.SpikeTrain:
    scale = {"s": 1, "ms": 1000, "us": 1_000_000, "min": 1 / 60}[unit]
    return neo.SpikeTrain(
        times * scale, units=unit, t_stop=(times[-1] if len(times) else 0.0) * scale
    )


FORMS: dict[str, Callable[[np.ndarray, int], object]] = {
    "list of seconds": lambda times, _: times.tolist(),
    "series of seconds": lambda times, _: pd.Series(times),
    "neo in s": lambda times, _: neo_train(times, "s"),
    "neo in ms": lambda times, _: neo_train(times, "ms"),
    "neo in us": lambda times, _: neo_train(times, "us"),
    "neo in min": lambda times, _: neo_train(times, "min"),
    "quantity in ms": lambda times, _: times * 1000 * pq.ms,
    "brian2 in seconds": lambda times, _: times * second,
    "mixed": lambda times, number: [times, neo_train(times, "ms")][number % 2],
}


@dataclass(frozen=True)
class Example:
    """A call with two trains, its parameters that are times (s) or rates (Hz), and whether it
    refuses trains it cannot use."""

    call: Callable[..., object]
    times: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    refuses: bool = True


class Caught(Exception):  # noqa: N818
    """Raised to stop a fit; carries the data that it was about to fit."""


def fitted_data(call: Callable[[], object], place: object, name: str, number: int) -> list:
    """Return the argument of an inner function of a fit, without running that function."""

    def catch(*args: object, **_: object) -> None:
        raise Caught(args[number])

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Caught) as caught:
        patch.setattr(place, name, catch)
        call()
    return caught.value.args[0]


def spikes_of_fit(a: object, b: object) -> list:
    likelihood = fitted_data(
        lambda: fit_function(nc.models.gif((50.0,)), [a, b]), ClampedLikelihood, "maximise", 0
    )
    return [sweep.spikes for sweep in likelihood.sweeps]


#: What a fit would have given, as far as it is read before anything is climbed again.
GIF = nc.models.gif((50.0,))
FITTED = SimpleNamespace(
    model=GIF,
    likelihood="clamped",
    settings={},
    parameters={"V_T": FittedParameter(-40.0, "mV", 1.0, fixed=False)},
)


def spikes_of_refit(
    name: str, call: Callable[[list], object], inner: str = "refit"
) -> Callable[[object, object], list]:
    """Return the spikes that a function passes to the first refit, or to another inner function."""

    def spikes(a: object, b: object) -> list:
        module = importlib.import_module(f"neurocode.inference.{name}")
        likelihood = fitted_data(lambda: call([a, b]), module, inner, 0)
        return [sweep.spikes for sweep in likelihood.sweeps]

    return spikes


def durations_of_bootstrap(a: object, b: object) -> list:
    """Of the sweeps that are simulated: all that a bootstrap takes from the data."""
    call = lambda: parametric_bootstrap(FITTED, [a, b], n_samples=1)  # noqa: E731
    return [fitted_data(call, ClampedLikelihood, "simulate", 0).duration]


def many(train: object) -> object:
    """Return enough intervals for a fit of spike times: the same train ten times, each as a
    repeat."""
    return [train] * 10


def intervals_of_fit(a: object, b: object) -> list:
    module = importlib.import_module("neurocode.inference.passage.likelihood")
    call = lambda: nc.fit_spike_times(nc.models.lif_diffusive(), [*many(a), *many(b)])  # noqa: E731
    return numbers(fitted_data(call, module, "starting_models", 1))


def drawn(a: object, b: object) -> list:
    return rows_of(raster(Figure().subplots(), [a, b]))


def rows_of(axes: Axes) -> list:
    return [np.sort([segment[0, 0] for segment in row.get_segments()]) for row in axes.collections]


EXAMPLES = {
    "neurocode.inference.bootstrap:parametric_bootstrap": Example(durations_of_bootstrap),
    "neurocode.inference.cross_validation:cross_validate": Example(
        spikes_of_refit("cross_validation", lambda trains: cross_validate(GIF, FITTED, trains))
    ),
    "neurocode.inference.profile:profile_likelihood": Example(
        spikes_of_refit("profile", lambda trains: profile_likelihood(FITTED, trains, "V_T"))
    ),
    "neurocode.inference.score_test:score_test": Example(
        spikes_of_refit(
            "score_test",
            lambda trains: score_test(FITTED, trains, ["drift-threshold"]),
            "_derivatives",
        )
    ),
    "neurocode.inference.passage.intervals:Intervals.of": Example(
        lambda a, b: Intervals.of([*many(a), *many(b)])
    ),
    "neurocode.inference.fit:fit": Example(spikes_of_fit),
    "neurocode.inference.one_unit:one_unit": Example(lambda a, b: one_unit([a, b]), refuses=False),
    "neurocode.plotting.simulation_figure:simulation_figure": Example(
        lambda a, b: rows_of(
            simulation_figure([("v (mV)", np.zeros(9))], [a, b], DURATION).axes[-1]
        )
    ),
    "neurocode.plotting.spikes:raster": Example(drawn),
    "neurocode.recordings.experiment:Experiment.__init__": Example(
        lambda a, b: list(Experiment([a, b]).repeats)
    ),
    "neurocode.recordings.files:trains_of": Example(lambda a, b: trains_of([a, b]), refuses=False),
    "neurocode.recordings.population_trains:population_of_trains": Example(
        # arrays end at their last spike, Neo trains later
        lambda a, b, **t: population_of_trains([a, b], **t).pieces[0][:, :200],
        times={"dt": 0.002},
    ),
    "neurocode.recordings.repeat:repeat_of": Example(
        lambda a, b: [repeat_of(a, None, None), repeat_of(b, None, None)]
    ),
    "neurocode.recordings.trains:Trains.of": Example(lambda a, b: Trains.of([a, b]), refuses=False),
    "neurocode.recordings.trains:in_seconds": Example(
        lambda a, b: [in_seconds(a), in_seconds(b)], refuses=False
    ),
    "neurocode.recordings.trains:listed": Example(
        lambda a, b: [in_seconds(train) for train in listed([a, b])], refuses=False
    ),
    "neurocode.recordings.trains:repeats_of": Example(lambda a, b: repeats_of([a, b])),
    "neurocode.recordings.trains:spike_times": Example(
        lambda a, b: [spike_times(a), spike_times(b)]
    ),
    "neurocode.recordings.trains:usable_trains": Example(lambda a, b: usable_trains([a, b])),
    "neurocode.statistics.coding:explained_variance": Example(
        lambda a, b, **t: coding.explained_variance([a, b], [b], **t),
        {"duration": DURATION, "sigma": 0.02},
    ),
    "neurocode.statistics.coding:psth": Example(
        lambda a, b, **t: coding.psth([a, b], **t),
        {"duration": DURATION, "bin_size": 0.01, "sigma": 0.02},
    ),
    "neurocode.statistics.coding:psth_band": Example(
        lambda a, b, **t: coding.psth_band([a, b], **t),
        {"duration": DURATION, "bin_size": 0.01, "sigma": 0.02},
    ),
    "neurocode.statistics.coding:psth_correlation": Example(
        lambda a, b, **t: coding.psth_correlation([a], [b], **t),
        {"duration": DURATION, "sigma": 0.02},
    ),
    "neurocode.statistics.coding:spike_triggered_average": Example(
        lambda a, b, **t: [
            coding.spike_triggered_average(train, np.arange(90.0) ** 2, **t) for train in (a, b)
        ],
        {"dt": 0.01, "before": 0.05, "after": 0.02},
    ),
    "neurocode.statistics.compare:compare": Example(
        lambda a, b: compare.compare([a, b], [b, a]).drop(columns=["unit", "note"])
    ),
    "neurocode.statistics.compare:curves": Example(lambda a, b: compare.curves([a, b])),
    "neurocode.statistics.describe:describe": Example(
        lambda a, b, **t: describe([a, b], n_surrogates=19, **t).drop(columns="reason"),
        {"bin_size": 0.01},
        refuses=False,
    ),
    "neurocode.statistics.distance:coincidence_factor": Example(
        distance.coincidence_factor, {"window": 0.011, "duration": DURATION}
    ),
    "neurocode.statistics.distance:count_coincidences": Example(
        distance.count_coincidences, {"window": 0.011}
    ),
    "neurocode.statistics.distance:md_star": Example(
        lambda a, b, **t: distance.md_star([a, b, a], [b, a], n_bootstrap=20, **t),
        {"window": 0.011},
    ),
    "neurocode.statistics.distance:md_star_ceiling": Example(
        lambda a, b, **t: distance.md_star_ceiling([a, b, a, b], n_splits=20, **t),
        {"window": 0.011},
    ),
    "neurocode.statistics.distance:pair_products": Example(
        lambda a, b, **t: distance.pair_products([a], [b, a], **t), {"window": 0.011}
    ),
    "neurocode.statistics.distance:reliability": Example(
        lambda a, b, **t: distance.reliability([a, b], **t), {"window": 0.011}
    ),
    "neurocode.statistics.spike_distances:mean_distance": Example(
        lambda a, b: [
            spike_distances.mean_distance([a, b], second, spike_distances.van_rossum_distance)
            for second in (None, [b, a])
        ]
    ),
    "neurocode.statistics.spike_distances:spike_distance": Example(
        spike_distances.spike_distance, {"t_start": 0.05, "t_stop": 0.95}
    ),
    "neurocode.statistics.spike_distances:van_rossum_distance": Example(
        spike_distances.van_rossum_distance, {"time_constant": 0.02}
    ),
    "neurocode.statistics.spike_distances:victor_purpura_distance": Example(
        spike_distances.victor_purpura_distance, rates={"cost": 30.0}
    ),
    "neurocode.statistics.variability:allan_factor": Example(
        lambda a, b, **t: [variability.allan_factor(train, **t) for train in (a, b)],
        {"t_start": 0.05, "t_stop": 0.95, "window": 0.11},
    ),
    "neurocode.statistics.variability:fano_factors": Example(
        lambda a, b: variability.fano_factors([[a, b], [b, b]])
    ),
    "neurocode.statistics.variability:fano_time_curve": Example(
        lambda a, b, **t: [
            variability.fano_time_curve(
                train, windows=[t["step"], 0.2], **{k: t[k] for k in ("t_start", "t_stop")}
            )
            for train in (a, b)
        ],
        {"t_start": 0.05, "t_stop": 0.95, "step": 0.11},
    ),
    "neurocode.statistics.variability:interval_statistics": Example(
        lambda a, b: variability.interval_statistics([a, b])
    ),
    "neurocode.statistics.variability:serial_correlations": Example(
        variability.serial_correlations, refuses=False
    ),
    "neurocode.statistics.correlograms:lag_counts": Example(
        lambda a, b, **t: correlograms.lag_counts([a], [b], **t),
        {"bin_size": 0.02, "max_lag": 0.51},
    ),
    "neurocode.statistics.variability:window_counts": Example(
        lambda a, b, **t: variability.window_counts([a, b], **t),
        {"t_start": 0.05, "t_stop": 0.95, "window": 0.11, "step": 0.05},
    ),
}


def public_functions() -> Iterator[tuple[str, Callable]]:
    """Functions, constructors and methods of every module but the command line, by module and
    name."""
    for info in pkgutil.walk_packages(nc.__path__, "neurocode."):
        if info.name.startswith(("neurocode.cli", "neurocode.__main__")):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != info.name:
                continue
            if inspect.isclass(value):
                for method, member in vars(value).items():
                    member = getattr(member, "__func__", member)
                    if inspect.isfunction(member) and (
                        not method.startswith("_") or method in ("__init__", "__call__")
                    ):
                        yield f"{info.name}:{name}.{method}", member
            elif callable(value):
                yield f"{info.name}:{name}", value


def takes_trains(function: Callable) -> bool:
    for parameter in inspect.signature(function).parameters.values():
        annotation = (
            "" if parameter.annotation is inspect.Parameter.empty else str(parameter.annotation)
        )
        if (
            "SpikeTrain" in annotation
            or "Trains" in annotation
            or (parameter.name in NAMES and annotation in ARRAYS)
        ):
            return True
    return False


def numbers(value: object) -> list:
    """Numbers of a result, in order."""
    if dataclasses.is_dataclass(value):
        return numbers([getattr(value, entry.name) for entry in dataclasses.fields(value)])
    if isinstance(value, pd.DataFrame):
        return numbers(value.to_numpy())
    if isinstance(value, (list, tuple)):
        return [number for entry in value for number in numbers(entry)]
    if value is None or isinstance(value, str):
        return []
    return np.asarray(value, float).ravel().tolist()


def test_every_function_that_takes_trains_has_its_example():
    names = {name for name, function in public_functions() if takes_trains(function)}
    assert names == set(EXAMPLES) | set(NO_TRAINS), (
        "give a new function an example, or say in NO_TRAINS why it takes none"
    )


def test_a_function_without_an_example_would_be_found():
    def new(model: object, spiketrains: np.ndarray) -> float: ...

    def annotated(x: neo.SpikeTrain) -> float: ...

    def other(seed: int, first: str) -> float: ...

    assert takes_trains(new) and takes_trains(annotated) and not takes_trains(other)


@pytest.fixture(scope="module")
def in_plain_seconds() -> dict[str, list]:
    return {
        name: numbers(e.call(FIRST, SECOND, **e.times, **e.rates)) for name, e in EXAMPLES.items()
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_units_and_forms_of_trains_give_the_same_number(name, in_plain_seconds):
    example, expected = EXAMPLES[name], in_plain_seconds[name]
    assert np.isfinite(expected).any() and np.any(np.asarray(expected) != 0)
    for form, make in FORMS.items():
        results = numbers(
            example.call(make(FIRST, 0), make(SECOND, 1), **example.times, **example.rates)
        )
        np.testing.assert_allclose(results, expected, rtol=1e-9, atol=1e-12, err_msg=form)


@pytest.mark.parametrize("name", EXAMPLES)
def test_another_unit_than_of_time_is_refused(name):
    example = EXAMPLES[name]
    for train, unit in (
        (FIRST * pq.mV, "mV"),
        (FIRST * pq.dimensionless, "dimensionless"),
        (FIRST * volt, "m.*kg.*"),
    ):
        with pytest.raises(DataError, match=f"'{unit}', expected a unit of time"):
            example.call(train, SECOND, **example.times, **example.rates)


UNUSABLE = {
    "not finite": np.array([0.1, np.nan, 0.3, 0.4]),
    "infinite": np.array([0.1, 0.2, 0.3, np.inf]),
    "not sorted": np.array([0.1, 0.3, 0.2, 0.4]),
    "two dimensions": np.array([[0.1, 0.2], [0.3, 0.4]]),
    "a raster": np.array([False, True, False, True]),
    "complex": np.array([0.1, 0.2j]),
    "text": np.array(["0.1", "0.2"]),
}


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.refuses])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_trains_that_cannot_be_used_are_refused_in_a_sentence(name, kind):
    example, train = EXAMPLES[name], UNUSABLE[kind]
    for pair in ((train, SECOND), (SECOND, train)):
        with pytest.raises(DataError) as refusal:
            example.call(*pair, **example.times, **example.rates)
        assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_rows_of_different_lengths_are_no_train():
    with pytest.raises(DataError, match="one row of times"):
        spike_times([[0.1, 0.2], [0.3]])


@pytest.mark.parametrize(
    ("name", "time"), [(name, time) for name, example in EXAMPLES.items() for time in example.times]
)
def test_times_given_as_quantities_are_read_with_their_unit(name, time, in_plain_seconds):
    """200 ms are 0.2 s, not 200 s; other units, NaN, and widths that are not positive are
    refused."""
    example = EXAMPLES[name]
    call = lambda value: example.call(FIRST, SECOND, **(example.times | {time: value}))  # noqa: E731
    for value in (example.times[time] * 1000 * pq.ms, f"{example.times[time] * 1000} ms"):
        np.testing.assert_allclose(
            numbers(call(value)), in_plain_seconds[name], rtol=1e-9, atol=1e-12
        )
    refused = [
        True,
        5 * pq.mV,
        np.nan,
        np.inf,
        "soon",
        None if time not in ("step", "bin_size") else "none",
    ]
    signed = time in ("t_start", "t_stop", "before", "after")
    for value in refused if signed else [*refused, 0.0, -example.times[time]]:
        with pytest.raises(DataError, match=r" is .*expected"):
            call(value)


def test_the_cost_of_a_shift_is_read_with_its_unit(in_plain_seconds):
    call = lambda cost: spike_distances.victor_purpura_distance(FIRST, SECOND, cost)  # noqa: E731
    expected = in_plain_seconds["neurocode.statistics.spike_distances:victor_purpura_distance"]
    for cost in (30 * pq.Hz, 0.03 * pq.kHz, "30 Hz"):
        assert call(cost) == pytest.approx(expected[0])
    assert call(0.0) == 2.0
    for cost, says in (
        (-1.0, "is -1 per second"),
        (np.nan, "finite"),
        (5 * pq.ms, "expected a number in hertz"),
    ):
        with pytest.raises(DataError, match=says):
            call(cost)


def test_rasters_become_trains_of_their_steps():
    """Spikes in the middle of steps of 2 ms, read with its unit; counts and other shapes are
    refused."""
    for dt in (2e-3, 2 * pq.ms):
        trains = Trains.of_rasters([[[0, 1, 0], [1, 0, 1]], [[0, 0, 0], [0, 0, 1]]], dt)
        np.testing.assert_allclose(trains.times, [0.003, 0.001, 0.005, 0.005])
        assert trains.counts.tolist() == [1, 2, 0, 1] and trains.unit.tolist() == [0, 0, 1, 1]
        np.testing.assert_allclose(trains.t_stop, 0.006)
    for rasters, dt, says in (
        ([[[0, 2]]], 1e-3, "zero or one"),
        ([[0, 1]], 1e-3, r"\(units, repeats, steps\), not \(1, 2\)"),
        ([[[0, 1]]], 0.0, "time step is 0.0 s"),
        ([[[0, 1]]], np.nan, "time step is nan"),
    ):
        with pytest.raises(DataError, match=says):
            Trains.of_rasters(rasters, dt)


def test_windows_of_trains_are_read_with_their_unit():
    trains = Trains.of([FIRST, SECOND])
    assert (
        trains.window(0.2, 0.6).times.tolist()
        == trains.window(200 * pq.ms, 600 * pq.ms).times.tolist()
    )
    assert trains.window(0.2, 0.6).times.tolist() == [
        0.3049,
        0.3371,
        0.5083,
        0.2531,
        0.3109,
        0.5273,
    ]
    with pytest.raises(DataError, match="The stop is"):
        trains.window(t_stop=5 * pq.mV)


def test_edges_between_units_and_numbers():
    """Milliseconds become the seconds nearest to them, minutes are multiplied; starts and stops
    come along."""
    times, start, stop = in_seconds(
        neo.SpikeTrain([1.1, 2.3] * pq.ms, t_start=1 * pq.ms, t_stop=2.7 * pq.ms)
    )
    assert (times.tolist(), start, stop) == ([0.0011, 0.0023], 0.001, 0.0027)
    times, start, stop = in_seconds([0.5, 1.5] * pq.min)
    assert (times.tolist(), start, stop) == ([30.0, 90.0], 0.0, 90.0)
    assert in_seconds([-0.5, 1.5])[1:] == (-0.5, 1.5) and in_seconds([])[1:] == (0.0, 0.0)
    assert in_seconds([0.2, np.nan, 0.7, np.inf])[1:] == (0.0, 0.7)
    assert in_seconds(np.arange(3))[0].dtype == float
    assert (
        len(listed(neo.SpikeTrain([] * pq.s, t_stop=1 * pq.s))) == 1
        and listed(np.empty(0)) == []
        and listed([]) == []
    )


def test_faults_of_trains_are_told():
    arrays = [
        (np.array([0.5]), 0.0, 0.5),
        (np.array([0.5]), 0.5 + 1e-8, 1.0),
        (np.array([0.5]), 0.0, 0.5 - 1e-8),
        (np.empty(0), 0, 1),
    ]
    trains = Trains.of_arrays([[train] for train in arrays], "abcd")
    assert [trains.fault(k) for k in range(4)] == [
        "",
        "times lie outside [0.5, 1] s",
        "times lie outside [0, 0.5] s",
        "",
    ]
    with pytest.raises(
        DataError,
        match=r"Unit 'b': times lie outside \[0.5, 1\] s; spike times must be finite "
        r"and increasing",
    ):
        usable_trains(trains)
    assert spike_times([0.1, 0.1]).tolist() == [0.1, 0.1] and spike_times([-1.0, 1.0]).tolist() == [
        -1,
        1,
    ]
    with pytest.raises(DataError, match="hold 4 units, expected repeats of one"):
        repeats_of(trains)
    assert [t.tolist() for t in repeats_of(trains.select(0))] == [[0.5]]
    assert [t.tolist() for t in repeats_of(neo.SpikeTrain([500] * pq.ms, t_stop=1 * pq.s))] == [
        [0.5]
    ]


@pytest.mark.parametrize("holder", [5, None, "spikes.csv", b"0.1"])
@pytest.mark.parametrize("call", [Trains.of, repeats_of, Experiment, lambda x: coding.psth(x, 1.0)])
def test_what_holds_no_trains_is_refused_by_its_name(call, holder):
    with pytest.raises(
        DataError, match=f"given as {type(holder).__name__}, expected Neo trains, arrays of seconds"
    ):
        call(holder)
