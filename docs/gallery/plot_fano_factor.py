"""
Variability depends on the window
=================================

The Fano factor of a renewal process tends to the squared coefficient of variation of its intervals.
Slow changes of the rate make it grow with the window instead.
"""

import matplotlib.pyplot as plt
import numpy as np

import neurocode as nc

random = np.random.default_rng(3)
duration, windows = 400.0, np.geomspace(0.02, 10.0, 15)
regular = np.cumsum(random.gamma(4.0, 0.025, 5000))
drifting = np.cumsum(random.gamma(4.0, 0.025, 5000))
drifting = drifting + 4.0 * np.sin(2 * np.pi * drifting / 100.0)
figure, axes = plt.subplots(figsize=(3.5, 2.4), layout="constrained")
for times, label in ((regular, "gamma of order 4"), (np.sort(drifting), "the same, drifting rate")):
    kept = times[(times >= 0) & (times < duration)]
    axes.plot(
        windows,
        nc.statistics.fano_time_curve(kept, 0.0, duration, windows),
        marker="o",
        label=label,
    )
axes.axhline(0.25, color="black", linewidth=0.8, linestyle=":", label="squared CV of order 4")
axes.set(
    xscale="log",
    yscale="log",
    xlabel="Window (s)",
    ylabel="Fano factor",
    title=f"{duration:g} s at 10 Hz",
)
axes.legend()
plt.show()
