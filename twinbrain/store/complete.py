"""Which of many stores say that they are complete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zarr.core.sync import sync

from twinbrain.store.location import Location
from twinbrain.store.root import KEY

# Root documents that are read at a time.
_AT_A_TIME = 64


def are_complete(location: Location, names: Sequence[str]) -> list[bool]:
    """Return which of the runs and trainings below a location are there and say that they are complete.

    Parameters
    ----------
    location : Location
        What they lie in.
    names : sequence of str
        Their names.
    """
    store = location.store(read_only=True)

    async def is_complete(name: str) -> bool:
        found = await location.fetch(store, f"{name}/{KEY}")
        # Not parsed, since there may be thousands; in the texts among its attributes quotes are escaped.
        return found is not None and b'"status": "complete"' in found.to_bytes()

    async def of_some(some: Sequence[str]) -> list[bool]:
        return list(await asyncio.gather(*map(is_complete, some)))

    parts = (sync(of_some(names[first : first + _AT_A_TIME])) for first in range(0, len(names), _AT_A_TIME))
    return [one for part in parts for one in part]
