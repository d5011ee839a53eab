"""Which creation and which commit a store is of, so that whoever has opened it notices when that has changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4
from weakref import WeakKeyDictionary

from twinbrain.errors import StoreError

CREATED = "created"
"""Attribute that names the creation of a store; whoever goes on with it leaves it."""
HEAD = 256
"""Bytes of a root document among which it is."""
# As `Root.encode` begins. Stores of before have none there, and are all alike.
_NAMED = re.compile(rb'"attributes": \{"checksum": "\w{64}", "created": "(\w+)"')
_COMMITTED = re.compile(rb'"attributes": \{"checksum": "(\w{64})"')


class GoneOnError(StoreError):
    """What was to be read is written anew by each commit, and the store has gone on since it was opened."""


def new_creation() -> str:
    """Return a name that no other creation has."""
    return uuid4().hex


def creation_of(document: bytes) -> bytes:
    """Return the name of the creation that a root document, or its first `HEAD` bytes, is of; empty if it has none."""
    found = _NAMED.search(document, 0, HEAD)
    return b"" if found is None else found[1]


def commit_of(document: bytes) -> bytes:
    """Return the checksum of a root document, of which its first `HEAD` bytes are enough; empty if it has none."""
    found = _COMMITTED.search(document, 0, HEAD)
    return b"" if found is None else found[1]


@dataclass
class _Asked:
    """How often was asked in an event loop: begun, and the last of these by which all was as it should be.

    ``has_gone_on`` says whether another commit was found by that.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: int = 0
    confirmed: int = 0
    has_gone_on: bool = False


class Watched:
    """A store that has to stay the one that was opened.

    It is asked after objects are read: who replaces a store begins with its root document. Objects that are read at the
    same time share a question, so that few are asked.

    Parameters
    ----------
    what : str
        What is kept there, and where.
    document : bytes
        The root document that was opened.
    read_head : callable
        Returns the first `HEAD` bytes of the one that is there now, None if there is none.
    """

    def __init__(self, what: str, document: bytes, read_head: Callable[[], Awaitable[bytes | None]]) -> None:
        self._what, self._read_head = what, read_head
        self._creation, self._commit = creation_of(document), commit_of(document)
        self._asked: WeakKeyDictionary[asyncio.AbstractEventLoop, _Asked] = WeakKeyDictionary()

    async def confirm(self, *, as_committed: bool = False) -> None:
        """Make sure that all that was read until now is of the store that was opened.

        Parameters
        ----------
        as_committed : bool
            Whether nothing may have been committed since, as for what commits write anew.

        Raises
        ------
        StoreError
            If another creation has taken its place, or it is gone; a `GoneOnError`, if it is of a later commit.
        """
        asked = self._asked.setdefault(asyncio.get_running_loop(), _Asked())
        earlier = asked.begun
        async with asked.lock:
            if asked.confirmed <= earlier:  # nobody asked after this was read
                asked.begun = number = asked.begun + 1
                head = await self._read_head()
                if head is None or creation_of(head) != self._creation:
                    found = "it gone" if head is None else "another that has taken its place"
                    raise StoreError(f"expected the {self._what} as it was opened, found {found}; open it anew")
                asked.confirmed, asked.has_gone_on = number, commit_of(head) != self._commit
            if as_committed and asked.has_gone_on:
                raise GoneOnError(
                    f"expected the checkpoint of the {self._what} as it was opened, found that it has gone on since, "
                    "and writes its checkpoints anew; open it anew, or load its other groups alone"
                )
