"""Which process this is, such that another one can tell whether it still lives."""

from __future__ import annotations

import os
import platform
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

# Start times are compared with that precision, which is far from the time until a number is given again.
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
        process numbers (a container has its own).
    number : int
        Its number.
    started : float (s)
        When it was started; numbers are given again.
    """

    host: str
    machine: str
    number: int
    started: float

    @classmethod
    def this(cls) -> Process:
        """Return this process."""
        number = os.getpid()
        return cls(platform.node(), _machine(), number, psutil.Process(number).create_time())

    @property
    def is_seen(self) -> bool:
        """Whether this process could see it, if it lives."""
        return self.machine == _machine()

    @property
    def lives(self) -> bool:
        """Whether it lives, of one that could be seen."""
        try:
            found = psutil.Process(self.number)
            ended = found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            return not ended and abs(found.create_time() - self.started) < _PRECISION
        except psutil.AccessDenied:
            return True
        except psutil.NoSuchProcess:
            return False

    def __str__(self) -> str:
        return f"process {self.number} on {self.host}"


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return f"{uuid.getnode():x} {platform.node()}"
