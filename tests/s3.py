"""A server that speaks S3, on this machine alone."""

import logging
import urllib.request
from itertools import count

import pytest

_numbers = count()


class Server:
    """A server that can be stopped, and started again with all that it holds."""

    def __init__(self):
        self._server, self._port = None, 0

    def start(self):
        from moto.server import ThreadedMotoServer

        if self._server is not None:
            return
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]

    def stop(self):
        if self._server is not None:
            self._server.stop()
        self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"


@pytest.fixture(scope="session")
def s3_server():
    """A running server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch, tmp_path):
    """The server, set as this process's and its children's S3; it runs again after the test."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "no config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    yield s3_server
    s3_server.start()


@pytest.fixture
def bucket(s3):
    """The URL of an empty bucket."""
    name = f"bucket-{next(_numbers)}"
    with urllib.request.urlopen(urllib.request.Request(f"{s3.url}/{name}", method="PUT")):
        return f"s3://{name}"
