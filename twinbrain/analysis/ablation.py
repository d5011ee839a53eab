"""Ablation: what a network loses without some of its neurons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.arguments import check_each_once
from twinbrain.analysis.confidence import mean_over, paired_difference
from twinbrain.analysis.responses import TRIAL_DIGEST, classes_among, classes_of, responses_of
from twinbrain.errors import LearnError


def ablation(intact: xr.Dataset, lesioned: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return by how much accuracy drops without some neurons, in the same trials.

    Parameters
    ----------
    intact : xarray.Dataset
        ``label`` and ``decision`` (trial) of the whole network. Where there is ``trial_digest`` (trial), as in what
        `Trained.responses` gives, trials are known by it, in whatever order; else they are taken as they come, and
        their labels have to agree.
    lesioned : mapping of str to xarray.Dataset
        The same of the network without, for example, ``"pv"``.

    Returns
    -------
    xarray.Dataset, dims (lesion, label)
        Of all trials ``drop``, ``low`` and ``high`` (lesion), and of each class ``drop_of_label``, ``low_of_label`` and
        ``high_of_label``, as shares: 0.1 is ten points of per cent. The interval of 95 % is Newcombe's for pairs, see
        `twinbrain.analysis.confidence`: over trials of this one network, not over networks.

    Raises
    ------
    LearnError
        If a lesioned network saw other trials, or a trial has no label or no decision.
    """
    classes = classes_of(intact)
    before = _is_right(intact)
    found, of_label = [], []
    for name, responses in lesioned.items():
        classes_of(responses)  # lest labels be put in an order that they do not have
        after = _is_right(_in_order_of(intact, responses, name))
        found.append(paired_difference(before, after))
        of_label.append(
            [paired_difference(before[classes.index == i], after[classes.index == i]) for i in range(classes.n)]
        )
    names = ("drop", "low", "high")
    total, parts = np.array(found).reshape(-1, 3), np.array(of_label).reshape(-1, classes.n, 3)
    return xr.Dataset(
        {
            **{name: ("lesion", total[:, i], _attrs(name)) for i, name in enumerate(names)},
            **{f"{name}_of_label": (("lesion", "label"), parts[..., i], _attrs(name)) for i, name in enumerate(names)},
        },
        {"lesion": list(lesioned), "label": classes.label},
        {"intact": float(before.mean()), "n": len(before), "interval_over": "trials"},
    )


def ablation_over_seeds(intact: xr.DataArray, lesioned: xr.DataArray) -> xr.Dataset:
    """Return by how much accuracy drops without some neurons, over networks trained with several seeds.

    Parameters
    ----------
    intact : xarray.DataArray, dims (seed,)
        Accuracies of the whole networks.
    lesioned : xarray.DataArray, dims (lesion, seed)
        The same without some neurons.

    Returns
    -------
    xarray.Dataset, dim ``lesion``
        ``drop``, and its 95 % interval ``low`` to ``high``, Student's for the differences of each seed; NaN for
        a single seed. Of the attributes, ``intact`` is the mean accuracy before, and ``n`` the number of seeds, both of
        those with a difference.

    Raises
    ------
    LearnError
        If the two have no seed in common, or not as many where one does not tell its seeds, or one has a seed twice.
    """
    for name, array, dims in (("intact", intact, {"seed"}), ("lesioned", lesioned, {"lesion", "seed"})):
        if set(array.dims) != dims:
            raise LearnError(f"ablation: expected {name} with dims {sorted(dims)}, found {list(array.dims)}")
        check_each_once(f"ablation, {name}", "seed", array["seed"].values.tolist())
    n_seeds = intact.sizes["seed"], lesioned.sizes["seed"]
    if n_seeds[0] != n_seeds[1] and not all("seed" in array.coords for array in (intact, lesioned)):
        raise LearnError(
            f"ablation: expected as many intact networks as lesioned ones, or the coordinate 'seed' of both, found "
            f"{n_seeds[0]} and {n_seeds[1]} without it; give it: assign_coords(seed=...)"
        )
    # Networks with the same seed are compared with each other.
    difference = intact - lesioned
    if not difference.sizes["seed"]:
        raise LearnError(
            "ablation: expected the same seeds of the intact and the lesioned networks, found none in common"
        )
    found = mean_over(difference.transpose("lesion", "seed"))
    seeds = sorted({*found["n"].values.tolist()})
    used = intact.sel(seed=difference["seed"]) if "seed" in intact.coords else intact
    return xr.Dataset(
        {
            name: ("lesion", found[key].values, _attrs(name))
            for name, key in (("drop", "mean"), ("low", "low"), ("high", "high"))
        },
        {"lesion": lesioned["lesion"].values},
        {
            "intact": float(used.where(difference.notnull().any("lesion")).mean()),
            "n": seeds[0] if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}",
            "interval_over": "seeds",
        },
    )


def _is_right(responses: xr.Dataset) -> NDArray[np.bool_]:
    """Return whether each trial was decided as it is labelled."""
    label, decision = (responses_of(responses, name, "trial") for name in ("label", "decision"))
    classes_among(label, decision)
    return np.asarray(decision.values == label.values)


def _in_order_of(intact: xr.Dataset, responses: xr.Dataset, name: str) -> xr.Dataset:
    """Return the responses of a lesioned network, trial by trial those of the intact one."""
    label, expected = (responses_of(each, "label", "trial").values for each in (responses, intact))
    order = f"expected the lesion {name!r} tried on the trials of the intact network, in their order"
    if all(TRIAL_DIGEST in each.variables for each in (intact, responses)):
        seen, wanted = (responses_of(each, TRIAL_DIGEST, "trial").values for each in (responses, intact))
        if other := (Counter(wanted.tolist()) - Counter(seen.tolist())).total() or max(0, len(seen) - len(wanted)):
            raise LearnError(
                f"ablation: expected the lesion {name!r} tried on the trials of the intact network, found other inputs "
                f"in {other} of {len(wanted)} trials; run both on the same trials"
            )
        if (seen != wanted).any():
            # Of trials with one input, labels tell which is which.
            place = np.empty(len(wanted), np.intp)
            place[np.lexsort((expected, wanted))] = np.lexsort((label, seen))
            responses, label = responses.isel(trial=place), label[place]
    if len(label) != len(expected):
        raise LearnError(
            f"ablation: {order}, found {len(label)} trials, not {len(expected)}; run both on the same trials"
        )
    if other := int((label != expected).sum()):
        raise LearnError(
            f"ablation: {order}, found other labels in {other} of {len(label)} trials; run both on the same trials, "
            f"and keep their order, or their coordinate {TRIAL_DIGEST!r}"
        )
    return responses


def _attrs(name: str) -> dict[str, str]:
    text = {"drop": "drop of accuracy", "low": "lower limit", "high": "upper limit"}
    return {"long_name": text[name], "units": "1"}
