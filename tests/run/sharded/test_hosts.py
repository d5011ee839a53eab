"""Shards on two hosts, which are network namespaces, exchange spikes over the network between them."""

import pytest

from tests.hosts import hosts_with_dask
from twinbrain.run.cluster.connect import connected, workers_ready


@pytest.fixture
def hosts():
    with hosts_with_dask(2) as found:
        yield found


@pytest.mark.slow
def test_shards_on_two_hosts_give_the_same_store(hosts, run, whole, same_files, tmp_path):
    with connected(hosts.scheduler) as client:
        workers_ready(client, 2)
        run(tmp_path / "run.zarr", shards=2, client=client)
    same_files(tmp_path / "run.zarr", whole("reference"))
