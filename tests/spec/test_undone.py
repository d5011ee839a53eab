"""Values that every point of a sweep would replace."""

import pytest

import twinbrain as tb
from tests.examples import CORTEX, RELAY
from twinbrain.errors import SpecError

WORKFLOW = """
[run]
seed = 1

[brain]
connectome = "somewhere"

[brain.regions]
"V.1" = "relay.toml"
"*" = "cortex.toml"

[[stimuli]]
name = "flash"
population = "relay"
receptor = "ampa"
rate = "100 Hz"
weight = "1 nS"
start = "0 ms"
duration = "50 ms"

[train]
task = { name = "intervals" }

[sweep.parameters]
seed = [1, 2]
"stimuli.flash.rate" = ["1 Hz", "2 Hz"]
"train.task" = ["intervals", "store_recall"]
"regions.test/relay" = ["relay.toml", "cortex.toml"]

[[sweep.together]]
coupling = [1.0, 2.0]
"run.drive_seed" = [1, 2]

[sweep.samples]
n = 2
parameters = { duration = { uniform = ["1 s", "2 s"] } }

[sweep.cases]
fine = { "run.dt" = "0.1 ms", "record.spikes" = true }
coarse = { dt = "0.2 ms" }
"""

STIMULUS = "name='flash', population='relay', receptor='ampa'"


@pytest.fixture
def file(tmp_path):
    """A workflow that is swept in every way there is."""
    for name, text in {"cortex": CORTEX, "relay": RELAY, "swept": WORKFLOW}.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path / "swept.toml"


@pytest.mark.parametrize(
    ("override", "key", "place"),
    [
        ("run.seed=5", "seed", "parameters.seed"),
        ("stimuli.0.rate=5 Hz", "stimuli.flash.rate", 'parameters."stimuli.flash.rate"'),
        ("train.task.n_train=100", "train.task", 'parameters."train.task"'),
        ("train.task=cue_accumulation", "train.task", 'parameters."train.task"'),
        ("brain.regions.'V.1'.scale=2", "regions.test/relay", 'parameters."regions.test/relay"'),
        ("brain.coupling=3", "coupling", "together.0.coupling"),
        ("run.drive_seed=3", "run.drive_seed", 'together.0."run.drive_seed"'),
        ("run.duration=3 s", "duration", "samples.parameters.duration"),
        ("run.dt=1 ms", "run.dt", "cases"),
    ],
)
def test_an_override_that_every_point_replaces_is_refused_by_whatever_names(file, override, key, place):
    with pytest.raises(SpecError) as caught:
        tb.load_workflow(file, [override])
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{override}: expected a value for what the workflow does not sweep")
    assert f"the values of {key!r} in its place" in str(problem)
    assert f"--set 'sweep.{place}=" in str(problem)


@pytest.mark.parametrize(
    "override",
    [
        "run.engine=reference",
        "stimuli.0.weight=2 nS",
        f"stimuli.0={{{STIMULUS}, rate='1 Hz', weight='2 nS', start='0 ms', duration='50 ms'}}",
        "record.spikes=false",
        "brain.regions.'*'.scale=0.5",
        "sweep.parameters.seed=[5]",
    ],
)
def test_an_override_of_which_some_point_keeps_something_counts(file, override):
    assert tb.load_workflow(file, [override]) != tb.load_workflow(file)


def test_what_is_not_swept_any_more_can_be_set(file):
    overrides = ['sweep.parameters={"stimuli.flash.rate" = ["1 Hz"]}', "run.seed=5"]
    assert tb.load_workflow(file, overrides).run.seed == 5
