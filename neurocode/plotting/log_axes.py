"""Logarithmic axes with few labels."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, ScalarFormatter


def logarithmic(axes: Axes, *names: str) -> None:
    """Make axes logarithmic and label them at powers of ten, or at 1, 2 and 5 times these where an
    axis covers less than two decades."""
    for name in names:
        getattr(axes, f"set_{name}scale")("log")
        axis = getattr(axes, f"{name}axis")
        low, high = sorted(axis.get_view_interval())
        axis.set_minor_formatter(NullFormatter())
        if high < 100 * low:
            candidates = [
                m * 10.0**e
                for e in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
                for m in (1, 2, 5)
            ]
            axis.set_major_locator(
                FixedLocator([value for value in candidates if low <= value <= high])
            )
            axis.set_major_formatter(ScalarFormatter())
        else:
            axis.set_major_locator(LogLocator(numticks=5))
