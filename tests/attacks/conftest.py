"""Attacks: what a stranger's file, store or folder would do if it could. Each is really tried."""

import pytest

from tests.cli.conftest import folder as folder
from tests.cli.conftest import refused as refused
from tests.cli.conftest import twinbrain as twinbrain


@pytest.fixture
def marker(tmp_path_factory):
    """A file that every attack tries to make; the test fails where one has made it."""
    path = tmp_path_factory.mktemp("marker") / "attacked"
    yield path
    assert not path.exists(), "what came from a file was run"
