"""With the settings as they are, no process of ours listens beyond this machine's own addresses."""

import contextlib
import socket
import threading

import psutil
import pytest

import twinbrain as tb
from tests.examples import small_brain
from tests.learn.study import small_study
from tests.run.conftest import lively

LOOPBACK = {"127.0.0.1", "::1"}


def elsewhere():
    """Return addresses of this machine at which nothing may answer: of the loopback another, and of the network all."""
    found = [a.address for addresses in psutil.net_if_addrs().values() for a in addresses if a.family == socket.AF_INET]
    return {"127.0.0.2", *found} - LOOPBACK


class Listeners:
    """What this process and its children listen at, looked at again and again in a context."""

    def __init__(self):
        self.addresses, self.answered, self._seen = set(), set(), set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.1):
            me = psutil.Process()
            for process in [me, *me.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    for connection in process.net_connections("inet"):
                        if connection.status == psutil.CONN_LISTEN:
                            self._look_at(*connection.laddr)

    def _look_at(self, address, port):
        self.addresses.add(address)
        if port not in self._seen:
            self._seen.add(port)
            for other in elsewhere():
                with contextlib.suppress(OSError), socket.create_connection((other, port), timeout=0.5):
                    self.answered.add((other, port))


def check(listeners):
    assert listeners.addresses, "nothing listened, so nothing was looked at"
    assert listeners.addresses <= LOOPBACK
    assert not listeners.answered


@pytest.mark.slow  # test_exchange asks where a group of torch listens
def test_a_brain_in_shards_listens_on_this_machine_alone(tmp_path):
    pytest.importorskip("pymetis")
    with Listeners() as listeners:
        tb.simulate(small_brain(4), duration="20 ms", engine="reference", shards=2, out=tmp_path / "run.zarr")
    check(listeners)


def test_a_sweep_listens_on_this_machine_alone(tmp_path):
    with Listeners() as listeners:
        tb.sweep(lively(), out=tmp_path / "s.zarr", workers=1, engine="reference", duration="20 ms", seed=[1, 2])
    check(listeners)


@pytest.mark.slow
def test_a_sweep_of_trainings_listens_on_this_machine_alone(tmp_path):
    with Listeners() as listeners:
        tb.sweep(small_study(), out=tmp_path / "s.zarr", workers=1, seed=[1], **{"train.epochs": 1})
    check(listeners)
