"""Advance a stage in chunks, by kernels: equal to the loop of `twinbrain.learn.advance`, and several times as fast."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from twinbrain.learn.advance import StageActivity, StageRun
from twinbrain.learn.cell import SpikingCell, State
from twinbrain.learn.fused.chunk import Advanced, advance_chunk
from twinbrain.learn.fused.memory import joined
from twinbrain.learn.fused.recurrent import Recurrence, advance_recurrent
from twinbrain.learn.fused.surrogates import SURROGATES
from twinbrain.spec.training import Surrogate


def can_fuse(run: StageRun, surrogate: Surrogate | None) -> bool:
    """Return whether kernels can advance a stage.

    They differentiate surrogates that they know, links that are matrices, weights that carry the gradient back
    themselves, and cells without a step of their own.
    """
    return (
        surrogate is not None
        and surrogate.name in SURROGATES
        and all(feedback is None and (link.is_dense or len(run.cells) > 1) for link, _, feedback in run.links)
        and all(cell.program.jumps and not cell.own_step for cell in run.cells)
    )


def advance_fused(run: StageRun, surrogate: Surrogate) -> StageActivity:
    """Advance a stage by kernels; see `can_fuse`."""
    n_steps, n_trials = run.given.shape[:2]
    states = [cell.initial(n_trials) for cell in run.cells]
    constants = [cell.constants() for cell in run.cells]
    spikes: list[Tensor] = []
    observed: list[Tensor] = []
    one = len(run.cells) == 1
    longest = max((link.delay + 1 for link, _, _ in run.links), default=1)
    length = n_steps if one or not run.links else min(link.delay + 1 for link, _, _ in run.links)
    lists = [prepared for link, prepared, _ in run.links if not link.is_dense]
    listed = None if run.delayed is None else run.delayed.prepare(lists)
    sent: list[Tensor] = []  # the same spikes, no gradient passing to those of earlier windows
    for start, stop in _chunks(n_steps, length, run.window or n_steps):
        if run.window is not None and start and start % run.window == 0:
            states = [{name: value.detach() for name, value in state.items()} for state in states]
            sent = [part.detach() for part in sent]
        past = _past(sent, longest, run.given.new_empty((0, n_trials, _size(run))))
        given = run.given if stop - start == n_steps else run.given[start:stop]
        if one:
            found = [_alone(run, surrogate, states[0], constants[0], given, past)]
        else:
            inbox = given + sum(_arriving(run, past, stop - start, listed))
            found = [
                _chunk(cell, surrogate, state, own, arrived, run.observe)
                for cell, state, own, arrived in zip(
                    run.cells, states, constants, _by_receptor(run.cells, inbox), strict=True
                )
            ]
        states = [own.state for own in found]
        spikes.append(joined([own.spikes for own in found], 2))
        sent.append(spikes[-1])
        if run.observe:
            observed.append(joined([own.observed[run.observe] for own in found], 2))
    return StageActivity(joined(spikes, 0), joined(observed, 0) if run.observe else None, states)


def _chunks(n_steps: int, length: int, window: int) -> Iterator[tuple[int, int]]:
    """Yield the first step of each chunk and of the next; none goes beyond a window."""
    for first in range(0, n_steps, window):
        last = min(first + window, n_steps)
        yield from ((start, min(start + length, last)) for start in range(first, last, length))


def _alone(
    run: StageRun, surrogate: Surrogate, state: State, constants: State, given: Tensor, past: Tensor
) -> Advanced:
    (cell,) = run.cells
    observe = (run.observe,) if run.observe else ()
    (arrived,) = _by_receptor(run.cells, given)
    recurrences = []
    for link, prepared, _ in run.links:
        parts = prepared.view(cell.n_neurons, len(cell.program.jumps), cell.n_neurons)
        for place in link.receptors(cell.n_neurons):
            receptor = list(cell.program.jumps)[place]
            recurrences.append(Recurrence(receptor, link.delay, parts[:, place].contiguous()))
    if not recurrences:
        return advance_chunk(
            cell.program, surrogate.name, surrogate.slope, state, constants, arrived.contiguous(), observe
        )
    return advance_recurrent(
        cell.program,
        surrogate.name,
        surrogate.slope,
        state,
        constants,
        arrived.contiguous(),
        tuple(recurrences),
        observe,
        past,
    )


def _chunk(
    cell: SpikingCell, surrogate: Surrogate, state: State, constants: State, arrived: Tensor, observe: str | None
) -> Advanced:
    seen = (observe,) if observe else ()
    return advance_chunk(cell.program, surrogate.name, surrogate.slope, state, constants, arrived.contiguous(), seen)


def _arriving(run: StageRun, past: Tensor, n_steps: int, listed: Tensor | None) -> list[Tensor]:
    """Return what earlier spikes of the stage add in the next steps; ``past`` ends just before them."""
    found = []
    if run.delayed is not None and listed is not None:
        found.append(run.delayed.deliver(past, listed, n_steps))
    for link, prepared, _ in run.links:
        if run.delayed is not None and not link.is_dense:
            continue
        first = len(past) - link.delay - 1
        late = min(max(0, -first), n_steps)  # there was nothing before time zero
        sent = past[max(first, 0) : max(first + n_steps, 0)]
        arriving = link.deliver(sent, prepared)
        found.append(torch.nn.functional.pad(arriving, (0, 0, 0, 0, late, n_steps - late - len(sent))))
    return found


def _past(spikes: list[Tensor], longest: int, empty: Tensor) -> Tensor:
    """Return the last spikes, as many steps as the longest delay asks for."""
    if not spikes:
        return empty
    needed, total = 0, 0
    while needed < len(spikes) and total < longest:
        needed += 1
        total += len(spikes[-needed])
    return joined(spikes[-needed:], 0)[-longest:]


def _by_receptor(cells: list[SpikingCell], inbox: Tensor) -> list[Tensor]:
    """Return for each cell what arrives, shape (step, trial, receptor, neuron)."""
    found, start = [], 0
    for cell in cells:
        n = len(cell.program.jumps) * cell.n_neurons
        found.append(inbox[..., start : start + n].unflatten(-1, (len(cell.program.jumps), cell.n_neurons)))
        start += n
    return found


def _size(run: StageRun) -> int:
    return sum(cell.n_neurons for cell in run.cells)
