"""Training steps of the robustness study on random manifolds, beside snnTorch, Norse, SpikingJelly
and plain PyTorch, in one run.

The cell is the current-based LIF neuron of Zenke & Vogels 2021, 20 inputs, 100 neurons, 10 readouts
with a synapse, 100 steps, 250 sequences, float32, Adam. Plain PyTorch has the same cell and must
give our loss and gradients to 1e-4 before anything is timed; every other peer runs its own fastest
neuron with a synaptic current (snnTorch ``Synaptic``, Norse ``LIF``), or its multi-step node on
currents filtered in one product (SpikingJelly). Rounds are interleaved, a busy machine is refused.
Usage:

    pip install "neurocode[bench]"
    python benchmarks/manifold_step.py --csv

"""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

# Sets devices and threads, so that it comes before PyTorch.
from benchmarks.training_step import (
    SLOPE,
    SuperSpike,
    kernel_product,
    loss_of,
    step_of,
    timed,
    torch_step,
)

# isort: split
import torch
from torch import nn

import neurocode as nc
from benchmarks.quiet import refuse_busy_machine
from benchmarks.timings import Timing, parser_of, present, print_csv
from neurocode.learning import Dense, Layer, Network, Readout, Regulariser, Surrogate, tasks
from neurocode.learning.objective import Batch, gradient
from neurocode.learning.trainable import trainable
from neurocode.tasks import LOSSES

INPUTS, NEURONS, CLASSES, BATCH, STEPS, GAIN, BLOCKS = 20, 100, 10, 250, 100, 20.0, 5
MEM, SYN, OUT = (float(np.exp(-1 / tau)) for tau in (10.0, 5.0, 20.0))


def data() -> tuple[np.ndarray, np.ndarray]:
    """One batch (time, batch, inputs), and its labels."""
    part = tasks.random_manifolds(CLASSES, 40).training
    return np.ascontiguousarray(np.moveaxis(part.inputs[:BATCH], 0, 1)), part.targets[
        :BATCH
    ].astype(np.int64)


def network() -> Network:
    """Our network, from the firing start of the study, so that spikes and gradients are there from
    the first step."""
    a, b = jax.random.split(jax.random.key(0))
    dense = Dense(INPUTS, NEURONS, bias=False, key=a)
    layer = Layer(
        dense, nc.models.by_name("lif-current"), 1e-3, surrogate=Surrogate("superspike", SLOPE)
    )
    net = Network(
        [layer, Readout(Dense(NEURONS, CLASSES, bias=False, key=b), 1e-3, 20e-3, synapse=5e-3)]
    )
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: GAIN * leaf if "layers" in str(path[0]) else leaf, net
    )


class Peer(nn.Module):
    """Weights of our start, and a readout with a synapse as one product over time: what every peer
    shares."""

    def __init__(self) -> None:
        super().__init__()
        net = network()
        self.into, self.out = (
            nn.Parameter(torch.tensor(np.asarray(p.weight)))
            for p in (net.layers[0].connection, net.readout.connection)
        )

    def spikes(self, drive: torch.Tensor) -> torch.Tensor:
        """Spikes (time, batch, neurons) for weighted inputs."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Potentials of the readout."""
        weighted = self.spikes(x @ self.into) @ self.out
        return kernel_product(kernel_product(weighted, SYN, 1.0, 0), OUT, 1 - OUT, 1)


class PlainTorch(Peer):
    """The cell of the paper, step by step; its currents in one product."""

    def spikes(self, drive: torch.Tensor) -> torch.Tensor:
        currents = kernel_product(drive, SYN, 1.0, 1)
        u, z, found = torch.zeros_like(drive[0]), torch.zeros_like(drive[0]), []
        for current in currents.unbind(0):
            u = (MEM * u + (1 - MEM) * current) * (1 - z.detach())
            z = SuperSpike.apply(u - 1.0)
            found.append(z)
        return torch.stack(found)


class SnnTorch(Peer):
    """snnTorch ``Synaptic``, step by step."""

    def __init__(self) -> None:
        super().__init__()
        import snntorch

        gradient = snntorch.surrogate.fast_sigmoid(slope=SLOPE)
        self.neurons = snntorch.Synaptic(
            alpha=SYN, beta=MEM, spike_grad=gradient, reset_mechanism="zero"
        )

    def spikes(self, drive: torch.Tensor) -> torch.Tensor:
        synapse = potential = torch.zeros_like(drive[0])
        found = []
        for current in ((1 - MEM) * drive).unbind(0):
            spike, synapse, potential = self.neurons(current, synapse, potential)
            found.append(spike)
        return torch.stack(found)


class Norse(Peer):
    """Norse ``LIF``, all steps."""

    def __init__(self) -> None:
        super().__init__()
        import norse.torch as norse

        parameters = norse.LIFParameters(
            tau_mem_inv=torch.tensor(100.0), tau_syn_inv=torch.tensor(200.0)
        )
        self.neurons = norse.LIF(parameters)

    def spikes(self, drive: torch.Tensor) -> torch.Tensor:
        return self.neurons(drive)[0]


class SpikingJelly(Peer):
    """SpikingJelly: the multi-step node on filtered currents."""

    def __init__(self) -> None:
        super().__init__()
        from spikingjelly.activation_based import functional, neuron, surrogate

        self.functional = functional
        self.neurons = neuron.LIFNode(
            tau=10.0, detach_reset=True, surrogate_function=surrogate.ATan(), step_mode="m"
        )

    def spikes(self, drive: torch.Tensor) -> torch.Tensor:
        self.functional.reset_net(self.neurons)
        return self.neurons(kernel_product(drive, SYN, 1.0, 1))


PEERS = {
    "PyTorch": PlainTorch,
    "snnTorch": SnnTorch,
    "Norse": Norse,
    "SpikingJelly": SpikingJelly,
}


def require_equal() -> None:
    """Stop unless plain PyTorch gives our loss and gradients to 1e-4, both in float64."""
    x, labels = data()
    single = network()
    with jax.enable_x64(True):
        net = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), single)
        batch = Batch(jnp.asarray(x, float), jnp.asarray(labels), jnp.ones(x.shape[:2], bool))
        slopes, report = jax.jit(
            lambda batch: gradient(
                *trainable(net), batch, LOSSES["max_over_time"], Regulariser(), None
            )
        )(batch)
        ours = [
            np.asarray(part.weight)
            for part in (slopes.layers[0].connection, slopes.readout.connection)
        ]
    module = PlainTorch().double()
    loss = loss_of(module, torch.tensor(x).double(), torch.tensor(labels))
    loss.backward()
    pairs = zip(ours, (module.into, module.out), strict=True)
    errors = [float(np.max(np.abs(a - b.grad.numpy())) / b.grad.abs().max()) for a, b in pairs]
    off = abs(float(report.loss) - float(loss.detach()))
    print(
        f"loss differs by {off:.1e}, gradients by {max(errors):.1e} of their largest; "
        f"{float(report.rates[0]):.2%} spike"
    )
    if off > 1e-4 or max(errors) > 1e-4:
        sys.exit("Plain PyTorch gives another loss or other gradients.")


def main() -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    require_equal()
    refuse_busy_machine()
    x, labels = data()
    ours, compiled, _ = step_of(network(), x, labels, BLOCKS)
    peers = {name: PEERS[name] for name in present(PEERS)}
    seconds = timed(
        {"ours": ours, **{name: torch_step(make(), x, labels) for name, make in peers.items()}},
        arguments.rounds,
    )
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    print(f"compiled in {compiled:.1f} s")
    for name in sorted(medians, key=medians.get):
        least, pace = seconds[name].min(), 1 / medians[name]
        print(
            f"  {name:14s} median {medians[name]:.4f} s, minimum {least:.4f} s, {pace:.0f} steps "
            f"a second"
        )
    if arguments.csv:
        print_csv(
            "manifold_step",
            [Timing("20-100-10", name, medians[name], medians["ours"]) for name in peers],
        )


if __name__ == "__main__":
    main()
