"""The command ``twinbrain``: its subcommands, and how errors end it."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from twinbrain.cli import contents, exchange, runs, training
from twinbrain.errors import TwinbrainError

app = typer.Typer(
    help="Declare a brain once; simulate it, keep it, look at it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for command in (
    runs.run,
    runs.plan,
    runs.resume,
    training.train,
    runs.info,
    contents.workflows,
    contents.connectomes,
    contents.validate,
    exchange.export,
):
    app.command()(command)
app.add_typer(contents.regions, name="regions")


def main() -> None:
    """Run the command line; an error of ours is one message and exit code 2."""
    try:
        app()
    except TwinbrainError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]error[/]: {_escape(str(error))}")
        sys.exit(2)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
