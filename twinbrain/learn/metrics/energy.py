"""Energy of counted operations: an estimate for comparisons of arithmetic, and no more."""

from __future__ import annotations

from typing import Literal, NamedTuple

from twinbrain.learn.metrics.operations import Operations

Precision = Literal["float32", "float16", "int8"]


class OperationEnergy(NamedTuple):
    """What an operation takes.

    Parameters
    ----------
    mac, ac : float (pJ)
        Multiplying and adding, and adding alone.
    """

    mac: float
    ac: float


# Horowitz (2014), doi 10.1109/ISSCC.2014.6757323: 45 nm, 0.9 V.
HOROWITZ: dict[Precision, OperationEnergy] = {
    "float32": OperationEnergy(3.7 + 0.9, 0.9),
    "float16": OperationEnergy(1.1 + 0.4, 0.4),
    "int8": OperationEnergy(0.2 + 0.03, 0.03),
}

CAVEATS = (
    "Energy is that of the arithmetic alone, in 45 nm (Horowitz 2014). It leaves out memory and communication, which "
    "usually dominate: fetching 32 bits takes 5 pJ from a small cache and hundreds from DRAM. It leaves out neurons' "
    "own updates, which spiking networks pay at every step whether there are spikes or not, and it takes for granted "
    "hardware that skips every zero. It compares counts of operations; it predicts no device."
)


def energy(operations: Operations, precision: Precision = "float32") -> float:
    """Return the energy of the effective synaptic operations of a trial; read `CAVEATS` along with it.

    Parameters
    ----------
    operations : Operations
        Counted operations.
    precision : {"float32", "float16", "int8"}, optional
        Of the arithmetic.

    Returns
    -------
    float (pJ)
        Multiply-accumulates and accumulates, each times its energy.
    """
    each = HOROWITZ[precision]
    return operations.macs * each.mac + operations.acs * each.ac


def break_even_spikes(precision: Precision = "float32") -> float:
    """Return how many spikes of a neuron take the energy of one dense pass of a rate through the same synapses.

    A spiking network that fires more than this in a trial (5.1 spikes a neuron in float32) takes more energy than a
    network of rates of the same synapses that answers in one pass, even by this count, which leaves out its neurons.

    Parameters
    ----------
    precision : {"float32", "float16", "int8"}, optional
        Of the arithmetic.
    """
    each = HOROWITZ[precision]
    return each.mac / each.ac
