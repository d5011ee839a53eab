"""Where things are: the place of a new store, and of what file a fault is that shows only when it is put to use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from twinbrain.errors import ConnectomeError, EngineError, LearnError, PlanError, Problem, SpecError

if TYPE_CHECKING:
    from twinbrain.store import Location


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Put ``place``, a file or the name of one, before what errors say.

    Errors of a store name it themselves.
    """
    try:
        yield
    except SpecError as error:
        raise error.within(place) from None
    except (ConnectomeError, EngineError, LearnError, PlanError) as error:
        raise type(error)(f"{place}: {error}") from None


def place_of(out: str | None, name: str, *, durable: bool = False) -> Location:
    """Return where a command keeps what it makes: ``out``, or ``runs/<name>.zarr`` where that is not given.

    Raises
    ------
    SpecError
        If nothing would be left there when the command has ended, or it has no name for what is put beside it.
    """
    from twinbrain.store import Location

    place = Location.of(f"runs/{name}.zarr" if out is None else out)
    if str(place).startswith("memory://"):
        raise SpecError(
            [Problem("--out", f"expected a place that outlives the command, found {out}; name a path or another URL")]
        )
    if place.name in ("", ".."):
        raise SpecError([Problem("--out", f"expected a path with a name, found {out}; name a folder that may be made")])
    return replace(place, durable=durable)
