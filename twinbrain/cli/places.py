"""Say of what file a fault is that shows only when the file is put to use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twinbrain.errors import ConnectomeError, EngineError, LearnError, PlanError, SpecError


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
