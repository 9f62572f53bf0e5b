"""Small tasks that several tests share, of parts that fill batches of 64, so that each program is
compiled for one shape."""

from __future__ import annotations

from dataclasses import replace

from neurocode.learning import Task, stratified, tasks


def few_digits(steps: int = 4) -> Task:
    """Return digits with all classes in proportion: 640 for training, 64 for validation and 192 for
    the test."""
    task = tasks.digits(n_steps=steps)
    sizes = {"training": 640, "validation": 64, "test": 192}
    return replace(
        task,
        **{name: stratified(getattr(task, name), size, seed=0) for name, size in sizes.items()},
    )
