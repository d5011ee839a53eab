"""The examples of the how-to pages run as they stand."""

import re
import tomllib
from pathlib import Path

import twinbrain as tb
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.drive import INPUT_KINDS

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


def test_the_profile_of_a_cluster_is_right_and_its_keys_are_told():
    (toml,) = blocks("run-on-slurm.md", "toml")
    profile = ClusterProfile.parse(tomllib.loads(toml))
    assert profile.workers == 16 * profile.workers_per_job
    rows = re.findall(r"^\| (`.*?) \|", (PAGES / "run-on-slurm.md").read_text(), flags=re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(ClusterProfile.model_fields)


def test_a_run_is_kept_on_s3(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("keep-runs-on-s3.md", "python")
    names = {}
    exec(compile(code.replace("s3://my-bucket", bucket), "how-to", "exec"), names)
    assert names["run"].attrs["status"] == "complete"
    assert not list(tmp_path.iterdir())
