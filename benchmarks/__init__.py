"""Timings beside peers, each a script of its own, and the leaderboard that gathers them.

Contents
--------
lz, describe, training_step, manifold_step, noisy_step, fit_speed, spike_times, population,
inference_latency
    Scripts: ``python benchmarks/NAME.py --csv``.
timings, peers, quiet
    What the scripts share: their last lines, the libraries of the peers, and whether the machine is
    quiet.
leaderboard
    ``neurocode benchmark``: tasks, and the table that they write.
"""
