"""The declaration that a store was made from: its attribute ``spec``, and the connectome in a group of its own."""

from __future__ import annotations

import json

import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.workflow import Workflow


def declared(spec: str, connectome: xr.Dataset, kind: str) -> Workflow:
    """Return the workflow that a store was made from.

    Parameters
    ----------
    spec : str
        The workflow as JSON, without its connectome.
    connectome : Dataset
        The connectome, in memory.
    kind : str
        What is kept in the store: a run, a sweep, a training.

    Raises
    ------
    SpecError, ConnectomeError
        If they are none.
    """
    data = json.loads(spec)
    if not isinstance(data, dict) or not isinstance(data.get("brain"), dict):
        raise SpecError(f"spec of the {kind}: expected a workflow with a brain, found none; restore it from a copy")
    data["brain"]["connectome"] = Connectome.from_dataset(connectome)
    return Workflow.parse(data, f"spec of the {kind}")
