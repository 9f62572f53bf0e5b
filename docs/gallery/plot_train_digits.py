"""
Train a network of adaptive neurons
===================================

A hidden layer of 64 adaptive LIF neurons learns scikit-learn's digits by surrogate gradients, with
and without learning the parameters of its neurons.
"""

import jax
import matplotlib.pyplot as plt

import neurocode as nc
from neurocode.learning import Dense, Layer, Network, Readout, Settings, train

task = nc.tasks.digits(n_steps=8)
settings = Settings(epochs=6, batch_size=50, learning_rate=2e-2, schedule="cosine", clip=1.0)
histories = {}
for label, learned in (("weights", ()), ("weights, a and b", ("a", "b"))):
    hidden, output = jax.random.split(jax.random.key(0))
    layer = Layer(Dense(task.n_inputs, 64, key=hidden), nc.models.adlif(), task.dt, learned=learned)
    network = Network([layer, Readout(Dense(64, task.n_outputs, key=output), task.dt)])
    result = train(network, task, seed=0, settings=settings)
    histories[f"{label}: test {result.test_score:.1%}"] = result.history

# %%
# There is only one seed of each, which shows how training works but not which network is better.
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
for label, history in histories.items():
    axes.plot(history["epoch"], 100 * history["validation_score"], marker="o", label=label)
axes.set(xlabel="Epoch", ylabel="Validation accuracy (%)", title=f"{len(task.test)} test images")
axes.legend()
plt.show()
