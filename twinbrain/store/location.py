"""Where a store lies: a path of this machine, or a URL such as ``s3://bucket/rest.zarr``."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from zarr.abc.store import ByteRequest, RangeByteRequest, Store
from zarr.buffer import cpu, default_buffer_prototype
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync
from zarr.storage import LocalStore

from twinbrain.errors import StoreError
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.files.regular import oddity
from twinbrain.store.place import place_of
from twinbrain.store.remote import RemoteStore

# What interrupted writes leave: ours and those of zarr are named so, and nothing of a person's own.
_LEFT = re.compile(r"(.*\.)?[0-9a-f]{32}\.partial|writable\.partial", re.DOTALL)
LIKE_A_CLAIM = re.compile(r"writer-.*\.claim", re.DOTALL)
"""Names of what says who writes a store; see `twinbrain.store.claim`."""
LARGEST_OBJECT = LARGEST_ARCHIVE
"""Bytes beyond which no object is read whose size is not bounded otherwise; declarations may hold large arrays."""


@dataclass(frozen=True)
class Location:
    """A place for a store; nothing but the path or URL, so it can be sent to other processes.

    What a URL needs besides (credentials, endpoint) each process takes from its environment and configuration.

    Parameters
    ----------
    place : Path or str
        A path of this machine, or a URL; `of` makes it from what a user gives.
    durable : bool
        Whether what is written to a path is flushed to the disk at once; see `twinbrain.store.durable.durable`.
    """

    place: Path | str
    durable: bool = False

    @classmethod
    def of(cls, path: str | os.PathLike[str] | Location) -> Location:
        """Return the location that a path or URL names.

        Parameters
        ----------
        path : str, path or Location
            A path of this machine, or a URL.

        Raises
        ------
        StoreError
            If it is a path or URL that no store can lie at.
        """
        if isinstance(path, Location):
            return path
        return cls(place_of(path))

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine."""
        return isinstance(self.place, Path)

    @property
    def path(self) -> Path:
        """The path, of a location on this machine."""
        if isinstance(self.place, str):
            raise StoreError(f"expected a path of this machine, found a URL: {self}; name a folder")
        return self.place

    @property
    def parent(self) -> Location:
        """The location that this one lies in."""
        if isinstance(self.place, Path):
            return replace(self, place=self.place.parent)
        return replace(self, place=self.place.rpartition("/")[0])

    @property
    def name(self) -> str:
        """The last part of the path or URL."""
        return PurePosixPath(self.place).name

    def __str__(self) -> str:
        return str(self.place)

    def store(self, *, read_only: bool = False) -> Store:
        """Return the Zarr store here; each object of it is replaced atomically."""
        if isinstance(self.place, Path):
            # Absolute, since arrays that are read later may be read elsewhere: by workers with other working folders.
            from twinbrain.store.durable import DurableStore

            kind = DurableStore if self.durable else LocalStore
            return kind(self.place.absolute(), read_only=read_only)
        return RemoteStore(self.place, read_only=read_only)

    def absolute(self) -> Location:
        """Return the same place for processes with another working folder."""
        return replace(self, place=self.place.absolute()) if isinstance(self.place, Path) else self

    def resolved(self) -> Location:
        """Return the same place by the one name that it has without links and ``..``."""
        return replace(self, place=self.place.resolve()) if isinstance(self.place, Path) else self

    def child(self, name: str) -> Location:
        """Return the location ``name`` below this one."""
        return replace(self, place=self.place / name if isinstance(self.place, Path) else f"{self.place}/{name}")

    def exists(self) -> bool:
        """Return whether anything is here."""
        return self.path.exists() if self.is_local else bool(self.names()) or self.is_file()

    def is_file(self) -> bool:
        """Return whether a file or object is here, rather than a folder."""
        if isinstance(self.place, Path):
            return self.place.exists() and not self.place.is_dir()
        return RemoteStore(self.place, read_only=True).is_file()

    def names(self) -> list[str]:
        """Return the names of what lies immediately below, in their order; none if nothing is here."""
        if isinstance(self.place, str):
            return list(RemoteStore(self.place, read_only=True).names())
        return sorted(entry.name for entry in self.place.iterdir()) if self.place.is_dir() else []

    def is_free(self) -> bool:
        """Return whether nothing lies below but what interrupted writes left, and claims."""
        return all(_LEFT.fullmatch(name) or LIKE_A_CLAIM.fullmatch(name) for name in self.names())

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file, and below each folder, that lies immediately below."""
        if isinstance(self.place, str):
            return RemoteStore(self.place, read_only=True).sizes()
        n_bytes: Counter[str] = Counter()
        for parent, _, files in os.walk(self.place):
            inner = Path(parent).relative_to(self.place).parts
            for file in files:
                with suppress(OSError):  # a temporary file of a store that is being written, a link to itself
                    n_bytes[inner[0] if inner else file] += os.path.getsize(os.path.join(parent, file))
        return dict(n_bytes)

    def size(self) -> int:
        """Return the bytes of all that lies below."""
        return sum(self.sizes().values())

    def oddity(self, key: str, limit: int, store: Store | None = None) -> str:
        """Return why a file is not to be read: it is no regular one, or has more than ``limit`` bytes.

        An empty text, if nothing of the kind is there, and of URLs, at which there are neither devices nor pipes. The
        folder is that of ``store``, if one is given: the working folder may be another since it was made.
        """
        if isinstance(self.place, Path):
            # What cannot be asked cannot be read either, which is told then; a folder is no object.
            with suppress(OSError):
                status = os.stat((store.root if isinstance(store, LocalStore) else self.place) / key)
                if stat.S_ISDIR(status.st_mode):
                    return ""
                return oddity(status) or (f"one of {status.st_size} bytes" if status.st_size > limit else "")
        return ""

    def read(self, key: str, limit: int = LARGEST_OBJECT) -> bytes | None:
        """Return the object ``key``, or None if there is none.

        Raises
        ------
        StoreError
            If it is no regular file, or one of more than ``limit`` bytes.
        """
        if isinstance(self.place, Path) and not self.place.is_dir():
            return None
        found = sync(self.fetch(self.store(read_only=True), key, limit))
        return None if found is None else found.to_bytes()

    async def fetch(
        self,
        store: Store,
        key: str,
        limit: int = LARGEST_OBJECT,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
        refuse: Callable[[str, str], StoreError] | None = None,
    ) -> Buffer | None:
        """Return an object or a part of it, None if there is none, once it is known to be no more than it may be.

        Parameters
        ----------
        store : Store
            The store here.
        key : str
            The object.
        limit : int (bytes)
            How large it may be.
        prototype : BufferPrototype, optional
            What it is returned as.
        byte_range : ByteRequest, optional
            The part.
        refuse : callable, optional
            Given what was expected and what was found, returns the error.

        Raises
        ------
        StoreError
            If it is no regular file, or one of more than ``limit`` bytes, or cannot be read.
        """
        odd, found = self.oddity(key, limit, store), None
        if not odd:
            # At a URL nobody has said how large it is: no more than one byte too many is asked for.
            bounded = RangeByteRequest(0, limit + 1) if byte_range is None and not self.is_local else byte_range
            try:
                found = await store.get(key, prototype or default_buffer_prototype(), bounded)
            except FileNotFoundError:
                # The folder itself went meanwhile: claims of a store that was never made take it with them.
                if not self.is_local:
                    raise
            except OSError as error:
                if not self.is_local:
                    raise
                raise StoreError(
                    f"{self}/{key}: expected a file that can be read, found {error.strerror or error}; check who may "
                    "read it, and the disk"
                ) from error
            if found is not None and len(found) > limit:
                odd = f"one of more than {limit} bytes"
        if odd:
            raise (refuse or self._refusal(key))(f"a regular file of at most {limit} bytes", odd)
        return found

    def _refusal(self, key: str) -> Callable[[str, str], StoreError]:
        return lambda expected, found: StoreError(
            f"{self}/{key}: expected {expected}, found {found}; put it back from a copy, or remove it"
        )

    def write(self, key: str, data: bytes) -> None:
        """Put an object at ``key``, or replace it, atomically."""
        sync(self.store().set(key, cpu.Buffer.from_bytes(data)))

    def create(self, key: str, data: bytes) -> bool:
        """Put an object at ``key`` unless there is one, in one step; return whether it was put."""
        if isinstance(self.place, str):
            return RemoteStore(self.place).create(key, data)
        self.place.mkdir(parents=True, exist_ok=True)
        try:
            with open(self.place / key, "xb") as file:
                file.write(data)
        except FileExistsError:
            return False
        except OSError:
            (self.place / key).unlink(missing_ok=True)
            raise
        return True

    def delete(self, key: str) -> None:
        """Remove the object ``key``, if there is one."""
        if isinstance(self.place, Path):
            (self.place / key).unlink(missing_ok=True)
        else:
            sync(self.store().delete(key))

    def clear(self, names: Iterable[str]) -> None:
        """Remove those of the names that lie immediately below, and all that lies below them; nothing else."""
        for name in {*names}.intersection(self.names()):
            self.child(name).remove()

    def remove(self) -> None:
        """Remove all that lies here, if anything does."""
        if isinstance(self.place, str):
            sync(self.store().delete_dir(""))
        elif self.is_file() or self.place.is_symlink():
            self.place.unlink()  # of a link, never what it points to
        elif self.place.is_dir():
            shutil.rmtree(self.place)

    def check_writable(self) -> None:
        """Try to write here, and leave nothing: to the URL, or to the nearest folder of the path that is there.

        Raises
        ------
        OSError
            If nothing can be written.
        """
        if isinstance(self.place, str):
            self.write("writable.partial", b"")
            sync(self.store().delete("writable.partial"))
            return
        nearest = next(place for place in (self.place, *self.place.absolute().parents) if place.exists())
        tempfile.TemporaryFile(dir=nearest).close()

    def refuse_links(self) -> None:
        """Make sure that all that lies below is here, and nothing elsewhere is written or removed through a link.

        Raises
        ------
        StoreError
            If a symbolic link lies below; the place itself may be one.
        """
        if not isinstance(self.place, Path):
            return
        for parent, folders, files in os.walk(self.place):
            for name in (*folders, *files):
                self.refuse_link(os.path.relpath(os.path.join(parent, name), self.place))

    def refuse_link(self, key: str) -> None:
        """Make sure that a file or folder below is no symbolic link; see `refuse_links`."""
        if isinstance(self.place, Path) and os.path.islink(link := self.place / key):
            raise StoreError(
                f"expected files and folders alone in {self}, found a symbolic link: {link} -> "
                f"{os.readlink(link)}; nothing is written through it: put in its place what it points to"
            )

    def clean(self) -> None:
        """Remove what interrupted writes left behind; there is such a thing on this machine alone.

        Raises
        ------
        StoreError
            If a symbolic link lies below.
        """
        if isinstance(self.place, Path):
            self.refuse_links()
            for stale in self.place.rglob("*.partial"):
                if _LEFT.fullmatch(stale.name) and not stale.is_dir():  # writes leave files alone
                    stale.unlink()
