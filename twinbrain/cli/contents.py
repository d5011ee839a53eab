"""Commands about what can be run: regions, workflows, connectomes, validate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from twinbrain.cli.console import Console, say, say_json
from twinbrain.cli.data import AsJson
from twinbrain.cli.options import TaskFrom
from twinbrain.cli.places import naming
from twinbrain.cli.tables import listing
from twinbrain.errors import Problem, SpecError, TwinbrainError
from twinbrain.files import FileError, parse_toml, read_text, write_whole
from twinbrain.files.text import LARGEST_TOML
from twinbrain.paths import user_path

regions = typer.Typer(help="List regions, or start a new one.", invoke_without_command=True, rich_markup_mode=None)


@regions.callback()
def list_regions(context: typer.Context, as_json: AsJson = False) -> None:
    """List the regions that can be loaded by name."""
    from twinbrain.spec.load import load_region, region_names

    if context.invoked_subcommand is not None:
        return
    found = [load_region(name) for name in region_names()]
    if as_json:
        say_json([region.to_dict() for region in found])
        return
    rows = [(region.name, ", ".join(region.populations), f"{region.n_neurons}", region.summary) for region in found]
    Console().print(listing(("region", "populations", "neurons", "summary"), rows))


@regions.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the new region, such as my_lab/my_region.")],
    like: Annotated[str, typer.Option(help="The region to start from.")] = "cortex/column",
) -> None:
    """Start a region file in ./regions, as a copy of another with a new name."""
    from twinbrain.spec.load import load_region, region_names, region_path
    from twinbrain.spec.write import write_region

    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)*", name):
        raise SpecError([Problem("NAME", f"expected a name such as my_lab/my_region, found {name!r}")])
    path = Path("regions") / f"{name}.toml"
    if path.exists() or name in region_names():
        raise SpecError([Problem(str(path), "expected a name that is free, found a region of it; choose another name")])
    original = region_path(like)
    text = _renamed(original, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:  # arrays come along, and files of drives are named by whole paths
        write_region(load_region(like).model_copy(update={"name": name}), path)
    else:
        write_whole({path: text.encode()})
    say(f"{path} is a copy of {like}; edit it, then: twinbrain validate {path}")


def _renamed(original: Path, name: str) -> str | None:
    """Return the text of a region's file with another name; None where that alone does not make a copy of it."""
    from twinbrain.spec.load import names_files_beside

    if names_files_beside(original):
        return None
    text = read_text(original, LARGEST_TOML)
    renamed = re.sub(r"""^[ \t]*["']?name["']?[ \t]*=.*$""", f'name = "{name}"', text, count=1, flags=re.MULTILINE)
    try:
        found = parse_toml(renamed)
    except FileError:
        return None
    # The line may have been that of a projection, or stand in a text.
    return renamed if found == parse_toml(text) | {"name": name} else None


def workflows(as_json: AsJson = False) -> None:
    """List the workflows that can be run by name."""
    from twinbrain.spec.load import workflow_names, workflow_summary

    found = {name: workflow_summary(name) for name in workflow_names()}
    if as_json:
        say_json(found)
        return
    Console().print(listing(("workflow", "summary"), list(found.items())))


def connectomes(as_json: AsJson = False) -> None:
    """List the connectomes that can be loaded by name."""
    from twinbrain.connectome import connectome_names, load_connectome

    rows = []
    for name in connectome_names():
        try:
            found = load_connectome(name)
            rows.append({"name": name, "n_regions": found.n_regions, "n_connections": int((found.weight > 0).sum())})
        except TwinbrainError as error:
            rows.append({"name": name, "missing": str(error)})
    if as_json:
        say_json(rows)
        return
    said = [
        (str(row["name"]), "–", str(row["missing"]))
        if "missing" in row
        else (str(row["name"]), f"{row['n_regions']}", f"{row['n_connections']:,}")
        for row in rows
    ]
    Console().print(listing(("connectome", "regions", "connections"), said))


def validate(
    files: Annotated[list[Path], typer.Argument(help="Files of regions, workflows, connectomes or cluster profiles.")],
    task_from: TaskFrom = None,
) -> None:
    """Check files, and print every problem found."""
    problems: list[Problem] = []
    for path in files:
        try:
            _validate(user_path(path))
            say(f"{path}: right")
        except SpecError as error:
            problems += error.problems
        except TwinbrainError as error:
            place = "" if str(path) in str(error) else str(path)
            problems.append(Problem(place, str(error)))
    if problems:
        raise SpecError(problems)


def _validate(path: Path) -> None:
    from twinbrain.connectome import read_connectome
    from twinbrain.network.definitions import check_definitions
    from twinbrain.run.prepare import build_network, check_fits, prepare
    from twinbrain.run.sweep.create import prepare_sweep
    from twinbrain.spec.brain import single_region_brain
    from twinbrain.spec.load import is_profile, is_workflow, load_profile, load_region, load_workflow
    from twinbrain.spec.workflow import Workflow

    if path.suffix != ".toml":
        read_connectome(path)
        return
    if is_profile(path):
        load_profile(path)
        return
    workflow = is_workflow(path)
    model = load_workflow(path) if workflow else Workflow(name="region", brain=single_region_brain(load_region(path)))
    with naming(str(path)):
        check_definitions(model.brain, dt=model.run.dt)
        if model.sweep is not None:
            prepare_sweep(model, {})
            model = model.model_copy(update={"sweep": None})
        if model.train is not None:
            from twinbrain.learn.plan import plan_training

            plan_training(model)
            return
        # Building finds what only shows then: parameters, weights, delays.
        prepared = prepare(model)
        check_fits(prepared)
        build_network(prepared)
