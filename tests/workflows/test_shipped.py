"""Every shipped workflow runs, made small, and does what it is shipped for."""

import json
import sys
from collections import Counter

import pytest

import twinbrain as tb
from twinbrain.cli import main
from twinbrain.run.prepare import prepare
from twinbrain.spec.brain import single_region_brain

TRAINED = [name for name in tb.workflow_names() if tb.load_workflow(name).train is not None]
SIMULATED = [name for name in tb.workflow_names() if name not in TRAINED]
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
        run("resting_state", "run.duration=160 ms", "run.window=160 ms", f"brain.coupling={coupling}")
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


SHORT = {"shortest": "5 ms", "longest": "20 ms", "onset": "5 ms", "response": "10 ms"}
FEW = {"n_intervals": 2, "n_neurons": 3, "n_train": 8, "n_validation": 4, "n_test": 4}


STUDIES = [name for name in TRAINED if tb.load_workflow(name).sweep is not None]


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


@pytest.mark.parametrize("per_condition", [1, pytest.param(99, marks=pytest.mark.slow)])
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
