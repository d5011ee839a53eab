"""One process writes a store at a time: who comes second is refused, and who was taken over stops."""

import json
import os
import pickle
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from twinbrain.errors import StoreError
from twinbrain.store import Location, claim, open_run, process, resume_run
from twinbrain.store.claim import check_unclaimed, claimed, claimed_in_sweep, held, under
from twinbrain.store.claim_file import LEASE, ClaimEntry, read_claim
from twinbrain.store.process import Process


@pytest.fixture(params=["a path", "s3"])
def location(request, tmp_path):
    if request.param == "a path":
        return Location.of(tmp_path / "runs" / "a.zarr")
    return Location.of(request.getfixturevalue("bucket") + "/runs/a.zarr")


def elsewhere(function, *arguments):
    """Call a function as another process would: without what this context holds."""
    with ThreadPoolExecutor() as pool:
        return pool.submit(function, *arguments).result()


def try_to_claim(location):
    with claimed(location, "run") as found:
        return found


def leave(location, order=1, /, *, age=0.0, **changes):
    """Leave a claim there, of this process if nothing else is said."""
    process = replace(Process.this(), **changes)
    renewed = time.time() - age
    entry = ClaimEntry(process, "another", "2026-01-01 00:00:00 UTC", renewed)
    location.write(f"writer-{order}.claim", entry.encode())
    if location.is_local:
        os.utime(location.path / f"writer-{order}.claim", (renewed, renewed))


def test_a_claim_is_there_while_it_is_held_and_leaves_nothing(location):
    with claimed(location, "run") as found:
        assert location.names() == ["writer-1.claim"]
        assert location.is_free()
        found.check()
    assert not location.exists()


def test_the_claim_in_a_copy_is_told_as_that_of_the_store_it_was_copied_from(tmp_path):
    """To end its process would end the writing of the other store."""
    one, copy = Location.of(tmp_path / "a.zarr"), Location.of(tmp_path / "b.zarr")
    with claimed(one, "run"):
        copy.write("writer-1.claim", one.read("writer-1.claim"))
        with pytest.raises(
            StoreError, match=r"which writes .*a\.zarr since .* copy of that, remove writer-\*\.claim"
        ) as told:
            try_to_claim(copy)
        assert "kill" not in str(told.value)
        with pytest.raises(StoreError, match=r"stop it \(kill"):
            elsewhere(try_to_claim, one)
    copy.delete("writer-1.claim")
    try_to_claim(copy)


@pytest.mark.parametrize(("letter", "n_folders"), [("a", 4), ("\N{BRAIN}", 6)])
def test_a_store_may_lie_at_a_long_path(tmp_path, letter, n_folders):
    place = tmp_path.joinpath(*[letter * 60] * n_folders, "a.zarr")
    one, copy = Location.of(place), Location.of(tmp_path / "b.zarr")
    with claimed(one, "run") as found:
        found.check()
        copy.write("writer-1.claim", one.read("writer-1.claim"))
        with pytest.raises(StoreError, match=re.escape(str(one)) if letter == "a" else "wait until it has ended"):
            try_to_claim(copy)


def test_a_folder_that_was_there_before_stays(tmp_path):
    with claimed(Location.of(tmp_path), "run"):
        pass
    assert tmp_path.is_dir()


def test_who_comes_second_is_refused_and_told_who_is_first(location):
    with claimed(location, "sweep"):
        with pytest.raises(StoreError, match=rf"alone in writing the run {re.escape(str(location))}") as refusal:
            elsewhere(try_to_claim, location)
        with pytest.raises(StoreError):
            elsewhere(check_unclaimed, location, "sweep")
    assert re.search(
        rf"process {os.getpid()} on .* has been writing it since 20\d\d-.* UTC; wait .*\(kill \d+\)", str(refusal.value)
    )
    elsewhere(try_to_claim, location)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_fork_neither_holds_nor_releases_what_its_parent_has_claimed(tmp_path):
    location, parent = Location.of(tmp_path / "a.zarr"), os.getpid()
    try:
        with claimed(location, "run") as found:
            if not (child := os.fork()):
                assert held(location) is None
                with pytest.raises(StoreError, match=f"process {parent} on .* has been writing it"):
                    try_to_claim(location)
                raise SystemExit  # leaves the context, as a program that ends here does
            assert os.waitpid(child, 0)[1] == 0
            found.check()
    except BaseException as ended:
        if os.getpid() == parent:
            raise
        os._exit(not isinstance(ended, SystemExit))
    assert not location.exists()


def test_of_many_that_begin_at_once_one_is_first(location):
    start, end = threading.Barrier(8), threading.Barrier(8)

    def attempt(_):
        start.wait()
        try:
            with claimed(location, "run"):
                end.wait()
                return True
        except StoreError:
            end.wait()
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    elsewhere(try_to_claim, location)


def test_of_two_that_see_each_other_both_step_back_and_begin_again(location, monkeypatch):
    create, taken_back = Location.create, []

    def create_as_another_does(where, name, data):
        if not taken_back and name == "writer-1.claim":
            leave(where, 2, host="node7", machine="another")
        return create(where, name, data)

    def take_back(own):
        taken_back.append(own.number)
        location.delete("writer-1.claim")
        location.delete("writer-2.claim")  # as the other does

    monkeypatch.setattr(Location, "create", create_as_another_does)
    monkeypatch.setattr(claim, "_take_back", take_back)
    with claimed(location, "run"):
        assert taken_back == [1]
        assert location.names() == ["writer-1.claim"]


def test_in_its_own_context_and_below_it_is_taken_again(location):
    with claimed(location, "sweep") as outer:
        with claimed(location, "sweep") as again, claimed(location.child("runs").child("000000.zarr"), "run") as below:
            assert outer == again == below
        assert held(location) == outer
        outer.check()
    assert held(location) is None


def test_of_two_workers_at_a_kept_run_the_second_waits_until_the_first_has_ended(location, monkeypatch):
    monkeypatch.setattr(claim, "_LOOK_AGAIN", 0.01)
    run, order = location.child("runs").child("000000.zarr"), []

    def second(sweep):
        with under(sweep), claimed_in_sweep(run, "run"):
            order.append("second")

    with claimed(location, "sweep") as sweep, ThreadPoolExecutor() as pool:
        with claimed_in_sweep(run, "run") as own:
            assert held(run) == own != sweep == held(location)
            other = pool.submit(second, sweep)
            time.sleep(0.05)
            order.append("first")
        other.result()
    assert order == ["first", "second"]


def test_a_worker_at_a_kept_run_stops_when_either_claim_is_taken_over(location):
    run = location.child("runs").child("000000.zarr")
    for taken in (location, run):
        with claimed(location, "sweep"), claimed_in_sweep(run, "run"):
            held(run).check()
            taken.delete("writer-1.claim")
            with pytest.raises(StoreError, match="nothing more is written from here"):
                held(run).check()


def test_a_kept_run_that_another_program_writes_is_not_waited_for(location):
    with claimed(location, "sweep"):
        leave(run := location.child("runs").child("000000.zarr"), number=1, started=0.0, machine="elsewhere")
        with pytest.raises(StoreError, match="alone in writing the run"), claimed_in_sweep(run, "run"):
            pass


def test_a_sweep_ends_where_the_claim_of_a_kept_run_cannot_be_written(tmp_path):
    """Any other error than a `StoreError` would count as that of one point, and be met again at the next."""
    (tmp_path / "runs").touch()
    with (
        pytest.raises(StoreError, match=r"cannot write the run .*what is done stays readable; make room"),
        claimed_in_sweep(Location.of(tmp_path / "runs/000000.zarr"), "run"),
    ):
        pass


def test_runs_that_a_sweep_keeps_are_not_for_others_while_it_is_driven(location):
    with claimed(location, "sweep"), pytest.raises(StoreError, match="alone in writing the sweep"):
        elsewhere(try_to_claim, location.child("runs").child("000000.zarr"))


def test_another_process_can_write_under_it(location):
    with claimed(location, "sweep") as found:
        sent = pickle.loads(pickle.dumps(found))

        def write():
            with under(sent):
                held(location).check()

        elsewhere(write)
    with pytest.raises(StoreError, match="found that it is gone; nothing more is"):
        elsewhere(write)


def dead():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


@pytest.mark.parametrize(
    "changes",
    [{"number": dead()}, {"started": 5.0}, {"machine": "another", "age": LEASE + 1}],
    ids=["its process is dead", "its number was given again", "it was long not renewed elsewhere"],
)
def test_the_claim_of_a_process_that_is_dead_is_taken_over(location, changes):
    leave(location, 7, **changes)
    check_unclaimed(location, "run")
    with claimed(location, "run"):
        assert location.names() == ["writer-8.claim"]


def test_the_claim_of_a_process_that_was_killed_is_taken_over_at_once(tmp_path):
    code = """
import os, signal, sys
from twinbrain.store import Location
from twinbrain.store.claim import claimed
with claimed(Location.of(sys.argv[1]), "run"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    place = tmp_path / "run.zarr"
    # Not waited for: a process that has ended but is still in the table of processes is dead too.
    process = subprocess.Popen([sys.executable, "-c", code, place])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert [path.name for path in place.iterdir()] == ["writer-1.claim"]
    try_to_claim(Location.of(place))
    process.wait()


def test_a_process_that_cannot_be_seen_from_here_holds_it_as_long_as_it_gives_signs_of_life(location):
    leave(location, machine="another", host="node7", number=12, age=LEASE - 30)
    with pytest.raises(StoreError, match=r"process 12 on node7 has been .*if it is dead, its claim ends at 20\d\d-"):
        try_to_claim(location)


@pytest.mark.parametrize(
    "changes", [{"number": 1}, {"machine": process._machine().removesuffix(" ticks"), "started": 1.7e9}]
)
def test_where_nothing_tells_whether_a_process_lives_its_signs_of_life_count(tmp_path, monkeypatch, changes):
    """One that is hidden from this user, and one of a version that wrote when a process was started by the clock."""
    location, seen = Location.of(tmp_path), process._seen_by_kernel
    monkeypatch.setattr(process, "_seen_by_kernel", lambda n: None if n == 1 else seen(n))
    leave(location, age=LEASE - 30, **changes)
    with pytest.raises(StoreError, match=r"if it is dead, its claim ends at 20\d\d-"):
        try_to_claim(location)
    leave(location, age=LEASE + 1, **changes)
    try_to_claim(location)


def test_a_claim_that_is_being_written_holds_for_a_while(tmp_path):
    location = Location.of(tmp_path)
    for text in ("", "{", "[]", "\x00\xff"):
        (tmp_path / "writer-1.claim").write_text(text, "latin-1")
        with pytest.raises(StoreError, match="alone in writing"):
            try_to_claim(location)
    os.utime(tmp_path / "writer-1.claim", (0, time.time() - LEASE - 1))
    try_to_claim(location)


def test_signs_of_life_are_given_while_it_is_held(location, monkeypatch):
    monkeypatch.setattr(claim, "RENEWAL", 0.01)
    with claimed(location, "run") as found:
        first = read_claim(location, found.number).renewed
        while read_claim(location, found.number).renewed == first:
            time.sleep(0.01)
        found.check()


def test_who_is_taken_over_finds_out_before_it_commits(example, location, uninterrupted):
    def suspended():
        """Hold the claim as a process of another machine does whose lease has run out."""
        with claimed(location, "run"):
            writer = example.commit(example.create(location), range(2))
            leave(location, machine="another", age=LEASE + 1)
            taken.set()
            woken.wait()
            for attempt in (lambda: example.commit(writer, [2]), lambda: writer.set_status("interrupted")):
                with pytest.raises(StoreError, match=r"process \d+ on .* has taken it over at 20.*; nothing more is"):
                    attempt()

    taken, woken = threading.Event(), threading.Event()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(suspended)
        taken.wait()
        with claimed(location, "run"):
            writer, _, _ = resume_run(location)
            woken.set()
            first.result()
            example.commit(writer, [2])
            assert "writer-2.claim" in location.names()
    assert example.contents(open_run(location)) == uninterrupted(3)


def test_where_no_claim_can_be_written_it_is_said(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"cannot write the run .*nothing was recorded; name a place"):
        try_to_claim(Location.of(tmp_path / "file" / "run.zarr"))


def test_a_run_under_a_claim_is_overwritten_with_the_claim_kept(example, tmp_path):
    location = Location.of(tmp_path / "run.zarr")
    example.commit(example.create(location), [0])
    with claimed(location, "run") as found:
        example.commit(example.create(location, overwrite=True), [0])
        found.check()
    assert "writer-1.claim" not in location.names()
    assert json.loads((tmp_path / "run.zarr" / "zarr.json").read_text())["attributes"]["status"] == "running"


@pytest.mark.parametrize("place", ["checkpoint", "checkpoint/odd", "rate/time/c", "rate/time/c/0"])
def test_nothing_outside_a_store_is_touched_through_a_link(example, path, tmp_path, place):
    example.commit(example.create(path), range(3))
    victim = tmp_path / "victim"
    (path / place).rename(victim)
    (path / place).symlink_to(victim)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    for attempt in (try_to_claim, resume_run):
        refusal = rf"expected files and folders alone in {re.escape(str(path))}, found a symbolic link: .*victim"
        with pytest.raises(StoreError, match=refusal):
            attempt(Location.of(path))
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_store_may_be_reached_through_a_link(example, path, tmp_path):
    example.commit(example.create(path), range(2))
    (tmp_path / "alias").symlink_to(path)
    with claimed(Location.of(tmp_path / "alias"), "run"):
        example.commit(resume_run(tmp_path / "alias")[0], [2])
        with pytest.raises(StoreError, match="alone in writing"):
            elsewhere(try_to_claim, Location.of(path))


def test_what_is_overwritten_leaves_what_its_links_point_to(tmp_path):
    for name in ("folder", "file", "nothing"):
        (tmp_path / "a.zarr").mkdir(exist_ok=True)
        (tmp_path / "a.zarr" / name).symlink_to(tmp_path / name)
    (tmp_path / "folder").mkdir()
    for file in (tmp_path / "file", tmp_path / "folder" / "precious"):
        file.write_text("precious")
    Location.of(tmp_path / "a.zarr").clear(["folder", "file", "nothing", "none"])
    assert [*(tmp_path / "a.zarr").iterdir()] == []
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "precious").read_text() == "precious"


@pytest.mark.parametrize("name", ["alias.zarr", "a.zarr/runs/x/../000000.zarr"])
def test_runs_that_a_sweep_keeps_are_known_by_every_name(tmp_path, name):
    sweep = Location.of(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "runs" / "x").mkdir(parents=True)
    (tmp_path / "alias.zarr").symlink_to(tmp_path / "a.zarr" / "runs" / "000000.zarr")
    run = Location.of(tmp_path / name)
    with claimed(sweep, "sweep"):
        assert held(run) is not None
        with pytest.raises(StoreError, match="alone in writing the sweep"):
            elsewhere(try_to_claim, run)


@pytest.mark.parametrize(
    "field", [{"number": -1}, {"number": "abc"}, {"number": [1]}, {"number": 1.5}, {"started": "x"}]
)
def test_a_claim_of_no_process_holds_for_a_while_as_one_that_is_being_written(tmp_path, field):
    location = Location.of(tmp_path)
    leave(location, **field)
    with pytest.raises(StoreError, match="a machine unknown has been writing it"):
        try_to_claim(location)
    leave(location, age=2 * LEASE, **field)
    try_to_claim(location)


def test_a_claim_nested_deeply_is_no_claim_and_a_long_one_is_named(tmp_path):
    location = Location.of(tmp_path)
    location.write("writer-1.claim", b"[" * 4000)
    os.utime(tmp_path / "writer-1.claim", (0, 0))
    try_to_claim(location)
    location.write("writer-1.claim", b"[" * 5000)
    with pytest.raises(StoreError, match=r"writer-1.claim: expected a regular file of at most 4096 bytes"):
        try_to_claim(location)


def test_a_sign_of_life_from_the_future_does_not_count(location):
    leave(location, machine="another", age=-30.0)
    with pytest.raises(StoreError, match=r"its claim ends at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"):
        try_to_claim(location)
    leave(location, machine="another", age=-1e9)
    try_to_claim(location)


def test_names_in_a_claim_cannot_write_to_a_terminal(location):
    leave(location, machine="another", host="\x1b]0;x\x07\n" + 1000 * "h")
    with pytest.raises(StoreError) as refusal:
        try_to_claim(location)
    assert str(refusal.value).isprintable()
    assert "h" * 101 not in str(refusal.value)


@pytest.mark.parametrize("number", ["9" * 200, 10**8, 0, "", "\u0663"])
def test_a_claim_that_none_of_ours_can_be_is_told_and_nobody_writes(location, number):
    location.write(f"writer-{number}.claim", b"{}")
    with pytest.raises(StoreError, match=rf"expected claims such as writer-1\.claim, found writer-{str(number)[:9]}"):
        try_to_claim(location)
    assert location.names() == [f"writer-{number}.claim"]


def test_what_no_number_can_follow_is_told(location):
    leave(location, 10**8 - 1, age=10 * LEASE, machine="another", number=1)
    with pytest.raises(StoreError, match=r"expected a number that others follow, found writer-99999999\.claim"):
        try_to_claim(location)
    assert location.names() == ["writer-99999999.claim"]
