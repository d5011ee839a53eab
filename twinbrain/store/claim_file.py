"""The file that says who writes a store: how it is named, what it says, and whether its process still lives."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from twinbrain.errors import StoreError
from twinbrain.files.text import uncollected
from twinbrain.store.location import LIKE_A_CLAIM, Location
from twinbrain.store.process import Process

LEASE = 120.0
"""Seconds without a sign of life after which a process on another machine counts as dead."""
RENEWAL = 20.0
"""Seconds between signs of life."""
# What a clock of another machine may be ahead.
_AHEAD = 60.0
# Far more than a claim has.
_LARGEST, _LONGEST_NAME, _LARGEST_NUMBER = 4096, 100, 2**31
LONGEST_PLACE = 1000
_NAME = re.compile(r"writer-([1-9][0-9]{0,7})\.claim")

# Tokens of this process that have not been given back; a place that cannot be reached may keep one that has.
living_tokens: set[str] = set()


@dataclass(frozen=True)
class ClaimEntry:
    """What a claim's file says."""

    process: Process
    token: str
    since: str
    renewed: float
    place: str = ""

    def encode(self) -> bytes:
        """Return what is written."""
        return json.dumps(asdict(self)).encode()

    def is_stale(self) -> bool:
        """Return whether its process is dead, or counts as dead, or has given the claim back."""
        if self.process == Process.this():
            return self.token not in living_tokens
        if self.process.is_seen and (lives := self.process.lives) is not None:
            return not lives
        now = time.time()
        return not now - LEASE <= self.renewed <= now + _AHEAD


def claim_name(number: int | str) -> str:
    """Return the name of the claim of a number."""
    return f"writer-{number}.claim"


def is_claim_name(name: str) -> bool:
    """Return whether a file of this name is a claim."""
    return _NAME.fullmatch(name) is not None


def claim_numbers(location: Location) -> list[int]:
    """Return the numbers of all claims; one of a number that none of ours reaches would hide those that follow."""
    named = [name for name in location.names() if LIKE_A_CLAIM.fullmatch(name)]
    for name in named:
        if not is_claim_name(name):
            raise StoreError(
                f"{location}: expected claims such as {claim_name(1)}, found {shown(name)}; if no process writes here, "
                "remove it"
            )
    return sorted(int(found[1]) for name in named if (found := _NAME.fullmatch(name)))


def read_claim(location: Location, number: int) -> ClaimEntry | None:
    """Return a claim, or None if it is gone."""
    data = location.read(claim_name(number), _LARGEST)
    if data is None:
        if location.is_local and (folder := location.path / claim_name(number)).is_dir():
            raise StoreError(f"expected a claim as a file, found a folder: {folder}; remove it")
        return None
    try:
        with uncollected():
            entry = _parsed(json.loads(data))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        # One that is being written, or that was not written to its end.
        entry = ClaimEntry(Process("a machine unknown", "", 0, 0.0), "", "a moment ago", 0.0)
    if location.is_local:
        with suppress(OSError):
            modified = os.stat(location.path / claim_name(number)).st_mtime
            return replace(entry, renewed=modified)
    return entry


def _parsed(fields: dict[str, Any]) -> ClaimEntry:
    process = fields["process"]
    number = process["number"]
    if type(number) is not int or not 0 < number < _LARGEST_NUMBER:
        raise ValueError(f"expected the number of a process, found {number!r}")
    writer = Process(shown(process["host"]), str(process["machine"]), number, float(process["started"]))
    since, place = shown(fields["since"]), str(fields.get("place", ""))
    return ClaimEntry(writer, str(fields["token"]), since, float(fields["renewed"]), place)


def shown(text: object, longest: int = _LONGEST_NAME) -> str:
    """Return a text of someone else as it may stand in a message."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text)[:longest])


def place_of(location: Location) -> str:
    """Return where a store lies, for those who find its claim elsewhere; nothing, where that takes too much room."""
    place = str(location.resolved())
    # A letter of another script takes up to twelve of those of JSON.
    return place if len(json.dumps(place)) <= LONGEST_PLACE else ""
