"""Errors and warnings that a user can act on: one sentence, naming what is wrong and what was
expected."""


class NeurocodeError(Exception):
    """Base of every error that neurocode raises on purpose."""


class ModelError(NeurocodeError, ValueError):
    """A neuron model is unknown, inconsistent or not allowed."""


class DataError(NeurocodeError, ValueError):
    """A recording, a spike train or a current cannot be used as it is."""


class FitError(NeurocodeError, ValueError):
    """A model cannot be fitted to these data."""


class TrainingError(NeurocodeError, ValueError):
    """A network cannot be trained as requested, or its training failed."""


class ClusterError(NeurocodeError, RuntimeError):
    """Requested workers are not available, or were lost."""


class MissingExtraError(NeurocodeError, ImportError):
    """A library that only some users need is not installed; the message says which command installs
    it."""


class MissingRepeatWarning(UserWarning):
    """A unit has no train in some of the segments that hold trains of others."""


class CoarseStepWarning(UserWarning):
    """A time step is not small against the fastest time constant of a model."""
