"""Cells of the library as neurons of snnTorch, without a region around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from twinbrain import units
from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.learn.cell import SpikingCell
from twinbrain.learn.lower import lower
from twinbrain.learn.parameters import TrainedParameter
from twinbrain.learn.surrogate import bounded, surrogate_gradient
from twinbrain.learn.trainable import check_patterns, neuron_groups
from twinbrain.spec.cell import Cell
from twinbrain.spec.model import NeuronModel
from twinbrain.spec.population import Population
from twinbrain.spec.quantity import Value
from twinbrain.spec.region import Region
from twinbrain.spec.training import Surrogate, Trainable

_NAME = "cell"


@own_defaults()
def spiking_cell(
    model: str | NeuronModel = "lif_current",
    size: int = 1,
    *,
    receptors: Sequence[str] = ("exponential_current",),
    dt: str = "1 ms",
    parameters: Mapping[str, Value] | None = None,
    initial: Mapping[str, Value] | None = None,
    trained: Sequence[str] | Mapping[str, str] = (),
    surrogate: str | Surrogate | Callable[[Tensor], Tensor] = "atan",
    seed: int = 0,
    precision: str = "float32",
    init_hidden: bool = False,
    output: bool = False,
    scaled: bool = False,
) -> SpikingCell:
    """Return neurons that stand in a network of snnTorch as its own do.

    They are called with what arrives in a step, and their state: ``spikes, *state = cell(input, *state)``; at the first
    step there is no state yet. The input, of shape (trial, neuron), is in the unit of the first receptor, such as pA;
    with several receptors it can be a dict of one tensor for each.

    With ``init_hidden`` they keep their state, as `snntorch.Leaky` does, and stand in `torch.nn.Sequential`:
    ``nn.Sequential(nn.Conv2d(1, 8, 5), tb.spiking_cell(size=8 * 24 * 24, init_hidden=True), nn.Flatten(), …)``.

    Parameters
    ----------
    model : str or NeuronModel
        Name of a neuron model of the library, such as ``"adex"``, or a model of your own.
    size : int
        Number of neurons.
    receptors : sequence of str
        Receptors of the library, or ``"delta"``, with which the input is taken.
    dt : str (ms)
        Time step.
    parameters, initial : mapping of str to value, optional
        Of the model and its receptors, as in `Cell`: values, distributions or explicit arrays.
    trained : sequence of str, or mapping of str to {"neuron", "population"}
        Parameters that are trained, ``"time_constant"``, ``"threshold"`` or ``"adaptation"`` among them; in a mapping
        with what shares a change. They are parameters of the module then, in units that suit one learning rate.
    surrogate : str, Surrogate or callable
        Gradient of a spike, such as ``"fast_sigmoid"`` or ``snntorch.surrogate.atan(alpha=2.0)``.
    seed : int
        Keys what distributions draw.
    precision : {"float32", "float64"}
        Of the state; in float64 a step is that of every engine, to the bit.
    init_hidden : bool
        Whether a call takes the input alone, and the state is kept until ``cell.reset_mem()``.
    output : bool
        With ``init_hidden``, whether the state is returned beside the spikes.
    scaled : bool
        Whether the input counts in units of what, arriving in every step, carries a neuron from rest to its threshold
        if it responds linearly, as in networks of snnTorch; neurons with an exponential upstroke spike sooner. Outputs
        of a `torch.nn.Linear` are about 1; without this they are about 1 pA, of which nothing spikes and nothing is
        learned.

    Raises
    ------
    SpecError
        If the model, a receptor or a parameter is unknown or wrong.
    LearnError
        If what is to be trained, or the surrogate, is unknown.
    """
    own = {_NAME: model} if isinstance(model, NeuronModel) else {}
    cell = Cell(
        model=_NAME if isinstance(model, NeuronModel) else model,
        receptors=tuple(receptors),
        parameters=dict(parameters or {}),
        initial=dict(initial or {}),
    )
    populations = {_NAME: Population(cell=_NAME, size=size)}
    region = Region(name=_NAME, models=own, cells={_NAME: cell}, populations=populations)
    lowered = lower(region, dt=units.number(dt, "ms"), seed=seed)
    (block,) = lowered.network.blocks
    (base,) = lowered.parameters
    changes = {}
    if trained:
        shares = trained if isinstance(trained, Mapping) else dict.fromkeys(trained, "neuron")
        trainable = Trainable(values=dict(shares))
        found = neuron_groups(trainable, lowered, 0)
        changes = {name: TrainedParameter(base[name], group, scale) for name, group, scale in found}
        check_patterns(trainable, lowered, ())
    if isinstance(surrogate, str):
        surrogate = Surrogate(name=surrogate)
    gradient = surrogate_gradient(surrogate) if isinstance(surrogate, Surrogate) else bounded(surrogate)
    dtype = getattr(torch, precision)
    found = SpikingCell(
        block.program,
        block.constants,
        block.initial,
        base,
        changes,
        lowered.network.dt,
        gradient,
        dtype,
        init_hidden=init_hidden,
        output=output,
    )
    if scaled:
        found.input_scale = found.threshold_input()
    return found
