"""The gradient on its way back through populations and time."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from twinbrain.analysis import gradient_health
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.network import Feedback, TrainableNetwork


def gradient_flow(
    network: TrainableNetwork, batch: Batch, objective: Objective, feedback: Feedback | None = None
) -> xr.Dataset:
    """Return how large the gradient is in each population at each step.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    batch : Batch
        What it sees.
    objective : Objective
        What is made small.
    feedback : mapping of int to Tensor, optional
        For links, weights that carry the gradient back, as in `TrainableNetwork.forward`.

    Returns
    -------
    xarray.Dataset, dims ``layer`` and ``step``
        ``norm``: of the derivative of the loss by what arrives at a population in a step, in quanta of its receptors,
        over its neurons and all trials; and what `twinbrain.analysis.gradient_health` says of it. The layers are all
        populations but the input.
    """
    built = network.lowered.network
    given = batch.background
    if given is None:
        given = torch.zeros(*batch.inputs.shape[:2], built.n_inlets, device=batch.inputs.device)
    arriving = given.double().requires_grad_()
    loss = objective(network(batch.inputs, arriving, feedback), batch)
    (gradient,) = torch.autograd.grad(loss, arriving)
    size = gradient.square().sum(1)
    alone = len({population.label for population in built.populations}) == 1
    names, norms = [], []
    for population in built.populations:
        if population is network.input:
            continue
        inlets = [
            np.arange(population.offset, population.offset + population.size) + inlet.start
            for inlet in built.blocks[population.block].inlets
        ]
        index = torch.tensor(np.concatenate([np.empty(0, np.int64), *inlets]), device=size.device)
        names.append(population.population if alone else f"{population.label}.{population.population}")
        norms.append(size[:, index].sum(1).sqrt().cpu().numpy())
    flow = xr.Dataset(
        {"norm": (("layer", "step"), np.stack(norms))}, {"layer": names, "step": np.arange(len(norms[0]))}
    )
    return flow.merge(gradient_health(flow)).assign_attrs(loss=float(loss.detach()))
