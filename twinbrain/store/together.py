"""Writes at the same time, of objects that were composed in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from zarr.abc.store import Store
from zarr.core.buffer import Buffer


async def together(writes: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Await all; when one fails, its error is raised once none is under way any more."""
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def put_groups(store: Store, paths: Iterable[str], objects: Mapping[str, Buffer]) -> None:
    """Write groups that were composed in memory, and remove nothing: what they do not name, no root document shows.

    Else one that was suspended, and wakes when another process has taken over, could remove what that one writes.

    Parameters
    ----------
    store : Store
        Where to.
    paths : iterable of str
        The groups.
    objects : mapping of str to Buffer
        All objects of them, by their keys; others are left out.
    """
    prefixes = tuple(f"{path}/" for path in paths)
    await together(store.set(key, value) for key, value in objects.items() if key.startswith(prefixes))


async def replace_groups(store: Store, paths: Iterable[str], objects: Mapping[str, Buffer]) -> None:
    """Put groups that were composed in memory in place of what is there; nothing is asked of that.

    Parameters
    ----------
    store : Store
        Where to.
    paths : iterable of str
        The groups.
    objects : mapping of str to Buffer
        All objects of them, by their keys; others are left out.
    """
    paths = list(paths)
    await together(store.delete_dir(path) for path in paths)
    await put_groups(store, paths, objects)
