"""Sweep: from a workflow and values for its keys to a store of results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbrain.errors import Problem, SpecError
from twinbrain.interrupt import Interrupt
from twinbrain.progress import shown
from twinbrain.run.cluster.connect import (
    check_arguments,
    comes_with_tasks,
    connected,
    dashboard,
    starting,
    workers_ready,
)
from twinbrain.run.sweep.assign import assigned_at
from twinbrain.run.sweep.create import check_free, check_version, open_or_create, prepare_sweep
from twinbrain.run.sweep.drive import SweepProgress, SweepState, drive
from twinbrain.run.sweep.kept import status_of
from twinbrain.run.sweep.open import open_sweep
from twinbrain.run.sweep.own import OwnFunctions, check_own, own_functions
from twinbrain.run.sweep.reductions import Reduction, check_reductions, split
from twinbrain.run.sweep.task import stored_sweep_workflow
from twinbrain.run.versions import engine_of, versions_in_bits
from twinbrain.spec.brain import Brain
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.keys import full_key
from twinbrain.spec.load import as_workflow
from twinbrain.spec.named_files import with_folder
from twinbrain.spec.plain_numbers import whole
from twinbrain.spec.region import Region
from twinbrain.spec.sweep import Samples, Sweep
from twinbrain.spec.undone import undoing
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location, place_for
from twinbrain.store.claim import apart, claimed
from twinbrain.store.sweep import DONE, SweepStore

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

Reductions = str | Reduction | Iterable[str | Reduction] | Mapping[str, Mapping[str, Any] | Reduction]


def sweep(
    model: Workflow | Brain | Region | str | Path,
    *,
    out: str | Path | None = None,
    together: Iterable[Mapping[str, Any]] | None = None,
    cases: Mapping[str, Mapping[str, Any]] | None = None,
    samples: Samples | Mapping[str, Any] | None = None,
    reduce: Reductions | None = None,
    keep_runs: bool | None = None,
    batch: int | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    client: Client | None = None,
    profile: str | Path | ClusterProfile | None = None,
    progress: SweepProgress | bool | None = None,
    **parameters: Any,
) -> xr.Dataset:
    """Run a workflow at many values of its keys, and keep what each run is reduced to.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        What to simulate; a text is the name or the path of a workflow.
    out : str or Path, optional
        Where the sweep is kept, such as ``"runs/coupling.zarr"``; by default in a temporary folder that is removed when
        the process ends. A sweep of the same workflow that is there is gone on
        with: points that are done stay, what is missing or has failed is computed.
    together : iterable of mapping, optional
        Keys that change together, each mapping one dimension.
    cases : mapping of str to mapping, optional
        One dimension of named cases, each with values for keys of its own: ``{"fast": {"coupling": 2.0}}``.
    samples : Samples or mapping, optional
        Points drawn from a box: ``{"n": 64, "parameters": {"coupling": {"uniform": [0, 2]}}}``.
    reduce : iterable or mapping, optional
        What is computed of each run beside the simulation: names of analyses, a mapping of names to options, functions
        of your own that take a run and return numbers. Of a workflow that trains, results are always those of
        `twinbrain.learn.measures`.
    keep_runs : bool, optional
        Keep every run as a whole too, its spikes among it.
    batch : int, optional
        Points that one task computes; by default a few seconds' work.
    overwrite : bool
        Replace a sweep that is there.
    workers : int, optional
        Worker processes on this machine; by default one a core. 0 computes in this process.
    cluster : str, optional
        ``"local"``, the address of a scheduler (``"tcp://…"``), or ``"slurm"``.
    client : distributed.Client, optional
        A client of any Dask cluster, in place of ``cluster``.
    profile : str, Path or ClusterProfile, optional
        What jobs of ``"slurm"`` ask for, a TOML file.
    progress : callable or bool, optional
        Told how far it is. By default a bar is drawn on a terminal and in a notebook; False draws none.
    **parameters
        Values of keys: ``coupling=[0.5, 1.0]``, ``seed=range(10)``, ``**{"regions.cortex.parameters.b": ["10 pA",
        "20 pA"]}``; each is a dimension. A single value is set at every point, in place of values of the file; where
        others then replace it at every point, it is refused. For keys see
        `twinbrain.run.sweep.assign.assigned`, for values `twinbrain.spec.values.expand`.

    Returns
    -------
    xarray.Dataset
        The results, lazily; see `open_sweep`.

    Raises
    ------
    SpecError, ConnectomeError, PlanError, EngineError, StoreError, ClusterError
        If it cannot be run. A point that fails does not stop the others: its error is in the result.
    RunInterrupted
        If it was asked to stop; the same call, or `resume_sweep`, goes on from there.
    """
    workflow, own = declared_sweep(as_workflow(model), parameters, together, cases, samples, reduce, keep_runs, batch)
    where = {"workers": workers, "cluster": cluster, "client": client, "profile": profile}
    if out is None and (client is not None or cluster not in (None, "local")):
        raise SpecError("out: expected a place that all workers of the cluster reach, found none; name one")
    place = place_for(out, workflow.name).absolute()  # a function of a user's may change the working folder
    with _shown(progress) as tell:
        run_sweep(workflow, place, own, where, overwrite=overwrite, progress=tell)
    return open_sweep(place)


@contextmanager
def _shown(progress: SweepProgress | bool | None) -> Iterator[SweepProgress]:
    """Give a function to be told how far a sweep is; see `twinbrain.progress.shown`."""
    if callable(progress):
        yield apart(progress)
        return
    with shown(progress, {"points": "points"}) as tell:
        yield lambda state: tell("points", state.done + state.failed, state.total)


def resume_sweep(
    path: str | Path,
    *,
    reduce: Reductions = (),
    workers: int | None = None,
    cluster: str | None = None,
    client: Client | None = None,
    profile: str | Path | ClusterProfile | None = None,
    progress: SweepProgress | bool | None = None,
) -> xr.Dataset:
    """Compute what is missing of a sweep, or has failed.

    Parameters
    ----------
    path : str or Path
        The sweep.
    reduce : iterable or mapping, optional
        The functions of your own with which it was started.
    workers, cluster, client, profile, progress
        As in `sweep`.

    Returns
    -------
    xarray.Dataset
        The results, lazily; see `open_sweep`.

    Raises
    ------
    StoreError
        If it is no sweep, or of another version.
    SpecError
        If functions are missing, or are others.
    """
    location = Location.of(path).absolute()
    store, own = resumable(location, reduce)
    where = {"workers": workers, "cluster": cluster, "client": client, "profile": profile}
    with _shown(progress) as tell:
        drive_sweep(store, own, where, tell)
    return open_sweep(location)


def resumable(location: Location, reduce: Reductions) -> tuple[SweepStore, OwnFunctions]:
    """Return a sweep that is there and can be gone on with, and the person's own functions; see `resume_sweep`."""
    store = SweepStore(location)
    check_version(store)
    declared = stored_sweep_workflow(store).sweep
    assert declared is not None
    given, reductions = split(reduce)
    own = own_functions(reductions, store.attrs["spec"])
    for name, options in given.items():
        is_same = name in declared.reduce and dict(options) in ({}, dict(declared.reduce[name]))
        if name not in reductions and not is_same:
            kept = ", ".join(declared.reduce)
            raise SpecError(
                f"reduce: expected functions of your own alone, since a sweep keeps what it was begun with ({kept}), "
                f"found {name!r}{f' with {dict(options)}' if options else ''}; leave it out, or begin another sweep"
            )
    check_own(store, own)
    check_reductions(declared.reduce, reductions)
    return store, own


def declared_sweep(
    workflow: Workflow,
    parameters: Mapping[str, Any],
    together: Iterable[Mapping[str, Any]] | None = None,
    cases: Mapping[str, Mapping[str, Any]] | None = None,
    samples: Samples | Mapping[str, Any] | None = None,
    reduce: Reductions | None = None,
    keep_runs: bool | None = None,
    batch: int | None = None,
) -> tuple[Workflow, dict[str, Reduction]]:
    """Return a workflow with its sweep, changed as is wanted, and the user's own reductions."""
    fixed = {key: value for key, value in parameters.items() if _is_single(value)}
    workflow, places = assigned_at(workflow, fixed)
    before = workflow.sweep.model_dump(mode="json") if workflow.sweep else {}
    own: dict[str, Reduction] = {}
    if reduce is not None:
        declared, own = split(reduce)
        before["reduce"] = declared
    if cases is not None:  # contrasts of others go
        groups = {name.partition(": ")[0] for name in cases}
        before["contrasts"] = {name: pair for name, pair in before.get("contrasts", {}).items() if {*pair} <= groups}
    given: dict[str, Any] = {"samples": samples, "keep_runs": keep_runs, "batch": batch}
    given |= {"together": None if together is None else list(together), "cases": cases}
    swept = {key: value for key, value in parameters.items() if key not in fixed}
    named = [full_key(key) for key in parameters]
    kept = {key: values for key, values in before.get("parameters", {}).items() if full_key(key) not in named}
    before["parameters"] = kept | swept
    data = before | {key: value for key, value in given.items() if value is not None}
    tables = [swept, *(given["together"] or ()), *(cases or {}).values()]
    here = [key for table in tables for key in table]
    found = Sweep.parse(data, "sweep")
    for key, reached in places.items():
        if undone := undoing(workflow, reached, found):
            expected = "expected a value for what is not swept, found values of"
            raise SpecError([Problem(key, f"{expected} {undone!r} in its place at every point; leave one of them out")])
    found = with_folder(found, Path(), here)  # paths in Python start from the working folder
    return workflow.model_copy(update={"sweep": found}), own


def run_sweep(
    workflow: Workflow,
    location: Location,
    own: Mapping[str, Reduction],
    where: dict[str, Any],
    *,
    overwrite: bool = False,
    progress: SweepProgress | None = None,
) -> SweepState:
    """Run a workflow that has a sweep; see `sweep`."""
    _check_where(location, where)
    check_free(location)
    prepared = prepare_sweep(workflow, own)
    with claimed(location, "sweep"):
        store = open_or_create(prepared, location, overwrite=overwrite)
        return drive_sweep(store, prepared.own, where, progress)


def drive_sweep(
    store: SweepStore,
    own: OwnFunctions,
    where: dict[str, Any],
    progress: SweepProgress | None,
    tell_dashboard: Callable[[str], None] = lambda address: None,
) -> SweepState:
    """Compute what a sweep lacks, where it is wanted: ``where`` holds arguments of `connected`."""
    status = status_of(store)
    if (status == DONE).all():  # no workers for nothing
        return SweepState(len(status), 0, len(status))
    _check_where(store.location, where)
    here = where.get("workers") == 0
    with (
        claimed(store.location, "sweep", "what is done") as claim,
        Interrupt() as interrupt,
        ExitStack() as stack,
    ):
        client = None
        used = versions_in_bits(engine_of(json.loads(store.attrs["versions"])))
        if not here:
            with starting(interrupt):
                client = stack.enter_context(connected(**where, packages=used))
                tell_dashboard(dashboard(client))
                if not comes_with_tasks(client):
                    workers_ready(client, interrupt=interrupt)
        return drive(store, claim, own, client, progress or (lambda state: None), interrupt)


def _check_where(location: Location, where: Mapping[str, Any]) -> None:
    """Check where points are to be computed: arguments of `connected`, or no workers.

    A sweep in the memory of this process is not seen by its workers; what a client's do is his to know.
    """
    if where.get("workers") is not None:
        whole("workers", where["workers"], least=0)
    if where.get("workers") != 0:
        check_arguments(**where)
    elif any(where.get(key) is not None for key in ("cluster", "client", "profile")):
        raise SpecError("expected workers = 0 alone, which computes in this process; found a cluster beside it")
    if str(location).startswith("memory://") and where.get("workers") != 0 and where.get("client") is None:
        raise SpecError(
            f"out: expected a place that all workers reach, found {location}, in the memory of this process alone; "
            "give workers=0, or name a path or another URL"
        )


def _is_single(value: Any) -> bool:
    return isinstance(value, str | int | float) or not (isinstance(value, Mapping) or hasattr(value, "__iter__"))
