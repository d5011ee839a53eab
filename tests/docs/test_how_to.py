"""The examples of the how-to pages run as they stand."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import twinbrain as tb
from tests.trained import make_comparison, make_curves, make_gradients, make_responses
from twinbrain.connectome.read import READERS
from twinbrain.learn.plan import plan_training
from twinbrain.learn.tasks import registry
from twinbrain.run.sweep.create import prepare_sweep
from twinbrain.spec.axes import axes_of, n_points
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.drive import INPUT_KINDS
from twinbrain.spec.sweep import Sweep

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (PAGES / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def test_a_workflow_with_every_kind_of_input_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("driven.toml").write_text(blocks("drive-a-brain.md", "toml")[0])
    run = tb.simulate("driven.toml", engine="reference", out="driven.zarr")
    workflow = tb.load_workflow("driven.toml")
    assert {stimulus.kind for stimulus in workflow.stimuli} == set(INPUT_KINDS)
    assert run["spikes"].sizes["spike"] > 50


def test_one_model_runs_in_three_engines(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (toml,) = blocks("one-model-three-engines.md", "toml")
    Path("resonator.toml").write_text(toml)
    for code in blocks("one-model-three-engines.md", "python"):
        exec(compile(code, "how-to", "exec"), {})
    found = re.fullmatch(r"(\d+) spikes, the same in reference, brian2, torch\n", capsys.readouterr().out)
    assert found is not None
    assert int(found[1]) > 500


def test_the_sweep_of_the_page_runs_as_a_script_and_its_files_are_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script, function = blocks("sweep.md", "python")
    Path("script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=True)
    assert "'mean_rates' (rate: 3, region: 1)" in done.stdout
    workflow, parameters, cases, reductions = blocks("sweep.md", "toml")
    Path("drive.toml").write_text(workflow)
    prepared = prepare_sweep(tb.load_workflow("drive.toml"), {})
    assert prepared.n_points == 12
    sweep = Sweep.parse(tomllib.loads(parameters)["sweep"] | tomllib.loads(reductions)["sweep"])
    assert n_points(axes_of(sweep)) == 3 * 64
    assert n_points(axes_of(Sweep.parse(tomllib.loads(cases)["sweep"]))) == 2
    names = {}
    exec(compile(function.partition("tb.sweep")[0], "how-to", "exec"), names)
    run = tb.sweep(
        "single_region", out="first.zarr", workers=0, duration="100 ms", seed=[1], reduce=[names["first_spike"]]
    )
    assert 0 < float(run["first_spike"].values[0]) < 100


def test_a_task_of_ones_own_is_named_by_its_file_or_registered(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_registered", {})
    shipped, mine, named, disturbed = blocks("add-a-task.md", "python")
    Path("my_tasks.py").write_text(mine)
    for code in (shipped, named, disturbed):
        exec(compile(code, "how-to", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["96 9 90 0.24", "300 True", "966 1160"]
    rows = re.findall(r"^\| (`.*?) \|", (PAGES / "add-a-task.md").read_text(), flags=re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told >= set(tb.task_names()) - {"pitch"}
    assert told - set(tb.task_names()) == {"rate", "latency", "delta", "crossings", "population"}


def test_the_comparison_of_the_page_can_be_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (workflow,) = blocks("compare-models.md", "toml")
    Path("study.toml").write_text(workflow)
    prepared = prepare_sweep(tb.load_workflow("study.toml"), {})
    assert (prepared.n_points, prepared.dims) == (50, ("case", "seed", "labels"))
    page = (PAGES / "compare-models.md").read_text()
    assert all(f"`{name}`" in page for name in {*map(str, prepared.template.data_vars)} - {"chance"})


def test_the_profile_of_a_cluster_is_right_and_its_keys_are_told():
    (toml,) = blocks("run-on-slurm.md", "toml")
    profile = ClusterProfile.parse(tomllib.loads(toml))
    assert profile.workers == 16 * profile.workers_per_job
    rows = re.findall(r"^\| (`.*?) \|", (PAGES / "run-on-slurm.md").read_text(), flags=re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(ClusterProfile.model_fields) - {
        "setup",
        "python",
    }


def test_a_run_is_kept_on_s3(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("keep-runs-on-s3.md", "python")
    names = {}
    exec(compile(code.replace("s3://my-bucket", bucket), "how-to", "exec"), names)
    assert names["run"].attrs["status"] == "complete"
    assert not list(tmp_path.iterdir())


def test_explicit_values_and_a_region_from_python_are_as_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (explicit,) = [block for block in blocks("write-a-region.md", "toml") if "values = [" in block]
    cells = '[cells.in]\nmodel = "relay"\n'
    populations = '[populations]\ninput = { cell = "in", size = 2 }\nrelay = { cell = "relay", size = 3 }\n'
    Path("explicit.toml").write_text(f'name = "explicit"\n{cells}{populations}{explicit}')
    region = tb.load_region("explicit.toml")
    assert region.projections[0].weight == tb.Explicit([12.0, 9.5, 14.0], "mV")
    (code,) = blocks("write-a-region.md", "python")
    exec(compile(code, "how-to", "exec"), {})
    assert {path.name for path in tmp_path.iterdir()} == {"explicit.toml", "wired.toml", "wired.npz"}
    assert tb.simulate(tb.load_region("wired.toml"), engine="reference", duration="10 ms", out="run.zarr")


def test_a_region_is_trained_as_the_page_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first, back, own = blocks("train-a-region.md", "python")
    names = {}
    exec(compile(first, "how-to", "exec"), names)
    assert names["trained"].score > 0.75  # of a gate that no single unit computes, half by guessing
    capsys.readouterr()
    for code in (back, own):
        exec(compile(code, "how-to", "exec"), names)
    n_neurons = 30 + names["trained"].setup.task.n_channels + 2
    assert capsys.readouterr().out.splitlines() == [
        "0",
        f"{n_neurons} pyr pv input readout",
        "(8, 24) ('v', 'w', 'I_exponential_current', 'refractory_left')",
    ]
    (toml,) = blocks("train-a-region.md", "toml")
    tb.write_region(names["region"], "learner.toml")
    Path("learn.toml").write_text(toml)
    assert plan_training(tb.load_workflow("learn.toml")).epochs == 3


def test_a_trained_region_is_interpreted_as_the_page_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    responses = make_responses()
    lesioned = responses.assign(decision=responses["decision"].roll(trial=1))
    names = {
        "responses": responses,
        "without_pv": lesioned,
        "without_sst": responses,
        "curves": make_curves(),
        "gradients": make_gradients(),
        "comparison": make_comparison(),
    }
    for code in blocks("interpret-a-trained-region.md", "python"):
        exec(compile(code, "how-to", "exec"), names)
    figures = "ablation comparison curves gradients selectivity time_scales trajectories tuning"
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == figures.split()
    assert names["by_cell"]["information"].values.argmax() == 0  # pyr, which is tuned most
    assert names["lost"]["drop"].sel(lesion="pv") > 0.2
    assert "| heterogeneous, trained |" in capsys.readouterr().out


def test_a_brain_is_trained_kept_and_joined_as_the_page_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks("train-a-brain.md", "python"):
        exec(compile(code, "how-to", "exec"), names)
    score, mismatched = capsys.readouterr().out.split()
    assert float(score) > 0.3
    assert mismatched == "0"
    assert {path.name for path in tmp_path.glob("stream/*")} == {
        "brain.toml",
        "connectome.npz",
        "projections.npz",
        "regions",
    }
    assert names["run"].attrs["status"] == "complete"
    (toml,) = blocks("train-a-brain.md", "toml")
    brain = names["brain"]
    own = tuple(tb.Projection.parse(data) for data in tomllib.loads(toml)["brain"]["projections"])
    joined = tb.Brain(connectome=brain.connectome, regions=brain.regions, projections=own)
    run = tb.simulate(joined, engine="reference", dt="1 ms", duration="20 ms", out="joined.zarr")
    assert run.attrs["status"] == "complete"


def test_a_connected_brain_and_its_control_run_as_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (workflow,) = blocks("connect-a-brain.md", "toml")
    (script,) = blocks("connect-a-brain.md", "python")
    # The regions a fifth as large, and for 0.6 s, so that it is quick.
    quick = workflow.replace('"thalamus/relay"', '{ region = "thalamus/relay", scale = 0.2 }')
    Path("connected.toml").write_text(quick.replace('"cortex/column"', '{ region = "cortex/column", scale = 0.2 }'))
    exec(compile(script.replace('"1 s"', '"600 ms"'), "how-to", "exec"), {"__name__": "__main__"})
    found = re.fullmatch(r"real (\S+)\nrewired (\S+)\n", capsys.readouterr().out)
    assert found is not None
    assert found[1] != found[2]


def test_a_connectome_is_brought_as_the_page_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks("bring-a-connectome.md", "python"):
        exec(compile(code, "how-to", "exec"), names)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Connectome('brain', 3 regions, 6 connections")
    assert lines[1:5] == ["11.180339887498949 mm", "True ['V1', 'V2', 'MT']", "[1] [0 1]", "log"]
    for table, known in (("| suffix", READERS), ("| name | weights", tb.connectome.normalisation_names())):
        page = (PAGES / "bring-a-connectome.md").read_text()
        rows = re.findall(r"^\| (`.*?) \|", page[page.index(table) :].partition("\n\n")[0], flags=re.MULTILINE)
        assert {name for row in rows for name in re.findall(r"`(.+?)`", row)} == set(known)
