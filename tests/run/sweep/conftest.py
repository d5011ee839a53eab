import dask
import pytest
from distributed import Client, LocalCluster


@pytest.fixture
def client(cluster_client):
    """A client of two workers that are there."""
    cluster_client.wait_for_workers(2, timeout=120)
    return cluster_client


@pytest.fixture(scope="session")
def cluster_client():
    """A client of two workers; a task whose worker has died twice is given up."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=None, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client
