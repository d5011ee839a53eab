"""Import Brian2 and leave the process as it was.

Brian2 takes over the handler of Ctrl-C and the hook for uncaught errors when it is imported; both belong to the
program.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import ModuleType

from twinbrain.errors import EngineError


def import_brian2() -> ModuleType:
    """Return the ``brian2`` module; an `EngineError` says that another thread than the main one would import it."""
    if (module := sys.modules.get("brian2")) is not None:
        return module
    if threading.current_thread() is not threading.main_thread():
        raise EngineError(
            "expected Brian2 to be imported first by the main thread of the process, found another thread; put import "
            "brian2 where the program begins"
        )
    handler, hook = signal.getsignal(signal.SIGINT), sys.excepthook
    try:
        import brian2
    finally:
        signal.signal(signal.SIGINT, handler)
        sys.excepthook = hook
    brian2.BrianLogger.log_level_error()
    return brian2
