"""How much memory a rule takes for a batch, and how that grows with the steps of a trial."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.diagnose.alignment import _kept
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.rule import Rule


def memory(
    network: TrainableNetwork, batch: Batch, objective: Objective, rule: Rule, steps: Sequence[int]
) -> xr.Dataset:
    """Return the memory that a rule takes for a batch.

    Parameters
    ----------
    network, rule : TrainableNetwork, Rule
        Prepared; both are left as they were.
    batch : Batch
        Its trials are cut to each number of steps, or repeated.
    objective : Objective
        What is made small.
    steps : sequence of int
        Numbers of steps.

    Returns
    -------
    xarray.Dataset, dim ``steps``
        ``held`` (bytes): the most that is kept at a time for the way back. ``peak`` (bytes): the most that all tensors
        take that the rule makes, its traces and the activity among them.
    """
    held, peak = [], []
    for n in steps:
        with _kept(network, rule):
            saved, made = Saved(), Made()
            with torch.autograd.graph.saved_tensors_hooks(saved.pack, saved.unpack), made:
                rule.learn(network, with_steps(batch, n), objective)
        held.append(saved.count.peak)
        peak.append(made.count.peak)
    units = {"units": "byte"}
    return xr.Dataset(
        {"held": ("steps", np.array(held, np.int64), units), "peak": ("steps", np.array(peak, np.int64), units)},
        {"steps": list(steps)},
        {"rule": rule.name, "trials": batch.n_trials},
    )


def with_steps(batch: Batch, n: int) -> Batch:
    """Return the trials of a batch with another number of steps: cut, or repeated; all of them count."""

    def fit(values: Tensor, dim: int) -> Tensor:
        index = torch.arange(n, device=values.device) % values.shape[dim]
        return values.index_select(dim, index)

    return Batch(
        fit(batch.inputs, 0),
        fit(batch.target, 1) if batch.target.ndim > 1 else batch.target,
        torch.ones_like(fit(batch.scored, 1)),
        None if batch.background is None else fit(batch.background, 0),
    )


class Count:
    """A sum of bytes, and the most that it has been."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    def add(self, n: int) -> None:
        """Add bytes."""
        self.now += n
        self.peak = max(self.peak, self.now)


class _Held:
    """A saved tensor; it is gone when the graph is."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Saved:
    """Counts what is saved for the way back; memory that several tensors share counts once."""

    def __init__(self) -> None:
        self.count = Count()
        self._users: dict[int, int] = {}

    def pack(self, tensor: Tensor) -> _Held:
        """Take note of a tensor that is saved."""
        held, storage = _Held(tensor.detach()), tensor.untyped_storage()
        key, size = storage.data_ptr(), storage.nbytes()
        self._users[key] = self._users.get(key, 0) + 1
        if self._users[key] == 1:
            self.count.add(size)
        weakref.finalize(held, self._forget, key, size)
        return held

    def unpack(self, held: _Held) -> Tensor:
        """Return the tensor."""
        return held.tensor

    def _forget(self, key: int, size: int) -> None:
        self._users[key] -= 1
        if self._users[key] == 0:
            self.count.add(-size)


class Made(TorchDispatchMode):
    """Counts what all tensors take that are made while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.count = Count()
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call an operation, and take note of what it makes."""
        given = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        found = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor):
                storage = leaf.untyped_storage()
                key = storage._cdata
                if key not in given and key not in self._known:
                    self._known.add(key)
                    self.count.add(storage.nbytes())
                    weakref.finalize(storage, self._forget, key, storage.nbytes())
        return found

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.count.add(-size)
