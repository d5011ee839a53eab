"""A Zarr store at a URL, through fsspec."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any
from urllib.parse import quote, unquote

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore

from twinbrain.store.file_systems import file_system
from twinbrain.store.outages import is_missing, is_taken, naming_the_fault

# What a server of http answers of a range that begins where an object has ended.
_BEYOND = 416


class RemoteStore(Store):
    """The store at a URL, whose every failure is a `StoreError` that says what to do.

    It holds its URL alone: in a process that was forked, or that it was sent to, it connects anew.

    Parameters
    ----------
    url : str
        Where it lies.
    read_only : bool
        Whether writes are refused.
    """

    supports_writes = True
    supports_deletes = True
    supports_listing = True

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self._url = url

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        return f"RemoteStore({self._url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteStore) and (self._url, self.read_only) == (other._url, other.read_only)

    __hash__ = None  # type: ignore[assignment]

    def with_read_only(self, read_only: bool = False) -> RemoteStore:
        """Return the same store, read-only or not."""
        return RemoteStore(self._url, read_only=read_only)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return an object, or part of it; None if there is none."""
        with naming_the_fault(self._url):
            try:
                return await self._inner.get(self._escaped(key), prototype, byte_range)
            except OSError as error:
                if is_missing(error):
                    return None
                raise
            except Exception as error:
                if getattr(error, "status", None) == _BEYOND:  # it is shorter, which whoever checks it tells
                    return prototype.buffer.from_bytes(b"")
                raise

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of objects."""
        return await asyncio.gather(*(self.get(key, prototype, byte_range) for key, byte_range in key_ranges))

    async def exists(self, key: str) -> bool:
        """Return whether there is such an object."""
        with naming_the_fault(self._url):
            return await self._inner.exists(self._escaped(key))

    async def getsize(self, key: str) -> int:
        """Return the bytes of an object."""
        with naming_the_fault(self._url):
            return await self._inner.getsize(self._escaped(key))

    async def set(self, key: str, value: Buffer) -> None:
        """Put an object, or replace it, at once as a whole."""
        self._check_writable()
        with naming_the_fault(self._url):
            await self._inner.set(self._escaped(key), value)

    async def delete(self, key: str) -> None:
        """Remove an object, if there is such."""
        await self._remove(key, recursive=False)

    async def delete_dir(self, prefix: str) -> None:
        """Remove all objects below a prefix."""
        await self._remove(prefix, recursive=True)

    async def list(self) -> AsyncIterator[str]:
        """Yield the keys of all objects."""
        for key in await self._sizes(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys of all objects that begin so."""
        for key in await self._sizes(prefix.rpartition("/")[0]):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names of what lies immediately below a prefix."""
        for entry in await self._entries(prefix):
            if entry["name"].rstrip("/") != self._path(prefix):
                yield self._unescaped(entry["name"].rstrip("/").rpartition("/")[2])

    def create(self, key: str, data: bytes) -> bool:
        """Put an object unless there is one, in one step where the service can; return whether it was put."""
        self._check_writable()
        with naming_the_fault(self._url):
            try:
                sync(self._inner.fs._pipe_file(self._path(key), data, mode="create"))
            except OSError as error:
                if is_taken(error):
                    return False
                raise
        return True

    def names(self) -> Sequence[str]:
        """Return the names of what lies immediately below, in their order."""

        async def collect() -> Sequence[str]:
            return sorted([name async for name in self.list_dir("")])

        return sync(collect())

    def is_file(self) -> bool:
        """Return whether the URL is that of an object."""
        entries = sync(self._entries(""))
        return any(entry["name"] == self._path("") and entry["type"] == "file" for entry in entries)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each object, and below each prefix, that lies immediately below."""
        n_bytes: Counter[str] = Counter()
        for key, size in sync(self._sizes("")).items():
            n_bytes[key.split("/")[0]] += size
        return dict(n_bytes)

    @property
    def _inner(self) -> FsspecStore:
        fs, path = file_system(self._url)
        # What counts as a missing object is said here, since fsspec says the same of a missing bucket.
        return FsspecStore(fs, read_only=self.read_only, path=path, allowed_exceptions=())

    @property
    def _is_http(self) -> bool:
        return self._url.startswith(("http://", "https://"))

    def _escaped(self, key: str) -> str:
        """Return a key as it stands in a URL: servers of http unescape it, services with clients of their own do so."""
        return quote(key) if self._is_http else key

    def _unescaped(self, key: str) -> str:
        return unquote(key) if self._is_http else key

    def _path(self, prefix: str) -> str:
        root = self._inner.path.rstrip("/")
        return f"{root}/{self._escaped(prefix)}".rstrip("/")

    async def _entries(self, prefix: str) -> Sequence[dict[str, Any]]:
        with naming_the_fault(self._url):
            try:
                found: Sequence[dict[str, Any]] = await self._inner.fs._ls(self._path(prefix), detail=True)
                return found
            except OSError as error:
                if is_missing(error):
                    return []
                raise

    async def _sizes(self, prefix: str) -> dict[str, int]:
        root = self._path("")
        with naming_the_fault(self._url):
            try:
                found = await self._inner.fs._find(self._path(prefix), detail=True)
            except OSError as error:
                if is_missing(error):
                    return {}
                raise
        return {
            self._unescaped(name.removeprefix(f"{root}/")): int(entry["size"] or 0)
            for name, entry in found.items()
            if name.startswith(f"{root}/")
        }

    async def _remove(self, key: str, *, recursive: bool) -> None:
        self._check_writable()
        with naming_the_fault(self._url):
            try:
                await self._inner.fs._rm(self._path(key), recursive=recursive)
            except OSError as error:
                if not is_missing(error):
                    raise
