"""A sharded run of which a worker is killed at any moment comes to its end by itself, with the same values.

With TWINBRAIN_KILLS=10 in the environment it is killed as often; see docs/reference/performance.md.
"""

import os
import random
import signal
import threading
import time

import pytest

import twinbrain as tb
from tests.examples import small_brain
from tests.roots import stored_files
from twinbrain.run.cluster.connect import connected
from twinbrain.store import run_info

N_KILLS = int(os.environ.get("TWINBRAIN_KILLS", "1"))
N_SHARDS = 2


def is_complete(path):
    try:
        return run_info(path).status == "complete"
    except tb.StoreError:  # not there, or being created
        return False


@pytest.fixture(scope="module")
def client():
    with connected("local", workers=N_SHARDS) as client:
        yield client


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("whole") / "run.zarr")


def simulate(out, **options):
    tb.simulate(small_brain(3), out=out, duration="600 ms", window="20 ms", engine="brian2", **options)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(N_KILLS))
def test_a_killed_worker_costs_no_more_than_a_window_and_the_store_is_the_same(client, uninterrupted, tmp_path, kill):
    draw = random.Random(100 + kill)
    # Every fifth while the shards are built, the others while they run.
    wanted, delay, victim = draw.uniform(0, 500), draw.uniform(0, 0.2), draw.randrange(N_SHARDS)
    if kill % 5 == 4:
        wanted = -1.0
    path, killed, reached = tmp_path / "run.zarr", [], threading.Event()

    def progress(what, done, total):
        if wanted < 0 or (what == "simulate" and done * 0.1 >= wanted):
            reached.set()

    def kill_one():
        reached.wait()
        time.sleep(delay)
        processes = client.run(os.getpid)
        busy = sorted(address for address, keys in client.processing().items() if keys)
        if busy and not is_complete(path):
            os.kill(processes[busy[victim % len(busy)]], signal.SIGKILL)
            killed.append(busy[victim % len(busy)])

    killer = threading.Thread(target=kill_one)
    killer.start()
    simulate(path, shards=N_SHARDS, client=client, progress=progress)
    killer.join()
    assert killed
    assert run_info(path).status == "complete"
    assert killed[0] not in client.nthreads()
    assert stored_files(path) == stored_files(uninterrupted)
