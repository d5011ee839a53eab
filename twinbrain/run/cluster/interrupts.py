"""Ctrl-C reaches all processes of a terminal; only the one that the user started is to act on it."""

from __future__ import annotations

import signal

from distributed import Worker, WorkerPlugin


class IgnoreInterrupts(WorkerPlugin):
    """Lets a worker of a local cluster go on at Ctrl-C: what it computes is ended in order, or with its parent."""

    name = "twinbrain-ignore-interrupts"

    def setup(self, worker: Worker) -> None:
        """Ignore the signal; plug-ins are set up in the main thread."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
