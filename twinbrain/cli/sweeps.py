"""What run, plan, resume and info do with a sweep."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from twinbrain.cli.console import Console, say_json
from twinbrain.cli.studies import report_study
from twinbrain.cli.tables import count, pairs, seconds, size
from twinbrain.errors import Problem, SpecError

if TYPE_CHECKING:
    from rich.table import Table

    from twinbrain.run.sweep.create import PreparedSweep
    from twinbrain.run.sweep.drive import SweepState
    from twinbrain.spec.workflow import Workflow
    from twinbrain.store import Location

_SHOWN = 5


def show_plan(workflow: Workflow, functions: list[str] | None, as_json: bool) -> None:
    """Say what a sweep will need."""
    prepared = _prepared(workflow, functions)
    if as_json:
        lengths = {axis.name: len(axis) for axis in prepared.axes}
        facts = {
            "n_points": prepared.n_points,
            "dimensions": {name: lengths[name] for name in prepared.dims},
            "results": {str(name): list(array.dims) for name, array in prepared.template.data_vars.items()},
            "batch": prepared.batch,
            "seconds": None if prepared.seconds is None else prepared.seconds * prepared.n_points,
        }
        say_json(facts)
    else:
        Console().print(sweep_table(prepared))


def run_sweep(
    workflow: Workflow,
    location: Location,
    functions: list[str] | None,
    where: dict[str, Any],
    console: Console,
    *,
    overwrite: bool,
) -> SweepState:
    """Run a sweep, or go on with it."""
    from twinbrain.run.sweep.create import check_free, open_or_create
    from twinbrain.run.sweep.sweep import drive_sweep
    from twinbrain.store.claim import claimed

    check_free(location)
    prepared = _prepared(workflow, functions)
    console.print(sweep_table(prepared))
    with claimed(location, "sweep"):
        store = open_or_create(prepared, location, overwrite=overwrite)
        with sweep_bar(console) as progress:
            return drive_sweep(store, prepared.own, where, progress, tell_dashboard(console))


def _prepared(workflow: Workflow, functions: list[str] | None) -> PreparedSweep:
    from twinbrain.run.sweep.create import prepare_sweep
    from twinbrain.run.sweep.sweep import declared_sweep

    own = own_reductions(functions)
    assert workflow.sweep is not None
    if own:
        declared = workflow.sweep.reduce
        reduce: dict[str, Any] = {**declared, **{name: {} for name in own if name not in declared}}
        workflow, _ = declared_sweep(workflow, {}, reduce=reduce)
    return prepare_sweep(workflow, own)


def resume_sweep(
    location: Location, functions: list[str] | None, where: dict[str, Any], console: Console
) -> SweepState:
    """Go on with a sweep."""
    from twinbrain.run.sweep.sweep import drive_sweep, resumable

    store, own = resumable(location, own_reductions(functions))
    with sweep_bar(console) as progress:
        return drive_sweep(store, own, where, progress, tell_dashboard(console))


def own_reductions(functions: list[str] | None) -> dict[str, Callable[..., Any]]:
    """Return functions by their names."""
    from twinbrain.functions import function_of

    own: dict[str, Callable[..., Any]] = {}
    for text in functions or ():
        name = text.rpartition(":")[2]
        if name in own:
            raise SpecError([Problem("--reduce-from", f"expected each name once, found {name!r} twice; rename one")])
        own[name] = function_of(text, "--reduce-from")
    return own


def report_sweep(location: Location, state: SweepState, console: Console, as_json: bool, figure: bool) -> None:
    """Say what became of a sweep, and of trainings how they compare; points that failed end the command with 1."""
    written = report_study(location, console, figure=figure, as_json=as_json) if is_study(location) else {}
    if as_json:
        say_json({"sweep": str(location), **sweep_facts(location), **written})
    else:
        for error in errors_of(location)[:_SHOWN]:
            console.print(f"failed  {error}")
        console.print(f"sweep   {location}: {state.done} of {count(state.total, 'point')} done, {state.failed} failed")
    if state.failed:
        raise typer.Exit(1)


def sweep_facts(location: Location) -> dict[str, Any]:
    """Return what a sweep is, as plain values."""
    from twinbrain.run.sweep.task import stored_axes
    from twinbrain.store.sweep import DONE, FAILED, STATUS, SweepStore

    store = SweepStore(location)
    status = store.read(STATUS)
    lengths = {axis.name: len(axis) for axis in stored_axes(store)}
    return {
        "workflow": store.attrs["workflow"],
        "points": store.n_points,
        "done": int((status == DONE).sum()),
        "failed": int((status == FAILED).sum()),
        "dimensions": {name: lengths[name] for name in store.attrs["dims"]},
        "results": list(json.loads(store.attrs["shapes"])),
        "batch": store.batch,
        "bytes": location.size(),
        "digest": store.attrs["digest"],
        "errors": errors_of(location)[:_SHOWN],
    }


def is_study(location: Location) -> bool:
    """Return whether the points of a sweep are trainings."""
    from twinbrain.store.sweep import SweepStore

    return json.loads(SweepStore(location).attrs["spec"])["train"] is not None


def info_of_sweep(location: Location) -> Table:
    """Return what a sweep is, as a table."""
    facts = sweep_facts(location)
    spans = " × ".join(f"{name} {n}" for name, n in facts["dimensions"].items())
    rows = {
        "workflow": facts["workflow"],
        "points": f"{facts['points']:,}: {spans}",
        "done": f"{facts['done']:,}",
        "failed": f"{facts['failed']:,}",
        "results": ", ".join(facts["results"]),
        "on disk": f"{size(facts['bytes'])}, {count(facts['batch'], 'point')} an object",
        "spec": facts["digest"][:16],
    }
    return pairs(str(location), rows | {f"error {i + 1}": error for i, error in enumerate(facts["errors"])})


def errors_of(location: Location) -> list[str]:
    """Return the errors of points, each once, with how often it came."""
    from collections import Counter

    from twinbrain.store.sweep import ERROR, FAILED, STATUS, SweepStore

    store = SweepStore(location)
    failed = store.read(STATUS) == FAILED
    if not failed.any():
        return []
    counted = Counter(str(error) for error in store.read(ERROR)[failed])
    return [f"{error} ({n} point{'s' if n > 1 else ''})" for error, n in counted.most_common()]


def sweep_table(prepared: PreparedSweep) -> Table:
    """Return what a sweep will need."""
    lengths = {axis.name: len(axis) for axis in prepared.axes}
    spans = " × ".join(f"{name} {lengths[name]}" for name in prepared.dims)
    run, training = prepared.workflow.run, prepared.workflow.train
    rows = {"points": f"{prepared.n_points:,}: {spans}"}
    if training is None:
        rows["of each"] = f"{run.duration / 1e3:g} s in steps of {run.dt:g} ms, {run.engine}"
    else:
        epochs = f"up to {training.epochs} epoch{'s' * (training.epochs > 1)}"
        rows["of each"] = f"{training.task.name} in steps of {run.dt:g} ms, {epochs}"
    rows["results"] = ", ".join(
        f"{name}{list(array.dims) if array.dims else ''}" for name, array in prepared.template.data_vars.items()
    )
    if prepared.seconds is not None:
        total = seconds(prepared.seconds * prepared.n_points)
        rows["time"] = f"about {total} on one core, shared by all workers"
    if prepared.notes:
        rows["note"] = "\n".join(prepared.notes)
    return pairs(f"sweep of {prepared.workflow.name}", rows)


@contextmanager
def sweep_bar(console: Console) -> Iterator[Callable[[SweepState], None]]:
    """Give a function to be told of progress; it draws a bar on a terminal, and elsewhere a line each tenth."""
    columns = (
        TextColumn("points"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = None
        began, tenth = time.monotonic(), -1

        def tell(state: SweepState) -> None:
            nonlocal task, tenth
            if task is None:
                task = bar.add_task("points", total=state.total, completed=state.done, detail="")
            elapsed = time.monotonic() - began
            rate = _rate(state.now, elapsed) if state.now else ""
            failed = f", {state.failed} failed" if state.failed else ""
            bar.update(task, completed=state.done + state.failed, detail=rate + failed)
            if not console.is_terminal and (now := 10 * (state.done + state.failed) // max(1, state.total)) > tenth:
                tenth = now
                console.print(f"{state.done + state.failed} of {count(state.total, 'point')} {rate}{failed}")

        yield tell


def _rate(n_points: int, elapsed: float) -> str:
    return f"{n_points / elapsed:.1f} a second" if n_points > elapsed else f"one in {seconds(elapsed / n_points)}"


def tell_dashboard(console: Console) -> Callable[[str], None]:
    """Return a function that prints the address of a dashboard."""

    def tell(address: str) -> None:
        if address:
            console.print(f"dashboard {address}")

    return tell
