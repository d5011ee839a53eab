"""Stop at the end of a window when Ctrl-C, SIGTERM or a closed terminal asks for it; at once if asked once more."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any, Self

# Of a terminal that closes; Windows does not have it.
_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)


def stopping_signals() -> list[signal.Signals]:
    """Return the signals that ask to stop: not that of a closed terminal where ``nohup`` has it ignored."""
    found = [signal.SIGINT, signal.SIGTERM]
    return found if _HANGUP is None or signal.getsignal(_HANGUP) == signal.SIG_IGN else [*found, _HANGUP]


def leave_terminal(outputs: Iterable[int] = (1, 2)) -> None:
    """Let what is still printed go nowhere where a terminal has closed, which would refuse it.

    Parameters
    ----------
    outputs : iterable of int
        Numbers of open files; those that are no closed terminal stay.
    """
    for number in outputs:
        try:
            os.get_terminal_size(number)
        except OSError as error:
            if error.errno == errno.EIO:
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, number)
                os.close(nothing)


class Interrupt:
    """A context in which a first signal only sets `requested`, here and in the contexts around this one."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere the surrounding program decides.
        if threading.current_thread() is threading.main_thread():
            for number in stopping_signals():
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == _HANGUP:  # a shell and the system each send one, at the same moment
            leave_terminal()
        elif self.requested:
            raise KeyboardInterrupt
        self.requested = True
        around = getattr(self._before.get(signal.Signals(number)), "__self__", None)
        if isinstance(around, Interrupt):
            around._handle(number, frame)
