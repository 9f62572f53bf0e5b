"""
How far a small change of the input misleads a network
======================================================

The fast gradient sign method changes every input by a small amount, in the direction that increases
the loss. A random change of the same length serves as a control.
"""

import jax
import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    Readout,
    Settings,
    evaluate,
    perturbations,
    train,
)

task = nc.tasks.digits(n_steps=4)
hidden, output = jax.random.split(jax.random.key(0))
layer = Layer(Dense(task.n_inputs, 64, key=hidden), nc.models.noisy_lif(), task.dt, surrogate=None)
network = Network([layer, Readout(Dense(64, task.n_outputs, key=output), task.dt)])
trained = train(
    network, task, seed=0, settings=Settings(epochs=5, batch_size=50, learning_rate=5e-3, clip=1.0)
).network

sizes = np.array([0.0, 0.1, 0.2])
attacked, changed = [], []
for size in sizes:
    length = size * np.sqrt(task.n_inputs)
    worst = (
        perturbations.fast_gradient_sign(trained, task.test, task, size, passes=3)
        if size
        else task.test
    )
    random = perturbations.random_direction(task.test, length, seed=0) if size else task.test
    attacked.append(evaluate(trained, worst, task, passes=3).score)
    changed.append(evaluate(trained, random, task, passes=3).score)

# %%
# Error bars are 95 % binomial intervals over the test images.
n = len(task.test)
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
for scores, label in ((changed, "random direction"), (attacked, "fast gradient sign")):
    share = np.array(scores)
    axes.errorbar(
        sizes, 100 * share, 196 * np.sqrt(share * (1 - share) / n), marker="o", label=label
    )
axes.set(
    xlabel="Change of each input",
    ylabel="Accuracy (%)",
    ylim=(0, 100),
    title=f"{n} test images, escape noise",
)
axes.legend()
plt.show()
