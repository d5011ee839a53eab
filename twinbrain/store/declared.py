"""The declaration that a store was made from: its attribute ``spec``, and the connectome in a group of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import xarray as xr

from twinbrain.errors import SpecError, StoreError
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


def check_declared(workflow: Workflow, attributes: Mapping[Any, Any], where: object, kind: str) -> None:
    """Check that the workflow that was read back is the one that a store was made from.

    The connectome lies in files of its own, and another version may fill in what a declaration leaves out.

    Parameters
    ----------
    workflow : Workflow
        Read back from the store.
    attributes : mapping of str to value
        Of the store.
    where : Location or path
        The store.
    kind : str
        What is kept in it: a run, a sweep, a training.

    Raises
    ------
    SpecError
        If it is another.
    """
    if (found := workflow.digest) != (begun := attributes["digest"]):
        raise SpecError(
            f"{where}: expected the workflow {begun[:12]} that this {kind} was started with, found {found[:12]} when "
            f"reading it back; restore the {kind} from a copy, or use twinbrain {attributes['twinbrain_version']} if "
            "that is another version"
        )


def check_kept(digest: str, workflow: Workflow, where: object, kind: str) -> None:
    """Check that what a sweep has kept of a point is of that point.

    Parameters
    ----------
    digest : str
        Of the workflow that was kept.
    workflow : Workflow
        Of the point.
    where : Location or path
        What was kept.
    kind : str
        What it is: a run, a training.

    Raises
    ------
    StoreError
        If it is of another workflow.
    """
    if digest != (expected := workflow.digest):
        raise StoreError(
            f"{where}: expected the {kind} of a point of the sweep, of the workflow {expected[:12]}, found one of the "
            f"workflow {digest[:12]}; move it elsewhere, and resume the sweep, which then computes the point anew"
        )
