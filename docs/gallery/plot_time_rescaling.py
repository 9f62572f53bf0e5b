"""
Does the model explain when the cell fires?
===========================================

If a model is right, the expected number of spikes between two spikes has an exponential
distribution. These rescaled intervals show that a model without adaptation is wrong.
"""

import matplotlib.pyplot as plt

import neurocode as nc

truth = nc.models.gif((80.0,)).with_parameters(
    C="100 pF", g_L="5 nS", V_T="-48 mV", a_eta_1="40 pA", a_gamma_1="15 mV"
)
noise = {"mean": 140.0, "standard_deviation": 90.0}  # pA
experiment = nc.simulation.simulated_experiment(truth, current=noise, training="30 s", seed=2)
adapting = nc.models.gif((80.0,))
plain = adapting.with_parameters(a_eta_1="0 pA", a_gamma_1="0 mV").with_fixed(
    "a_eta_1", "a_gamma_1"
)
models = {"with adaptation": adapting, "without": plain}
scores = {
    label: nc.evaluate(nc.fit(model, experiment, starts=1), experiment, n_predictions=50)
    for label, model in models.items()
}

# %%
# The panels show the quantiles of the rescaled intervals on the held-out repeats, with the 95 %
# band of the Kolmogorov-Smirnov test.
figure, axes = plt.subplots(1, 2, figsize=(5, 2.6), sharey=True, layout="constrained")
for panel, (label, score) in zip(axes, scores.items(), strict=True):
    nc.plotting.spikes.rescaling(panel, score.ks.quantiles, score.ks.band)
    panel.set(title=f"{label}: {'passes' if score.ks.passed else 'is rejected'}")
plt.show()
