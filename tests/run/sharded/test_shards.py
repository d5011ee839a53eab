"""Whose workers run shards, how long they are waited for, and what is said when the scheduler is lost."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from distributed.comm.core import CommClosedError

import twinbrain as tb
from twinbrain.interrupt import Interrupt
from twinbrain.run.cluster import connect
from twinbrain.run.prepare import silent
from twinbrain.run.sharded import gang, workers
from twinbrain.run.sharded.attempt import Attempt
from twinbrain.run.sharded.rank import RankTask
from twinbrain.run.sharded.shards import Shards, shards_on
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.store import Location


@pytest.mark.parametrize("n", [None, 1])
@pytest.mark.parametrize("where", [{"cluster": "slurm"}, {"profile": "none.toml"}, {"client": object()}])
def test_workers_that_would_not_be_used_are_refused(n, where):
    with pytest.raises(tb.ClusterError, match=f"2 or more, found {n or 'none'}; give it with shards"):
        shards_on(n, **where)


@pytest.mark.parametrize("n", [True, 1.5, "2", 0])
def test_what_is_no_number_of_shards_is_refused(n):
    with pytest.raises(tb.SpecError, match=f"shards: expected a whole number of at least 1, found {n!r}"):
        shards_on(n)
    assert shards_on(np.int64(2)).n == 2


def test_jobs_of_shards_are_all_there_from_the_beginning(monkeypatch):
    asked = {}

    @contextmanager
    def connected(cluster, **options):
        asked.update(options)
        yield None

    monkeypatch.setattr(connect, "connected", connected)
    with Shards(3, cluster="slurm", profile=ClusterProfile(minimum=0, workers=8))._client(["torch"]):
        pass
    assert (asked["workers"], asked["profile"].minimum, asked["packages"]) == (3, None, ["torch"])


def test_waiting_for_workers_is_told_and_ends_with_those_that_come(monkeypatch):
    monkeypatch.setattr(workers, "_SOON", -1.0)
    monkeypatch.setattr(workers, "_POLL_QUEUE", 0.0)
    there, told = iter([[], ["a"], ["a", "b"]]), []
    client = SimpleNamespace(processing=dict, nthreads=lambda: next(there))
    with Interrupt() as interrupt:
        found = workers.wait_for_workers(client, 2, interrupt, float("inf"), lambda *event: told.append(event))
    assert found == ["a", "b"]
    assert told == [("wait", 0, 2), ("wait", 1, 2), ("wait", 2, 2)]


def test_a_scheduler_that_is_lost_is_one_error_and_another_is_let_through(tmp_path):
    client, location = SimpleNamespace(status="running"), Location.of(tmp_path / "run.zarr")
    with (
        pytest.raises(tb.ClusterError, match=r"found it lost; nothing was committed yet: start anew .*run\.zarr once"),
        gang._scheduler_there(client, location),
    ):
        raise CommClosedError("in <TCP (closed)>: ConnectionResetError")
    with pytest.raises(BrokenPipeError), gang._scheduler_there(client, location):
        raise BrokenPipeError


class Cluster:
    """A client of two workers, whose ranks come to their end; one is killed before it has told how."""

    def __init__(self):
        self.there = {"tcp://127.0.0.1:1": 1, "tcp://127.0.0.1:2": 1}

    def nthreads(self):
        return self.there

    def run(self, function, *arguments, workers, on_error):
        return dict.fromkeys(workers, 1)

    def submit(self, function, task, **options):
        future = SimpleNamespace(status="finished", done=lambda: True, result=lambda timeout=None: None)
        if task.rank == 1:

            def result(timeout=None):
                assert timeout is not None, "Dask waits for the worker without end"
                self.there.popitem()
                future.status = "pending"
                raise TimeoutError

            future.result = result
        return future

    def subscribe_topic(self, *arguments, **options):
        pass

    unsubscribe_topic = cancel = subscribe_topic


def test_a_worker_that_is_killed_before_it_tells_how_its_rank_ended_is_told_as_gone():
    client = Cluster()
    nothing = dict.fromkeys(RankTask.__dataclass_fields__)
    attempt = Attempt(client, list(client.there), RankTask(**nothing | {"gang": "example"}))
    with Interrupt() as interrupt:
        assert attempt.run(silent, interrupt) == "worker tcp://127.0.0.1:2 is gone"
    assert attempt.outcomes == ()


@pytest.mark.parametrize("status", ["complete", "failed"])
def test_a_gang_that_is_lost_after_the_last_commit_does_not_begin_again(status, monkeypatch, tmp_path):
    stored, began = [], []

    class Lost:
        outcomes = ()

        def __init__(self, client, addresses, task):
            began.append(task.start)

        def run(self, progress, interrupt):
            stored.append(SimpleNamespace(status=status, committed=30.0, breakdown="v became inf"))
            return "worker tcp://127.0.0.1:2 is gone"

    monkeypatch.setattr(gang, "Attempt", Lost)
    monkeypatch.setattr(gang, "wait_for_workers", lambda *arguments: [])
    monkeypatch.setattr(gang, "found", lambda location: stored[-1] if stored else None)
    prepared, partition = SimpleNamespace(workflow=None), SimpleNamespace(nodes=((0,), (1,)), shares=(0.5, 0.5))
    told = pytest.raises(tb.BreakdownError, match="v became inf") if status == "failed" else nullcontext()
    with told:
        gang.run_gang(
            SimpleNamespace(status="running"),
            prepared,
            partition,
            Location.of(tmp_path / "run.zarr"),
            None,
            start="create",
            progress=silent,
            interrupt=None,
        )
    assert began == ["create"]
