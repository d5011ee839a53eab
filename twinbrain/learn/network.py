"""A built network as a module of PyTorch: the same step, the same delays, weights in whole quanta, and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinbrain.errors import LearnError
from twinbrain.learn.advance import StageActivity, StageRun, advance_stage
from twinbrain.learn.advance_fused import advance_fused, can_fuse
from twinbrain.learn.cell import SpikingCell
from twinbrain.learn.delayed import Delayed
from twinbrain.learn.delays import TrainedDelays
from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.links import Link
from twinbrain.learn.lower import Lowered
from twinbrain.learn.network_checks import check_delays, check_ends, check_finite, check_relays
from twinbrain.learn.parameters import TrainedParameter
from twinbrain.learn.stages import StageLayout, find_stages
from twinbrain.learn.surrogate import surrogate_gradient
from twinbrain.learn.trainable import check_patterns, labels_of, neuron_groups, projection_names, table_groups
from twinbrain.learn.weights import Weights, find_groups, inlet_of
from twinbrain.learn.wiring import quanta_of, synapses_of, wire
from twinbrain.network.network import PopulationSlice
from twinbrain.spec.training import Surrogate, Trainable

Feedback = Mapping[int, Tensor]
"""For links, by number, the weights that carry the gradient back."""


@dataclass(frozen=True, eq=False)
class Activity:
    """What a network did.

    Parameters
    ----------
    spikes : Tensor, shape (step, trial, neuron)
        0 or 1, of every neuron by its number.
    output : Tensor, shape (step, trial, output)
        Membrane potential of the readout after each step.
    """

    spikes: Tensor
    output: Tensor


class TrainableNetwork(nn.Module):
    """A network that can be trained.

    Its populations ``input`` and ``readout`` are where trials come in and outputs are read (see
    `twinbrain.learn.attach`).

    Parameters
    ----------
    lowered : Lowered
        The built network.
    trainable : Trainable
        What is trained.
    surrogate : Surrogate or callable
        The gradient of spikes; with a callable such as ``snntorch.surrogate.atan()`` every step is differentiated by
        PyTorch, which takes longer.
    precision : {"float32", "float64"}
        In float64 spikes are those of every engine.
    window : int, optional
        Steps beyond which no gradient goes back through a neuron's state or its recurrent synapses.

    Raises
    ------
    LearnError
        If the network has no such populations, or nothing that could be trained as asked.
    """

    place: Tensor

    def __init__(
        self,
        lowered: Lowered,
        trainable: Trainable,
        surrogate: Surrogate | Callable[[Tensor], Tensor],
        precision: str = "float32",
        window: int | None = None,
    ) -> None:
        super().__init__()
        self._made_of = (lowered, trainable, surrogate, precision, window)
        network = lowered.network
        self.lowered, self.trainable, self.dtype = lowered, trainable, getattr(torch, precision)
        self.window = window
        self.surrogate = surrogate if isinstance(surrogate, Surrogate) else None
        spike_grad = surrogate_gradient(surrogate) if isinstance(surrogate, Surrogate) else surrogate
        self.input, self.readout = lowered.population(INPUT), lowered.population(READOUT)
        self.layout = find_stages(network)
        check_ends(self)
        self.cells = nn.ModuleList(self._cell(b, spike_grad) for b in range(len(network.blocks)))
        check_relays(self)
        self.weights = nn.ModuleList(self._weights())
        check_patterns(trainable, lowered, self._projections())
        spread = self._spread()
        longest = max(1, round(trainable.longest_delay / network.dt))
        check_delays(self, spread, longest)
        self.delays = TrainedDelays(synapses_of(network)["delay"][spread], longest) if len(spread) else None
        self.links = nn.ModuleList(wire(network, self.layout, spread, longest))
        self._lists: dict[int, Delayed] = {}
        self._order = sorted(range(len(self.layout)), key=lambda number: self.layout[number].neurons[0])
        neurons = np.concatenate([self.layout[number].neurons for number in self._order])
        place = np.argsort(neurons)
        self._is_ordered = bool((neurons == np.arange(len(neurons))).all())
        self.register_buffer("place", torch.tensor(place), persistent=False)
        if not any(parameter.requires_grad and parameter.numel() for parameter in self.parameters()):
            raise LearnError(f"expected something to train, found nothing that fits {trainable}; name what is there")

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self._made_of, self.state_dict(), self.training)

    def forward(self, inputs: Tensor, background: Tensor | None = None, feedback: Feedback | None = None) -> Activity:
        """Compute trials side by side from time zero on.

        Parameters
        ----------
        inputs : Tensor, shape (step, trial, channel)
            Spikes of the population ``input``.
        background : Tensor, shape (step, trial, inlet), optional
            What comes in from drives, in quanta; see `twinbrain.learn.background`.
        feedback : mapping of int to Tensor, optional
            For links, weights that carry the gradient back in place of their own.

        Raises
        ------
        LearnError
            If inputs have another shape, or a state is no finite number after the last step.
        """
        self._check(inputs)
        prepared = self._prepared()
        done: list[StageActivity] = []
        for number, stage in enumerate(self.layout):
            run = StageRun(
                [self.blocks()[b] for b in stage.blocks],
                self._given(number, stage, done, inputs, background, prepared, feedback),
                [
                    (link, prepared[i], (feedback or {}).get(i))
                    for i, link in self.numbered_links()
                    if link.source == link.target == number
                ],
                observe="v" if self._holds(stage, self.readout) else None,
                window=self.window,
                delayed=self._list_of(number),
            )
            is_input = self._holds(stage, self.input)
            done.append(StageActivity(inputs.to(self.dtype)) if is_input else self._advance(run))
            check_finite(self, stage, done[-1])
        spikes = torch.cat([done[number].spikes for number in self._order], dim=2)
        if not self._is_ordered:
            spikes = spikes[:, :, self.place]
        observed = next(stage.observed for stage in done if stage.observed is not None)
        start = self.readout.offset
        return Activity(spikes, observed[:, :, start : start + self.readout.size])

    def read(self, spikes: Tensor, background: Tensor | None = None) -> Tensor:
        """Return the outputs, shape (step, trial, output), that spikes of all neurons give.

        Gradients go back to the synapses of the readout, and no further.

        Parameters
        ----------
        spikes : Tensor, shape (step, trial, neuron)
            What the network did.
        background : Tensor, shape (step, trial, inlet), optional
            As in `forward`.
        """
        prepared = self._prepared()
        done = [StageActivity(spikes.detach()[:, :, torch.tensor(stage.neurons)]) for stage in self.layout]
        number, stage = next((i, own) for i, own in enumerate(self.layout) if self._holds(own, self.readout))
        given = self._given(number, stage, done, spikes, background, prepared, None)
        run = StageRun([self.blocks()[b] for b in stage.blocks], given, [], observe="v", window=self.window)
        observed = self._advance(run).observed
        assert observed is not None
        return observed[:, :, self.readout.offset : self.readout.offset + self.readout.size]

    def _prepared(self) -> list[Tensor]:
        """Return what each link needs of the weights as they are now."""
        weights = self.all_weights()
        shares = None if self.delays is None else self.delays.shares().to(self.dtype)
        return [link.prepare(weights, shares) for _, link in self.numbered_links()]

    def _list_of(self, stage: int) -> Delayed | None:
        """Return the synapses within a stage that are no matrices, as one list; None on a device."""
        links = [link for _, link in self.numbered_links() if link.source == link.target == stage and not link.is_dense]
        if not links or not links[0].post.is_cpu:
            return None
        if stage not in self._lists:
            self._lists[stage] = Delayed(links)
        return self._lists[stage]

    def _advance(self, run: StageRun) -> StageActivity:
        if self.surrogate is not None and can_fuse(run, self.surrogate):
            return advance_fused(run, self.surrogate)
        return advance_stage(run)

    def all_weights(self) -> Tensor:
        """Return the weights of all synapses, table by table, in their receptors' units."""
        return torch.cat([weights() for weights in self.tables()]).to(self.dtype)

    @torch.no_grad()
    def keep_signs(self) -> None:
        """Set weights that have crossed zero to zero."""
        for weights in self.tables():
            weights.keep_signs()

    @property
    def n_trained(self) -> int:
        """Number of values that are trained."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)

    def own_neurons(self) -> NDArray[np.int64]:
        """Return the numbers of the model's own neurons: all but those of ``input`` and ``readout``."""
        own = [p for p in self.lowered.network.populations if p.population not in (INPUT, READOUT)]
        return np.concatenate([np.empty(0, np.int64), *(np.arange(p.start, p.stop) for p in own)])

    def blocks(self) -> list[SpikingCell]:
        """Return the cell of each block."""
        return [cell for cell in self.cells if isinstance(cell, SpikingCell)]

    def tables(self) -> list[Weights]:
        """Return the weights of each table."""
        return [weights for weights in self.weights if isinstance(weights, Weights)]

    def numbered_links(self) -> list[tuple[int, Link]]:
        """Return all links, each with its number."""
        return [(i, link) for i, link in enumerate(self.links) if isinstance(link, Link)]

    def _given(
        self,
        number: int,
        stage: StageLayout,
        done: list[StageActivity],
        inputs: Tensor,
        background: Tensor | None,
        prepared: list[Tensor],
        feedback: Feedback | None,
    ) -> Tensor:
        """Return what is known beforehand of what arrives at a stage, shape (step, trial, inlet)."""
        n_steps, n_trials = inputs.shape[:2]
        given: Tensor | None = None
        if background is not None:
            quanta = torch.tensor(quanta_of(self.lowered.network)[stage.inlets], device=inputs.device)
            given = (background[:, :, torch.tensor(stage.inlets)].to(torch.float64) * quanta).to(self.dtype)
        for i, link in self.numbered_links():
            late = link.delay + 1
            if link.target != number or link.source == number or late >= n_steps:
                continue
            arrived = link.deliver(done[link.source].spikes, prepared[i], (feedback or {}).get(i), late).to(self.dtype)
            given = arrived if given is None else given + arrived
        if given is None:
            return torch.zeros(n_steps, n_trials, len(stage.inlets), dtype=self.dtype, device=inputs.device)
        return given

    def _holds(self, stage: StageLayout, population: PopulationSlice) -> bool:
        return population.block in stage.blocks

    def _check(self, inputs: Tensor) -> None:
        if inputs.ndim != 3 or inputs.shape[2] != self.input.size:
            raise LearnError(
                f"expected inputs of shape (step, trial, {self.input.size}), one channel a neuron of the population "
                f"{INPUT!r}, found {tuple(inputs.shape)}; attach the task to the region anew"
            )

    def _cell(self, number: int, spike_grad: Callable[[Tensor], Tensor]) -> SpikingCell:
        block = self.lowered.network.blocks[number]
        base = self.lowered.parameters[number]
        trained = {
            name: TrainedParameter(base[name], groups, scale)
            for name, groups, scale in neuron_groups(self.trainable, self.lowered, number)
        }
        dt = self.lowered.network.dt
        return SpikingCell(block.program, block.constants, block.initial, base, trained, dt, spike_grad, self.dtype)

    def _weights(self) -> Iterator[Weights]:
        network, dale = self.lowered.network, self.trainable.dale
        found = [find_groups(network, table) for table in network.tables]
        tables = list(zip(network.tables, found, strict=True))
        names = chain.from_iterable(projection_names(self.lowered, table, pairs) for table, (pairs, _) in tables)
        shares = self.trainable.shares_of_weights(names, labels_of(self.lowered))
        for table, (pairs, group) in tables:
            groups, regions = table_groups(shares, dale, self.lowered, table, pairs)
            yield Weights(table, inlet_of(network, table.receptor).quantum, groups, group, regions)

    def _projections(self) -> list[str]:
        return [group.name for weights in self.tables() for group in weights.groups]

    def _spread(self) -> NDArray[np.int64]:
        """Return the synapses whose delays are trained."""
        names = self.trainable.trained_delays(self._projections(), labels_of(self.lowered))
        trained = [
            np.array([group.name in names for group in weights.groups], bool)[weights.group]
            for weights in self.tables()
        ]
        return np.flatnonzero(np.concatenate(trained))

    def whole_delays(self) -> NDArray[np.int64]:
        """Return the delay of each synapse, table by table, in whole steps."""
        delay = synapses_of(self.lowered.network)["delay"]
        if self.delays is not None:
            delay[self._spread()] = self.delays.whole()
        return delay

    def offsets(self) -> list[int]:
        """Return where the weights of each table begin in `all_weights`."""
        return list(accumulate((len(weights.base) for weights in self.tables()), initial=0))


def _remade(made_of: tuple[Any, ...], state: dict[str, Any], training: bool) -> TrainableNetwork:
    """Return a network that was saved, or sent to another process."""
    network = TrainableNetwork(*made_of)
    network.load_state_dict(state)
    return network.train(training)
