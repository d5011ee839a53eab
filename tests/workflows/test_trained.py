"""Every shipped workflow that trains does, made small, and ends in what it is shipped for."""

import json
import sys
from collections import Counter

import pytest

import twinbrain as tb
from twinbrain.cli import main

TRAINED = [name for name in tb.workflow_names() if tb.load_workflow(name).train is not None]
SHORT = {"shortest": "5 ms", "longest": "20 ms", "onset": "5 ms", "response": "10 ms"}
FEW = {"n_intervals": 2, "n_neurons": 3, "n_train": 8, "n_validation": 4, "n_test": 4}
STUDIES = [name for name in TRAINED if tb.load_workflow(name).sweep is not None]


# Of 100 pictures, 40 are read by chance once in 10^13.
@pytest.mark.parametrize(
    ("epochs", "n_train", "n_test", "least"), [(1, 40, 20, 0.0), pytest.param(4, 200, 100, 0.4, marks=pytest.mark.slow)]
)
def test_the_digits_are_learned_and_read_in_brian2_with_the_same_spikes(
    tmp_path, monkeypatch, capsys, epochs, n_train, n_test, least
):
    sizes = {"n_train": n_train, "n_validation": 40, "n_test": n_test}
    small = (f"train.epochs={epochs}", *(f"train.task.{name}={n}" for name, n in sizes.items()))
    options = [part for setting in small for part in ("--set", setting)]
    out = str(tmp_path / "digits.zarr")
    monkeypatch.setattr(
        sys, "argv", ["twinbrain", "train", "digits", *options, "--out", out, "--replay", "5", "--no-figure", "--json"]
    )
    with pytest.raises(SystemExit) as end:
        main()
    found = capsys.readouterr()
    assert end.value.code == 0, found.err
    facts = json.loads(found.out)
    assert (facts["status"], facts["epochs"]) == ("complete", f"{epochs} of {epochs}")
    assert facts["score"] >= least
    assert facts["chance"] == pytest.approx(0.1, abs=0.03)
    assert facts["replay"].startswith("5 held-out trials in brian2: 0 of ")
    assert tb.load_region(facts["region"]).populations["readout"].size == 10


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_names_in_its_contrasts_what_it_trains(name):
    sweep = tb.load_workflow(name).sweep
    assert sweep.contrasts
    assert tb.load_workflow(name).summary


def inline(value):
    """Return a value as TOML in one line."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{ " + ", ".join(f"{json.dumps(key)} = {inline(inner)}" for key, inner in value.items()) + " }"


@pytest.mark.slow
@pytest.mark.parametrize("per_condition", [1, 99])
def test_the_study_of_diversity_ends_in_one_table_and_one_figure(tmp_path, monkeypatch, capsys, per_condition):
    chosen, n_of = {}, Counter()
    for name, case in tb.load_workflow("diversity").sweep.cases.items():
        condition = name.partition(": ")[0]
        n_of[condition] += 1
        # Of the first, two, so that one has to be chosen.
        if n_of[condition] <= max(per_condition, 2 if len(n_of) == 1 else 1):
            chosen[name] = case
    settings = [f"train.task.{key}={value}" for key, value in (SHORT | FEW).items()]
    settings += ["train.epochs=1", "train.batch_size=8", "sweep.parameters.seed=[0]", f"sweep.cases={inline(chosen)}"]
    options = [part for setting in settings for part in ("--set", setting)]
    out = tmp_path / "diversity.zarr"
    arguments = ["run", "diversity", *options, "--workers", "0", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["twinbrain", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.err
    table = out.with_suffix(".md").read_text()
    conditions = {name.partition(": ")[0] for name in tb.load_workflow("diversity").sweep.cases}
    rows = [line for line in table.split("\n\n")[0].splitlines() if line.startswith("|")][2:]
    assert len(rows) == len(conditions)
    for condition in conditions:
        assert condition in table
        assert condition in printed.out
    assert "chosen on validation trials" in table
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    study = tb.open_sweep(out)
    assert (study["status"] == 1).all()
    for contrast in tb.load_workflow("diversity").sweep.contrasts:
        assert f"| {contrast} |" in table
    # Every network has about as many trained weights as those that it is compared with; a linear model has what it has.
    n = study["n_parameters"].sel(case=study["case"] != "logistic regression").values
    assert n.max() < 1.3 * n.min()
