"""A name in a file or in a store is looked up among those that are known; it never imports anything."""

import json

import pytest
import xarray as xr

import twinbrain as tb
from tests.cli.small import REGION
from tests.roots import edit_root
from twinbrain.store.declared import declared

TRAINING = """
region = "pair.toml"

[run]
dt = "1 ms"

[train]
task = { name = "xor", duration = "20 ms", n_train = 8, n_validation = 4, n_test = 4 }
epochs = 1
precision = "float64" # as in tests/cli/test_training.py, whose kernels are compiled
"""
OWN = """
import numpy as np
import twinbrain as tb


def bits(n_trials: int = 8) -> tb.Task:
    label = np.arange(n_trials) % 2
    spikes = np.repeat(np.eye(2, dtype=np.uint8)[label][:, None], 12, axis=1)
    trials = tb.trials_of(spikes, label)
    return tb.Task("bits", "", 2, 2, "classification", 1.0, trials, trials, trials, 0.5)


def n_spikes(run):
    return float(run["spikes"].sizes["spike"])
"""


@pytest.fixture(autouse=True)
def _files(folder):
    (folder / "learn.toml").write_text(TRAINING)
    (folder / "pair.toml").write_text(REGION)
    (folder / "own.py").write_text(OWN)


@pytest.fixture
def touch(marker):
    """A command of the shell that makes the marker."""
    return f"touch {marker}"


def write_task(folder, task):
    """Let the workflow name a task, as a table."""
    before = TRAINING[TRAINING.index("task = ") : TRAINING.index("epochs")]
    (folder / "learn.toml").write_text(TRAINING.replace(before, f"task = {task}\n"))


@pytest.mark.parametrize(
    ("command", "task"),
    [
        *(
            (command, '{{ name = "os:system", command = "{touch}" }}')
            for command in ("validate", "plan", "run", "train")
        ),
        ("plan", '{{ name = "subprocess:getoutput", cmd = "{touch}" }}'),
        ("plan", '{{ name = "builtins:exec", source = "import os; os.system(\'{touch}\')" }}'),
        ("run", '"evil.py:bits"'),
        ("validate", '"evil:bits"'),
        ("train", '"./evil.py:bits"'),
    ],
)
def test_no_workflow_runs_what_its_task_names(folder, refused, touch, command, task):
    (folder / "evil.py").write_text(f"import os\nos.system({touch!r})\n{OWN}")
    write_task(folder, task.format(touch=touch))
    refused((command, "learn.toml"), "names code", "--task-from FILE.py:FUNCTION", "tb.register_task")


@pytest.mark.parametrize("command", ["run"])
@pytest.mark.parametrize(
    "sweep",
    [
        '[sweep.parameters]\n"train.task" = [{{ name = "os:system", options = {{ command = "{touch}" }} }}]',
        '[sweep.parameters]\n"train.task.name" = ["os:system"]\n"train.task.command" = ["{touch}"]',
        '[sweep.cases]\na = {{ "train.task" = {{ name = "os:system", command = "{touch}" }} }}',
    ],
)
def test_no_sweep_runs_what_its_values_name(folder, refused, touch, command, sweep):
    with (folder / "learn.toml").open("a") as file:
        file.write("\n" + sweep.format(touch=touch))
    refused((command, "learn.toml"), "names code")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('train.rule={{ name = "os:system", command = "{touch}" }}', "unknown rule 'os:system'"),
        ('train.surrogate.name="os:system"', "unknown surrogate 'os:system'"),
        ('train.baseline="os:system"', "train.baseline"),
        ('run.device="os:system"', "device"),
    ],
)
def test_no_other_name_of_a_training_is_imported(folder, refused, touch, setting, message):
    key, _, value = setting.format(touch=touch).partition("=")
    table, _, name = key.rpartition(".")
    text = (folder / "learn.toml").read_text()
    header = f"[{table}]"
    if header not in text:
        text += f"\n{header}\n"
    (folder / "learn.toml").write_text(text.replace(header, f"{header}\n{name} = {value}"))
    refused(("train", "learn.toml"), message)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('[sweep]\nreduce = ["os:system"]', "unknown reduction 'os:system'"),
        ('[sweep]\nreduce = {{ "os:system" = {{ command = "{touch}" }} }}', "unknown reduction 'os:system'"),
        ('[sweep]\nreduce = ["own.py:n_spikes"]', "unknown reduction 'own.py:n_spikes'"),
        ('[sweep]\nreduce = [{{ name = "os:system" }}]', "expected names of analyses, found {{'name': 'os:system'}}"),
        ('[sweep]\nparameters.connectome = ["os:system"]', "os:system"),
        ('[sweep]\nparameters."regions.*" = ["os:system"]', "os:system"),
        ('[sweep]\nparameters.engine = ["os:system"]', "os:system"),
    ],
)
def test_no_other_name_of_a_sweep_is_imported(folder, refused, touch, lines, message):
    with (folder / "small.toml").open("a") as file:
        file.write("\n" + lines.format(touch=touch) + "\nparameters.coupling = [0.5]\n")
    refused(("run", "small.toml"), message.format())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('model = "lif_current"', 'model = "os:system"'),
        ('receptors = ["exponential_current"]', 'receptors = ["os:system"]'),
        ("connect = { probability = 0.5 }", 'connect = { rule = "os:system" }'),
        ('delay = "1.5 ms"', 'delay = "1.5 ms"\nplasticity = "os:system"'),
    ],
)
def test_no_name_of_a_region_is_imported(folder, refused, marker, before, after):
    assert before in REGION
    (folder / "pair.toml").write_text(REGION.replace(before, after))
    refused(("run", "small.toml"), "small.toml", "rule" if "rule" in after else "os:system")


def forge(path, change):
    """Change the attributes of a store as a stranger would, its specification given as data; the digest fits."""
    attributes = json.loads((path / "zarr.json").read_text())["attributes"]
    spec = json.loads(attributes["spec"])
    change(attributes, spec)
    connectome = xr.open_zarr(path, group="connectome").load()
    attributes["digest"] = declared(json.dumps(spec), connectome, "store").digest
    edit_root(path, **attributes | {"spec": json.dumps(spec)})


@pytest.fixture
def training(folder, twinbrain):
    """A training, whose store a stranger may change."""
    assert twinbrain("train", "learn.toml", "--no-figure", "--replay", 0).code == 0
    return folder / "runs/learn.zarr"


@pytest.mark.parametrize(
    ("name", "status", "described"),
    [
        ("os:system", "complete", False),
        ("os:system", "interrupted", True),
        ("evil.py:bits", "interrupted", False),
        ("evil.py:bits", "complete", True),
    ],
)
def test_no_training_that_is_opened_runs_its_task(folder, training, refused, touch, status, described, name):
    (folder / "evil.py").write_text(f"import os\nos.system({touch!r})\n{OWN}")

    def change(attributes, spec):
        attributes["status"] = status
        attributes["task"] = name
        spec["train"]["task"] = {"name": name, "options": {"command": touch} if name == "os:system" else {}}
        if described:
            where, _, function = name.rpartition(":")
            attributes["task_function"] = json.dumps({name: {"function": function, "file": where, "sha256": ""}})

    forge(training, change)
    for go_on in (tb.open_training, tb.resume_training):
        with pytest.raises(tb.TwinbrainError, match=r"names code|expected the function|expected a complete"):
            go_on(training)
    refused(("resume", training), name)


@pytest.mark.parametrize("described", [False, True])
def test_no_sweep_that_is_opened_runs_what_it_names(folder, twinbrain, refused, touch, described):
    with (folder / "small.toml").open("a") as file:
        file.write('\n[sweep]\nreduce = ["mean_rates"]\nparameters.coupling = [0.5, 1.0]\n')
    assert twinbrain("run", "small.toml", "--workers", 0).code == 0
    path = folder / "runs/small.zarr"

    def change(attributes, spec):
        spec["sweep"]["reduce"] = {"os:system": {"command": touch}}
        if described:
            kept = {"os:system": {"function": "system", "file": "os.py", "sha256": ""}}
            attributes["functions"] = json.dumps({"task": {}, "reduce": kept})

    forge(path, change)
    tb.open_sweep(path).load()
    assert twinbrain("info", path).code == 0
    refused(("resume", path), "os:system")
    with pytest.raises(tb.SpecError, match="os:system"):
        tb.resume_sweep(path)


def test_functions_of_a_sweep_that_are_told_in_another_form_are_named(folder, twinbrain):
    with (folder / "small.toml").open("a") as file:
        file.write('\n[sweep]\nreduce = ["mean_rates"]\nparameters.coupling = [0.5]\n')
    assert twinbrain("run", "small.toml", "--workers", 0).code == 0
    path = folder / "runs/small.zarr"
    nested = json.dumps({"reduce": {"f": {"given": "[" * 100_000}}})
    for kept in ("[]", "{", '{"task": []}', '{"reduce": {"f": 3}}', '{"reduce": {"f": {"file": 3}}}', nested, 7):
        forge(path, lambda attributes, spec, kept=kept: attributes.update(functions=kept))
        with pytest.raises(tb.StoreError, match=r"zarr\.json: expected .* functions"):
            tb.resume_sweep(path, workers=0)


def test_a_store_asks_for_the_function_it_was_begun_with_and_never_imports_it(folder, twinbrain, refused, touch):
    write_task(folder, '"bits"')
    refused(("train", "learn.toml"), "found 'bits'", "--task-from FILE.py:FUNCTION")
    own = ("--task-from", "own.py:bits")
    assert twinbrain("train", "learn.toml", "--no-figure", "--replay", 0, *own).code == 0
    (folder / "own.py").write_text(f"import os\nos.system({touch!r})\n{OWN}")
    refused(("resume", "runs/learn.zarr"), "expected the function 'bits'", "found none", "--task-from own.py:bits")
    for look in (lambda: twinbrain("info", "runs/learn.zarr"), lambda: twinbrain("info", "runs/learn.zarr", "--json")):
        assert look().code == 0
    with pytest.raises(tb.SpecError, match="expected the function 'bits'"):
        tb.open_training("runs/learn.zarr")


def test_a_function_that_was_changed_is_told_from_the_one_that_a_store_was_begun_with(folder, twinbrain, refused):
    write_task(folder, '"bits"')
    own = ("--task-from", "own.py:bits")
    assert twinbrain("train", "learn.toml", "--no-figure", "--replay", 0, *own).code == 0
    assert twinbrain("resume", "runs/learn.zarr", "--no-figure", *own).code == 0
    (folder / "own.py").write_text(OWN + "\n# changed\n")
    refused(("resume", "runs/learn.zarr", *own), "as it was when this was begun (sha256 of own.py: ", "found another")


@pytest.mark.slow  # workers compile with an empty cache
def test_a_task_that_a_person_names_reaches_the_workers_of_a_sweep(folder, twinbrain, refused):
    write_task(folder, '"bits"')
    with (folder / "learn.toml").open("a") as file:
        file.write("\n[sweep.parameters]\nseed = [1, 2]\n")
    own = ("--task-from", "own.py:bits", "--workers", 1)
    assert twinbrain("run", "learn.toml", "--no-figure", *own).code == 0
    assert (tb.open_sweep("runs/learn.zarr")["status"] == 1).all()
    refused(("resume", "runs/learn.zarr"), "expected the function 'bits'")


@pytest.mark.slow
def test_a_reduction_that_a_person_names_reaches_the_workers_of_a_sweep(folder, twinbrain, refused):
    with (folder / "small.toml").open("a") as file:
        file.write('\n[sweep]\nreduce = ["n_spikes"]\nparameters.coupling = [0.5]\n')
    refused(("run", "small.toml"), "unknown reduction 'n_spikes'")
    outcome = twinbrain("run", "small.toml", "--workers", 1, "--reduce-from", "own.py:n_spikes")
    assert outcome.code == 0
    assert (tb.open_sweep("runs/small.zarr")["n_spikes"] > 0).all()
    refused(("resume", "runs/small.zarr"), "expected the function 'n_spikes'", "--reduce-from own.py:n_spikes")
