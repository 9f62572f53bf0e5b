"""
How noise at the threshold makes responses unreliable
=====================================================

The same frozen current is injected into a neuron twenty times. The wider the escape noise, the less
the repeats agree.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

current = nc.simulation.stimuli.frozen_noise(
    2.0, 2e-4, mean=100.0, standard_deviation=100.0, seed=3
)
widths = ("0.5 mV", "2 mV", "8 mV")
figure, axes = plt.subplots(len(widths), 1, figsize=(4.5, 3.6), sharex=True, layout="constrained")
for panel, width in zip(axes, widths, strict=True):
    model = nc.models.gif().with_parameters(Delta_V=width)
    block = nc.simulate(model, current, trials=20, seed=0, engine="jax")
    trains = [segment.spiketrains[0] for segment in block.segments]
    nc.plotting.spikes.raster(panel, trains)
    reliability = nc.statistics.reliability(trains, 4e-3)
    fano = nc.statistics.fano_factor(np.array([len(train) for train in trains]))
    panel.set(
        title=f"Delta_V = {width}: reliability {reliability:.2f}, Fano factor {fano:.2f}", xlabel=""
    )
axes[-1].set(xlabel="Time (s)")
plt.show()
