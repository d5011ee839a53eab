"""A small circuit in continuous time: its spikes are found from event to event, without steps."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, inf, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from twinbrain.errors import LearnError

Floats = NDArray[np.float64]
GIVEN = _NO_SOURCE = -1
"""In the place of a spike's number, where a spike came from outside."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """Leaky integrate-and-fire neurons with exponentially decaying synaptic currents.

    Parameters
    ----------
    C_m, g_L, E_L, V_th, V_reset, t_ref, tau : ndarray of float64, shape (neuron,)
        Of each neuron, in pF, nS, mV, mV, mV, ms; the last is the time constant of its current, in ms.
    weight : ndarray of float64 (pA), shape (source, target)
        Sources are the inputs, then the neurons. Where it is 0 there still is a synapse.
    delay : ndarray of float64 (ms), shape (source, target)
        Where it is infinite there is no synapse.

    Raises
    ------
    LearnError
        If the current of a neuron decays as fast as its membrane potential, for which the formulas have no value.
    """

    C_m: Floats
    g_L: Floats
    E_L: Floats
    V_th: Floats
    V_reset: Floats
    t_ref: Floats
    tau: Floats
    weight: Floats
    delay: Floats

    def __post_init__(self) -> None:
        same = np.isclose(self.C_m / self.g_L, self.tau, rtol=1e-6)
        if same.any():
            raise LearnError(
                f"expected time constants of membrane and current that differ, found {self.tau[same][0]:g} ms for both "
                f"of neuron {int(same.argmax())}; change one of them a little"
            )

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.weight) - len(self.C_m)


@dataclass(frozen=True)
class Event:
    """What happened to a neuron.

    Parameters
    ----------
    time : float (ms)
        When.
    kind : {"arrival", "spike", "release"}
        A spike arrived at it, it spiked, or it ceased to be refractory.
    neuron, spike : int
        The neuron, and the spike by which it happened; -1 if that was given.
    source : int
        Where what arrived came from.
    slope : float (mV/ms)
        Of the potential, before a spike and after refractoriness.
    """

    time: float
    kind: Literal["arrival", "spike", "release"]
    neuron: int
    spike: int
    source: int = -1
    slope: float = 0.0


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes of a circuit, and the events that led to them.

    Parameters
    ----------
    time : ndarray of float64 (ms), shape (spike,)
        Ascending.
    neuron : ndarray of int64, shape (spike,)
        Which neuron.
    events : list of Event
        In the order in which they happened.
    """

    time: Floats
    neuron: NDArray[np.int64]
    events: list[Event] = field(repr=False)


class _Neuron:
    """Membrane potential and current of one neuron, known in closed form up to its next event."""

    def __init__(self, circuit: Circuit, n: int) -> None:
        self.C, self.g, self.rest = circuit.C_m[n], circuit.g_L[n], circuit.E_L[n]
        self.threshold, self.reset_to, self.t_ref = circuit.V_th[n], circuit.V_reset[n], circuit.t_ref[n]
        self.tau_m, self.tau = self.C / self.g, circuit.tau[n]
        self.free_from, self.v = 0.0, self.rest  # from then on the potential moves
        self.current_at, self.current = 0.0, 0.0

    def current_of(self, time: float) -> float:
        return float(self.current * exp(-(time - self.current_at) / self.tau))

    def slope(self, time: float, v: float) -> float:
        return float((self.g * (self.rest - v) + self.current_of(time)) / self.C)

    def _parts(self) -> tuple[float, float]:
        fast = self.current_of(self.free_from) / (self.g - self.C / self.tau)
        return self.v - self.rest - fast, fast

    def potential(self, time: float) -> float:
        slow, fast = self._parts()
        passed = time - self.free_from
        return float(self.rest + slow * exp(-passed / self.tau_m) + fast * exp(-passed / self.tau))

    def receive(self, time: float, weight: float) -> None:
        if time > self.free_from:
            self.v, self.free_from = self.potential(time), time
        self.current, self.current_at = self.current_of(time) + weight, time

    def spike(self, time: float) -> None:
        self.v, self.free_from = self.reset_to, time + self.t_ref

    def crossing(self, until: float) -> float:
        """Return when the potential next crosses the threshold; infinite if not by then."""
        start = max(self.free_from, self.current_at)
        if start >= until:
            return inf
        slow, fast = self._parts()
        ends = [start, until]
        if slow * fast < 0:  # where it turns
            turn = self.free_from + log(-fast * self.tau_m / (slow * self.tau)) / (1 / self.tau - 1 / self.tau_m)
            if start < turn < until:
                ends.insert(1, turn)
        for left, right in pairwise(ends):
            if self.potential(left) <= self.threshold < self.potential(right):
                return float(brentq(lambda t: self.potential(t) - self.threshold, left, right, xtol=1e-14, rtol=1e-15))
        return inf


def spike_times(circuit: Circuit, time: Floats, source: NDArray[np.int64], duration: float) -> Spikes:
    """Return the spikes of a circuit at rest that gets input spikes.

    Parameters
    ----------
    circuit : Circuit
        The circuit.
    time : ndarray of float64 (ms), shape (input spike,)
        Input spikes.
    source : ndarray of int64, shape (input spike,)
        The input of each.
    duration : float (ms)
        How long.
    """
    neurons = [_Neuron(circuit, n) for n in range(len(circuit.C_m))]
    coming: list[tuple[float, int, int, int]] = []  # time, source, neuron, spike; of an end of refractoriness no source

    def send(at: float, source: int, spike: int) -> None:
        for target, delay in enumerate(circuit.delay[source].tolist()):
            if at + delay < duration:
                heapq.heappush(coming, (at + delay, source, target, spike))

    for at, which in zip(time.tolist(), source.tolist(), strict=True):
        send(at, which, GIVEN)
    crossing = [neuron.crossing(duration) for neuron in neurons]
    events: list[Event] = []
    times: list[float] = []
    spiking: list[int] = []
    while coming or min(crossing) < inf:
        n = int(np.argmin(crossing))
        if not coming or crossing[n] < coming[0][0]:
            at, spike = crossing[n], len(times)
            events.append(Event(at, "spike", n, spike, slope=neurons[n].slope(at, circuit.V_th[n])))
            neurons[n].spike(at)
            times.append(at)
            spiking.append(n)
            send(at, circuit.n_inputs + n, spike)
            if at + circuit.t_ref[n] < duration:
                heapq.heappush(coming, (at + circuit.t_ref[n], _NO_SOURCE, n, spike))
        else:
            at, which, n, spike = heapq.heappop(coming)
            if which == _NO_SOURCE:
                events.append(Event(at, "release", n, spike, slope=neurons[n].slope(at, circuit.V_reset[n])))
            else:
                neurons[n].receive(at, circuit.weight[which, n])
                events.append(Event(at, "arrival", n, spike, which))
        crossing[n] = neurons[n].crossing(duration)
    return Spikes(np.array(times), np.array(spiking, np.int64), events)
