"""Dimensions of what is read of a run, which selections and concatenations change."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from twinbrain.errors import StoreError
from twinbrain.language.tokens import printable

Dimensions = Mapping[str, tuple[str, ...]]
"""Names of variables to those of their dimensions, in any order."""

_POPULATION = ("label", "region", "family", "name", "transmitter", "model", "start", "size")
DIMENSIONS: Mapping[str, Dimensions] = {
    "network": dict.fromkeys(_POPULATION, ("population",)),
    "rate": {"rate": ("time", "population"), "time": ("time",)},
    "spikes": {"time_step": ("spike",), "neuron": ("spike",), "window_start": ("window",)},
}
"""Of the groups of a run."""


def check_dimensions(path: str, dataset: xr.Dataset, expected: Dimensions) -> None:
    """Make sure that variables of a run have the dimensions that they were recorded with.

    Parameters
    ----------
    path : str
        Group of the run that holds them.
    dataset : xarray.Dataset
        The group.
    expected : mapping of str to tuple of str
        What is read of it.

    Raises
    ------
    StoreError
        If one is not there, lost a dimension, since one place along it was selected by its number, or has another, as
        runs have that were concatenated.
    """
    for name, dims in expected.items():
        if name not in dataset.variables:
            raise StoreError(f"expected {path}/{name} in the run, found none: give the run as it was opened")
        found = tuple(map(str, dataset.variables[name].dims))
        if set(found) == set(dims):
            continue
        if lost := next((dim for dim in dims if dim not in found), None):
            advice = f"a single {lost} was selected: give the whole run, and select from the result"
        else:
            other = printable(next(dim for dim in found if dim not in dims))
            advice = f"give one run after the other, such as isel({other}=0) of several that were concatenated"
        raise StoreError(
            f"expected {path}/{name} along {_said(dims)}, as in one run, found it along {printable(_said(found))}: "
            f"{advice}"
        )


def _said(dims: tuple[str, ...]) -> str:
    return " and ".join(dims) or "no dimension"
