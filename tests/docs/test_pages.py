"""Every page runs as written, from top to bottom, in an empty folder."""

import re
from pathlib import Path

import pytest

import twinbrain as tb
from tests.docs.pages import Block, Ran, blocks, pages, run_page
from twinbrain.learn.tasks import registry
from twinbrain.spec.drive import INPUT_KINDS


def inputs_of_every_kind(ran):
    assert {stimulus.kind for stimulus in tb.load_workflow("driven.toml").stimuli} == set(INPUT_KINDS)
    assert tb.open_run("runs/driven.zarr")["spikes"].sizes["spike"] > 50


def the_same_spikes_in_three_engines(ran):
    found = re.search(
        r"^(\d+) spikes, the same in reference, brian2(?:-numpy)?, torch$", ran.output, flags=re.MULTILINE
    )
    assert found is not None
    assert int(found[1]) > 500


def tasks_as_they_are_told(ran):
    assert ran.output.splitlines() == ["96 9 90 0.24", "300 True", "966 1160"]


def numbers_and_a_dimension_a_key(ran):
    assert "'mean_rates' (rate: 3, region: 1)" in ran.output
    assert "dask.array" not in ran.output
    first = tb.open_sweep("runs/first.zarr")["first_spike"].values
    assert ((first > 0) & (first < 20)).all()
    rates, file = tb.open_sweep("runs/rates.zarr"), tb.open_sweep("runs/drive.zarr")
    assert rates["mean_rates"].identical(file["mean_rates"])  # "the same as a file"


def no_spike_of_the_trained_region_differs(ran):
    shown = ran.output.splitlines()
    assert "0" in shown
    n_neurons = 30 + ran.names["trained"].setup.task.n_channels + 2
    assert f"{n_neurons} pyr pv input readout" in shown
    assert "(8, 24) ('v', 'w', 'I_exponential_current', 'refractory_left')" in shown


def a_brain_in_a_folder(ran):
    assert ran.output.split()[-1] == "0"
    files = {path.name for path in Path("stream").iterdir()}
    assert files == {"brain.toml", "connectome.npz", "projections.npz", "regions", "written.json"}


def a_figure_of_each_kind(ran):
    figures = "ablation comparison curves gradients selectivity time_scales trajectories tuning"
    assert sorted(path.stem for path in Path().glob("*.png")) == figures.split()


def weights_that_changed(ran):
    after, before, unit = ran.output.split()
    assert (float(after) != float(before), unit) == (True, "nS")


def a_control_that_differs(ran):
    found = re.fullmatch(r"real (\S+)\nrewired (\S+)\n", ran.output)
    assert found is not None
    assert found[1] != found[2]


def a_connectome_as_it_is_told(ran):
    lines = ran.output.splitlines()
    assert lines[0].startswith("Connectome('brain', 3 regions, 6 connections")
    assert lines[1] == "True True"
    assert lines[2:6] == ["11.180339887498949 mm", "True ['V1', 'V2', 'MT']", "[1] [0 1]", "log"]


FOUND = {
    "docs/how-to/bring-a-connectome.md": a_connectome_as_it_is_told,
    "docs/how-to/connect-a-brain.md": a_control_that_differs,
    "docs/how-to/drive-a-brain.md": inputs_of_every_kind,
    "docs/how-to/one-model-three-engines.md": the_same_spikes_in_three_engines,
    "docs/how-to/add-a-task.md": tasks_as_they_are_told,
    "docs/how-to/sweep.md": numbers_and_a_dimension_a_key,
    "docs/how-to/train-a-region.md": no_spike_of_the_trained_region_differs,
    "docs/how-to/train-a-brain.md": a_brain_in_a_folder,
    "docs/how-to/interpret-a-trained-region.md": a_figure_of_each_kind,
    "docs/how-to/add-plasticity.md": weights_that_changed,
}


@pytest.mark.parametrize("page", pages())
def test_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_registered", {})
    ran = run_page(page)
    if page in FOUND:
        FOUND[page](ran)


def test_a_page_leaves_no_figure_open(tmp_path, monkeypatch):
    from matplotlib import pyplot

    (tmp_path / "page.md").write_text("```python\nimport matplotlib.pyplot as plt\nn = plt.figure().number\n```\n")
    monkeypatch.setattr("tests.docs.pages.ROOT", tmp_path)
    ran = run_page("page.md")
    assert ran.names["n"] not in pyplot.get_fignums()


def test_what_is_not_run_is_said_why():
    reasons = {block.not_run for page in pages() for block in blocks(page) if block.not_run}
    assert all(reason.startswith(("needs ", "starts ")) for reason in reasons)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Block("page.md", 3, "bash", "twinbrain info nowhere.zarr\n"), "ends with exit code 2"),
        (Block("page.md", 3, "bash", "squeue --me\n"), "a command that is not ours needs a comment"),
        (Block("page.md", 3, "python", "print(undefined)\n"), "undefined"),
        (Block("page.md", 3, "toml", "a = = 1\n"), "Invalid"),
    ],
)
def test_a_block_that_does_not_run_fails_its_page(block, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=message):
        block.run(Ran())
