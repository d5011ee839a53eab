"""The step as a few Triton kernels, repeated by a CUDA graph: nothing of a step passes through the host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from twinbrain.engines.generated import import_source
from twinbrain.engines.torch.block import BlockTensors
from twinbrain.engines.torch.triton_block import block_source

if TYPE_CHECKING:
    from twinbrain.engines.torch.batch import TorchBatch

_BLOCK = 128
# Programs over spikes and over the synapses of a spike; a CPU interprets them, one after the other.
_DELIVERY_GRID = {"cuda": (512, 8), "cpu": (2, 1)}
_STEPS_A_GRAPH = 20
_BYTES_OF_SPIKES = 256_000_000
# Fused multiply-adds would round once where other engines round twice.
_EXACT = {"enable_fp_fusion": False}


def can_fuse(batch: TorchBatch) -> bool:
    """Return whether a batch can be computed so: there is Triton and a device for it, and no plastic synapse."""
    if any(network.plastic for network in batch.networks):
        return False
    return find_spec("triton") is not None and batch.device.type == "cuda"


class FusedSteps:
    """Advances a batch by kernels that work in place on its tensors.

    Parameters
    ----------
    batch : TorchBatch
        Its ring, and the state of its blocks.
    """

    def __init__(self, batch: TorchBatch) -> None:
        self._batch = batch
        n_elements = len(batch.networks) * batch.networks[0].n_neurons
        self._longest = max(1, min(1000, _BYTES_OF_SPIKES // (4 * n_elements)))
        device = batch.device
        self._clock = torch.zeros(3, dtype=torch.int64, device=device)
        self._spikes = torch.empty(n_elements * self._longest, dtype=torch.int32, device=device)
        self._spike_start = torch.zeros(self._longest + 1, dtype=torch.int64, device=device)
        self._launches = list(self._prepare())
        self._graph: torch.cuda.CUDAGraph | None = None

    def advance(self, n_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute up to ``n_steps`` steps, at most as many as there is room for.

        Returns
        -------
        step, network, neuron : ndarray of int32, shape (spike,)
            Who spiked when; ``step`` counts from that of the batch.
        """
        device = self._batch.device
        self._clock.copy_(torch.tensor([self._batch.step, 0, 0]))
        # Triton launches on the current device, which need not be that of the tensors.
        with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
            for _ in range(n_steps // _STEPS_A_GRAPH if self._capture() else 0):
                assert self._graph is not None
                self._graph.replay()
                n_steps -= _STEPS_A_GRAPH
            for _ in range(n_steps):
                self._launch()
        _, place, n_spikes = self._clock.tolist()
        start = self._spike_start[: place + 1].cpu().numpy()
        spikes = self._spikes[:n_spikes].cpu().numpy()
        network, neuron = np.divmod(spikes, self._batch.networks[0].n_neurons)
        step = np.repeat(np.arange(self._batch.step, self._batch.step + place, dtype=np.int32), np.diff(start))
        return step, network, neuron

    @property
    def longest(self) -> int:
        """The most steps of one `advance`."""
        return self._longest

    def _launch(self) -> None:
        for launch in self._launches:
            launch()

    def _capture(self) -> bool:
        """Record the kernels of some steps as a graph, once; on a device that has graphs."""
        if self._batch.device.type != "cuda":
            return False
        if self._graph is None:
            kept = [tensor.clone() for tensor in self._tensors()]
            self._launch()  # compiles, which cannot happen while a graph is recorded
            for tensor, before in zip(self._tensors(), kept, strict=True):
                tensor.copy_(before)
            torch.cuda.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                for _ in range(_STEPS_A_GRAPH):
                    self._launch()
        return True

    def _tensors(self) -> list[Tensor]:
        states = [tensor for block in self._batch.blocks for tensor in block.state.values()]
        return [self._clock, self._spike_start, self._batch.ring, *states]

    def _prepare(self) -> list[Callable[[], object]]:
        """Return the launches of one step, in order."""
        from twinbrain.engines.torch import triton_kernels as kernels

        batch, first = self._batch, self._batch.networks[0]
        ring, (n_slots, width) = batch.ring, batch.ring.shape
        launches: list[Callable[[], object]] = []
        if (drives := batch.drives.table()) is not None:
            n, arguments = drives
            grid = (-(-n // _BLOCK),)
            launches.append(
                lambda: kernels.draw[grid](self._clock, ring, width, n_slots, *arguments, n, BLOCK=_BLOCK, **_EXACT)
            )
        for block, declared in zip(batch.blocks, first.blocks, strict=True):
            launches.append(self._block(block_source(declared), declared.name, block))
        for synapses in batch.synapses:
            arrays = synapses.arrays()
            launches.append(
                lambda arrays=arrays: kernels.deliver[_DELIVERY_GRID[batch.device.type]](  # type: ignore[misc]
                    self._clock,
                    self._spikes,
                    self._spike_start,
                    *arrays,
                    ring,
                    width,
                    n_slots,
                    first.n_neurons,
                    first.n_inlets,
                    BLOCK=_BLOCK,
                    **_EXACT,
                )
            )
        launches.append(lambda: kernels.tick[(1,)](self._clock, self._spike_start, **_EXACT))
        return launches

    def _block(self, source: str, name: str, block: BlockTensors) -> Callable[[], object]:
        import triton.language as tl

        batch, first = self._batch, self._batch.networks[0]
        n_slots, width = batch.ring.shape
        n_block = len(block.neurons)
        n = n_block * len(batch.networks)
        precision = {torch.float64: tl.float64, torch.float32: tl.float32}[batch.dtype]
        kernel = import_source(f"step_{name}", source).step
        grid = (-(-n // _BLOCK),)
        return lambda: kernel[grid](
            self._clock,
            batch.ring,
            width,
            n_slots,
            self._spikes,
            block.neurons,
            n_block,
            n,
            first.n_neurons,
            first.n_inlets,
            *block.state.values(),
            *block.constants.values(),
            _F=precision,
            _BLOCK=_BLOCK,
            **_EXACT,
        )
