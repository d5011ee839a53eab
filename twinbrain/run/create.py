"""Create the store of a prepared workflow, or open it to go on."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twinbrain.run.describe import TableSize, network_summary
from twinbrain.run.prepare import Prepared
from twinbrain.store import ProbeLayout, RunWriter, StateData, create_run, resume_run


def create(
    path: Path, prepared: Prepared, tables: Sequence[TableSize], probes: Sequence[ProbeLayout], *, overwrite: bool
) -> RunWriter:
    """Create the run of a prepared workflow.

    Parameters
    ----------
    path : Path
        Where.
    prepared : Prepared
        What is run.
    tables : sequence of tuple
        The synapse tables of the network; see `network_summary`.
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
        path,
        attrs=_attributes(prepared),
        network=network_summary(prepared.layout, tables),
        connectome=workflow.brain.connectome.to_dataset(),
        spikes=workflow.record.spikes,
        rate_bin_steps=prepared.grid.rate_bin,
        dt=prepared.grid.dt,
        probes=probes,
        overwrite=overwrite,
    )


def reopen(path: Path) -> tuple[RunWriter, StateData | None]:
    """Open a run to go on with it, and return its last state.

    Raises
    ------
    StoreError
        If there is no run of this format, or it cannot be written.
    """
    writer, _, state = resume_run(path)
    return writer, state


def _attributes(prepared: Prepared) -> dict[str, Any]:
    workflow = prepared.workflow
    packages = ("twinbrain", "brian2", "numpy", "numba", "xarray", "zarr")
    versions = {name: version(name) for name in (*packages, *(["torch"] if workflow.run.engine == "torch" else []))}
    return {
        "twinbrain_version": versions["twinbrain"],
        "workflow": workflow.name,
        "seed": workflow.run.seed,
        "dt": workflow.run.dt,
        "duration": workflow.run.duration,
        "window": prepared.grid.window * prepared.grid.dt,
        "engine": workflow.run.engine,
        "device": workflow.run.device,
        "precision": workflow.run.precision,
        "spec": workflow.model_dump_json(),
        "digest": workflow.digest,
        "versions": json.dumps(versions | {"python": platform.python_version()}),
    }
