"""Small tasks that several tests share, of parts that fill batches of 64, so that each program is
compiled for one shape."""

from __future__ import annotations

from dataclasses import replace

from neurocode.learning import Task, stratified, tasks


def few_digits(steps: int = 4) -> Task:
    """Digits: 640 to train on, 64 to choose by and 192 to test on, every class in proportion."""
    task = tasks.digits(n_steps=steps)
    sizes = {"training": 640, "validation": 64, "test": 192}
    return replace(
        task,
        **{name: stratified(getattr(task, name), size, seed=0) for name, size in sizes.items()},
    )
