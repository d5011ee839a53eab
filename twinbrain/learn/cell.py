"""A population's neurons as a snnTorch neuron, rendered from the equations of their model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import snntorch
import torch
from torch import Tensor, nn

from twinbrain.engines.torch.functions import functions
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
    init_hidden : bool
        Whether the cell keeps its state from call to call, so that it can stand in `torch.nn.Sequential`;
        `reset_mem` begins anew.
    output : bool
        Whether a cell that keeps its state returns it beside the spikes.
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
        *,
        init_hidden: bool = False,
        output: bool = False,
    ) -> None:
        super().__init__(spike_grad=spike_grad, reset_mechanism="none", init_hidden=init_hidden, output=output)
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
        self.input_scale = 1.0
        self._kept: tuple[Tensor, ...] = ()

    @torch.no_grad()
    def threshold_input(self, n_steps: int = 300) -> float:
        """Return what has to arrive at the first receptor in every step to carry a membrane from rest to threshold.

        It is reckoned from the response to a hundredth of that, so as if the neuron were linear, and is the median over
        the neurons.

        Parameters
        ----------
        n_steps : int
            After how many steps.

        Raises
        ------
        LearnError
            If the first receptor does not move ``v``.
        """
        constants, receptors = self.constants(), list(self.program.jumps)
        small = 1.0
        for _ in range(3):  # until a response is near a hundredth of the way
            amounts = torch.tensor([[0.0], [small]], dtype=self.dtype).expand(2, self.n_neurons)
            arrived = {name: amounts if name == receptors[0] else torch.zeros_like(amounts) for name in receptors}
            state = self.initial(2)
            for _ in range(n_steps):
                state, _ = self.step(state, constants, arrived)
            moved = (state["v"][1] - state["v"][0]).double().cpu() if "v" in state else torch.zeros(1)
            share = float((moved / self.distance.cpu()).median())
            if not share > 0:
                raise LearnError(
                    f"expected a first receptor that depolarises, found that {receptors[0] if receptors else 'none'} "
                    "does not; leave scaled out"
                )
            small *= 0.01 / share
        return 100 * small

    def reset_mem(self) -> None:
        """Begin anew at time zero, with the next call, where the cell keeps its state."""
        self._kept = ()

    def detach_mem(self) -> None:
        """Let no gradient go back beyond this step, where the cell keeps its state."""
        self._kept = tuple(value.detach() for value in self._kept)

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

    def forward(self, input_: Tensor | State, *state: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute one step in the way of snnTorch.

        Parameters
        ----------
        input_ : Tensor, shape (trial, neuron), or dict of str to Tensor
            What arrives at the first receptor, or at each by its name. In place of ``neuron`` there may be several
            dimensions with as many elements, such as (channel, height, width) after a convolution.
        *state : Tensor, shape (trial, neuron)
            What the last call returned after the spikes; nothing at the first.

        Returns
        -------
        Tensor or tuple of Tensor
            Spikes, then the state, in the shape of the input; with ``init_hidden`` the spikes alone, unless there is
            ``output``.

        Raises
        ------
        LearnError
            If the input or the state has another shape, or there is no such receptor.
        """
        arrived, shape = self._arrived(input_)
        if self.init_hidden and state:
            raise LearnError("expected no state, since the cell keeps it (init_hidden), found one; leave it out")
        if self.init_hidden:
            state = self._kept
        if state and len(state) != len(self.program.state):
            raise LearnError(
                f"expected no state, or {', '.join(self.program.state)} as the last step returned them after the "
                f"spikes, found {len(state)} tensors; call it as: spikes, *state = cell(input, *state)"
            )
        n_trials = len(next(iter(arrived.values())))
        if state and len(state[0]) != n_trials:
            raise LearnError(
                f"expected as many trials as at the last step, {len(state[0])}, found {n_trials}; begin anew with "
                "cell.reset_mem(), or without a state"
            )
        flat = (value.reshape(n_trials, -1) for value in state)
        before = dict(zip(self.program.state, flat, strict=True)) if state else self.initial(n_trials)
        after, spikes = self.step(before, self.constants(), arrived)
        found = (spikes.reshape(shape), *(after[name].reshape(shape) for name in self.program.state))
        if not self.init_hidden:
            return found
        self._kept = found[1:]
        return found if self.output else found[0]

    def _arrived(self, input_: Tensor | State) -> tuple[State, torch.Size]:
        """Return what arrives at each receptor, neuron by neuron, and the shape in which it came."""
        receptors = list(self.program.jumps)
        given = input_ if isinstance(input_, dict) else {receptors[0]: input_} if receptors else {}
        if not given or not given.keys() <= set(receptors):
            raise LearnError(
                f"expected an input to receptors of the cell ({', '.join(receptors) or 'it has none'}), found one to "
                f"{', '.join(given) or 'none'}; name those that it has"
            )
        for name, value in given.items():
            if value.ndim < 2 or value.shape[1:].numel() != self.n_neurons:
                raise LearnError(
                    f"expected an input of shape (trial, {self.n_neurons}) to {name}, found {tuple(value.shape)}; give "
                    "every neuron a column, or as many elements in several dimensions"
                )
        some = next(iter(given.values()))
        flat = {name: given.get(name, torch.zeros_like(some)).to(self.dtype).flatten(1) for name in receptors}
        if self.input_scale != 1.0:
            flat = {name: value * self.input_scale for name, value in flat.items()}
        return flat, some.shape


def _distance(program: StepProgram, constants: Mapping[str, Floats], initial: Mapping[str, Floats]) -> Floats:
    """Return how far from its threshold each neuron rests: what counts as 1 for the surrogate."""
    names = {name: torch.as_tensor(values) for name, values in {**constants, **initial}.items()}
    margin = read_threshold(program).margin
    scope = {"__builtins__": {}, **functions(torch.float64)}
    try:
        found = np.abs(np.asarray(eval(margin, scope, names), np.float64))
    except NameError:  # it refers to what only a step computes
        found = np.ones(1)
    usual = float(np.median(found))
    return np.full(len(next(iter(initial.values()))), usual if np.isfinite(usual) and usual > 0 else 1.0)
