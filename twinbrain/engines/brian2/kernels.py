"""Compiled loops beside Brian2's: take the inbox, gather and deliver spikes."""

# Compiled functions have no type hints: numba infers their types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def take_inbox(ring, slot, inbox):
    """Move one slot of the ring into the inbox."""
    row = ring[slot]
    for i in range(inbox.shape[0]):
        inbox[i] = row[i]
        row[i] = 0


@numba.njit(cache=True)
def gather(has_spiked, neurons, step, n_spikes, steps, spikes):
    """Append the spikes of a block to the record; return their new number, which may be beyond its end."""
    capacity = steps.shape[0]
    n = has_spiked.shape[0]
    for first in range(0, n, 32):
        last = min(first + 32, n)
        total = 0.0
        for i in range(first, last):
            total += has_spiked[i]
        if total == 0.0:
            continue
        for i in range(first, last):
            if has_spiked[i] != 0.0:
                if n_spikes < capacity:
                    steps[n_spikes] = step
                    spikes[n_spikes] = neurons[i]
                n_spikes += 1
    return n_spikes


@numba.njit(cache=True)
def deliver(steps, spikes, first, last, now, row_start, post, weight, delay, ring):
    """Add the synapses of spikes ``first … last - 1`` to the ring, those due before step ``now`` left out."""
    n_slots = ring.shape[0]
    for s in range(first, last):
        base = np.int64(steps[s]) + 1
        slot = base % n_slots
        missed = now - base
        for j in range(row_start[spikes[s]], row_start[spikes[s] + 1]):
            d = np.int64(delay[j])
            if d < missed:
                continue
            place = slot + d
            if place >= n_slots:
                place -= n_slots
            ring[place, post[j]] += weight[j]
