"""Simulate unconnected neurons of the library with plain numpy, to look at what they do."""

import numpy as np

from tests.models.steps import constants, step
from twinbrain import units
from twinbrain.models.library import cell_card
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.models.step import step_program
from twinbrain.spec.cell import Cell


def simulate(name, duration, dt, *, n=1, receptors=(), inbox=None, current=None, initial=None, **parameters):
    """Return the state after each step, and the times (ms) at which each of ``n`` neurons spikes.

    ``name`` is a model's or a cell card's, or those of one model, a neuron each. ``inbox`` arrives in the
    first step; ``current`` (pA) is a function of time; ``initial`` and ``parameters`` are in the coherent set, one
    number or one a neuron.
    """
    receptors = (*receptors, "current") if current else receptors
    names = (name,) if isinstance(name, str) else tuple(name)
    cells = [cell_card(x, receptors) if "/" in x else Cell(model=x, receptors=receptors) for x in names]
    (model,) = {cell.model for cell in cells}
    model, own = NEURON_MODELS[model], {receptor: RECEPTOR_MODELS[receptor] for receptor in receptors}
    program = step_program(model, own)
    texts = dict(model.parameters)
    for receptor in own.values():
        texts |= receptor.parameters
    values = _of_each([texts | cell.parameters for cell in cells], program.parameters) | parameters
    fixed = constants(program, values, dt, np.floor(values.get("t_ref", 0.0) / dt + 0.5))
    start = _of_each([model.initial | cell.initial for cell in cells], program.units) | (initial or {})
    n = max(n, len(names))
    state = {key: np.zeros(n) + start.get(key, 0.0) for key in program.state}
    trace, spikes = {key: [] for key in program.state}, [[] for _ in range(n)]
    for i in range(round(duration / dt)):
        arriving = (inbox or {}) if i == 0 else {}
        if current:
            arriving = arriving | {"current": current(i * dt)}
        state, spiking = step(program, fixed, state, arriving)
        for key, value in state.items():
            trace[key].append(value)
        for neuron in np.nonzero(spiking)[0]:
            spikes[neuron].append(i * dt)
    return {key: np.array(value) for key, value in trace.items()}, [np.array(times) for times in spikes]


def _of_each(texts, wanted):
    """Return values in the coherent set: one number of one cell, an array of several."""
    found = {key: [units.coherent(own[key], wanted[key]) for own in texts] for key in texts[0]}
    return {key: values[0] if len(values) == 1 else np.array(values) for key, values in found.items()}


def rate(times):
    """Return the rate (Hz) that the last half of the intervals has."""
    intervals = np.diff(times)
    return 1000.0 / np.mean(intervals[len(intervals) // 2 :])
