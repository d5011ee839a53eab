"""What the command line writes to: terminals without our characters, full and closed pipes."""

import subprocess
import sys
from importlib.metadata import version

import pytest

COMMAND = [sys.executable, "-m", "twinbrain.cli"]


def test_the_version_is_told(twinbrain):
    assert twinbrain("--version") == (0, f"twinbrain {version('twinbrain')}\n", "")


@pytest.mark.parametrize("command", [["regions"], ["workflows"], ["validate", "no file ….toml"]])
def test_a_terminal_that_knows_ascii_alone_gets_ascii(command, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run([*COMMAND, *command], capture_output=True, timeout=100)
    assert done.returncode == (2 if command[0] == "validate" else 0)
    assert b"Traceback" not in done.stderr
    (done.stdout + done.stderr).decode("ascii")


def test_a_pipe_that_is_full_is_told_in_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "regions"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_pipe_that_is_closed_ends_the_command_in_silence():
    process = subprocess.Popen(
        [*COMMAND, "regions", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.wait(timeout=100) == 1
    assert process.stderr.read() == ""
    process.stderr.close()
