"""A run in memory is what the store gives."""

import json

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.run.conftest import RECORD, lively, run
from twinbrain import analysis
from twinbrain.errors import StoreError
from twinbrain.run.sweep.points import run_point
from twinbrain.run.sweep.sharing import Shared
from twinbrain.spec.load import as_workflow
from twinbrain.store import MemoryRun

# What a store keeps of a run, and what is reduced at once needs not.
STORED_ALONE = {"checksum", "created", "digest", "versions", "checkpoint", "twinbrain_version"}


def in_memory(**changes):
    options = {"duration": "30 ms", "window": "10 ms", "engine": "reference", "seed": 3} | changes
    workflow = as_workflow(lively()).model_copy(update={"record": RECORD})
    return run_point(workflow, options, Shared())


@pytest.mark.parametrize("changes", [{}, {"window": "30 ms"}, {"seed": 4, "duration": "20 ms"}])
def test_a_run_in_memory_is_the_run_of_the_store(tmp_path, changes):
    stored, found = run(tmp_path / "run.zarr", **changes).load(), in_memory(**changes)
    assert found["spikes"].sizes["spike"] > 0
    groups = {node.path for node in stored.subtree if not node.path.startswith("/checkpoint")}
    assert {node.path for node in found.subtree} == groups
    for path in groups:
        one, other = (tree[path].to_dataset(inherit=False) for tree in (stored, found))
        other = other.assign_attrs(one.attrs) if path == "/" else other
        xr.testing.assert_identical(other, one)
        assert {name: v.dtype for name, v in other.variables.items()} == {n: v.dtype for n, v in one.variables.items()}
    differing = {key for key in {*stored.attrs, *found.attrs} if stored.attrs.get(key) != found.attrs.get(key)}
    assert differing <= STORED_ALONE


def test_analyses_find_the_same_in_both(tmp_path):
    stored, found = run(tmp_path / "run.zarr"), in_memory()
    for function in (analysis.mean_rates, analysis.cv_isi, analysis.synchrony, analysis.rates):
        xr.testing.assert_identical(function(found), function(stored))


@pytest.fixture
def memory(example):
    """A run in memory as the examples of the store are, of so many windows."""

    def make(n_windows, status="running"):
        probes = [example.ProbeLayout("v_adex", "v", "mV", example.PROBED, example.EVERY)]
        probes += [example.ProbeLayout("w", "w", "pA", example.PROBED[:1], 350, "float32")]
        made = MemoryRun(
            attrs=example.attributes(),
            network=example.network(),
            connectome=example.connectome(),
            rate_bin_steps=example.BIN_STEPS,
            dt=example.DT,
            probes=probes,
        )
        return example.commit(made, range(n_windows), status=status)

    return make


@pytest.mark.parametrize("n_windows", [0, 1, 4])
def test_every_window_is_there_and_none_is_enough(example, memory, path, n_windows):
    found = memory(n_windows).tree()
    example.commit(example.create(path), range(n_windows))
    stored = tb.open_run(path).load()
    for group in ("spikes", "rate", "state/v_adex", "state/w", "network", "connectome"):
        xr.testing.assert_identical(found[group].to_dataset(), stored[group].to_dataset())
    assert found.attrs["committed"] == stored.attrs["committed"]


def test_a_tree_that_is_filled_anew_is_a_new_one(memory):
    base = memory(4, "complete").tree()
    for n_windows in (2, 0, 3):
        filled, new = memory(n_windows).tree(base), memory(n_windows).tree()
        assert filled is base
        xr.testing.assert_identical(filled, new)


def test_the_status_is_that_of_the_last_window_or_what_is_set(memory):
    run = memory(2, "interrupted")
    assert run.tree().attrs["status"] == "interrupted"
    run.set_status("complete")
    assert run.tree().attrs["status"] == "complete"


def test_rows_of_another_shape_are_refused(example, memory):
    window = example.window(0)
    wrong = example.WindowData(
        window.first_step, window.next_step, window.time_step, window.neuron, window.rates[:, :2], window.samples
    )
    with pytest.raises(StoreError, match="rate/rate"):
        memory(0).commit(wrong, example.state(0))


def test_attributes_given_are_not_changed(example, memory):
    attributes = example.attributes()
    before = json.dumps(attributes)
    run = MemoryRun(
        attrs=attributes, network=example.network(), connectome=example.connectome(), rate_bin_steps=1, dt=example.DT
    )
    run.set_status("complete")
    assert json.dumps(attributes) == before
    assert np.isclose(run.tree().attrs["dt"], example.DT)
