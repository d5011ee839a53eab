"""From a sweep of trainings to a comparison of its conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from twinbrain.errors import LearnError

SEED, LABELS, CONDITION = "seed", "labels", "condition"
FEWER_LABELS = "fewer labels"
_COSTS = {"synaptic_operations": "synaptic_operations", "energy": "energy", "training_time": "seconds"}


def compare_conditions(sweep: xr.Dataset) -> xr.Dataset:
    """Return the comparison that a sweep of trainings makes, for `compare`, `comparison_figure` and `comparison_table`.

    Every dimension but ``seed`` and ``labels`` tells conditions apart; cases go by their names. Of cases whose names
    agree up to a colon, such as ``"one time constant: 20 ms"`` and ``"one time constant: 50 ms"``, the one stands for
    all that is most accurate on the validation trials, in the mean over seeds: so a parameter is tuned that is not
    trained. Held-out trials have no part in it.

    Parameters
    ----------
    sweep : xarray.Dataset
        Of a workflow that trains, as `twinbrain.open_sweep` gives it; points that failed are left out.

    Returns
    -------
    xarray.Dataset
        ``accuracy``, ``synaptic_operations``, ``energy``, ``seconds`` and ``n_parameters`` (condition, seed), and
        ``disturbed`` (condition, disturbance, level, seed), where fewer labels stand among the disturbances if they
        were swept. Attributes: ``title``, ``chance``, ``caveat``, which tells what was tuned, and ``contrasts``, those
        of the sweep, see `twinbrain.analysis.compare_contrasts`.

    Raises
    ------
    LearnError
        If it is no sweep of trainings, or they are no classifications, or none is done.
    """
    if "validation_accuracy" not in sweep or "disturbed" not in sweep:
        raise LearnError("expected a sweep of a workflow that trains, found another; see tb.sweep")
    flat = _by_condition(sweep.load())
    full = flat.isel({LABELS: int(flat[LABELS].values.argmax())}, drop=True)
    if not np.isfinite(full["accuracy"]).any():
        unfit = np.isfinite(full["squared_error"]).any()
        why = "errors of a regression, which are not compared here" if unfit else "no training that is done"
        raise LearnError(f"expected accuracies to compare, found {why}")
    chosen, tuned = _tuned(full["validation_accuracy"])
    full, flat = full.isel({CONDITION: list(chosen.values())}), flat.isel({CONDITION: list(chosen.values())})
    found = {"accuracy": full["accuracy"], "n_parameters": full["n_parameters"], "disturbed": _disturbed(full, flat)}
    found |= {name: full[measured] for measured, name in _COSTS.items()}
    comparison = xr.Dataset(found, attrs=_remarks(sweep, full, tuned, chosen))
    comparison = comparison.assign_coords({CONDITION: list(chosen)})
    comparison["level"].attrs = {"long_name": "strength", "units": "1"}
    order = (CONDITION, "disturbance", "level", SEED)
    return comparison.drop_vars([n for n in comparison.coords if n not in comparison.dims]).transpose(*order)


def _by_condition(sweep: xr.Dataset) -> xr.Dataset:
    """Return the measures with the dimensions condition, seed and labels beside their own."""
    measured = ["accuracy", "squared_error", "validation_accuracy", "chance", "n_parameters", "disturbed", *_COSTS]
    data = sweep[measured]
    for dim in (SEED, LABELS):
        if dim not in data.dims:
            data = data.drop_vars(dim, errors="ignore").expand_dims({dim: [0] if dim == SEED else [1.0]})
    across = [str(dim) for dim in sweep["status"].dims if dim not in (SEED, LABELS)]
    if not across:
        return data.expand_dims({CONDITION: [str(sweep.attrs.get("workflow", "all"))]})
    names = [
        ", ".join(_named(sweep, dim, place) for dim, place in zip(across, places, strict=True))
        for places in np.ndindex(*(sweep.sizes[dim] for dim in across))
    ]
    data = data.drop_vars([name for name, coord in data.coords.items() if set(coord.dims) & set(across)])
    return data.stack({CONDITION: across}, create_index=False).assign_coords({CONDITION: names})


def _named(sweep: xr.Dataset, dim: str, place: int) -> str:
    if dim not in sweep.coords:
        return f"{dim} {place}"
    value, units = sweep[dim].values[place], sweep[dim].attrs.get("units", "")
    return str(value) if dim == "case" else f"{dim} {value}" + f" {units}" * bool(units)


def _tuned(validation: xr.DataArray) -> tuple[dict[str, int], list[str]]:
    """Return the places of the conditions that stand for their groups, by new names, and what was tuned."""
    groups: dict[str, dict[str, int]] = {}
    for place, name in enumerate(map(str, validation[CONDITION].values)):
        group, _, variant = name.partition(": ")
        groups.setdefault(group, {})[variant] = place
    mean = validation.mean(SEED).values
    chosen, tuned = {}, []
    for group, variants in groups.items():
        if len(variants) == 1:
            ((variant, place),) = variants.items()
            chosen[f"{group}: {variant}" if variant else group] = place
            continue
        best = max(variants, key=lambda variant: np.nan_to_num(mean[variants[variant]], nan=-1))
        chosen[f"{group}: {best}"] = variants[best]
        tried = ", ".join(f"{variant} {100 * mean[place]:.1f} %" for variant, place in variants.items())
        tuned.append(f"{group}: chosen on validation trials among {tried}.")
    return chosen, tuned


def _disturbed(full: xr.Dataset, flat: xr.Dataset) -> xr.DataArray:
    disturbed = full["disturbed"].dropna("disturbance", how="all")  # where no robustness was asked for
    if flat.sizes[LABELS] == 1:
        return disturbed
    fewer = flat["accuracy"].rename({LABELS: "level"})
    lacking = (1 - flat[LABELS].values.astype(np.float64)).round(6)
    fewer = fewer.assign_coords(level=lacking).sortby("level").expand_dims(disturbance=[FEWER_LABELS])
    return xr.concat([disturbed, fewer], "disturbance", join="outer", coords="minimal", compat="override")


def _remarks(sweep: xr.Dataset, full: xr.Dataset, tuned: list[str], chosen: Iterable[str]) -> Mapping[str, Any]:
    energy = str(sweep["energy"].attrs.get("caveat", ""))
    attrs: dict[str, Any] = {"caveat": " ".join([*tuned, energy]).strip()}
    if workflow := sweep.attrs.get("workflow"):
        attrs["title"] = str(workflow)
    standing = {name.partition(": ")[0]: name for name in chosen}
    named = json.loads(sweep.attrs.get("spec", "{}")).get("sweep", {}).get("contrasts", {})
    pairs = {name: tuple(standing[group] for group in pair) for name, pair in named.items() if {*pair} <= {*standing}}
    if pairs:
        attrs["contrasts"] = pairs
    return attrs | {"chance": float(full["chance"].mean())}
