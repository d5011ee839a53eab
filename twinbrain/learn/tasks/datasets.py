"""Tasks of datasets, as PyTorch and tonic have them: pairs of spikes and a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.errors import LearnError, SpecError
from twinbrain.learn.tasks.room import Room
from twinbrain.learn.tasks.split import chance
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, check_binary, check_labels, with_names
from twinbrain.spec.labelled import counts_places
from twinbrain.spec.plain_array import plain_array
from twinbrain.spec.sampled_times import go_alike, refuse_other_times
from twinbrain.units import number

Dataset = Sequence[tuple[Any, Any]]
"""What has a length, and gives by number spikes of shape (step, channel) and a class."""


def task_of(
    train: Dataset, test: Dataset, validation: Dataset | None = None, *, dt: str = "1 ms", name: str = "dataset"
) -> Task:
    """Return a task of datasets, such as those of PyTorch.

    Parameters
    ----------
    train, test : dataset
        Of pairs: spikes, 0 and 1 of shape (step, channel), as an array or a tensor, and the number of a class. Trials
        that are shorter than the longest are followed by silence, which does not count.
    validation : dataset, optional
        By default every fifth trial of each class in ``train``, or the last of a class of two to four, which are then
        not learned from. Of a class with a single trial there is none.
    dt : str (ms)
        What a step lasts.
    name : str
        What to call it.

    Raises
    ------
    LearnError
        If a dataset is empty, an item is no such pair, or has other labels of channels or steps than another (in xarray
        and pandas), unless steps go up alike from where each begins, as in parts of a recording; or the trials would
        not fit into memory.

    Examples
    --------
    >>> task = tb.task_of(train_set, test_set, dt="1 ms")
    >>> tb.train(tb.load_region("learning/leaky"), task)
    """
    seen = _Seen(number(dt, "ms"))
    parts = {"train": _read(train, "train", seen), "test": _read(test, "test", seen)}
    if validation is None:
        inputs, labels = parts["train"]
        held = _held(labels)
        if len(inputs) < _ONE_IN or not held.any():
            raise LearnError(
                f"task {name}: expected at least {_ONE_IN} trials, two of a class, to take some for validation, found "
                f"{len(inputs)} of {len(np.unique(labels))} classes; give validation"
            )
        parts["train"], parts["validation"] = (
            ([x for x, out in zip(inputs, held, strict=True) if bool(out) is kept], labels[held == kept])
            for kept in (False, True)
        )
    else:
        parts["validation"] = _read(validation, "validation", seen)
    every = [item for inputs, _ in parts.values() for item in inputs]
    n_channels = {item.n_channels for item in every}
    if len(n_channels) > 1:
        raise LearnError(f"task {name}: expected as many channels in every trial, found {sorted(n_channels)}")
    n_steps = max(item.n_steps for item in every)
    Room(name, len(every), n_steps).read(sum(len(item.step) for item in every))
    made = {split: _trials(inputs, labels, n_steps) for split, (inputs, labels) in parts.items()}
    return Task(
        name=name,
        summary=f"a dataset of {len(every):,} trials",
        n_channels=n_channels.pop(),
        n_outputs=1 + max(int(labels.max()) for _, labels in parts.values()),
        kind="classification",
        dt=number(dt, "ms"),
        train=made["train"],
        validation=made["validation"],
        test=made["test"],
        chance=chance(made["test"]),
    )


_ONE_IN = 5
_MOST_CLASSES = 1_000_000


class _Item(NamedTuple):
    """A trial of a dataset: how long and wide it is, and where its spikes are."""

    n_steps: int
    n_channels: int
    step: NDArray[np.int32]
    channel: NDArray[np.int32]


class _Seen:
    """The labels along steps and channels that items had so far, which those of later ones are held against."""

    def __init__(self, dt: float) -> None:
        self._dt = dt
        self._of: dict[str, tuple[str, xr.DataArray]] = {}

    def check(self, where: str, spikes: Any) -> None:
        """Refuse an item that has other labels, as far as its steps go, which may be fewer, or steps of another ``dt``.

        Raises
        ------
        LearnError
            If it has.
        """
        if not isinstance(spikes, xr.DataArray):
            return
        try:
            refuse_other_times(spikes, "step", self._dt, "dt")
        except SpecError as error:
            raise LearnError(f"{where}: {error}") from None
        for dim in spikes.dims:
            if dim not in spikes.coords:
                continue
            name, own = str(dim), spikes[dim]
            first, known = self._of.setdefault(name, (where, own))
            n = min(len(own), len(known)) if name == "step" else None
            # A trial may be a part of a recording, and is counted from where it begins.
            if n is None or not go_alike(known.values[:n], own.values[:n]):
                check_labels({first: known[:n], where: own[:n]}, [name])
            # What counts from 0 tells less than names do, and a short trial less than a long one.
            self._of[name] = max(
                (first, known), (where, own), key=lambda it: (not counts_places(it[1].values), len(it[1]))
            )


def _held(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which trials are for validation: in step through each class, so that none is left out."""
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        held[members[_ONE_IN - 1 :: _ONE_IN] if len(members) >= _ONE_IN else members[1:][-1:]] = True
    return held


def _read(dataset: Dataset, split: str, seen: _Seen) -> tuple[list[_Item], NDArray[np.int64]]:
    items, labels = [], []
    try:
        n = len(dataset)
    except TypeError:
        raise LearnError(
            f"{split}: expected a dataset that has a length and gives its items by number, found a "
            f"{type(dataset).__name__}; make a list of it"
        ) from None
    for i in range(n):
        try:
            spikes, label = dataset[i]
            spikes = with_names(f"{split}[{i}]", spikes, ("step", "channel"))
            seen.check(f"{split}[{i}]", spikes)
            array, number_of_class = plain_array(spikes), plain_array([label])
        except LearnError:
            raise
        except (TypeError, ValueError, RuntimeError, LookupError) as error:
            raise LearnError(f"{split}[{i}]: expected a pair of spikes and the number of a class: {error}") from None
        if array.ndim != 2 or not array.size:
            raise LearnError(f"{split}[{i}]: expected spikes of shape (step, channel), found {array.shape}")
        check_binary(f"{split}[{i}]: spikes", array)
        if not _is_class(number_of_class):
            raise LearnError(
                f"{split}[{i}]: expected a pair of spikes and the number of a class, a whole one from 0 to "
                f"{_MOST_CLASSES - 1:,}, found {label!r}; number the classes from 0"
            )
        # Kept by its spikes, since trials are padded to the longest, of which there may be one alone.
        step, channel = np.nonzero(array)
        items.append(_Item(array.shape[0], array.shape[1], step.astype(np.int32), channel.astype(np.int32)))
        labels.append(int(number_of_class.item()))
    if not items:
        raise LearnError(f"{split}: expected trials, found none")
    return items, np.array(labels, np.int64)


def _is_class(value: NDArray[Any]) -> bool:
    if value.size != 1 or value.dtype.kind not in "buif":
        return False
    found = value.item()
    return 0 <= found < _MOST_CLASSES and found == int(found)


def _trials(items: list[_Item], labels: NDArray[np.int64], n_steps: int) -> Trials:
    return Trials(
        start=np.cumsum([0, *(len(item.step) for item in items)], dtype=np.int64),
        step=np.concatenate([item.step for item in items]),
        channel=np.concatenate([item.channel for item in items]),
        target=labels,
        scored=(np.arange(n_steps) < np.array([item.n_steps for item in items])[:, None]).astype(np.float32),
    )
