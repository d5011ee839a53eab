"""Cost of a torch module, counted while it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import snntorch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinbrain.errors import LearnError
from twinbrain.learn.metrics.cost import Cost
from twinbrain.learn.metrics.operations import (
    Operations,
    activation_sparsity,
    connection_sparsity,
    dense_operations,
    is_binary,
    membrane_updates,
)

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
ACTIVATIONS = (nn.ReLU, nn.Sigmoid, nn.Tanh)
# Arithmetic of one update of a membrane: decay, input, and the reset. The numbers are NeuroBench's; of other neurons it
# has none.
NEURON_OPERATIONS = {"Leaky": 4, "Synaptic": 6, "Lapicque": 11, "Alpha": 18}
# Products of states and gates at each step, for each hidden unit, beside the weights; of these, how many are with the
# last state, which is 0 at first: f c + i g and o tanh(c); r (W h), (1 - z) n + z h.
GATED = {nn.RNN: (0, 0), nn.LSTM: (3, 1), nn.GRU: (3, 1)}


def module_cost(module: nn.Module, input: Tensor) -> Cost:
    """Run a module once, and count what a trial costs.

    Linear, convolutional and recurrent layers are counted, as NeuroBench does, and with the same exceptions: no biases,
    pooling, or activation functions. Other than there, recurrent layers of many steps are counted too, and their input
    and their own state apart: spikes that come in are accumulated, rates that come back are multiplied.

    Parameters
    ----------
    module : torch.nn.Module
        Input (step, trial, feature), output (step, trial, output).
    input : Tensor, shape (step, trial, feature)
        Trials.

    Raises
    ------
    LearnError
        If a recurrent layer has several layers, two directions, or a projection.
    """
    n_trials = input.shape[1]
    counted: list[Operations] = []
    activity: list[NDArray] = []
    potential: dict[nn.Module, list[NDArray]] = defaultdict(list)
    spikes: dict[nn.Module, list[NDArray]] = defaultdict(list)

    def connections(layer: Any, inputs: tuple[Any, ...], output: Any) -> None:
        counted.append(_operations(layer, inputs[0], output) / n_trials)

    def activations(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        activity.append(_array(output[0] if isinstance(output, tuple) else output))

    def neurons(layer: Any, inputs: tuple[Any, ...], output: Any) -> None:
        fired, membrane = (output[0], output[-1]) if isinstance(output, tuple) else (output, layer.mem)
        spikes[layer].append(_array(fired))
        potential[layer].append(_array(membrane))

    hooks: list[tuple[tuple[type, ...], Callable[..., None]]] = [
        ((nn.Linear, *CONVOLUTIONS, *GATED), connections),
        ((*ACTIVATIONS, *GATED), activations),
        ((snntorch.SpikingNeuron,), neurons),
    ]
    weights = []
    with ExitStack() as stack, torch.no_grad():
        for layer in module.modules():
            for kinds, hook in hooks:
                if isinstance(layer, kinds):
                    stack.callback(layer.register_forward_hook(hook).remove)
            weights += [_array(p) for n, p in layer.named_parameters(recurse=False) if n.startswith("weight")]
        module(input)
    fired = [np.stack(steps) for layer, steps in spikes.items() if _spikes(layer)]
    updates = {layer: membrane_updates(np.stack(steps)) for layer, steps in potential.items()}
    held = {id(tensor): tensor for tensor in module.state_dict(keep_vars=True).values()}.values()
    n_neurons = sum(array.shape[2] for array in fired)
    return Cost(
        sum(tensor.numel() * tensor.element_size() for tensor in held),
        connection_sparsity(weights),
        activation_sparsity([*activity, *fired]),
        sum(counted, Operations()),
        sum(updates.values(), 0.0),
        sum((NEURON_OPERATIONS.get(type(layer).__name__, float("nan")) * n for layer, n in updates.items()), 0.0),
        sum(float(array.sum()) for array in fired) / n_trials / n_neurons if n_neurons else float("nan"),
    )


def _operations(layer: Any, input: Tensor, output: Any) -> Operations:
    """Return the operations of all trials together."""
    if isinstance(layer, nn.Linear):
        flat = _array(input).reshape(
            -1, 1, layer.in_features
        )  # Whatever its dimensions are, as one trial of many steps.
        return dense_operations(flat, _array(layer.weight))
    if isinstance(layer, CONVOLUTIONS):
        convolved: Callable[..., Tensor] = type(layer)._conv_forward
        ones, nonzero = torch.ones_like, lambda values: (values != 0).to(values.dtype)
        dense, effective = (
            float(convolved(layer, of(input).double(), of(layer.weight).double(), None).sum()) for of in (ones, nonzero)
        )
        return Operations(dense, *((0.0, effective) if is_binary(_array(input)) else (effective, 0.0)))
    if layer.num_layers > 1 or layer.bidirectional or layer.proj_size:
        raise LearnError(
            f"{layer}: expected one layer, one direction and no projection, found others; count its parts as modules"
        )
    states = _array(output[0])  # (step, trial, neuron)
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    n_trials = states.shape[1]
    come_in = dense_operations(_array(input), _array(layer.weight_ih_l0)) * n_trials
    come_back = dense_operations(before, _array(layer.weight_hh_l0)) * n_trials
    products, with_state = GATED[type(layer)]
    gated = (products - with_state) * states.size + with_state * int(np.count_nonzero(before))
    return come_in + Operations(come_back.dense + products * states.size, come_back.macs + come_back.acs + gated, 0.0)


def _spikes(layer: nn.Module) -> bool:
    """Return whether neurons are there to spike; a readout that only integrates is not."""
    return layer.reset_mechanism != "none"


def _array(tensor: Tensor) -> NDArray:
    return tensor.detach().cpu().numpy()
