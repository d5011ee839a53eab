import os
import pickle
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from twinbrain.errors import StoreError
from twinbrain.store import Location

_numbers = count()


@pytest.fixture(params=["a path", "s3", "memory"])
def location(request, tmp_path):
    if request.param == "a path":
        return Location.of(tmp_path / "runs" / "a.zarr")
    if request.param == "memory":
        return Location.of(f"memory://test_location/{next(_numbers)}/a.zarr")
    return Location.of(request.getfixturevalue("bucket") + "/runs/a.zarr")


def test_what_is_written_is_there_for_all_who_look(location):
    assert not location.exists()
    assert (location.names(), location.size(), location.is_free(), location.read("x")) == ([], 0, True, None)
    location.write("x", b"12")
    location.child("inner").write("y/z", b"345")
    assert location.exists()
    assert (location.names(), location.is_free()) == (["inner", "x"], False)
    assert (location.sizes(), location.size()) == ({"x": 2, "inner": 3}, 5)
    assert (location.read("x"), location.read("inner/y/z"), location.child("inner").read("z")) == (b"12", b"345", None)


def test_what_is_written_again_is_replaced(location):
    for data in (b"long", b"", b"x"):
        location.write("key", data)
        assert location.read("key") == data
        assert location.sizes() == {"key": len(data)}


def test_what_is_removed_is_gone_and_nothing_else(location):
    beside = Location.of(f"{location}2")
    location.write("x/y", b"1")
    beside.write("x", b"2")
    for _ in range(2):  # what is gone can be removed again
        location.remove()
        assert not location.exists()
    assert beside.read("x") == b"2"


def test_a_file_is_told_from_a_folder(location):
    location.write("x", b"1")
    assert not location.is_file()
    child = location.child("x")
    assert (child.exists(), child.is_file(), child.names()) == (True, True, [])
    assert not location.child("y").is_file()
    child.remove()
    assert location.names() == []


def test_what_an_interrupted_write_left_does_not_count(location):
    location.check_writable()
    assert location.names() == []
    left = f"zarr.{'0f' * 16}.partial"
    location.write(left, b"1")
    assert (location.names(), location.is_free()) == ([left], True)


@pytest.mark.parametrize("given", [None, b"runs/a.zarr", 3])
def test_what_is_no_text_is_no_place(given):
    with pytest.raises(StoreError, match="expected a path or a URL as text, found"):
        Location.of(given)


def test_a_path_that_cannot_be_reached_is_named(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path, reason in ((tmp_path / "loop", "symbolic links"), (tmp_path / ("a" * 300), "too long")):
        with pytest.raises(StoreError, match=f"expected a path that can be reached, found .*{reason}"):
            Location.of(path)


def test_a_url_of_this_machine_may_name_it_and_no_other(tmp_path):
    for url in (f"file://localhost{tmp_path}", f"file://{tmp_path}", f"FILE://LOCALHOST{tmp_path}"):
        assert Location.of(url).path == tmp_path
    with pytest.raises(StoreError, match="found one of the host 'elsewhere'"):
        Location.of("file://elsewhere/tmp/a.zarr")


def test_files_of_a_person_s_own_count_and_are_not_removed(location):
    for name in ("movie.mkv.partial", "mine.claim"):
        location.write(name, b"1")
        location.clean()
        assert (location.names(), location.is_free()) == ([name], False)
        location.delete(name)


def test_a_location_travels(location):
    location.write("x", b"1")
    for travelled in (pickle.loads(pickle.dumps(location)), Location.of(str(location)), Location.of(location)):
        assert travelled == location
        assert travelled.read("x") == b"1"
    store = location.store()
    assert pickle.loads(pickle.dumps(store)) == store != location.child("y").store()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("location", ["a path", "s3"], indirect=True)
def test_a_location_can_be_used_in_a_forked_process(location):
    location.write("x", b"1")
    process = os.fork()
    if not process:
        location.write("y", location.read("x"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert location.read("y") == b"1"


def test_another_process_is_seen_at_once(bucket):
    location = Location.of(f"{bucket}/a")
    location.write("x", b"1")
    assert location.names() == ["x"]
    code = f"from twinbrain.store import Location; Location.of('{bucket}/a').write('y', b'2')"
    found = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr == ""  # no connection was left open
    assert (location.names(), location.read("y")) == (["x", "y"], b"2")


def test_paths_stay_as_they_are_given():
    assert Location.of("runs/a.zarr").path == Path("runs/a.zarr")
    assert str(Location.of(Path("runs/a.zarr"))) == "runs/a.zarr"
    assert Location.of("file:///runs/a.zarr").path == Path("/runs/a.zarr")
    assert str(Location.of("s3://bucket/a.zarr/")) == "s3://bucket/a.zarr"
    assert str(Location.of("S3://Bucket/A.zarr")) == "s3://Bucket/A.zarr"
    assert str(Location.of("HTTP://me@host:80/a b.zarr")) == "http://me@host:80/a b.zarr"
    assert Location.of("./s3:b/x").path == Path("s3:b/x")
    assert Location.of("s3://bucket/a.zarr").name == Location.of("runs/a.zarr").name == "a.zarr"


WITHOUT_HOST = (":80", "@", "#", "h\\@evil", "h:port", " h", "..")
LEADING_ELSEWHERE = ("s3://b/..", "s3://b/../c/x", "gs://b/./x", "http://h/a/%2e%2E/b", "memory://x/../y")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("s3://bucket", r"expected s3://bucket/name.*found no name.*add one"),
        ("s3://bucket/*", r"without patterns, found '\*'.*name one place"),
        (Path("s3://bucket/name"), r"expected a URL as text, found a path: s3:/bucket/name"),
        ("s3:/bucket/x.zarr", r"a URL with '//' after s3:, found s3:/bucket/x.zarr; write s3://bucket/x.zarr$"),
        ("HTTPS:/host/x.zarr", r"write https://host/x.zarr$"),
        ("memory:/x.zarr", r"write memory://x.zarr$"),
        ("file:/tmp/x.zarr", r"write file:///tmp/x.zarr$"),
        ("nothing://x/y", r"a URL that begins with one of s3://, .*found nothing://x/y; name another"),
        ("simplecache::s3://bucket/x", r"begins with one of .*found simplecache::s3://bucket/x"),
        ("reference://refs.json/x", r"begins with one of .*found reference://"),
        ("http://host/x::zip:///tmp/z.zip", r"expected one URL, found several with '::' between them: http://host/x::"),
        ("memory://x::file:///tmp/x", r"expected one URL, found several"),
        ("s3:///bucket/x", r"expected s3://bucket/name, found no bucket: s3:///bucket/x; name one"),
        ("http:///host/x", r"expected http://host/name, found no host"),
        ("ssh://host/x", r"begins with one of .*found ssh://host/x"),
        *((f"http://{host}/x", "expected http://host/name, found '.*' as its host") for host in WITHOUT_HOST),
        *((f"s3://{bucket}/x", "expected s3://bucket/name, found '.*' as its bucket") for bucket in (" ", ".", "..")),
        *((f"{kind}://b/", f"expected {kind}://bucket/name, found no name") for kind in ("s3a", "gs", "az", "abfs")),
        *((url, "a URL that names its place, found '.*' in it: .*; leave that out") for url in LEADING_ELSEWHERE),
        ("http://host/x#y", "without a fragment, found '#' in http://host/x#y; write %23"),
        ("http:host/x", "a URL with '//' after http:, found http:host/x; write http://host/x$"),
        ("s3:b/x", "write s3://b/x$"),
        ("File:x", "'//' after file:, found File:x; write x$"),
    ],
)
def test_what_cannot_be_a_location_is_refused(given, message):
    with pytest.raises(StoreError, match=message):
        Location.of(given).names()


def test_a_url_is_no_path():
    with pytest.raises(StoreError, match="expected a path of this machine"):
        _ = Location.of("s3://bucket/name").path


def test_without_s3fs_the_extra_is_named(s3):
    code = """
import sys
sys.modules["s3fs"] = None
from twinbrain.store import check_target
check_target("s3://bucket/name")
"""
    found = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "twinbrain[s3]"' in found.stderr.splitlines()[-1]


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    async def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "zarr.json").write_text("{}")
    monkeypatch.setattr("zarr.storage.LocalStore.get", refuse)
    with pytest.raises(StoreError, match=r"zarr\.json: expected a file that can be read, found Permission denied"):
        Location.of(tmp_path).read("zarr.json")
