"""One step of a program whose spikes have a surrogate gradient, by PyTorch's own differentiation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from twinbrain.engines.torch.render import render
from twinbrain.learn.fused.jumps import read_jumps
from twinbrain.learn.fused.threshold import read_threshold
from twinbrain.learn.fused.upstroke import upstroke, with_upstroke
from twinbrain.models.algebra import Statement
from twinbrain.models.step import StepProgram

SCALE = "_scale"
_MARGIN, _GATE = "_margin", "_gate"

SurrogateStep = Callable[[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]], tuple[dict[str, Tensor], Tensor]]
"""Takes the state, the constants, and what arrived in each receptor's unit; returns the new state and the spikes."""


def surrogate_step(program: StepProgram, surrogate: Callable[[Tensor], Tensor]) -> SurrogateStep:
    """Return the step of a program, with values of `twinbrain.engines.torch.render` and a gradient of spikes.

    A spike is 1 or 0 in the precision of the state; its gradient is that of the surrogate, which takes the distance
    from the threshold divided by ``constants["_scale"]`` (1 where that is not given). Of a neuron that is refractory it
    is 0. What a spike adds to the neuron's own state, such as to its adaptation, has that gradient too; through the
    reset of the membrane potential, a choice between values, none passes (see `twinbrain.learn.fused.jumps`). That of
    an exponential upstroke is bounded (see `twinbrain.learn.fused.upstroke`).

    Parameters
    ----------
    program : StepProgram
        What is computed.
    surrogate : callable
        Takes a tensor of distances and returns one of spikes, such as ``snntorch.surrogate.atan()``; only its gradient
        counts. Those of snnTorch round it to float32.

    Returns
    -------
    callable
        ``step(state, constants, arrived) -> (state, spikes)``; tensors of any shapes that broadcast.

    Raises
    ------
    LearnError
        If no surrogate can be taken of the threshold.
    EngineError
        If the program uses a function that is not known to PyTorch.
    """
    program = with_upstroke(program)
    threshold = read_threshold(program)
    needed = {_MARGIN: threshold.margin}
    if threshold.gate is not None:
        needed[_GATE] = f"indicator({threshold.gate})"
    jumps = read_jumps(program)
    blanks = (*needed, *jumps.of.values())
    # Further variables of the state come out of the step; none of them goes in.
    plain = render(
        replace(
            program,
            state=(*program.state, *blanks),
            integrate=(*program.integrate, *(Statement(*item) for item in needed.items()), *jumps.statements),
        ),
        upstroke=upstroke,
    )

    def step(
        state: dict[str, Tensor], constants: dict[str, Tensor], arrived: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor]:
        blank = next(iter(state.values()))
        new, spiked = plain(state | dict.fromkeys(blanks, blank), constants, arrived)
        margin, gate = new.pop(_MARGIN), new.pop(_GATE, None)
        added = {name: new.pop(jump).detach() for name, jump in jumps.of.items()}
        spikes = spiked.to(margin.dtype)
        if margin.requires_grad:
            soft = surrogate(margin / constants[SCALE] if SCALE in constants else margin).to(margin.dtype)
            # Their value is 0; only their gradient counts.
            slope = soft - soft.detach()
            slope = slope if gate is None else slope * gate
            spikes = spikes + slope
            new |= {name: new[name] + slope * jump for name, jump in added.items()}
        return new, spikes

    return step
