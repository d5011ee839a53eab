"""A server of http that sends more than it was asked for, or nothing."""

import gzip
import socket
import threading
import tracemalloc
from contextlib import contextmanager

import pytest
from zarr.abc.store import RangeByteRequest
from zarr.core.sync import sync

from twinbrain.errors import StoreError
from twinbrain.store import Location, file_systems, http

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


def test_a_part_is_not_taken_from_a_server_that_sends_the_whole():
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789"
    with serving(lambda connection: connection.sendall(whole)) as url:
        location = Location.of(url)
        assert location.read("c", 10) == b"0123456789"
        with pytest.raises(StoreError, match="expected a server that answers ranges"):
            sync(location.fetch(location.store(read_only=True), "c", byte_range=RangeByteRequest(4, 6)))
