"""A server of http: one of whole runs, one that sends more than it was asked for, and one that says nothing."""

import gzip
import re
import socket
import threading
import tracemalloc
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import numpy as np
import pytest
from zarr.abc.store import RangeByteRequest, SuffixByteRequest
from zarr.core.sync import sync

from twinbrain.errors import StoreError
from twinbrain.store import Location, file_systems, http, open_run, read_state
from twinbrain.store.check import check_objects

pytest.importorskip("aiohttp")


@contextmanager
def serving(answer, asked=None):
    """Answer every request by a function of the connection, and keep what was asked; yield the URL."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection):
        try:
            request = connection.recv(65536)
            if asked is not None:
                asked.append(request)
            answer(connection)
        except OSError:  # the other side has heard enough
            pass
        finally:
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a.zarr"
    finally:
        server.close()


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    """Connections of each test's own, closed at its end."""
    monkeypatch.setattr(file_systems, "_open", {})
    yield
    file_systems._close()


@contextmanager
def serving_files(folder, ranges=True):
    """Serve the files of a folder, in ranges or whole, without listings; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            file = folder / unquote(self.path).lstrip("/")
            if not file.is_file():
                return self.answer(404)
            data = file.read_bytes()
            if not ranges or not (asked := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))):
                return self.answer(200, data)
            if not data or int(asked[1] or 0) >= len(data):
                return self.answer(416)
            start = int(asked[1]) if asked[1] else max(0, len(data) - int(asked[2]))
            return self.answer(206, data[start : int(asked[2]) + 1 if asked[1] and asked[2] else None])

        def answer(self, status, data=b""):
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *told):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_run_with_its_checkpoint_is_read_as_from_the_disk(example, path):
    example.commit(example.create(path), range(3))
    with serving_files(path.parent) as url:
        place = f"{url}/{path.name}"
        assert example.contents(open_run(place).load()) == example.contents(open_run(path).load())
        read, expected = read_state(place), example.state(2)
        assert read.variables.keys() == expected.variables.keys()
        for name, values in expected.variables.items():
            np.testing.assert_array_equal(read.variables[name], values)
        assert check_objects(place) == check_objects(path)


def test_a_file_that_was_emptied_is_named_and_the_rest_is_checked(example, path):
    example.commit(example.create(path), range(3))
    for key in ("spikes/neuron/c/0", "spikes/time_step/c/0"):
        (path / key).write_bytes(b"")
    with serving_files(path.parent) as url:
        place = f"{url}/{path.name}"
        with pytest.raises(StoreError, match="spikes/neuron/c/0: expected"):
            open_run(place)["spikes/neuron"][:10].load()
        found = check_objects(place)
    assert {damage.place for damage in found.damaged} == {f"{place}/spikes/neuron/c/0", f"{place}/spikes/time_step/c/0"}
    assert found.n_objects == check_objects(path).n_objects


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 2**20)


def bomb(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    connection.sendall(gzip.compress(b" " * 100_000_000, 9))


def test_no_more_is_taken_than_the_object_may_have():
    with serving(endless) as url:
        tracemalloc.start()
        try:
            with pytest.raises(StoreError, match="found one of more than 1000000 bytes"):
                Location.of(url).read("zarr.json", 1_000_000)
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


def test_what_unpacks_to_far_more_is_not_unpacked():
    with serving(bomb) as url, pytest.raises(StoreError, match="as it is stored, found one packed as 'gzip'"):
        Location.of(url).read("zarr.json", 1_000_000)


def test_a_listing_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1_000_000)
    with serving(endless) as url, pytest.raises(StoreError, match="expected an answer of at most 1000000 bytes"):
        Location.of(url).names()


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(http, "SILENCE", 0.2)
    told = pytest.raises(StoreError, match=r"cannot be reached .*; check the address and the network")
    with serving(lambda connection: connection.recv(1)) as url, told:
        Location.of(url).read("zarr.json", 1000)


def test_what_the_user_gives_sessions_holds_beside_our_limits(monkeypatch):
    import fsspec.config

    given = {"client_kwargs": {"trust_env": True, "headers": {"Authorization": "Bearer a", "Accept-Encoding": "gzip"}}}
    monkeypatch.setitem(fsspec.config.conf, "https", given)
    asked = []

    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n0")

    with serving(answer, asked) as url:
        assert Location.of(url).read("c", 10) == b"0"
        assert next(iter(file_systems._open.values())).client_kwargs["trust_env"]
    assert b"Authorization: Bearer a" in asked[0]
    assert b"Accept-Encoding: identity" in asked[0]


@pytest.mark.parametrize("status", [b"200 OK", b"206 Partial Content"])
def test_a_part_is_cut_from_what_a_server_sends_beyond(status, monkeypatch):
    whole = b"HTTP/1.1 " + status + b"\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789"
    with serving(lambda connection: connection.sendall(whole)) as url:
        location = Location.of(url)
        assert location.read("c", 10) == b"0123456789"
        store = location.store(read_only=True)
        if status.startswith(b"206"):  # the part begins where it was asked to
            assert sync(location.fetch(store, "c", byte_range=RangeByteRequest(4, 6))).to_bytes() == b"01"
            return
        assert sync(location.fetch(store, "c", byte_range=RangeByteRequest(4, 6))).to_bytes() == b"45"
        assert sync(location.fetch(store, "c", byte_range=SuffixByteRequest(3))).to_bytes() == b"789"
        monkeypatch.setattr(http, "LARGEST_ANSWER", 5)
        with pytest.raises(StoreError, match="expected a server that answers ranges"):
            sync(location.fetch(store, "c", byte_range=RangeByteRequest(4, 6)))
        with pytest.raises(StoreError, match="expected an answer of at most 5 bytes"):
            sync(location.fetch(store, "c", byte_range=SuffixByteRequest(3)))


def test_a_run_is_read_from_a_server_that_takes_no_notice_of_ranges(example, path):
    example.commit(example.create(path), range(3))
    with serving_files(path.parent, ranges=False) as url:
        place = f"{url}/{path.name}"
        assert example.contents(open_run(place).load()) == example.contents(open_run(path).load())
        assert check_objects(place) == check_objects(path)
