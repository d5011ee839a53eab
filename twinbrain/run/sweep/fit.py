"""Whether the results of a point stand where those of the sweep do: at the same coordinates of the same dimensions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.errors import SpecError
from twinbrain.run.sweep.reductions import template_of, values_of

Results = Mapping[str, xr.DataArray]

# Times of one bin in steps of two lengths differ by rounding.
_CLOSE = 1e-9


def common(template: xr.Dataset, results: Results) -> xr.Dataset:
    """Return what a template has in common with results: all but texts along dimensions, and attributes, that differ.

    Raises
    ------
    SpecError
        If shapes, dimensions or their coordinates are others.
    """
    found = template_of(_placed(results, template))
    differing = list(_differing(template, found))
    for name in differing:
        if name in template.dims:
            raise _misfit(template, found, name)
    shared = template.drop_vars(differing).copy()
    for name, key in _differing_attributes(shared, found):
        del shared.variables[name].attrs[key]
    return shared


def fitted(results: Results, template: xr.Dataset) -> dict[str, NDArray[Any]]:
    """Return the numbers of a point's results, each in the place that the template names.

    Regions and whatever else goes by texts may come in another order: they are put into that of the template.

    Raises
    ------
    SpecError
        If shapes, dimensions, coordinates or attributes are others, or numbers are not exactly those of the template's
        type.
    """
    placed = _placed(results, template)
    found = template_of(placed)
    for name in _differing(template, found):
        raise _misfit(template, found, name)
    for name, key in _differing_attributes(template, found):
        there = found.variables[name].attrs
        raise SpecError(
            f"expected the attribute {key!r} of {name} that a run without spikes gives it, "
            f"{template.variables[name].attrs[key]!r}, found {repr(there[key]) if key in there else 'none'}; give it "
            "the same at every point, or leave it out"
        )
    _check_silent(template, found)
    return {name: _as_kept(array, template[name].dtype, name) for name, array in placed.items()}


def _check_silent(template: xr.Dataset, found: xr.Dataset) -> None:
    """Refuse labels and units that a run without spikes does not give: what is kept would be told without them."""
    for name in found.coords:
        if name not in template.coords and name in template.dims:
            raise SpecError(
                f"expected {name} without labels, as of a run without spikes, found {found[name].values[:3].tolist()} "
                "and so on; give it the same labels where there are no spikes, too"
            )
    for name, variable in found.variables.items():
        if name in template.variables and "units" in variable.attrs and "units" not in template.variables[name].attrs:
            raise SpecError(
                f"expected {name} without a unit, as of a run without spikes, found {variable.attrs['units']!r}; give "
                "it the same where there are no spikes, too: xr.DataArray(np.nan, attrs={'units': ...})"
            )


def _as_kept(array: xr.DataArray, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        kept: NDArray[Any] = array.values.astype(dtype)
    if not np.array_equal(kept, array.values, equal_nan=True):
        raise SpecError(
            f"expected {name} in {dtype}, as of a run without spikes, found numbers of {array.dtype} that would be "
            "rounded; return the same type whatever the run, such as np.float64(...)"
        )
    return kept


def _placed(results: Results, template: xr.Dataset) -> Results:
    """Return results in the order of the template's texts, after checking shapes and dimensions."""
    values_of(results, {str(name): array.shape for name, array in template.data_vars.items()})
    placed = {}
    for name, array in results.items():
        dims = template[name].dims
        if any(there not in (here, f"{name}_{here}") for here, there in zip(array.dims, dims, strict=True)):
            raise SpecError(
                f"expected {name} along {', '.join(map(str, dims))} at every point, found it along "
                f"{', '.join(map(str, array.dims))}; return the same dimensions in the same order"
            )
        for here, there in zip(array.dims, dims, strict=True):
            if here in array.coords and there in template.coords:
                array = array.isel({here: _order(array[here].values, template[there].values)})
        placed[name] = array
    return placed


def _order(found: NDArray[Any], wanted: NDArray[Any]) -> slice | list[int]:
    """Return where the texts that are wanted stand, if they are those that were found, each once."""
    here, there = _plain(found).tolist(), _plain(wanted).tolist()
    if here == there or not isinstance(here[0], str) or len({*here}) < len(here) or {*here} != {*there}:
        return slice(None)
    places = {text: place for place, text in enumerate(here)}
    return [places[text] for text in there]


def _differing(template: xr.Dataset, found: xr.Dataset) -> Iterator[str]:
    for name, coordinate in template.coords.items():
        there = found.coords.get(name)
        if there is None or there.dims != coordinate.dims or _differs(coordinate.values, there.values).any():
            yield str(name)


def _differing_attributes(template: xr.Dataset, found: xr.Dataset) -> list[tuple[str, str]]:
    """Return the attributes of a template that results do not give: results have one unit each, not one a point."""
    return [
        (str(name), key)
        for name, variable in template.variables.items()
        for key, value in variable.attrs.items()
        if json.dumps(value) != json.dumps(found.variables[name].attrs.get(key))
    ]


def _differs(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where two coordinates of one shape differ by more than rounding."""
    one, other = _plain(one), _plain(other)
    if {one.dtype.kind, other.dtype.kind} <= {*"fiub"}:
        return ~np.isclose(one, other, rtol=_CLOSE, atol=0, equal_nan=True)
    return np.asarray(one != other)


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return texts as Python's, of whatever type they are."""
    return values.astype(object) if values.dtype.kind in "UTO" else values


def _misfit(template: xr.Dataset, found: xr.Dataset, name: str) -> SpecError:
    wanted = template.coords[name]
    if name not in found.coords or found.coords[name].dims != wanted.dims:
        what = "none"
    else:
        there = found.coords[name].values
        place = int(np.flatnonzero(_differs(wanted.values, there))[0])
        what = f"{there.ravel()[place]} instead of {wanted.values.ravel()[place]}"
        what += f" in place {place + 1} of {wanted.size}" if wanted.size > 1 else ""
    way = "sweep what keeps it, or reduce to what does not depend on it"
    if name not in template.dims:
        way += ", or name the values as cases, which are all looked at before anything runs"
    return SpecError(f"expected the same {name} at every point, found {what}; {way}")
