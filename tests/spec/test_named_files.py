"""Paths in a TOML file start from its folder, those on the command line and in Python from the working folder."""

import pytest

import twinbrain as tb
from tests.examples import CORTEX
from twinbrain.spec.load import load_workflow
from twinbrain.spec.named_files import swept_names, with_folder
from twinbrain.spec.sweep import Sweep

SPIKES = 'spikes = { file = "v.csv", unit = "ms", weight = "1 nS" }'
WORKFLOW = f"""
[brain]
connectome = "a.npz"
regions = {{ "*" = "r.toml" }}

[[stimuli]]
name = "v"
population = "pyr"
receptor = "ampa"
{SPIKES}
start = "0 ms"
duration = "50 ms"

[train]
task = {{ name = "shd", folder = "data" }}

[sweep.parameters]
connectome = ["a.npz", "tvb-76"]
"regions.*" = ["r.toml", "cortex/column"]
"stimuli.v.spikes.file" = ["v.csv"]
"train.task.folder" = ["data"]
coupling = [1.0]

[sweep.cases]
one = {{ "stimuli.v" = {{ {SPIKES} }} }}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a workflow and its region, while the working folder is another."""
    (tmp_path / "here").mkdir()
    (tmp_path / "w.toml").write_text(WORKFLOW)
    (tmp_path / "r.toml").write_text(CORTEX)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def test_paths_in_a_file_start_from_its_folder(folder, monkeypatch):
    workflow = load_workflow("../w.toml")
    monkeypatch.chdir("/")
    there = folder / "here" / ".."
    assert workflow.brain.connectome == str(there / "a.npz")
    assert workflow.stimuli[0].spikes.file == str(there / "v.csv")
    assert workflow.train.task.options["folder"] == str(there / "data")
    files = workflow.sweep.files
    assert {kind: {name: file.path for name, file in files[kind].items()} for kind in files} == {
        "connectome": {"a.npz": str(there / "a.npz")},
        "region": {"r.toml": str(there / "r.toml")},
        "file": {"v.csv": str(there / "v.csv")},
        "folder": {"data": str(there / "data")},
    }
    assert workflow.sweep.parameters["connectome"] == ("a.npz", "tvb-76")  # as they were written


# In place of a sweep that gives the same keys other values.
NOT_SWEPT = "sweep={ parameters = { coupling = [1.0] } }"


def test_paths_of_a_region_start_from_its_own_folder(folder):
    drive = f'\n[[drives]]\npopulation = "pyr"\nreceptor = "ampa"\n{SPIKES}\n'
    (folder / "inner").mkdir()
    (folder / "inner/r.toml").write_text(CORTEX + drive)
    region = load_workflow(folder / "w.toml", [NOT_SWEPT, "brain.regions.'*'=../inner/r.toml"]).brain.regions["*"]
    assert region.drives[-1].spikes.file.endswith("/inner/v.csv")


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("brain.connectome=b.npz", "brain.connectome"),
        ("stimuli.0.spikes.file=b.npz", "stimuli.0.spikes.file"),
        ("stimuli.0.spikes={file = 'b.npz', unit = 'ms', weight = '1 nS'}", "stimuli.0.spikes.file"),
        ("sweep.parameters.connectome=['b.npz']", "sweep.parameters.connectome.0"),
        ("sweep.parameters={'brain.connectome' = ['b.npz']}", "sweep.parameters.brain\\connectome.0"),
        ("train.task.folder=b.npz", "train.task.options.folder"),
    ],
)
def test_paths_on_the_command_line_start_from_the_working_folder(folder, override, path):
    found = load_workflow(folder / "w.toml", [override] if override.startswith("sweep") else [NOT_SWEPT, override])
    for part in path.split("."):
        part = part.replace("\\", ".")
        found = found[part] if isinstance(found, dict) else found[int(part)] if part == "0" else getattr(found, part)
    assert found == str(folder / "here/b.npz")


def test_a_path_is_looked_for_in_no_other_folder(folder):
    (folder / "r.toml").rename("r.toml")
    with pytest.raises(tb.SpecError, match=r"r\.toml: expected a region file, found none"):
        load_workflow(folder / "w.toml")


def test_one_name_of_two_files_is_refused(folder):
    sweep = with_folder(Sweep(parameters={"regions.A": ["r.toml"], "regions.B": ["r.toml"]}), folder)
    assert with_folder(sweep, folder / "here") == sweep  # what is known stays
    with pytest.raises(tb.SpecError, match=r"expected one file that is called 'r\.toml', found two: "):
        with_folder(sweep, folder / "here", ["regions.B"])
    found = with_folder(sweep, folder / "here", ["regions.A", "regions.B"])
    assert found.files["region"]["r.toml"].path == str(folder / "here/r.toml")


def test_which_files_are_swept_is_given_in_no_file(folder):
    (folder / "w.toml").write_text(WORKFLOW + '\n[sweep.files.file]\n"v.csv" = { path = "/etc/passwd" }\n')
    with pytest.raises(tb.SpecError, match=r"sweep\.files: expected none in a file"):
        load_workflow(folder / "w.toml")


def test_parameters_of_any_name_are_no_files():
    cells = "regions.*.cells.c.parameters"
    parameters = {f"{cells}.file": ["1 mV"], f"{cells}.b": [{"file": "b.npz", "array": "b"}], "regions.file.scale": [1]}
    assert list(swept_names(Sweep(parameters=parameters))) == [("b.npz", "file")]
