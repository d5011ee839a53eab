"""A run is the same, byte for byte, for any number of shards; and it can be resumed with any."""

import shutil
import signal

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import joined_brain, region_data, relay_region, small_brain
from tests.roots import of_root, rewrite, slot_of
from tests.run.test_breakdown import cubic, simulate
from twinbrain.store import run_info


# With two numbers in one engine, and in every engine with one number; the others are slow.
@pytest.mark.parametrize(
    ("engine", "shards"),
    [
        pytest.param(
            engine, shards, marks=[pytest.mark.slow] * (shards == 4 or (engine != "reference" and shards != 3))
        )
        for engine in ("reference", "brian2", "torch")
        for shards in (2, 3, 4)
    ],
)
def test_a_store_is_the_same_for_any_number_of_shards(run, whole, clients, same_files, tmp_path, engine, shards):
    found = run(tmp_path / "run.zarr", engine=engine, shards=shards, client=clients(shards))
    assert found.attrs["status"] == "complete"
    assert len(found["spikes/neuron"]) > 50
    same_files(tmp_path / "run.zarr", whole(engine))


def test_one_shard_is_the_whole_brain_in_this_process(run, whole, same_files, tmp_path):
    run(tmp_path / "run.zarr", shards=1)
    same_files(tmp_path / "run.zarr", whole("reference"))


def test_a_brain_whose_regions_are_joined_one_by_one_is_the_same_in_shards(run, client, same_files, tmp_path):
    run(tmp_path / "1.zarr", model=joined_brain(4))
    run(tmp_path / "2.zarr", model=joined_brain(4), shards=2, client=client)
    same_files(tmp_path / "2.zarr", tmp_path / "1.zarr")


RULES = (
    {"summary": "with a trace", "equations": "dtrace/dt = -trace / tau : 1\ntau : second",
     "on_pre": "release = w\ntrace += 1", "on_post": "w *= (1 + 0.01 * trace)", "parameters": {"tau": "15 ms"}},
    {"summary": "without", "on_pre": "release = w", "on_post": "w *= 1.01"},
)  # fmt: skip


def plastic_brain():
    """Return a brain of two cortical regions whose rules of one name differ, and of relays."""
    regions = {}
    for i, (pattern, rule) in enumerate(zip(("CX-3", "CX-*"), RULES, strict=True)):
        data = region_data() | {"name": f"test/cortex_{i}", "plasticity": {"drift": rule}}
        data["projections"][0]["plasticity"] = "drift"
        data["projections"][1]["plasticity"] = {"model": "pair_stdp", "parameters": {"w_max": f"{6 + i} nS"}}
        regions[pattern] = tb.Region.parse(data)
    return small_brain(4).model_copy(update={"regions": {"TH-*": relay_region(), **regions}})


@pytest.mark.parametrize(
    "engine",
    [pytest.param("reference", marks=pytest.mark.slow), "brian2", pytest.param("torch", marks=pytest.mark.slow)],
)
def test_plastic_synapses_are_the_same_and_go_on_with_another_number_of_shards(
    run, client, same_files, tmp_path, engine
):
    # Long enough for the fastest engine that it is still running when it is asked to stop.
    options = {"model": plastic_brain(), "engine": engine, "duration": "400 ms" if engine == "brian2" else "200 ms"}
    options["window"] = "20 ms"
    run(tmp_path / "whole.zarr", **options)
    with pytest.raises(tb.RunInterrupted):
        run(
            tmp_path / "run.zarr",
            **options,
            shards=3,
            client=client,
            progress=interrupting(1),
        )
    tb.resume(tmp_path / "run.zarr", shards=2, client=client)
    same_files(tmp_path / "run.zarr", tmp_path / "whole.zarr")
    assert {"ampa_drift", "ampa_drift_2", "nmda_drift"} < set(tb.read_synapses(tmp_path / "run.zarr"))


def interrupting(step):
    """Return a progress function that presses Ctrl-C once when some step was reached."""
    pressed = []

    def progress(what, done, total):
        if what == "simulate" and done >= step and not pressed:
            pressed.append(done)
            signal.raise_signal(signal.SIGINT)

    return progress


# Long enough that a run is still running when it is asked to stop.
LONG = "200 ms"


@pytest.mark.parametrize(
    ("first", "then"), [(2, 3), pytest.param(4, 1, marks=pytest.mark.slow), pytest.param(1, 2, marks=pytest.mark.slow)]
)
def test_a_run_that_was_interrupted_goes_on_with_another_number_of_shards(
    run, whole, clients, same_files, tmp_path, first, then
):
    def on(shards):
        return {} if shards == 1 else {"shards": shards, "client": clients(shards)}

    path = tmp_path / "run.zarr"
    with pytest.raises(tb.RunInterrupted, match=r"stopped at \d+ ms of 200 ms of model time"):
        run(path, duration=LONG, window="20 ms", progress=interrupting(1), **on(first))
    stopped = tb.open_run(path)
    assert stopped.attrs["status"] == "interrupted"
    assert stopped.attrs["committed"] in range(0, 200, 20)
    resumed = tb.resume(path, **on(then))
    assert resumed.attrs["status"] == "complete"
    same_files(path, whole("reference", LONG, "20 ms"))


def test_shards_go_on_from_what_fits_the_whole_brain_alone(run, client, tmp_path):
    path = tmp_path / "run.zarr"
    with pytest.raises(tb.RunInterrupted):
        run(path, progress=interrupting(1))
    variable = next(name for name in of_root(path)[1] if name.startswith(f"{slot_of(path)}/") and name.endswith("%2Fv"))
    shutil.copytree(path, short := tmp_path / "short.zarr")
    rewrite(short, {variable: np.zeros(3)})
    spike = {"under_way_step": 99, "under_way_neuron": 10**6}
    rewrite(path, {f"{slot_of(path)}/{name}": np.array([value], np.int32) for name, value in spike.items()})
    for place, text in ((path, "expected neurons from 0 to"), (short, "/v in the checkpoint, found 3; restore")):
        with pytest.raises(tb.StoreError, match=text):
            tb.resume(place, shards=2, client=client)


def test_progress_is_told_as_in_one_process(run, client, tmp_path):
    told = []
    run(tmp_path / "run.zarr", shards=2, client=client, progress=lambda *event: told.append(event))
    assert list(dict.fromkeys(what for what, _, _ in told)) == ["build", "compile", "simulate"]
    assert told[-1] == ("simulate", 300, 300)


def test_more_shards_than_regions_are_refused(run, client, tmp_path):
    with pytest.raises(tb.SpecError, match=r"expected 1 to 4 shards, .* found 5"):
        run(tmp_path / "run.zarr", shards=5, client=client)
    with pytest.raises(tb.SpecError, match="shards: expected a whole number of at least 1, found 0"):
        run(tmp_path / "run.zarr", shards=0, client=client)
    assert not (tmp_path / "run.zarr").exists()


def test_workers_without_shards_are_refused(run, client, tmp_path):
    with pytest.raises(tb.ClusterError, match="expected the number of shards"):
        run(tmp_path / "run.zarr", client=client)


def test_an_error_of_the_declaration_is_raised_once_and_as_it_is(run, client, tmp_path):
    data = region_data()
    data["projections"][1]["delay"] = "0.01 ms"
    brain = small_brain(4).model_copy(
        update={
            "regions": {
                "TH-*": relay_region(),
                "CX-2": tb.Region.parse(region_data()),
                "CX-*": tb.Region.parse(data | {"name": "test/wrong"}),
            }
        }
    )
    with pytest.raises(tb.SpecError) as alone:
        run(tmp_path / "alone.zarr", model=brain)
    with pytest.raises(tb.SpecError) as sharded:
        run(tmp_path / "run.zarr", model=brain, shards=3, client=client)
    assert str(sharded.value) == str(alone.value)
    assert not (tmp_path / "run.zarr").exists()


def test_a_run_that_stands_there_is_replaced_only_if_asked(run, whole, client, same_files, tmp_path):
    path = tmp_path / "run.zarr"
    run(path, duration="20 ms")
    with pytest.raises(tb.StoreError, match="found a run"):
        run(path, shards=2, client=client)
    run(path, shards=2, client=client, overwrite=True)
    same_files(path, whole("reference"))


@pytest.mark.parametrize("on_breakdown", ["stop", "mark"])
def test_a_state_that_is_not_finite_is_told_alike_by_shards_and_one_process(client, tmp_path, on_breakdown):
    none = [[0.0, 0.0], [0.0, 0.0]]
    regions = {"A": cubic(1.0, "calm"), "B": cubic(5.0)}
    brain = tb.Brain(connectome=tb.Connectome(none, none, ["A", "B"]), regions=regions)
    found = []
    for shards in (1, 2):
        out = tmp_path / f"{shards}.zarr"
        told = pytest.raises(tb.BreakdownError) if on_breakdown == "stop" else pytest.warns(tb.BreakdownWarning)
        with told as caught:
            simulate(out, brain, on_breakdown=on_breakdown, shards=shards, client=client if shards > 1 else None)
        info = run_info(out)
        text = caught.value if on_breakdown == "stop" else caught[0].message
        found.append((info.status, info.committed, info.breakdown, str(text)))
    assert found[0] == found[1]
    assert found[0][:2] == {"stop": ("failed", 2.0), "mark": ("complete", 8.0)}[on_breakdown]
    assert found[0][2] == "v of neuron 3 of B.odd became inf between 0 and 2 ms of model time"
