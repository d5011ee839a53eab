"""Create the store of a prepared workflow."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from twinbrain.run.attributes import run_attributes
from twinbrain.run.prepare import Prepared
from twinbrain.store import Location, ProbeLayout, RunWriter, create_run


def create(
    location: Location, prepared: Prepared, summary: xr.Dataset, probes: Sequence[ProbeLayout], *, overwrite: bool
) -> RunWriter:
    """Create the run of a prepared workflow.

    Parameters
    ----------
    location : Location
        Where.
    prepared : Prepared
        What is run.
    summary : Dataset
        Populations and synapse tables.
    probes : sequence of ProbeLayout
        What is sampled.
    overwrite : bool
        Whether a run that stands there may be replaced.

    Raises
    ------
    StoreError
        If something else stands there, or it cannot be written.
    """
    workflow = prepared.workflow
    return create_run(
        location,
        attrs=run_attributes(prepared),
        network=summary,
        connectome=workflow.brain.connectome.to_dataset(),
        spikes=workflow.record.spikes,
        rate_bin_steps=prepared.grid.rate_bin,
        dt=prepared.grid.dt,
        probes=probes,
        overwrite=overwrite,
    )
