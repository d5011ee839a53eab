"""What the how-to pages say, beside that they run as they stand (`test_pages`)."""

import re
import tomllib
from pathlib import Path

import twinbrain as tb
from twinbrain.connectome.read import READERS
from twinbrain.run.sweep.create import prepare_sweep
from twinbrain.spec.axes import axes_of, n_points
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.sweep import Sweep

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (PAGES / page).read_text(), flags=re.MULTILINE | re.DOTALL)


def test_the_tables_of_the_sweep_page_are_right():
    workflow, parameters, cases, reductions = blocks("sweep.md", "toml")
    assert n_points(axes_of(Sweep.parse(tomllib.loads(workflow)["sweep"]))) == 12
    sweep = Sweep.parse(tomllib.loads(parameters)["sweep"] | tomllib.loads(reductions)["sweep"])
    assert n_points(axes_of(sweep)) == 3 * 64
    assert n_points(axes_of(Sweep.parse(tomllib.loads(cases)["sweep"]))) == 2


def test_all_tasks_and_codes_are_told():
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


def test_the_tables_of_the_connectome_page_name_all_there_is():
    page = (PAGES / "bring-a-connectome.md").read_text()
    for table, known in (("| suffix", READERS), ("| name | weights", tb.connectome.normalisation_names())):
        rows = re.findall(r"^\| (`.*?) \|", page[page.index(table) :].partition("\n\n")[0], flags=re.MULTILINE)
        assert {name for row in rows for name in re.findall(r"`(.+?)`", row)} == set(known)
