"""Sweeps of trainings from the command line."""

import json

import pytest

import twinbrain as tb
from tests.cli.small import REGION

STUDY = """
region = "quiet.toml"

[run]
dt = "1 ms"

[train]
epochs = 1
batch_size = 16
precision = "float64" # as in `test_training`, whose kernels are compiled
task = { name = "xor", n_train = 16, n_validation = 8, n_test = 8 }

[sweep.parameters]
seed = { range = 2 }

[sweep.cases]
"alike: 20 ms" = { "regions.*.parameters.C_m" = "500 pF" }
"alike: 40 ms" = { "regions.*.parameters.C_m" = "1000 pF" }
LSTM = { "train.baseline" = "lstm" }
"""


@pytest.fixture
def study(folder, twinbrain):
    """Run a study of twelve neurons in the folder."""
    (folder / "quiet.toml").write_text(REGION.partition("[[drives]]")[0])
    (folder / "study.toml").write_text(STUDY)
    return lambda *options: twinbrain("run", "study.toml", "--workers", 0, *options)


def test_a_study_ends_in_a_table_and_a_figure_that_are_printed_and_kept(study, twinbrain, folder):
    outcome = study()
    assert (outcome.code, outcome.err) == (0, "")
    for text in (
        "6: case 3 × seed 2",
        "xor in steps of 1 ms, up to 1 epoch",
        "LSTM",
        "Chance is 50 %",
        "6 of 6 points",
    ):
        assert text in outcome.out
    table = (folder / "runs/study.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 2  # the head, and of the cases that are alike one
    assert table.startswith(tb.plot.comparison_table(tb.compare_conditions(tb.open_sweep("runs/study.zarr"))))
    assert (folder / "runs/study.png").read_bytes().startswith(b"\x89PNG")
    (folder / "runs/study.md").unlink()
    assert twinbrain("resume", "runs/study.zarr").code == 0
    assert (folder / "runs/study.md").read_text() == table
    (folder / "runs/study.md").write_text("notes of mine")
    outcome = twinbrain("resume", "runs/study.zarr", "--no-figure")
    assert (outcome.code, (folder / "runs/study.md").read_text()) == (0, "notes of mine")
    assert "runs/study.md was not written for runs/study.zarr and stays as it is" in outcome.out


def test_on_a_narrow_screen_names_and_intervals_stay_whole(study, monkeypatch):
    monkeypatch.setenv("COLUMNS", "84")
    table = study("--no-figure").out.partition("condition")[2].partition("Chance is")[0]
    assert "training" in table
    assert "operations" not in table
    rows = [line for line in table.splitlines() if line.startswith("│")]
    assert [row.split("│")[1].strip() for row in rows] == ["alike: 20 ms", "LSTM"]
    assert all(row.count("[") == row.count("]") for row in rows)


def test_a_study_as_json_is_json_and_nothing_else(study):
    outcome = study("--json", "--no-figure", "--set", "sweep.parameters.seed=[0]")
    facts = json.loads(outcome.out)
    assert (facts["points"], facts["done"], facts["table"]) == (3, 3, "runs/study.md")
    assert "figure" not in facts
    assert "disturbed" in facts["results"]


def test_a_condition_that_fails_is_told_and_the_others_are_compared(study, folder):
    settings = ('sweep.cases.bad={"train.input.receptor" = "ampa"}', "sweep.parameters.seed=[0]")
    outcome = study(*(part for setting in settings for part in ("--set", setting)))
    assert outcome.code == 1
    assert "train.input.receptor" in outcome.out
    assert "No result: bad" in outcome.out
    assert "3 of 4 points done, 1 failed" in outcome.out


def test_a_plan_of_a_study_trains_nothing(study, twinbrain, folder):
    before = sorted(folder.iterdir())
    facts = json.loads(twinbrain("plan", "study.toml", "--json").out)
    assert (facts["n_points"], facts["seconds"], facts["batch"]) == (6, None, 1)
    assert facts["results"]["disturbed"] == ["disturbance", "level"]
    assert sorted(folder.iterdir()) == before


def test_a_study_that_compares_nothing_says_why(study):
    task = '{ name = "patterns", duration = "40 ms", n_train = 4, n_validation = 4, n_test = 4 }'
    outcome = study("--set", f"train.task={task}", "--set", "sweep.parameters.seed=[0]", "--no-figure")
    assert outcome.code == 0
    assert "no comparison" in outcome.out
