"""Workers for a gang."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twinbrain.errors import ClusterError
from twinbrain.interrupt import Interrupt

if TYPE_CHECKING:
    from distributed import Client

_POLL = 0.05


def wait_for_workers(client: Client, n_workers: int, interrupt: Interrupt, patience: float) -> list[str]:
    """Return the addresses of so many workers, those that have least to do first.

    Raises
    ------
    ClusterError
        If there are too few, or they are not processes of their own.
    """
    end = time.monotonic() + patience
    while True:
        tasks = {address: len(keys) for address, keys in client.processing().items()}
        alive = sorted(client.nthreads(), key=lambda address: (tasks.get(address, 0), address))
        if any(address.startswith("inproc") for address in alive):
            raise ClusterError(
                "expected workers that are processes of their own, found threads of this one; "
                "use LocalCluster(processes=True)"
            )
        if len(alive) >= n_workers:
            return alive[:n_workers]
        if interrupt.requested:
            raise KeyboardInterrupt
        if time.monotonic() > end:
            raise ClusterError(
                f"expected {n_workers} workers, one a shard, found {len(alive)} after {patience:g} s; start more, or "
                "ask for fewer shards"
            )
        time.sleep(_POLL)
