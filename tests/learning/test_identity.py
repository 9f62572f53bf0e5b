"""Two trainings count as the same only if everything that determines them is equal; all keys of the
noise are different."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from neurocode.learning import Dense, Network, Part, Readout, Settings, Task
from neurocode.learning.identity import _digest, identity
from neurocode.learning.network import _keys

DT = 1e-3
PART = Part(np.zeros((2, 3, 1)), np.zeros(2, int), np.ones((2, 3), bool))
TASK = Task("task", PART, PART, PART, "last_step", 2, DT)
NETWORK = Network([Readout(Dense(1, 2, key=jax.random.key(0)), DT)])


@pytest.mark.parametrize(
    "change",
    [{"free_running_from": 1}, {"dt": 2e-3}, {"name": "other"}, {"loss": "mean_potential"}],
)
def test_another_task_is_another_training(change):
    reference = identity(NETWORK, TASK, Settings(), 0)
    assert (
        reference
        == identity(NETWORK, replace(TASK), Settings(), 0)
        != identity(NETWORK, replace(TASK, **change), Settings(), 0)
    )


def test_arrays_of_the_same_bytes_differ_by_shape_and_type():
    arrays = [np.zeros((2, 3)), np.zeros((3, 2)), np.zeros(6), np.zeros(6, int), np.zeros((1, 6))]
    assert len({_digest([array]) for array in arrays}) == len(arrays)


def test_noise_dropout_and_disturbance_of_every_layer_draw_by_keys_of_their_own():
    keys = [key for layer in range(3) for key in _keys(jax.random.key(0), layer)]
    assert len({tuple(jax.random.key_data(key).tolist()) for key in keys}) == 9
