"""Select spikes by region, population and time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinbrain.analysis.grouping import Patterns, group_by, select_populations
from twinbrain.analysis.tree import clock, populations
from twinbrain.analysis.windows import read_block


def spikes(
    tree: xr.DataTree,
    region: Patterns = "*",
    population: Patterns = "*",
    start: str | None = None,
    stop: str | None = None,
) -> xr.Dataset:
    """Return the spikes of some populations in some time; no other time is read.

    Parameters
    ----------
    tree : xarray.DataTree
        A run.
    region, population : str or iterable of str
        Patterns of region labels and of population names.
    start, stop : str, optional
        Such as ``"1 s"``; the spikes of ``start <= time < stop``.

    Returns
    -------
    xarray.Dataset, dim ``spike``
        In order of time: ``time`` (ms), ``neuron`` (its number in the network), ``region`` (label) and
        ``population`` (name).

    Raises
    ------
    StoreError
        If the run did not record spikes.
    SpecError
        If a pattern fits nothing.
    """
    part = clock(tree, start, stop)
    chosen = select_populations(tree, region, population)
    block = read_block(tree, part.start, part.stop)
    of_spike = group_by(tree, "population").of_neuron[block.neuron]
    kept = np.isin(of_spike, chosen)
    of_spike, table = of_spike[kept], populations(tree)
    # Texts of type object are shared: 8 bytes a spike, however long they are.
    return xr.Dataset(
        {
            "time": ("spike", block.time_step[kept] * part.dt, {"units": "ms", "long_name": "time of the spike"}),
            "neuron": ("spike", block.neuron[kept], {"units": "1", "long_name": "number of the neuron"}),
            "region": ("spike", table["region"].values.astype(object)[of_spike]),
            "population": ("spike", table["name"].values.astype(object)[of_spike]),
        }
    )
