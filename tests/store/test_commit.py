import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import LocalStore

from tests.roots import edit_root
from twinbrain.errors import StoreError
from twinbrain.store import StateData, WindowData, open_run, read_spikes, resume_run

DT, BIN = 0.1, 70


def windows_of(n_steps, n_spikes):
    """Windows of those lengths (in bins), with so many spikes."""
    random, first = np.random.default_rng(3), 0
    for n_bins, n in zip(n_steps, n_spikes, strict=True):
        stop = first + n_bins * BIN
        steps = np.sort(random.integers(first, stop, n)).astype(np.int32)
        rates = random.random((n_bins, 3)).astype(np.float32)
        samples = {"v_adex": random.random((stop // 30 - first // 30, 3))}
        samples["w"] = random.random((stop // 350 - first // 350, 1))
        yield WindowData(first, stop, steps, random.integers(0, 50, n).astype(np.int32), rates, samples)
        first = stop


@settings(max_examples=6)
@given(
    windows=st.lists(
        st.tuples(st.integers(1, 40), st.one_of(st.just(0), st.integers(0, 3000), st.just(600_000))), max_size=3
    ),
    resumed=st.booleans(),
)
def test_what_is_read_is_what_was_written_whatever_the_windows(example, tmp_path_factory, windows, resumed):
    path = tmp_path_factory.mktemp("runs") / "run.zarr"
    writer = example.create(path)
    written = list(windows_of(*zip(*windows, strict=True))) if windows else []
    for window in written:
        writer.commit(window, StateData(window.next_step, {}, *np.empty((2, 0), np.int32)))
        if resumed:
            writer, _, _ = resume_run(path)

    tree = open_run(path).load()
    steps, neuron = (
        np.concatenate([np.empty(0, int), *(getattr(w, k) for w in written)]) for k in ("time_step", "neuron")
    )
    np.testing.assert_array_equal(tree["spikes/time_step"], steps)
    np.testing.assert_array_equal(tree["spikes/neuron"], neuron)
    n_steps = written[-1].next_step if written else 0
    np.testing.assert_array_equal(tree["spikes/window_start"], np.searchsorted(steps, np.arange(0, n_steps, 1000)))
    np.testing.assert_array_equal(tree["rate/rate"], np.concatenate([np.empty((0, 3)), *(w.rates for w in written)]))
    np.testing.assert_array_equal(tree["rate/time"], np.arange(n_steps // BIN) * BIN * DT)
    for probe, variable, every, dtype in (("v_adex", "v", 30, "float64"), ("w", "w", 350, "float32")):
        samples = [np.empty((0, 3 if every == 30 else 1)), *(w.samples[probe] for w in written)]
        np.testing.assert_array_equal(tree[f"state/{probe}/{variable}"], np.concatenate(samples).astype(dtype))
        np.testing.assert_array_equal(tree[f"state/{probe}/time"], np.arange(1, n_steps // every + 1) * every * DT)


def test_layout_is_the_one_that_readers_rely_on(example, path):
    example.commit(example.create(path), range(3))
    tree = xr.open_datatree(path, engine="zarr", chunks={})
    attributes = ("twinbrain_format", "status", "seed", "dt", "duration", "committed", "window", "checkpoint")
    assert [tree.attrs[key] for key in attributes] == [2, "running", 7, 0.1, 7000.0, 210.0, 70.0, "even"]
    assert {key: tree.attrs[key] for key in example.attributes()} == example.attributes()
    assert sorted(tree.children) == ["checkpoint", "connectome", "network", "rate", "spikes", "state"]
    dims = {
        name: tree[name].dims for name in ("spikes/time_step", "spikes/window_start", "rate/rate", "state/v_adex/v")
    }
    assert list(dims.values()) == [("spike",), ("window",), ("time", "population"), ("time", "neuron")]
    dtypes = [
        str(tree[name].dtype) for name in (*dims, "spikes/neuron", "state/w/w", "rate/time", "state/v_adex/neuron")
    ]
    assert dtypes == ["int32", "int64", "float32", "float64", "int32", "float32", "float64", "int32"]
    assert tree["spikes"].attrs["sorting"] == "by_time"
    assert tree["spikes/time_step"].attrs["dt"] == 0.1
    assert tree["spikes/window_start"].attrs["window_steps"] == 1000
    assert [tree[name].attrs["units"] for name in ("rate/rate", "rate/time", "state/v_adex/v")] == ["Hz", "ms", "mV"]
    assert tree["spikes/neuron"].chunks is not None, "lazy"
    xr.testing.assert_identical(tree["network"].to_dataset().load(), example.network())
    xr.testing.assert_identical(tree["connectome"].to_dataset().load(), example.connectome())


def test_spikes_that_are_not_recorded_have_no_group(example, path):
    example.commit(example.create(path, spikes=False), range(2))
    assert "spikes" not in open_run(path).children
    writer, info, _ = resume_run(path)
    example.commit(writer, [2])
    assert info.n_spikes is None
    with pytest.raises(StoreError, match="record them"):
        read_spikes(path)


def test_a_run_without_probes_can_be_written_and_resumed(example, path):
    example.commit(example.create(path, probes=[]), range(2))
    writer, info, _ = resume_run(path)
    example.commit(writer, [2])
    assert info.probes == ()
    assert not open_run(path)["state"].children


def test_a_reader_keeps_what_it_opened_while_the_run_goes_on(example, path, seen):
    writer = example.commit(example.create(path), range(3))
    with xr.open_datatree(path, engine="zarr") as tree:
        before = seen(path)
        example.commit(writer, [3])
        assert example.contents(tree) == before
    assert seen(path) != before


def test_a_commit_reads_nothing_back_but_the_root(example, path, monkeypatch):
    writer, keys, get = example.commit(example.create(path), range(5)), [], LocalStore.get

    async def recording(self, key, *args, **options):
        keys.append(key)
        return await get(self, key, *args, **options)

    monkeypatch.setattr(LocalStore, "get", recording)
    example.commit(writer, range(5, 8))
    assert keys == 3 * ["zarr.json"]


def test_the_checkpoint_slots_are_written_in_turn_and_the_valid_one_alone_is_seen(example, path):
    writer = example.create(path)
    assert open_run(path).attrs["checkpoint"] == ""
    for k, slot in enumerate(("even", "odd", "even", "odd")):
        example.commit(writer, [k])
        tree = open_run(path)
        assert tree.attrs["checkpoint"] == slot
        assert list(tree["checkpoint"].children) == [slot]
        assert tree[f"checkpoint/{slot}"].attrs["step"] == writer.step


def test_a_status_is_set_with_a_window_or_alone(example, path):
    writer = example.commit(example.create(path), [0], status="interrupted")
    assert open_run(path).attrs["status"] == "interrupted"
    example.commit(writer, [1])
    assert open_run(path).attrs["status"] == "running"
    writer.set_status("interrupted")
    assert open_run(path).attrs["status"] == "interrupted"
    with pytest.raises(StoreError, match="running, interrupted, failed, complete, found 'done'"):
        writer.set_status("done")


def test_a_status_that_contradicts_what_is_committed_is_damage(example, path):
    example.commit(example.create(path), [0])
    edit_root(path, status="complete")
    with pytest.raises(StoreError, match="a run that is complete to have 7000 ms committed, found 70"):
        open_run(path)
    edit_root(path, status="running", duration=70.0, spec="{}")
    with pytest.raises(StoreError, match="a run that is not complete to lack a part of its duration, found 70"):
        open_run(path)


WRONG = {
    "not the next window": ({"first_step": 1400, "next_step": 2100}, "begins at step 700, found steps 1400 to 2100"),
    "an empty window": ({"next_step": 700}, "begins at step 700"),
    "spikes of another window": (
        {"time_step": np.array([3], np.int32), "neuron": np.zeros(1, np.int32)},
        "700 to 1399",
    ),
    "spikes not sorted": (
        {"time_step": np.array([900, 800], np.int32), "neuron": np.zeros(2, np.int32)},
        "order of time",
    ),
    "a spike without a neuron": ({"neuron": np.zeros(9999, np.int32)}, "neurons, one for each spike"),
    "a bin too few": ({"rates": np.zeros((9, 3), np.float32)}, "expected 10 rates, one for each bin of 70 steps"),
    "a population too few": (
        {"rates": np.zeros((10, 2), np.float32)},
        re.escape("shape (3,) for rate/rate, found (2,)"),
    ),
    "no samples": ({"samples": {}}, "probe 'v_adex'"),
}


@pytest.fixture(scope="module")
def started(example, tmp_path_factory):
    """A run of one window."""
    return example.commit(example.create(tmp_path_factory.mktemp("runs") / "run.zarr"), [0])


@pytest.mark.parametrize("what", WRONG)
def test_a_window_that_does_not_fit_is_refused_and_changes_nothing(example, started, seen, uninterrupted, what):
    change, message = WRONG[what]
    with pytest.raises(StoreError, match=message):
        started.commit(replace(example.window(1), **change), example.state(1))
    assert seen(started.path) == uninterrupted(1)


def test_the_state_of_another_step_or_of_unclear_names_is_refused(example, path):
    writer = example.create(path)
    with pytest.raises(StoreError, match="state at step 700, found step 1400"):
        writer.commit(example.window(0), example.state(1))
    for variables in ({"under_way_step": np.zeros(3)}, {"adex/v": np.zeros((2, 2))}):
        with pytest.raises(StoreError, match="<block>/<variable>"):
            writer.commit(example.window(0), replace(example.state(0), variables=variables))


def test_a_second_writer_is_noticed_before_it_spoils_the_run(example, path, seen, uninterrupted):
    first = example.commit(example.create(path), range(2))
    second, _, _ = resume_run(path)
    example.commit(first, [2])
    with pytest.raises(StoreError, match="another process"):
        example.commit(second, [2])
    example.commit(first, [3])
    assert seen(path) == uninterrupted(4)
