"""Sweeps from the command line."""

import json

import numpy as np
import pytest

import twinbrain as tb

SWEEP = """
[sweep]
reduce = ["mean_rates"]

[sweep.parameters]
coupling = [0.5, 1.0]
"run.seed" = { range = 2 }
"""

FUNCTIONS = """
value = 3

def n_spikes(run):
    return run["spikes"].sizes["spike"]

def moody(run):
    if run["spikes"].sizes["spike"] and run.attrs["seed"] == 1:
        raise ValueError("no luck")
    return 1.0
"""


@pytest.fixture
def swept(folder):
    """The working folder, its workflow swept over four points."""
    with (folder / "small.toml").open("a") as file:
        file.write(SWEEP)
    (folder / "functions_of_mine.py").write_text(FUNCTIONS)
    return folder


@pytest.fixture
def run(swept, twinbrain):
    return lambda *options: twinbrain("run", "small.toml", "--workers", 0, *options)


def test_a_workflow_with_a_sweep_is_swept(run, swept):
    outcome = run()
    assert (outcome.code, outcome.err) == (0, "")
    for text in (
        "sweep of small",
        "4: coupling 2 × seed 2",
        "mean_rates",
        "runs/small.zarr: 4 of 4 points done, 0 failed",
    ):
        assert text in outcome.out
    found = tb.open_sweep(swept / "runs/small.zarr")
    assert found["mean_rates"].dims == ("coupling", "seed", "region")
    assert (found["status"] == 1).all()
    assert [path.name for path in (swept / "runs").iterdir()] == ["small.zarr"]


def test_settings_reach_every_point_and_the_sweep_itself(run, swept):
    options = ("--set", "run.duration=20 ms", "--set", "sweep.parameters.coupling=[2.0]", "--set", "sweep.batch=1")
    assert run(*options, "--out", "kept here/one.zarr").code == 0
    found = tb.open_sweep(swept / "kept here/one.zarr")
    assert found["coupling"].values.tolist() == [2.0]
    facts = json.loads(run(*options, "--out", "kept here/one.zarr", "--json").out)
    assert (facts["batch"], facts["points"]) == (1, 2)


def test_a_plan_says_what_a_sweep_needs_and_writes_nothing(swept, twinbrain):
    before = sorted(swept.iterdir())
    outcome = twinbrain("plan", "small.toml")
    assert (outcome.code, outcome.err) == (0, "")
    for text in ("sweep of small", "4: coupling 2 × seed 2", "0.04 s in steps of 0.1 ms", "reference"):
        assert text in outcome.out
    assert sorted(swept.iterdir()) == before


def test_what_is_printed_as_json_is_json_and_nothing_else(run, twinbrain):
    report = json.loads(run("--json").out)
    assert report["sweep"] == "runs/small.zarr"
    assert report["dimensions"] == {"coupling": 2, "seed": 2}
    assert (report["points"], report["done"], report["failed"], report["errors"]) == (4, 4, 0, [])
    assert report["results"] == ["mean_rates"]
    info = json.loads(twinbrain("info", "runs/small.zarr", "--json").out)
    assert info == {key: value for key, value in report.items() if key != "sweep"}
    assert json.loads(twinbrain("resume", "runs/small.zarr", "--workers", 0, "--json").out) == report


def test_what_functions_print_is_no_part_of_the_json(run, swept):
    text = "print('imported')\ndef noisy(run):\n    print('computed')\n    return 1.0\n"
    (swept / "noisy.py").write_text(text)
    outcome = run("--reduce-from", "noisy.py:noisy", "--json")
    assert json.loads(outcome.out)["results"] == ["mean_rates", "noisy"]
    assert "imported" in outcome.err
    assert "computed" in outcome.err


def test_info_says_what_a_sweep_holds(run, twinbrain):
    run()
    out = twinbrain("info", "runs/small.zarr").out
    for text in ("small", "4: coupling 2 × seed 2", "mean_rates", " an object"):
        assert text in out


def test_a_function_of_a_file_reduces_beside_those_of_the_file(run, swept):
    assert run("--reduce-from", "functions_of_mine.py:n_spikes").code == 0
    found = tb.open_sweep(swept / "runs/small.zarr")
    assert {"mean_rates", "n_spikes"} <= set(found)
    assert (found["n_spikes"] > 0).all()


def test_points_that_fail_end_the_command_with_1_and_are_tried_again(run, swept, twinbrain):
    outcome = run("--reduce-from", "functions_of_mine.py:moody")
    assert outcome.code == 1
    assert "2 of 4 points done, 2 failed" in outcome.out
    assert "ValueError: no luck (moody, " in outcome.out
    assert "(2 points)" in outcome.out
    assert "error 1" in twinbrain("info", "runs/small.zarr").out
    again = twinbrain(
        "resume", "runs/small.zarr", "--workers", 0, "--reduce-from", "functions_of_mine.py:moody", "--json"
    )
    assert again.code == 1
    report = json.loads(again.out)
    assert (report["done"], report["failed"]) == (2, 2)
    assert len(report["errors"]) == 1
    found = tb.open_sweep(swept / "runs/small.zarr")
    np.testing.assert_array_equal(found["status"], [[1, 2], [1, 2]])


def test_a_sweep_is_gone_on_with_by_the_same_command_and_replaced_if_wanted(run, swept, refused):
    run()
    assert "4 of 4 points done" in run().out
    (swept / "small.toml").write_text((swept / "small.toml").read_text().replace("[0.5, 1.0]", "[0.5, 2.0]"))
    refused(("run", "small.toml", "--workers", 0), "small.toml", "coupling[1]: 1.0 before, 2.0 now", "--overwrite")
    assert run("--overwrite").code == 0
    assert tb.open_sweep("runs/small.zarr")["coupling"].values.tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("functions_of_mine.py", "expected file.py:function or module:function, found 'functions_of_mine.py'"),
        ("functions_of_mine.py:", "expected file.py:function"),
        (":n_spikes", "expected file.py:function"),
        ("no_such_module:f", "a file in this folder is no_such_module.py:f"),
        ("no_such_file.py:f", "No such file or directory"),
        ("functions_of_mine.py:f", "has no attribute 'f'"),
        ("functions_of_mine.py:value", "expected a function, found 'functions_of_mine.py:value', which is of type int"),
    ],
)
def test_what_names_no_function_is_refused(swept, refused, text, message):
    refused(("run", "small.toml", "--workers", 0, "--reduce-from", text), "--reduce-from", message)
    assert not (swept / "runs").exists()


def test_functions_are_needed_again(run, refused):
    run("--reduce-from", "functions_of_mine.py:n_spikes")
    refused(("resume", "runs/small.zarr", "--workers", 0), "expected the function 'n_spikes'", "--reduce-from")


@pytest.mark.parametrize(
    ("setting", "texts"),
    [
        ("sweep.parameters.coupling=[]", ["parameters.coupling", "at least one value"]),
        ("sweep.parameters.copling=[1.0]", ["unknown key 'copling'", "coupling"]),
        ("sweep.parameters.brain={}", ["sweep.parameters.brain"]),
        ("sweep.parametrs={}", ["unknown key 'parametrs'"]),
        ("sweep.reduce=['mean_rate']", ["sweep.reduce.mean_rate", "did you mean 'mean_rates'?"]),
        ("sweep.batch=0", ["sweep.batch"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_sweep_that_cannot_be_is_refused_naming_the_file(swept, refused, command, setting, texts):
    refused((command, "small.toml", "--set", setting), "small.toml", *texts)


def test_two_functions_of_one_name_are_refused(swept, refused):
    twice = ("--reduce-from", "functions_of_mine.py:n_spikes", "--reduce-from", "others_of_mine.py:n_spikes")
    (swept / "others_of_mine.py").write_text(FUNCTIONS)
    refused(("plan", "small.toml", *twice), "--reduce-from: expected each name once, found 'n_spikes' twice")
