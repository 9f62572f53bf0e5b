"""
Which stimulus was it?
======================

One of four stimuli is decoded from the spike counts of a population. A permutation test shows
whether the accuracy is above chance.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

random = np.random.default_rng(4)
stimuli, repeats, numbers = 4, 12, np.array([1, 2, 4, 8, 16])
tuning = random.gamma(2.0, 1.5, (numbers[-1], stimuli))
counts = random.poisson(tuning[:, :, None], (numbers[-1], stimuli, repeats))
accuracies, probabilities = [], []
for number in numbers:
    responses = np.moveaxis(counts[:number], 0, -1)
    accuracy, probability = nc.statistics.decode_stimulus(responses, n_permutations=99)
    accuracies.append(accuracy)
    probabilities.append(probability)

# %%
# More neurons give a higher accuracy. Error bars are 95 % binomial intervals over all trials.
share, n = np.array(accuracies), stimuli * repeats
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
axes.errorbar(numbers, 100 * share, 196 * np.sqrt(share * (1 - share) / n), marker="o")
axes.axhline(100 / stimuli, color="black", linestyle=":", label="chance")
axes.set(
    xlabel="Neurons",
    ylabel="Decoded (%)",
    ylim=(0, 105),
    title=f"{n} trials, p = {max(probabilities):.2g} at most",
)
axes.set_xscale("log", base=2)
axes.legend()
plt.show()
