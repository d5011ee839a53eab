"""Simulate: from a workflow, a brain or a region to a run in a store."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from twinbrain.engines.base import Simulation, get_engine
from twinbrain.errors import BreakdownWarning, SpecError
from twinbrain.interrupt import Interrupt
from twinbrain.network.network import Network
from twinbrain.progress import shown
from twinbrain.run.breakdown import Watch, breakdown_error
from twinbrain.run.create import create
from twinbrain.run.describe import network_summary, probe_layouts
from twinbrain.run.fitting import fitting
from twinbrain.run.open import open_run
from twinbrain.run.prepare import Prepared, Progress, build_network, check_fits, prepare, silent
from twinbrain.run.sharded import Shards, shards_on
from twinbrain.run.versions import versions, versions_in_bits
from twinbrain.run.windows import run_windows, simulation_state
from twinbrain.spec.brain import Brain
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.load import as_workflow
from twinbrain.spec.record import Record
from twinbrain.spec.region import Region
from twinbrain.spec.workflow import Run, Workflow
from twinbrain.store import Location, check_grown, check_target, is_resumable, place_for, resume_run
from twinbrain.store.claim import apart, claimed
from twinbrain.store.damage import reading
from twinbrain.store.declared import check_declared, declared
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.versions import check_versions

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client


STAGES = {"wait": "waiting", "build": "building", "compile": "compiling", "simulate": "simulating"}
"""What the bar of a run calls what is being done."""


def simulate(
    model: Workflow | Brain | Region | str | Path,
    *,
    out: str | Path | None = None,
    duration: str | None = None,
    dt: str | None = None,
    window: str | None = None,
    seed: int | None = None,
    drive_seed: int | None = None,
    engine: str | None = None,
    device: str | None = None,
    precision: str | None = None,
    stimuli: Iterable[Stimulus] | None = None,
    record: Record | None = None,
    overwrite: bool = False,
    shards: int | None = None,
    client: Client | None = None,
    cluster: str | None = None,
    profile: str | Path | ClusterProfile | None = None,
    progress: Progress | bool | None = None,
) -> xr.DataTree:
    """Simulate a model and keep the run.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        What to simulate; a text is the name or the path of a workflow.
    out : str or Path, optional
        Where the run is kept, such as ``"runs/rest.zarr"`` or ``"s3://bucket/rest.zarr"``; by default in a temporary
        folder that is removed when the process ends. ``run.twin.path`` tells where it is. If a complete run of the
        same workflow is there already, of the same versions, it is opened, and nothing is computed.
    duration, dt, window : str (ms), optional
        Model time, time step, and interval between commits, such as ``"2 s"``; otherwise the workflow's.
    seed : int, optional
        Keys every draw.
    drive_seed : int, optional
        Keys those of drives and stimuli, in place of ``seed``.
    engine : str, optional
        ``"brian2"``, ``"brian2-numpy"``, ``"torch"`` or ``"reference"``.
    device : str, optional
        Where engine ``"torch"`` computes: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    precision : {"float64", "float32"}, optional
        Of the state in engine ``"torch"``; float64 gives the spikes of every other engine.
    stimuli : iterable of Stimulus, optional
        What acts on the brain; replaces the workflow's.
    record : Record, optional
        What is kept; replaces the workflow's.
    overwrite : bool
        Compute anew, in place of a run that stands at ``out``, whatever it is.
    shards : int, optional
        Cut the brain into so many shards, each on a worker of its own. The run is the same for any number.
    client : distributed.Client, optional
        Whose workers to use.
    cluster : str, optional
        What to use instead: ``"local"`` (the default), ``"tcp://…"`` or ``"slurm"``.
    profile : str, Path or ClusterProfile, optional
        The TOML file that says what jobs of ``"slurm"`` ask for.
    progress : callable or bool, optional
        Called with what is being done, how much of it is done, and of how much. By default a bar is drawn on a terminal
        and in a notebook; False draws none.

    Returns
    -------
    xarray.DataTree
        The run, opened lazily.

    Raises
    ------
    SpecError, ConnectomeError, PlanError, EngineError, StoreError, ClusterError
        If it cannot be run, or is a sweep or a training; nothing is written then.
    RunInterrupted
        If it was asked to stop; `resume` goes on from there.
    BreakdownError
        If a state is no finite number any more, unless ``run.on_breakdown`` is ``"mark"``; the run is kept until then.
    """
    workflow = as_workflow(model)
    _check_one_run(workflow)
    given = {
        "duration": duration,
        "dt": dt,
        "window": window,
        "seed": seed,
        "drive_seed": drive_seed,
        "engine": engine,
        "device": device,
        "precision": precision,
    }
    # Made anew rather than copied, so that the changes are checked.
    workflow = Workflow(
        name=workflow.name,
        summary=workflow.summary,
        run=Run.parse(workflow.run.to_dict() | {name: value for name, value in given.items() if value is not None}),
        brain=workflow.brain,
        stimuli=workflow.stimuli if stimuli is None else tuple(stimuli),
        record=record or workflow.record,
    )
    place = place_for(out, workflow.name)
    earlier = None if overwrite else _complete_run(place)
    if earlier is None:
        check_target(place, overwrite=overwrite)  # before anything that takes long
    prepared = prepare(workflow)
    if earlier is not None and _is_of(earlier, prepared.workflow, place):
        return _told(earlier)
    on = shards_on(shards, client=client, cluster=cluster, profile=profile)
    with shown(apart(progress), STAGES) as tell:
        run_prepared(prepared, place, overwrite=overwrite, progress=tell, on=on)
    return _told(open_run(place))


def _complete_run(place: Location) -> xr.DataTree | None:
    """Return the run that is there, if it is complete."""
    if not is_resumable(place):
        return None
    tree = open_run(place)
    return tree if tree.attrs["status"] == "complete" else None


def _is_of(tree: xr.DataTree, workflow: Workflow, place: Location) -> bool:
    """Return whether a run is what a workflow would give here, to the last bit."""
    same = json.loads(tree.attrs["versions"]) == versions(workflow.run.engine)
    if not (same and "resumed_with" not in tree.attrs and tree.attrs["digest"] == workflow.digest):
        return False
    check_declared(stored_workflow(tree), tree.attrs, place, "run")
    check_grown(place)
    return True


def _check_one_run(workflow: Workflow) -> None:
    for table, use in (("sweep", "tb.sweep"), ("train", "tb.train")):
        if getattr(workflow, table) is not None:
            raise SpecError(
                f"{table}: expected a workflow of one run, found one with a table {table!r}; give it to {use}, or give "
                "its brain alone"
            )


def run_prepared(
    prepared: Prepared,
    out: str | Path | Location,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    on: Shards | None = None,
) -> None:
    """Run a prepared workflow into a store; see `simulate`."""
    progress = progress or silent
    workflow = prepared.workflow
    if on is None:
        check_fits(prepared)
    # Before the build, which may be long.
    location = Location.of(out)
    check_target(location, overwrite=overwrite)
    with claimed(location, "run") as claim, Interrupt() as interrupt:
        if on is not None:
            on.run(prepared, location, claim, start="create", overwrite=overwrite, progress=progress)
            return
        network = build_network(prepared, progress)
        simulation = _simulation(workflow, network, progress)
        summary, probes = network_summary(network, prepared.layout), probe_layouts(network.probes, prepared.layout)
        writer = create(location, prepared, summary, probes, overwrite=overwrite)
        run_windows(simulation, network, writer, prepared.grid, progress, interrupt, _watch(prepared))
        simulation.close()


def resume(
    path: str | Path | Location,
    *,
    shards: int | None = None,
    client: Client | None = None,
    cluster: str | None = None,
    profile: str | Path | ClusterProfile | None = None,
    other_versions: bool = False,
    progress: Progress | bool | None = None,
) -> xr.DataTree:
    """Go on with a run that was interrupted, to the same bits as if it had not been.

    Parameters
    ----------
    path : str or Path
        Path or URL of the run.
    shards, client, cluster, profile : optional
        As in `simulate`; the number of shards need not be that of before.
    other_versions : bool
        Go on although packages have other versions than those that the run was begun with. Its bits may then be those
        of neither; the versions are added to the run's attribute ``resumed_with``.
    progress : callable, optional
        As in `simulate`.

    Returns
    -------
    xarray.DataTree
        The run, opened lazily; a complete one is returned as it is.

    Raises
    ------
    StoreError
        If it is no run, or of another format; what it goes on from is damaged; another process writes it; or packages
        have other versions than those that it was begun with.
    BreakdownError
        If it stopped, or stops, because a state is no finite number.
    SpecError
        If this version builds another network from its spec.
    """
    path = Location.of(path)
    tree = open_run(path)
    if tree.attrs["status"] == "complete":
        check_grown(path)
        return _told(tree)
    if tree.attrs["status"] == "failed":
        raise breakdown_error(json.loads(tree.attrs["breakdown"])["text"])
    on = shards_on(shards, client=client, cluster=cluster, profile=profile)
    with saying_what_is_safe(path, float(tree.attrs["committed"])):
        path.check_writable()  # before the build, which may be long
    with claimed(path, "run", tree.attrs["committed"]) as claim, Interrupt() as interrupt:
        tree = open_run(path)  # who wrote it until now may have come further
        if not other_versions:
            _check_versions(path, tree)
        workflow = stored_workflow(tree)
        prepared = prepare(workflow)
        check_declared(prepared.workflow, tree.attrs, path, "run")
        if on is not None:
            with shown(apart(progress), STAGES) as tell:
                on.run(prepared, path, claim, start="resume", progress=tell)
            return _told(open_run(path))
        check_fits(prepared)
        with shown(apart(progress), STAGES) as tell:
            network = build_network(prepared, tell)
            simulation = _simulation(workflow, network, tell)
            writer, _, state = resume_run(path, resumed_with=versions(workflow.run.engine))
            if state is not None:
                size = {"n_neurons": network.n_neurons, "max_delay": network.max_delay}
                found_state = simulation_state(state)
                simulation.restore(fitting(found_state, simulation.state(), prepared.grid, **size, where=str(path)))
            run_windows(simulation, network, writer, prepared.grid, tell, interrupt, _watch(prepared))
            simulation.close()
    return _told(open_run(path))


def _watch(prepared: Prepared) -> Watch:
    return Watch(prepared.layout, prepared.workflow.run.on_breakdown == "stop")


def _told(tree: xr.DataTree) -> xr.DataTree:
    """Return a run, and warn if a state was not finite in it."""
    if "breakdown" in tree.attrs:
        text = json.loads(tree.attrs["breakdown"])["text"]
        warnings.warn(f"{text}; the run went on, and is marked", BreakdownWarning, stacklevel=3)
    return tree


def _check_versions(path: Location, tree: xr.DataTree) -> None:
    here = versions_in_bits(tree.attrs["engine"])
    remedy = "with these by other_versions=True (--other-versions), to bits that may be those of neither"
    check_versions(path, "run", json.loads(tree.attrs["versions"]), here, remedy)


def check_pure(path: Location, tree: xr.DataTree) -> None:
    """Make sure that a run, also a complete one, was computed by the versions that are here and by no others.

    Raises
    ------
    StoreError
        If not; what to do about a run that a sweep keeps is said.
    """
    begun, others = json.loads(tree.attrs["versions"]), json.loads(tree.attrs.get("resumed_with", "{}"))
    remedy = "move it elsewhere, and resume the sweep, which then computes the point anew"
    check_versions(path, "run", begun, versions_in_bits(tree.attrs["engine"]), remedy, others)


def stored_workflow(tree: xr.DataTree) -> Workflow:
    """Return the workflow that a run was made from."""
    with reading(tree.encoding.get("source", "the run"), "connectome"):
        connectome = tree["connectome"].to_dataset().compute()
    return declared(tree.attrs["spec"], connectome, "run")


def _simulation(workflow: Workflow, network: Network, progress: Progress) -> Simulation:
    progress("compile", 0, 1)
    run = workflow.run
    simulation = get_engine(run.engine, device=run.device, precision=run.precision)(network)
    progress("compile", 1, 1)
    return simulation
