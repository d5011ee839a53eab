import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from tests.roots import training_attributes
from twinbrain.store.growing import GrowingArray
from twinbrain.store.layout import FORMAT, Cut, cut_fast, cut_slow
from twinbrain.store.location import Location
from twinbrain.store.root import TRAINING, Root
from twinbrain.store.schema import ArraySchema
from twinbrain.store.verified import VerifiedStore

SCHEMATA = {
    "plain": ArraySchema("int32", ("spike",), Cut((6,))),
    "sharded": ArraySchema("int32", ("spike",), Cut((3,), (6,))),
    "matrix": ArraySchema("float64", ("time", "neuron"), Cut((3, 2), (6, 6)), columns=(5,)),
    "without columns": ArraySchema("float64", ("time", "neuron"), Cut((3, 1), (6, 1)), columns=(0,)),
}
WEIGHT = GrowingArray.create(
    MemoryStore(), "weight", ArraySchema("float64", ("target", "source"), Cut((1, 1)), columns=(1,))
)
LENGTHS = st.one_of(st.integers(0, 7), st.sampled_from([0, 6, 12, 40]))


def read(store, array):
    """Read as a reader does: with the committed shape, whatever the store's own says."""
    zarr_array = zarr.open_array(store, path="x", mode="r")
    assert array.document["shape"][0] <= zarr_array.shape[0]
    return zarr_array[: array.n_rows]


def committed(store, array):
    """Return the store as the root document of what is committed shows it."""
    begun = {TRAINING.mark: FORMAT, "status": "running", "checkpoint": "", "epochs_done": 0}
    groups = {key: {"node_type": "group", "zarr_format": 3, "attributes": {}} for key in ("connectome", "curves")}
    nodes = groups | {"connectome/weight": WEIGHT.document, "x": array.document}
    document = Root(training_attributes() | begun, nodes).encode()
    return VerifiedStore(store, Location.of("x.zarr"), document, TRAINING)


def rows(schema, n_rows, random):
    values = random.integers(-2, 3, (n_rows, *schema.columns)).astype(schema.dtype)
    return np.where(values == 2, -0.0, values).astype(schema.dtype)


@pytest.mark.parametrize("kind", SCHEMATA)
@settings(max_examples=25)
@given(steps=st.lists(st.tuples(LENGTHS, st.sampled_from(["accept", "fail", "reopen"])), max_size=8))
def test_rows_read_back_are_those_accepted_after_any_sequence_of_appends_failures_and_reopenings(kind, steps):
    schema, random, store = SCHEMATA[kind], np.random.default_rng(0), MemoryStore()
    array = GrowingArray.create(store, "x", schema)
    accepted = rows(schema, 0, random)
    for n_rows, what in steps:
        added = rows(schema, n_rows, random)
        sync(array.stage(added))
        if what == "accept":
            assert array.staged_document["shape"][0] == len(accepted) + n_rows
            array.accept()
            accepted = np.concatenate([accepted, added])
        elif what == "reopen":
            array = GrowingArray.reopen(store, "x", committed(store, array))
        found = read(store, array)
        np.testing.assert_array_equal(found, accepted)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(accepted))
        assert found.dtype == schema.dtype


def test_rows_far_more_than_a_shard_are_exact():
    schema = ArraySchema("int32", ("spike",), cut_fast((), 4))
    store, random = MemoryStore(), np.random.default_rng(0)
    array, parts = GrowingArray.create(store, "x", schema), []
    for n_rows in (10, 3 * schema.cut.rows + 5, 0, schema.cut.rows - 15, 7):
        parts.append(random.integers(0, 2**31, n_rows).astype(np.int32))
        sync(array.stage(parts[-1]))
        array.accept()
        np.testing.assert_array_equal(read(store, array), np.concatenate(parts))


def test_memory_is_bounded_by_one_shard():
    schema, store = SCHEMATA["sharded"], MemoryStore()
    array = GrowingArray.create(store, "x", schema)
    for n_rows in (50, 1, 4, 100, 3):
        sync(array.stage(np.ones(n_rows, np.int32)))
        array.accept()
        assert array._tail.base is None or array._tail.base.size < 2 * schema.cut.rows
        assert len(array._tail) < schema.cut.rows


@pytest.mark.parametrize("n_columns", [1, 3, 384, 20_000, 3_000_000])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_chunks_divide_shards_and_neither_is_large(n_columns, itemsize):
    cut = cut_fast((n_columns,), itemsize)
    assert all(shard % chunk == 0 for shard, chunk in zip(cut.shards, cut.chunks, strict=True))
    assert cut.shards[1] >= n_columns
    assert np.prod(cut.chunks) * itemsize <= 2**18
    assert np.prod(cut.shards) * itemsize <= max(2**22, 2 * n_columns * itemsize)
    assert cut_slow().rows * 8 <= 2**18
