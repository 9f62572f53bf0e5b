"""A network of Brian2 that runs in JAX, has derivatives, and gets its values back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import neo
import numpy as np

from neurocode.errors import FitError, ModelError
from neurocode.networks.capture import Handles, capture
from neurocode.networks.captured import Captured
from neurocode.networks.compiled import CompiledRunner
from neurocode.networks.differentiable import Recorded, network_function
from neurocode.networks.fit import NetworkFit, descend
from neurocode.networks.output import fill, to_block
from neurocode.networks.program import plan_of
from neurocode.networks.records import records_of
from neurocode.networks.run import Runner
from neurocode.networks.targets import targets_of
from neurocode.units import seconds

if TYPE_CHECKING:  # learning needs libraries of an extra
    from neurocode.learning.surrogate import Surrogate

Values = Mapping[str, Any]

ENGINES = {"jax": Runner, "numba": CompiledRunner}


def from_brian(
    network: Any = None, *, namespace: Mapping[str, Any] | None = None, level: int = 0
) -> BrianNetwork:
    """Read a network of Brian2 objects as it stands, without running or changing it.

    Parameters
    ----------
    network : brian2.Network, optional
        By default everything that ``brian2.run`` would run where this is called.
    namespace : dict, optional
        Values of the names in equations, as in ``brian2.run``; by default the variables where this
        is called.
    level : int
        How many more frames up the caller is, as in ``brian2.run``.

    Returns
    -------
    BrianNetwork

    Raises
    ------
    ModelError
        If an object is not covered; the message names it and says why.

    Examples
    --------
    >>> import brian2
    >>> neurons = brian2.NeuronGroup(
    ...     1, "dv/dt = (2 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    ... )
    >>> spikes = brian2.SpikeMonitor(neurons)
    >>> read = from_brian(brian2.Network(neurons, spikes))
    >>> len(read.run("50 ms").segments[0].spiketrains[0])
    7
    """
    return BrianNetwork(*capture(network, namespace, level + 1))


class BrianNetwork:
    """A network that :func:`from_brian` has read.

    Every run starts from the state in which the network was read. The user's Brian2 objects change
    only where :meth:`write_back` or ``fill_monitors`` says so.

    Parameters
    ----------
    captured : Captured
    handles : Handles
        The user's own objects.
    """

    def __init__(self, captured: Captured, handles: Handles) -> None:
        self.captured, self.handles = captured, handles
        self.plan = plan_of(captured)

    @cached_property
    def _runners(self) -> dict[str, Runner | CompiledRunner]:
        """Those that have been needed, by engine."""
        return {}

    def _runner(self, engine: str) -> Runner | CompiledRunner:
        if engine not in ENGINES:
            raise ModelError(f"There is no engine '{engine}'; known are {', '.join(ENGINES)}.")
        if engine not in self._runners:
            self._runners[engine] = ENGINES[engine](self.captured, self.plan)
        return self._runners[engine]

    def _n_steps(self, duration: object) -> int:
        start = self.plan.first
        stop = self.captured.t + seconds(duration, "The duration")
        return self.plan.step_of(stop) - start

    def run(
        self,
        duration: object,
        *,
        engine: str = "jax",
        seed: int = 0,
        values: Values | None = None,
        fill_monitors: bool = False,
    ) -> neo.Block:
        """Run the network.

        Without random numbers the spikes are those of Brian2's own run.

        Parameters
        ----------
        duration : str, quantity or float
            Such as ``"1 s"``; a plain number is in seconds.
        engine : {"jax", "numba"}
            ``"numba"`` compiles one loop over time, which takes longer, and then runs faster where
            few neurons spike in a step. Random numbers differ between the engines.
        seed : int
            Seed of all random numbers; they are not those that Brian2 draws.
        values : dict of str to array, optional
            Values in SI that replace those of the network; see :meth:`values`.
        fill_monitors : bool
            Whether to append what was recorded to the user's own monitors.

        Returns
        -------
        neo.Block
            One train per neuron that a monitor of spikes or events records, and one signal per
            variable that another monitor records.

        Raises
        ------
        DataError
            If the duration is not a positive time.
        ModelError
            If a value is not one of the network's, for an unknown engine, or if a function has a
            JAX version only and the engine is ``"numba"``.
        """
        runner = self._runner(engine)
        n_steps = self._n_steps(duration)
        replaced = self._checked(values or {})
        arrays = {k: replaced.get(k, value) for k, value in self.captured.arrays.items()}
        constants = {k: replaced.get(k, value) for k, value in self.captured.constants.items()}
        _, pieces = runner(n_steps, arrays, constants, seed)
        records = records_of(self.plan, n_steps, pieces)
        if fill_monitors:
            fill(self.handles, records)
        t_start = self.captured.t
        return to_block(records, t_start, t_start + n_steps * self.plan.dt)

    def values(self, free: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """Values of the network that may be changed, in SI.

        Parameters
        ----------
        free : iterable of str, optional
            Such as ``["synapses.w", "neurons.tau"]``: a variable of a group or of synapses, or a
            constant in their equations. By default all of them.

        Returns
        -------
        dict of str to numpy.ndarray

        Raises
        ------
        ModelError
            For an unknown name.
        """
        names = list(self._shapes if free is None else free)
        self._require_known(names)
        known = {**self.captured.arrays, **self.captured.constants}
        return {name: np.array(known[name]) for name in names}

    def write_back(self, values: Values) -> None:
        """Give values to the user's Brian2 objects.

        A constant is written to the ``namespace`` of its group, which Brian2 prefers to variables
        of the script.

        Parameters
        ----------
        values : dict of str to array
            In SI; see :meth:`values`.

        Raises
        ------
        ModelError
            For an unknown name or a value of another shape.
        """
        for name, value in self._checked(values).items():
            self.handles.write(name, np.asarray(value, float))

    def function(
        self, duration: object, *, surrogate: Surrogate | None = None, seed: int = 0
    ) -> Callable[[Values], Recorded]:
        """A run as a pure function of values, with derivatives in both directions.

        Parameters
        ----------
        duration : str, quantity or float
            Such as ``"100 ms"``.
        surrogate : Surrogate, optional
            Replaces the derivative of a spike with respect to the distance to threshold, which is
            in the units of the equations (SI). Without one, derivatives are exact between changes
            of spikes, whose steps and numbers count as fixed. Random numbers are held in both
            cases.
        seed : int

        Returns
        -------
        callable
            Takes a dictionary of values (see :meth:`values`) and returns :class:`Recorded`. Call it
            and its derivatives inside ``jax.enable_x64(True)``.

        Raises
        ------
        ModelError
            If the order of synapses matters, or if a threshold has no margin for the surrogate.
        """
        run = network_function(self.captured, self.plan, self._n_steps(duration), surrogate, seed)
        return lambda values: run(self._checked(values))

    def fit(
        self,
        duration: object,
        *,
        free: Iterable[str],
        spikes: Any = None,
        signals: Mapping[str, Any] | None = None,
        surrogate: Surrogate | None = None,
        intervals: Mapping[str, tuple[float, float]] | None = None,
        time_constant: object = "10 ms",
        updates: int = 200,
        rate: float = 0.02,
        seed: int = 0,
    ) -> NetworkFit:
        """Find values with which the network records what has been recorded elsewhere.

        Parameters
        ----------
        duration : str, quantity or float
            Time from the state in which the network was read.
        free : iterable of str
            Values to be found; see :meth:`values`. They start from those of the network.
        spikes : sequence of trains, or dict of str to sequence of trains, optional
            Neo trains, or arrays of seconds, of all neurons of a monitor; by the name of the
            monitor where several record spikes.
        signals : dict of str to signal, optional
            Neo signals, or arrays in SI of shape (steps, entries), by names such as
            ``"neurons.v"``, which a ``StateMonitor`` records.
        surrogate : Surrogate, optional
            Needed for spikes; see :meth:`function`.
        intervals : dict of str to (float, float), optional
            Bounds in SI.
        time_constant : str, quantity or float
            Of the exponential filter by which spikes are compared (van Rossum 2001).
        updates : int
            Number of steps of Adam.
        rate : float
            Size of a step as a part of the mean size of a value.
        seed : int

        Returns
        -------
        NetworkFit

        Raises
        ------
        FitError
            If there is nothing to fit, or if trains and signals do not belong to the monitors.
        MissingExtraError
            If optax is not installed.
        """
        n_steps = self._n_steps(duration)
        decay = math.exp(-self.plan.dt / seconds(time_constant, "The time constant"))
        targets = targets_of(self.plan, n_steps, spikes, signals or {}, decay)
        if targets.spikes and surrogate is None:
            raise FitError("A fit to spikes needs a surrogate, without which they count as fixed.")
        function = self.function(duration, surrogate=surrogate, seed=seed)
        start = self.values(free)
        return descend(function, start, targets, intervals or {}, updates, rate)

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the values that may be changed."""
        arrays = {
            key: value.shape
            for key, value in self.captured.arrays.items()
            if value.dtype.kind == "f" and key not in self.captured.fixed
        }
        return {**arrays, **dict.fromkeys(self.captured.constants, ())}

    def _require_known(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._shapes:
                raise ModelError(
                    f"'{name}' is not a value of the network; known are "
                    f"{', '.join(sorted(self._shapes))}."
                )

    def _checked(self, values: Values) -> Values:
        """Refuse values that the network does not have, or of another shape."""
        self._require_known(values)
        for name, value in values.items():
            if np.shape(value) != self._shapes[name]:
                raise ModelError(
                    f"'{name}' has the shape {np.shape(value)}, expected {self._shapes[name]}."
                )
        return values
