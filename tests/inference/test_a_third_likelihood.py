"""A likelihood from outside the package: a gamma renewal process, whose numbers are known in closed
form."""

from __future__ import annotations

import neo
import numpy as np
import pytest
from scipy.special import digamma, gammainc, gammaincc, gammaln, polygamma

import neurocode as nc
from neurocode.cli.fit_report import write_fit
from neurocode.inference import Likelihood, cross_validate, parametric_bootstrap, profile_likelihood
from neurocode.models import NeuronModel, Parameter

RATE, SHAPE, SECONDS = 20.0, 3.0, 150.0
MODEL = NeuronModel(
    "gamma",
    "dx/dt = rate : 1",
    "x - shape",
    "x = 0",
    {
        "rate": Parameter.of("10 Hz", bounds=(0.1, 200.0)),
        "shape": Parameter(1.5, bounds=(0.1, 30.0)),
    },
)


class GammaRenewal(Likelihood):
    """Independent intervals with a gamma distribution; the last interval of a repeat enters by its
    survival."""

    name = "gamma-renewal"
    trains = n_spikes = exposure = durations = None
    dt = 0.0

    def __init__(self, model, trains, stops, *, prior_width=np.inf, counted=None):
        super().__init__(model, prior_width)
        self.trains, self.durations = trains, stops
        ends = [np.append(train[1:], stop) for train, stop in zip(trains, stops, strict=True)]
        self.gaps = np.concatenate([end - train for end, train in zip(ends, trains, strict=True)])
        self.observed = np.concatenate([np.arange(len(end)) < len(end) - 1 for end in ends])
        self.ends, self.stop = np.concatenate(ends), np.repeat(stops, [len(end) for end in ends])
        self.counted = np.ones(len(self.ends), bool) if counted is None else counted
        self.n_spikes = int(np.sum(self.observed & self.counted))
        self.exposure = float(np.sum(self.gaps[self.counted]))

    @classmethod
    def of(cls, model, data, *, prior_width=np.inf):
        repeats = data.repeats
        return cls(
            model,
            [r.spike_times for r in repeats],
            [r.duration for r in repeats],
            prior_width=prior_width,
        )

    def with_model(self, model):
        return GammaRenewal(model, self.trains, self.durations, counted=self.counted)

    def with_spikes(self, trains):
        return GammaRenewal(self.model, trains, self.durations, prior_width=self.prior_width)

    def without(self, block):
        inside = block.holds_times(self.ends / self.stop, 1.0)
        parts = (self.counted & ~inside, self.counted & inside)
        return tuple(
            GammaRenewal(
                self.model, self.trains, self.durations, prior_width=self.prior_width, counted=c
            )
            for c in parts
        )

    def contributions(self, z):
        values = self.model.values | self.values_at(z)
        shape, beat = values["shape"], values["shape"] * values["rate"]
        density = (
            shape * np.log(beat)
            - gammaln(shape)
            + (shape - 1) * np.log(self.gaps)
            - beat * self.gaps
        )
        return np.where(self.observed, density, np.log(gammaincc(shape, beat * self.gaps)))[
            self.counted
        ]

    def log_likelihood(self, z):
        return float(np.sum(self.contributions(z)))

    def null_log_likelihood(self, rate):
        return self.n_spikes * np.log(rate) - rate * self.exposure

    def evaluate(self, z, carry=None, step=None, *, rough=False):
        axes = 1e-5 * np.eye(len(z))
        scores = np.stack(
            [(self.contributions(z + axis) - self.contributions(z - axis)) / 2e-5 for axis in axes],
            axis=1,
        )
        return self.with_prior(self.log_likelihood(z), np.sum(scores, axis=0), scores.T @ scores, z)

    def rescaled_intervals(self, z, seed=0):
        values = self.model.values | self.values_at(z)
        return gammainc(
            values["shape"],
            values["shape"] * values["rate"] * self.gaps[self.observed & self.counted],
        )

    def simulate(self, repeat, n, seed):
        random, values = np.random.default_rng(seed), self.model.values
        return [
            drawn(random, values["rate"], values["shape"], self.durations[repeat]) for _ in range(n)
        ]


def drawn(random, rate, shape, stop):
    times = np.cumsum(random.gamma(shape, 1 / (shape * rate), size=int(2 * rate * stop) + 50))
    return times[times < stop]


@pytest.fixture(scope="module")
def experiment():
    random = np.random.default_rng(5)
    trains = [
        neo.SpikeTrain(drawn(random, RATE, SHAPE, SECONDS), units="s", t_stop=SECONDS)
        for _ in range(4)
    ]
    return nc.Experiment(trains[:2], test=nc.Experiment(trains[2:], name="test"), name="gamma")


def test_everything_that_a_fit_has_comes_from_this_file(experiment, tmp_path):
    """Fisher information of an interval: shape/rate^2 and polygamma(1, shape) - 1/shape, without a
    term between them."""
    result = nc.fit(MODEL, experiment, likelihood=GammaRenewal)
    n = result.n_spikes
    expected = {
        "rate": (RATE, RATE / np.sqrt(SHAPE * n)),
        "shape": (SHAPE, 1 / np.sqrt(n * (polygamma(1, SHAPE) - 1 / SHAPE))),
    }
    samples = parametric_bootstrap(result, experiment, n_samples=40, likelihood=GammaRenewal)
    for name, (truth, error) in expected.items():
        assert samples[name].std() == pytest.approx(error, rel=0.4)
        fitted = result.parameters[name]
        assert (
            fitted.standard_error == pytest.approx(error, rel=0.06)
            and abs(fitted.value - truth) < 3.3 * error
        )
        profile = profile_likelihood(result, experiment, name, n_points=13, likelihood=GammaRenewal)
        assert profile.interval_95 == pytest.approx(
            fitted.value + fitted.standard_error * np.array([-1.96, 1.96]), abs=0.1 * error
        )
    log_mean = digamma(SHAPE) - np.log(SHAPE * RATE)
    nats = (
        SHAPE * np.log(SHAPE * RATE)
        - gammaln(SHAPE)
        + (SHAPE - 1) * log_mean
        - SHAPE
        - np.log(RATE)
        + 1
    )
    bits = nats / np.log(2)
    assert cross_validate(
        MODEL, result, experiment, likelihood=GammaRenewal
    ).bits_per_spike == pytest.approx(bits, abs=0.03)
    scores = nc.evaluate(result, experiment, n_predictions=20, likelihood=GammaRenewal)
    assert (
        scores.bits_per_spike == pytest.approx(bits, abs=0.03)
        and scores.ks.passed
        and scores.md_star == {}
    )
    assert scores.predicted_rate == pytest.approx(
        RATE, rel=0.03
    ) and scores.recorded_rate == pytest.approx(RATE, rel=0.03)
    write_fit(tmp_path, result, scores, experiment)
    written = {path.name for path in tmp_path.iterdir()}
    tables = {"result.json", "model.toml", "parameters.csv", "scores.csv", "report.html"}
    assert written == {*tables, "predicted_spikes.nwb", "predicted_spikes.csv"}
    assert (
        "Held-out scores" in (tmp_path / "report.html").read_text()
        and not {"fit.pdf", "fit.png"} & written
    )
