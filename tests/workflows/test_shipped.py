"""Every shipped workflow that simulates runs, made small, and does what it is shipped for."""

import sys

import pytest

import twinbrain as tb
from twinbrain.cli import main
from twinbrain.run.prepare import prepare
from twinbrain.spec.brain import single_region_brain

SIMULATED = [name for name in tb.workflow_names() if tb.load_workflow(name).train is None]
SMALL = ("run.duration=20 ms", "run.window=10 ms", "run.engine=brian2-numpy")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a shipped workflow through the command line, with populations a fifth as large, and return the run."""

    def call(name, *settings):
        patterns = tb.load_workflow(name).brain.regions
        if len(patterns) > 1:
            settings = (*settings, *(f'brain.regions."{pattern}".scale=0.2' for pattern in patterns))
        options = [part for setting in (*SMALL, *settings) for part in ("--set", setting)]
        out = tmp_path / f"runs-{len(list(tmp_path.iterdir()))}" / f"{name}.zarr"
        monkeypatch.setattr(sys, "argv", ["twinbrain", "run", name, *options, "--out", str(out), "--no-figure"])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0, capsys.readouterr().err
        return tb.open_run(out)

    return call


@pytest.mark.parametrize("name", SIMULATED)
def test_a_shipped_workflow_runs(run, name):
    tree = run(name, *(["stimuli.0.start=5 ms", "stimuli.0.duration=5 ms"] if name == "thalamic_pulse" else []))
    assert (tree.attrs["status"], tree.attrs["committed"]) == ("complete", 20.0)
    assert len(tree["spikes/neuron"]) > 0
    assert tb.load_workflow(name).summary


def test_whole_brains_have_regions_of_every_kind():
    for name in ("resting_state", "thalamic_pulse"):
        workflow = tb.load_workflow(name)
        connectome = tb.load_connectome(workflow.brain.connectome)
        assert connectome.n_regions == 96
        families = {region.family for region in workflow.brain.assignment(connectome.labels)}
        assert families == {"cortex", "thalamus", "basal_ganglia", "hippocampus", "amygdala"}


def test_the_resting_state_is_as_large_as_promised():
    plan = prepare(tb.load_workflow("resting_state")).plan
    assert plan.n_regions >= 96
    assert plan.n_neurons >= 10_000
    assert plan.n_synapses >= 1_000_000


@pytest.mark.slow
def test_the_pulse_excites_the_thalamus_and_reaches_cortex_through_the_connectome(run):
    stimulus = tb.load_workflow("thalamic_pulse").stimuli[0]

    def responses(*settings):
        """Return by how much the rates of relay cells, and of pyramidal cells, rise in the pulse."""
        tree = run("thalamic_pulse", "run.duration=140 ms", "run.window=140 ms", "stimuli.0.start=90 ms", *settings)
        rates = tree.twin.rates(by="kind")
        before, during = rates.sel(time=slice(60, 89)).mean("time"), rates.sel(time=slice(100, 139)).mean("time")
        found = during - before
        return [float(found.sel(kind=kind)) for kind in (f"thalamus/{stimulus.population}", "cortex/pyr")]

    excited, reached = responses()
    assert excited > 20
    # No drive reaches cortex from the stimulus itself; its only way there is through synapses.
    alone, not_reached = responses("brain.coupling=0")
    assert alone > 20
    assert reached > not_reached + 2


def test_rates_answer_to_the_coupling(run):
    found = [
        run("resting_state", "run.duration=100 ms", "run.window=100 ms", f"brain.coupling={coupling}")
        .twin.mean_rates("kind", start="60 ms")
        .sel(kind="cortex/pyr")
        .item()
        for coupling in (0, 1.5)
    ]
    assert found[1] > 1.3 * found[0]


def test_a_share_of_the_drive_of_every_region_comes_through_the_connectome():
    plan = prepare(tb.load_workflow("resting_state")).plan
    assert plan.share == pytest.approx(0.2, abs=0.01)
    assert 0 < plan.share_lowest < plan.share_highest < 0.5


@pytest.mark.parametrize("name", tb.region_names())
def test_a_current_can_be_injected_into_every_shipped_region(name):
    region = tb.load_region(name)
    stimuli = tuple(
        tb.Stimulus.parse(
            {"name": f"{population} {i}", "population": population, "start": "0 ms", "duration": "5 ms"} | given
        )
        for population in region.populations
        for i, given in enumerate(({"current": "100 pA"}, {"noise": 1}))
    )
    prepared = prepare(tb.Workflow(name="x", brain=single_region_brain(region), stimuli=stimuli))
    receptors = [set(block.receptors) for block in prepared.layout.blocks]
    assert all(found >= {"current", "ou_current"} for found in receptors)
