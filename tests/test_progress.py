"""A bar is drawn where somebody looks, and nowhere else."""

import io
import multiprocessing
import sys
from types import SimpleNamespace

import pytest

import twinbrain as tb
from tests.cli.small import write_files
from tests.learn.small import rates_task
from twinbrain import progress
from twinbrain.progress import shown


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream, modules=sys.modules))
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN", 0.0)
    return stream


def lines(terminal):
    return [line for line in terminal.getvalue().split("\r") if line.strip()]


def clear(terminal):
    terminal.seek(0)
    terminal.truncate()


def test_a_bar_says_what_is_done_and_is_taken_away(terminal):
    with shown(None, {"build": "building"}) as tell:
        for done in (0, 1, 2):
            tell("build", done, 2)
            tell("other", done, 2)
    begun, half, whole = lines(terminal)
    assert begun.split() == ["building", "0%"]
    assert half.split() == ["building", "━" * 15, "50%,", "0:00", "left"]
    assert whole.split() == ["building", "━" * 30, "100%,", "0:00", "left"]
    assert terminal.getvalue().endswith("\r" + " " * len(whole) + "\r")


@pytest.mark.parametrize("wanted", [None, True])
def test_no_bar_is_drawn_where_errors_were_closed(monkeypatch, wanted):
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=None, modules=sys.modules))
    with shown(wanted, {"build": "building"}) as tell:
        tell("build", 1, 2)


def test_no_bar_is_drawn_where_nobody_looks(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=file, modules=sys.modules))
    with shown(None, {"build": "building"}) as tell:
        tell("build", 1, 2)
    assert file.getvalue() == ""


@pytest.mark.parametrize("given", [False, None])
def test_no_bar_is_drawn_if_not_wanted_or_in_a_worker(terminal, monkeypatch, given):
    if given is None:
        monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    with shown(given, {"build": "building"}) as tell:
        tell("build", 1, 2)
    assert terminal.getvalue() == ""


def test_runs_sweeps_and_trainings_show_how_far_they_are(terminal, tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    tb.simulate("small.toml", out="run.zarr")
    assert {line.split()[0] for line in lines(terminal)} == {"building", "compiling", "simulating"}
    clear(terminal)
    tb.sweep("small.toml", out="sweep.zarr", coupling=[0.5, 1.0], workers=0)
    assert {line.split()[0] for line in lines(terminal)} == {"points"}
    assert "100%" in lines(terminal)[-1]
    clear(terminal)
    tb.train(tb.load_region("pair.toml"), rates_task(n_trials=(12, 6, 6)), epochs=2, batch_size=6)
    assert {line.split()[0] for line in lines(terminal)} == {"training"}
    clear(terminal)
    tb.simulate("small.toml", out="run.zarr", overwrite=True, progress=False)
    assert terminal.getvalue() == ""
