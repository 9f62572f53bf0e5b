"""
A trained network runs in Brian2 with the same spikes
=====================================================

A network is trained in JAX and then run in Brian2. Every spike is the same.
"""

import jax
import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc
from neurocode.learning import Dense, Layer, Network, Readout, Settings, run_in_brian, train

task = nc.tasks.burst_sequences(n_classes=3, n_samples=120)
hidden, output = jax.random.split(jax.random.key(0))
layer = Layer(Dense(task.n_inputs, 32, key=hidden), nc.models.noisy_lif("none"), task.dt)
network = Network([layer, Readout(Dense(32, task.n_outputs, key=output), task.dt)])
result = train(
    network, task, seed=0, settings=Settings(epochs=5, batch_size=20, learning_rate=5e-2)
)

inputs = np.moveaxis(task.test.inputs[:1], 0, 1)
in_jax = np.asarray(result.network(inputs).spikes[0])[:, 0] > 0
in_brian = run_in_brian(result.network, inputs).block().segments[0].spiketrains
differing = sum(
    not np.array_equal(
        np.round(spikes.rescale("s").magnitude / task.dt), np.flatnonzero(in_jax[:, neuron])
    )
    for neuron, spikes in enumerate(in_brian)
)
print(f"{differing} of {in_jax.shape[1]} neurons differ")

# %%
# Circles are the spikes in JAX, dots those in Brian2.
figure, axes = plt.subplots(figsize=(4, 2.6), layout="constrained")
steps, neurons = np.nonzero(in_jax)
axes.plot(1e3 * task.dt * steps, neurons, "o", markersize=5, markerfacecolor="none", label="JAX")
for neuron, spikes in enumerate(in_brian):
    axes.plot(
        spikes.rescale("ms"),
        np.full(len(spikes), neuron),
        ".",
        color="black",
        label="Brian2" if neuron == 0 else None,
    )
axes.set(
    xlabel="Time (ms)", ylabel="Neuron", title=f"{differing} of {in_jax.shape[1]} neurons differ"
)
axes.legend()
plt.show()
