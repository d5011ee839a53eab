"""A sweep on S3 is the sweep on a disk."""

import numpy as np
import pytest

import twinbrain as tb
from tests.run.sweep.workers import small_workflow
from twinbrain.run.cluster.connect import connected

VALUES = {"seed": range(2), "drive_seed": [0, 1], "batch": 2}
NAMES = ("mean_rates", "cv_isi", "synchrony", "status")


@pytest.fixture
def expected(tmp_path):
    return tb.sweep(small_workflow(), out=tmp_path / "sweep.zarr", workers=0, **VALUES).load()


@pytest.mark.slow
def test_workers_write_a_sweep_to_s3_and_it_is_gone_on_with(bucket, expected):
    url = f"{bucket}/runs/sweep.zarr"
    with connected("local", workers=1) as client:  # started here, so with the credentials of this test
        found = tb.sweep(small_workflow(), out=url, client=client, **VALUES).load()
    for name in NAMES:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    told = []
    tb.resume_sweep(url, workers=0, progress=told.append)
    assert not told
    for name in NAMES:
        np.testing.assert_array_equal(tb.open_sweep(url).load()[name], expected[name], err_msg=name)


@pytest.mark.slow
def test_runs_of_points_are_kept_on_s3(bucket):
    url = f"{bucket}/kept.zarr"
    tb.sweep(small_workflow(), out=url, workers=0, seed=[1], keep_runs=True)
    run = tb.open_run(f"{url}/runs/000000.zarr")
    assert run.attrs["status"] == "complete"
    assert run["spikes"].sizes["spike"] > 0


def test_a_bucket_that_is_not_there_is_named_before_anything_runs(bucket):
    with pytest.raises(tb.StoreError, match="there is no bucket"):
        tb.sweep(small_workflow(), out="s3://not-there-at-all/sweep.zarr", workers=0, **VALUES)
