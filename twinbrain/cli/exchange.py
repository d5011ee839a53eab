"""The command export: a model as a file of another program's format."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinbrain.cli.console import say
from twinbrain.cli.places import naming
from twinbrain.errors import Problem, SpecError
from twinbrain.paths import user_path

if TYPE_CHECKING:
    from twinbrain.spec.region import Region
    from twinbrain.spec.workflow import Workflow


class Format(StrEnum):
    """Formats that can be written."""

    NIR = "nir"
    SONATA = "sonata"


class Refractory(StrEnum):
    """What can be done with refractory periods."""

    REFUSE = "refuse"
    DROP = "drop"


class Drives(StrEnum):
    """What can be done with drives and stimuli."""

    REFUSE = "refuse"
    DROP = "drop"
    KEEP = "keep"


def export(
    model: Annotated[str, typer.Argument(help="Name of a workflow or a region, or the path of its file.")],
    to: Annotated[Format, typer.Option(help="The format.")],
    out: Annotated[Path, typer.Option(help="The file (nir) or the folder (sonata) to write.")],
    drives: Annotated[
        Drives, typer.Option(help="What to do with drives and stimuli, which neither format knows; keep: sonata alone.")
    ] = Drives.REFUSE,
    refractory: Annotated[
        Refractory, typer.Option(help="What to do with refractory periods, which NIR does not know.")
    ] = Refractory.REFUSE,
    seed: Annotated[int | None, typer.Option(help="Seed of all draws; else the run's or the workflow's.")] = None,
    dt: Annotated[str | None, typer.Option(help="Time step, such as \"0.1 ms\"; else the run's or workflow's.")] = None,
    run: Annotated[str | None, typer.Option(help="A run of the model, whose spikes go along (sonata).")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what stands there.")] = False,
) -> None:
    """Write a model as NIR or SONATA, with everything drawn."""
    if to is Format.NIR and (run or drives is Drives.KEEP):
        option = "--run" if run else "--drives keep"
        raise SpecError([Problem(option, "expected --to sonata, found nir, which has no place for it")])
    found = _model(model)
    with naming(model):
        if to is Format.NIR:
            from twinbrain.exchange.nir_write import write_nir

            write_nir(
                found,
                out,
                dt=dt,
                seed=seed,
                drives="drop" if drives is Drives.DROP else "refuse",
                refractory=refractory.value,
                overwrite=overwrite,
            )
        else:
            from twinbrain.exchange.sonata_write import write_sonata
            from twinbrain.run.open import open_run

            tree = None if run is None else open_run(run)
            if tree is not None:
                seed = int(tree.attrs["seed"]) if seed is None else seed
                dt = f"{tree.attrs['dt']!r} ms" if dt is None else dt
            write_sonata(found, out, dt=dt, seed=seed, drives=drives.value, run=tree, overwrite=overwrite)
    say(f"{out} holds {model} as {to.value}")


def _model(name: str) -> Workflow | Region:
    from twinbrain.spec.load import is_workflow, load_region, load_workflow, region_names

    path = user_path(name)
    workflow = is_workflow(path) if path.suffix == ".toml" and path.is_file() else name not in region_names()
    return load_workflow(name) if workflow else load_region(name)
