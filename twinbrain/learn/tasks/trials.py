"""Trials: input spikes, targets, and when the output counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.labelled import counts_places, differ, refuse_disorder, with_dims
from twinbrain.spec.plain_array import plain_array

# Dimensions of dense arrays by their names; further fields have one value a trial.
_DIMS = {
    "spikes": ("trial", "step", "channel"),
    "target": ("trial", "step", "output"),
    "scored": ("trial", "step"),
    "features": ("trial", "frame", "feature"),
}
_FURTHER = ("features", "n_frames", "group")


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of a task.

    Parameters
    ----------
    start : ndarray of int64, shape (trial + 1,)
        Where the events of each trial begin.
    step : ndarray of int32, shape (event,)
        Step of each input spike, ascending within a trial.
    channel : ndarray of int32, shape (event,)
        Its channel.
    target : ndarray of int64, shape (trial,), or of float32, shape (trial, step, output)
        Class of each trial, or what the outputs should be.
    scored : ndarray of float32, shape (trial, step)
        Weight of each step's output, in the loss and in the decision; where it is 0 the output is not read.
    features : ndarray of float32, shape (trial, frame, feature), optional
        The data before they became spikes, for models that are not spiking.
    n_frames : ndarray of int64, shape (trial,), optional
        How many of the frames are data, where trials differ in length.
    group : ndarray of int64, shape (trial,), optional
        Whom or what a trial belongs to, such as a subject.
    """

    start: NDArray[np.int64]
    step: NDArray[np.int32]
    channel: NDArray[np.int32]
    target: NDArray[Any]
    scored: NDArray[np.float32]
    features: NDArray[np.float32] | None = None
    n_frames: NDArray[np.int64] | None = None
    group: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for own in fields(self):
            value = getattr(self, own.name)
            if value is None and own.name in _FURTHER:
                continue
            if type(value) not in (np.ndarray, np.memmap):  # a masked array would forget its mask later
                raise LearnError(
                    f"trials: {own.name}: expected an array of NumPy, found a {type(value).__name__}; give "
                    "np.array(…), or dense arrays to tb.trials_of"
                )

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, index: Any) -> Any:
        raise LearnError("trials: expected no single item, since trials do not know their channels; use task.dataset()")

    @property
    def n_steps(self) -> int:
        """Steps of a trial; shorter ones are padded."""
        return int(self.scored.shape[1])

    def spikes(self, index: NDArray[np.int64], n_channels: int) -> NDArray[np.uint8]:
        """Return the input spikes of some trials.

        Parameters
        ----------
        index : ndarray of int64, shape (chosen,)
            Which trials.
        n_channels : int
            Channels of the task.

        Returns
        -------
        ndarray of uint8, shape (step, chosen, channel)
            1 where there is a spike.
        """
        found = np.zeros((self.n_steps, len(index), n_channels), np.uint8)
        counts = np.diff(self.start)[index]
        trial = np.repeat(np.arange(len(index)), counts)
        event = np.arange(len(trial)) + np.repeat(self.start[index] - (np.cumsum(counts) - counts), counts)
        found[self.step[event], trial, self.channel[event]] = 1
        return found

    @property
    def trial(self) -> NDArray[np.int64]:
        """Trial of each event."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def take(self, index: NDArray[np.int64]) -> Trials:
        """Return some of the trials, in the given order."""
        counts = np.diff(self.start)[index]
        event = np.arange(counts.sum()) + np.repeat(self.start[index] - (np.cumsum(counts) - counts), counts)
        chosen: dict[str, Any] = {
            name: None if (values := getattr(self, name)) is None else values[index]
            for name in ("target", "scored", "features", "n_frames", "group")
        }
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return replace(self, start=start, step=self.step[event], channel=self.channel[event], **chosen)


def events_of(
    trial: NDArray[Any], step: NDArray[Any], channel: NDArray[Any], n_trials: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return events as `Trials` keeps them: by trial, step and channel, and of equal ones the first alone.

    Parameters
    ----------
    trial, step, channel : ndarray of int, shape (event,)
        Of each event, in any order.
    n_trials : int
        How many trials there are, those without events too.

    Returns
    -------
    start, step, channel : ndarray
        Fields of `Trials`.
    """
    n_steps, n_channels = (int(values.max()) + 1 if len(values) else 1 for values in (step, channel))
    cells = np.unique((trial.astype(np.int64) * n_steps + step) * n_channels + channel)
    start = np.searchsorted(cells, np.arange(n_trials + 1, dtype=np.int64) * n_steps * n_channels)
    return (
        start.astype(np.int64),
        (cells // n_channels % n_steps).astype(np.int32),
        (cells % n_channels).astype(np.int32),
    )


def join(parts: Sequence[Trials]) -> Trials:
    """Return the trials of all parts, one after the other; the parts have the same fields and steps."""
    n_events = np.cumsum([0, *(len(part.step) for part in parts)])
    start = np.concatenate([[0], *(part.start[1:] + n for part, n in zip(parts, n_events, strict=False))])
    joined: dict[str, Any] = {
        name: None if getattr(parts[0], name) is None else np.concatenate([getattr(part, name) for part in parts])
        for name in ("step", "channel", "target", "scored", "features", "n_frames", "group")
    }
    return Trials(start.astype(np.int64), **joined)


def trials_of(spikes: ArrayLike, target: ArrayLike, scored: ArrayLike | None = None, **more: Any) -> Trials:
    """Return trials from dense arrays.

    Parameters
    ----------
    spikes : array_like of 0 and 1, shape (trial, step, channel)
        1 where there is a spike.
    target : array_like of int, shape (trial,), or of float, shape (trial, step, output)
        Class of each trial, or what the outputs should be.
    scored : array_like of float, shape (trial, step), optional
        Weight of each step's output; by default all count alike.
    **more : array_like
        Further fields of `Trials`.

    Raises
    ------
    LearnError
        If there is a field of another name, the arrays do not hold as many trials as each other, have dimensions of
        other names, trials of other labels or steps and channels of labels that descend (in xarray and pandas), or
        spikes are something else than 0 and 1.
    """
    if unknown := more.keys() - set(_FURTHER):
        raise LearnError(
            f"trials_of: expected no further fields than {', '.join(_FURTHER)}, found {', '.join(sorted(unknown))}; "
            "rename or drop it"
        )
    given = {name: value for name, value in ({"scored": scored} | more).items() if value is not None}
    named = {name: with_names(name, value) for name, value in {"spikes": spikes, "target": target, **given}.items()}
    check_labels(named, ("trial", "step"))
    arrays: dict[str, Any] = {"scored": None}
    for name, value in named.items():
        try:
            arrays[name] = plain_array(value, what="an array")
        except SpecError as error:
            raise LearnError(f"{name}: {error}") from None
    return _sparse(**arrays)


def _sparse(
    spikes: NDArray[Any], target: NDArray[Any], scored: NDArray[Any] | None, **more: NDArray[Any] | None
) -> Trials:
    if not target.ndim:
        raise LearnError(
            f"target: expected a class for each trial, or shape (trial, step, output), found {target.item()!r} alone; "
            "give one target a trial"
        )
    if spikes.ndim != 3 or len(spikes) != len(target):
        raise LearnError(
            f"spikes: expected shape (trial, step, channel) with {len(target)} trials, as there are targets, found "
            f"{spikes.shape}; give one target a trial"
        )
    check_binary("spikes", spikes)
    n_steps, n_channels = spikes.shape[1:]
    # Of booleans in one dimension, numpy finds the true ones ten times faster.
    cells = np.flatnonzero(np.ascontiguousarray(spikes, np.uint8).view(np.bool_))
    start = np.searchsorted(cells, np.arange(len(spikes) + 1) * n_steps * n_channels).astype(np.int64)
    step, channel = cells // max(n_channels, 1) % max(n_steps, 1), cells % max(n_channels, 1)
    weight = np.ones(spikes.shape[:2], np.float32) if scored is None else _weights(scored)
    if weight.shape != spikes.shape[:2]:
        raise LearnError(f"scored: expected shape {spikes.shape[:2]}, (trial, step), found {weight.shape}")
    return Trials(start, step.astype(np.int32), channel.astype(np.int32), target, weight, **more)


def _weights(scored: NDArray[Any]) -> NDArray[np.float32]:
    if scored.dtype.kind not in "buif":
        raise LearnError(f"scored: expected real numbers, found {scored.dtype}; give weights of at least 0")
    with np.errstate(over="ignore"):  # what is too large is refused by the task
        return scored.astype(np.float32)


def check_binary(where: str, spikes: NDArray[Any]) -> None:
    """Refuse spikes among which there is something else than 0 and 1.

    Parameters
    ----------
    where : str
        Begins the message.
    spikes : ndarray
        Of any shape.

    Raises
    ------
    LearnError
        If there is; with the first of it.
    """
    if spikes.dtype.kind not in "buif" or not ((spikes == 0) | (spikes == 1)).all():
        found = repr(spikes[(spikes != 0) & (spikes != 1)][0].item()) if spikes.dtype.kind in "uif" else spikes.dtype
        raise LearnError(f"{where}: expected 0 and 1, found {found}; a channel spikes once a step at most")


def with_names(where: str, value: Any, dims: Sequence[str] | None = None) -> Any:
    """Return an array with its dimensions in the order of a field of `trials_of`, where it names them.

    Parameters
    ----------
    where : str
        Begins the message, and is the field where ``dims`` are not given.
    value : array_like
    dims : sequence of str, optional

    Raises
    ------
    LearnError
        If they have other names, or labels that descend.
    """
    dims = dims or _DIMS.get(where, ("trial",))
    try:
        array = with_dims(value, dims, "an array", alone=dims[0])
        refuse_disorder(array, [dim for dim in dims if dim != "trial"], "an array")  # of trials any order will do
        return array
    except SpecError as error:
        raise LearnError(f"{where}: {error}") from None


def check_labels(arrays: Mapping[str, Any], dims: Sequence[str]) -> None:
    """Refuse arrays that have other labels along a dimension than another, or the same in another order.

    Parameters
    ----------
    arrays : mapping of str to array_like
        As `with_names` returned them, by what they are, for a message.
    dims : sequence of str

    Raises
    ------
    LearnError
        If there are such.
    """
    named = {name: array for name, array in arrays.items() if isinstance(array, xr.DataArray)}
    for dim in dims:
        labels = {name: array[dim].values for name, array in named.items() if dim in array.coords}
        first = next((name for name, own in labels.items() if not counts_places(own)), None)
        for name, own in labels.items():
            if first is not None and differ(own, labels[first]):
                raise LearnError(
                    f"{name}: expected the labels of {first} along {dim!r}, in the same order, found others; select "
                    "the same of each, or give .values, which are taken by their places"
                )
