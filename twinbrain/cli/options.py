"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinbrain.errors import Problem, SpecError

if TYPE_CHECKING:
    from twinbrain.spec.cluster import ClusterProfile
    from twinbrain.spec.workflow import Workflow

Cluster = Annotated[
    str | None, typer.Option(help='Where to compute: local, the address of a scheduler ("tcp://…"), or slurm.')
]
Durable = Annotated[
    bool, typer.Option("--durable", help="Flush each file to the disk, so that commits survive a loss of power.")
]
Workers = Annotated[
    int | None, typer.Option(help="Worker processes; else one a core, or as the profile says. 0: in this process.")
]
Shards = Annotated[
    int | None,
    typer.Option(help="Cut the brain into so many shards, each in a process of its own; the run is the same."),
]
Profile = Annotated[
    Path | None, typer.Option(help="What jobs of Slurm ask for, and certificates for tls://; a TOML file.")
]
Setup = Annotated[Path | None, typer.Option(help="Shell lines that each job of Slurm begins with, a file of them.")]


def with_setup(profile: Path | None, setup: Path | None, cluster: str | None) -> Path | ClusterProfile | None:
    """Return a profile with the shell lines of a file that a person has named."""
    if setup is None:
        return profile
    if profile is None:
        raise SpecError([Problem("--setup", "expected a profile beside it, found none; name one with --profile")])
    if cluster != "slurm":
        message = "expected --cluster slurm beside it, whose jobs begin with these lines, found"
        raise SpecError([Problem("--setup", f"{message} {cluster or 'none'}; leave it out")])
    from twinbrain.spec.load import load_profile

    return load_profile(profile, setup)


def _named(context: typer.Context, texts: list[str] | None) -> list[str] | None:
    """Give functions of the person's own the names of tasks, for as long as the command lasts."""
    if texts:
        from twinbrain.functions import function_of
        from twinbrain.learn.tasks.registry import registering

        builds = {text.rpartition(":")[2]: function_of(text, "--task-from") for text in texts}
        context.with_resource(registering(builds))
    return texts


def check_used(task_from: list[str] | None, workflow: Workflow) -> None:
    """Check that a workflow names each task that was given.

    Raises
    ------
    SpecError
        If it trains nothing, or names other tasks.
    """
    if not task_from:
        return
    spec = "" if workflow.train is None else workflow.model_dump_json()
    for name in [text.rpartition(":")[2] for text in task_from]:
        if f'"{name}"' not in spec:  # it may also stand among the values of a sweep
            message = f"expected a task that the workflow names, found {name!r}; write task = {name!r} under [train]"
            raise SpecError([Problem("--task-from", message)])


# Code runs where one of these options names it, and nowhere else.
TaskFrom = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE.py:FUNCTION", callback=_named, help="A function of yours that makes the task of its name."
    ),
]
ReduceFrom = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE.py:FUNCTION", help="A function of yours that reduces each run of a sweep."),
]
