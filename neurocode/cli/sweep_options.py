"""Options that choose the sweeps and channels of a recording."""

from __future__ import annotations

from typing import Annotated

import typer

Sweeps = Annotated[
    str | None, typer.Option(help="Numbers of sweeps, such as 3,5,7-12 (default: all).")
]
VoltageChannel = Annotated[
    str | None,
    typer.Option(
        help="Name of a voltage channel, series or electrode, or its number among the voltages, "
        "from 0."
    ),
]
CurrentChannel = Annotated[
    str | None,
    typer.Option(help="Name of a current channel, or its number among the currents, from 0."),
]
Start = Annotated[
    float | None, typer.Option(help="Start of the part of each sweep that is used, in seconds.")
]
Stop = Annotated[float | None, typer.Option(help="End of that part, in seconds.")]
BiasCurrent = Annotated[
    str,
    typer.Option(
        help="Bias (holding) current that an NWB file states: add it to the stimulus, ignore it, "
        "or auto."
    ),
]
SpikeThreshold = Annotated[
    float, typer.Option(help="Voltage whose upward crossing is a spike (mV).")
]
DeadTime = Annotated[
    float, typer.Option(help="Crossings closer than this to the previous spike are ignored (ms).")
]
