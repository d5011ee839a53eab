"""Texts of figures, which come from runs: drawn as they are, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from twinbrain.language.tokens import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

P = ParamSpec("P")
Drawn = TypeVar("Drawn", bound="Axes | Figure")


def plain_texts(draw: Callable[P, Drawn]) -> Callable[P, Drawn]:
    """Let a function that draws leave no text that matplotlib would take for mathematics, or has no glyph for.

    A name such as ``"$x$"`` would be set as a formula, and one that is no formula would end in an error when the figure
    is drawn. Texts that were on given axes before stay as they are.
    """

    @wraps(draw)
    def plain(*args: P.args, **kwargs: P.kwargs) -> Drawn:
        given = kwargs.get("ax")
        before = {} if given is None else {text: text.get_text() for text in _texts(given)}  # type: ignore[arg-type]
        drawn = draw(*args, **kwargs)
        for text in _texts(drawn):
            if before.get(text) != text.get_text():
                text.set_parse_math(False)
                text.set_text(_printed(text.get_text()))
        return drawn

    return plain


def _texts(drawn: Axes | Figure) -> list[Text]:
    """Return all texts but the numbers that matplotlib writes at ticks, some of which it sets as formulas."""
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter, LogFormatter, ScalarFormatter

    numbers: set[object] = set()
    for ax in drawn.findobj(Axes):
        for axis in (ax.xaxis, ax.yaxis):
            write = axis.get_major_formatter()
            if isinstance(write, LogFormatter | ScalarFormatter):
                numbers |= set(axis.findobj(Text)) - {axis.label}
            elif isinstance(write, FuncFormatter):  # which holds the names, and writes them anew each time
                write.func = partial(_written, write.func)
    return [text for text in drawn.findobj(Text) if isinstance(text, Text) and text not in numbers]


def _written(write: Callable[[float, int | None], str], value: float, place: int | None = None) -> str:
    return _printed(write(value, place))


def _printed(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
