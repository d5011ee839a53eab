"""From a sweep of trainings to a comparison of its conditions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.same_task import SHARE, groups_of_tasks, shares_of, task_of_all, tasks_of
from twinbrain.analysis.swept import LABELS, SAMPLE, SEED, swept_along, with_names_of_what_changes
from twinbrain.errors import LearnError

CASE, CONDITION = "case", "condition"
FEWER_LABELS = "fewer labels"
Place = tuple[str, str]
"""What a condition is: its case, or the group of cases that it stands for, and the values of other keys."""
_COSTS = {"synaptic_operations": "synaptic_operations", "energy": "energy", "training_time": "seconds"}


def compare_conditions(sweep: xr.Dataset) -> xr.Dataset:
    """Return the comparison that a sweep of trainings makes, for `compare`, `comparison_figure` and `comparison_table`.

    Every dimension tells conditions apart, but that of seeds, along which ``run.seed`` alone changes, and that of
    labels, along which ``train.labels`` alone does; a dataset of your own calls them ``seed`` and ``labels``. Cases go
    by their names, and come first. Of
    cases whose names agree up to a colon, such as ``"one time constant: 20 ms"`` and ``"one time constant: 50 ms"``,
    the one stands for all that is most accurate on the validation trials, in the mean over seeds: so a parameter is
    tuned that is not trained. Held-out trials have no part in it. Where other keys were swept beside cases, this is
    done at each of their values, and so is each contrast.

    Conditions whose tasks, or whose chances, differ stand in one table and are not held against each other: no
    difference is taken between them, and no contrast.

    Parameters
    ----------
    sweep : xarray.Dataset
        Of a workflow that trains, as `twinbrain.open_sweep` gives it; points that failed are left out.

    Returns
    -------
    xarray.Dataset
        ``accuracy``, ``synaptic_operations``, ``energy``, ``seconds`` and ``n_parameters`` (condition, seed), and
        ``disturbed`` (condition, disturbance, level, seed), where fewer labels stand among the disturbances if they
        were swept. Where they differ, ``task`` (condition) and ``chance`` (condition, seed). Attributes: ``title``,
        ``chance``, where it is one, ``caveat``, which tells what was tuned, and ``contrasts``, those of the sweep, see
        `twinbrain.analysis.compare_contrasts`; of several sweeps that were put together by `xarray.concat`, those of
        the first, which alone has kept its declaration.

    Raises
    ------
    LearnError
        If it is no sweep of trainings, or not all are classifications, or none is done; if seeds or conditions are
        there twice, or several dimensions were stacked, so that chance alone does not tell apart what lies along one;
        if cases of which one would stand for all, or seeds of a condition, are of different tasks.
    """
    if "validation_accuracy" not in sweep or "disturbed" not in sweep:
        held = next((name for name in ("mean_rates", *map(str, sweep.data_vars)) if name in sweep), "mean_rates")
        raise LearnError(
            "expected a sweep of a workflow that trains, found another; of one that simulates, take means over seeds "
            f"and their intervals: tb.analysis.mean_over(sweep[{held!r}], {SEED!r})"
        )
    if CONDITION in (*sweep.dims, *sweep.coords):
        raise LearnError(f"expected names of a sweep, found {CONDITION!r}, as what is compared is called; rename it")
    if "disturbance" not in sweep["disturbed"].dims or "level" not in sweep["disturbed"].dims:
        raise LearnError(
            "expected accuracies under disturbances along 'disturbance' and 'level', found one or the other missing; "
            "give the whole sweep, and select from the result"
        )
    if 0 in sweep["status"].shape:
        raise LearnError("expected trainings to compare, found none; select some")
    if LABELS in sweep.dims and LABELS not in sweep.coords:
        raise LearnError(
            f"expected the shares of labels along the dimension {LABELS!r}, found none, so that nobody knows which are "
            "all; keep that coordinate of the sweep"
        )
    sweep = with_names_of_what_changes(sweep.compute())
    flat, places, tasks = _by_condition(sweep)
    if twice := [place for place, n in Counter(places).items() if n > 1]:
        raise LearnError(f"expected each condition once, found {_said(*twice[0])!r} several times; take it once")
    full = flat.isel({LABELS: int(flat[LABELS].values.argmax())}, drop=True)
    _check_classifications(full, places)
    of_task = _of_task(full, tasks)
    chosen, tuned = _tuned(full["validation_accuracy"].transpose(CONDITION, SEED).values, places, of_task)
    at = list(chosen.values())
    full, flat = full.isel({CONDITION: at}), flat.isel({CONDITION: at})
    found = {"accuracy": full["accuracy"], "n_parameters": full["n_parameters"], "disturbed": _disturbed(full, flat)}
    if _chance(full) is None:
        found["chance"] = full["chance"]
    if len({tasks[i] for i in at}) > 1:
        found["task"] = xr.DataArray([tasks[i] for i in at], dims=CONDITION)
    found |= {name: full[measured] for measured, name in _COSTS.items()}
    comparison = xr.Dataset(found, attrs=_remarks(sweep, full, tuned))
    names = {group: _said(*places[place]) for group, place in chosen.items()}
    contrasts = _contrasts(sweep, names)
    number = dict(zip(names.values(), of_task[at], strict=True))
    if within := {name: pair for name, pair in contrasts.items() if number[pair[0]] == number[pair[1]]}:
        comparison.attrs["contrasts"] = within
    if across := ", ".join(name for name in contrasts if name not in within):
        told = f"Not drawn, since their conditions are of different tasks: contrasts {across}."
        comparison.attrs["caveat"] = f"{told} {comparison.attrs['caveat']}".strip()
    alone = [str(sweep.attrs.get("workflow", "all"))]
    comparison = comparison.assign_coords({CONDITION: list(names.values()) if any(names.values()) else alone})
    comparison["level"].attrs = {"long_name": "strength", "units": "1"}
    order = (CONDITION, "disturbance", "level", SEED)
    return comparison.drop_vars([n for n in comparison.coords if n not in comparison.dims]).transpose(*order)


def _by_condition(sweep: xr.Dataset) -> tuple[xr.Dataset, list[Place], list[str]]:
    """Return measures by condition, seed and labels beside their own dimensions; places of conditions, and tasks."""
    measured = ["accuracy", "squared_error", "validation_accuracy", "chance", "n_parameters", "disturbed", *_COSTS]
    data = sweep[measured]
    for dim in (SEED, LABELS):
        if dim not in data.dims:
            data = data.drop_vars(dim, errors="ignore").expand_dims({dim: [0] if dim == SEED else [1.0]})
    # In an order of their own, so that it does not matter how the dataset lies.
    others = sorted(str(dim) for dim in sweep["status"].dims if dim not in (SEED, LABELS, CASE))
    across = [CASE] * (CASE in sweep["status"].dims) + others
    task = tasks_of(sweep)
    if not across:
        return data.expand_dims(CONDITION), [("", "")], [task_of_all(task)]
    places, tasks = [], []
    for index in np.ndindex(*(sweep.sizes[dim] for dim in across)):
        named = {dim: _named(sweep, dim, place) for dim, place in zip(across, index, strict=True)}
        places.append((named.pop(CASE, ""), ", ".join(named.values())))
        tasks.append(task_of_all(task.isel(dict(zip(across, index, strict=True)))))
    data = data.drop_vars([name for name, coord in data.coords.items() if set(coord.dims) & set(across)])
    return data.stack({CONDITION: across}, create_index=False), places, tasks


def _check_classifications(full: xr.Dataset, places: Sequence[Place]) -> None:
    if not np.isfinite(full["accuracy"]).any():
        unfit = np.isfinite(full["squared_error"]).any()
        why = "errors of a regression, which are not compared here" if unfit else "no training that is done"
        raise LearnError(f"expected accuracies to compare, found {why}")
    unfit = np.isfinite(full["squared_error"].transpose(CONDITION, SEED).values).any(axis=1)
    if unfit.any():
        names = ", ".join(repr(_said(*place)) for place, is_unfit in zip(places, unfit, strict=True) if is_unfit)
        raise LearnError(
            f"expected accuracies to compare, found errors of a regression, too, of {names}; leave those out, as by "
            "sweep.sel, and see their squared_error"
        )


def _of_task(full: xr.Dataset, tasks: Sequence[str]) -> NDArray[np.int64]:
    chance = full["chance"].transpose(CONDITION, SEED).values
    return groups_of_tasks(xr.Dataset({"chance": ((CONDITION, SEED), chance), "task": (CONDITION, list(tasks))}))


def _chance(full: xr.Dataset) -> float | None:
    """Return the chance of all conditions, or None if they differ."""
    number = _of_task(full, [""] * full.sizes[CONDITION])
    return None if number.any() else float(full["chance"].mean())


def _named(sweep: xr.Dataset, dim: str, place: int) -> str:
    if dim not in sweep.coords:
        return f"{dim} {place}"
    if dim == CASE:
        return str(sweep[dim].values[place])
    names = [dim] if dim == SAMPLE else swept_along(sweep, dim) or [dim]
    units = {name: str(sweep[name].attrs.get("units", "")) for name in names}
    return _said(*(f"{name} {sweep[name].values[place]} {units[name]}".rstrip() for name in names))


def _said(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _tuned(
    accuracy: NDArray[np.float64], places: Sequence[Place], of_task: NDArray[np.int64]
) -> tuple[dict[Place, int], list[str]]:
    """Return the conditions that stand for their groups of cases at each value of other keys, and what was tuned.

    ``accuracy`` holds that of each condition and seed on validation trials, ``of_task`` the number of each one's task.
    """
    done = np.isfinite(accuracy)
    n_seeds = done.sum(axis=1)
    mean = np.where(done, accuracy, 0).sum(axis=1) / np.where(n_seeds, n_seeds, np.nan)
    groups: dict[Place, list[int]] = {}
    for number, (case, others) in enumerate(places):
        groups.setdefault((case.partition(": ")[0], others), []).append(number)
    chosen, tuned = {}, []
    for key, numbers in groups.items():
        if len({*of_task[numbers].tolist()}) > 1:
            names = ", ".join(repr(places[number][0]) for number in numbers)
            raise LearnError(
                f"expected cases of one task where the best of them is to stand for all, found several tasks, or "
                f"chances, among {names}; give those of different tasks names that differ before the colon"
            )
        chosen[key] = max(numbers, key=lambda number: np.nan_to_num(mean[number], nan=-1))
        if len(numbers) > 1:
            variants = {number: places[number][0].partition(": ")[2] or places[number][0] for number in numbers}
            unequal = len({*n_seeds[numbers].tolist()}) > 1
            tried = ", ".join(
                f"{variant} {100 * mean[number]:.1f} %" + f" (n = {n_seeds[number]})" * unequal
                for number, variant in variants.items()
            )
            remark = ", of unequal numbers of seeds" * unequal
            tuned.append(f"{_said(*key)}: chosen on validation trials among {tried}{remark}.")
    return chosen, tuned


def _disturbed(full: xr.Dataset, flat: xr.Dataset) -> xr.DataArray:
    disturbed = full["disturbed"].dropna("disturbance", how="all")  # where no robustness was asked for
    if flat.sizes[LABELS] == 1:
        return disturbed
    fewer = flat["accuracy"].rename({LABELS: "level"})
    lacking = (1 - flat[LABELS].values.astype(np.float64)).round(6)
    fewer = fewer.assign_coords(level=lacking).sortby("level").expand_dims(disturbance=[FEWER_LABELS])
    return xr.concat([disturbed, fewer], "disturbance", join="outer", coords="minimal", compat="override")


def _remarks(sweep: xr.Dataset, full: xr.Dataset, tuned: list[str]) -> dict[str, Any]:
    energy = str(sweep["energy"].attrs.get("caveat", ""))
    if len(shares := _shares_of_conditions(sweep)) > 1:
        told = ", ".join(f"{100 * share:.4g} %" for share in shares)
        tuned = [f"Conditions are of trainings on different shares of the labels: {told}.", *tuned]
    elif shares and shares[0] < 1:
        tuned = [
            f"Accuracies are of trainings on {100 * shares[0]:.4g} % of the labels; none was on all of them.",
            *tuned,
        ]
    attrs: dict[str, Any] = {"caveat": " ".join([*tuned, energy]).strip()}
    if workflow := sweep.attrs.get("workflow"):
        attrs["title"] = str(workflow)
    chance = _chance(full)
    return attrs if chance is None else attrs | {"chance": chance}


def _shares_of_conditions(sweep: xr.Dataset) -> list[float]:
    """Return the shares of labels on which conditions were trained, the largest of each, as far as they are known.

    Raises
    ------
    LearnError
        If the seeds of one were trained on several.
    """
    if SHARE not in sweep.variables and LABELS in sweep.coords and sweep[LABELS].dims in ((), (LABELS,)):
        return [float(sweep[LABELS].max())]
    shares = shares_of(sweep)
    most = shares.max(LABELS) if LABELS in shares.dims else shares
    if SEED in most.dims:
        if (unequal := most.max(SEED) > most.min(SEED)).any():
            some = np.unique(most.where(unequal).values)
            found = " and ".join(f"{100 * share:.4g} %" for share in some[np.isfinite(some)])
            raise LearnError(
                f"expected the seeds of a condition to be trained on the same share of the labels, found {found}; put "
                "sweeps of several shares together along 'case', with names of cases that differ"
            )
        most = most.max(SEED)
    return sorted({float(share) for share in most.values.ravel() if np.isfinite(share)})


def _contrasts(sweep: xr.Dataset, names: Mapping[Place, str]) -> dict[str, tuple[str, str]]:
    """Return the contrasts of the sweep between groups that are there, at each value of other keys."""
    declared = json.loads(sweep.attrs.get("spec", "{}")).get("sweep", {}).get("contrasts", {})
    return {
        _said(contrast, others): (names[one, others], names[other, others])
        for contrast, (one, other) in declared.items()
        for others in dict.fromkeys(others for _, others in names)
        if {(one, others), (other, others)} <= {*names}
    }
