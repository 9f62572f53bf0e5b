"""
Do a model's responses look like the recorded ones?
===================================================

A fitted model is simulated, and its spikes are compared with held-out repeats. The table shows the
difference in each statistic together with the difference between two halves of the recording.
"""

import neo

import neurocode as nc

truth = nc.models.gif((80.0,)).with_parameters(
    C="100 pF", g_L="5 nS", V_T="-48 mV", a_eta_1="30 pA", a_gamma_1="5 mV"
)
noise = {"mean": 120.0, "standard_deviation": 90.0}  # pA
experiment = nc.simulation.simulated_experiment(
    truth, current=noise, training="30 s", test="8 s", repeats=20, seed=3
)
result = nc.fit(nc.models.gif((80.0,)), experiment, starts=1)
scores = nc.evaluate(result, experiment, n_predictions=20)
predicted, recorded = (
    [neo.SpikeTrain(times, t_stop=scores.duration, units="s") for times in trains]
    for trains in (scores.predicted, scores.recorded)
)
table = nc.compare(predicted, recorded, n_splits=10)
print(table.round(3))

# %%
# The figure shows the rates, intervals and variability of the model and of the recording.
nc.plotting.compare_figure(table, nc.statistics.curves(predicted), nc.statistics.curves(recorded))
