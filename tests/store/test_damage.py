"""What is not as it was written is noticed when it is read, and named."""

import asyncio
import os
import pickle
import re
import shutil

import numpy as np
import pytest
import xarray as xr
from zarr.abc.store import SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import LocalStore

from tests.roots import edit_root, of_root
from twinbrain.errors import StoreError
from twinbrain.store import Location, open_run, read_state, resume_run, run_info
from twinbrain.store.check import check_objects
from twinbrain.store.damage import DamageError
from twinbrain.store.root import Root
from twinbrain.store.verified import VerifiedStore


@pytest.fixture
def run(example, path):
    example.commit(example.create(path), range(3))
    return path


def flip(file, place=-1):
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


CHUNK = "spikes/neuron/c/0"


@pytest.mark.parametrize("place", [0, 20, -1, -20])
def test_a_changed_byte_is_named_by_whoever_reads_it(run, place):
    flip(run / CHUNK, place)
    tree = open_run(run)  # nothing is read yet
    with pytest.raises(StoreError, match=rf"{re.escape(str(run))}/{CHUNK}: expected .*restore this file from a copy"):
        tree["spikes/neuron"].load()
    tree["spikes/time_step"].load()
    (damage,) = check_objects(run).damaged
    assert damage.place == f"{run}/{CHUNK}"


@pytest.mark.parametrize("size", [0, 3, 40])
def test_a_file_that_was_cut_short_is_named(run, size):
    (run / CHUNK).write_bytes((run / CHUNK).read_bytes()[:size])
    with pytest.raises(StoreError, match=f"{CHUNK}: expected"):
        open_run(run)["spikes/neuron"].load()


@pytest.mark.parametrize("key", [CHUNK, "rate/time/c/0", "network/label/c/0", "connectome/weight/c/0/0"])
def test_a_file_that_was_lost_is_named_rather_than_filled(run, key):
    (run / key).unlink()
    with pytest.raises(StoreError, match=f"{key}: expected a file of the array, found none"):
        open_run(run).load()


def test_a_shard_of_fewer_rows_is_named(example, run):
    earlier = (run / CHUNK).read_bytes()
    writer, _, _ = resume_run(run)
    many = np.full(70_000, 2100, np.int32)
    window = example.window(3)
    writer.commit(
        example.WindowData(
            window.first_step, window.next_step, many, np.zeros(70_000, np.int32), window.rates, window.samples
        ),
        example.state(3),
    )
    assert check_objects(run).damaged == ()
    (run / CHUNK).write_bytes(earlier)  # as if put back from an old copy
    with pytest.raises(StoreError, match=f"{CHUNK}: expected a shard with all its chunks"):
        open_run(run)["spikes/neuron"].load()
    with pytest.raises(StoreError, match="all its chunks"):
        open_run(run)["spikes/neuron"][:10].load()


@pytest.mark.parametrize(
    ("slot", "is_refused"), [("even", True), ("odd", False)], ids=["the valid slot", "the other slot"]
)
@pytest.mark.parametrize("how", ["changed", "lost"])
def test_a_run_is_not_resumed_from_a_damaged_checkpoint(example, run, uninterrupted, seen, slot, is_refused, how):
    file = run / f"checkpoint/{slot}/adex%2Fv/c/0"
    flip(file) if how == "changed" else file.unlink()
    for read in (read_state, resume_run):
        if is_refused:
            with pytest.raises(StoreError, match=rf"checkpoint/{slot}/adex%2Fv/c/0: expected"):
                read(run)
    if not is_refused:
        example.commit(resume_run(run)[0], [3])
        assert seen(run) == uninterrupted(4)


def test_a_run_is_not_resumed_onto_damaged_rows(run):
    flip(run / CHUNK)
    with pytest.raises(StoreError, match=f"{CHUNK}: expected"):
        resume_run(run)


def test_metadata_beside_the_arrays_are_not_asked(example, run, uninterrupted):
    for file in run.rglob("*/zarr.json"):
        file.write_bytes(b"\xff")
    assert example.contents(open_run(run)) == uninterrupted(3)
    assert check_objects(run).damaged == ()
    example.commit(resume_run(run)[0], [3])
    assert example.contents(open_run(run)) == uninterrupted(4)


@pytest.mark.parametrize("place", range(0, 3000, 331))
def test_a_changed_byte_of_the_root_document_is_noticed(run, place):
    flip(run / "zarr.json", place)
    for read in (open_run, run_info, read_state, resume_run):
        with pytest.raises(StoreError, match=r"example\.zarr"):
            read(run)


def test_a_root_document_that_is_no_text_is_named(run):
    (run / "zarr.json").write_bytes(b"\xff" + (run / "zarr.json").read_bytes())
    for read in (open_run, run_info, resume_run):
        with pytest.raises(StoreError, match=r"zarr\.json: expected a run's root document, found what cannot be read"):
            read(run)


def test_a_lost_root_document_is_named(run):
    (run / "zarr.json").unlink()
    for read in (open_run, run_info, resume_run, check_objects):
        with pytest.raises(StoreError, match=r"zarr\.json: expected a run's root document, found a folder without one"):
            read(run)


def test_plain_xarray_notices_what_was_changed(run):
    flip(run / CHUNK)
    with xr.open_datatree(run, engine="zarr") as tree, pytest.raises(ValueError, match="checksum"):
        tree.load()


def test_every_chunk_has_a_checksum(run):
    with xr.open_datatree(run, engine="zarr") as tree:
        for node in tree.subtree:
            for variable in node.to_dataset(inherit=False).variables.values():
                assert variable.encoding["compressors"][-1].to_dict() == {"name": "crc32c"}


def test_an_error_of_damage_travels(run):
    flip(run / CHUNK)
    with pytest.raises(DamageError) as error:
        open_run(run)["spikes/neuron"].load()
    again = pickle.loads(pickle.dumps(error.value))
    assert str(again) == str(error.value)


def test_an_opened_run_travels(run):
    tree = open_run(run)
    again = pickle.loads(pickle.dumps(tree["spikes/neuron"]))
    np.testing.assert_array_equal(again, tree["spikes/neuron"])


def test_what_is_opened_twice_while_a_run_goes_on_has_two_names(example, run):
    first = open_run(run)["rate/rate"].data.name
    assert open_run(run)["rate/rate"].data.name == first
    example.commit(resume_run(run)[0], [3])
    assert open_run(run)["rate/rate"].data.name != first


def test_a_store_that_is_whole_is_found_so(run):
    found = check_objects(run)
    files = [file for file in run.rglob("*") if file.is_file() and (file.name != "zarr.json" or file.parent == run)]
    committed = [file for file in files if "checkpoint/odd" not in str(file)]
    assert (found.damaged, found.n_objects) == ((), len(committed))


def test_of_another_format_nothing_is_checked(run):
    edit_root(run, twinbrain_format=1)
    with pytest.raises(StoreError, match="expected a run of format 2, found format 1"):
        check_objects(run)


def fifo(file):
    file.unlink()
    os.mkfifo(file)


def device(file):
    file.unlink()
    file.symlink_to("/dev/zero")


def sparse(file):
    os.truncate(file, 2**40)


@pytest.mark.parametrize(
    ("change", "found"), [(fifo, "a pipe"), (device, "a device"), (sparse, "one of 1099511627776 bytes")]
)
def test_what_is_no_regular_file_or_far_too_large_is_named_without_being_read(run, change, found):
    change(run / CHUNK)
    with pytest.raises(StoreError, match=f"{CHUNK}: expected a regular file of at most .* bytes, found {found}"):
        open_run(run)["spikes/neuron"].load()
    (damage,) = check_objects(run).damaged
    assert damage.place == f"{run}/{CHUNK}"
    change(run / "zarr.json")
    for read in (run_info, open_run, resume_run, check_objects):
        with pytest.raises(StoreError, match=f"zarr.json: expected a regular file of at most .* bytes, found {found}"):
            read(run)


def test_a_pipe_is_named_though_the_working_folder_is_another_since_the_run_was_opened(run, tmp_path, monkeypatch):
    fifo(run / CHUNK)
    monkeypatch.chdir(run.parent)
    opened = open_run(run.name)
    monkeypatch.chdir(tmp_path)
    location = Location.of(run.name)  # relative, and nothing is there
    assert "a pipe" in location.oddity(CHUNK, 100, LocalStore(run, read_only=True))
    with pytest.raises(StoreError, match=f"{CHUNK}: expected a regular file of at most .* bytes, found a pipe"):
        opened["spikes/neuron"].load()


def test_what_was_opened_is_not_read_from_another_run_in_its_place(example, run):
    opened = open_run(run)
    expected = opened["spikes/neuron"].values
    example.commit(resume_run(run)[0], [3])
    np.testing.assert_array_equal(opened["spikes/neuron"].values, expected)  # the same run, gone on
    example.commit(example.create(run, overwrite=True), range(3))
    told = rf"expected the run {re.escape(str(run))} as it was opened, found another that has taken its place; open it"
    for name in ("spikes/neuron", "rate/rate", "state/v_adex/v"):
        with pytest.raises(StoreError, match=told):
            opened[name].load()
    shutil.rmtree(run)
    with pytest.raises(StoreError, match="as it was opened, found it gone"):
        opened["spikes/neuron"].load()


def test_a_run_whose_creation_has_no_name_is_read_until_one_that_has_takes_its_place(example, run):
    attributes, nodes = of_root(run)
    (run / "zarr.json").write_bytes(Root(without(attributes, "checksum", "created"), nodes).encode())
    opened = open_run(run)
    example.commit(resume_run(run)[0], [3])
    opened["rate/rate"].load()
    example.commit(example.create(run, overwrite=True), range(4))
    with pytest.raises(StoreError, match="found another that has taken its place"):
        opened["spikes/neuron"].load()


def test_a_chunk_is_read_though_the_run_goes_on_between_its_index_and_it(example, run, tmp_path, monkeypatch):
    later = shutil.copytree(run, tmp_path / "later.zarr")
    example.commit(resume_run(later)[0], [3, 4])
    expected, opened = open_run(run)["spikes/neuron"].values, open_run(run)["spikes/neuron"]

    async def get(self, key, prototype, byte_range=None, get=LocalStore.get):
        found = await get(self, key, prototype, byte_range)
        if isinstance(byte_range, SuffixByteRequest):
            shutil.copy(later / key, run / key)
        return found

    monkeypatch.setattr(LocalStore, "get", get)
    np.testing.assert_array_equal(opened[:3].values, expected[:3])
    flip(later / CHUNK, 0)
    with pytest.raises(DamageError, match=f"{CHUNK}: expected chunks that their checksums confirm"):
        opened[:3].load()


@pytest.fixture
def going_on(example, run, tmp_path, monkeypatch):
    """A run of three windows; once its checkpoint is read it has four, and writes the fifth in that place."""
    later = shutil.copytree(run, tmp_path / "later.zarr")
    example.commit(resume_run(later)[0], [3])
    (later / "checkpoint/even/adex%2Fv/c/0").unlink()

    async def get(self, key, *arguments, get=LocalStore.get):
        if key.startswith("checkpoint/even"):
            shutil.rmtree(run)
            shutil.copytree(later, run)
        return await get(self, key, *arguments)

    monkeypatch.setattr(LocalStore, "get", get)
    return run


def test_a_run_that_goes_on_while_it_is_checked_is_whole(going_on):
    assert check_objects(going_on).damaged == ()


def test_the_state_of_a_run_that_goes_on_meanwhile_is_the_last(example, going_on):
    np.testing.assert_array_equal(read_state(going_on).variables["adex/v"], example.state(3).variables["adex/v"])


def test_a_checkpoint_of_an_opened_run_that_has_gone_on_is_told_rather_than_another(example, run):
    opened = open_run(run)["checkpoint/even"]
    np.testing.assert_array_equal(opened["adex%2Fv"].values, example.state(2).variables["adex/v"])
    example.commit(resume_run(run)[0], [3, 4])
    with pytest.raises(StoreError, match=r"expected the checkpoint of the run .* found that it has gone on since"):
        opened["adex%2Fv"].load()
    again = open_run(run)["checkpoint/even/adex%2Fv"].values
    np.testing.assert_array_equal(again, example.state(4).variables["adex/v"])


def without(table, *names):
    return {name: value for name, value in table.items() if name not in names}


def test_objects_that_are_read_together_share_the_question_whether_it_is_the_same_run(run, monkeypatch):
    asked, location = [], Location.of(run)

    async def get(self, key, *arguments, get=LocalStore.get):
        asked.append(key)
        return await get(self, key, *arguments)

    store = VerifiedStore(location.store(read_only=True), location, (run / "zarr.json").read_bytes())
    monkeypatch.setattr(LocalStore, "get", get)

    async def read():
        await asyncio.gather(*(store.get("rate/rate/c/0/0", default_buffer_prototype()) for _ in range(40)))

    asyncio.run(read())
    assert len(asked) - 40 < 20
    assert asked[-1] == "zarr.json"
