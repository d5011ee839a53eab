"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Cluster = Annotated[
    str | None, typer.Option(help='Where to compute: local, the address of a scheduler ("tcp://…"), or slurm.')
]
Workers = Annotated[
    int | None, typer.Option(help="Worker processes; else one a core, or as the profile says. 0: in this process.")
]
Shards = Annotated[
    int | None,
    typer.Option(help="Cut the brain into so many shards, each in a process of its own; the run is the same."),
]
Profile = Annotated[Path | None, typer.Option(help="What jobs of Slurm ask for, a TOML file.")]
Reduce = Annotated[
    list[str] | None,
    typer.Option(metavar="MODULE:FUNCTION", help="A function of yours that reduces each run of a sweep."),
]
