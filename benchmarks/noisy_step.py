"""One training step of a noisy recurrent network over that of the deterministic one, and beside the
form of snnTorch's NoisyLeaky.

Case ``recurrent-140`` of ``training_step.py``: 140 inputs, 128 neurons, 20 readouts, 250 steps, 64
sequences, float32, Adam, on two cores. The deterministic network is the fast path timed there. The
noisy ones have the same membrane and draw their spikes (escape), take white noise (diffusive), or
both, as the released code of Ma, Yan, Tang 2023. snnTorch 1.0 does not hold the NoisyLeaky neuron
that its repository was offered; its form (noise on the distance to threshold, then a drawn spike)
is written here in PyTorch with the same gradient. Rounds are interleaved, a busy machine is
refused. Usage:

    pip install "neurocode[bench]"
    python benchmarks/noisy_step.py --csv

"""

from __future__ import annotations

import argparse

from quiet import refuse_busy_machine  # isort: skip

# isort: skip
import numpy as np
import torch
from training_step import (
    ALPHA,
    CASES,
    SLOPE,
    PlainTorch,
    data,
    filtered,
    network,
    step_of,
    timed,
    torch_step,
)

import neurocode as nc

CASE = "recurrent-140"
#: Width of the escape noise, and standard deviation of the noise on the membrane in a step.
WIDTH = 0.3
BOUNDS = {"escape": 1.5, "both": 2.2}


class NoisySpike(torch.autograd.Function):
    """A spike drawn with the probability Phi(x / width), whose derivative is the density."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.bernoulli(torch.special.ndtr(x / WIDTH))

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * torch.exp(-0.5 * (x / WIDTH) ** 2) / (WIDTH * np.sqrt(2 * np.pi))


class NoisyTorch(PlainTorch):
    """The recurrent network with the neuron of snnTorch's proposal: noise on the distance to
    threshold and a drawn spike."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        drive = x @ self.into
        u = torch.zeros_like(drive[0])
        z, spikes = torch.zeros_like(u), []
        for current in drive.unbind(0):
            u = ALPHA * u + (1 - ALPHA) * (current + z @ self.loop)
            z = NoisySpike.apply(u - 1.0 - WIDTH * torch.randn_like(u))
            u = u * (1 - z.detach())
            spikes.append(z)
        return filtered(torch.stack(spikes) @ self.out)


def noisy_model(mode: str) -> nc.NeuronModel:
    """The noisy neuron with the membrane of the deterministic one."""
    return nc.models.noisy_lif(mode).with_parameters(tau="15 ms", R=1.0)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument(
        "--csv",
        action="store_true",
        help="end with benchmark,case,peer,peer_seconds,our_seconds,ratio",
    )
    arguments = parser.parse_args()
    refuse_busy_machine()
    made = {
        "ours": step_of(network(CASE, nc.models.normalised_lif()), *data(CASE), CASES[CASE][-1])
    }
    for mode in ("none", "escape", "diffusive", "both"):
        options = {} if mode in ("none", "diffusive") else {"surrogate": None}
        made[f"ours, {mode}"] = step_of(
            network(CASE, noisy_model(mode), **options), *data(CASE), CASES[CASE][-1]
        )
    for name, (_, compiled, rate) in made.items():
        print(
            f"  {name:20s} compiled in {compiled:.1f} s, {rate:.2%} of neurons spike in a step, "
            f"slope {SLOPE:g}"
        )
    steps = {name: step for name, (step, _, _) in made.items()}
    steps["NoisyLeaky form"] = torch_step(NoisyTorch(CASE), *data(CASE))
    seconds = timed(steps, arguments.rounds)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    for name, values in sorted(seconds.items(), key=lambda item: medians[item[0]]):
        print(f"  {name:20s} median {medians[name]:.4f} s, minimum {values.min():.4f} s")
    for mode, bound in BOUNDS.items():
        ratio = medians[f"ours, {mode}"] / medians["ours"]
        print(f"{mode} over deterministic: {ratio:.2f} (at most {bound})")
    if arguments.csv:
        print("benchmark,case,peer,peer_seconds,our_seconds,ratio")
        for name in ("ours", "NoisyLeaky form"):
            escape = medians["ours, escape"]
            ratio = medians[name] / escape
            print(f"noisy_step,escape,{name},{medians[name]:.4f},{escape:.4f},{ratio:.2f}")


if __name__ == "__main__":
    main()
