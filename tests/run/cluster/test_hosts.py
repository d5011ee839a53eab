"""Workers on two hosts, which are network namespaces."""

import pytest

from tests.hosts import hosts_with_dask
from twinbrain.run.cluster.connect import connected, workers_ready


@pytest.fixture(scope="module")
def hosts():
    with hosts_with_dask(2) as found:
        yield found


@pytest.fixture(scope="module")
def client(hosts):
    with connected(hosts.scheduler) as client:
        workers_ready(client, 2)
        yield client


def own_addresses():
    import socket

    import psutil

    return [a.address for addresses in psutil.net_if_addrs().values() for a in addresses if a.family == socket.AF_INET]


def gathered(rank, master, interface):
    """Return what an ``all_gather`` over both hosts gives."""
    import os

    import torch
    import torch.distributed as group

    os.environ["GLOO_SOCKET_IFNAME"] = interface
    group.init_process_group("gloo", init_method=f"tcp://{master}:29511", rank=rank, world_size=2)
    try:
        found = [torch.empty(3, dtype=torch.int32) for _ in range(2)]
        group.all_gather(found, torch.arange(3, dtype=torch.int32) + 10 * rank)
    finally:
        group.destroy_process_group()
    return torch.cat(found).tolist()


def sent_bytes():
    import psutil

    return psutil.net_io_counters(pernic=True)["eth0"].bytes_sent


@pytest.mark.slow
def test_tasks_on_two_workers_are_on_two_hosts(hosts, client):
    for address in hosts.addresses:
        assert client.submit(own_addresses, workers=[address], pure=False).result() == ["127.0.0.1", address]


@pytest.mark.slow
def test_a_group_of_torch_spans_two_hosts(hosts, client):
    pytest.importorskip("torch")
    before = client.run(sent_bytes)
    futures = [
        client.submit(gathered, rank, hosts.addresses[0], hosts.interface, workers=[address], pure=False)
        for rank, address in enumerate(hosts.addresses)
    ]
    assert client.gather(futures) == [[0, 1, 2, 10, 11, 12]] * 2
    assert all(n > before[address] for address, n in client.run(sent_bytes).items())
