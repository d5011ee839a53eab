"""What ``--json`` prints: data on standard output, and nothing else, whatever functions and libraries print there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Annotated, TextIO

import typer

# Where data go while standard output is kept for them alone.
_kept: list[TextIO] = []


def data_stream() -> TextIO:
    """Return the stream to which data are written."""
    return _kept[-1] if _kept else sys.stdout


@contextmanager
def kept_for_data() -> Iterator[None]:
    """Keep standard output for data; what else is printed, by processes that are started too, is for standard error."""
    output = sys.stdout
    output.flush()
    saved = os.dup(1)
    stream = output
    try:
        if _is_descriptor(output, 1):
            stream = os.fdopen(os.dup(saved), "w", encoding=output.encoding, errors="replace")
        _kept.append(stream)
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        with suppress(OSError, ValueError):
            output.flush()  # of who has kept this stream
        _kept.remove(stream)
        os.dup2(saved, 1)
        os.close(saved)
        if stream is not output:
            stream.close()


def _is_descriptor(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except OSError:  # in a notebook, or a test
        return False


def _alone(context: typer.Context, wanted: bool) -> bool:
    if wanted:
        context.with_resource(kept_for_data())
    return wanted


# Eager, since other options run files of functions, which may print.
AsJson = Annotated[bool, typer.Option("--json", callback=_alone, is_eager=True, help="Print data as JSON.")]
