"""Sweeps on workers: the same results as in one process, whatever happens to workers."""

import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

import twinbrain as tb
from tests.run.sweep.workers import KillAlways, KillOnce, Slow, most_at_once, small_workflow
from twinbrain.run.sweep.drive import missing_jobs, tasks_at_once

VALUES = {"seed": range(3), "drive_seed": [0, 1]}


def sweep(out, **options):
    return tb.sweep(small_workflow(), out=out, **(VALUES | options))


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("sweep") / "here.zarr", workers=0).load()


def assert_same(found, expected, *names):
    for name in names or ("mean_rates", "cv_isi", "synchrony"):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    assert np.isfinite(expected["mean_rates"]).all()


def test_what_is_missing_is_given_out_batch_by_batch():
    status = np.array([1, 0, 0, 1, 1, 1, 2, 0], np.uint8)
    assert missing_jobs(status, 3) == [(1, 2), (6, 7)]
    assert missing_jobs(status, 8) == [(1, 2, 6, 7)]
    assert missing_jobs(np.ones(4, np.uint8), 2) == []


@pytest.mark.parametrize(("n_bytes", "most"), [(100, 512), (2**20, 256), (2**28, 16)])
def test_functions_that_carry_much_go_to_few_at_a_time(client, n_bytes, most):
    assert tasks_at_once(client, n_bytes) == most


@pytest.mark.parametrize("batch", [1, 4])
def test_workers_give_what_one_process_gives(tmp_path, client, expected, batch):
    told = []
    found = sweep(tmp_path / "sweep.zarr", client=client, batch=batch, progress=told.append)
    assert_same(found, expected)
    assert (found.status == 1).all()
    assert (told[0].done, told[-1].done, told[-1].total) == (0, 6, 6)


def test_a_worker_computes_a_point_at_a_time_though_runs_that_are_kept_are_lazy(tmp_path, client):
    found = sweep(tmp_path / "sweep.zarr", client=client, keep_runs=True, reduce=[most_at_once])
    assert found["status"].values.tolist() == [[1, 1]] * 3
    assert (found["most_at_once"] == 1).all()


def test_what_a_worker_that_dies_was_at_is_computed_by_another(tmp_path, client, expected):
    kill = KillOnce(tmp_path, seed=1)
    found = sweep(tmp_path / "sweep.zarr", client=client, batch=2, reduce=["mean_rates", kill])
    assert kill.mark.exists()
    assert (found.status == 1).all()
    assert_same(found, expected, "mean_rates")


@pytest.mark.slow
def test_a_point_that_kills_every_worker_fails_alone(tmp_path, client, expected):
    kill = KillAlways(seed=1)
    found = sweep(
        tmp_path / "sweep.zarr", client=client, seed=[0, 1], drive_seed=0, batch=2, reduce=["mean_rates", kill]
    ).load()
    assert found.status.values.tolist() == [1, 2]
    assert "workers died again and again" in str(found.error.values[1])
    assert_same(found.isel(seed=0), expected.sel(seed=0, drive_seed=0), "mean_rates")


def test_a_sweep_that_is_asked_to_stop_keeps_what_is_done_and_goes_on(tmp_path, client):
    path = tmp_path / "sweep.zarr"

    def stop(state):
        if state.done == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(tb.RunInterrupted, match="of 20 points"):
        sweep(path, client=client, batch=1, seed=range(20), drive_seed=0, reduce=[Slow(0.1)], progress=stop)
    before = tb.open_sweep(path).load()
    n_done = int((before.status == 1).sum())
    assert 2 <= n_done < 20
    told = []
    found = tb.resume_sweep(path, client=client, reduce=[Slow(0.1)], progress=told.append)
    assert told[0].done == n_done
    assert told[-1].now == 20 - n_done
    assert (found.status == 1).all()
    was_done = before.status == 1
    np.testing.assert_array_equal(found.slow.where(was_done), before.slow.where(was_done))


def test_of_two_that_drive_a_sweep_the_second_is_refused(tmp_path, client, expected):
    path = tmp_path / "sweep.zarr"
    refused = []

    def second(state):
        if not refused:
            with ThreadPoolExecutor() as another:
                for verb in (sweep, tb.resume_sweep, partial(sweep, overwrite=True)):
                    with pytest.raises(tb.StoreError, match=r"process \d+ on .* has been writing it since"):
                        another.submit(verb, path, workers=0).result()
                    refused.append(verb)

    found = sweep(path, client=client, batch=3, progress=second)
    assert len(refused) == 3
    assert_same(found, expected)


def test_a_sweep_that_is_taken_over_stops(tmp_path, client):
    path = tmp_path / "sweep.zarr"

    def take_over(state):
        if state.done == 1:
            (path / "writer-1.claim").unlink()

    with pytest.raises(tb.StoreError, match="nothing more is written from here"):
        sweep(path, client=client, batch=1, reduce=["mean_rates", Slow(0.5)], progress=take_over)
    assert 0 < int((tb.open_sweep(path).status.values == 1).sum()) < 6


def test_a_reduction_that_fails_is_the_point_s_error(tmp_path, client):
    def picky(run):
        if run.attrs["seed"] == 2 and run["spikes"].sizes["spike"]:
            raise ZeroDivisionError("nothing to divide by")
        return 1.0

    found = sweep(tmp_path / "sweep.zarr", client=client, drive_seed=0, reduce=["mean_rates", picky]).load()
    assert found.status.values.tolist() == [1, 1, 2]
    assert "ZeroDivisionError: nothing to divide by" in str(found.error.values[2])
    assert np.isnan(found.mean_rates.values[2]).all()
    assert np.isfinite(found.mean_rates.values[:2]).all()
