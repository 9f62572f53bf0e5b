"""
Is this complexity more than rate?
==================================

The Lempel-Ziv complexity of a spike train depends on its rate. Only the comparison with surrogates
of the same rate shows whether the order of the spikes matters.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

STEPS, TRAINS = 4000, 10


def markov(probability, persistence, random):
    """Spikes in bins, with the given probability and a correlation between neighbouring bins."""
    spikes = np.zeros(STEPS, int)
    spikes[0] = random.random() < probability
    for step in range(1, STEPS):
        chance = probability + persistence * (spikes[step - 1] - probability)
        spikes[step] = random.random() < chance
    return spikes


random = np.random.default_rng(1)
probabilities = np.array([0.05, 0.1, 0.2, 0.3, 0.5])
figure, axes = plt.subplots(1, 2, figsize=(6, 2.6), layout="constrained")
for persistence, label in ((0.0, "independent bins"), (0.6, "persistent bins")):
    raw, ratio = np.zeros((2, len(probabilities), TRAINS))
    for k, probability in enumerate(probabilities):
        for train in range(TRAINS):
            spikes = markov(probability, persistence, random)
            raw[k, train] = nc.statistics.normalised_lz76(spikes)
            shuffled = [nc.statistics.lz76(random.permutation(spikes)) for _ in range(20)]
            ratio[k, train] = nc.statistics.lz76(spikes) / np.mean(shuffled)
    for panel, values in zip(axes, (raw, ratio), strict=True):
        panel.errorbar(
            probabilities,
            values.mean(1),
            2 * values.std(1, ddof=1) / np.sqrt(TRAINS),
            marker="o",
            label=label,
        )
axes[0].set(
    xlabel="Probability of a spike per bin",
    ylabel="Normalised complexity",
    title="follows the rate",
)
axes[1].set(
    xlabel="Probability of a spike per bin",
    ylabel="Complexity over shuffled",
    title="shows the order",
)
axes[0].legend()
plt.show()
