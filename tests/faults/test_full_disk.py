"""A disk that is full ends a run with a message; what was written stays, and the run goes on once there is room."""

import re
import resource
import subprocess
import sys

import pytest

import twinbrain as tb
from twinbrain.cli import main


@pytest.fixture
def twinbrain(place, monkeypatch, capsys):
    """Run a command line where the workflow is; return its exit code and what it says of errors."""

    def call(*arguments):
        monkeypatch.chdir(place)
        monkeypatch.setattr(sys, "argv", ["twinbrain", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    return call


def stopped_at(outcome, reason):
    """Check how a run ended, and return the model time that its message says is safe."""
    code, error = outcome
    assert code == 2, error
    assert reason in error
    assert "resume the run from there" in error
    return float(re.search(r"stays readable, up to ([\d.]+) ms", error)[1])


def test_on_a_full_disk_a_run_ends_readable_and_goes_on_once_there_is_room(twinbrain, disk, check):
    path = disk / "run.zarr"
    safe = stopped_at(twinbrain("run", "small.toml", "--no-figure", "--out", path), "No space left on device")
    assert 0 < safe < 400
    assert check(path) == safe
    again = stopped_at(twinbrain("resume", path, "--no-figure"), "No space left on device")
    assert check(path) == again >= safe
    subprocess.run(["mount", "-o", "remount,size=32m", disk], check=True)
    assert twinbrain("resume", path, "--no-figure") == (0, "")
    assert check(path) == 400.0


def test_beyond_a_limit_on_the_size_of_files_a_run_ends_readable_and_goes_on_without_it(twinbrain, tmp_path, check):
    path = tmp_path / "run.zarr"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, before[1]))
    try:
        safe = stopped_at(twinbrain("run", "small.toml", "--no-figure", "--out", path), "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert 0 < safe < 400
    assert check(path) == safe
    assert tb.open_run(path).attrs["status"] == "running"
    assert twinbrain("resume", path, "--no-figure") == (0, "")
    assert check(path) == 400.0
