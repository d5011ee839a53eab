"""What a store says of the run in it."""

from __future__ import annotations

import json
from typing import Any

from twinbrain.run.prepare import Prepared
from twinbrain.run.versions import versions


def run_attributes(prepared: Prepared) -> dict[str, Any]:
    """Return the attributes of a run."""
    workflow = prepared.workflow
    found = versions(workflow.run.engine)
    return {
        "twinbrain_version": found["twinbrain"],
        **settings(prepared),
        "digest": workflow.digest,
        "versions": json.dumps(found),
    }


def settings(prepared: Prepared) -> dict[str, Any]:
    """Return what the attributes of a run say of its workflow."""
    workflow = prepared.workflow
    run = workflow.run
    return {
        "workflow": workflow.name,
        "seed": run.seed,
        "dt": run.dt,
        "duration": run.duration,
        "window": prepared.grid.window * prepared.grid.dt,
        "engine": run.engine,
        "device": run.device,
        "precision": run.precision,
        "spec": workflow.model_dump_json(),
    }
