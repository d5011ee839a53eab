import inspect
import sys

import numpy as np
import pytest

import twinbrain as tb
from twinbrain.functions import function_of
from twinbrain.learn.tasks import registry

MINE = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
import twinbrain as tb
from twinbrain.learn.tasks.options import Duration

@dataclass
class Halves:
    n: int

def build(n_trials: int = 4, duration: Duration = 5.0) -> tb.Task:
    spikes = np.zeros((Halves(n_trials).n, round(duration), 2), np.uint8)
    trials = tb.trials_of(spikes, np.arange(n_trials) % 2)
    return tb.Task("mine", "which half", 2, 2, "classification", 1.0, trials, trials, trials, 0.5)

def none():
    return 3

number = 3
"""


@pytest.fixture
def build(tmp_path):
    (tmp_path / "my_tasks.py").write_text(MINE)
    return function_of(f"{tmp_path}/my_tasks.py:build", "--task-from")


def test_the_name_of_each_task_is_that_of_its_function():
    for name in tb.task_names():
        build = registry.find_task(name)
        assert build.__name__ == name
        assert {"dt", "seed"} <= set(inspect.signature(build).parameters)


@pytest.mark.parametrize("name", tb.task_names())
def test_every_option_is_typed_and_told(name):
    build = registry.find_task(name)
    options = inspect.signature(build).parameters
    assert set(registry.task_options(build).model_fields) == set(options)
    assert all(option.annotation is not option.empty for option in options.values())
    table = build.__doc__.partition("Parameters\n")[2]
    told = [
        word for line in table.splitlines() if " : " in line for word in line.partition(" : ")[0].strip().split(", ")
    ]
    assert told == list(options)


def test_options_are_read_with_their_units():
    task = tb.task("xor", dt="0.5 ms", duration="0.01 s", n_train=8)
    assert (task.dt, task.train.n_steps, len(task.train)) == (0.5, 20, 8)


def test_unknown_names_and_options_get_the_nearest_and_all():
    with pytest.raises(tb.SpecError, match=r"found 'vowles'; did you mean 'vowels'\? Known: cue_accumulation, "):
        tb.task("vowles")
    with pytest.raises(tb.SpecError) as error:
        tb.task("xor", gaet="and", dt=1.0, coding="morse", n_train=0)
    assert [str(problem).partition(";")[0] for problem in sorted(error.value.problems, key=str)] == [
        "task xor: coding: input should be 'regular' or 'latency', found 'morse'",
        "task xor: dt: expected a quantity in ms, found 1.0 without a unit",
        "task xor: gaet: unknown key 'gaet'",
        "task xor: n_train: input should be greater than or equal to 1, found 0",
    ]
    assert "did you mean 'gate'? Known: coding, dt, duration, gate" in str(error.value)


def test_an_option_without_default_is_required():
    with pytest.raises(tb.SpecError, match="task shd: folder: this key is required and missing"):
        tb.task("shd")


def test_a_function_is_a_task(build):
    task = tb.task(build, n_trials=6, duration="10 ms")
    assert (task.name, len(task.train), task.train.n_steps) == ("mine", 6, 10)
    with pytest.raises(tb.SpecError, match="task build: n_trails: unknown key 'n_trails'; did you mean 'n_trials'"):
        tb.task(build, n_trails=3)


@pytest.mark.parametrize("name", ["my_tasks.py:build", "os:system", "builtins:exec", ":build", "a:"])
def test_a_name_that_names_code_is_refused(name):
    with pytest.raises(tb.SpecError, match=r"names code.*--task-from FILE\.py:FUNCTION.*tb\.register_task"):
        tb.task(name)


def test_a_function_that_makes_something_else_is_told():
    def none():
        return 3

    with pytest.raises(tb.LearnError, match="none: expected a Task, found int"):
        tb.task(none)


def test_a_function_that_would_end_the_process_is_told():
    def leaves():
        sys.exit(0)

    with pytest.raises(RuntimeError, match=r"leaves ends the process \(SystemExit: 0\)"):
        tb.task(leaves)


def test_a_name_lasts_as_long_as_its_context(build):
    with registry.registering({"halves": build}):
        assert tb.task("halves").name == "mine"
        assert registry.own_tasks() == {"halves": build}
        with pytest.raises(tb.LearnError, match="a name that is free"), registry.registering({"xor": build}):
            pass
    assert "halves" not in tb.task_names()


def test_a_task_can_be_given_a_name(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})

    @tb.register_task
    def flip(n: int = 4) -> tb.Task:
        trials = tb.trials_of(np.zeros((n, 3, 1), np.uint8), np.zeros(n, np.int64))
        return tb.Task("flip", "a coin", 1, 2, "classification", 1.0, trials, trials, trials, 0.5)

    assert "flip" in tb.task_names()
    assert len(tb.task("flip", n=7).train) == 7
    for name in ("xor", "flip", "a:b"):
        with pytest.raises(tb.LearnError, match=f"a name that is free and without a colon, found '{name}'"):
            tb.register_task(lambda: None, name)


def test_a_function_that_is_made_anew_takes_the_place_of_the_one_before(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    cell = "@tb.register_task\ndef mine(): ...\nany_of_them = lambda: None\nclass Other:\n    def mine(): ..."
    first, again, elsewhere = ({"tb": tb, "__name__": name} for name in ("here", "here", "there"))
    for names in (first, again):
        exec(cell, names)
        assert registry.find_task("mine") is names["mine"]
    with registry.registering({"mine": first["mine"]}):  # as where a training is opened with its function
        assert registry.find_task("mine") is first["mine"]
    assert registry.find_task("mine") is again["mine"]
    with pytest.raises(tb.LearnError, match="found 'mine'; give another"):
        exec(cell, elsewhere)
    tb.register_task(first["any_of_them"], "nameless")
    for other, name in ((again["Other"].mine, "mine"), (again["any_of_them"], "nameless")):
        with pytest.raises(tb.LearnError, match=f"found '{name}'; give another"):
            tb.register_task(other, name)


@pytest.mark.parametrize("name", [{"name": "digits"}, None, 5])
def test_what_is_neither_a_name_nor_a_function_is_refused(name):
    with pytest.raises(tb.LearnError, match=r"task: expected the name of a task, or a function .*, found a "):
        tb.task(name)
