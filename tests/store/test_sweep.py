"""The store of a sweep."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr

from tests.roots import edit_root
from twinbrain.errors import StoreError
from twinbrain.store import Location
from twinbrain.store.sweep import DONE, ERROR, FAILED, SECONDS, STATUS, BatchResult, SweepStore, is_sweep
from twinbrain.store.sweep_create import check_sweep_target, create_sweep

N, BATCH = 10, 4
TEXT = np.dtypes.StringDType()


def template(n_columns=3):
    region = xr.DataArray(np.array([f"region {i}" for i in range(n_columns)], TEXT), dims="region")
    rates = xr.DataArray(np.zeros(n_columns), {"region": region}, "region", attrs={"units": "Hz"})
    return xr.Dataset({"rates": rates, "index": np.float32(0)})


def create(path, **changes):
    connectome = xr.Dataset({"weight": (("target", "source"), np.eye(2))})
    coordinates = xr.Dataset({"seed": ("point", np.arange(N), {"key": "run.seed", "axis": "seed"})})
    given = {"coordinates": coordinates, "template": template(), "connectome": connectome, "batch": BATCH}
    given |= changes
    create_sweep(Location.of(path), attrs=attributes(given["template"]), **given)
    return SweepStore(Location.of(path))


def attributes(results):
    texts = {"twinbrain_version": "0.1.0", "workflow": "example", "created": "abc", "digest": "abc"}
    spec = {"run": {"device": "cpu"}, "train": None, "sweep": {"keep_runs": False}}
    axes = [{"name": "seed", "columns": {"run.seed": list(range(N))}}]
    shapes = {name: array.shape for name, array in results.data_vars.items()}
    held = {"spec": spec, "versions": {}, "axes": axes, "shapes": shapes}
    return texts | {"dims": ["seed"]} | {key: json.dumps(value) for key, value in held.items()}


def batch(start, stop, failed=()):
    """Results of points, each told from the others by its number."""
    points = np.arange(start, stop)
    is_failed = np.isin(points, failed)
    return BatchResult(
        start,
        stop,
        np.where(is_failed, FAILED, DONE).astype(np.uint8),
        [f"point {point}: größer" if fails else "" for point, fails in zip(points, is_failed, strict=True)],
        (points / 8).astype(np.float32),
        {
            "rates": np.where(is_failed[:, None], np.nan, points[:, None] + np.arange(3) / 4),
            "index": np.where(is_failed, np.nan, points).astype(np.float32),
        },
    )


def opened(path):
    """What plain xarray sees, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xr.open_zarr(path) as one, xr.open_dataset(path, engine="zarr") as other:
            xr.testing.assert_identical(one.load(), other.load())
            return one


@pytest.fixture
def store(path):
    return create(path)


def test_a_new_sweep_is_pending_everywhere(store, path):
    found = opened(path)
    assert found[STATUS].values.tolist() == [0] * N
    assert found[STATUS].attrs == {"flag_values": [0, 1, 2], "flag_meanings": "pending done failed"}
    assert np.isnan(found["rates"]).all()
    assert np.isnan(found[SECONDS]).all()
    assert set(found[ERROR].values.tolist()) == {""}
    assert found["rates"].dims == ("point", "region")
    assert found["rates"].attrs["units"] == "Hz"
    assert found["region"].values.tolist() == ["region 0", "region 1", "region 2"]
    assert found["seed"].values.tolist() == list(range(N))
    assert {"seed", "region"} <= set(found.coords)
    assert (store.n_points, store.batch, store.attrs["workflow"]) == (N, BATCH, "example")
    np.testing.assert_array_equal(store.connectome()["weight"], np.eye(2))


@pytest.mark.parametrize("order", [(0, 4, 8), (8, 0, 4), (4, 8, 0)])
def test_batches_can_be_written_in_any_order(store, path, order):
    for start in order:
        store.write(batch(start, min(start + BATCH, N), failed=(5, 9)))
    found, whole = opened(path), batch(0, N, failed=(5, 9))
    np.testing.assert_array_equal(found["rates"], whole.values["rates"])
    np.testing.assert_array_equal(found["index"], whole.values["index"])
    np.testing.assert_array_equal(found[STATUS], whole.status)
    np.testing.assert_array_equal(found[SECONDS], whole.seconds)
    assert found[ERROR].values.tolist() == whole.error
    np.testing.assert_array_equal(store.read("rates", slice(5, 9)), whole.values["rates"][5:9])
    xr.testing.assert_identical(store.dataset().load(), found)
    template = store.template()
    assert (template["rates"].dtype, template["index"].dtype) == (np.float64, np.float32)
    assert template["region"].values.tolist() == found["region"].values.tolist()


def test_what_was_written_is_seen_by_whoever_had_it_open(store, path):
    other = SweepStore(Location.of(path))
    assert not other.read(STATUS).any()
    store.write(batch(4, 8))
    assert other.read(STATUS).tolist() == [0] * 4 + [1] * 4 + [0] * 2


def test_a_batch_can_be_written_anew(store):
    store.write(batch(0, 4, failed=(1, 2)))
    store.write(batch(0, 4))
    assert store.read(STATUS).tolist() == [DONE] * 4 + [0] * 6
    assert store.read(ERROR).tolist() == [""] * N
    np.testing.assert_array_equal(store.read("index", slice(4)), range(4))


def test_a_batch_whose_results_cannot_be_written_stays_pending(store, path):
    (path / "rates" / "c").parent.joinpath("c").write_text("in the way of the folder of chunks")
    with pytest.raises(StoreError, match="what is done"):
        store.write(batch(0, 4))
    assert not SweepStore(Location.of(path)).read(STATUS).any()
    (path / "rates" / "c").unlink()
    store.write(batch(0, 4))
    assert store.read(STATUS).tolist() == [DONE] * 4 + [0] * 6


def test_large_results_are_read_point_by_point_and_written_batch_by_batch(path):
    large = xr.Dataset({"large": (("target", "source"), np.zeros((400, 400))), "small": ("target", np.zeros(400))})
    store = create(path, template=large)
    values = np.random.default_rng(1).normal(size=(4, 400, 400))
    result = batch(0, 4)
    store.write(
        BatchResult(0, 4, result.status, result.error, result.seconds, {"large": values, "small": values[:, 0]})
    )
    with xr.open_zarr(path) as found:
        assert found["large"].encoding["chunks"] == (1, 400, 400)
        assert found["large"].encoding["shards"] == (4, 400, 400)
        assert found["small"].encoding["shards"] is None
        np.testing.assert_array_equal(found["large"][:4], values)
        assert np.isnan(found["large"][4:]).all()
    assert len([file for file in (path / "large").rglob("*") if file.is_file() and file.name != "zarr.json"]) == 1


def test_results_without_places_and_a_batch_beyond_the_points_are_no_trouble(path):
    store = create(path, template=xr.Dataset({"none": (("a", "b"), np.empty((0, 2)))}), batch=64)
    result = batch(0, N)
    store.write(BatchResult(0, N, result.status, result.error, result.seconds, {"none": np.empty((N, 0, 2))}))
    assert opened(path)["none"].shape == (N, 0, 2)


def test_texts_of_every_kind_are_coordinates(path):
    kinds = {
        "fixed": np.array(["a", "bc"]),
        "object": np.array(["a", "bc"], object),
        "text": np.array(["a", "bc"], TEXT),
    }
    given = xr.Dataset({f"of_{name}": (name, np.zeros(2)) for name in kinds}, coords=kinds)
    create(path, template=given)
    found = opened(path)
    assert {name: found[name].values.tolist() for name in kinds} == {name: ["a", "bc"] for name in kinds}


def test_there_must_be_a_sweep(path, example):
    with pytest.raises(StoreError, match="expected a sweep, found nothing"):
        SweepStore(Location.of(path))
    assert not is_sweep(Location.of(path))
    example.create(path)
    with pytest.raises(StoreError, match=r"expected a twinbrain sweep, found something else: .*; open a run with"):
        SweepStore(Location.of(path))
    assert not is_sweep(Location.of(path))


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (b"", "damaged"),
        (b"no JSON", "damaged"),
        (b"[]", "damaged"),
        (b'{"attributes": "\xff"}', "damaged"),
        (b'{"attributes": 3}', "found something else"),
        (b'{"attributes": null}', "found something else"),
    ],
)
def test_another_document_is_no_sweep(path, document, found):
    path.mkdir(parents=True)
    (path / "zarr.json").write_bytes(document)
    assert not is_sweep(Location.of(path))
    with pytest.raises(StoreError, match=found):
        SweepStore(Location.of(path))


def test_another_format_is_refused_naming_the_version(store, path):
    edit_root(path, twinbrain_sweep=99, twinbrain_version="7.0")
    with pytest.raises(StoreError, match=r"expected a sweep of format 2, found format 99, written by twinbrain 7\.0"):
        SweepStore(Location.of(path))


def test_a_sweep_is_not_replaced_unless_it_may_be(store, path):
    store.write(batch(0, 4))
    location = Location.of(path)
    with pytest.raises(StoreError, match="expected a free path for a sweep, found a sweep"):
        check_sweep_target(location, overwrite=False)
    assert SweepStore(location).read(STATUS).any()
    check_sweep_target(location, overwrite=True)
    assert SweepStore(location).read(STATUS).any()
    assert not create(path).read(STATUS).any()


@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_else_is_replaced(path, example, overwrite):
    example.create(path)
    with pytest.raises(StoreError, match="expected a free path for a sweep, found something else"):
        check_sweep_target(Location.of(path), overwrite=overwrite)
    example.resume_run(path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_and_files_of_others_are_not_replaced(tmp_path, overwrite):
    (tmp_path / "notes.txt").write_text("mine")
    for place in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(StoreError):
            check_sweep_target(Location.of(place), overwrite=overwrite)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_unfinished_creation_is_no_sweep_and_is_replaced(store, path):
    edit_root(path, state="creating")
    location = Location.of(path)
    assert not is_sweep(location)
    with pytest.raises(StoreError, match=r"creation was interrupted: .*; start the sweep anew"):
        SweepStore(location)
    check_sweep_target(location, overwrite=False)
    create(path)
    assert is_sweep(location)


def test_free_places_can_be_taken(path):
    check_sweep_target(Location.of(path), overwrite=False)
    path.mkdir(parents=True)
    check_sweep_target(Location.of(path), overwrite=False)
