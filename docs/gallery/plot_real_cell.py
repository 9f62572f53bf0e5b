"""
A serotonin cell of the dorsal raphe
====================================

The cell was recorded in current clamp. A model is fitted to the spikes of the training sweep and
then predicts the repeats with frozen noise. The recording is public
(``neurocode data fetch raphe``).
"""

import os
from pathlib import Path

import neurocode as nc

folder = Path(os.environ["NEUROCODE_DATA"]) / "raphe"
experiment = nc.Experiment.from_files(
    folder / "DRN164_5ht_training.abf", test=folder / "DRN164_5ht_test.abf"
)
print(experiment)
result = nc.fit(nc.models.gif(), experiment, starts=1, dt=4e-4)
scores = nc.evaluate(result, experiment, n_predictions=100)
print(scores.summary())

# %%
# The figure shows the recorded and the predicted repeats, the rate, and the goodness of fit.
scores.plot()
