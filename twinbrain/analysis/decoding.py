"""Decoding: how well the class can be read from the spike counts of a group of neurons."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.confidence import wilson
from twinbrain.analysis.discriminant import centroids, linear_discriminant
from twinbrain.analysis.responses import Classes, classes_of, complete, counts_of, neuron_groups
from twinbrain.analysis.varies import varies
from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.plain_numbers import whole
from twinbrain.spec.suggest import suggestion

Decoder = Literal["lda", "centroid"]

_DECODERS = {"lda": linear_discriminant, "centroid": centroids}


def decoding(
    responses: xr.Dataset,
    by: str | None = None,
    *,
    decoder: Decoder = "lda",
    n_folds: int = 5,
    n_neurons: int | None = None,
    n_draws: int = 10,
    seed: int = 0,
) -> xr.Dataset:
    """Return how well the class is read from the counts of each group of neurons, in trials held out.

    Parameters
    ----------
    responses : xarray.Dataset
        ``count`` (trial, neuron) and ``label`` (trial).
    by : str, optional
        A coordinate of the neurons; by default all neurons are one group.
    decoder : {"lda", "centroid"}
        Fisher's linear discriminant [1]_ with the covariance within classes shrunk [2]_, or the nearest class mean.
        Both see each neuron's count over its standard deviation.
    n_folds : int, optional
        Parts of the trials, classes in equal shares, each decoded by what was learned from the others.
    n_neurons : int, optional
        Neurons drawn of each group, so that large groups do not win by their size; groups that have fewer are NaN. By
        default all.
    n_draws : int, optional
        How often neurons are drawn; the mean is returned.
    seed : int, optional
        Of the draws, and of the dealing of trials to folds.

    Returns
    -------
    xarray.Dataset, dim ``by``, or ``group`` without ``by``
        ``accuracy`` with Wilson's 95 % interval over trials, ``low`` to ``high``. The attribute ``chance`` is the
        share of the most frequent class. A neuron whose count is missing (NaN) in a trial has no part in it; the
        coordinate ``n_complete`` tells how many are left of the ``n_neurons`` of a group.

    Raises
    ------
    SpecError
        If the decoder is unknown, or a number of folds, neurons, draws or the seed is none.
    LearnError
        If a class has fewer trials than there are folds, or bins were selected, of which counts do not tell.

    References
    ----------
    .. [1] Fisher 1936, doi 10.1111/j.1469-1809.1936.tb02137.x
    .. [2] Ledoit & Wolf 2004, doi 10.1016/S0047-259X(03)00096-4
    """
    if decoder not in get_args(Decoder):
        raise SpecError(f"decoder: unknown decoder {decoder!r}; {suggestion(str(decoder), _DECODERS)}")
    count, classes = counts_of(responses), classes_of(responses)
    n_folds, n_draws, seed = whole("n_folds", n_folds, 2), whole("n_draws", n_draws), whole("seed", seed, 0)
    n_neurons = None if n_neurons is None else whole("n_neurons", n_neurons)
    fewest = int(classes.n_trials.min())
    if fewest < n_folds:
        where = classes.label[int(classes.n_trials.argmin())]
        raise LearnError(
            f"decoding: expected a trial of each class in each of the {n_folds} folds, "
            f"found {fewest} trials of class {where}; take fewer folds, or more trials"
        )
    values = count.values.astype(np.float64)
    fold = _folds(classes, n_folds, seed)
    groups, n_trials = neuron_groups(count, by), len(values)
    found = []
    for name, members in zip(groups.names, groups.members(), strict=True):
        members = members[complete(values[:, members])]
        if not len(members) or (n_neurons is not None and len(members) < n_neurons):
            found.append(np.nan)
            continue
        # Keyed by the group's name, so that a group's result does not depend on which others there are.
        rng = np.random.default_rng([seed, *name.encode()])
        taken = len(members) if n_neurons is None else n_neurons
        draws = n_draws if taken < len(members) else 1
        chosen = [np.sort(rng.choice(members, taken, replace=False)) for _ in range(draws)]
        found.append(float(np.mean([_accuracy(values[:, some], classes, fold, decoder) for some in chosen])))
    accuracy = np.array(found)
    low, high = wilson(accuracy * n_trials, n_trials)
    text = {"accuracy": "decoding accuracy", "low": "lower limit", "high": "upper limit"}
    return xr.Dataset(
        {
            key: (groups.by, array, {"long_name": text[key], "units": "1"})
            for key, array in zip(text, (accuracy, low, high), strict=True)
        },
        groups.coords_with_complete(values),
        {
            "chance": float(classes.n_trials.max() / n_trials),
            "n_trials": n_trials,
            "n_classes": classes.n,
            "decoder": decoder,
            "n_folds": n_folds,
            "n_neurons_drawn": "all" if n_neurons is None else n_neurons,
        },
    )


def _folds(classes: Classes, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Deal the trials of each class out to the folds, in an order that is drawn."""
    order = np.random.default_rng(seed).permutation(len(classes.index))
    turn = np.empty(len(order), np.int64)
    turn[order] = Classes(classes.label, classes.index[order]).turn()
    # Each class begins with another fold, so that folds are of about one size.
    return (turn + classes.index) % n_folds


def _accuracy(count: NDArray[np.float64], classes: Classes, fold: NDArray[np.int64], decoder: Decoder) -> float:
    right = 0
    for held_out in range(int(fold.max()) + 1):
        test = fold == held_out
        train = Classes(classes.label, classes.index[~test])
        spread = count[~test].std(axis=0)
        differs = varies(count[~test])
        if not differs.any():
            right += int((classes.index[test] == train.n_trials.argmax()).sum())
            continue
        scaled = count[:, differs] / spread[differs]
        weight, offset = _DECODERS[decoder](scaled[~test], train)
        right += int(((scaled[test] @ weight + offset).argmax(axis=1) == classes.index[test]).sum())
    return right / len(count)
