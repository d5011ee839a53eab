"""A run that is kept in memory, in the layout of the store: for what is reduced at once and then forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from twinbrain.store.layout import FORMAT, ProbeLayout
from twinbrain.store.rows import Rows, check_shape, rows_of
from twinbrain.store.schema import NEURON, run_schema
from twinbrain.store.window import StateData, WindowData


class MemoryRun:
    """Takes windows as a `RunWriter` does, and gives them as a tree as `open_run` does.

    Parameters
    ----------
    attrs, network, connectome, rate_bin_steps, dt, probes, spikes
        As in `create_run`.
    """

    def __init__(
        self,
        *,
        attrs: dict[str, Any],
        network: xr.Dataset,
        connectome: xr.Dataset,
        rate_bin_steps: int,
        dt: float,
        probes: Sequence[ProbeLayout] = (),
        spikes: bool = True,
    ) -> None:
        self._attrs = attrs | {"twinbrain_format": FORMAT, "dt": dt, "status": "running", "committed": 0.0}
        self._given = {"network": network, "connectome": connectome}
        self._probes = probes
        self._schema = run_schema(
            spikes=spikes,
            rate_bin_steps=rate_bin_steps,
            n_populations=network.sizes["population"],
            probes=probes,
            dt=dt,
        )
        self._rows: list[Rows] = []
        self._n_spikes = 0

    def commit(self, window: WindowData, state: StateData, *, status: str = "running") -> None:
        """Add a window; the state is not kept."""
        dt = self._attrs["dt"]
        rows = rows_of(window, self._schema.groups, dt=dt, n_spikes=self._n_spikes)
        for path, schema in self._schema.arrays.items():
            check_shape(path, rows[path], schema.columns)
        self._rows.append(rows)
        self._n_spikes += len(window.time_step)
        self._attrs |= {"status": status, "committed": window.next_step * dt}

    def note(self, name: str, value: str) -> None:
        """Give the run an attribute; the first value that it is given stays."""
        self._attrs.setdefault(name, value)

    def set_status(self, status: str) -> None:
        """Change the status of the run."""
        self._attrs["status"] = status

    def tree(self, base: xr.DataTree | None = None) -> xr.DataTree:
        """Return the run.

        Parameters
        ----------
        base : DataTree, optional
            An earlier run of the same network, which is filled anew: that takes a tenth of the time.
        """
        found: dict[str, dict[str, xr.Variable]] = {path: {} for path in self._schema.groups if path != "checkpoint"}
        for path, schema in self._schema.arrays.items():
            parts = [rows[path] for rows in self._rows]
            values = np.concatenate(parts) if parts else np.empty((0, *schema.columns))
            group, _, name = path.rpartition("/")
            found[group][name] = xr.Variable(schema.dims, values.astype(schema.dtype, copy=False), schema.attributes)
        for probe in self._probes:
            found[f"state/{probe.name}"]["neuron"] = xr.Variable("neuron", np.asarray(probe.neuron, np.int32), NEURON)
        datasets = {path: xr.Dataset(variables, attrs=self._schema.groups[path]) for path, variables in found.items()}
        first = self._given["network"]["start"].variable
        datasets["rate"] = datasets["rate"].assign_coords(start=xr.Variable(first.dims, first.data))
        if "spikes" in datasets:
            datasets["spikes"].attrs["n_spikes"] = self._n_spikes
        if base is None:
            return xr.DataTree.from_dict({"/": xr.Dataset(attrs=self._attrs), **self._given, **datasets})
        base.attrs = self._attrs
        for path, dataset in datasets.items():
            base[path].dataset = dataset
        return base
