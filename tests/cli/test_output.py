"""What the command line writes to: terminals without our characters, full and closed pipes."""

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
from rich.text import Text

from twinbrain.cli.console import Console, say_json, visible

COMMAND = [sys.executable, "-m", "twinbrain.cli"]


def test_the_version_is_told(twinbrain):
    assert twinbrain("--version") == (0, f"twinbrain {version('twinbrain')}\n", "")


@pytest.mark.parametrize(
    "command", [["regions"], pytest.param(["workflows"], marks=pytest.mark.slow), ["validate", "no file ….toml"]]
)
def test_a_terminal_that_knows_ascii_alone_gets_ascii(command, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run([*COMMAND, *command], capture_output=True, timeout=100)
    assert done.returncode == (2 if command[0] == "validate" else 0)
    assert b"Traceback" not in done.stderr
    (done.stdout + done.stderr).decode("ascii")


def test_what_is_no_finite_number_is_null_in_json(capsys):
    """Of regions that are silent no correlation can be told, and JSON knows no NaN (RFC 8259, section 6)."""
    say_json({"r": float("nan"), "rows": [{"rate": float("inf")}, (np.float64("nan"), 1.5, 3, "NaN", None)]})
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {"r": None, "rows": [{"rate": None}, [None, 1.5, 3, "NaN", None]]}


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


STEERING = ["\x1b]52;c;ZXZpbA==\x07", "\x1b[31mred", "[/nothing] :smile: [red]", "\x9b2J", "\u202egnp"]


@pytest.mark.parametrize("name", STEERING)
def test_a_name_of_a_file_does_not_steer_the_terminal(name, edit, twinbrain):
    edit("pair.toml", "[populations]", f"[populations]\n{json.dumps(name)} = {{ cell = 'nothing', size = 1 }}")
    outcome = twinbrain("validate", "pair.toml")
    assert outcome.code == 2
    assert f"populations.{visible(name)}" in outcome.err
    assert not set(outcome.err) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("summary", STEERING)
def test_a_summary_of_a_file_does_not_steer_the_terminal(summary, folder, twinbrain):
    (folder / "regions").mkdir()
    text = (folder / "pair.toml").read_text()
    (folder / "regions" / "pair.toml").write_text(f"summary = {json.dumps(summary)}\n{text}")
    outcome = twinbrain("regions")
    assert outcome.code == 0
    assert visible(summary) in outcome.out
    assert not set(outcome.out) & set("\x1b\x07\x9b\u202e")


def test_colours_of_our_own_still_reach_a_terminal():
    printed = io.StringIO()
    console = Console(file=printed, force_terminal=True, color_system="standard", highlight=False)
    console.print(Text("error", "red"), "\x1b[2J")
    assert printed.getvalue() == "\x1b[31merror\x1b[0m \\x1b[2J\n"


def test_memory_that_is_used_up_is_told_in_one_line(twinbrain, monkeypatch):
    def full(path):
        raise MemoryError("Unable to allocate 1. TiB")

    monkeypatch.setattr("twinbrain.spec.load.load_workflow", full)
    outcome = twinbrain("validate", "small.toml")
    assert outcome.code == 2
    assert (
        outcome.err == "error: expected enough memory, found too little; make the model or what is recorded smaller\n"
    )


@pytest.mark.skipif(os.name != "posix", reason="closes streams by a shell")
def test_streams_that_were_closed_before_the_start_are_those_of_nobody():
    """And no file that is opened later, here or in a process that is started, takes their numbers."""
    program = (
        "import os, sys\nfrom twinbrain.cli import main\nsys.argv = ['twinbrain', '--version']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        "same = all(os.path.samestat(os.fstat(n), os.stat(os.devnull)) and os.get_inheritable(n) for n in range(3))\n"
        "os._exit(code or (10 if same else 11))"
    )
    line = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", program]
    assert subprocess.run(line, check=False).returncode == 10
