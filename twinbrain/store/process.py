"""Which process this is, such that another one can tell whether it still lives."""

from __future__ import annotations

import os
import platform
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

_PROC = Path("/proc")
# Start times of the clock are compared with that precision, which is far from the time until a number is given again.
_PRECISION = 2.0


@dataclass(frozen=True)
class Process:
    """A process.

    Parameters
    ----------
    host : str
        Name of its machine, for people.
    machine : str
        What processes have in common that can see each other: one kernel since it was started, and in it one space of
        process numbers and one count of time since then (a container may have its own).
    number : int
        Its number.
    started : float
        When it was started, since numbers are given again: ticks since the kernel was, which do not move when a clock
        is set; seconds of the clock where there are none.
    """

    host: str
    machine: str
    number: int
    started: float

    @classmethod
    def this(cls) -> Process:
        """Return this process."""
        number = os.getpid()
        if (found := _seen_by_kernel(number)) is not None:
            return cls(platform.node(), _machine(), number, found[1])
        return cls(platform.node(), _machine(), number, psutil.Process(number).create_time())

    @property
    def is_seen(self) -> bool:
        """Whether this process could see it, if it lives."""
        return self.machine == _machine()

    @property
    def lives(self) -> bool | None:
        """Whether it lives, of one that could be seen; None if that is hidden from this user."""
        if _has_ticks():
            if (found := _seen_by_kernel(self.number)) is None:
                return None if _exists(self.number) else False
            state, started = found
            return state not in "ZX" and started == self.started
        try:
            process = psutil.Process(self.number)
            ended = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            return not ended and abs(process.create_time() - self.started) < _PRECISION
        except psutil.AccessDenied:
            return None
        except psutil.NoSuchProcess:
            return False

    def __str__(self) -> str:
        return f"process {self.number} on {self.host}"


def _seen_by_kernel(number: int) -> tuple[str, float] | None:
    """Return the state of a process and when it was started, in ticks; None where Linux does not show it."""
    try:
        text = (_PROC / f"{number}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # what stands before it is its name, which may hold anything
    return fields[0], float(fields[19])


def _exists(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True


@cache
def _has_ticks() -> bool:
    return _seen_by_kernel(os.getpid()) is not None


@cache
def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        # Claims that count seconds where this one counts ticks are those of another machine, and end as such.
        unit = " ticks" if _has_ticks() else ""
        return f"{boot} {os.stat(_PROC / 'self/ns/pid').st_ino}{_space_of_time()}{unit}"
    except OSError:
        return f"{uuid.getnode():x} {platform.node()}"


def _space_of_time() -> str:
    """Return which space of time this process is in, since in another the kernel shifts all ticks that it tells."""
    try:
        return f" {os.stat(_PROC / 'self/ns/time').st_ino}"
    except OSError:  # of a kernel without such spaces
        return ""
