"""Commands about runs: run, plan, resume, info, check."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from twinbrain.cli.beside import beside, check_beside, mark_of, may_write, writing
from twinbrain.cli.console import Console, say, say_json
from twinbrain.cli.data import AsJson
from twinbrain.cli.options import (
    Cluster,
    Durable,
    Profile,
    ReduceFrom,
    Setup,
    Shards,
    TaskFrom,
    Workers,
    check_used,
    with_setup,
)
from twinbrain.cli.places import naming, place_of
from twinbrain.cli.progress import progress_bar
from twinbrain.cli.sweeps import info_of_sweep, is_study, report_sweep, resume_sweep, run_sweep, show_plan, sweep_facts
from twinbrain.cli.tables import complete, count, info_table, plan_table, rows, size, summary_table
from twinbrain.cli.training import plan_of_training, resume_and_report, train_workflow, training_facts, training_table
from twinbrain.errors import Problem, RunInterrupted, SpecError, StoreError, UnitError

if TYPE_CHECKING:
    from twinbrain.store import Location

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help='Another value for a key, such as run.duration="10 s".'),
]
Engine = Annotated[str | None, typer.Option(help="brian2, brian2-numpy, torch or reference; else the workflow's.")]
Device = Annotated[str | None, typer.Option(help="Where engine torch computes: cpu, cuda or cuda:1.")]
Name = Annotated[str, typer.Argument(metavar="WORKFLOW", help="Name of a workflow, or the path of its file.")]
Store = Annotated[str, typer.Argument(metavar="RUN", help="Path or URL of a run, such as runs/resting_state.zarr.")]


def run(
    workflow: Name,
    settings: Settings = None,
    out: Annotated[str | None, typer.Option(help="Path or URL for the run; else runs/<workflow>.zarr.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all draws; else the workflow's.")] = None,
    engine: Engine = None,
    device: Device = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that stands there.")] = False,
    durable: Durable = False,
    figure: Annotated[bool, typer.Option(help="Draw the summary figure beside the run.")] = True,
    task_from: TaskFrom = None,
    reduce_from: ReduceFrom = None,
    shards: Shards = None,
    workers: Workers = None,
    cluster: Cluster = None,
    profile: Profile = None,
    setup: Setup = None,
    as_json: AsJson = False,
) -> None:
    """Run a workflow, keep the run, and draw its summary; if it has a sweep, run all its points."""
    from twinbrain.run.prepare import prepare
    from twinbrain.run.sharded import shards_on
    from twinbrain.run.simulate import run_prepared
    from twinbrain.spec.load import load_workflow
    from twinbrain.store import check_target

    console = Console(stderr=as_json, soft_wrap=as_json)
    declared = load_workflow(workflow, _changes(settings, seed=seed, engine=engine, device=device))
    check_used(task_from, declared)
    path = place_of(out, declared.name, durable=durable)
    if declared.sweep is not None:
        check_beside(path, figure=figure and declared.train is not None, table=declared.train is not None)
        where = {"workers": workers, "cluster": cluster, "profile": with_setup(profile, setup, cluster)}
        _no_shards(shards)
        with _interruptible(path), naming(workflow):
            state = run_sweep(declared, path, reduce_from, where, console, overwrite=overwrite)
        report_sweep(path, state, console, as_json, figure)
        return
    _no_sweep(reduce_from=reduce_from, workers=workers)
    if declared.train is not None:
        _no_shards(shards)
        _no_sweep(cluster=cluster, profile=profile, setup=setup)
        train_workflow(declared, path, console, overwrite=overwrite, n_replayed=20, figure=figure, as_json=as_json)
        return
    check_beside(path, figure=figure)
    check_target(path, overwrite=overwrite)  # before the plan, which may take seconds
    with naming(workflow):
        prepared = prepare(declared)
        on = shards_on(shards, cluster=cluster, profile=with_setup(profile, setup, cluster))
        console.print(plan_table(prepared, on))
    with _interruptible(path), naming(workflow), progress_bar(console, prepared.workflow.run.dt) as progress:
        run_prepared(prepared, path, overwrite=overwrite, progress=progress, on=on)
    _report(path, console, figure, as_json)


def plan(
    workflow: Name,
    settings: Settings = None,
    engine: Engine = None,
    device: Device = None,
    task_from: TaskFrom = None,
    reduce_from: ReduceFrom = None,
    shards: Shards = None,
    as_json: AsJson = False,
) -> None:
    """Say what a workflow will need, without running it."""
    from twinbrain.run.prepare import check_fits, prepare
    from twinbrain.run.sharded import shards_on
    from twinbrain.spec.load import load_workflow

    declared = load_workflow(workflow, _changes(settings, engine=engine, device=device))
    check_used(task_from, declared)
    if declared.sweep is not None:
        _no_shards(shards)
        with naming(workflow):
            show_plan(declared, reduce_from, as_json)
        return
    _no_sweep(reduce_from=reduce_from)
    if declared.train is not None:
        _no_shards(shards)
        with naming(workflow):
            plan_of_training(declared, as_json=as_json)
        return
    with naming(workflow):
        prepared = prepare(declared)
        on = shards_on(shards)
        cut = {} if on is None else {"shards": asdict(on.partition(prepared))}
        if as_json:
            say_json(prepared.plan.to_dict() | cut)
        else:
            Console().print(plan_table(prepared, on))
        if on is None:
            check_fits(prepared)


def resume(
    store: Store,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Of a training: another learning_rate, clip or patience."),
    ] = None,
    figure: Annotated[bool, typer.Option(help="Draw the summary figure beside the run.")] = True,
    task_from: TaskFrom = None,
    reduce_from: ReduceFrom = None,
    shards: Shards = None,
    workers: Workers = None,
    cluster: Cluster = None,
    profile: Profile = None,
    setup: Setup = None,
    other_versions: Annotated[
        bool, typer.Option("--other-versions", help="Go on with a run that was begun with other versions of packages.")
    ] = False,
    durable: Durable = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that was interrupted, to the same bits; of a sweep, with what is missing or has failed."""
    from twinbrain.run.simulate import resume as resume_run
    from twinbrain.store import Location, is_training, run_info
    from twinbrain.store.sweep import is_sweep

    console = Console(stderr=as_json, soft_wrap=as_json)
    path = replace(Location.of(store), durable=durable)
    if settings and not is_training(path):
        raise SpecError(
            "expected no --set for a run or a sweep that was begun, whose bits it would change; leave it out"
        )
    if is_sweep(path):
        where = {"workers": workers, "cluster": cluster, "profile": with_setup(profile, setup, cluster)}
        _no_shards(shards)
        check_beside(path, figure=figure and is_study(path), table=is_study(path))
        with _interruptible(path):
            state = resume_sweep(path, reduce_from, where, console)
        report_sweep(path, state, console, as_json, figure)
        return
    if is_training(path):
        _no_shards(shards)
        _no_sweep(reduce_from=reduce_from, workers=workers, cluster=cluster, profile=profile, setup=setup)
        resume_and_report(path, settings, console, figure=figure, as_json=as_json)
        return
    if task_from:
        raise SpecError([Problem("--task-from", f"expected a training or a sweep, found a run: {path}; leave it out")])
    before = run_info(path)
    if before.status == "complete":
        console.print(complete(path))
        if not as_json and (not figure or _picture(path).exists()):
            return
    check_beside(path, figure=figure)
    with _interruptible(path), naming(str(path)), progress_bar(console, before.dt) as progress:
        resume_run(
            path,
            shards=shards,
            cluster=cluster,
            profile=with_setup(profile, setup, cluster),
            other_versions=other_versions,
            progress=progress,
        )
    _report(path, console, figure, as_json)


def info(store: Store, as_json: AsJson = False) -> None:
    """Say what a run holds, and how far it is."""
    from twinbrain.store import Location, is_training, run_info
    from twinbrain.store.sweep import is_sweep

    if is_sweep(path := Location.of(store)):
        if as_json:
            say_json(sweep_facts(path))
        else:
            Console().print(info_of_sweep(path))
        return
    if is_training(path):
        if as_json:
            say_json(training_facts(path))
        else:
            Console().print(training_table(path))
        return
    found = run_info(store)
    if as_json:
        say_json(found.to_dict())
    else:
        Console().print(info_table(found))


def check(store: Store, as_json: AsJson = False) -> None:
    """Read all of a run, a sweep or a training, and list what of it is damaged."""
    from twinbrain.run.check import check_store

    found = check_store(store)
    if as_json:
        say_json({"store": store, **asdict(found)})
    else:
        console = Console(soft_wrap=True)
        for damage in found.damaged:
            console.print(f"damaged  {damage.message}", highlight=False)
        result = f"{len(found.damaged)} damaged" if found.damaged else "all as written"
        console.print(f"{store}: {count(found.n_objects, 'file')}, {size(found.n_bytes)}, {result}")
    if found.damaged:
        raise typer.Exit(1)


def _no_sweep(**options: object) -> None:
    if given := [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]:
        raise SpecError([Problem(given[0], "expected a workflow with a sweep, found one without; leave it out")])


def _no_shards(shards: int | None) -> None:
    if shards is not None:
        raise SpecError("expected no --shards for a sweep or a training, which run in one process; leave it out")


def _changes(settings: list[str] | None, **options: str | int | None) -> list[str]:
    """Return settings, those of the options that are given among them."""
    return [*(settings or ()), *(f"run.{key}={value}" for key, value in options.items() if value is not None)]


@contextmanager
def _interruptible(path: Location) -> Iterator[None]:
    try:
        yield
    except RunInterrupted as interruption:
        say(f"{interruption}; go on with: twinbrain resume {shlex.quote(str(path))}", err=True)
        raise typer.Exit(130) from None
    except KeyboardInterrupt:
        say(f"stopped at once; {_way_on(path)}", err=True)
        raise typer.Exit(130) from None


def _way_on(path: Location) -> str:
    from twinbrain.store import run_info
    from twinbrain.store.sweep import is_sweep

    try:
        if is_sweep(path):
            facts = sweep_facts(path)
            done = (
                f"{facts['done']} of {count(facts['points'], 'point')} {'is' if facts['points'] == 1 else 'are'} done"
            )
            return f"{done}; go on with: twinbrain resume {shlex.quote(str(path))}"
        found = run_info(path)
    except StoreError:
        return "nothing was recorded"
    if found.status == "complete":
        return f"the run {path} is complete"
    return f"go on from {found.committed:g} ms with: twinbrain resume {shlex.quote(str(path))}"


def _picture(path: Location) -> Path:
    """Return where the figure of a run is."""
    return beside(path).with_suffix(".png")


def _report(path: Location, console: Console, figure: bool, as_json: bool) -> None:
    from twinbrain.analysis import structure_function, summarise, tells_correlations, warm_up
    from twinbrain.run.open import open_run

    tree = open_run(path)
    start = warm_up(tree)
    try:
        summary = summarise(tree, start=start)
    except UnitError as error:
        console.print(f"no table of what happened: {error}")
        summary = None
    r = float(structure_function(tree, start=start)["r"]) if tells_correlations(tree, start=start) else math.nan
    broken = json.loads(tree.attrs["breakdown"])["text"] if "breakdown" in tree.attrs else ""
    picture = _picture(path)
    figure = figure and may_write(picture, path, console)
    if figure:
        from twinbrain.plot import save, summary_figure

        with writing(picture, path, "run"):
            save(summary_figure(tree), picture, source=mark_of(path))
    if as_json:
        say_json(
            {
                "run": str(path),
                "figure": str(picture) if figure else None,
                "summary": None if summary is None else rows(summary),
                "structure_function": r,
                "breakdown": broken or None,
            }
        )
        return
    if summary is not None:
        console.print(summary_table(summary, start))
    if not math.isnan(r):  # as of too few regions, or of silent ones
        console.print(f"regions that are connected go together: r = {r:.2f} over pairs (bins of 100 ms)")
    if broken:
        console.print(Text("broke down", "bold red"), f": {broken}", sep="")
    console.print(f"run     {path}")
    if figure:
        console.print(f"figure  {picture}")
