"""Stop at the end of a window when Ctrl-C, SIGTERM or a closed terminal asks for it; at once when one asks twice."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


def stopping_signals() -> list[signal.Signals]:
    """Return the signals that ask to stop: not that of a closed terminal where ``nohup`` has it ignored."""
    found = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # which Windows does not have
    return found if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN else [*found, hangup]


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
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        around = getattr(self._before.get(signal.Signals(number)), "__self__", None)
        if isinstance(around, Interrupt):
            around._handle(number, frame)
