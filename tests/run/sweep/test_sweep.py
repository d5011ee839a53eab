"""`tb.sweep`, `tb.open_sweep` and `tb.resume_sweep`, in this process."""

import json
import os
import signal
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.run.conftest import RECORD, lively
from twinbrain import analysis
from twinbrain.run.sweep.create import open_or_create, prepare_sweep
from twinbrain.run.sweep.points import point_workflow
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.spec.load import as_workflow
from twinbrain.spec.sweep import Sweep
from twinbrain.store import Location
from twinbrain.store.sweep import BatchResult, SweepStore

RELAY = "regions.test/relay"
RATE, OTHER_RATE = f"{RELAY}.drives.relay.rate", f"{RELAY}.drives.local.rate"
C_M = f"{RELAY}.cells.local.parameters.C_m"
QUICK = {"duration": "10 ms", "window": "10 ms", "engine": "reference"}


@pytest.fixture
def sweep(out):
    """Sweep a lively region for 10 ms in this process."""

    def call(model=None, **options):
        swept = {key for table in options.get("together", ()) for key in table}
        quick = {key: value for key, value in QUICK.items() if key not in swept}
        return tb.sweep(model or lively(), **({"out": out, "workers": 0} | quick | options))

    return call


def n_spikes(run):
    return run["spikes"].sizes["spike"]


def simulated(tmp_path, values):
    workflow = point_workflow(as_workflow(lively()), QUICK | values)
    return tb.simulate(workflow, out=tmp_path / "run.zarr", overwrite=True)


def test_dimensions_stand_as_declared_with_values_and_units(sweep, out):
    found = sweep(
        **{"seed": [4], "coupling": {"linear": [0.5, 1.5], "n": 3}, RATE: ["0.6 kHz", "900 Hz"]},
        together=[{C_M: ["250 pF", "300 pF"], "drive_seed": [1, 2]}],
        samples={"n": 2, "parameters": {OTHER_RATE: {"uniform": ["1 kHz", "2 kHz"]}}},
        reduce=["mean_rates"],
    )
    dims = ("seed", "coupling", "relay.rate", "C_m", "sample")
    assert found["mean_rates"].dims == (*dims, "region")
    assert found["status"].dims == dims
    assert found.sizes == {"seed": 1, "coupling": 3, dims[2]: 2, "C_m": 2, "sample": 2, "region": 1}
    assert found["seed"].values.tolist() == [4]
    assert found["coupling"].values.tolist() == [0.5, 1.0, 1.5]
    assert found[dims[2]].values.tolist() == [0.6, 0.9]
    assert found[dims[2]].attrs == {"units": "kHz", "key": RATE}
    assert (found["C_m"].values.tolist(), found["C_m"].attrs["units"]) == ([250.0, 300.0], "pF")
    assert (found["drive_seed"].dims, found["drive_seed"].values.tolist()) == (("C_m",), [1, 2])
    assert (found["local.rate"].dims, found["local.rate"].attrs["units"]) == (("sample",), "kHz")
    assert (found["status"] == 1).all()
    assert found["mean_rates"].attrs["units"] == "Hz"
    xr.testing.assert_identical(found.load(), tb.open_sweep(out).load())


def test_every_point_stands_in_its_place(sweep, tmp_path):
    found = sweep(
        seed=[1, 2], **{C_M: ["250 pF", "300 pF", "200 pF"]}, drive_seed=[5, 6], reduce=["mean_rates", n_spikes]
    )
    assert len(np.unique(found["n_spikes"])) > 6
    for seed, c_m, drive_seed in [(1, 250, 5), (1, 200, 6), (2, 300, 5)]:
        run = simulated(tmp_path, {"seed": seed, C_M: f"{c_m} pF", "drive_seed": drive_seed})
        point = found.sel(seed=seed, C_m=c_m, drive_seed=drive_seed)
        assert point["n_spikes"] == n_spikes(run)
        np.testing.assert_array_equal(point["mean_rates"], analysis.mean_rates(run))


def test_equal_seeds_are_refused_before_anything_is_computed(sweep, out):
    with pytest.raises(tb.SpecError, match="expected each value once, found 1 twice"):
        sweep(seed=[1, 1, 2])
    assert not out.exists()


def test_what_is_told_of_progress_does_not_write_what_is_being_written(sweep, out, tmp_path):
    """As a writer within a writer it would."""

    def within(*_):
        sweep(seed=[1], progress=False)

    with pytest.raises(tb.StoreError, match="expected to be alone in writing the sweep"):
        sweep(seed=[1], progress=within)
    run = {"out": tmp_path / "run.zarr", **QUICK, "overwrite": True}
    with pytest.raises(tb.StoreError, match="expected to be alone in writing the run"):
        tb.simulate(lively(), progress=lambda *_: tb.simulate(lively(), progress=False, **run), **run)
    assert (sweep(seed=[1])["status"] == 1).all()


def test_a_single_value_is_set_at_every_point_and_is_no_dimension(sweep, tmp_path):
    found = sweep(seed=[1, 2], coupling=np.float64(2.0), reduce=n_spikes, **{C_M: "150 pF"})
    assert set(found.dims) == {"seed"}
    assert found["n_spikes"].sel(seed=2) == n_spikes(simulated(tmp_path, {"seed": 2, C_M: "150 pF"}))


def test_a_workflow_brings_its_sweep_and_arguments_change_it(sweep):
    declared = Sweep(parameters={"brain.coupling": [1.0, 2.0], "run.seed": [1, 2]}, reduce=["synchrony"])
    workflow = as_workflow(lively()).model_copy(update={"sweep": declared})
    found = sweep(workflow, coupling=[0.0], seed=3)
    assert dict(found["synchrony"].sizes) == {"coupling": 1, "population": 2}
    assert found["coupling"].values.tolist() == [0.0]


@pytest.mark.parametrize(
    ("key", "options"),
    [
        (f"{RELAY}.drives.1.rate", {OTHER_RATE: ["1 kHz", "2 kHz"]}),
        ("run.seed", {"together": [{"seed": [1, 2], "coupling": [1.0, 2.0]}]}),
        ("seed", {"cases": {"a": {"seed": 1}, "b": {"run.seed": 2}}}),
        ("coupling", {"samples": {"n": 2, "parameters": {"brain.coupling": {"uniform": [0, 1]}}}}),
    ],
)
def test_a_single_value_that_every_point_would_replace_is_refused(key, options):
    kinds = {name: value for name, value in options.items() if name in ("together", "cases", "samples")}
    parameters = {name: value for name, value in options.items() if name not in kinds}
    value = "1 Hz" if key.endswith("rate") else 3
    with pytest.raises(tb.SpecError, match="expected a value for what is not swept, found values of"):
        declared_sweep(as_workflow(lively()), {key: value, **parameters}, **kinds)


def test_a_single_value_that_a_case_leaves_as_it_is_counts():
    found, _ = declared_sweep(as_workflow(lively()), {"seed": 3}, cases={"a": {}, "b": {"seed": 4}})
    assert found.run.seed == 3


def test_a_plan_of_a_sweep_tells_what_those_of_its_points_do():
    late = tb.Stimulus(name="late", population="relay", current="1 pA", start="1 s", duration="10 ms")
    workflow = as_workflow(lively()).replace(stimuli=(late,), run=QUICK)
    found = prepare_sweep(*declared_sweep(workflow, {"coupling": [0.5, 1.0], "seed": [1, 2]})).notes
    assert sorted(found) == [
        "brain.coupling: 0.5 has no effect: no region reaches another (at some points)",
        "stimuli.late: it starts at 1000 ms, after the 10 ms of the run",
    ]


def test_reductions_take_options_and_functions_of_the_user(sweep, tmp_path):
    def by_neuron(run):
        return xr.DataArray(np.bincount(run["spikes"]["neuron"], minlength=28), dims="neuron")

    def several(run, scale=1):
        samples = run["spikes"].sizes["spike"] * scale
        return xr.Dataset({"count": samples, "pair": ("side", [samples, -1.0], {"units": "1"})}, {"side": ["a", "b"]})

    reductions = {
        "mean_rates": {"by": "population"},
        "rates": {"bin": "5 ms"},
        "by_neuron": by_neuron,
        "several": several,
    }
    found = sweep(seed=[1], reduce=reductions).isel(seed=0).load()
    run = simulated(tmp_path, {"seed": 1})
    np.testing.assert_array_equal(found["mean_rates"], analysis.mean_rates(run, by="population"))
    np.testing.assert_array_equal(found["rates"], analysis.rates(run, bin="5 ms"))
    np.testing.assert_array_equal(found["rates"]["time"], analysis.rates(run, bin="5 ms")["time"])
    np.testing.assert_array_equal(found["by_neuron"], by_neuron(run))
    assert found["several_pair"].sel(side="a") == found["several_count"] == n_spikes(run)
    assert found["several_pair"].attrs == {"units": "1"}


def test_dimensions_of_one_name_and_other_values_are_told_apart(sweep):
    found = sweep(seed=[1], reduce={"rates": {"bin": "5 ms"}, "coarse": lambda run: analysis.rates(run, bin="10 ms")})
    assert found["rates"].sizes["time"] == 2
    assert found["coarse"].sizes["coarse_time"] == 1
    found = sweep(seed=[1], overwrite=True, reduce={"mean_rates": {"by": "population"}, "cv_isi": {}})
    assert found["mean_rates"].dims == found["cv_isi"].dims == ("seed", "population")


def test_a_result_called_as_a_key_leaves_the_key_a_longer_name(sweep):
    found = sweep(coupling=[0.0, 1.0], reduce={"coupling": lambda run: 5.0})
    assert found["coupling"].dims == ("brain.coupling",)


def test_plain_xarray_opens_a_sweep_without_a_warning(sweep, out):
    sweep(seed=[1, 2], reduce=["mean_rates", "cv_isi"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xr.open_zarr(out) as found:
            assert found["mean_rates"].load().dims == ("point", "region")
            assert {"seed", "population"} <= set(found.coords)


def test_what_a_function_writes_into_a_run_changes_no_other_point(sweep):
    def written(run):
        found = run["network"]["size"].values.sum() + 1000 * ("mine" in run.children)
        run["network"]["size"].values[:] += 1
        run["network"]["size"].attrs["mine"] = run.attrs["mine"] = True
        run["mine"] = run["network"].copy()
        return float(found)

    found = sweep(drive_seed=[1, 2, 3], reduce=[written])
    n_neurons = sum(population.size for population in lively().populations.values())
    assert found["written"].values.tolist() == [n_neurons] * 3


def fails_at(seed):
    def moody(run):
        # Early checks see no spikes.
        if run.attrs["seed"] == seed and run["spikes"].sizes["spike"]:
            raise ZeroDivisionError("no luck")
        return run["spikes"].sizes["spike"]

    return moody


MOOD = SimpleNamespace(unlucky=(2,), counted=[])


def moody(run):
    MOOD.counted.append(run.attrs["seed"])
    return fails_at(*MOOD.unlucky)(run) if MOOD.unlucky else n_spikes(run)


def test_a_point_that_fails_is_written_down_and_the_others_are_done(sweep, out):
    found = sweep(seed=range(5), reduce=["mean_rates", fails_at(2)])
    assert found["status"].values.tolist() == [1, 1, 2, 1, 1]
    assert np.isnan(found["moody"].values).tolist() == [False, False, True, False, False]
    assert np.isnan(found["mean_rates"].sel(seed=2)).all()
    errors = found["error"].values.tolist()
    assert [bool(error) for error in errors] == [False, False, True, False, False]
    assert "ZeroDivisionError: no luck (moody, " in errors[2]


def test_a_point_that_cannot_be_built_is_written_down_too(sweep):
    weights = [f"{weight} pA" for weight in (400, 401, 402, "1e13", 404, 405, 406, 407, 408, 409, 410, 411)]
    found = sweep(**{f"{RELAY}.drives.local.weight": weights}, reduce=n_spikes)
    assert found["status"].values.tolist() == [1, 1, 1, 2, *[1] * 8]
    assert found["error"].values[3].startswith("SpecError: ")


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("nothing to say")


@pytest.mark.parametrize("keep_runs", [False, True])
@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ValueError("no file " + b"caf\xe9".decode("utf-8", "surrogateescape")), r"ValueError: no file caf\udce9 ("),
        (Unspeakable(), "Unspeakable: (its text is not to be had: RuntimeError) ("),
        (tb.StoreError("expected a run, found nothing"), "StoreError: expected a run, found nothing"),
    ],
)
def test_whatever_a_function_raises_its_point_alone_fails(sweep, error, kept, keep_runs):
    def raising(run):
        if run.attrs["seed"] == 1 and run["spikes"].sizes["spike"]:  # early checks see no spikes
            raise error
        return 1.0

    found = sweep(seed=range(3), reduce=[raising], keep_runs=keep_runs)
    assert found["status"].values.tolist() == [1, 2, 1]
    assert str(found["error"].values[1]).startswith(kept)


def test_a_function_may_change_the_working_folder(sweep, tmp_path, monkeypatch):
    def leaving(run):
        os.chdir("/")
        return 1.0

    monkeypatch.chdir(tmp_path)
    assert sweep(seed=range(2), reduce=[leaving], out="here.zarr", batch=1)["leaving"].values.tolist() == [1.0, 1.0]
    assert (tmp_path / "here.zarr").is_dir()


def test_resuming_does_what_is_missing_or_has_failed_and_nothing_else(sweep, out, monkeypatch):
    sweep(seed=range(5), reduce=moody, batch=2)
    monkeypatch.setattr(MOOD, "unlucky", ())
    monkeypatch.setattr(MOOD, "counted", counted := [])
    found = tb.resume_sweep(out, reduce=moody, workers=0)
    assert counted == [2]
    assert (found["status"] == 1).all()
    assert set(found["error"].values.tolist()) == {""}
    tb.resume_sweep(out, reduce=moody, workers=0)
    assert counted == [2]
    assert found["moody"].values.tolist() == sweep(seed=range(5), reduce=moody, overwrite=True)["moody"].values.tolist()


def test_what_a_kill_left_of_results_does_not_count(sweep, out):
    """Results of a batch are written before its status, which says whether they are there."""
    sweep(seed=range(3), reduce=n_spikes, batch=1)
    left = {"n_spikes": np.array([3.0])}
    pending = BatchResult(1, 2, np.zeros(1, np.uint8), ["left"], np.ones(1, np.float32), left)
    SweepStore(Location(out)).write(pending)
    found = tb.open_sweep(out)
    assert found["status"].values.tolist() == [1, 0, 1]
    assert np.isnan(found["n_spikes"].values).tolist() == [False, True, False]
    assert np.isnan(found["seconds"].values).tolist() == [False, True, False]
    assert found["error"].values.tolist() == ["", "", ""]


def test_an_interrupted_sweep_goes_on_where_it_stopped(sweep, out):
    asked = []

    def stop(state):
        if state.now == 2 and not asked:
            asked.append(state)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(tb.RunInterrupted, match="stopped after 2 of 6 points"):
        sweep(seed=range(6), reduce=["mean_rates"], batch=2, progress=stop)
    assert tb.open_sweep(out)["status"].values.tolist() == [1, 1, 0, 0, 0, 0]
    states = []
    found = tb.resume_sweep(out, workers=0, progress=states.append).load()
    assert [(state.done, state.failed, state.total, state.now) for state in states] == [
        (2, 0, 6, 0),
        (4, 0, 6, 2),
        (6, 0, 6, 4),
    ]
    whole = sweep(seed=range(6), reduce=["mean_rates"], batch=2, overwrite=True)
    np.testing.assert_array_equal(found["mean_rates"], whole["mean_rates"])


@pytest.mark.parametrize("keep_runs", [False, True])
def test_a_signal_while_a_point_runs_stops_the_sweep_and_fails_no_point(sweep, out, keep_runs):
    def press(run):
        if run["spikes"].sizes["spike"] and run.attrs["seed"] == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return 0

    with pytest.raises(tb.RunInterrupted):
        sweep(seed=range(4), reduce=press, batch=1, keep_runs=keep_runs)
    assert tb.open_sweep(out)["status"].values.tolist() == [1, 1, 0, 0]


def test_the_same_call_goes_on_and_another_is_refused_naming_the_difference(sweep, out):
    sweep(seed=range(3), reduce=["mean_rates"])
    before = SweepStore(Location.of(out)).attrs
    sweep(seed=range(3), reduce=["mean_rates"])
    assert SweepStore(Location.of(out)).attrs == before
    for changes, texts in [
        ({"seed": [0, 1, 4]}, ["sweep.parameters.seed[2]: 2 before, 4 now"]),
        ({"seed": range(4)}, ["sweep.parameters.seed: [0, 1, 2] before, [0, 1, 2, 3] now"]),
        ({"coupling": 0.5}, ["brain.coupling: 1.0 before, 0.5 now"]),
        ({C_M: "111 pF"}, ["C_m", "before, '111 pF' now"]),
        ({"reduce": ["mean_rates", "cv_isi"]}, ["sweep.reduce.cv_isi: nothing before, {} now"]),
    ]:
        with pytest.raises(tb.SpecError) as error:
            sweep(**({"seed": range(3), "reduce": ["mean_rates"]} | changes))
        for text in (*texts, "another path", "overwrite=True"):
            assert text in str(error.value)


def test_runs_that_are_kept_are_whole_runs(sweep, out, tmp_path):
    workflow = as_workflow(lively()).model_copy(update={"record": RECORD})
    found = sweep(workflow, seed=[1, 2], keep_runs=True, reduce=n_spikes)
    runs = sorted((out / "runs").iterdir())
    assert len(runs) == 2
    for seed, path in zip((1, 2), runs, strict=True):
        run = tb.open_run(path)
        assert (run.attrs["status"], run.attrs["seed"]) == ("complete", seed)
        assert n_spikes(run) == found["n_spikes"].sel(seed=seed)
        assert run["state"].children
        tb.resume(path)
    alone = sweep(workflow, seed=[1, 2], reduce=n_spikes, out=tmp_path / "other.zarr")
    np.testing.assert_array_equal(alone["n_spikes"], found["n_spikes"])


def boom(run):
    return 1 / run["spikes"].sizes["spike"]


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({}, ["expected at least one key with values, found none"]),
        ({"seed": []}, ["parameters.seed", "at least one value"]),
        ({"copling": [1.0]}, ["unknown key 'copling'; did you mean 'coupling'?"]),
        ({"coupling": [1.0, np.nan]}, ["expected values as they stand in a file, found nan"]),
        ({"coupling": [1.0, "a"]}, ["at coupling = a", "number"]),
        ({"coupling": [1.0], "brain.coupling": [2.0]}, ["'coupling' and 'brain.coupling' are the same key"]),
        ({"seed": [1, 2.5]}, ["at seed = 2.5", "integer"]),
        ({"seed": [1], f"{RELAY}.parameters.bb": "1 pA"}, ["unknown parameter 'bb'"]),
        ({f"{RELAY}.cells.local.parameters.C_m": ["250 pF", "1 mV"]}, ["C_m = 1 mV", "another dimension"]),
        (
            {"seed": [1], "reduce": boom},
            ["sweep.reduce.boom: expected numbers of a run without spikes too", "ZeroDivisionError"],
        ),
        ({"seed": [1], "reduce": ["mean_rate"]}, ["unknown reduction 'mean_rate'; did you mean 'mean_rates'?"]),
        ({"seed": [1], "reduce": {"mean_rates": {"on": 1}}}, ["sweep.reduce.mean_rates", "'on'", "by"]),
        ({"seed": [1], "reduce": {"rates": {"bin": "1 mV"}}}, ["sweep.reduce.rates", "another dimension"]),
        ({"seed": [1], "reduce": {"mean_rates": n_spikes}}, ["found that of an analysis"]),
        (
            {"duration": ["10 ms", "20 ms"], "reduce": ["rates"]},
            ["at duration = 20 ms", "found rates of shape (20, 1) instead of (10, 1)"],
        ),
        ({"regions.*": ["cortex/column", "thalamus/relay"]}, ["at regions.* = thalamus/relay", "of shape"]),
        ({"engine": ["reference", "neuron"]}, ["unknown engine 'neuron'"]),
        ({"seed": [1], "client": object()}, ["expected workers = 0 alone"]),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_runs(sweep, options, texts):
    with pytest.raises(tb.TwinbrainError) as error:
        sweep(**options)
    for text in texts:
        assert text in str(error.value)


def test_regions_can_be_swept_and_what_they_are_called_is_no_coordinate_then(sweep):
    region = lively()
    renamed = tb.Region.parse(region.to_dict() | {"name": "other/relay"})
    found = sweep(**{"regions.*": [region, renamed]}, reduce={"mean_rates": {"by": "population"}})
    assert (found["status"] == 1).all()
    assert {"population", "name"} <= set(found.coords)
    assert not {"family", "module"} & set(found.coords)


def test_results_along_other_places_are_refused_though_their_shapes_are_the_same(sweep):
    region = lively()
    renamed = tb.Region.parse(region.to_dict() | {"name": "other/relay"})
    with pytest.raises(tb.SpecError, match="expected the same family at every point, found other instead of test"):
        sweep(**{"regions.*": [region, renamed]}, reduce={"mean_rates": {"by": "family"}})


def test_regions_in_another_order_are_told_apart_by_their_labels(sweep, tmp_path):
    """As in connectomes of subjects; the second of nine is not looked at before anything runs."""
    quiet = tb.Region.parse(lively().to_dict() | {"name": "test/quiet", "drives": []})
    subjects = [str(tmp_path / f"{place}.npz") for place in range(9)]
    for place, path in enumerate(subjects):
        np.savez(path, weight=1 - np.eye(2), length=10 * (1 - np.eye(2)), labels=list("BA" if place == 1 else "AB"))
    brain = tb.Brain(connectome=subjects[1], regions={"A": lively(), "B": quiet})
    expected = analysis.mean_rates(tb.simulate(brain, **QUICK)).sel(region=["A", "B"]).values
    assert expected[0] > expected[1] == 0
    found = sweep(brain, connectome=subjects, reduce=["mean_rates"])["mean_rates"]
    np.testing.assert_array_equal(found[1].sel(region=["A", "B"]), expected)


def test_a_point_whose_times_are_others_fails_and_says_so(sweep):
    """Bins of twice the width over twice the time are as many; the second of nine is not looked at before."""
    twice = [place % 2 for place in range(9)]
    together = {
        "record.rate_bin": [("1 ms", "2 ms")[i] for i in twice],
        "duration": [("10 ms", "20 ms")[i] for i in twice],
    }
    found = sweep(as_workflow(lively()), together=[together], reduce=["rates"])
    assert (found["status"].values == np.where(twice, 2, 1)).all()
    assert "expected the same time at every point, found" in str(found["error"].values[1])
    assert found["rates"].isnull().values.any(axis=(1, 2)).tolist() == [bool(place) for place in twice]


def test_spikes_of_runs_that_are_kept_must_be_recorded_if_they_are_reduced(sweep):
    workflow = as_workflow(lively()).model_copy(update={"record": tb.Record(spikes=False)})
    assert (sweep(workflow, seed=[1], reduce=n_spikes)["n_spikes"] > 0).all()
    with pytest.raises(tb.SpecError, match=r"sweep\.reduce\.n_spikes"):
        sweep(workflow, seed=[1], reduce=n_spikes, keep_runs=True, overwrite=True)


def test_functions_are_needed_again(sweep, out):
    sweep(seed=range(2), reduce=fails_at(1))
    with pytest.raises(
        tb.SpecError, match=r"expected the function 'moody'.*found none.* or pass the function in Python"
    ):
        tb.resume_sweep(out, workers=0)


def test_there_must_be_a_sweep_to_open_or_resume(out, tmp_path):
    for call in (tb.open_sweep, tb.resume_sweep):
        with pytest.raises(tb.StoreError, match="expected a sweep, found nothing"):
            call(out)
    simulated(tmp_path, {})
    for call in (tb.open_sweep, tb.resume_sweep):
        with pytest.raises(tb.StoreError, match="expected a twinbrain sweep, found something else"):
            call(tmp_path / "run.zarr")


@pytest.mark.parametrize(
    "swept",
    [{"engine": ["brian2-numpy", "torch"]}, {"cases": {"a": {"run.engine": "torch"}}}, {"seed": [1, 2]}],
    ids=["engine", "cases", "seed"],
)
def test_a_sweep_is_begun_with_the_versions_of_every_engine_of_its_points(workflow, swept, out):
    keys = {key: values for key, values in swept.items() if key != "cases"}
    prepared = prepare_sweep(*declared_sweep(workflow, keys, cases=swept.get("cases")))
    store = open_or_create(prepared, Location.of(out), overwrite=False)
    assert ("torch" in json.loads(store.attrs["versions"])) == ("seed" not in swept)


def test_another_run_in_this_process_is_free_to_go_after_a_sweep(sweep, tmp_path):
    sweep(seed=[1], engine="brian2-numpy", reduce=n_spikes)
    tb.simulate(lively(), out=tmp_path / "run.zarr", engine="brian2-numpy", duration="1 ms", window="1 ms")


def test_a_sweep_whose_points_would_not_fit_into_memory_is_refused(tmp_path):
    """A point that is reduced is held as a whole, whatever the window."""
    workflow = as_workflow(lively())
    run = workflow.run.replace(duration="3000 s", window="100 ms", memory_limit="2 GB")
    record = tb.Record(state=(tb.StateRecord(variable="v", neurons=1000, interval="0.1 ms"),))
    swept = workflow.replace(run=run, record=record)
    with pytest.raises(tb.PlanError, match="record less"):
        tb.sweep(swept, out=tmp_path / "sweep.zarr", coupling=[0.5, 1.0], workers=0)


def test_a_batch_of_more_points_than_there_are_is_one_of_all(sweep, out):
    assert sweep(seed=[1, 2], reduce=["mean_rates"], batch=10**18)["status"].values.tolist() == [1, 1]
    assert SweepStore(Location(out)).attrs["batch"] == 2


@pytest.mark.parametrize("key", ["regions.*.cells.*.parameters.C_m", f"{RELAY}.parameters.C_m"])
def test_axes_that_give_a_value_to_the_same_place_are_refused(sweep, out, key):
    with pytest.raises(tb.SpecError, match=r"both give a value to brain\.regions\.\*\.cells\.local\.parameters\.C_m"):
        sweep(**{key: ["200 pF", "250 pF"], C_M: ["300 pF", "350 pF"]}, reduce=["mean_rates"])
    assert not out.exists()


@pytest.mark.parametrize("workers", [1.5, True, False, "2", -1])
def test_what_is_no_number_of_workers_is_refused_before_anything_is_kept(workflow, out, workers):
    with pytest.raises(tb.SpecError, match=f"workers: expected a whole number of at least 0, found {workers!r}"):
        tb.sweep(workflow, out=out, seed=[1, 2], workers=workers)
    assert not out.exists()
