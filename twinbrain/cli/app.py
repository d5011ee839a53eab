"""The command ``twinbrain``: its subcommands, and how errors end it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer
from rich.text import Text

from twinbrain.cli import contents, exchange, runs, training
from twinbrain.cli.console import Console, say
from twinbrain.cli.folder import guard_working_folder
from twinbrain.errors import TwinbrainError
from twinbrain.extras import named

app = typer.Typer(
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
    runs.check,
    contents.workflows,
    contents.connectomes,
    contents.validate,
    exchange.export,
):
    app.command()(command)
app.add_typer(contents.regions, name="regions")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"twinbrain {version('twinbrain')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Declare a brain once; simulate it, keep it, look at it."""
    guard_working_folder(context)


@cache
def _command() -> Callable[[], object]:
    """Return what reads the command line; to make it takes 30 ms."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line; an error of ours is one message and exit code 2."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without our characters shows others, and no traceback
            stream.reconfigure(errors="replace")
    try:
        try:
            _command()()
        except ModuleNotFoundError as error:
            raise named(error) from None
        finally:
            sys.stdout.flush()
    except TwinbrainError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(Text("error", "bold red"), f": {error}", sep="")
        sys.exit(2)
    except MemoryError:
        sys.stderr.write(
            "error: expected enough memory, found too little; make the model or what is recorded smaller\n"
        )
        sys.exit(2)
    except BrokenPipeError:  # as when the output goes to head, which has read enough
        _close_output()
        sys.exit(1)
    except OSError as error:
        if error.filename is not None or error.errno is None:  # of a file or of Dask, and not of the output
            raise
        _close_output()
        sys.stderr.write(f"error: the output cannot be written: {error.strerror or error}\n")
        sys.exit(2)


def _open_streams() -> None:
    """Give streams that were closed by who started the command to nobody.

    Python has None in their place, and the next file that is opened would take their number: what a library or a
    compiler prints would be written into it.
    """
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is not None:
            continue
        nothing = open(os.devnull, mode)  # noqa: SIM115  (open as long as the process lasts)
        if nothing.fileno() != number:
            try:
                os.fstat(number)
            except OSError:  # free still
                os.dup2(nothing.fileno(), number)
        else:
            os.set_inheritable(number, True)  # compilers and workers that are started would lack it, too
        setattr(sys, name, nothing)


def _close_output() -> None:
    """Let what is still to be written go nowhere: Python would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
