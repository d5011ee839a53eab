"""What the dimensions of a sweep of trainings are: seeds, amounts of labels, or conditions."""

from __future__ import annotations

import xarray as xr

from twinbrain.analysis.arguments import check_each_once
from twinbrain.errors import LearnError

SEED, LABELS, SAMPLE = "seed", "labels", "sample"
_MEANT: dict[tuple[str, ...], str] = {("run", "seed"): SEED, ("train", "labels"): LABELS}


def with_names_of_what_changes(sweep: xr.Dataset) -> xr.Dataset:
    """Return a sweep in which a dimension is called ``seed``, or ``labels``, if that alone changes along it.

    A sweep names a dimension after its first key, by as many parts as tell it from others.

    Raises
    ------
    LearnError
        If several dimensions were stacked, more changes along one that is called ``seed`` or ``labels``, or a value is
        there twice.
    """
    names: dict[str, str] = {}
    for dim in map(str, sweep["status"].dims):
        if dim in sweep.indexes and sweep.indexes[dim].nlevels > 1:
            levels = ", ".join(map(str, sweep.indexes[dim].names))
            raise LearnError(
                f"expected dimensions as the sweep has them, found {dim!r}, stacked of {levels}; unstack it: "
                f"sweep.unstack({dim!r})"
            )
        keys = [_key(sweep[name]) for name in swept_along(sweep, dim)]
        if len(keys) == 1 and keys[0] in _MEANT:
            names[dim] = _MEANT[keys[0]]
        elif keys and dim in _MEANT.values():
            names[dim] = ".".join(keys[0])
    changed = {dim: name for dim, name in names.items() if dim != name}
    # Samples are counted; what they are of stands beside.
    counted = {dim: name for dim, name in changed.items() if name in sweep.coords and sweep[name].dims == (dim,)}
    sweep = sweep.swap_dims(counted).drop_vars(counted, errors="ignore")
    sweep = sweep.rename({dim: name for dim, name in changed.items() if dim not in counted})
    for dim in _MEANT.values():
        if dim in sweep["status"].dims:
            _check_alone(sweep, dim)
    return sweep


def swept_along(sweep: xr.Dataset, dim: str) -> list[str]:
    """Return the names of the coordinates of keys that change along a dimension, that of its own name first."""
    along = [str(name) for name, coord in sweep.coords.items() if coord.dims == (dim,) and coord.attrs.get("key")]
    return sorted(along, key=lambda name: name != dim)


def _check_alone(sweep: xr.Dataset, dim: str) -> None:
    """Check that along seeds, or labels, nothing else changes, and that each is there once."""
    for name, coord in sweep.coords.items():
        if coord.dims != (dim,) or name == SAMPLE:
            continue
        if name == dim or (coord.attrs.get("key") and _MEANT.get(_key(coord)) == dim):
            check_each_once("sweep", str(name), coord.values.tolist())
        elif len({*coord.values.tolist()}) > 1:
            raise LearnError(
                f"expected along {dim!r} what it alone tells apart, found that {str(name)!r} changes, too; give each a "
                f"dimension of its own, or leave {str(name)!r} out if it means nothing"
            )


def _key(coord: xr.DataArray) -> tuple[str, ...]:
    from twinbrain.spec.keys import full_key  # takes half a second, which plots of runs need not wait for

    return tuple(full_key(coord.attrs["key"]))
