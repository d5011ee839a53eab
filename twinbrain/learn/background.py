"""What drives of a network add to each trial: drawn anew for each, and drawn again whenever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.brian2.drives import Inputs
from twinbrain.learn.lower import Lowered
from twinbrain.network.drives import Lowering, region_inputs
from twinbrain.network.inputs import Events, RandomDrive, Waveform
from twinbrain.network.network import Network


def network_of_trial(lowered: Lowered, drive_seed: int) -> Network:
    """Return the network with its drives drawn by another seed; the rest is shared."""
    network = lowered.network
    inlets = {(b, inlet.receptor): inlet for b, block in enumerate(network.blocks) for inlet in block.inlets}
    lowering = Lowering(lambda p, receptor: inlets[p.block, receptor], lowered.units, network.dt, drive_seed)
    inputs = list(region_inputs(lowered.brain, lowered.layout, lowering))
    return replace(
        network,
        drives=tuple(i for i in inputs if isinstance(i, RandomDrive) and i.mean > 0),
        waveforms=tuple(i for i in inputs if isinstance(i, Waveform)),
        events=Events.merge([i for i in inputs if isinstance(i, Events)]),
    )


def has_background(lowered: Lowered) -> bool:
    """Return whether a network has drives at all."""
    network = lowered.network
    return bool(network.drives or network.waveforms or len(network.events))


def background(lowered: Lowered, seeds: Sequence[int], n_steps: int) -> Tensor | None:
    """Return what drives add to the inboxes of trials.

    Parameters
    ----------
    lowered : Lowered
        The network.
    seeds : sequence of int
        For each trial the seed of its drives.
    n_steps : int
        Steps of a trial.

    Returns
    -------
    Tensor of int32, shape (step, trial, inlet), or None
        In quanta; None where there are no drives.
    """
    if not has_background(lowered):
        return None
    found = np.zeros((n_steps, len(seeds), lowered.network.n_inlets), np.int32)
    for trial, seed in enumerate(seeds):
        inputs = Inputs(network_of_trial(lowered, seed))
        for step in range(n_steps):
            inputs.add(step, found[step, trial])
    return torch.from_numpy(found)
