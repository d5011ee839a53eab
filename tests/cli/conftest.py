import sys
from typing import NamedTuple

import pytest

from tests.cli.small import write_files
from twinbrain.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a workflow, ``small.toml``, and all that it needs."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # tables are as wide as they need be
    return tmp_path


@pytest.fixture
def edit(folder):
    """Replace a text, which is there once, in one of the files."""

    def replace(name, before, after):
        text = (folder / name).read_text()
        assert text.count(before) == 1
        (folder / name).write_text(text.replace(before, after))

    return replace


@pytest.fixture
def twinbrain(folder, monkeypatch, capsys):
    """Run a command line in the folder; it may end in no other way than by an exit code."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["twinbrain", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def refused(twinbrain):
    """Run a command line that ends with exit code 2 and one message, which holds each of the texts."""

    def call(arguments, *texts):
        outcome = twinbrain(*arguments)
        assert outcome.code == 2, outcome
        assert outcome.err.startswith("error: ")
        assert outcome.err.count("error: ") == 1
        assert "Traceback" not in outcome.out + outcome.err
        for text in texts:
            assert text in outcome.err
        return outcome.err

    return call
