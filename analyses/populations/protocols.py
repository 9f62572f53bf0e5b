"""Rows of the study: planted networks by seed, and recordings.

Sizes are our choice, fixed before any network of the study was fitted; two networks of twice the
size served to see how long a fit takes.
"""

from __future__ import annotations

from typing import Any

from analyses.populations.recordings import FILES

Row = dict[str, Any]

PROTOCOLS = ("reduced", "quick")
#: Cells, bins of a repeat, repeats; and the same for a run of a few seconds.
NETWORK = {"neurons": 20, "bins": 3000, "repeats": 20}
QUICK = {"neurons": 4, "bins": 1000, "repeats": 10}
N_NETWORKS = 100


def networks(protocol: str) -> list[Row]:
    """Return one row per planted network."""
    quick = protocol == "quick"
    size, count = (QUICK, 1) if quick else (NETWORK, N_NETWORKS)
    return [{"dataset": "planted", **size, "seed": seed} for seed in range(count)]


def recordings(protocol: str) -> list[Row]:
    """Return one row per recording; the quick protocol reads none."""
    if protocol == "quick":
        return []
    return [{"dataset": name, "updates": 700, "seed": 0} for name in FILES]
