"""Workers for a gang."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twinbrain.errors import ClusterError
from twinbrain.interrupt import Interrupt
from twinbrain.run.prepare import Progress

if TYPE_CHECKING:
    from distributed import Client

_POLL = 0.05
_POLL_QUEUE = 0.5
_SOON = 2.0


def wait_for_workers(
    client: Client, n_workers: int, interrupt: Interrupt, patience: float, progress: Progress
) -> list[str]:
    """Return the addresses of so many workers, those that have least to do first; tell meanwhile how many there are.

    Raises
    ------
    ClusterError
        If there are too few, or they are not processes of their own.
    """
    began, told = time.monotonic(), False
    while True:
        tasks = {address: len(keys) for address, keys in client.processing().items()}
        alive = sorted(client.nthreads(), key=lambda address: (tasks.get(address, 0), address))
        if any(address.startswith("inproc") for address in alive):
            raise ClusterError(
                "expected workers that are processes of their own, found threads of this one; "
                "use LocalCluster(processes=True)"
            )
        if len(alive) >= n_workers:
            if told:
                progress("wait", n_workers, n_workers)
            return alive[:n_workers]
        if interrupt.requested:
            raise KeyboardInterrupt
        if (waited := time.monotonic() - began) > patience:
            raise ClusterError(
                f"expected {n_workers} workers, one a shard, found {len(alive)} after {patience:g} s; start more, or "
                "ask for fewer shards"
            )
        if waited > _SOON:
            progress("wait", len(alive), n_workers)
            told = True
        time.sleep(_POLL_QUEUE if told else _POLL)
