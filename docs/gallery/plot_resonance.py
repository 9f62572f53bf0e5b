"""
To which frequencies an adaptive neuron responds
================================================

Near a steady state a model is approximately linear. Its transfer function shows at which frequency
an adaptive LIF neuron resonates.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

frequencies = np.geomspace(1.0, 200.0, 200)
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
for coupling in (0.0, 0.5, 1.0):
    near_rest = nc.simulation.linearise(nc.models.adlif().with_parameters(a=coupling), 1e-3)
    axes.plot(frequencies, np.abs(near_rest.transfer(frequencies)), label=f"a = {coupling:g}")
axes.set(
    xscale="log",
    xlabel="Frequency (Hz)",
    ylabel="Gain of the potential",
    title="subthreshold adaptation makes a resonator",
)
axes.legend()
plt.show()
