"""A bar of what is being done, where somebody looks: on a terminal, or in a notebook."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

_WIDTH = 30
_SECONDS_BETWEEN = 0.1


@contextmanager
def shown(progress: Tell | bool | None, names: Mapping[str, str]) -> Iterator[Tell]:
    """Give a function to be told of progress.

    Parameters
    ----------
    progress : callable, bool or None
        What a user gives: a function, which is called; True, for a bar; False, for nothing; None, for a bar where
        somebody looks: not in scripts whose output goes to a file, and not in worker processes.
    names : mapping of str to str
        What the bar calls that which is being done; of other things it takes no notice.
    """
    if callable(progress):
        yield progress
        return
    closed = sys.stderr is None  # as Python has it where who started it closed that
    if progress is False or closed or (progress is None and not _is_seen(sys.stderr)):
        yield lambda what, done, total: None
        return
    bar = _Bar(names, sys.stderr)
    try:
        yield bar.tell
    finally:
        bar.clear()


def in_notebook() -> bool:
    """Return whether this is the process of a notebook."""
    ipython: Any = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


def _is_seen(stream: TextIO) -> bool:
    return multiprocessing.parent_process() is None and (in_notebook() or stream.isatty())


class _Bar:
    """One line, drawn over and over, and taken away at the end."""

    def __init__(self, names: Mapping[str, str], stream: TextIO) -> None:
        self._names = names
        self._stream = stream
        self._full, self._empty = "━ " if (stream.encoding or "").lower().startswith("utf") else "#."
        self._began: dict[str, tuple[float, int]] = {}
        self._drawn = 0.0
        self._length = 0

    def tell(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        first = what not in self._began
        since, before = self._began.setdefault(what, (now, done))
        if what not in self._names or not (first or now - self._drawn >= _SECONDS_BETWEEN):
            return
        share = min(1.0, done / total) if total else 0.0
        filled = round(share * _WIDTH)
        left = f", {_clock((now - since) * (total - done) / (done - before))} left" if done > before else ""
        line = f"{self._names[what]:<10} {self._full * filled}{self._empty * (_WIDTH - filled)} {share:4.0%}{left}"
        self._write(line)
        self._drawn = now

    def clear(self) -> None:
        self._write("")
        self._stream.write("\r")
        self._stream.flush()

    def _write(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(self._length))
        self._stream.flush()
        self._length = len(line)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
