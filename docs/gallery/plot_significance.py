"""
Which units are less complex than chance?
=========================================

Surrogates of the same rate give a null distribution for every unit. Controlling the false discovery
rate corrects for the number of units.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

random = np.random.default_rng(2)
units = {f"Poisson {k}": np.cumsum(random.exponential(0.05, 800)) for k in range(6)}
for k in range(6):
    bursts = np.cumsum(random.exponential(0.2, 200))
    units[f"bursts {k}"] = np.sort(np.concatenate([bursts + 0.006 * j for j in range(4)]))
table = nc.describe(units, n_surrogates=200)
print(table.filter(like="lz").round(3))

# %%
# The units with bursts of four spikes are significant, the Poisson units are not.
column = next(name for name in table.columns if name.startswith("lz") and name.endswith("q"))
figure, axes = plt.subplots(figsize=(3.5, 2.8), layout="constrained")
found = table[column] < 0.05
axes.barh(np.arange(len(table)), table["lz_ratio"], color=np.where(found, "C1", "0.7"))
axes.axvline(1.0, color="black", linewidth=0.8)
axes.set(
    yticks=np.arange(len(table)),
    yticklabels=table.index,
    xlabel="Complexity over that of surrogates",
)
axes.set(title="coloured: below chance, false discovery rate 5 %")
plt.show()
