"""Errors and warnings that a user can act on: one sentence, naming what is wrong and what was
expected."""


class NeurocodeError(Exception):
    """Base of every error that neurocode raises on purpose."""


class ModelError(NeurocodeError, ValueError):
    """A neuron model is unknown, inconsistent or not allowed."""


class DataError(NeurocodeError, ValueError):
    """A recording, a spike train or a current cannot be used as it is."""


class FitError(NeurocodeError, ValueError):
    """A model cannot be fitted to the data given."""


class TrainingError(NeurocodeError, ValueError):
    """A network cannot be trained as asked, or its training went astray."""


class ClusterError(NeurocodeError, RuntimeError):
    """Workers that were asked for are not there, or were lost."""


class MissingExtraError(NeurocodeError, ImportError):
    """A library that only some users need is not installed; the message says which command installs
    it."""


class CoarseStepWarning(UserWarning):
    """A time step is not small against the fastest time constant of a model."""
