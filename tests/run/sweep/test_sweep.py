"""`tb.sweep`, `tb.open_sweep` and `tb.resume_sweep`, in this process."""

import json
import os
import warnings

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.run.conftest import RECORD, lively
from tests.run.sweep.conftest import QUICK, fails_at, n_spikes, simulated
from twinbrain import analysis
from twinbrain.run.sweep.create import open_or_create, prepare_sweep
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.spec.load import as_workflow
from twinbrain.spec.sweep import Sweep
from twinbrain.store import Location
from twinbrain.store.sweep import SweepStore

RELAY = "regions.test/relay"
RATE, OTHER_RATE = f"{RELAY}.drives.relay.rate", f"{RELAY}.drives.local.rate"
C_M = f"{RELAY}.cells.local.parameters.C_m"


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


def test_a_function_may_change_the_working_folder(sweep, tmp_path, monkeypatch):
    def leaving(run):
        os.chdir("/")
        return 1.0

    monkeypatch.chdir(tmp_path)
    assert sweep(seed=range(2), reduce=[leaving], out="here.zarr", batch=1)["leaving"].values.tolist() == [1.0, 1.0]
    assert (tmp_path / "here.zarr").is_dir()


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


def test_regions_can_be_swept_and_what_they_are_called_is_no_coordinate_then(sweep):
    region = lively()
    renamed = tb.Region.parse(region.to_dict() | {"name": "other/relay"})
    found = sweep(**{"regions.*": [region, renamed]}, reduce={"mean_rates": {"by": "population"}})
    assert (found["status"] == 1).all()
    assert {"population", "name"} <= set(found.coords)
    assert not {"family", "module"} & set(found.coords)


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


def test_a_case_changes_what_it_has_put_in_place_whatever_case_stands_before_it(sweep, tmp_path):
    other = lively().to_dict() | {"name": "test/other"}
    tb.write_region(tb.Region.parse(other), tmp_path / "other.toml")
    first = next(iter(lively().drives)).population
    drive, region = f"regions.*.drives.{first}.rate", "regions.*"
    cases = {"a": {drive: "50 Hz"}, "b": {region: str(tmp_path / "other.toml"), drive: "100 Hz"}}
    found = sweep(cases=cases, reduce={"drive": rate_of_the_first_drive})
    assert found["drive"].values.tolist() == [50, 100]


def rate_of_the_first_drive(run):
    regions = json.loads(run.attrs["spec"])["brain"]["regions"]
    return float(str(next(iter(regions.values()))["drives"][0]["rate"]).split()[0])


def test_points_of_a_sweep_are_selected_by_what_became_of_them(sweep):
    found = sweep(seed=[1, 2], reduce=["mean_rates", fails_at(2)]).load()
    done = found.where(found["status"] == 1, drop=True)
    assert done["seed"].values.tolist() == [1]
    assert done["mean_rates"].identical(found["mean_rates"].sel(seed=[1]))
    assert found.reindex(seed=[1, 2, 9])["error"].isnull().values.tolist() == [False, False, True]


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


def test_a_batch_of_more_points_than_there_are_is_one_of_all(sweep, out):
    assert sweep(seed=[1, 2], reduce=["mean_rates"], batch=10**18)["status"].values.tolist() == [1, 1]
    assert SweepStore(Location(out)).attrs["batch"] == 2
