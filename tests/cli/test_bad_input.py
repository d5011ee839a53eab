"""Every fault of an input ends with exit code 2 and one message that names the file and the key."""

import json

import pytest

RUN = ("run", "small.toml")

# What is written, what stands there instead, and what the message names.
FAULTS_OF_A_REGION = {
    "an unknown key": (
        'delay = "1.5 ms"',
        'delay = "1.5 ms"\nsynapse = "ampa"',
        ["projections[0].synapse", "unknown key 'synapse'"],
    ),
    "a misspelt population": (
        'target = "inh"',
        'target = "ihn"',
        ["projections[0].target", "unknown population 'ihn'; did you mean 'inh'?"],
    ),
    "a misspelt receptor of a projection": (
        'receptor = "exponential_current"\nconnect',
        'receptor = "exponential_curent"\nconnect',
        ["projections[0].receptor", "unknown receptor of population 'inh' 'exponential_curent'"],
    ),
    "a misspelt receptor of a cell": (
        'receptors = ["exponential_current"]',
        'receptors = ["exponential_current", "gabba_a"]',
        ["cells.cell", "unknown receptor 'gabba_a'; did you mean 'gaba_a'?"],
    ),
    "a misspelt model": (
        'model = "lif_current"',
        'model = "lif_curent"',
        ["cells.cell", "did you mean 'lif_current'?"],
    ),
    "a wrong unit": (
        'delay = "1.5 ms"',
        'delay = "1.5 mV"',
        ["projections[0]", "delay", "'1.5 mV'", "another dimension"],
    ),
    "a wrong unit of a weight": ('weight = "200 pA"', 'weight = "200 nS"', ["projections[0].weight", "'200 nS'"]),
    "a wrong unit of a parameter": (
        't_ref = "2 ms"',
        't_ref = "2 mm"',
        ["population exc", "parameters.t_ref", "'2 mm'"],
    ),
    "a missing unit": ('delay = "1.5 ms"', "delay = 1.5", ["projections[0]", "delay", "without a unit"]),
    "a missing unit of a rate": ('rate = "1 kHz"', "rate = 1000", ["drives[0].rate", "without a unit"]),
    "an unknown parameter": ('t_ref = "2 ms"', 't_reff = "2 ms"', ["parameters.t_reff", "did you mean 't_ref'?"]),
    "a probability above 1": ("probability = 0.5", "probability = 1.3", ["projections[0].connect.probability", "1.3"]),
    "a probability below 0": (
        "probability = 0.5",
        "probability = -0.1",
        ["projections[0].connect.probability", "-0.1"],
    ),
    "a negative size": ("size = 8", "size = -8", ["populations.exc.size", "-8"]),
    "a negative rate": ('rate = "1 kHz"', 'rate = "-1 kHz"', ["drives[0].rate", "-1"]),
    "a delay under one step": (
        'delay = "1.5 ms"',
        'delay = "0.01 ms"',
        ["projections[0]", "delay", "at least one step"],
    ),
    "a weight beyond its integers": (
        'weight = "200 pA"',
        'weight = { lognormal = ["200 pA", 12] }',
        ["projections[0]: weight", "beyond the integer range"],
    ),
    "a fault of TOML": ('name = "test/pair"', "name = test/pair", ["expected a TOML file"]),
}

FAULTS_OF_A_WORKFLOW = {
    "an unknown key": ('weight = "100 pA"', 'weigth = "100 pA"', ["brain.long_range.weigth", "did you mean 'weight'?"]),
    "a missing unit": ('duration = "40 ms"', "duration = 40", ["run.duration", "without a unit"]),
    "a pattern that matches no region": ('regions = "TH-*"', 'regions = "TM-*"', ["stimuli.pulse.regions", "'TM-*'"]),
    "regions without a model": ('"*" = "pair', '"CX-*" = "pair', ["brain.regions", "regions without a model: TH-0"]),
    "a pattern of regions that matches none": (
        '"*" = "pair.toml"',
        '"XC-*" = "pair.toml"\n"*" = "pair.toml"',
        ["brain.regions.'XC-*'", "matches no region"],
    ),
    "an unknown region": (
        '"*" = "pair.toml"',
        '"*" = "cortex/colum"',
        ["brain.regions.'*'", "did you mean 'cortex/column'?"],
    ),
    "a region file that is not there": ('"pair.toml"', '"pear.toml"', ["brain.regions.'*'", "pear.toml", "found none"]),
    "a connectome that is not there": (
        '"weights.tsv"',
        '"weight.tsv"',
        ["brain.connectome", "weight.tsv", "found none"],
    ),
    "an unknown connectome": ('"weights.tsv"', '"tvb-95"', ["brain.connectome", "did you mean 'tvb-96'?"]),
    "an unknown engine": ('"reference"', '"brain2"', ["run.engine", "did you mean 'brian2'?"]),
    "a misspelt population of a stimulus": (
        'population = "exc"',
        'population = "ex"',
        ["stimuli.pulse.population", "'exc'"],
    ),
    "a misspelt receptor of a stimulus": (
        'receptor = "exponential_current"',
        'receptor = "exp"',
        ["stimuli.pulse.receptor", "unknown receptor 'exp'"],
    ),
    "an unknown variable to record": ('variable = "v"', 'variable = "V"', ["record.state[0].variable", "'V'"]),
    "a duration of no whole steps": (
        'duration = "40 ms"',
        'duration = "40.01 ms"',
        ["run.duration", "whole number of steps"],
    ),
    "a window of no whole steps": ('window = "20 ms"', 'window = "20.25 ms"', ["run.window", "whole number of steps"]),
    "an interval of no whole steps": (
        'variable = "v"',
        'variable = "v"\ninterval = "0.25 ms"',
        ["record.state[0].interval", "whole number of steps"],
    ),
    "a stimulus of no whole steps": (
        'start = "10 ms"',
        'start = "10.05 ms"',
        ["stimuli.pulse.start", "whole number of steps"],
    ),
    "a stimulus of two kinds": (
        'rate = "2 kHz"',
        'rate = "2 kHz"\ncurrent = "1 pA"',
        ["stimuli[0]", "expected one of rate, noise, current", "found rate and current"],
    ),
    "a stimulus of no kind": (
        'rate = "2 kHz"\nweight = "500 pA"',
        "",
        ["stimuli[0]", "expected one of rate, noise, current", "found none"],
    ),
    "a pulse of negative width": (
        'rate = "2 kHz"\nweight = "500 pA"',
        'pulses = { amplitude = "1 pA", width = "-1 ms" }',
        ["stimuli[0].pulses.width", "'-1 ms'"],
    ),
    "spikes of a file that is not there": (
        'rate = "2 kHz"\nweight = "500 pA"',
        'spikes = { file = "lost.npz", unit = "ms", weight = "1 pA" }',
        ["stimuli.pulse", "spikes.file", "lost.npz", "check the path"],
    ),
    "a wrong number of spike trains": (
        'rate = "2 kHz"\nweight = "500 pA"',
        'spikes = { times = [[1], [2]], unit = "ms", weight = "1 pA" }',
        ["stimuli.pulse", "spikes.times", "expected 1 or 8 spike trains"],
    ),
    "spikes after the end": (
        'rate = "2 kHz"\nweight = "500 pA"',
        'spikes = { times = [1, 30], unit = "ms", weight = "1 pA" }',
        ["stimuli.pulse", "spikes.times", "expected times before 5 ms"],
    ),
    "a current of another unit": (
        'receptor = "exponential_current"\nrate = "2 kHz"\nweight = "500 pA"',
        'current = "1 nS"',
        ["stimuli.pulse.current", "'1 nS'"],
    ),
    "a plan over the memory limit": (
        'engine = "reference"',
        'engine = "reference"\nmemory_limit = "10 MB"',
        ["expected a run that fits into 0.01 GB", "run.memory_limit"],
    ),
    "a memory limit that is no amount": (
        'engine = "reference"',
        'engine = "reference"\nmemory_limit = "much"',
        ["run.memory_limit", "'much'"],
    ),
    "a fault of TOML": ('duration = "40 ms"', "duration = 40 ms", ["expected a TOML file"]),
}

FAULTS_OF_A_CONNECTOME = {
    "not a number": ("CX-1\t1\t0\t2", "CX-1\tnan\t0\t2", ["'CX-1'", "nan"]),
    "negative": ("CX-1\t1\t0\t2", "CX-1\t-1\t0\t2", ["'CX-1'", "-1"]),
    "not square": ("TH-0\t1\t1\t0\n", "", ["labels"]),
    "ragged": ("CX-1\t1\t0\t2", "CX-1\t1\t0", ["row 3", "expected 4 cells, found 3"]),
    "mislabelled": ("CX-1\t1\t0\t2", "XC-1\t1\t0\t2", ["'XC-1'", "'CX-1'"]),
    "text": ("CX-1\t1\t0\t2", "CX-1\tone\t0\t2", ["'one'", "'CX-1'"]),
}

MODELS = """
[models.own]
equations = '''
dv/dt = (E_L - v)/tau + I_syn/C_m : volt (unless refractory)
E_L : volt
tau : second
C_m : farad
'''
method = "exact"
threshold = "v > -50*mV"
reset = "v = E_L"
parameters = { E_L = "-70 mV", tau = "10 ms", C_m = "100 pF" }
initial = { v = "-70 mV" }
"""

FAULTS_OF_EQUATIONS = {
    "that are none": ("dv/dt = (E_L - v)/tau", "dv/dt = (E_L - v/tau", []),
    "of another unit": ("(E_L - v)/tau", "(E_L - v)", ["units agree"]),
    "with a name unknown": ("(E_L - v)/tau", "(E_K - v)/tau", ["'E_K'"]),
    "with a threshold that is none": ('"v > -50*mV"', '"v + E_L"', ["threshold"]),
    "that the method cannot integrate": (
        "(E_L - v)/tau",
        "(E_L - v)*(v/mV)/tau",
        ["method 'exact'", "exponential_euler"],
    ),
}


def cases(faults):
    return [pytest.param(*fault, id=name.replace(" ", "-")) for name, fault in faults.items()]


@pytest.mark.parametrize(("before", "after", "named"), cases(FAULTS_OF_A_REGION))
def test_a_faulty_region_is_refused(edit, refused, folder, before, after, named):
    edit("pair.toml", before, after)
    message = refused(RUN, "small.toml", *named)
    assert "pair.toml" in message or "region test/pair" in message
    assert not (folder / "runs").exists()
    refused(("validate", "pair.toml"), "pair.toml", *named)


@pytest.mark.parametrize(("before", "after", "named"), cases(FAULTS_OF_A_WORKFLOW))
def test_a_faulty_workflow_is_refused(edit, refused, folder, before, after, named):
    edit("small.toml", before, after)
    refused(RUN, "small.toml", *named)
    refused(("plan", "small.toml"), "small.toml", *named)
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("before", "after", "named"), cases(FAULTS_OF_A_CONNECTOME))
def test_a_faulty_connectome_is_refused(edit, refused, folder, before, after, named):
    edit("weights.tsv", before, after)
    refused(RUN, "small.toml", "brain.connectome", "weights.tsv", *named)
    assert refused(("validate", "weights.tsv"), "weights.tsv", *named).count("weights.tsv: ") == 1
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("before", "after", "named"), cases(FAULTS_OF_EQUATIONS))
def test_equations_that_are_none_are_refused(edit, refused, folder, before, after, named):
    edit("pair.toml", 'model = "lif_current"', 'model = "own"')
    edit("pair.toml", 'parameters = { t_ref = "2 ms" }\n', "")
    (folder / "pair.toml").write_text((folder / "pair.toml").read_text() + MODELS)
    edit("pair.toml", before, after)
    refused(RUN, "small.toml", "own", *named)
    refused(("validate", "pair.toml"), "pair.toml", "own", *named)


def test_equations_of_a_region_itself_are_taken(edit, twinbrain, folder):
    edit("pair.toml", 'model = "lif_current"', 'model = "own"')
    edit("pair.toml", 'parameters = { t_ref = "2 ms" }\n', "")
    (folder / "pair.toml").write_text((folder / "pair.toml").read_text() + MODELS)
    assert twinbrain("validate", "pair.toml") == (0, "pair.toml: right\n", "")


def test_every_problem_of_every_file_is_printed(edit, refused):
    edit("pair.toml", "probability = 0.5", "probability = 1.3")
    edit("pair.toml", "size = 8", "size = -8")
    edit("pair.toml", 'delay = "1.5 ms"', 'delay = "1.5 mV"')
    edit("weights.tsv", "CX-1\t1\t0\t2", "CX-1\tnan\t0\t2")
    message = refused(
        ("validate", "pair.toml", "weights.tsv", "pear.toml"),
        "pair.toml: projections[0].connect.probability",
        "pair.toml: populations.exc.size",
        "pair.toml: projections[0].delay",
        "weights.tsv: ",
        "pear.toml: ",
    )
    assert len(message.splitlines()) == 5


def test_a_run_that_stands_there_is_replaced_only_if_told(twinbrain, refused, folder):
    assert twinbrain("run", "small.toml", "--no-figure").code == 0
    before = (folder / "runs/small.zarr/zarr.json").read_bytes()
    refused(RUN, "runs/small.zarr", "--overwrite")
    assert (folder / "runs/small.zarr/zarr.json").read_bytes() == before
    assert twinbrain("run", "small.toml", "--no-figure", "--overwrite", "--seed", 5).code == 0
    assert json.loads(twinbrain("info", "runs/small.zarr", "--json").out)["seed"] == 5


@pytest.mark.parametrize("options", [(), ("--overwrite",)])
def test_what_is_no_run_is_never_replaced(refused, folder, options):
    (folder / "papers").mkdir()
    (folder / "papers" / "mine.txt").write_text("mine")
    for place in ("papers", "papers/mine.txt"):
        refused((*RUN, "--out", place, *options), place)
    assert (folder / "papers" / "mine.txt").read_text() == "mine"
    assert [path.name for path in (folder / "papers").iterdir()] == ["mine.txt"]


def test_a_foreign_folder_a_missing_run_and_another_version_are_named(twinbrain, refused, folder):
    assert twinbrain(*RUN, "--no-figure").code == 0
    (folder / "papers").mkdir()
    (folder / "papers" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    root = folder / "runs/small.zarr/zarr.json"
    root.write_text(root.read_text().replace('"twinbrain_format": 2', '"twinbrain_format": 99'))
    for command in ("info", "resume"):
        refused((command, "papers"), "papers", "expected a twinbrain run")
        refused((command, "runs/none.zarr"), "runs/none.zarr", "found nothing")
        refused((command, "runs/small.zarr"), "runs/small.zarr", "found format 99", "open it with that version")


def test_a_place_that_cannot_be_written_is_named(refused, folder):
    (folder / "file").write_text("mine")
    refused((*RUN, "--out", "file/run.zarr"), "file/run.zarr", "name a place that can be written to")
    assert (folder / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("run.duration", ["--set", "key=value", "'run.duration'"]),
        ("run.duration=10", ["run.duration", "without a unit"]),
        ("run.durration=10 s", ["run.durration", "did you mean 'duration'?"]),
        ("run.seed=-1", ["run.seed", "-1"]),
        ("run.engine.name=1", ["--set run.engine", "shorten the key"]),
        ("stimuli.7.rate=1 Hz", ["--set stimuli.7", "found '7'"]),
        ("brain.coupling=-1", ["brain.coupling", "-1"]),
    ],
)
def test_a_faulty_setting_is_refused(refused, setting, named):
    refused((*RUN, "--set", setting), *named)


def test_an_unknown_workflow_names_the_near_ones(refused):
    refused(("run", "resting_sate"), "'resting_sate'", "did you mean 'resting_state'?")


def test_a_seed_that_is_no_seed_is_refused(refused):
    refused((*RUN, "--seed", "-1"), "small.toml", "run.seed", "-1")
