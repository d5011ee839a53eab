"""Whether a process lives is known whatever its name, the clock and the user."""

import ast
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from twinbrain.store import process
from twinbrain.store.process import Process

if not sys.platform.startswith("linux"):
    pytest.skip("what Linux tells of processes", allow_module_level=True)

seen_by_kernel = process._seen_by_kernel


def numbered(number):
    found = seen_by_kernel(number)
    return replace(Process.this(), number=number, started=0.0 if found is None else found[1])


def test_a_clock_that_is_set_changes_nothing(monkeypatch):
    before = Process.this()
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + 10.0)
    assert Process.this() == before
    assert before.lives


def test_a_number_that_was_given_again_is_of_a_dead_process():
    assert not replace(Process.this(), started=Process.this().started - 1).lives


def test_a_process_lives_whatever_it_is_called_until_it_ends(tmp_path):
    program = shutil.copy(shutil.which("sleep"), tmp_path / ") Z 1 (")
    with subprocess.Popen([program, "60"]) as started:
        while "Z 1" not in psutil.Process(started.pid).name():
            time.sleep(0.01)
        found = numbered(started.pid)
        assert found.lives
        started.kill()
        os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
        assert not found.lives  # though it is not waited for
    assert found.lives is False


def test_a_process_that_is_hidden_from_this_user_may_live(monkeypatch):
    """As by ``hidepid=2`` of ``/proc``, which shows a user's own processes alone."""
    first, me = numbered(1), Process.this()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    monkeypatch.setattr(process, "_seen_by_kernel", lambda n: seen_by_kernel(n) if n == os.getpid() else None)
    assert first.lives is None
    assert me.lives
    assert replace(me, number=ended.pid).lives is False


TELL = "import dataclasses, twinbrain.store.process as p; print(dataclasses.astuple(p.Process.this()))"


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_a_process_to_which_the_kernel_tells_other_ticks_is_not_seen():
    """In a time namespace of its own, as containers may have; what it says of its start would be taken for a death."""
    unshare = ["unshare", "--user", "--map-root-user", "--time", "--boottime", "5000", "--fork"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("needs a time namespace")
    told = subprocess.run([*unshare, sys.executable, "-c", TELL], capture_output=True, text=True, check=True).stdout
    assert not Process(*ast.literal_eval(told)).is_seen


def test_a_claim_that_names_no_space_of_time_is_of_elsewhere_where_there_are_such(monkeypatch):
    monkeypatch.setattr(process, "_machine", process._machine.__wrapped__)
    monkeypatch.setattr(process, "_space_of_time", str)
    before = Process.this()
    assert before.is_seen
    monkeypatch.setattr(process, "_space_of_time", lambda: " 4026531834")
    assert not before.is_seen
    assert Process.this().is_seen
