"""Firing rates of populations, kinds, regions and families."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.analysis.bins import width_of_bins
from twinbrain.analysis.grouping import By, Grouping, group_by
from twinbrain.analysis.recorded import recorded_rates
from twinbrain.analysis.tree import Clock, check_whole_groups, clock, group
from twinbrain.analysis.windows import read_block
from twinbrain.errors import UnitError
from twinbrain.units import number


def rates(
    tree: xr.DataTree,
    bin: str | None = None,
    by: By = "region",
    start: str | None = None,
    stop: str | None = None,
) -> xr.DataArray:
    """Return firing rates over time, which are computed when they are asked for.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    bin : str, optional
        Width of the bins, such as ``"10 ms"``: a multiple of the stored one, which is the default. A last bin that is
        not full is left out.
    by : {"population", "region", "kind", "family"}
        What a rate is the mean of; populations count by their numbers of neurons.
    start, stop : str, optional
        Part of the run.

    Returns
    -------
    xarray.DataArray, dims (time, by), Hz
        ``time`` (ms) is where the bins start.

    Raises
    ------
    UnitError
        If the bin is not a multiple of the stored one, or longer than the run.
    StoreError
        If some times of the run were selected, which ``start`` and ``stop`` do; or its rates are not those of its
        populations; or some populations were selected, and ``by`` is another.
    """
    grouping = group_by(tree, by)
    check_whole_groups(tree, by)
    stored = _stored(tree, start, stop)
    width = _width(tree)
    factor = 1 if bin is None else round(number(bin, "ms") / width)
    if bin is not None and (factor < 1 or not np.isclose(factor * width, number(bin, "ms"), rtol=1e-6)):
        raise UnitError(f"expected bin as a multiple of the recorded {width:g} ms, found {bin!r}; see record.rate_bin")
    if stored.sizes["time"] < factor:
        raise UnitError(
            f"expected at least one bin of {factor * width:g} ms, found {stored.sizes['time'] * width:g} ms"
        )
    if factor > 1:
        # Of rates that are not there, as of another run that was shorter, none is known; xarray's mean leaves them out.
        stored = stored.coarsen(time=factor, boundary="trim", coord_func="min").reduce(np.mean)
    mean = grouping.mean_of_populations(stored).transpose("time", by)
    mean["time"].attrs.update(units="ms", long_name="start of the bin")
    attrs = {"long_name": "firing rate", "units": "Hz", "bin": f"{factor * width:.12g} ms"}
    return mean.assign_coords(grouping.coords).assign_attrs(attrs).rename("rate")


def mean_rates(tree: xr.DataTree, by: By = "region", start: str | None = None, stop: str | None = None) -> xr.DataArray:
    """Return mean firing rates.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    by : {"population", "region", "kind", "family"}
        What a rate is the mean of; populations count by their numbers of neurons.
    start, stop : str, optional
        Part of the run. Where it begins or ends within a bin of the recorded rates, spikes are counted there; if none
        were recorded, the mean is that of the whole bins within, and the attributes ``start`` and ``stop`` say which.

    Returns
    -------
    xarray.DataArray, dims (by,), Hz

    Raises
    ------
    StoreError
        As `rates`.
    """
    grouping = group_by(tree, by)
    check_whole_groups(tree, by)
    part = clock(tree, start, stop)
    bins = _bins_within(tree, part)
    if bins.start == bins.stop and "spikes" in tree.children:  # no whole bin lies within
        mean = _with_edges(tree, grouping, np.zeros(grouping.n_groups), part, (part.stop, part.stop))
        return grouping.array(mean, long_name="mean firing rate", units="Hz").rename("rate")
    stored = _stored(tree, start, stop)
    mean = grouping.of_populations(stored.mean("time", skipna=False).values)
    width = round(_width(tree) / part.dt)
    first = round(float(stored["time"][0]) / part.dt)
    last = first + width * stored.sizes["time"]
    told = {}
    if (part.start, part.stop) != (first, last):
        if "spikes" in tree.children and max(first - part.start, part.stop - last) < width:
            mean = _with_edges(tree, grouping, mean, part, (first, last))
        else:
            told = {"start": f"{first * part.dt:.12g} ms", "stop": f"{last * part.dt:.12g} ms"}
    return grouping.array(mean, long_name="mean firing rate", units="Hz", **told).rename("rate")


def _with_edges(
    tree: xr.DataTree, grouping: Grouping, mean: NDArray[np.float64], part: Clock, within: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the mean rates of a part of the run from those of some of its steps, and the spikes before and after."""
    n_steps = part.stop - part.start
    spikes = np.zeros(grouping.n_groups)
    for start, stop in ((part.start, within[0]), (within[1], part.stop)):
        if start < stop:
            neuron = read_block(tree, start, stop).neuron
            spikes += np.bincount(grouping.of_neuron[neuron], minlength=grouping.n_groups)
    share = (within[1] - within[0]) / n_steps
    return np.asarray(share * mean + spikes / grouping.n_neurons / (n_steps * part.dt * 1e-3))


def _stored(tree: xr.DataTree, start: str | None, stop: str | None) -> xr.DataArray:
    """Return the recorded rates of populations, in double precision, of the bins within the given time."""
    within, width = _bins_within(tree, clock(tree, start, stop)), _width(tree)
    if within.start >= within.stop:
        raise UnitError(
            f"expected a part of the run with a whole bin of its rates, which are {width:g} ms wide, found none from "
            f"{start!r} to {stop!r}; give a longer part"
        )
    return recorded_rates(tree).isel(time=within).astype(np.float64)


def _bins_within(tree: xr.DataTree, part: Clock) -> slice:
    """Return the recorded bins that lie within a part, whole: the last one of a run may have been cut short."""
    time, width = recorded_rates(tree)["time"].values, _width(tree)
    first = np.searchsorted(time, part.start * part.dt - 1e-6 * width)
    last = np.searchsorted(time, part.stop * part.dt - (1 - 1e-6) * width, side="right")
    return slice(int(first), max(int(first), int(last)))


def _width(tree: xr.DataTree) -> float:
    return width_of_bins(group(tree, "rate", "record rates when you run"))
