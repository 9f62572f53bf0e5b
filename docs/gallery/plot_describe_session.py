"""
Describe the units of a session
===============================

Three units have the same rate but different regularity. The table has one row per unit, and tests
its complexity against surrogates of the same rate.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

random = np.random.default_rng(0)
units = {
    f"gamma of order {order}": np.cumsum(random.gamma(order, 0.1 / order, 600))
    for order in (1, 3, 10)
}
table = nc.describe(units, n_surrogates=100)
print(table[["rate", "cv", "lv", "lz_ratio"]].round(3))

# %%
# The coefficients of variation summarise the interval distributions, which are shown here.
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
for name, times in units.items():
    axes.hist(
        1e3 * np.diff(times),
        bins=np.linspace(0, 400, 41),
        histtype="step",
        density=True,
        label=name,
    )
axes.set(xlabel="Interval (ms)", ylabel="Density (1/ms)", title="600 spikes per unit")
axes.legend()
plt.show()
