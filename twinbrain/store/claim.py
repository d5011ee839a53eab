"""Who writes a store: one process at a time, in stores of every kind.

A claim is a small file in the store, ``writer-<number>.claim``, that can be created by one process alone. It holds as
long as its process lives; of a process that cannot be seen from here, as long as it was renewed within `LEASE`. Who
takes over creates the next number, so that of two who do one fails, and removes the one before, so that whoever was
taken over finds its own gone.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from twinbrain.errors import StoreError
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.location import LIKE_A_CLAIM, Location
from twinbrain.store.process import Process
from twinbrain.store.root import kind_of

LEASE = 120.0
"""Seconds without a sign of life after which a process on another machine counts as dead."""
RENEWAL = 20.0
"""Seconds between signs of life."""
# What a clock of another machine may be ahead.
_AHEAD = 60.0
# Seconds between looks at a point that another worker still writes, and how tokens of such begin.
_LOOK_AGAIN, _OF_A_SWEEP = 0.5, "point-"
# Far more than a claim has.
_LARGEST, _LONGEST_NAME, _LARGEST_NUMBER = 4096, 100, 2**31
_LONGEST_PLACE = 1000
_NAME = re.compile(r"writer-([1-9][0-9]{0,7})\.claim")

# With the process that holds each: one that is forked from it holds none of them.
_held: ContextVar[tuple[tuple[int, Claim], ...]] = ContextVar("_held", default=())
# Tokens of this process that have not been given back; a place that cannot be reached may keep one that has.
_living: set[str] = set()


@dataclass(frozen=True)
class Claim:
    """The right to write a store; it can be sent to processes that write for the one that holds it.

    Parameters
    ----------
    location : Location
        The store, and all that lies below it.
    number : int
        The higher one counts.
    token : str
        Tells it from any other.
    what : str
        What is kept there: a run, a sweep, a training.
    outer : Claim, optional
        That of the sweep which keeps it: without that, it does not hold either.
    """

    location: Location
    number: int
    token: str
    what: str
    outer: Claim | None = None

    def check(self) -> None:
        """Make sure that it still holds.

        Raises
        ------
        StoreError
            If another process has taken over, or the store is gone.
        """
        if self.outer is not None:
            self.outer.check()
        found = _read(self.location, self.number)
        if found is not None and found.token == self.token:
            return
        numbers = _numbers(self.location)
        by = _read(self.location, max(numbers)) if numbers else None
        raise StoreError(
            f"expected to be alone in writing the {self.what} {self.location}, found that "
            f"{'it is gone' if by is None else f'{by.process} has taken it over at {by.since}'}; nothing more is "
            "written from here: let that one go on, or stop it and resume"
        )

    def covers(self, location: Location) -> bool:
        """Return whether a location is the claim's, or lies below it."""
        own, other = str(self.location.resolved()), str(location.resolved())
        return other == own or other.startswith(f"{own}/")


@dataclass(frozen=True)
class _Entry:
    """What a claim's file says."""

    process: Process
    token: str
    since: str
    renewed: float
    place: str = ""

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    def is_stale(self) -> bool:
        if self.process == Process.this():
            return self.token not in _living
        if self.process.is_seen and (lives := self.process.lives) is not None:
            return not lives
        now = time.time()
        return not now - LEASE <= self.renewed <= now + _AHEAD


class _HeldError(StoreError):
    """Says that another process writes a store."""

    for_a_sweep = False


@contextmanager
def claimed(location: Location, what: str, committed: float | str | None = None) -> Iterator[Claim]:
    """Claim a store for the time of the context; in a claimed store, and below it, that claim is taken.

    Parameters
    ----------
    location : Location
        Where the store lies, or will lie.
    what : str
        What is kept there: a run, a sweep, a training.
    committed : float (ms) or str, optional
        What is safe if nothing can be written; see `saying_what_is_safe`.

    Raises
    ------
    StoreError
        If another process writes it, a symbolic link lies in it, or nothing can be written there.
    """
    if (outer := held(location)) is not None:
        outer.check()
        yield outer
        return
    location = location.absolute()
    with saying_what_is_safe(location, committed, what):
        if location.is_local and kind_of(location) is not None:
            location.refuse_links()
        missing = _missing_folders(location)
        _refuse_within_a_sweep(location)
        claim, entry = _acquire(location, what)
    with _kept_up(claim, entry, missing):
        yield claim


@contextmanager
def claimed_in_sweep(location: Location, what: str) -> Iterator[Claim]:
    """Claim a run or a training that a sweep keeps, beside the claim of the sweep, for the time of the context.

    A worker that leaves, or is taken for lost, may still be at a point that another was given: of two, the second waits
    until the first has ended or is dead, and finds what that has written.

    Raises
    ------
    StoreError
        If a process writes it that does not work for a sweep, the sweep is claimed by another process meanwhile, or
        nothing can be written.
    """
    outer = held(location)
    missing = _missing_folders(location)[:1]  # those around it are shared with workers at other points
    with saying_what_is_safe(location, "what is done", what):
        while True:
            if outer is not None:
                outer.check()
            try:
                claim, entry = _acquire(location, what, outer, _OF_A_SWEEP)
                break
            except _HeldError as error:
                if not error.for_a_sweep:
                    raise
                time.sleep(_LOOK_AGAIN)
    with _kept_up(claim, entry, missing):
        yield claim


@contextmanager
def _kept_up(claim: Claim, entry: _Entry, missing: list[Path]) -> Iterator[None]:
    stop = threading.Event()
    renewing = threading.Thread(target=_renew_until, args=(stop, claim, entry), name="claim", daemon=True)
    renewing.start()
    try:
        with under(claim):
            yield
    finally:
        if entry.process.number == os.getpid():  # a fork that leaves the context releases nothing
            stop.set()
            renewing.join()
            _release(claim, missing)


@contextmanager
def under(claim: Claim) -> Iterator[None]:
    """Write for the process that holds a claim."""
    before = _held.set((*_held.get(), (os.getpid(), claim)))
    try:
        yield
    finally:
        _held.reset(before)


def held(location: Location) -> Claim | None:
    """Return the claim under which this context writes a location, if any."""
    here = (claim for process, claim in reversed(_held.get()) if process == os.getpid())
    return next((claim for claim in here if claim.covers(location)), None)


def check_unclaimed(location: Location, what: str) -> None:
    """Raise a `StoreError` if a process writes the store at ``location``."""
    for number in _numbers(location):
        entry = _read(location, number)
        if entry is not None and not entry.is_stale():
            raise _refusal(location, what, entry)


def _acquire(location: Location, what: str, outer: Claim | None = None, kind: str = "") -> tuple[Claim, _Entry]:
    while True:
        check_unclaimed(location, what)
        before = _numbers(location)
        number, now = max(before, default=0) + 1, datetime.now(UTC)
        if not _NAME.fullmatch(_name(number)):
            raise StoreError(
                f"{location}: expected a number that others follow, found {_name(number - 1)}; if no process writes "
                "here, remove it"
            )
        since, place = f"{now:%Y-%m-%d %H:%M:%S} UTC", _place(location)
        entry = _Entry(Process.this(), kind + uuid4().hex, since, now.timestamp(), place)
        _living.add(entry.token)
        if not location.create(_name(number), entry.encode()):
            _living.discard(entry.token)
            continue  # someone was faster: who is it?
        claim = Claim(location, number, entry.token, what, outer)
        try:
            # Someone may have begun anew while the stale claim was read here.
            others = [_read(location, other) for other in _numbers(location) if other != number]
            for other in others:
                if other is not None and not other.is_stale():
                    raise _refusal(location, what, other)
            for stale in before:
                location.delete(_name(stale))
        except BaseException:
            _living.discard(entry.token)
            location.delete(_name(number))
            raise
        return claim, entry


def _refuse_within_a_sweep(location: Location) -> None:
    """Raise a `StoreError` if a location is that of a run which a sweep keeps, and the sweep is being driven."""
    runs = location.resolved().parent
    if runs.name == "runs" and runs.parent.name:
        check_unclaimed(runs.parent, "sweep")


def _place(location: Location) -> str:
    """Return where a store lies, for those who find its claim elsewhere; nothing, where that takes too much room."""
    place = str(location.resolved())
    # A letter of another script takes up to twelve of those of JSON.
    return place if len(json.dumps(place)) <= _LONGEST_PLACE else ""


def _refusal(location: Location, what: str, entry: _Entry) -> _HeldError:
    if entry.place and entry.place != _place(location):
        return _HeldError(
            f"expected to be alone in writing the {what} {location}, found the claim of {entry.process}, which writes "
            f"{_shown(entry.place, _LONGEST_PLACE)} since {entry.since}; if this is a copy of that, remove "
            f"{_name('*')} from the copy, else wait until it has ended, or name another path"
        )
    remedy = f"wait until it has ended, or stop it (kill {entry.process.number})"
    if not entry.process.is_seen or entry.process.lives is None:
        until = datetime.fromtimestamp(entry.renewed + LEASE, UTC)
        remedy = f"wait until it has ended; if it is dead, its claim ends at {until:%Y-%m-%d %H:%M:%S} UTC"
    error = _HeldError(
        f"expected to be alone in writing the {what} {location}, found that {entry.process} has been writing it since "
        f"{entry.since}; {remedy}, or name another path"
    )
    error.for_a_sweep = entry.token.startswith(_OF_A_SWEEP)
    return error


def _renew_until(stop: threading.Event, claim: Claim, entry: _Entry) -> None:
    while not stop.wait(RENEWAL):
        # Whether it still holds is asked by who writes; a place that cannot be reached now may be reached later.
        with suppress(StoreError, OSError):
            claim.check()
            _renew(claim, entry)


def _renew(claim: Claim, entry: _Entry) -> None:
    location, name = claim.location, _name(claim.number)
    if location.is_local:
        os.utime(location.path / name)
        return
    location.write(name, replace(entry, renewed=time.time()).encode())
    if max(_numbers(location), default=claim.number) > claim.number:  # taken over while this was written
        location.delete(name)


def _release(claim: Claim, missing: list[Path]) -> None:
    _living.discard(claim.token)
    # What cannot be removed now is stale all the same.
    with suppress(StoreError, OSError):
        found = _read(claim.location, claim.number)
        if found is not None and found.token == claim.token:
            claim.location.delete(_name(claim.number))
        for folder in missing:  # empty ones alone can be removed
            folder.rmdir()


def _missing_folders(location: Location) -> list[Path]:
    """Return the folders that a claim would make, the innermost first."""
    if not location.is_local:
        return []
    return [folder for folder in (location.path, *location.path.parents) if not folder.exists()]


def _name(number: int | str) -> str:
    return f"writer-{number}.claim"


def _numbers(location: Location) -> list[int]:
    """Return the numbers of all claims; one of a number that none of ours reaches would hide those that follow."""
    named = [name for name in location.names() if LIKE_A_CLAIM.fullmatch(name)]
    for name in named:
        if not _NAME.fullmatch(name):
            raise StoreError(
                f"{location}: expected claims such as {_name(1)}, found {_shown(name)}; if no process writes here, "
                "remove it"
            )
    return sorted(int(found[1]) for name in named if (found := _NAME.fullmatch(name)))


def _read(location: Location, number: int) -> _Entry | None:
    """Return a claim, or None if it is gone."""
    data = location.read(_name(number), _LARGEST)
    if data is None:
        if location.is_local and (folder := location.path / _name(number)).is_dir():
            raise StoreError(f"expected a claim as a file, found a folder: {folder}; remove it")
        return None
    try:
        entry = _entry(json.loads(data))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        # One that is being written, or that was not written to its end.
        entry = _Entry(Process("a machine unknown", "", 0, 0.0), "", "a moment ago", 0.0)
    if location.is_local:
        with suppress(OSError):
            modified = os.stat(location.path / _name(number)).st_mtime
            return replace(entry, renewed=modified)
    return entry


def _entry(fields: dict[str, Any]) -> _Entry:
    process = fields["process"]
    number = process["number"]
    if type(number) is not int or not 0 < number < _LARGEST_NUMBER:
        raise ValueError(f"expected the number of a process, found {number!r}")
    writer = Process(_shown(process["host"]), str(process["machine"]), number, float(process["started"]))
    since, place = _shown(fields["since"]), str(fields.get("place", ""))
    return _Entry(writer, str(fields["token"]), since, float(fields["renewed"]), place)


def _shown(text: object, longest: int = _LONGEST_NAME) -> str:
    """Return a text of someone else as it may stand in a message."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text)[:longest])
