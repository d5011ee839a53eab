"""A run in one table."""

from __future__ import annotations

import json

import xarray as xr

from twinbrain.analysis.grouping import By, group_by
from twinbrain.analysis.intervals import cv_isi
from twinbrain.analysis.rates import mean_rates
from twinbrain.analysis.synchrony import synchrony
from twinbrain.analysis.tree import clock, regions, with_network


def summarise(tree: xr.DataTree, by: By | None = None, start: str | None = None, stop: str | None = None) -> xr.Dataset:
    """Return what a run did, a row for each group of neurons.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    by : {"family", "kind", "region", "population"}, optional
        What a row is; by default families, and populations where there is one region.
    start, stop : str, optional
        Part of the run, by default all of it. The table that the command line prints, and the means of the summary
        figure, leave out the beginning: ``start=tb.analysis.warm_up(run)`` gives theirs.

    Returns
    -------
    xarray.Dataset, dim ``by``
        ``n_neurons``, ``rate`` (Hz) and, where spikes were recorded, ``cv_isi`` and ``synchrony`` (chi in bins of
        3 ms, or of the time step if that is longer). Its attributes ``start`` and ``stop`` tell the part of the run,
        and ``breakdown`` where and when a state stopped being finite, if one did.
    """
    tree = with_network(tree)
    by = by or ("family" if regions(tree).sizes["region"] > 1 else "population")
    rate = mean_rates(tree, by, start, stop)
    table = {
        "n_neurons": group_by(tree, by).array(rate["n_neurons"].values, long_name="neurons", units="1"),
        "rate": rate,
    }
    if "spikes" in tree.children:
        table["cv_isi"] = cv_isi(tree, by, start, stop).drop_vars("n_included")
        bin = max(1, round(3 / float(tree.attrs["dt"]))) * float(tree.attrs["dt"])
        table["synchrony"] = synchrony(tree, f"{bin:.15g} ms", by, start, stop)
    part = clock(tree, start, stop)
    attrs = {"start": f"{part.start * part.dt:.12g} ms", "stop": f"{part.stop * part.dt:.12g} ms"}
    # Without spikes, rates are of the whole bins within, and nothing else is told of any other part.
    attrs |= {key: rate.attrs[key] for key in attrs if key in rate.attrs}
    if "breakdown" in tree.attrs:
        attrs["breakdown"] = json.loads(tree.attrs["breakdown"])["text"]
    return xr.Dataset({key: array.drop_vars("n_neurons") for key, array in table.items()}, attrs=attrs)
