"""Compare networks of several kinds, each trained with several seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.arguments import check_each_once
from twinbrain.analysis.confidence import mean_over
from twinbrain.analysis.same_task import groups_of_tasks
from twinbrain.errors import LearnError
from twinbrain.spec.suggest import suggestion

MEASURES = ("accuracy", "synaptic_operations", "energy", "seconds", "n_parameters")
"""What is compared, as far as it is there."""


def compare(comparison: xr.Dataset, reference: str | None = None) -> xr.Dataset:
    """Return means over seeds with intervals, and differences from one condition.

    Parameters
    ----------
    comparison : xarray.Dataset
        ``accuracy`` (condition, seed); alike any of ``synaptic_operations``, ``energy``, ``seconds`` and
        ``n_parameters``; ``disturbed`` (condition, disturbance, level, seed). NaN, of a seed that failed, is left out.
        Conditions are of different tasks where ``task`` (condition) or ``chance`` (condition, seed) differ, if there.
    reference : str, optional
        The condition that others are held against; by default the first.

    Returns
    -------
    xarray.Dataset, dim ``condition``
        Of each measure its mean, and ``<name>_low`` and ``<name>_high``, limits of Student's 95 % interval over seeds,
        those of an accuracy kept within 0 and 1; ``n_seeds``. ``difference`` of accuracy from the reference with
        ``difference_low`` and ``difference_high``, over the seeds that both have, pair by pair; NaN where the two are
        of different tasks. ``best``: whether it is the most accurate condition of its task. ``overlaps_best``: whether
        the interval of accuracy overlaps that of the best of its task, true also where one of them has no interval.
        ``chance``, where conditions differ in it.

    Raises
    ------
    LearnError
        If there is no accuracy by condition and seed, one of these is there twice, or the reference is unknown.
    """
    accuracy = comparison.get("accuracy")
    if accuracy is None or set(accuracy.dims) != {"condition", "seed"}:
        raise LearnError("comparison: expected 'accuracy' with the dimensions condition and seed, found none such")
    names = [str(name) for name in comparison["condition"].values]
    for dim, labels in (("condition", names), ("seed", comparison["seed"].values.tolist())):
        check_each_once("comparison", dim, labels)
    reference = names[0] if reference is None else reference
    if reference not in names:
        raise LearnError(f"comparison: unknown reference {reference!r}; {suggestion(reference, names)}")
    found: dict[str, xr.DataArray] = {}
    for name in (*MEASURES, "disturbed"):
        if name in comparison:
            found |= _with_limits(name, comparison[name], share=name in ("accuracy", "disturbed"))
    found["n_seeds"] = mean_over(accuracy)["n"]
    if "chance" in comparison:
        found["chance"] = comparison["chance"].mean([dim for dim in comparison["chance"].dims if dim != "condition"])
    task = xr.DataArray(groups_of_tasks(comparison), dims="condition")
    difference = accuracy - accuracy.sel(condition=reference, drop=True)
    difference = difference.where(task == task[names.index(reference)])
    found |= _with_limits("difference", difference)
    itself = accuracy["condition"] == reference
    for key in ("difference_low", "difference_high"):
        found[key] = found[key].where(~itself, 0.0)
    found |= _held_against_the_best(found, task.values)
    return xr.Dataset(found, attrs=dict(comparison.attrs) | {"reference": reference})


def _with_limits(name: str, values: xr.DataArray, *, share: bool = False) -> dict[str, xr.DataArray]:
    interval = mean_over(values)
    low, high = interval["low"], interval["high"]
    if share:
        low, high = low.clip(0, 1), high.clip(0, 1)
    return {name: interval["mean"], f"{name}_low": low, f"{name}_high": high}


def _held_against_the_best(found: dict[str, xr.DataArray], task: NDArray[np.int64]) -> dict[str, xr.DataArray]:
    mean = found["accuracy"].values
    low, high = found["accuracy_low"].values, found["accuracy_high"].values
    is_best, apart = np.zeros(len(mean), bool), np.zeros(len(mean), bool)
    for of_one in (task == number for number in np.unique(task)):
        if np.isfinite(mean[of_one]).any():
            best = int(np.nanargmax(np.where(of_one, mean, np.nan)))
            is_best[best] = True
            apart |= of_one & ((high < low[best]) | (low > high[best]))
    coords = found["accuracy"].coords
    return {
        "best": xr.DataArray(is_best, coords, "condition"),
        "overlaps_best": xr.DataArray(~apart, coords, "condition"),
    }
