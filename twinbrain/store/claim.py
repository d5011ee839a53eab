"""Who writes a store: one process at a time, in stores of every kind.

A claim is a small file in the store, ``writer-<number>.claim``, that can be created by one process alone. It holds as
long as its process lives; of a process that cannot be seen from here, as long as it was renewed within `LEASE`. Who
takes over creates the next number, so that of two who do one fails, and removes the one before, so that whoever was
taken over finds its own gone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeVar, cast
from uuid import uuid4

from twinbrain.errors import StoreError
from twinbrain.store.claim_file import (
    LEASE,
    LONGEST_PLACE,
    RENEWAL,
    ClaimEntry,
    claim_name,
    claim_numbers,
    is_claim_name,
    living_tokens,
    place_of,
    read_claim,
    shown,
)
from twinbrain.store.failures import saying_what_is_safe
from twinbrain.store.location import Location
from twinbrain.store.process import Process
from twinbrain.store.root import kind_of

# Seconds between looks at a point that another worker still writes, and how tokens of such begin.
_LOOK_AGAIN, _OF_A_SWEEP = 0.5, "point-"
# Seconds, at most, before one of two that began at once tries again.
_STEP_BACK = 0.05
# With the process that holds each: one that is forked from it holds none of them.
_held: ContextVar[tuple[tuple[int, Claim], ...]] = ContextVar("_held", default=())

T = TypeVar("T")


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
        found = read_claim(self.location, self.number)
        if found is not None and found.token == self.token:
            return
        numbers = claim_numbers(self.location)
        by = read_claim(self.location, max(numbers)) if numbers else None
        raise StoreError(
            f"expected to be alone in writing the {self.what} {self.location}, found that "
            f"{'it is gone' if by is None else f'{by.process} has taken it over at {by.since}'}; nothing more is "
            "written from here: let that one go on, or stop it and resume"
        )

    def covers(self, location: Location) -> bool:
        """Return whether a location is the claim's, or lies below it."""
        own, other = str(self.location.resolved()), str(location.resolved())
        return other == own or other.startswith(f"{own}/")


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
def _kept_up(claim: Claim, entry: ClaimEntry, missing: list[Path]) -> Iterator[None]:
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


def apart(progress: T) -> T:
    """Return what a user gives to be told of progress; a function of theirs that writes does so under no claim of ours.

    Else a store that is being written could be written by what the function calls, as if it were a part of that.
    """
    if not callable(progress):
        return progress

    def told(*args: Any) -> None:
        before = _held.set(())
        try:
            progress(*args)
        finally:
            _held.reset(before)

    return cast(T, told)


def held(location: Location) -> Claim | None:
    """Return the claim under which this context writes a location, if any."""
    here = (claim for process, claim in reversed(_held.get()) if process == os.getpid())
    return next((claim for claim in here if claim.covers(location)), None)


def check_held(location: Location) -> None:
    """Make sure that the claim under which this context writes a location, if any, still holds.

    Asked anew directly before each step that others would see: who writes may have been suspended meanwhile.

    Raises
    ------
    StoreError
        If another process has taken over, or the store is gone.
    """
    if (claim := held(location)) is not None:
        claim.check()


def check_unclaimed(location: Location, what: str) -> None:
    """Raise a `StoreError` if a process writes the store at ``location``."""
    for number in claim_numbers(location):
        entry = read_claim(location, number)
        if entry is not None and not entry.is_stale():
            raise _refusal(location, what, entry)


def _acquire(location: Location, what: str, outer: Claim | None = None, kind: str = "") -> tuple[Claim, ClaimEntry]:
    while True:
        check_unclaimed(location, what)
        before = claim_numbers(location)
        number, now = max(before, default=0) + 1, datetime.now(UTC)
        if not is_claim_name(claim_name(number)):
            raise StoreError(
                f"{location}: expected a number that others follow, found {claim_name(number - 1)}; if no process "
                "writes here, remove it"
            )
        since, place = f"{now:%Y-%m-%d %H:%M:%S} UTC", place_of(location)
        entry = ClaimEntry(Process.this(), kind + uuid4().hex, since, now.timestamp(), place)
        living_tokens.add(entry.token)
        if not location.create(claim_name(number), entry.encode()):
            living_tokens.discard(entry.token)
            continue  # someone was faster: who is it?
        claim = Claim(location, number, entry.token, what, outer)
        try:
            # Someone may have begun anew while the stale claim was read here.
            others = [read_claim(location, other) for other in claim_numbers(location) if other != number]
            alone = all(other is None or other.is_stale() for other in others)
            for stale in before if alone else []:
                location.delete(claim_name(stale))
        except BaseException:
            _take_back(claim)
            raise
        if alone:
            return claim, entry
        # Of two that began at once neither knows whether the other has seen it: both step back, one is first again.
        _take_back(claim)
        time.sleep(SystemRandom().uniform(0.0, _STEP_BACK))


def _take_back(claim: Claim) -> None:
    living_tokens.discard(claim.token)
    claim.location.delete(claim_name(claim.number))


def _refuse_within_a_sweep(location: Location) -> None:
    """Raise a `StoreError` if a location is that of a run which a sweep keeps, and the sweep is being driven."""
    runs = location.resolved().parent
    if runs.name == "runs" and runs.parent.name:
        check_unclaimed(runs.parent, "sweep")


def _refusal(location: Location, what: str, entry: ClaimEntry) -> _HeldError:
    if entry.place and entry.place != place_of(location):
        return _HeldError(
            f"expected to be alone in writing the {what} {location}, found the claim of {entry.process}, which writes "
            f"{shown(entry.place, LONGEST_PLACE)} since {entry.since}; if this is a copy of that, remove "
            f"{claim_name('*')} from the copy, else wait until it has ended, or name another path"
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


def _renew_until(stop: threading.Event, claim: Claim, entry: ClaimEntry) -> None:
    while not stop.wait(RENEWAL):
        # Whether it still holds is asked by who writes; a place that cannot be reached now may be reached later.
        with suppress(StoreError, OSError):
            claim.check()
            _renew(claim, entry)


def _renew(claim: Claim, entry: ClaimEntry) -> None:
    location, name = claim.location, claim_name(claim.number)
    if location.is_local:
        os.utime(location.path / name)
        return
    location.write(name, replace(entry, renewed=time.time()).encode())
    if max(claim_numbers(location), default=claim.number) > claim.number:  # taken over while this was written
        location.delete(name)


def _release(claim: Claim, missing: list[Path]) -> None:
    living_tokens.discard(claim.token)
    # What cannot be removed now is stale all the same.
    with suppress(StoreError, OSError):
        found = read_claim(claim.location, claim.number)
        if found is not None and found.token == claim.token:
            claim.location.delete(claim_name(claim.number))
        for folder in missing:  # empty ones alone can be removed
            folder.rmdir()


def _missing_folders(location: Location) -> list[Path]:
    """Return the folders that a claim would make, the innermost first."""
    if not location.is_local:
        return []
    return [folder for folder in (location.path, *location.path.parents) if not folder.exists()]
