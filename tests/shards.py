"""Worker processes for tests of sharded brains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client, LocalCluster, Worker, WorkerPlugin


class ImportBrian2(WorkerPlugin):
    """Brian2 can only be imported in a main thread."""

    name = "import-brian2"

    def setup(self, worker: Worker) -> None:
        import brian2  # noqa: F401


@contextmanager
def workers(n: int) -> Iterator[Client]:
    """Start so many worker processes; those that are killed are replaced."""
    with (
        LocalCluster(n_workers=n, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(ImportBrian2())
        yield client
