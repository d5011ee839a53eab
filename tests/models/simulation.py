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

    ``name`` is a model's or a cell card's. ``inbox`` arrives in the first step; ``current`` (pA) is a function of time;
    ``initial`` and ``parameters`` are in the coherent set, one number or one a neuron.
    """
    receptors = (*receptors, "current") if current else receptors
    cell = cell_card(name, receptors) if "/" in name else Cell(model=name, receptors=receptors)
    model, own = NEURON_MODELS[cell.model], {receptor: RECEPTOR_MODELS[receptor] for receptor in receptors}
    program = step_program(model, own)
    texts = dict(model.parameters)
    for receptor in own.values():
        texts |= receptor.parameters
    texts |= cell.parameters
    values = {key: units.coherent(texts[key], program.parameters[key]) for key in texts} | parameters
    fixed = constants(program, values, dt, np.floor(values.get("t_ref", 0.0) / dt + 0.5))
    start = {key: units.coherent(v, program.units[key]) for key, v in (model.initial | cell.initial).items()}
    start |= initial or {}
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


def rate(times):
    """Return the rate (Hz) that the last half of the intervals has."""
    intervals = np.diff(times)
    return 1000.0 / np.mean(intervals[len(intervals) // 2 :])
