"""
A neuron of your own
====================

A model is a text with units. Here a leaky integrator gets a threshold that follows its potential,
so that it does not respond to slow inputs.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

import neurocode as nc

TEXT = '''
name = "accommodating"
equations = """
dv/dt = (g_L*(E_L - v) + I)/C : volt (unless refractory)
dtheta/dt = (V_T + k*(v - E_L) - theta)/tau_theta : volt
I : amp
"""
margin = "v - theta"
reset = "v = V_r"
refractory = "t_ref"

[initial]
v = "E_L"
theta = "V_T"

[parameters]
g_L = { value = "10 nS" }
C = { value = "200 pF" }
E_L = { value = "-70 mV" }
V_T = { value = "-55 mV" }
V_r = { value = "-70 mV" }
k = { value = "0.8", bounds = ["0", "0.95"] }
tau_theta = { value = "100 ms" }
t_ref = { value = "2 ms" }
'''

with TemporaryDirectory() as folder:
    path = Path(folder) / "accommodating.toml"
    path.write_text(TEXT)
    model = nc.models.load(path)

# %%
# A ramp that reaches 300 pA in 60 ms makes the neuron fire; one that takes 400 ms does not.
figure, axes = plt.subplots(
    2, 2, figsize=(5, 2.8), sharex="col", sharey="row", layout="constrained"
)
for column, duration in enumerate((0.06, 0.4)):
    ramp = nc.simulation.stimuli.ramp(0.0, 300.0, duration, 1e-4)
    block = nc.simulate(model, ramp, record=("v", "theta"), engine="jax")
    v, theta = (
        signal for signal in block.segments[0].analogsignals if signal.name in ("v", "theta")
    )
    spikes = block.segments[0].spiketrains[0]
    axes[0, column].plot(v.times.rescale("ms"), v.rescale("mV"), label="potential")
    axes[0, column].plot(theta.times.rescale("ms"), theta.rescale("mV"), "--", label="threshold")
    axes[0, column].set(title=f"{len(spikes)} spikes")
    axes[1, column].plot(ramp.times.rescale("ms"), ramp.rescale("pA"), color="black")
    axes[1, column].set(xlabel="Time (ms)")
axes[0, 0].set(ylabel="mV")
axes[0, 0].legend()
axes[1, 0].set(ylabel="Current (pA)")
plt.show()
