"""A population's neurons as a snnTorch neuron, rendered from the equations of their model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from twinbrain.engines.torch.functions import FUNCTIONS
from twinbrain.errors import LearnError
from twinbrain.learn.fused.stepwise import SurrogateStep, surrogate_step
from twinbrain.learn.fused.threshold import read_threshold
from twinbrain.learn.parameters import TrainedParameter, trained_constants
from twinbrain.models.step import StepProgram
from twinbrain.network.random import Floats

State = dict[str, Tensor]


class SpikingCell(snntorch.SpikingNeuron):  # type: ignore[misc, unused-ignore]
    """Neurons of one model, whose step is that of every engine, with a surrogate gradient.

    It is called as neurons of snnTorch are: ``spikes, *state = cell(input, *state)``. The input is in the unit of the
    (first) receptor, such as pA for a current.

    Parameters
    ----------
    program : StepProgram
        What a step computes.
    constants, initial : mapping of str to ndarray of float64, shape (neuron,)
        The program's constants, and the state at time zero.
    base : mapping of str to ndarray of float64, shape (neuron,)
        Parameters of the model and its receptors.
    trained : mapping of str to TrainedParameter
        Those of them that are trained.
    dt : float (ms)
        Time step.
    spike_grad : callable
        Surrogate gradient, one of `snntorch.surrogate`; its argument is the distance to the threshold, in units of the
        distance from rest.
    dtype : torch.dtype
        Of the state.
    """

    def __init__(
        self,
        program: StepProgram,
        constants: Mapping[str, Floats],
        initial: Mapping[str, Floats],
        base: Mapping[str, Floats],
        trained: Mapping[str, TrainedParameter],
        dt: float,
        spike_grad: Callable[[Tensor], Tensor],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(spike_grad=spike_grad, reset_mechanism="none")
        # snnTorch keeps every neuron that was ever made in a list of the class.
        snntorch.SpikingNeuron.instances.remove(self)
        self.program, self.base, self.dt, self.dtype = program, dict(base), dt, dtype
        self.trained = nn.ModuleDict(trained)
        for name, values in constants.items():
            self.register_buffer(f"constant_{name}", torch.tensor(values))
        for name, values in initial.items():
            self.register_buffer(f"initial_{name}", torch.tensor(values))
        self.register_buffer("distance", torch.tensor(_distance(program, constants, initial)))
        self._step = surrogate_step(program, self.spike_grad)
        self.own_step = False

    def trained_parameters(self) -> dict[str, TrainedParameter]:
        """Return the parameters that are trained."""
        return {name: p for name, p in self.trained.items() if isinstance(p, TrainedParameter)}

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return len(self.distance)

    def constants(self) -> State:
        """Return the program's constants at the present parameters, each of shape (neuron,)."""
        exact = {name: getattr(self, f"constant_{name}") for name in self.program.constants}
        found = trained_constants(self.program, exact, self.base, self.trained_parameters(), self.dt)
        return {name: value.to(self.dtype) for name, value in found.items()} | {"_scale": self.distance.to(self.dtype)}

    def initial(self, n_trials: int) -> State:
        """Return the state at time zero, each variable of shape (trial, neuron)."""
        return {
            name: getattr(self, f"initial_{name}").to(self.dtype).expand(n_trials, -1) for name in self.program.state
        }

    def step(self, state: State, constants: State, arrived: State) -> tuple[State, Tensor]:
        """Compute one step; return the new state and the spikes, 0 or 1, of shape (trial, neuron)."""
        return self._step(state, constants, arrived)

    @contextmanager
    def stepping(self, step: SurrogateStep) -> Iterator[None]:
        """Compute steps by another function of the same values, one with other gradients, for a while.

        ``own_step`` tells that meanwhile no kernel can stand in for the step.
        """
        before, self._step, self.own_step = self._step, step, True
        try:
            yield
        finally:
            self._step, self.own_step = before, False

    def forward(self, input_: Tensor | State, *state: Tensor) -> tuple[Tensor, ...]:
        """Compute one step in the way of snnTorch.

        Parameters
        ----------
        input_ : Tensor, shape (trial, neuron), or dict of str to Tensor
            What arrives at the first receptor, or at each by its name.
        *state : Tensor, shape (trial, neuron)
            What the last call returned after the spikes; nothing at the first.

        Returns
        -------
        tuple of Tensor
            Spikes, then the state.

        Raises
        ------
        LearnError
            If the input or the state has another shape, or there is no such receptor.
        """
        arrived = self._arrived(input_)
        if state and len(state) != len(self.program.state):
            raise LearnError(
                f"expected no state, or {', '.join(self.program.state)} as the last step returned them after the "
                f"spikes, found {len(state)} tensors; call it as: spikes, *state = cell(input, *state)"
            )
        n_trials = len(next(iter(arrived.values())))
        before = dict(zip(self.program.state, state, strict=True)) if state else self.initial(n_trials)
        after, spikes = self.step(before, self.constants(), arrived)
        return (spikes, *(after[name] for name in self.program.state))

    def _arrived(self, input_: Tensor | State) -> State:
        """Return what arrives at each receptor."""
        receptors = list(self.program.jumps)
        given = input_ if isinstance(input_, dict) else {receptors[0]: input_} if receptors else {}
        if not given or not given.keys() <= set(receptors):
            raise LearnError(
                f"expected an input to receptors of the cell ({', '.join(receptors) or 'it has none'}), found one to "
                f"{', '.join(given) or 'none'}; name those that it has"
            )
        for name, value in given.items():
            if value.ndim != 2 or value.shape[1] != self.n_neurons:
                raise LearnError(
                    f"expected an input of shape (trial, {self.n_neurons}) to {name}, found {tuple(value.shape)}; give "
                    "every neuron a column"
                )
        some = next(iter(given.values()))
        return {name: given.get(name, torch.zeros_like(some)).to(self.dtype) for name in receptors}


def _distance(program: StepProgram, constants: Mapping[str, Floats], initial: Mapping[str, Floats]) -> Floats:
    """Return how far from its threshold each neuron rests: what counts as 1 for the surrogate."""
    names = {name: torch.as_tensor(values) for name, values in {**constants, **initial}.items()}
    margin = read_threshold(program).margin
    scope = {"__builtins__": {}, **FUNCTIONS}
    try:
        found = np.abs(np.asarray(eval(margin, scope, names), np.float64))
    except NameError:  # it refers to what only a step computes
        found = np.ones(1)
    usual = float(np.median(found))
    return np.full(len(next(iter(initial.values()))), usual if np.isfinite(usual) and usual > 0 else 1.0)
