"""Ctrl-C and the end of a terminal reach all its processes; only the one that the user started is to act on it."""

from __future__ import annotations

import signal

from distributed import Worker, WorkerPlugin


class IgnoreInterrupts(WorkerPlugin):
    """Lets a worker of a local cluster go on at Ctrl-C, or without a terminal.

    What it computes is ended in order, or with its parent.
    """

    name = "twinbrain-ignore-interrupts"

    def setup(self, worker: Worker) -> None:
        """Ignore the signals; plug-ins are set up in the main thread."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
