"""Several networks side by side in one set of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.base import Recording, SimulationState, Spikes, check_steps
from twinbrain.engines.recorder import Recorder
from twinbrain.engines.torch.block import BlockTensors
from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.engines.torch.device import resolve_device, resolve_precision
from twinbrain.engines.torch.drives import Drives
from twinbrain.engines.torch.fused import FusedSteps, can_fuse
from twinbrain.engines.torch.given import GivenInputs
from twinbrain.engines.torch.plasticity import PlasticSynapses
from twinbrain.engines.torch.synapses import Synapses
from twinbrain.errors import EngineError
from twinbrain.network.network import Network


@own_defaults()
def prepare_batch(
    networks: Sequence[Network], *, device: str = "cpu", precision: str = "float64", fused: bool | None = None
) -> TorchBatch:
    """Return a simulation of several networks at step 0, computed together.

    Parameters
    ----------
    networks : sequence of Network
        Of one layout: the same blocks, receptors and tables of synapses. Seeds, parameters, weights and drives may
        differ; networks that share their tables (`with_coupling` of 1, or a replaced seed of the drives) share memory.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    precision : {"float64", "float32"}
        Of the state; in float64 spikes are those of every other engine.
    fused : bool, optional
        Whether a step is a few Triton kernels; otherwise it is many operations of PyTorch, with the same result. By
        default, on a GPU where there is Triton.

    Raises
    ------
    EngineError
        If the networks cannot stand side by side, or there is no such device.
    """
    batch = TorchBatch(tuple(networks), resolve_device(device), resolve_precision(precision))
    if can_fuse(batch) if fused is None else fused:
        batch.fuse()
    return batch


class TorchBatch:
    """Networks side by side; each has its own recording and its own state.

    Parameters
    ----------
    networks : tuple of Network
        Of one layout.
    device : torch.device
        Where to compute.
    dtype : torch.dtype
        Of the state.
    """

    @own_defaults()
    def __init__(self, networks: tuple[Network, ...], device: torch.device, dtype: torch.dtype) -> None:
        _check_alike(networks)
        self.networks, self.device, self.dtype = networks, device, dtype
        self.step = 0
        first = networks[0]
        n_slots = max(network.max_delay for network in networks) + 2
        self.ring = torch.zeros((n_slots, len(networks) * first.n_inlets), dtype=torch.int32, device=device)
        self.blocks = [
            BlockTensors(tuple(n.blocks[i] for n in networks), device, dtype) for i in range(len(first.blocks))
        ]
        self.drives = Drives(networks, device)
        self._given = GivenInputs(networks, device)
        self.synapses = [
            Synapses(tables, first.n_neurons, first.n_inlets, device)
            for tables in zip(*(network.tables for network in networks), strict=True)
        ]
        self._plastic = [
            PlasticSynapses(tables, first.n_neurons, first.n_inlets, device, dtype)
            for tables in zip(*(network.plastic for network in networks), strict=True)
        ]
        self._fused: FusedSteps | None = None
        self._spikes: list[tuple[int, Tensor, Tensor]] = []
        self._samples: list[tuple[int, dict[str, Tensor]]] = []
        self._recorders = [Recorder(network) for network in networks]

    def fuse(self) -> None:
        """Compute from now on by a few kernels a step."""
        if self._plastic:
            raise EngineError("expected static synapses for fused steps, found plastic ones; use fused=False")
        self._fused = FusedSteps(self)

    @own_defaults()
    def advance(self, n_steps: int) -> None:
        """Compute ``n_steps`` steps."""
        check_steps(self.step, n_steps)
        last = self.step + n_steps
        with torch.no_grad(), _one_thread():
            while self.step < last:
                if self._fused is None:
                    self._advance()
                else:
                    self._advance_fused(self._fused, last - self.step)
                self._sample()
        self._record()

    def _advance_fused(self, fused: FusedSteps, n_steps: int) -> None:
        for probe in self.networks[0].probes:  # samples are taken between the calls
            n_steps = min(n_steps, probe.every - self.step % probe.every)
        n_steps = min(n_steps, fused.longest)
        if self._given:  # the ring has room for the coming steps, as many as it has slots
            n_steps = min(n_steps, len(self.ring))
            for step in range(self.step, self.step + n_steps):
                self._given.add(step, self.ring[step % len(self.ring)])
        self._remember(*fused.advance(n_steps))
        self.step += n_steps

    def _advance(self) -> None:
        slot = self.ring[self.step % len(self.ring)]
        self.drives.add(self.step, slot)
        self._given.add(self.step, slot)
        for plastic in self._plastic:
            plastic.arrive(self.step, slot)
        inbox = slot.view(len(self.networks), -1)
        spiking = [block.advance(inbox) for block in self.blocks]
        slot.zero_()
        batch, neuron = (torch.cat(parts) for parts in zip(*spiking, strict=True))
        step = self.step
        self.step += 1
        if len(neuron):
            self._spikes.append((step, batch, neuron))
            for synapses in self.synapses:
                synapses.deliver(step, batch, neuron, self.step, self.ring)
            for plastic in self._plastic:
                plastic.expect(step, batch, neuron, self.step)
                plastic.spike(self.step, batch, neuron)

    def _sample(self) -> None:
        for number, probe in enumerate(self.networks[0].probes):
            if self.step % probe.every == 0:
                block = self.blocks[probe.block]
                places = block.places(probe.places)
                self._samples.append((number, {name: block.state[name][:, places] for name in probe.reads}))

    @own_defaults()
    def inject(self, spikes: Sequence[Spikes]) -> None:
        """Deliver to each network spikes of neurons that are computed elsewhere; of past ones, what is still due."""
        for recorder, own in zip(self._recorders, spikes, strict=True):
            recorder.add_from_elsewhere(own, self.step)
        joined = Spikes.concatenate(list(spikes))
        batch = np.repeat(np.arange(len(spikes)), [len(own) for own in spikes])
        step, member, neuron = (torch.as_tensor(a).long().to(self.device) for a in (joined.step, batch, joined.neuron))
        for synapses in self.synapses:
            synapses.deliver(step, member, neuron, self.step, self.ring)
        for plastic in self._plastic:
            plastic.expect(step, member, neuron, self.step)

    def collect(self) -> list[Recording]:
        """Return and forget what was recorded of each network."""
        return [recorder.collect(self.step) for recorder in self._recorders]

    @own_defaults()
    def state(self) -> list[SimulationState]:
        """Return a copy of the state of each network, in float64."""
        values = {
            f"{block.name}/{name}": value.cpu().to(torch.float64).numpy()
            for block in self.blocks
            for name, value in block.state.items()
        }
        states = []
        for b, recorder in enumerate(self._recorders):
            variables = {name: v[b].copy() for name, v in values.items()}
            for plastic in self._plastic:
                variables |= plastic.state(b)
            states.append(SimulationState(self.step, variables, recorder.under_way(self.step)))
        return states

    @own_defaults()
    def restore(self, states: Sequence[SimulationState]) -> None:
        """Go on from a state of each network, of any engine; what was recorded is forgotten.

        Raises
        ------
        EngineError
            If the states are not all of one step.
        """
        if len({state.step for state in states}) != 1 or len(states) != len(self.networks):
            raise EngineError(
                f"expected {len(self.networks)} states of one step, found {len(states)} of steps "
                f"{sorted({state.step for state in states})}; restore networks of different steps one by one"
            )
        self.step = states[0].step
        for block in self.blocks:
            for name in block.state:
                values = np.stack([state.variables[f"{block.name}/{name}"] for state in states])
                block.state[name].copy_(torch.as_tensor(values))
        for plastic in self._plastic:
            plastic.restore([state.variables for state in states])
        self.ring.zero_()
        self._recorders = [Recorder(network) for network in self.networks]
        self.inject([state.under_way for state in states])

    def _record(self) -> None:
        """Hand what the device has gathered to the recorders."""
        if self._spikes:
            sizes = [len(neuron) for _, _, neuron in self._spikes]
            step = np.repeat(np.array([step for step, _, _ in self._spikes], np.int32), sizes)
            batch = torch.cat([batch for _, batch, _ in self._spikes]).cpu().numpy()
            self._remember(step, batch, torch.cat([neuron for _, _, neuron in self._spikes]).cpu().numpy())
        for number, sampled in self._samples:
            state = {name: values.cpu().to(torch.float64).numpy() for name, values in sampled.items()}
            for b, (network, recorder) in enumerate(zip(self.networks, self._recorders, strict=True)):
                recorder.add_sample(network.probes[number], {name: values[b] for name, values in state.items()})
        self._spikes, self._samples = [], []

    def _remember(self, step: np.ndarray, batch: np.ndarray, neuron: np.ndarray) -> None:
        for b, recorder in enumerate(self._recorders):
            own = batch == b
            recorder.add(Spikes(step[own], neuron[own].astype(np.int32)))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch compute on one core: its threads wait for each other longer than these small operations take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_alike(networks: tuple[Network, ...]) -> None:
    if not networks:
        raise EngineError("expected at least one network, found none")

    def layout(network: Network) -> tuple[object, ...]:
        return (
            network.dt,
            tuple((b.name, b.program, b.size, b.inlets) for b in network.blocks),
            tuple((t.receptor, t.origin) for t in network.tables),
            tuple((t.name, t.program, t.quantum) for t in network.plastic),
            tuple((p.name, p.every, p.places.tobytes()) for p in network.probes),
        )

    expected = layout(networks[0])
    for i, network in enumerate(networks):
        if layout(network) != expected:
            raise EngineError(
                f"expected networks of one layout (blocks, receptors and their quanta, tables, probes), found network "
                f"{i} different from the first; simulate it by itself"
            )
