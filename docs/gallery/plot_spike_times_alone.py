"""
A neuron from spike times alone
===============================

Even if the current is not known, a leaky integrate-and-fire neuron driven by white noise can be
fitted to the intervals between the spikes.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

model = nc.models.lif_diffusive()
block = nc.simulate(model, duration="60 s", dt="0.1 ms", seed=1, engine="numba")
spikes = block.segments[0].spiketrains[0]
result = nc.fit(model, spikes)
print(result.summary())

# %%
# The density of the fitted model is exact, without a time step. It is compared with the simulated
# intervals.
intervals = np.diff(spikes.rescale("s").magnitude)
times = np.linspace(1e-4, np.quantile(intervals, 0.995), 300)
values = {name: parameter.value for name, parameter in result.parameters.items()}
density, _ = nc.first_passage.interval_distribution(model.with_parameters(values), times)
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
axes.hist(1e3 * intervals, bins=40, density=True, color="0.8", label=f"{len(intervals)} intervals")
axes.plot(1e3 * times, 1e-3 * density, label="fitted model")
axes.set(xlabel="Interval (ms)", ylabel="Density (1/ms)")
axes.legend()
plt.show()
