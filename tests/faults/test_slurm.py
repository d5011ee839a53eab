"""A real Slurm on this machine: jobs that are cancelled, end at their walltime, or fail lose nothing."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from distributed import as_completed

import twinbrain as tb
from tests.cli.small import FILES
from tests.examples import build_brain, small_brain
from tests.slurm import one_node_slurm
from twinbrain.engines.base import get_engine
from twinbrain.run.cluster.connect import connected, workers_ready

pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
ROOT = Path(__file__).parents[2]
PROFILE = 'queue = "main"\nmemory = "900 MB"\ninterface = "lo"\n'


@pytest.fixture(scope="module")
def slurm():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, one_node_slurm(Path(folder)):
        yield


@pytest.fixture
def lab(slurm, tmp_path, monkeypatch):
    """Write a profile whose workers can import these tests; return its path."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    monkeypatch.chdir(tmp_path)

    def write(**keys):
        lines = [f"{key} = {value!r}" for key, value in {"setup": [f"export PYTHONPATH={path}"], **keys}.items()]
        (tmp_path / "lab.toml").write_text(PROFILE + "\n".join(lines))
        return "lab.toml"

    return write


def spikes(seed):
    simulation = get_engine("brian2")(build_brain(small_brain(), seed=seed))
    simulation.advance(300)
    found = simulation.collect().spikes
    return np.array([found.step, found.neuron])


def job(duration):
    time.sleep(duration)
    return os.environ["SLURM_JOB_ID"]


def running_jobs():
    return subprocess.run(
        ["squeue", "--noheader", "--format=%A", "--states=RUNNING"], capture_output=True, text=True, check=True
    ).stdout.split()


def test_networks_have_the_same_spikes_in_jobs(lab):
    with connected("slurm", profile=lab(workers=2, cores=2)) as client:
        workers_ready(client, 2)
        assert len(running_jobs()) == 1
        found = client.gather(client.map(spikes, [1, 2, 3], pure=False))
    for seed, got in zip((1, 2, 3), found, strict=True):
        np.testing.assert_array_equal(got, spikes(seed))
    assert not running_jobs()


def results(futures):
    """Yield results as they come; a worker takes with it those that are left there."""
    for future in as_completed(futures, loop=futures[0].client.loop):
        yield future.result()
        future.release()


def test_a_job_cancelled_half_way_loses_nothing_and_is_replaced(lab):
    with connected("slurm", profile=lab(), workers=2) as client:
        workers_ready(client, 2)
        first = set(running_jobs())
        assert len(first) == 2
        found = []
        for result in results(client.map(job, [0.5] * 40, pure=False)):
            found.append(result)
            if len(found) == 8:
                cancelled = min(first)
                subprocess.run(["scancel", cancelled], check=True)
        assert len(found) == 40
        assert set(found) >= first
        workers_ready(client, 2)
        assert len(set(running_jobs()) - {cancelled}) == 2


def test_the_end_of_the_walltime_is_survived(lab):
    with connected("slurm", profile=lab(walltime="1 min")) as client:
        # More than a job of 1 min can do.
        found = list(results(client.map(job, [1.0] * 60, pure=False)))
    assert len(found) == 60
    assert len(set(found)) >= 2


def test_an_adaptive_cluster_starts_from_nothing_and_replaces_what_is_cancelled(lab):
    with connected("slurm", profile=lab(minimum=0, workers=2)) as client:
        assert not running_jobs()
        found = []
        for result in results(client.map(job, [0.5] * 40, pure=False)):
            found.append(result)
            if len(found) == 3:
                subprocess.run(["scancel", *running_jobs()], check=True)
    assert len(found) == 40


def test_jobs_that_fail_again_and_again_end_the_run_with_a_message(lab):
    profile = lab(setup=["exit 3"], workers=3)
    with (
        pytest.raises(tb.ClusterError, match="5 jobs in a row ended without bringing one; look at"),
        connected("slurm", profile=profile) as client,
    ):
        client.submit(job, 0.0).result()


def test_a_sweep_is_the_same_though_all_its_jobs_are_cancelled(lab, place):
    keys = {"seed": range(12), "reduce": ["mean_rates"], "batch": 2}
    for name in FILES:
        Path(name).write_bytes((place / name).read_bytes())
    cancelled = []

    def cancel(state):
        if state.done >= 4 and not cancelled:
            cancelled.extend(running_jobs())
            subprocess.run(["scancel", *cancelled], check=True)

    there = tb.sweep("small.toml", out="there.zarr", cluster="slurm", profile=lab(), progress=cancel, **keys).load()
    assert cancelled
    here = tb.sweep("small.toml", out="here.zarr", workers=0, **keys).load()
    np.testing.assert_array_equal(there["mean_rates"], here["mean_rates"])
    assert there["mean_rates"].mean() > 0
