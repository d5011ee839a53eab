"""What has to hold of a network that is to be trained, and of what it computes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import psutil  # type: ignore[import-untyped,unused-ignore]
import torch
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.ends import INPUT, INPUT_WEIGHT, READOUT, RELAY_RECEPTOR
from twinbrain.learn.wiring import synapses_of

if TYPE_CHECKING:
    from twinbrain.learn.advance import StageActivity
    from twinbrain.learn.network import TrainableNetwork
    from twinbrain.learn.stages import StageLayout

_BYTES_OF_A_DELAY = 160  # of a synapse at one of the delays that it may have, while training


def check_ends(network: TrainableNetwork) -> None:
    """Make sure that the input is alone in its block, and that the readout has a membrane potential.

    Raises
    ------
    LearnError
        If not.
    """
    block = network.input.block
    stage = next(stage for stage in network.layout if block in stage.blocks)
    if len(stage.neurons) != network.input.size:
        raise LearnError(
            f"expected the population {INPUT!r} alone in its block and without inputs from others, found it beside "
            "others; give it the model 'relay', and no other population"
        )
    if "v" not in (program := network.lowered.programs[network.readout.block]).state:
        raise LearnError(
            f"expected a membrane potential 'v' in the population {READOUT!r}, whose outputs it is, found "
            f"{', '.join(program.state) or 'no state'}; give it the model 'leaky_integrator'"
        )


@torch.no_grad()
def check_relays(network: TrainableNetwork) -> None:
    """Make sure that the input spikes whenever a channel does, and then alone, as is taken for granted.

    Raises
    ------
    LearnError
        If not.
    """
    block = network.input.block
    cell = network.blocks()[block]
    inlet = next(i for i in network.lowered.network.blocks[block].inlets if i.receptor == RELAY_RECEPTOR)
    event = round(INPUT_WEIGHT / inlet.quantum) * inlet.quantum
    state, constants, passed = cell.initial(1), cell.constants(), torch.ones(network.input.size, dtype=torch.bool)
    for given in (0.0, event, event, 0.0):
        nothing = torch.zeros(1, network.input.size, dtype=network.dtype)
        arrived = dict.fromkeys(cell.program.jumps, nothing) | {RELAY_RECEPTOR: nothing + given}
        state, spikes = cell.step(state, constants, arrived)
        passed &= (spikes[0] > 0) == (given > 0)
    if not bool(passed.all()):
        raise LearnError(
            f"populations.{INPUT}: expected relays that spike at each event of {INPUT_WEIGHT:g} mV, at once, and "
            f"at nothing else, found {int((~passed).sum())} of {network.input.size} that do not; leave out the "
            "parameters and initial values of its cell, or rename the population"
        )


def check_delays(network: TrainableNetwork, trained: NDArray[np.int64], longest: int) -> None:
    """Make sure that no delay that is trained is longer than it may become, and that there is room for all.

    Parameters
    ----------
    network : TrainableNetwork
    trained : ndarray of int64
        Numbers of the synapses whose delays are trained.
    longest : int (steps)
        What they may become.

    Raises
    ------
    LearnError
        If not.
    """
    if not len(trained):
        return
    # Each is a synapse at every delay up to the longest.
    if (needed := _BYTES_OF_A_DELAY * longest * len(trained)) > (free := psutil.virtual_memory().available):
        raise LearnError(
            f"train.trainable.longest_delay: expected trained delays that fit into the {free / 1e9:.3g} GB that "
            f"are free, found {len(trained):,} of up to {longest:,} steps that take {needed / 1e9:.3g} GB; make it "
            "shorter, or train the delays of fewer projections"
        )
    dt = network.lowered.network.dt
    found = int(synapses_of(network.lowered.network)["delay"][trained].max())
    if found > longest:
        raise LearnError(
            f"train.trainable.longest_delay: expected {found * dt:g} ms at least, the longest of the delays that "
            f"are trained, found {network.trainable.longest_delay:g} ms; give longest_delay = "
            f'"{math.ceil(found * dt / 10) * 10} ms", or train the delays of other projections'
        )


def check_finite(network: TrainableNetwork, stage: StageLayout, activity: StageActivity) -> None:
    """Make sure that all states of a stage are finite numbers after the last step.

    Raises
    ------
    LearnError
        If one is none; the neuron and the trial are named.
    """
    for block, state in zip(stage.blocks, activity.last or (), strict=activity.last is not None):
        for name, value in state.items():
            if bool((finite := torch.isfinite(value)).all()):
                continue
            trial, place = (~finite).nonzero()[0].tolist()
            owner = next(
                p
                for p in network.lowered.network.populations
                if p.block == block and p.offset <= place < p.offset + p.size
            )
            changed = [n for n, p in network.named_parameters() if not bool(torch.isfinite(p).all())]
            hint = f"no number is left in the parameter {', '.join(changed)}; " if changed else ""
            raise LearnError(
                f"expected finite numbers, found {name} = {value[trial, place].item()} of neuron "
                f"{place - owner.offset} of {owner.population} after trial {trial}; {hint}lower learning_rate or "
                "clip, or check the parameters of its cell"
            )
