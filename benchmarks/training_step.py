"""One training step of small spiking networks, beside snnTorch, Norse, SpikingJelly and plain
PyTorch, in the same run.

Forward, backward and Adam in float32: dense input, one layer of leaky integrate-and-fire neurons
(recurrent or not), a leaky readout, cross entropy of its maximum over time. Before anything is
timed, plain PyTorch must give our loss and our gradients to 1e-4. Rounds are interleaved; ours runs
on two cores as two devices with half of the batch each, peers with one and with two threads, whose
better median counts. A busy machine is refused. Usage:

    pip install "neurocode[bench]"
    python benchmarks/training_step.py --csv
    python benchmarks/training_step.py --case recurrent-140 --rounds 30

"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

DEVICES = 2
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={DEVICES}"

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from jax.sharding import NamedSharding, PartitionSpec
from quiet import refuse_busy_machine
from torch import nn

import neurocode as nc
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, Regulariser, Surrogate
from neurocode.learning.objective import Batch, gradient, mesh_of
from neurocode.learning.trainable import trainable
from neurocode.tasks import LOSSES

#: Inputs, neurons, outputs, recurrent, steps, batch, share of input spikes, gain of the input
#: weights, parts of our batch.
CASES = {
    "recurrent-140": (140, 128, 20, True, 250, 64, 0.05, 25.0, 1),
    "ecg": (4, 36, 6, True, 1301, 64, 0.08, 16.0, 2),
    "feed-forward": (20, 100, 10, False, 100, 250, 0.05, 20.0, 5),
    "recurrent-700": (700, 128, 20, True, 100, 256, 0.02, 30.0, 1),
}
DT, TAU, TAU_OUT, SLOPE, RATE = 1e-3, 15e-3, 20e-3, 10.0, 1e-3
ALPHA, KEEP = float(np.exp(-DT / TAU)), float(np.exp(-DT / TAU_OUT))
USER_MODEL = """
name = "mine"
equations = '''
dx/dt = (drive - x)/tau_membrane : 1
drive : 1
'''
margin = "x - threshold"
reset = "x = 0"
integrator = "exponential_euler"

[parameters]
tau_membrane = { value = "15 ms", bounds = ["5 ms", "25 ms"] }
threshold = { value = 1.0, bounds = [0.1, 10.0], fixed = true }
"""
Step = Callable[[], float]


def data(case: str) -> tuple[np.ndarray, np.ndarray]:
    """Random spikes (time, batch, inputs) and labels."""
    n_in, _, n_out, _, steps, batch, share, _, _ = CASES[case]
    random = np.random.default_rng(0)
    return (random.random((steps, batch, n_in)) < share).astype(np.float32), random.integers(
        0, n_out, batch
    )


def network(
    case: str,
    model: nc.NeuronModel,
    learned: tuple[str, ...] = (),
    surrogate: Surrogate | None = Surrogate("superspike", SLOPE),  # noqa: B008
) -> Network:
    """Our network of a case."""
    n_in, n, n_out, recurrent, _, _, _, gain, _ = CASES[case]
    keys = jax.random.split(jax.random.key(0), 3)
    layer = Layer(
        Dense(n_in, n, bias=False, key=keys[0]),
        model,
        DT,
        recurrent=Recurrent(n, key=keys[1]) if recurrent else None,
        learned=learned,
        surrogate=surrogate,
    )
    layer = eqx.tree_at(lambda part: part.connection.weight, layer, gain * layer.connection.weight)
    return Network([layer, Readout(Dense(n, n_out, bias=False, key=keys[2]), DT, TAU_OUT)])


def our_step(
    case: str, model: nc.NeuronModel, learned: tuple[str, ...] = ()
) -> tuple[Step, float, float]:
    """Our training step, the seconds of its compilation, and the spikes per neuron and step."""
    return step_of(network(case, model, learned), *data(case), CASES[case][-1])


def step_of(
    net: Network, x: np.ndarray, labels: np.ndarray, blocks: int
) -> tuple[Step, float, float]:
    """Training step of a network on two host devices, the seconds of its compilation, and the
    spikes per neuron and step."""
    learned_part, rest = trainable(net)
    split = NamedSharding(mesh_of(DEVICES), PartitionSpec(None, "batch"))
    batch = Batch(
        jax.device_put(x, split),
        jnp.asarray(labels),
        jax.device_put(jnp.ones(x.shape[:2], bool), split),
    )
    optimiser = optax.adam(RATE)

    state, tree = jax.tree.flatten((learned_part, optimiser.init(learned_part)))

    @jax.jit
    def update(state, batch, key):
        net, inner = jax.tree.unflatten(tree, state)
        slopes, report = gradient(
            net, rest, batch, LOSSES["max_over_time"], Regulariser(), key, blocks, None, DEVICES
        )
        changes, inner = optimiser.update(slopes, inner, net)
        return jax.tree.leaves((optax.apply_updates(net, changes), inner)), report

    began = time.perf_counter()
    keys = (jax.random.fold_in(jax.random.key(0), number) for number in itertools.count())
    _, report = jax.block_until_ready(update(state, batch, next(keys)))
    compiled = time.perf_counter() - began

    def step() -> float:
        state[:], report = update(state, batch, next(keys))
        return float(report.loss)

    return step, compiled, float(report.rates[0])


class SuperSpike(torch.autograd.Function):
    """Spike with the derivative of the fast sigmoid."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope / (1.0 + SLOPE * x.abs()) ** 2


class PlainTorch(nn.Module):
    """The same network in plain PyTorch: the reference of loss and gradients."""

    def __init__(self, case: str) -> None:
        super().__init__()
        net = network(case, nc.models.normalised_lif())
        tensors = [net.layers[0].connection.weight, net.readout.connection.weight]
        self.into, self.out = (nn.Parameter(torch.tensor(np.asarray(t))) for t in tensors)
        recurrent = net.layers[0].recurrent
        self.loop = (
            None if recurrent is None else nn.Parameter(torch.tensor(np.asarray(recurrent.weight)))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        drive = x @ self.into
        u = torch.zeros_like(drive[0])
        z, spikes = torch.zeros_like(u), []
        for current in drive.unbind(0):
            current = current if self.loop is None else current + z @ self.loop
            u = ALPHA * u + (1 - ALPHA) * current
            z = SuperSpike.apply(u - 1.0)
            u = u * (1 - z.detach())
            spikes.append(z)
        return filtered(torch.stack(spikes) @ self.out)


def filtered(x: torch.Tensor) -> torch.Tensor:
    """The leaky readouts."""
    return kernel_product(x, KEEP, 1 - KEEP, 0)


def kernel_product(x: torch.Tensor, keep: float, gain: float, late: int) -> torch.Tensor:
    """Leaky integrators of all steps as one product: faster than a loop, and given to every peer.

    ``late`` is the number of steps between input and effect.
    """
    steps = torch.arange(len(x))
    lag = steps[:, None] - steps[None, :] - late
    kernel = torch.where(
        lag >= 0, gain * keep ** lag.clamp(min=0).to(x.dtype), torch.zeros((), dtype=x.dtype)
    )
    return (kernel @ x.reshape(len(x), -1)).reshape(x.shape)


class SnnTorch(nn.Module):
    """snnTorch: ``Leaky`` and ``RLeaky``, step by step."""

    def __init__(self, case: str) -> None:
        super().__init__()
        import snntorch

        n_in, n, n_out, recurrent, *_ = CASES[case]
        gradient = snntorch.surrogate.fast_sigmoid(slope=SLOPE)
        options = {"beta": ALPHA, "spike_grad": gradient, "reset_mechanism": "zero"}
        self.into, self.out, self.recurrent = (
            nn.Linear(n_in, n, bias=False),
            nn.Linear(n, n_out, bias=False),
            recurrent,
        )
        self.neurons = (
            snntorch.RLeaky(linear_features=n, **options)
            if recurrent
            else snntorch.Leaky(**options)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        drive, spikes = self.into(x), []
        if self.recurrent:
            spike, potential = torch.zeros_like(drive[0]), torch.zeros_like(drive[0])
            for current in drive.unbind(0):
                spike, potential = self.neurons(current, spike, potential)
                spikes.append(spike)
        else:
            potential = torch.zeros_like(drive[0])
            for current in drive.unbind(0):
                spike, potential = self.neurons(current, potential)
                spikes.append(spike)
        return filtered(self.out(torch.stack(spikes)))


class Norse(nn.Module):
    """Norse: ``LIFBoxCell`` (no synaptic filter) step by step, or ``LIFRecurrent``;
    ``LSNNRecurrent`` for adaptation."""

    def __init__(self, case: str, adaptive: bool = False) -> None:
        super().__init__()
        import norse.torch as norse

        n_in, n, n_out, recurrent, *_ = CASES[case]
        self.out, self.recurrent = nn.Linear(n, n_out, bias=False), recurrent or adaptive
        if adaptive:
            self.neurons = norse.LSNNRecurrent(n_in, n)
        elif recurrent:
            self.neurons = norse.LIFRecurrent(n_in, n)
        else:
            self.into, self.neurons = nn.Linear(n_in, n, bias=False), norse.LIFBoxCell()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.recurrent:
            return filtered(self.out(self.neurons(x)[0]))
        state, spikes = None, []
        for current in self.into(x).unbind(0):
            spike, state = self.neurons(current, state)
            spikes.append(spike)
        return filtered(self.out(torch.stack(spikes)))


class SpikingJelly(nn.Module):
    """SpikingJelly: the multi-step node, or one in a recurrent container."""

    def __init__(self, case: str) -> None:
        super().__init__()
        from spikingjelly.activation_based import functional, layer, neuron, surrogate

        n_in, n, n_out, recurrent, *_ = CASES[case]
        options = {"tau": TAU / DT, "detach_reset": True, "surrogate_function": surrogate.ATan()}
        self.into, self.out, self.functional = (
            nn.Linear(n_in, n, bias=False),
            nn.Linear(n, n_out, bias=False),
            functional,
        )
        if recurrent:
            node = neuron.LIFNode(step_mode="s", **options)
            self.neurons = layer.LinearRecurrentContainer(
                node, in_features=n, out_features=n, bias=False, step_mode="m"
            )
        else:
            self.neurons = neuron.LIFNode(step_mode="m", **options)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.functional.reset_net(self)
        return filtered(self.out(self.neurons(self.into(x))))


PEERS: dict[str, Callable[[str], nn.Module]] = {
    "PyTorch": PlainTorch,
    "snnTorch": SnnTorch,
    "Norse": Norse,
    "SpikingJelly": SpikingJelly,
}


def loss_of(module: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy of the maximum over time."""
    return nn.functional.cross_entropy(module(x).amax(dim=0), labels)


def torch_step(module: nn.Module, x: np.ndarray, labels: np.ndarray) -> Step:
    """Training step of a PyTorch module."""
    x, labels = torch.tensor(x), torch.tensor(labels)
    optimiser = torch.optim.Adam(module.parameters(), lr=RATE)

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(module, x, labels)
        loss.backward()
        optimiser.step()
        return float(loss.detach())

    return step


def require_equal(case: str) -> None:
    """Stop unless plain PyTorch gives our loss and gradients to 1e-4.

    In float64: in float32 a margin of 1e-8 may fall on either side of zero, and a single spike is
    worth more than 1e-4.
    """
    x, labels = data(case)
    single = network(case, nc.models.normalised_lif())
    with jax.enable_x64(True):
        net = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), single)
        batch = Batch(jnp.asarray(x, float), jnp.asarray(labels), jnp.ones(x.shape[:2], bool))
        slopes, report = eqx.filter_jit(gradient)(
            *trainable(net), batch, LOSSES["max_over_time"], Regulariser(), None, CASES[case][-1]
        )
        slopes = jax.tree.map(np.asarray, slopes)
    module = PlainTorch(case).double()
    loss = loss_of(module, torch.tensor(x).double(), torch.tensor(labels))
    loss.backward()
    pairs = [
        (slopes.layers[0].connection.weight, module.into),
        (slopes.readout.connection.weight, module.out),
    ]
    if module.loop is not None:
        pairs.append((slopes.layers[0].recurrent.weight, module.loop))
    errors = [
        float(np.max(np.abs(np.asarray(a) - b.grad.numpy())) / b.grad.abs().max()) for a, b in pairs
    ]
    off = abs(float(report.loss) - float(loss.detach()))
    print(
        f"{case}: loss differs by {off:.1e}, gradients by {max(errors):.1e} of their largest, "
        f"{float(report.rates[0]):.2%} spike"
    )
    if off > 1e-4 or max(errors) > 1e-4:
        sys.exit(f"{case}: plain PyTorch gives another loss or other gradients.")


def contestants(case: str) -> tuple[dict[str, Step], dict[str, float]]:
    """Ours and the peers, ready to run, and our compile times."""
    path = Path(tempfile.mkdtemp()) / "mine.toml"
    path.write_text(USER_MODEL, encoding="utf-8")
    models = {
        "ours": (nc.models.normalised_lif(), ()),
        "ours, a user's TOML": (nc.models.load(path), ()),
    }
    if CASES[case][3]:
        models["ours, SE-adLIF, all learned"] = (nc.models.adlif(), ("tau_u", "tau_w", "a", "b"))
    steps, compiled = {}, {}
    for name, (model, learned) in models.items():
        steps[name], compiled[name], _ = our_step(case, model, learned)
    for name, make in PEERS.items():
        steps[name] = torch_step(make(case), *data(case))
    if CASES[case][3]:
        steps["Norse, adaptive"] = torch_step(Norse(case, adaptive=True), *data(case))
    return steps, compiled


def timed(steps: dict[str, Step], rounds: int) -> dict[str, np.ndarray]:
    """Seconds of every contestant by round; of a peer with the better number of threads."""
    ours = [name for name in steps if name.startswith("ours")]
    variants = [(name, threads) for name in steps for threads in ((2,) if name in ours else (1, 2))]
    seconds: dict[tuple[str, int], list[float]] = {variant: [] for variant in variants}
    order = np.random.default_rng(0)
    for number in range(rounds + 2):
        # what ran before costs some milliseconds
        for name, threads in order.permutation(np.array(variants, object)):
            torch.set_num_threads(threads)
            began = time.perf_counter()
            steps[name]()
            if number >= 2:
                seconds[name, threads].append(time.perf_counter() - began)
            time.sleep(0.2)  # threads of the one before may still spin
    best = {
        name: min((v for v in variants if v[0] == name), key=lambda v: np.median(seconds[v]))
        for name in steps
    }
    return {name: np.array(seconds[variant]) for name, variant in best.items()}


def peak_memory(case: str, name: str) -> float:
    """Megabytes that two steps add to a process of its own."""
    command = [sys.executable, __file__, "--child", case, name]
    return float(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
    )


def child(case: str, name: str) -> None:
    """Print the peak of one contestant over what the libraries take."""
    before = high_water()
    step = (
        our_step(case, nc.models.normalised_lif())[0]
        if name == "ours"
        else torch_step(PEERS[name](case), *data(case))
    )
    step()
    step()
    print(high_water() - before)


def high_water() -> float:
    """Most memory that this process has held, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", action="append", choices=tuple(CASES))
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument(
        "--csv",
        action="store_true",
        help="end with benchmark,case,peer,peer_seconds,our_seconds,ratio",
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    refuse_busy_machine()
    lines = []
    for case in arguments.case or CASES:
        require_equal(case)
        steps, compiled = contestants(case)
        seconds = timed(steps, arguments.rounds)
        medians = {name: float(np.median(values)) for name, values in seconds.items()}
        for name, values in sorted(seconds.items(), key=lambda item: medians[item[0]]):
            memory = (
                f", {peak_memory(case, name):.0f} MB" if name == "ours" or name in PEERS else ""
            )
            extra = f", compiled in {compiled[name]:.1f} s" if name in compiled else ""
            print(
                f"  {name:28s} median {medians[name]:.4f} s, minimum {values.min():.4f} "
                f"s{memory}{extra}"
            )
        for name in (*PEERS, "ours, a user's TOML"):
            ratio = medians[name] / medians["ours"]
            lines.append(
                f"training_step,{case},{name.replace(',', '')},"
                f"{medians[name]:.4f},{medians['ours']:.4f},{ratio:.2f}"
            )
    if arguments.csv:
        print(f"load average {os.getloadavg()[0]:.2f}")
        print("benchmark,case,peer,peer_seconds,our_seconds,ratio")
        print("\n".join(lines))


if __name__ == "__main__":
    main()
