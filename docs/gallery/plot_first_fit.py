"""
A first fit, and how close it comes to the truth
================================================

A generalised integrate-and-fire neuron is simulated under a noisy current. The model is fitted to
nothing but its spikes and the current.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

truth = nc.models.gif((80.0,)).with_parameters(
    C="100 pF", g_L="5 nS", V_T="-48 mV", a_eta_1="30 pA", a_gamma_1="5 mV"
)
noise = {"mean": 110.0, "standard_deviation": 90.0}  # pA
experiment = nc.simulation.simulated_experiment(truth, current=noise, training="40 s", seed=1)
result = nc.fit(nc.models.gif((80.0,)), experiment, starts=1)
print(result.summary())

# %%
# Each estimate comes with a 95 % interval from the observed information. Spikes alone do not
# determine the shift and the scale of the voltage, so the capacitance and the resting potential are
# fixed. The other estimates are compared with the truth.
estimates = [(name, value) for name, value in result.parameters.items() if not value.fixed]
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
for row, (name, estimate) in enumerate(estimates):
    low, high = estimate.interval_95
    scale = high - low
    known = truth.parameters[name].value
    axes.plot([(low - known) / scale, (high - known) / scale], [row, row], color="C0")
    axes.plot((estimate.value - known) / scale, row, "o", color="C0")
axes.axvline(0.0, color="black", linewidth=0.8)
axes.set(yticks=np.arange(len(estimates)), yticklabels=[name for name, _ in estimates])
axes.set(
    xlabel="Estimate minus truth (widths of the 95 % interval)",
    title=f"{experiment.n_spikes} training spikes",
)
plt.show()
