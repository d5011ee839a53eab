"""Parts of a data set: to learn from, to watch, to test; and what guessing gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.trials import Trials
from twinbrain.network.random import stream_key

Index = NDArray[np.int64]


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of draws that ``seed`` and ``names`` name."""
    key = stream_key(seed, *names)
    return np.random.Generator(np.random.Philox(key=key.first | key.second << 32))


def stratified(labels: NDArray[Any], n: int | None, rng: np.random.Generator) -> Index:
    """Return which trials make a part with each class in its share.

    Parameters
    ----------
    labels : ndarray of int, shape (trial,)
        Class of each trial.
    n : int, optional
        Trials of the part; all, if there are no more, or where it is not given. A smaller part is contained in a
        larger one of the same draw.
    rng : numpy.random.Generator
        Shuffles within each class.

    Returns
    -------
    ndarray of int64, shape (n,)
        Ascending.
    """
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        # Ranks of a class are spread over 0 … 1, so that the first n trials have all classes in their shares; they all
        # begin with 0, so that none is left out.
        rank[rng.permutation(members)] = np.arange(len(members)) / len(members)
    order = np.lexsort((rng.permutation(len(labels)), rank))
    return np.sort(order[: len(labels) if n is None else n]).astype(np.int64)


def parts(name: str, labels: NDArray[Any], shares: tuple[float, ...], rng: np.random.Generator) -> list[Index]:
    """Return disjoint parts of all trials, each with the classes in their shares.

    Parameters
    ----------
    name : str
        Of the task, for messages.
    labels : ndarray of int, shape (trial,)
        Class of each trial.
    shares : tuple of float
        Of each part but the last, which gets the rest; a part of share 0 has no trials.
    rng : numpy.random.Generator
        Shuffles within each class.

    Raises
    ------
    LearnError
        If a part that is wanted would have no trials.
    """
    rest = np.arange(len(labels))
    found = []
    for share in shares:
        chosen = stratified(labels[rest], round(share * len(labels)), rng)
        found.append(rest[chosen])
        rest = np.delete(rest, chosen)
    found.append(rest)
    if any(share and not len(part) for share, part in zip((*shares, 1.0), found, strict=True)):
        raise LearnError(
            f"task {name}: expected trials in every part, found {' + '.join(str(len(part)) for part in found)} of "
            f"{len(labels)} where {' and '.join(f'{share:g}' for share in shares)} of them are put aside; change these "
            "shares, or use more data"
        )
    return found


def chance(test: Trials) -> float:
    """Return the score of the best guess that sees no input: an accuracy, or a regression's error of a constant.

    As in a score, each trial counts as much as every other, however many of its steps count.

    Parameters
    ----------
    test : Trials
        What is to be guessed.
    """
    if test.target.ndim == 1:
        return float(np.bincount(test.target).max() / len(test))
    weight = (test.scored / test.scored.sum(1, keepdims=True) / len(test))[..., None]
    mean = (weight * test.target).sum((0, 1))
    return float((weight * (test.target - mean) ** 2).sum((0, 1)).mean())
