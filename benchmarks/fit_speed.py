"""How fast a cell is fitted, how near the fit is to a ten times longer one, and what a
gradient-free peer reaches.

The peer does what brian2modelfitting does: Nevergrad proposes parameters, one Brian2 group of
clamped neurons scores them side by side. It is given the C++ standalone device (compiled once), our
unconstrained coordinates, the same start and the same likelihood. Usage:

    python benchmarks/fit_speed.py training.abf --model gif --model igif-ia --peer-minutes 15 --csv
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import brian2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import neurocode as nc
from benchmarks.timings import Timing, parser_of, print_csv
from neurocode.inference.clamped.grid import clamp
from neurocode.inference.clamped.lanes import Clamp
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.simulation.brian import neuron_group

POPULATION = 100


def our_fit(model: nc.models.NeuronModel, experiment: nc.Experiment) -> nc.FitResult:
    """Fit with default settings and say what a reader needs to judge the time."""
    result = nc.fit(model, experiment)
    print(
        f"{model.name}: {result.seconds:.1f} s for {len(model.free)} parameters, "
        f"{result.message}; gradient norm "
        f"{result.gradient_norm:.2e}; log-likelihood {result.log_likelihood:.3f} nats, "
        f"{result.n_spikes} spikes, time step {result.dt * 1e3:g} ms"
    )
    return result


def compare_with_longer_run(
    model: nc.models.NeuronModel, experiment: nc.Experiment, result: nc.FitResult, factor: int
) -> None:
    """Print what a run with ``factor`` times as many starts gains."""
    longer = nc.fit(model, experiment, starts=6 * factor, seed=1)
    gain = (longer.log_likelihood - result.log_likelihood) / result.n_spikes
    print(
        f"{model.name}: {6 * factor} starts, {longer.seconds:.1f} s, gain {gain:+.5f} nats per "
        f"spike"
    )


def chunking_error(
    model: nc.models.NeuronModel, experiment: nc.Experiment, result: nc.FitResult
) -> float:
    """Relative difference of the log-likelihood in chunks and in one piece."""
    data = [clamp(repeat, result.dt) for repeat in experiment.repeats]
    chunked = ClampedLikelihood(model, data, result.dt, prior_width=3.0)
    whole = ClampedLikelihood(model, data, result.dt, chunk_steps=len(data[0].spikes))
    z = chunked.coordinates.to_coordinates(result.model.values)
    return abs(chunked.log_likelihood(z) / whole.log_likelihood(z) - 1)


class ClampedGroup:
    """A compiled Brian2 group of neurons with clamped spikes that sum their log-likelihood."""

    def __init__(
        self,
        model: nc.models.NeuronModel,
        likelihood: ClampedLikelihood,
        data: Clamp,
        dt: float,
        directory: str,
    ) -> None:
        self.names, self.duration = model.free, len(data.current) * dt * brian2.second
        per_neuron = {name: np.full(POPULATION, model.values[name]) for name in model.free}
        self.base = base = neuron_group(
            model, POPULATION, dt, parameters=per_neuron, stimulus=data.current
        )
        step = dt * brian2.second
        flags = {
            "recorded": brian2.TimedArray(data.spikes.astype(float), dt=step),
            "counted": brian2.TimedArray(likelihood.passes.counted[0].astype(float), dt=step),
        }
        self.group = brian2.NeuronGroup(
            POPULATION,
            base.user_equations + brian2.Equations("log_likelihood : 1"),
            threshold="recorded(t) > 0.5",
            reset=model.reset,
            refractory=model.refractory,
            method=model.integrator,
            dt=step,
            namespace={**base.namespace, **flags},
        )
        for name, expression in model.initial.items():
            setattr(self.group, name, expression)
        probability = f"clip({model.noise.brian_text(model.margin)}, 1e-300, 1 - 1e-16)"
        gain = (
            f"counted(t)*(recorded(t)*log({probability}) + (1 - recorded(t))*log(1 - "
            f"{probability}))"
        )
        self.group.run_regularly(f"log_likelihood += {gain}", when="before_thresholds")
        self.network = brian2.Network(self.group)
        self.network.run(self.duration, namespace={})
        brian2.device.build(directory=directory, compile=True, run=False)

    def score(self, values: list[dict[str, float]]) -> np.ndarray:
        """Log-likelihood of every set of parameters (SI)."""
        arguments = {
            getattr(self.group, name): brian2.Quantity(
                np.array([v[name] for v in values]), dim=self.group.variables[name].dim
            )
            for name in self.names
        }
        brian2.device.run(run_args=arguments)
        return np.array(self.group.log_likelihood[:])


@contextmanager
def _standalone() -> Iterator[None]:
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        yield
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


def peer_fit(
    model: nc.models.NeuronModel, experiment: nc.Experiment, target: float, minutes: float
) -> tuple[float, float]:
    """Best log-likelihood of Nevergrad's differential evolution and the seconds it took, stopped
    once ``target`` is reached."""
    import nevergrad

    dt = experiment.dt
    data = clamp(experiment.repeats[0], dt)
    likelihood = ClampedLikelihood(model, [data], dt, prior_width=3.0)
    start = likelihood.coordinates.to_coordinates(model.values)
    with tempfile.TemporaryDirectory() as directory, _standalone():
        began = time.perf_counter()
        group = ClampedGroup(model, likelihood, data, dt, directory)
        parametrisation = nevergrad.p.Array(init=start).set_mutation(sigma=1.0)
        optimiser = nevergrad.optimizers.DifferentialEvolution(popsize=POPULATION)(
            parametrisation, budget=10**6
        )
        same = group.score([likelihood.values_at(start)] * POPULATION)[0]
        print(
            f"  likelihood at the start in both engines: {likelihood.log_likelihood(start):.6f} "
            f"and {same:.6f} nats"
        )
        best = -np.inf
        while time.perf_counter() - began < 60 * minutes and best < target:
            proposals = [optimiser.ask() for _ in range(POPULATION)]
            scores = group.score([likelihood.values_at(p.value) for p in proposals])
            for proposal, score in zip(proposals, scores, strict=True):
                optimiser.tell(proposal, -score if np.isfinite(score) else 1e12)
            best = max(best, float(np.nanmax(scores)))
            print(
                f"  nevergrad: {time.perf_counter() - began:7.1f} s, best log-likelihood "
                f"{best:.1f} nats",
                flush=True,
            )
        return best, time.perf_counter() - began


def against_peer(
    model: nc.models.NeuronModel, experiment: nc.Experiment, result: nc.FitResult, minutes: float
) -> Timing:
    """Our fit beside the peer's; the ratio is a lower bound where the peer is stopped below our
    likelihood."""
    best, seconds = peer_fit(model, experiment, result.log_likelihood, minutes)
    deficit = (result.log_likelihood - best) / result.n_spikes
    note = (
        ""
        if deficit <= 0
        else f"stopped {deficit:.3f} nats per spike below ours: the ratio is a lower bound"
    )
    print(f"{model.name}: nevergrad {note or 'reached ours'} after {seconds:.0f} s")
    return Timing(model.name, "Nevergrad on Brian2", seconds, result.seconds, note)


def main() -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    parser.add_argument("training", type=Path, help="current-clamp recording")
    parser.add_argument(
        "--model", action="append", help="library model, repeatable (default: gif and igif-ia)"
    )
    parser.add_argument(
        "--longer",
        type=int,
        default=10,
        help="how many times more starts the longer run has; 0 leaves it out",
    )
    parser.add_argument("--peer-minutes", type=float, default=15.0, help="0 leaves the peer out")
    arguments = parser.parse_args()
    experiment = nc.Experiment.from_files(arguments.training)
    models = [nc.models.by_name(name) for name in arguments.model or ["gif", "igif-ia"]]
    results = [our_fit(model, experiment) for model in models]
    for model, result in zip(models, results, strict=True):
        print(
            f"{model.name}: chunking changes the log-likelihood by "
            f"{chunking_error(model, experiment, result):.1e} of itself"
        )
        if arguments.longer:
            compare_with_longer_run(model, experiment, result, arguments.longer)
    timings = [
        against_peer(model, experiment, result, arguments.peer_minutes)
        for model, result in zip(models, results, strict=True)
        if arguments.peer_minutes
    ]
    if arguments.csv:
        print_csv("fit_speed", timings)


if __name__ == "__main__":
    main()
