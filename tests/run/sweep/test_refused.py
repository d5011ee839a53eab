"""What cannot be swept is refused before anything is computed."""

import numpy as np
import pytest

import twinbrain as tb
from tests.run.conftest import lively
from tests.run.sweep.conftest import n_spikes
from twinbrain.run.sweep.sweep import declared_sweep
from twinbrain.spec.load import as_workflow

RELAY = "regions.test/relay"
OTHER_RATE = f"{RELAY}.drives.local.rate"
C_M = f"{RELAY}.cells.local.parameters.C_m"


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


def test_equal_seeds_are_refused_before_anything_is_computed(sweep, out):
    with pytest.raises(tb.SpecError, match="expected each value once, found 1 twice"):
        sweep(seed=[1, 1, 2])
    assert not out.exists()


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


def test_results_along_other_places_are_refused_though_their_shapes_are_the_same(sweep):
    region = lively()
    renamed = tb.Region.parse(region.to_dict() | {"name": "other/relay"})
    with pytest.raises(tb.SpecError, match="expected the same family at every point, found other instead of test"):
        sweep(**{"regions.*": [region, renamed]}, reduce={"mean_rates": {"by": "family"}})


def test_spikes_of_runs_that_are_kept_must_be_recorded_if_they_are_reduced(sweep):
    workflow = as_workflow(lively()).model_copy(update={"record": tb.Record(spikes=False)})
    assert (sweep(workflow, seed=[1], reduce=n_spikes)["n_spikes"] > 0).all()
    with pytest.raises(tb.SpecError, match=r"sweep\.reduce\.n_spikes"):
        sweep(workflow, seed=[1], reduce=n_spikes, keep_runs=True, overwrite=True)


def test_a_sweep_whose_points_would_not_fit_into_memory_is_refused(tmp_path):
    """A point that is reduced is held as a whole, whatever the window."""
    workflow = as_workflow(lively())
    run = workflow.run.replace(duration="3000 s", window="100 ms", memory_limit="2 GB")
    record = tb.Record(state=(tb.StateRecord(variable="v", neurons=1000, interval="0.1 ms"),))
    swept = workflow.replace(run=run, record=record)
    with pytest.raises(tb.PlanError, match="record less"):
        tb.sweep(swept, out=tmp_path / "sweep.zarr", coupling=[0.5, 1.0], workers=0)


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
