"""The starts of a fit: where they begin, how long they climb, and which of them continue."""

from __future__ import annotations

import sys

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import FitError
from neurocode.inference.clamped.lanes import Clamp
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.coordinates import Coordinates
from neurocode.inference.search import search
from neurocode.models import EscapeNoise, NeuronModel, Parameter

MODEL = nc.models.gif((20.0,))


class Fake:
    """An ascent that only counts passes: start number k ends at its own height."""

    made: list = []  # noqa: RUF012
    heights = (-5.0, -1.0, -3.0, -2.0, -4.0, -6.0)

    def __init__(self, objective, z, progress, rough):
        self.number, self.climbs, self.rough = len(Fake.made), [], rough
        self.point = type("Point", (), {"z": z, "log_likelihood": self.heights[self.number]})
        Fake.made.append(self)

    def climb(self, passes, enough):
        self.climbs.append((passes, enough))


@pytest.fixture
def fake(monkeypatch):

    module = sys.modules["neurocode.inference.search"]
    Fake.made = []
    monkeypatch.setattr(module, "Ascent", Fake)
    return Coordinates.of(MODEL).to_coordinates(MODEL.values)


def test_the_better_half_goes_on_round_by_round(fake):
    """Six starts climb 60 passes, three 120, two 240; the first begins at the model, the others a
    normal step away."""
    first = fake
    best = search(None, first, 6, seed=3)
    random = np.random.default_rng(3)
    np.testing.assert_array_equal(Fake.made[0].point.z, first)
    for ascent in Fake.made[1:]:
        np.testing.assert_allclose(ascent.point.z, first + random.standard_normal(len(first)))
    assert best.number == 1 and all(ascent.rough for ascent in Fake.made)
    rounds = {ascent.number: [passes for passes, _ in ascent.climbs] for ascent in Fake.made}
    assert rounds == {1: [60, 120, 240], 3: [60, 120, 240], 2: [60, 120], 0: [60], 4: [60], 5: [60]}
    assert {enough for ascent in Fake.made for _, enough in ascent.climbs} == {0.1}


@pytest.mark.parametrize(("starts", "last"), [(1, {0}), (2, {1}), (3, {1})])
def test_few_starts_are_halved_upwards(fake, starts, last):
    search(None, fake, starts, seed=0)
    assert len(Fake.made) == starts and {a.number for a in Fake.made if len(a.climbs) == 3} == last


def experiment(dt, seconds=2.0, step=0.05):

    train = neo.SpikeTrain(np.arange(0.6, seconds, step), units="s", t_stop=seconds)
    current = neo.AnalogSignal(
        np.zeros((round(seconds / dt), 1)), units="pA", sampling_period=dt * pq.s
    )
    return nc.Experiment(train, current)


@pytest.mark.parametrize(
    ("dt", "rough"), [(1e-4, 4e-4), (2e-4, 4e-4), (3e-4, None), (4e-4, None), (1e-3, None)]
)
def test_starts_see_a_grid_of_four_tenths_of_a_millisecond(dt, rough):
    likelihood = ClampedLikelihood.of(MODEL, experiment(dt), prior_width=2.0, dt=dt)
    assert likelihood.dt == pytest.approx(dt) and likelihood.rough().dt == pytest.approx(
        dt if rough is None else rough
    )
    assert likelihood.rough().prior_precision == 0.25 and (rough is None) == (
        likelihood.rough() is likelihood
    )


def test_starts_keep_the_fine_grid_where_spikes_are_too_close_for_a_rough_one():
    """Two spikes 0.3 ms apart: in one step of 0.4 ms, in two of 0.1 ms."""

    data = experiment(1e-4)
    times = np.sort(np.append(data.repeats[0].spike_times, 1.0003))
    close = nc.Experiment(neo.SpikeTrain(times, units="s", t_stop=2.0))
    assert ClampedLikelihood.of(
        MODEL.with_parameters(t_ref="0.1 ms"), close, dt=1e-4
    ).rough().dt == pytest.approx(1e-4)


def test_chunks_are_half_a_second_and_the_prior_is_handed_on():
    data = Clamp(np.zeros(2000), np.zeros(2000, bool), np.ones(2000, bool))
    likelihood = ClampedLikelihood(MODEL, [data], 1e-3, prior_width=2.0)
    assert likelihood.passes.n_lanes == 4 and likelihood.prior_precision == 0.25
    assert ClampedLikelihood(MODEL, [data], 1e-3).prior_precision == 0.0
    assert ClampedLikelihood(MODEL, [data], 1e-3, chunk_steps=2000).passes.n_lanes == 1


def test_models_with_two_inputs_are_refused():
    model = NeuronModel(
        "two",
        "dv/dt = (I + J - v)/tau : 1\nI : 1\nJ : 1",
        "v - 1",
        "v = 0",
        {"tau": Parameter.of("10 ms"), "s": Parameter(1.0)},
        noise=EscapeNoise("gaussian", scale="s"),
    )
    spikes = np.zeros(100, bool)
    spikes[::4] = True
    with pytest.raises(FitError, match="has 2 inputs, a fit takes one current"):
        ClampedLikelihood(
            model, [Clamp(np.zeros(100), spikes, np.ones(100, bool))], 1e-3
        ).maximise()
