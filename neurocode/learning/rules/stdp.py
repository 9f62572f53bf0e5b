"""Pair-based spike-timing-dependent plasticity, as Brian2 synapses and as a step in JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import brian2
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, TrainingError
from neurocode.simulation.brian import code_generation

Array = jax.Array


class Traces(NamedTuple):
    """State of the synapses between two populations.

    Attributes
    ----------
    weights : array (n_pre, n_post)
    pre : array (n_pre,)
    post : array (n_post,)
        Exponential traces of the presynaptic and postsynaptic spikes.
    eligibility : array (n_pre, n_post)
        Changes that a reward would write to the weights.
    """

    weights: Array
    pre: Array
    post: Array
    eligibility: Array


@dataclass(frozen=True)
class PairSTDP:
    """Spike-timing-dependent plasticity of all spike pairs (Song, Miller, Abbott 2000; bounds after
    Gütig et al. 2003).

    A presynaptic spike before a postsynaptic one strengthens the synapse by ``a_plus
    exp(-dt/tau_plus) (w_max - w)^mu``; a presynaptic spike after it weakens the synapse by
    ``a_minus exp(-dt/tau_minus) w^mu``, with weights in units of ``w_max``. With ``mu = 0`` the
    bounds are hard and with ``mu = 1`` they are soft; weights stay within them in any case. Spikes
    of the same step count as presynaptic before postsynaptic. With a ``tau_reward`` the changes
    enter an eligibility trace, and the weights change by this trace times a reward (Izhikevich
    2007).

    Attributes
    ----------
    a_plus, a_minus : float
        Amplitudes in units of ``w_max``.
    tau_plus, tau_minus : float
        Time constants of the traces in seconds.
    w_max : float
        Largest weight.
    mu : float
        Exponent of the bounds.
    tau_reward : float, optional
        Time constant of the eligibility trace in seconds.

    Raises
    ------
    TrainingError
        For time constants, amplitudes or a largest weight that are not positive, or a negative
        exponent.

    Examples
    --------
    >>> rule = PairSTDP(a_plus=0.1, a_minus=0.1)
    >>> pre, post = np.zeros((20, 1)), np.zeros((20, 1))
    >>> pre[5], post[8] = 1, 1
    >>> weight = float(rule.run(pre, post, np.array([[0.5]]), 1e-3)[0, 0])
    >>> round(weight, 4) == round(0.5 + 0.1 * float(np.exp(-3 / 20)), 4)
    True
    """

    a_plus: float = 0.01
    a_minus: float = 0.0105
    tau_plus: float = 20e-3
    tau_minus: float = 20e-3
    w_max: float = 1.0
    mu: float = 0.0
    tau_reward: float | None = None

    def __post_init__(self) -> None:
        positive = [self.a_plus, self.a_minus, self.tau_plus, self.tau_minus, self.w_max]
        positive += [] if self.tau_reward is None else [self.tau_reward]
        if not all(0 < number < np.inf for number in positive) or not 0 <= self.mu < np.inf:
            raise TrainingError(
                "Amplitudes, time constants and the largest weight must be positive, and the "
                "exponent must not be negative."
            )

    def start(self, weights: Array) -> Traces:
        """Return the state before any spike, for weights (n_pre, n_post)."""
        weights = jnp.asarray(weights)
        pre, post = (jnp.zeros(n, weights.dtype) for n in weights.shape)
        return Traces(weights, pre, post, jnp.zeros_like(weights))

    def step(
        self, state: Traces, pre: Array, post: Array, dt: float, reward: Array | float = 0.0
    ) -> Traces:
        """Return the state after a step of ``dt`` seconds with spikes (n_pre,) and (n_post,) of
        zero or one."""
        trace_pre = state.pre * np.exp(-dt / self.tau_plus) + pre
        trace_post = state.post * np.exp(-dt / self.tau_minus)
        w, eligibility = state.weights, state.eligibility
        if self.tau_reward is None:
            w = jnp.clip(w + self._weakened(w, pre, trace_post), 0.0, self.w_max)
            w = jnp.clip(w + self._strengthened(w, trace_pre, post), 0.0, self.w_max)
            return Traces(w, trace_pre, trace_post + post, eligibility)
        eligibility = eligibility * np.exp(-dt / self.tau_reward)
        eligibility = (
            eligibility
            + self._weakened(w, pre, trace_post)
            + self._strengthened(w, trace_pre, post)
        )
        w = jnp.clip(w + reward * eligibility, 0.0, self.w_max)
        return Traces(w, trace_pre, trace_post + post, eligibility)

    def _weakened(self, w: Array, pre: Array, trace_post: Array) -> Array:
        return -self.a_minus * self.w_max * self._bounds(w)[1] * pre[:, None] * trace_post[None, :]

    def _strengthened(self, w: Array, trace_pre: Array, post: Array) -> Array:
        return self.a_plus * self.w_max * self._bounds(w)[0] * trace_pre[:, None] * post[None, :]

    def _bounds(self, w: Array) -> tuple[Array | float, Array | float]:
        """Return the factors by which the bounds reduce an increase and a decrease of a weight."""
        return (
            ((1 - w / self.w_max) ** self.mu, (w / self.w_max) ** self.mu)
            if self.mu
            else (1.0, 1.0)
        )

    def held_change(
        self, weights: Array, pre: Array, post: Array, dt: float, share: Array
    ) -> Array:
        """Return the change (n_pre, n_post) that sequences cause when weights are held fixed until
        the end of the sequences.

        Parameters
        ----------
        weights : array (n_pre, n_post)
        pre, post : array (time, batch, n_pre), (time, batch, n_post)
            Spikes, zero or one.
        dt : float
            Time step in seconds.
        share : array (batch,)
            Weight of each sequence: a reward, or one over the number of sequences.
        """
        trace_pre = _trace(pre, np.exp(-dt / self.tau_plus))
        trace_post = _trace(post, np.exp(-dt / self.tau_minus)) - post
        up = jnp.einsum("tbi,tbj,b->ij", trace_pre, post, share)
        down = jnp.einsum("tbi,tbj,b->ij", pre, trace_post, share)
        stronger, weaker = self._bounds(weights)
        return self.w_max * (self.a_plus * stronger * up - self.a_minus * weaker * down)

    def run(
        self,
        pre: np.ndarray,
        post: np.ndarray,
        weights: np.ndarray,
        dt: float,
        reward: np.ndarray | None = None,
    ) -> Array:
        """Return the weights (n_pre, n_post) after spikes (steps, n_pre) and (steps, n_post), with
        a reward (steps,) if the rule has a ``tau_reward``.

        Raises
        ------
        DataError
            For shapes that do not fit, spikes other than zero and one, weights outside their
            bounds, or a reward that is missing or that the rule does not take.
        """
        pre, post, weights, reward = self._checked(pre, post, weights, reward)

        def visit(state: Traces, moment: tuple[Array, Array, Array]) -> tuple[Traces, None]:
            pre_now, post_now, reward_now = moment
            return self.step(state, pre_now, post_now, dt, reward_now), None

        with jax.enable_x64(True):
            moments = (
                jnp.asarray(pre, float),
                jnp.asarray(post, float),
                jnp.asarray(reward, float),
            )
            return jax.lax.scan(visit, self.start(jnp.asarray(weights, float)), moments)[0].weights

    def _checked(
        self, pre: np.ndarray, post: np.ndarray, weights: np.ndarray, reward: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        pre, post, weights = (np.asarray(part, float) for part in (pre, post, weights))
        if (
            pre.ndim != 2
            or post.ndim != 2
            or len(pre) != len(post)
            or weights.shape != (pre.shape[1], post.shape[1])
        ):
            raise DataError(
                f"Spikes {pre.shape} and {post.shape} do not fit weights {weights.shape}."
            )
        if not np.all(np.isin(pre, (0, 1))) or not np.all(np.isin(post, (0, 1))):
            raise DataError("Spikes must be zero or one in every step.")
        if not np.all((weights >= 0) & (weights <= self.w_max)):
            raise DataError(f"Weights must lie between 0 and {self.w_max:g}.")
        if (reward is None) != (self.tau_reward is None):
            raise DataError("A reward is needed if, and only if, the rule has a tau_reward.")
        reward = np.zeros(len(pre)) if reward is None else np.asarray(reward, float)
        if reward.shape != (len(pre),) or not np.all(np.isfinite(reward)):
            raise DataError(
                f"The reward must be one finite number per step, not of shape {reward.shape}."
            )
        return pre, post, weights, reward

    def synapses(
        self, source: brian2.NeuronGroup, target: brian2.NeuronGroup, weights: np.ndarray
    ) -> brian2.Synapses:
        """Return the same rule as Brian2 synapses with a variable ``w``. If the rule has a
        ``tau_reward``, the shared variable ``reward`` sets the reward.

        The traces are updated at spikes; the reward acts in every step after the spikes.
        """
        pre_side, post_side = self._texts()
        model = "w : 1\n" + "\n".join(
            f"d{side}_trace/dt = -{side}_trace/tau_{name} : 1 (event-driven)"
            for side, name in (("pre", "plus"), ("post", "minus"))
        )
        namespace = {
            "a_plus": self.a_plus,
            "a_minus": self.a_minus,
            "w_max": self.w_max,
            "mu": self.mu,
            "tau_plus": self.tau_plus * brian2.second,
            "tau_minus": self.tau_minus * brian2.second,
        }
        if self.tau_reward is not None:
            model += "\nreward : 1 (shared)\neligibility : 1"
            namespace["keep"] = float(
                np.exp(-float(source.clock.dt / brian2.second) / self.tau_reward)
            )
        plastic = brian2.Synapses(
            source,
            target,
            model,
            dt=source.clock.dt,
            on_pre=pre_side,
            on_post=post_side,
            namespace=namespace,
        )
        with code_generation(1):
            plastic.connect()
        plastic.w = np.asarray(weights, float).ravel()
        plastic.pre.order, plastic.post.order = 0, 1
        if self.tau_reward is not None:
            plastic.run_regularly("eligibility = keep*eligibility", when="before_synapses")
            plastic.run_regularly(
                "w = clip(w + reward*eligibility, 0, w_max)", when="after_synapses"
            )
        return plastic

    def _texts(self) -> tuple[str, str]:
        weaker = "a_minus*w_max*(w/w_max)**mu*post_trace" if self.mu else "a_minus*w_max*post_trace"
        stronger = (
            "a_plus*w_max*(1 - w/w_max)**mu*pre_trace" if self.mu else "a_plus*w_max*pre_trace"
        )
        if self.tau_reward is None:
            return (
                f"w = clip(w - {weaker}, 0, w_max)\npre_trace += 1",
                f"w = clip(w + {stronger}, 0, w_max)\npost_trace += 1",
            )
        return (
            f"eligibility -= {weaker}\npre_trace += 1",
            f"eligibility += {stronger}\npost_trace += 1",
        )


def _trace(spikes: Array, keep: float) -> Array:
    """Return exponential traces (time, batch, n); the trace of a step includes its spike."""

    def visit(trace: Array, spikes_now: Array) -> tuple[Array, Array]:
        trace = keep * trace + spikes_now
        return trace, trace

    return jax.lax.scan(visit, jnp.zeros_like(spikes[0]), spikes)[1]
