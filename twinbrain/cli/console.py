"""Where all that is printed goes through: names and messages come from files, and must not steer the terminal."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import typer
from rich import console
from rich.segment import Segment
from rich.text import Text

from twinbrain.cli.data import data_stream

# Control characters but tab and line feed, and those that turn the direction of writing.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""Return a text in which characters that would steer a terminal are written out.

    Examples
    --------
    >>> visible("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str, *, err: bool = False) -> None:
    """Print a line."""
    typer.echo(visible(text), err=err)


def say_json(data: Any) -> None:
    """Print data as JSON, which knows no NaN and no infinities: what is no finite number is null."""
    typer.echo(json.dumps(_finite(data), allow_nan=False), file=data_stream())


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


class Console(console.Console):
    """A console of rich that takes every text as it is: no markup, no emoji, and nothing that steers the terminal.

    Parameters
    ----------
    **options
        Those of `rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Return what a text looks like, before its width is measured."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """Yield the pieces of what is printed; what rich itself sends the terminal is kept."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
