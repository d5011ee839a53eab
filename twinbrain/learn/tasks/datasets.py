"""Tasks of datasets, as PyTorch and tonic have them: pairs of spikes and a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of
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
        By default every fifth trial of ``train``, which is then not learned from.
    dt : str (ms)
        What a step lasts.
    name : str
        What to call it.

    Raises
    ------
    LearnError
        If a dataset is empty, or an item is no such pair.

    Examples
    --------
    >>> task = tb.task_of(train_set, test_set, dt="1 ms")
    >>> tb.train(tb.load_region("learning/leaky"), task)
    """
    parts = {"train": _read(train, "train"), "test": _read(test, "test")}
    if validation is None:
        inputs, labels = parts["train"]
        if len(inputs) < _ONE_IN:
            raise LearnError(
                f"task {name}: expected at least {_ONE_IN} trials to take some for validation, found {len(inputs)}; "
                "give validation"
            )
        held = np.arange(len(inputs)) % _ONE_IN == _ONE_IN - 1
        parts["train"], parts["validation"] = (
            ([x for x, out in zip(inputs, held, strict=True) if bool(out) is kept], labels[held == kept])
            for kept in (False, True)
        )
    else:
        parts["validation"] = _read(validation, "validation")
    every = [spikes for inputs, _ in parts.values() for spikes in inputs]
    n_channels = {spikes.shape[1] for spikes in every}
    if len(n_channels) > 1:
        raise LearnError(f"task {name}: expected as many channels in every trial, found {sorted(n_channels)}")
    n_steps = max(len(spikes) for spikes in every)
    made = {split: _trials(inputs, labels, n_steps) for split, (inputs, labels) in parts.items()}
    counts = np.bincount(parts["test"][1])
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
        chance=float(counts.max() / counts.sum()),
    )


_ONE_IN = 5


def _read(dataset: Dataset, split: str) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    inputs, labels = [], []
    for i in range(len(dataset)):
        try:
            spikes, label = dataset[i]
            array, number_of_class = np.asarray(spikes), int(label)
        except (TypeError, ValueError) as error:
            raise LearnError(f"{split}[{i}]: expected a pair of spikes and the number of a class: {error}") from None
        if array.ndim != 2 or not len(array):
            raise LearnError(f"{split}[{i}]: expected spikes of shape (step, channel), found {array.shape}")
        inputs.append(array)
        labels.append(number_of_class)
    if not inputs:
        raise LearnError(f"{split}: expected trials, found none")
    return inputs, np.array(labels, np.int64)


def _trials(inputs: list[NDArray[Any]], labels: NDArray[np.int64], n_steps: int) -> Trials:
    spikes = np.zeros((len(inputs), n_steps, inputs[0].shape[1]), inputs[0].dtype)
    scored = np.zeros(spikes.shape[:2], np.float32)
    for i, array in enumerate(inputs):
        spikes[i, : len(array)] = array
        scored[i, : len(array)] = 1
    return trials_of(spikes, labels, scored)
