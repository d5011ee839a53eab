"""Chosen pairs of conditions: what one thing alone makes of a difference, with intervals that hold together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from twinbrain.analysis.arguments import check_each_once
from twinbrain.analysis.confidence import mean_over
from twinbrain.analysis.same_task import groups_of_tasks
from twinbrain.errors import LearnError
from twinbrain.spec.suggest import suggestion

LEVEL = 0.95
"""Confidence that all intervals together hold."""


def compare_contrasts(comparison: xr.Dataset, contrasts: Mapping[str, tuple[str, str]] | None = None) -> xr.Dataset:
    """Return the difference of accuracy in chosen pairs of conditions, seed by seed.

    Of m contrasts each has Student's interval of confidence 1 - 0.05/m, so that all hold together with 95 % at least
    (Bonferroni): as many comparisons do not make a chance find.

    Parameters
    ----------
    comparison : xarray.Dataset
        See `twinbrain.analysis.compare`.
    contrasts : mapping of str to (str, str), optional
        For names, the condition and the one that it is held against; by default those of the sweep, which lie in the
        attribute ``contrasts``.

    Returns
    -------
    xarray.Dataset, dim ``contrast``
        ``difference``, ``difference_low``, ``difference_high``, shares; ``n_seeds`` that both conditions have; and the
        conditions, ``condition`` and ``against``. The attribute ``level`` is the confidence of each interval.

    Raises
    ------
    LearnError
        If a condition is unknown, a condition or a seed is there twice, or the two of a pair are of different tasks.

    Examples
    --------
    >>> comparison = xr.Dataset(
    ...     {"accuracy": (("condition", "seed"), [[0.5, 0.6], [0.7, 0.8]])}, {"condition": ["alike", "spread"]}
    ... )
    >>> found = compare_contrasts(comparison, {"parameters": ("spread", "alike")})
    >>> round(float(found["difference"][0]), 3)
    0.2
    """
    pairs: Mapping[str, Any] = comparison.attrs.get("contrasts", {}) if contrasts is None else contrasts
    known = [str(name) for name in comparison["condition"].values]
    for dim, labels in (("condition", known), ("seed", comparison["seed"].values.tolist())):
        check_each_once("comparison", dim, labels)
    task = dict(zip(known, groups_of_tasks(comparison), strict=True))
    for pair in pairs.values():
        for name in pair:
            if name not in known:
                raise LearnError(f"contrast: unknown condition {name!r}; {suggestion(name, known)}")
        if len({task[name] for name in pair}) > 1:
            one, other = pair
            raise LearnError(
                f"contrast: expected two conditions of one task, found {one!r} and {other!r}, whose tasks or chances "
                "differ; name two that can be held against each other"
            )
    level = 1 - (1 - LEVEL) / max(len(pairs), 1)
    accuracy = comparison["accuracy"]
    first, second = (
        accuracy.sel(condition=[pair[i] for pair in pairs.values()]).rename(condition="contrast").drop_vars("contrast")
        for i in (0, 1)
    )
    interval = mean_over((first - second).assign_coords(contrast=list(pairs)), level=level)
    names = {
        name: ("contrast", [str(pair[i]) for pair in pairs.values()]) for i, name in enumerate(("condition", "against"))
    }
    return xr.Dataset(
        {
            "difference": interval["mean"],
            "difference_low": interval["low"],
            "difference_high": interval["high"],
            "n_seeds": interval["n"],
        },
        attrs={"level": level},
    ).assign_coords(names)
