"""Read the parts of a trained network's responses that every analysis needs: its classes, its groups of neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.grouping import in_order
from twinbrain.errors import LearnError, SpecError
from twinbrain.spec.suggest import suggestion

TRIAL_DIGEST = "trial_digest"
"""Coordinate of trials: what tells their inputs apart, in responses of what was trained."""
N_BINS = "n_bins"
"""Attribute of counts: of how many bins of the rate they are, as far as a trial is one of whole bins."""
LEFT_OVER = "left_over"
"""Attribute of counts: how much of a trial (ms) lies behind its last whole bin, if any does."""


def responses_of(responses: xr.Dataset, name: str, *dims: str) -> xr.DataArray:
    """Return a variable of the responses, with these dimensions in this order.

    Raises
    ------
    LearnError
        If the responses lack it, it has other dimensions, or there is nothing along one, such as no neuron.
    """
    if name not in responses.variables:
        found = ", ".join(map(str, responses.data_vars)) or "none"
        raise LearnError(f"responses: expected the variable {name!r}, found {found}; record it on held-out trials")
    array = responses[name]
    if set(array.dims) != set(dims):
        raise LearnError(
            f"responses: expected {name!r} with the dimensions ({', '.join(dims)}), "
            f"found ({', '.join(map(str, array.dims))})"
        )
    if lacking := [dim for dim in dims if not array.sizes[dim]]:
        raise LearnError(f"responses: expected at least one {lacking[0]}, found none in {name!r}")
    return array.transpose(*dims)


def counts_of(responses: xr.Dataset) -> xr.DataArray:
    """Return the counts of the responses, with the dimensions (trial, neuron).

    Raises
    ------
    LearnError
        As `responses_of`, or if bins were selected: counts are of whole trials all the same.
    """
    count = responses_of(responses, "count", "trial", "neuron")
    n = count.attrs.get(N_BINS)
    time = responses["time"].values.ravel() if "time" in responses.variables else np.empty(0)
    found = time.size if time.size else responses.sizes.get("bin", n)
    if n not in (None, found) and not _are_means_of_all(responses, count, _width_of_wider(time, n)):
        raise LearnError(
            f"responses: expected all {n} bins of the trials, of which 'count' is, or means of equally many of them "
            f"(responses.coarsen(bin=2).mean()), found {found} that are neither; give all, or count anew, with the "
            "width of a bin in s: "
            "responses.assign(count=(responses['rate'].sum('bin') * width).round().drop_attrs())"
        )
    return count


def _width_of_wider(time: NDArray[np.floating], n: int) -> float:
    """Return the width of bins that are, by their times, means of equally many of ``n``; 0 if they cannot be.

    The first of these begins at time 0, and the time of several is the mean of theirs.
    """
    if not time.size or n % time.size:
        return 0.0
    first = (1 - time.size / n) / 2  # in units of the width
    width = (time[-1] - time[0]) / (time.size - 1) if time.size > 1 else time[0] / first
    expected = width * (first + np.arange(time.size))
    return float(width) if width > 0 and np.allclose(time, expected, rtol=0, atol=1e-6 * width) else 0.0


def _are_means_of_all(responses: xr.Dataset, count: xr.DataArray, width: float) -> bool:
    """Return whether bins of this width (ms) hold as many spikes as were counted: others have the same times."""
    rate = responses.get("rate")
    if rate is None or not width or not {*count.dims} <= {*rate.dims}:
        return False
    along = [dim for dim in rate.dims if dim not in count.dims]
    spikes = np.rint(rate.sum(along, skipna=False).transpose(*count.dims).values * (width / 1000))
    known = np.isfinite(spikes) & np.isfinite(count.values)
    fits = spikes <= count.values if LEFT_OVER in count.attrs else spikes == count.values
    return bool(fits[known].all())


def complete(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which neurons, the last dimension, have a value everywhere, as those lack that another session had."""
    return np.asarray(np.isfinite(values).all(axis=tuple(range(values.ndim - 1))))


def bin_width(responses: xr.Dataset) -> float:
    """Return the width of the bins of the rate, in ms.

    Raises
    ------
    LearnError
        If they are not even, or their times are missing.
    """
    if "time" not in responses.variables:
        raise LearnError("responses: expected the coordinate 'time' (ms) of the dimension bin, found none")
    steps = np.diff(responses["time"].values)
    if len(steps) and (steps[0] <= 0 or not np.allclose(steps, steps[0], rtol=1e-6)):
        raise LearnError(f"responses: expected even bins, found steps from {steps.min():g} to {steps.max():g} ms")
    return float(steps[0]) if len(steps) else float("nan")


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes of the trials.

    Parameters
    ----------
    label : numpy.ndarray, shape (label,)
        The classes, in ascending order.
    index : numpy.ndarray of int, shape (trial,)
        Place of each trial's class in ``label``.
    """

    label: NDArray[Any]
    index: NDArray[np.intp]

    @property
    def n(self) -> int:
        """Number of classes."""
        return len(self.label)

    @property
    def n_trials(self) -> NDArray[np.int64]:
        """Trials of each class, shape (label,)."""
        return np.bincount(self.index, minlength=self.n)

    def means(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the mean over the trials of each class, shape (label, ...)."""
        total = np.zeros((self.n, *values.shape[1:]))
        np.add.at(total, self.index, values)
        return total / self.n_trials.reshape(-1, *[1] * (values.ndim - 1))

    def turn(self) -> NDArray[np.int64]:
        """Return which trial of its class each trial is, shape (trial,)."""
        order = np.argsort(self.index, kind="stable")
        first = np.concatenate([[0], np.cumsum(self.n_trials)[:-1]])
        turn = np.empty(len(self.index), np.int64)
        turn[order] = np.arange(len(order)) - first[self.index[order]]
        return turn


def classes_of(responses: xr.Dataset) -> Classes:
    """Return the classes of the trials.

    Raises
    ------
    LearnError
        If there is no trial, one has no label, or labels are of kinds that have no common order.
    """
    return classes_among(responses_of(responses, "label", "trial"))


def classes_among(*arrays: xr.DataArray) -> Classes:
    """Return the classes that arrays of one class a trial, such as labels and decisions, have together.

    Raises
    ------
    LearnError
        If one is missing, or they are of kinds that have no common order.
    """
    for array in arrays:
        if n := int(array.isnull().sum()):
            raise LearnError(
                f"responses: expected a {array.name} of each trial, found none (NaN) in {n} of {array.size}; leave "
                f"those trials out: responses.isel(trial=responses[{array.name!r}].notnull().values)"
            )
    # As they are: numpy would make texts of numbers that stand beside texts.
    kept = arrays[0].values if len(arrays) == 1 else np.concatenate([array.values.astype(object) for array in arrays])
    try:
        return Classes(*np.unique(kept, return_inverse=True))
    except TypeError:
        kinds = sorted({type(value).__name__ for value in kept.tolist()})
        where = " and ".join(str(array.name) for array in arrays)
        raise LearnError(
            f"responses: expected {where} of one kind, found {' and '.join(kinds)}; make all of them "
            "texts, responses['label'].astype(str), or numbers"
        ) from None


@dataclass(frozen=True, eq=False)
class NeuronGroups:
    """Groups of the neurons, in the order in which their first neurons come.

    Parameters
    ----------
    by : str
        Coordinate of the neurons, such as ``"cell"``.
    coords : dict
        Coordinates of the groups: their names, ``n_neurons``, and what all neurons of a group share.
    index : numpy.ndarray of int, shape (neuron,)
        Group of each neuron.
    """

    by: str
    coords: dict[str, Any]
    index: NDArray[np.intp]

    @property
    def names(self) -> list[str]:
        """Names of the groups."""
        return [str(name) for name in self.coords[self.by][1]]

    def coords_with_complete(self, values: NDArray[np.floating]) -> dict[str, Any]:
        """Return the coordinates, and ``n_complete``: how many neurons of a group lack none of these values."""
        n = np.bincount(self.index[complete(values)], minlength=len(self.names))
        return self.coords | {"n_complete": (self.by, n, {"long_name": "neurons without missing values", "units": "1"})}

    def members(self) -> list[NDArray[np.intp]]:
        """Return the neurons of each group."""
        return [np.flatnonzero(self.index == i) for i in range(len(self.names))]

    def means(self, of_neurons: xr.Dataset) -> xr.Dataset:
        """Return means over the neurons of each group that have a value.

        Parameters
        ----------
        of_neurons : xarray.Dataset, dim ``neuron``

        Returns
        -------
        xarray.Dataset, dim ``by``
            Of each variable the mean, its standard error (``<name>_sem``), and of how many neurons it is
            (``<name>_n``); NaN where there is none, or for the error only one.
        """
        found: dict[str, Any] = {}
        n_groups = len(self.names)
        for name, array in of_neurons.data_vars.items():
            values = array.values.astype(np.float64)
            valid = np.isfinite(values)
            index = self.index[valid]
            n = np.bincount(index, minlength=n_groups)
            mean = _ratio(np.bincount(index, values[valid], minlength=n_groups), n)
            squares = np.bincount(index, (values[valid] - mean[index]) ** 2, minlength=n_groups)
            found[str(name)] = (self.by, mean, dict(array.attrs))
            found[f"{name}_sem"] = (self.by, np.sqrt(_ratio(squares, n * (n - 1))), _error_of(array))
            found[f"{name}_n"] = (self.by, n, {"long_name": "neurons that have a value", "units": "1"})
        return xr.Dataset(found, self.coords, dict(of_neurons.attrs))


def _ratio(over: NDArray[Any], under: NDArray[Any]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.full(len(under), np.nan), where=under > 0)


def _error_of(array: xr.DataArray) -> dict[str, str]:
    return {"long_name": "standard error of the mean", "units": str(array.attrs.get("units", "1"))}


def neuron_groups(data: xr.Dataset | xr.DataArray, by: str | None) -> NeuronGroups:
    """Return the groups of the neurons; all of them as one, ``"all"``, without ``by``.

    Raises
    ------
    SpecError
        If the neurons have no such coordinate, or some have no value in it.
    """
    n = data.sizes["neuron"]
    if by is None:
        return NeuronGroups("group", {"group": ("group", ["all"]), "n_neurons": ("group", [n])}, np.zeros(n, np.intp))
    known = [str(name) for name, coord in data.coords.items() if coord.dims == ("neuron",)]
    if by not in known:
        raise SpecError(f"by: unknown group {by!r} of neurons; {suggestion(by, known)}")
    if nameless := int(data[by].isnull().sum()):
        raise SpecError(f"by: expected a {by} of each neuron, found none (NaN) of {nameless} of {n}; name it")
    first, index = in_order(data[by].values.astype(np.str_))
    coords: dict[str, Any] = {by: (by, data[by].values[first].astype(np.str_))}
    coords["n_neurons"] = (by, np.bincount(index, minlength=len(first)))
    for name in known:
        values = data[name].values
        if name not in (by, "neuron") and len(values) and (values == values[first][index]).all():
            coords[name] = (by, values[first])
    return NeuronGroups(by, coords, index)
