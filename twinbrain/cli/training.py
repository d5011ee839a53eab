"""The command train, and what resume and info do with a training."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from twinbrain.cli.beside import beside, check_beside, mark_of, may_write, may_write_brain, may_write_region
from twinbrain.cli.console import Console, say, say_json
from twinbrain.cli.data import AsJson
from twinbrain.cli.options import Durable, TaskFrom, check_used
from twinbrain.cli.places import naming, place_of
from twinbrain.cli.tables import complete, pairs
from twinbrain.errors import Problem, RunInterrupted, SpecError, StoreError

if TYPE_CHECKING:
    from rich.table import Table

    from twinbrain.learn.trained import Trained
    from twinbrain.spec.workflow import Workflow
    from twinbrain.store import Location


def train(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Name of a workflow that trains, or its file.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key, such as train.epochs=5."),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Path or URL for the training; else runs/<workflow>.zarr.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all draws; else the workflow's.")] = None,
    device: Annotated[str | None, typer.Option(help="Where to compute: cpu, cuda or cuda:1.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a training that stands there.")] = False,
    durable: Durable = False,
    replay: Annotated[
        int, typer.Option(min=0, help="Held-out trials to run in Brian2 afterwards, spike for spike.")
    ] = 20,
    figure: Annotated[bool, typer.Option(help="Draw the learning curves beside the training.")] = True,
    task_from: TaskFrom = None,
    as_json: AsJson = False,
) -> None:
    """Train a region or a brain on a task, keep what it learned, and run it in Brian2."""
    from twinbrain.spec.load import load_workflow

    run = {"seed": seed, "device": device}
    changes = [*(settings or ()), *(f"run.{key}={value}" for key, value in run.items() if value is not None)]
    declared = load_workflow(workflow, changes)
    check_used(task_from, declared)
    train_workflow(
        declared,
        place_of(out, declared.name, durable=durable),
        Console(stderr=as_json, soft_wrap=as_json),
        overwrite=overwrite,
        n_replayed=replay,
        figure=figure,
        as_json=as_json,
    )


def train_workflow(
    declared: Workflow,
    location: Location,
    console: Console,
    *,
    overwrite: bool,
    n_replayed: int,
    figure: bool,
    as_json: bool,
) -> None:
    """Train what a workflow declares."""
    from twinbrain.learn.train import train as train_model

    if declared.train is None:
        where = f"workflow {declared.name}"
        message = "expected a table 'train' that names a task, found none; add one, or use: twinbrain run"
        raise SpecError([Problem(where, message)])
    check_beside(location, figure=figure)
    with _interruptible(location), naming(declared.name), training_bar(console) as progress:
        trained = train_model(declared, out=location, overwrite=overwrite, progress=progress)
    report_training(trained, location, console, n_replayed=n_replayed, figure=figure, as_json=as_json)


def resume_and_report(
    location: Location, settings: list[str] | None, console: Console, *, figure: bool, as_json: bool
) -> None:
    """Go on with a training."""
    from twinbrain.learn.resume import resume_training

    changes = dict(_change(setting) for setting in settings or ())
    if not as_json and not changes and _is_finished(location, figure):
        console.print(complete(location))
        return
    check_beside(location, figure=figure)
    with _interruptible(location), training_bar(console) as progress:
        trained = resume_training(location, progress=progress, **changes)
    report_training(trained, location, console, n_replayed=20, figure=figure, as_json=as_json)


def _is_finished(location: Location, figure: bool) -> bool:
    """Return whether a training is complete, and all that is put beside it is there."""
    place = beside(location)
    models = (place.with_name(f"{place.stem}_trained.toml"), place.with_name(f"{place.stem}_trained"))
    written = any(map(Path.exists, models)) and (not figure or place.with_suffix(".png").exists())
    return written and training_facts(location)["status"] == "complete"


def report_training(
    trained: Trained, location: Location, console: Console, *, n_replayed: int, figure: bool, as_json: bool
) -> None:
    """Say what was learned, run some of it in Brian2, and write the region or the brain beside the training."""
    place = beside(location)
    facts: dict[str, Any] = training_facts(location)
    picture = place.with_suffix(".png")
    try:
        facts |= _write_model(trained, place, location, console)
        if figure and may_write(picture, location, console):
            from twinbrain.plot import learning_curves, save

            save(learning_curves(trained.curves), picture, source=mark_of(location))
            facts["figure"] = str(picture)
    except OSError as error:
        raise StoreError(
            f"the training {location} is complete, but what is put beside it cannot be written: "
            f"{error.strerror or error}; make room, then: twinbrain resume {shlex.quote(str(location))}"
        ) from error
    if n_replayed:
        found = trained.replay("brian2", n_replayed)
        facts["replay"] = (
            f"{found.n_trials} held-out trials in brian2: {found.mismatched} of {found.n_spikes:,} spikes differ"
        )
    if as_json:
        say_json(facts)
    else:
        console.print(pairs(str(location), {key: _said(value) for key, value in facts.items()}))


def _write_model(trained: Trained, place: Path, location: Location, console: Console) -> dict[str, str]:
    """Write the region to a file, or the brain to a folder, in place of one that was written for this training."""
    from twinbrain.exchange.brain_write import write_brain
    from twinbrain.spec.region import Region
    from twinbrain.spec.workflow import Run
    from twinbrain.spec.write import write_region

    mark = mark_of(location)
    if isinstance(trained.model, Region):
        path = place.with_name(f"{place.stem}_trained.toml")
        if not may_write_region(path, location, console):
            return {}
        write_region(trained.model, path, overwrite=True, note=mark)
        return {"region": str(path)}
    folder, run = place.with_name(f"{place.stem}_trained"), trained.setup.run
    if not may_write_brain(folder, location, console):
        return {}
    own = Run(dt=f"{run.dt!r} ms", seed=run.seed)
    return {"brain": str(write_brain(trained.model, folder, run=own, overwrite=folder.exists(), note=mark))}


def training_facts(location: Location) -> dict[str, Any]:
    """Return what a training is, for a table or as data."""
    from twinbrain.store import open_training_store

    found = open_training_store(location).attributes
    facts = {"training": str(location), "workflow": found["workflow"], "status": found["status"]}
    facts |= {"task": found["task"], "rule": found["rule"], "seed": found["seed"]}
    facts["epochs"] = f"{found['epochs_done']} of {found['epochs']}"
    facts |= {
        key: found[key] for key in ("changed", "best_epoch", "score", "chance", "error") if found.get(key, "") != ""
    }
    return facts


def training_table(location: Location) -> Table:
    """Return what a training is, as a table."""
    return pairs(str(location), {key: _said(value) for key, value in training_facts(location).items()})


def _said(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def plan_of_training(declared: Workflow, *, as_json: bool) -> None:
    """Say what a training will do."""
    from twinbrain.learn.plan import plan_training

    plan = plan_training(declared)
    if as_json:
        say_json(plan.to_dict())
        return
    trials = f"{plan.n_train:,} to learn from, {plan.n_validation:,} to validate with, {plan.n_test:,} held out"
    Console().print(
        pairs(
            f"plan of {declared.name}",
            {
                "task": f"{plan.task}: {plan.n_channels} channels, {plan.n_outputs} outputs",
                "trials": f"{trials}; {plan.n_steps:,} steps of {plan.dt:g} ms each",
                "network": f"{plan.n_neurons:,} neurons, {plan.n_synapses:,} synapses",
                "rule": f"{plan.rule}, for {plan.n_trained:,} numbers",
                "epochs": f"{plan.epochs:,} of {plan.n_batches:,} batches",
                **({"note": "\n".join(plan.notes)} if plan.notes else {}),
            },
        )
    )


@contextmanager
def training_bar(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function to be told of progress; it draws bars on a terminal and nothing elsewhere."""
    columns = (TextColumn("{task.description:<9}"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        tasks = {"train": bar.add_task("epochs", total=None), "epoch": bar.add_task("batches", total=None)}

        def tell(what: str, done: int, total: int) -> None:
            bar.update(tasks[what], completed=done, total=total)

        yield tell


@contextmanager
def _interruptible(location: Location) -> Iterator[None]:
    try:
        yield
    except RunInterrupted as interruption:
        say(f"{interruption}; go on with: twinbrain resume {shlex.quote(str(location))}", err=True)
        raise typer.Exit(130) from None
    except KeyboardInterrupt:
        say(f"stopped at once; {_way_on(location)}", err=True)
        raise typer.Exit(130) from None


def _way_on(location: Location) -> str:
    from twinbrain.store import open_training_store

    try:
        done = open_training_store(location).epochs_done
    except StoreError:
        return "nothing was kept"
    return f"{done} epochs are kept; go on with: twinbrain resume {shlex.quote(str(location))}"


def _change(setting: str) -> tuple[str, Any]:
    """Return the name and the value of a setting such as ``train.learning_rate=0.001``."""
    key, equals, value = setting.partition("=")
    if not equals:
        raise SpecError([Problem("--set", f"expected key=value such as learning_rate=0.001, found {setting!r}")])
    try:
        return key.strip().removeprefix("train."), json.loads(value)
    except json.JSONDecodeError:
        return key.strip().removeprefix("train."), value.strip()
