"""What a store is gone on from, written by a stranger with checksums that fit: refused in one message, or used."""

import json
import shutil

import numpy as np
import pytest

import twinbrain as tb
from tests.attacks import damage
from tests.examples import RELAY, build_region, region_data, relay_region
from tests.learn.networks import which_channels
from tests.roots import edit_root, of_root, read, rewrite, slot_of
from twinbrain.engines.base import Spikes
from twinbrain.store import read_state
from twinbrain.store.root import KEY

SWEPT = {"seed": [1, 2], "keep_runs": True, "workers": 0, "progress": False}
ENGINES = ("reference", "brian2-numpy", "torch")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """An interrupted run of each engine, made once; in the reference some synapses are plastic."""
    folder, known = tmp_path_factory.mktemp("runs"), {}
    data = region_data(RELAY)
    data["drives"][0]["weight"], data["drives"][1]["weight"] = "8 nS", "400 pA"
    rule = {"summary": "with a trace", "equations": "dtrace/dt = -trace / tau : 1\ntau : second",
            "on_pre": "release = w\ntrace += 1", "parameters": {"tau": "15 ms"}}  # fmt: skip
    data["plasticity"] = {"drift": rule}

    def of(engine):
        if engine == "reference":
            data["projections"][0]["plasticity"] = "drift"
        else:
            data["projections"][0].pop("plasticity", None)
        if engine not in known:
            known[engine] = damage._stopped(
                folder / f"{engine}.zarr",
                lambda path, stop: tb.simulate(
                    tb.Region.parse(data), out=path, progress=stop, duration="30 ms", window="10 ms", engine=engine
                ),
                100,
            )
        return known[engine]

    return of


@pytest.fixture
def forged_run(runs, tmp_path):
    """Copy an interrupted run, and give its checkpoint other spikes under way."""

    def forge(engine, steps, neurons):
        shutil.copytree(runs(engine), path := tmp_path / "run.zarr", dirs_exist_ok=True)
        under_way = {"under_way_step": steps, "under_way_neuron": neurons}
        rewrite(path, {f"{slot_of(path)}/{name}": np.array(v, np.int32) for name, v in under_way.items()})
        return path

    return forge


# Before any engine: of every number with one of them is enough.
@pytest.mark.parametrize(
    ("engine", "neuron"),
    [*((engine, -1) for engine in ENGINES), *(("reference", number) for number in (-1000, 10**6, 2**31 - 1))],
)
def test_a_spike_under_way_of_no_neuron_is_refused_before_any_engine_sees_it(forged_run, engine, neuron):
    with pytest.raises(
        tb.StoreError, match=rf"run\.zarr: expected neurons from 0 to \d+ of .*, found {neuron}; restore"
    ):
        tb.resume(forged_run(engine, [99], [neuron]))


@pytest.mark.parametrize(
    ("steps", "neurons", "text"),
    [
        ([-1], [0], "expected steps from"),
        ([0], [0], "expected steps from"),
        ([100], [0], "expected steps from"),
        ([2**31 - 1], [0], "expected steps from"),
        ([99, 99], [1, 1], "each once, in the checkpoint|each once in the checkpoint"),
        ([99, 98], [1, 1], "in the order of steps"),
    ],
)
def test_a_spike_under_way_of_an_impossible_step_or_twice_is_refused(forged_run, steps, neurons, text):
    with pytest.raises(tb.StoreError, match=text):
        tb.resume(forged_run("reference", steps, neurons))


def test_the_last_neuron_and_no_spike_at_all_are_gone_on_from(forged_run):
    n = tb.open_run(forged_run("reference", [], []))["network"].attrs["n_neurons"]
    assert tb.resume(forged_run("reference", [], [])).attrs["status"] == "complete"
    assert tb.resume(forged_run("reference", [99], [n - 1])).attrs["status"] == "complete"


@pytest.mark.parametrize("value", [-1.0, 0.5, np.nan, np.inf, 101.0])
def test_counts_of_steps_are_whole_and_not_beyond_the_checkpoint(runs, tmp_path, value):
    shutil.copytree(runs("reference"), path := tmp_path / "run.zarr")
    name = next(name for name in read_state(path).variables if name.endswith("/last_update"))
    stored = f"{slot_of(path)}/{name.replace('/', '%2F')}"
    values = read(path, stored)
    values[0] = value
    rewrite(path, {stored: values})
    with pytest.raises(tb.StoreError, match=rf"run\.zarr: expected whole numbers of steps from 0 to 100 as {name}"):
        tb.resume(path)


def test_a_variable_too_many_is_refused(runs, tmp_path):
    shutil.copytree(runs("reference"), path := tmp_path / "run.zarr")
    slot = slot_of(path)
    first = next(name for name, node in of_root(path)[1].items() if name.startswith(f"{slot}/") and "%2Fv" in name)
    shutil.copytree(path / first, path / slot / "other%2Fv")
    rewrite(path, {}, change=lambda nodes: nodes.__setitem__(f"{slot}/other%2Fv", nodes[first]))
    with pytest.raises(
        tb.StoreError, match="expected variables of this network alone in the checkpoint, found 'other/v'"
    ):
        tb.resume(path)


def test_a_run_of_another_grid_is_refused(runs, tmp_path):
    shutil.copytree(runs("reference"), path := tmp_path / "run.zarr")
    attributes, _ = of_root(path)
    spec = json.loads(attributes["spec"])
    spec["run"]["window"] = "15 ms"
    digest = tb.Workflow.parse(spec | {"brain": _brain_of(path, spec)}).digest
    rewrite(path, {}, spec=json.dumps(spec), digest=digest, window=15.0)
    with pytest.raises(
        tb.StoreError, match="expected the end of a window of 150 steps, of 300 steps in all in the check"
    ):
        tb.resume(path)


def _brain_of(path, spec):
    connectome = tb.Connectome.from_dataset(tb.open_run(path)["connectome"].to_dataset().load())
    return spec["brain"] | {"connectome": connectome}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("step", "neuron"), [(0, -1), (0, 10**6), (1, 0)])
def test_spikes_that_are_given_to_a_simulation_are_of_its_neurons_and_not_of_later_steps(engine, step, neuron):
    simulation = tb.get_engine(engine)(build_region(relay_region()))
    with pytest.raises(tb.EngineError, match=r"expected spikes (of neurons from 0|up to the present step, 0)"):
        simulation.inject(Spikes(np.array([step], np.int32), np.array([neuron], np.int32)))
    simulation.close()


def test_a_kept_run_of_another_point_is_not_taken_for_a_point(tmp_path):
    brain = tb.Workflow(
        name="swept",
        brain=tb.load_workflow("single_region").brain.model_copy(update={"regions": {"*": damage.REGION}}),
        run={"duration": "20 ms", "engine": "reference", "dt": "0.2 ms"},
    )
    path = damage._stopped(
        tmp_path / "sweep.zarr",
        lambda path, stop: tb.sweep(brain, out=path, reduce=["mean_rates"], **SWEPT | {"progress": stop}),
        1,
    )
    shutil.copytree(path / "runs/000000.zarr", second := path / "runs/000001.zarr")
    with pytest.raises(tb.StoreError, match=r"000001\.zarr: expected the run of a point of the sweep.*; move it"):
        tb.resume_sweep(path, workers=0, progress=False)
    second.rename(tmp_path / "elsewhere.zarr")
    found = tb.resume_sweep(path, workers=0, progress=False).load()
    assert (found["status"] == 1).all()
    assert [tb.open_run(path / f"runs/00000{i}.zarr").attrs["seed"] for i in range(2)] == [1, 2]


@pytest.mark.slow
def test_a_kept_training_of_another_point_is_not_taken_for_a_point(tmp_path):
    from twinbrain.learn.measures import measure
    from twinbrain.learn.train import training_workflow
    from twinbrain.store import Location

    task = {"name": "xor", "n_train": 8, "n_validation": 4, "n_test": 4}
    workflow = training_workflow(tb.load_region("learning/leaky"), task, epochs=1, robustness=False)
    place = Location.of(tmp_path / "training.zarr")
    first = measure(workflow, place)
    assert float(measure(workflow, place)["accuracy"]) == float(first["accuracy"])
    edit_root(place.path, changed="learning_rate")
    with pytest.raises(tb.StoreError, match="found that learning_rate changed on the way; move it elsewhere"):
        measure(workflow, place)
    other = training_workflow(workflow, None, seed=5)
    with pytest.raises(tb.StoreError, match=r"training\.zarr: expected the training of a point of the sweep"):
        measure(other, place)


AREA = tb.Region(
    name="lab/area",
    cells={"pyr": tb.Cell(model="lif_current", receptors=["exponential_current"])},
    populations={"pyr": tb.Population(cell="pyr", size=8)},
    drives=[tb.Drive(population="pyr", receptor="exponential_current", rate="3 kHz", weight="90 pA")],
    ports=tb.Ports.parse({"outputs": ["pyr"], "inputs": {"pyr": {"share": 1, "glutamate": "exponential_current"}}}),
)
BRAIN = tb.Brain(
    name="stream",
    connectome=tb.Connectome(weight=[[0, 0], [1, 0]], length=[[0, 0], [20, 0]], labels=["V1", "V2"]),
    regions={"*": AREA},
    long_range=tb.LongRange(in_degree=4, weight="900 pA", speed="7 m/s"),
)
OTHER = {"connectome/length": np.array([[0.0, 0.0], [60.0, 0.0]])}
CHANGED = r"expected the workflow \w{12} that this \w+ was started with, found \w{12} when reading it back"


def test_a_sweep_does_not_go_on_with_another_connectome(tmp_path):
    options = {"duration": "20 ms", "seed": [1, 2, 3], "workers": 0, "batch": 1, "reduce": ["mean_rates"]}
    path = damage._stopped(
        tmp_path / "sweep.zarr", lambda path, stop: tb.sweep(BRAIN, out=path, progress=stop, **options), 1
    )
    shutil.copytree(path, whole := tmp_path / "whole.zarr")
    rewrite(path, OTHER)
    for again in (
        lambda: tb.resume_sweep(path, workers=0, progress=False),
        lambda: tb.sweep(BRAIN, out=path, progress=False, **options),
    ):
        with pytest.raises(tb.SpecError, match=CHANGED):
            again()
    assert (tb.sweep(BRAIN, out=whole, progress=False, **options)["status"] == 1).all()


def test_axes_that_the_workflow_does_not_sweep_are_refused(tmp_path):
    options = {"duration": "20 ms", "seed": [1, 2], "workers": 0, "progress": False, "reduce": ["mean_rates"]}
    tb.sweep(BRAIN, out=(path := tmp_path / "sweep.zarr"), **options)
    axes = json.loads(of_root(path)[0]["axes"])
    axes[0]["columns"]["seed"] = [1, 3]
    rewrite(path, {}, axes=json.dumps(axes))
    with pytest.raises(tb.SpecError, match=r"sweep\.zarr: expected axes with the values that its workflow sweeps"):
        tb.resume_sweep(path, workers=0, progress=False)


def test_a_repeated_call_does_not_take_a_run_with_another_connectome(tmp_path):
    options = {"duration": "20 ms", "engine": "reference", "out": tmp_path / "run.zarr", "progress": False}
    tb.simulate(BRAIN, **options)
    assert tb.simulate(BRAIN, **options).attrs["status"] == "complete"
    rewrite(tmp_path / "run.zarr", OTHER)
    with pytest.raises(tb.SpecError, match=CHANGED):
        tb.simulate(BRAIN, **options)


BRAIN_TO_TRAIN = BRAIN.model_copy(update={"regions": {"*": AREA.model_copy(update={"drives": ()})}})
TASK = which_channels(n_trials=16, n_steps=10)
SETTINGS = {"seed": 2, "epochs": 3, "batch_size": 8, "precision": "float64", "progress": False}
SETTINGS |= {"input": {"region": "V1"}, "readout": {"region": "V2"}}


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    """A training of which two epochs of three are done, and the same when it is complete; each made once."""
    folder = tmp_path_factory.mktemp("trainings")
    begun = damage._stopped(
        folder / "begun.zarr",
        lambda path, stop: tb.train(BRAIN_TO_TRAIN, TASK, out=path, **SETTINGS | {"progress": stop}),
        2,
        what="train",
    )
    shutil.copytree(begun, whole := folder / "whole.zarr")
    tb.resume_training(whole, task=TASK, progress=False)
    return {"begun": begun, "whole": whole}


@pytest.fixture
def forged_training(trainings, tmp_path):
    def forge(which, arrays=None, **changes):
        shutil.rmtree(path := tmp_path / "training.zarr", ignore_errors=True)
        shutil.copytree(trainings[which], path)
        rewrite(path, (arrays or (lambda path: {}))(path), **changes)
        return path

    return forge


def go_on(path):
    return tb.resume_training(path, task=TASK, progress=False)


def test_what_is_rewritten_as_it_was_is_gone_on_with(forged_training, trainings):
    found, expected = go_on(forged_training("begun")), tb.open_training(trainings["whole"], task=TASK)
    assert found.model.digest == expected.model.digest
    assert repr(tb.open_training(forged_training("whole"), task=TASK)) == repr(expected)


def test_a_training_does_not_go_on_or_open_with_another_connectome(forged_training, trainings):
    path = forged_training("begun", lambda path: OTHER)
    before = (path / KEY).read_bytes()
    with pytest.raises(tb.SpecError, match=CHANGED):
        go_on(path)
    assert (path / KEY).read_bytes() == before
    path = forged_training("whole", lambda path: OTHER)
    for use in (go_on, lambda path: tb.open_training(path, task=TASK)):
        with pytest.raises(tb.SpecError, match=CHANGED):
            use(path)
    with pytest.raises(tb.SpecError, match=CHANGED):
        tb.train(BRAIN_TO_TRAIN, TASK, out=path, **SETTINGS)


def lost(*names):
    return lambda nodes: [nodes.pop(name) for name in names]


def test_curves_that_such_a_training_does_not_have_are_named(forged_training):
    changes = [
        {"change": lost("curves/loss")},
        {"change": lost("curves/seconds")},
        {"change": lambda nodes: [nodes.pop(name) for name in list(nodes) if name.startswith("curves/")]},
        {"arrays": lambda path: {"curves/loss": np.zeros((3, 3))}},
        {"arrays": lambda path: {"curves/loss": np.zeros((2, 3), np.float32)}},
        {"change": lambda nodes: nodes["curves"]["attributes"].pop("task")},
    ]
    for which, use in (("begun", go_on), ("whole", lambda path: repr(tb.open_training(path, task=TASK)))):
        for change in changes:
            with pytest.raises(tb.StoreError, match=r"training\.zarr/curves.*the training is damaged"):
                use(forged_training(which, **change))


def test_what_was_learned_of_another_shape_or_type_is_named(forged_training):
    name = "trained/weights.0.base"
    for change in (
        lambda values: values[:-1],
        lambda values: values.astype(np.int64),
        lambda values: values.astype(np.float32),
        lambda values: values * np.nan,
    ):

        def arrays(path, change=change):
            return {name: change(read(path, name))}

        path = forged_training("whole", arrays)
        with pytest.raises(tb.StoreError, match=rf"training\.zarr/{name}: expected .*the training is damaged"):
            tb.open_training(path, task=TASK)


@pytest.mark.parametrize(
    "course", [[0, 1, 0], [2, 1, 3], [2, 1, 0], [2, np.nan, 1], [2, 1, 1.5], [2.5, 1, 1], [3, 1, 1]]
)
def test_a_course_that_is_none_of_what_is_committed_is_named(forged_training, course):
    path = forged_training("begun", lambda path: {f"{slot_of(path)}/course": np.array(course, np.float64)})
    with pytest.raises(
        tb.StoreError, match=r"checkpoint/\w+/course: expected 2 epochs, of which one|/course: expected num"
    ):
        go_on(path)


def test_a_state_of_another_network_or_optimiser_is_named(forged_training):
    for kind, change in (
        ("optimiser 0 exp_avg", lambda values: values[:-1]),
        ("optimiser 0 exp_avg_sq", lambda values: values.astype(np.int64)),
        ("optimiser 0 step", lambda values: values * 0),
        ("optimiser 0 step", lambda values: values * np.float32(np.nan)),
        ("network weights.0.relative", lambda values: values[:-1]),
        ("best weights.0.relative", lambda values: values[:-1]),
        ("best weights.0.relative", lambda values: values * np.nan),
    ):

        def arrays(path, kind=kind, change=change):
            name = f"{slot_of(path)}/{kind}"
            return {name: change(read(path, name))}

        with pytest.raises(tb.StoreError, match=rf"checkpoint/\w+/{kind}: expected .*the training is damaged"):
            go_on(forged_training("begun", arrays))
    path = forged_training("begun")
    rewrite(path, {}, change=lost(f"{slot_of(path)}/optimiser 0 exp_avg"))
    with pytest.raises(tb.StoreError, match=r"optimiser 0 exp_avg: expected .*, found none"):
        go_on(path)
