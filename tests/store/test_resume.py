import shutil

import numpy as np
import pytest
import xarray as xr

from twinbrain.errors import StoreError
from twinbrain.store import Location, StateData, open_run, resume_run
from twinbrain.store.checkpoint import Slot
from twinbrain.store.root import parse, read_document


@pytest.mark.parametrize("n_before", [0, 1, 4])
def test_a_resumed_run_equals_an_uninterrupted_one(example, path, seen, uninterrupted, n_before):
    example.commit(example.create(path), range(n_before))
    writer, info, _ = resume_run(path)
    assert (writer.step, info.committed) == (700 * n_before, pytest.approx(70.0 * n_before))
    example.commit(writer, range(n_before, 7))
    assert seen(path) == uninterrupted(7)


def test_the_state_comes_back_bit_for_bit(example, path):
    example.commit(example.create(path), range(4))
    _, _, state = resume_run(path)
    expected = example.state(3)
    assert state.step == expected.step
    assert sorted(state.variables) == sorted(expected.variables)
    for name, values in expected.variables.items():
        assert state.variables[name].tobytes() == values.tobytes()
    for found, wanted in (
        (state.under_way_step, expected.under_way_step),
        (state.under_way_neuron, expected.under_way_neuron),
    ):
        np.testing.assert_array_equal(found, wanted, strict=True)


def test_all_versions_that_have_gone_on_with_a_run_are_noted(example, path):
    own = {"numpy": np.__version__}
    example.commit(example.create(path), [0])
    for k, version in enumerate(["8.0", "9.0", own["numpy"], "8.0"], 1):
        example.commit(resume_run(path, resumed_with=own | {"numpy": version})[0], [k])
    assert open_run(path).attrs["resumed_with"] == '{"numpy": "8.0, 9.0"}'


def test_there_is_no_state_before_the_first_window(example, path):
    example.create(path)
    assert resume_run(path)[2] is None


def test_states_may_change_their_variables_their_lengths_and_their_spikes_under_way(example, path):
    writer = example.create(path)
    names = [{"a/v": 3, "a/v.w": 3, "a%2Fv": 2}, {"a/v": 3}, {"a/v": 5, "b/v": 0}, {}, {"ä b/v": 1, "a/v": 5}]
    for k, lengths in enumerate([*names, *names[:2]]):
        n = 20_000 * (k % 3)
        variables = {name: np.random.default_rng(k).random(length) for name, length in lengths.items()}
        under_way = (np.full(n, k, np.int32), np.arange(n, dtype=np.int32))
        writer.commit(example.window(k), StateData(700 * (k + 1), variables, *under_way))
        _, _, state = resume_run(path)
        assert {name: values.tolist() for name, values in state.variables.items()} == {
            name: values.tolist() for name, values in variables.items()
        }
        np.testing.assert_array_equal(state.under_way_step, under_way[0])
        np.testing.assert_array_equal(state.under_way_neuron, under_way[1])
        with xr.open_datatree(path, engine="zarr") as tree:
            tree.load()


def test_what_was_written_beyond_the_root_is_not_seen_and_is_dropped(example, path, seen, uninterrupted):
    writer = example.commit(example.create(path), range(3))
    root = (path / "zarr.json").read_bytes()
    example.commit(writer, [3])
    (path / "zarr.json").write_bytes(root)  # as if killed before the root was replaced
    for half_written in (path / "checkpoint" / "odd").rglob("*"):
        if half_written.is_file():
            half_written.write_bytes(b"spoilt")
    assert seen(path) == uninterrupted(3)

    writer, info, state = resume_run(path)
    assert info.committed == pytest.approx(210.0)
    assert state.step == 2100
    example.commit(writer, range(3, 7))
    assert seen(path) == uninterrupted(7)


def test_temporary_files_of_a_killed_process_are_not_seen_and_are_removed(example, path, seen, uninterrupted):
    example.commit(example.create(path), range(2))
    stale = [path / f"{name}.partial" for name in (f"zarr.{32 * '0'}", f"spikes/neuron/c/0.{16 * '1f'}")]
    for file in stale:
        file.write_bytes(b"half")
    assert seen(path) == uninterrupted(2)
    resume_run(path)
    assert not any(file.exists() for file in stale)


def test_a_slot_that_was_half_created_is_created_anew(example, path, seen, uninterrupted, monkeypatch):
    writer = example.commit(example.create(path), [0])

    async def failing(self, values, dims):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Slot, "_create", failing)
        with pytest.raises(StoreError, match="No space left"):
            example.commit(writer, [1])
    example.commit(writer, [1])
    assert seen(path) == uninterrupted(2)


@pytest.fixture
def copies(example, path, tmp_path):
    """A run of five windows, and copies of it with three, four and five."""
    writer = example.create(path)
    for first, stop in ((0, 3), (3, 4), (4, 5)):
        example.commit(writer, range(first, stop))
        shutil.copytree(path, tmp_path / str(stop))
    return tmp_path


@pytest.mark.parametrize(
    ("key", "copy", "put"),
    [
        ("zarr.json", "3", "zarr.json"),
        ("checkpoint/even", "3", "checkpoint/even"),
        ("checkpoint/odd", "5", "checkpoint/even"),
        ("checkpoint/even/adex%2Fv", "3", "checkpoint/even/adex%2Fv"),
        ("checkpoint/even/adex%2Fv", "5", "checkpoint/even/adex%2Fw"),
        ("spikes/neuron", "3", "spikes/neuron"),
        ("spikes/time_step", "5", "spikes/neuron"),
    ],
)
def test_a_run_is_not_resumed_from_what_was_committed_at_another_time_or_place(path, copies, key, copy, put):
    source, target = copies / copy / key, path / put
    if target.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
    with pytest.raises(StoreError, match=r"(committed|chunks).*, found .*: the run is damaged"):
        resume_run(path)


def test_with_the_root_document_before_its_last_a_run_goes_on_from_there(example, path, copies, seen, uninterrupted):
    shutil.copy(copies / "4" / "zarr.json", path)
    writer, _, _ = resume_run(path)
    example.commit(writer, range(4, 6))
    assert seen(path)["/spikes/neuron"] == uninterrupted(6)["/spikes/neuron"]


def test_a_run_from_before_there_were_fingerprints_goes_on(example, path, seen, uninterrupted):
    example.commit(example.create(path), range(3))
    location = Location.of(path)
    root = parse(location, read_document(location))
    root.nodes["checkpoint/even"]["attributes"] = {"step": 2100}
    location.write("zarr.json", root.encode())
    example.commit(resume_run(path)[0], [3])
    assert seen(path) == uninterrupted(4)
