"""A step whose spikes have the gradient of their times, in the place of a surrogate's."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from twinbrain.engines.torch.render import render
from twinbrain.learn.fused.stepwise import SurrogateStep
from twinbrain.learn.fused.threshold import MEMBRANE, read_threshold
from twinbrain.models.algebra import Statement
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

_MARGIN, _RISEN, _FREE = "_margin", "_risen", "_free"
_MOVED, _WAITING = "_moved", "_waiting"


def spike_time_step(program: StepProgram, dt: float, slowest: float) -> SurrogateStep:
    """Return the step of a program, with the values of every engine and the gradient of spike times.

    A spike of which the membrane potential is raised comes earlier, by what it is raised over its slope. If it comes
    later by a share of a step, that share of it arrives a step later, and the neuron's way from the reset (or the end
    of refractoriness) begins later. Backwards this gives the jumps of EventProp.

    Parameters
    ----------
    program : StepProgram
        One whose potential is continuous but for a reset to a constant.
    dt : float (ms)
        Time step.
    slowest : float (mV/ms)
        Smaller slopes count as this one, lest the gradient explode where a potential just touches the threshold.

    Returns
    -------
    callable
        As `twinbrain.learn.fused.stepwise.surrogate_step` returns; the state has two further variables, which are 0 and
        carry gradients.
    """
    needed = {_MARGIN: read_threshold(program).margin, _RISEN: MEMBRANE}
    if REFRACTORY_LEFT in program.state:
        needed[_FREE] = f"indicator({REFRACTORY_LEFT} <= 0.0)"
    plain = render(
        replace(
            program,
            state=(*program.state, *needed),
            integrate=(*program.integrate, *(Statement(*item) for item in needed.items())),
        )
    )

    def step(
        state: dict[str, Tensor], constants: dict[str, Tensor], arrived: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor]:
        before = state[MEMBRANE]
        nothing = torch.zeros_like(before)
        moved, waiting = state.get(_MOVED, nothing), state.get(_WAITING, nothing)
        own = {name: state[name] for name in program.state}
        new, spiked = plain(own | dict.fromkeys(needed, before), constants, arrived)
        margin, free = new.pop(_MARGIN), new.pop(_FREE, torch.ones_like(before))
        spikes = spiked.to(margin.dtype)
        # All that is subtracted from here on is 0; only its gradient counts.
        rise = (new.pop(_RISEN) - before).detach() / dt
        begun_later = rise * waiting * free
        margin = margin - begun_later
        later = torch.where(spiked, -(margin - margin.detach()) / rise.clamp(min=slowest), nothing)
        new[MEMBRANE] = torch.where(spiked, new[MEMBRANE], new[MEMBRANE] - begun_later)
        new[_MOVED] = later
        new[_WAITING] = torch.where(spiked, later, waiting * (1.0 - free))
        return new, spikes - (later - moved) / dt

    return step
