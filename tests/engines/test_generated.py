"""Generated source is kept for other processes, and written anew where it was damaged."""

import sys

import pytest

from twinbrain.engines.generated import import_source
from twinbrain.errors import EngineError


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """The value in a module as a new process imports it, and the folder of its file."""
    monkeypatch.setenv("TWINBRAIN_CACHE_DIR", str(tmp_path))

    def load():
        module = import_source("test", "value = 12345\n")
        del sys.modules[module.__name__]
        return module.value

    return load, tmp_path / "generated"


@pytest.mark.parametrize("content", ["", "value = 12", "\xff"])
def test_damaged_source_is_written_anew(imported, content):
    load, folder = imported
    assert load() == 12345
    (file,) = folder.glob("*.py")
    file.write_text(content, encoding="latin-1")
    assert load() == 12345
    assert file.read_text() == "value = 12345\n"


def test_a_folder_that_cannot_be_written_is_named(imported):
    load, folder = imported
    folder.touch()
    with pytest.raises(EngineError, match=r"Not a directory.*TWINBRAIN_CACHE_DIR"):
        load()
