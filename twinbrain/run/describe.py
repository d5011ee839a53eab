"""What a store keeps of a network besides its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from twinbrain.network.layout import Layout, block_neurons
from twinbrain.network.network import Network, Probe
from twinbrain.store import ProbeLayout

TableSize = tuple[str, str, str, int]
"""Receptor, origin, plasticity and number of synapses of a table."""


def network_summary(network: Network, layout: Layout) -> xr.Dataset:
    """Return the populations and the synapse tables of a network.

    Returns
    -------
    Dataset
        On dimensions ``population`` and ``table``.
    """
    tables = [(t.receptor, t.origin, "", t.n_synapses) for t in network.tables]
    return brain_summary(layout, tables + [(t.receptor, "local", t.rule, t.n_synapses) for t in network.plastic])


def brain_summary(layout: Layout, tables: Sequence[TableSize]) -> xr.Dataset:
    """Return the populations of a brain, and its synapse tables of given sizes; see `network_summary`."""
    populations = layout.populations
    family = {region.name: region.family for region in layout.regions}
    text = np.dtypes.StringDType()
    return xr.Dataset(
        {
            "label": ("population", np.array([p.label for p in populations], text)),
            "region": ("population", np.array([p.region for p in populations], text)),
            "family": ("population", np.array([family[p.region] for p in populations], text)),
            "name": ("population", np.array([p.population for p in populations], text)),
            "transmitter": ("population", np.array([p.transmitter for p in populations], text)),
            "model": ("population", np.array([layout.blocks[p.block].name for p in populations], text)),
            "start": ("population", np.array([p.start for p in populations], np.int64)),
            "size": ("population", np.array([p.size for p in populations], np.int64)),
            "receptor": ("table", np.array([receptor for receptor, _, _, _ in tables], text)),
            "origin": ("table", np.array([origin for _, origin, _, _ in tables], text)),
            "plasticity": ("table", np.array([rule for _, _, rule, _ in tables], text)),
            "n_synapses": ("table", np.array([n for _, _, _, n in tables], np.int64)),
        },
        attrs={"n_neurons": layout.n_neurons, "n_synapses": sum(n for _, _, _, n in tables)},
    )


def probe_layouts(probes: Iterable[Probe], layout: Layout) -> list[ProbeLayout]:
    """Return what the store must know of each probe."""
    neurons = block_neurons(layout)
    return [
        ProbeLayout(
            name=probe.name,
            variable=probe.variable,
            unit=probe.unit,
            neuron=neurons[probe.block][probe.places],
            every=probe.every,
        )
        for probe in probes
    ]
