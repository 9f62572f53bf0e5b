"""
Ganglion cells of a salamander's retina
=======================================

Thirty-eight sorted units were recorded while the same movie was shown thirty times. The table has
one row per unit, with its rate, irregularity, variability over repeats, and complexity compared
with surrogates of the same rate. The recording is public (``neurocode data fetch retina-movies``).
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt

import neurocode as nc
from neurocode.recordings import Layout, read_trains

path = Path(os.environ["NEUROCODE_DATA"]) / "retina-movies" / "Movie1Exp1.mat"
trains = read_trains(path, Layout(variable="Spikes", axes="unit,trial", time_unit="ms"))
table = nc.describe(trains, n_surrogates=20)
print(table[["rate", "cv", "fano_factor", "lz_ratio"]].describe().round(2))

# %%
# In most units the counts vary more from repeat to repeat than those of a Poisson process, partly
# because rates drift. The complexity of every unit is below that of surrogates of the same rate.
figure, axes = plt.subplots(1, 2, figsize=(5.5, 2.5), layout="constrained")
axes[0].plot(table["rate"], table["fano_factor"], "o", markersize=3)
axes[0].axhline(1.0, color="black", linewidth=0.8, linestyle=":")
axes[0].set(yscale="log", xlabel="Rate (Hz)", ylabel="Fano factor", title="dotted: Poisson process")
axes[1].plot(table["rate"], table["lz_ratio"], "o", markersize=3)
axes[1].axhline(1.0, color="black", linewidth=0.8, linestyle=":")
axes[1].set(
    xlabel="Rate (Hz)", ylabel="Complexity over surrogates", title=f"{len(table)} units, 30 repeats"
)
plt.show()
