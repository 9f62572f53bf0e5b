"""
One text, three engines
=======================

The same equations run in Brian2, in JAX and in Numba. Without noise the three agree spike for
spike.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

model = nc.models.lif()
print(model.equations)
current = nc.simulation.stimuli.steps([0.0, 300.0, 0.0], 0.1, 1e-4)
blocks = {
    engine: nc.simulate(model, current, record=("v",), engine=engine)
    for engine in ("brian2", "jax")
}
# Numba is the fastest engine and keeps only spikes.
blocks["numba"] = nc.simulate(model, current, engine="numba")
spikes = {
    engine: block.segments[0].spiketrains[0].rescale("ms").magnitude
    for engine, block in blocks.items()
}
for engine, times in spikes.items():
    print(engine, np.round(times, 3)[:5])

# %%
# The potentials of Brian2 and JAX coincide; the lower panel shows their difference.
first, second = (blocks[engine].segments[0].analogsignals[0] for engine in ("brian2", "jax"))
times = first.times.rescale("ms")
figure, axes = plt.subplots(2, 1, figsize=(3.5, 2.8), sharex=True, layout="constrained")
axes[0].plot(times, first.rescale("mV"), label="Brian2")
axes[0].plot(times, second.rescale("mV"), "--", label="JAX")
axes[0].eventplot(
    spikes["numba"], lineoffsets=-45, linelengths=3, colors="black", label="spikes of Numba"
)
axes[0].set(ylabel="Potential (mV)")
axes[0].legend()
axes[1].plot(times, (second - first).rescale("mV"), color="black")
axes[1].set(xlabel="Time (ms)", ylabel="JAX minus Brian2 (mV)")
plt.show()
