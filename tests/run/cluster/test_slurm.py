"""What a profile amounts to in a job; tests/faults/test_slurm.py submits jobs to a real Slurm."""

import asyncio
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import dask
import pytest
from distributed import Client

import twinbrain as tb
from tests.attacks.test_ports import Listeners, check
from twinbrain.run.cluster.connect import connected, dashboard
from twinbrain.run.cluster.scratch import IN_JOBS, private_scratch
from twinbrain.run.cluster.slurm import Refusals, job_arguments
from twinbrain.run.cluster.tls import security_for_jobs
from twinbrain.spec.cluster import ClusterProfile


def script(tmp_path, **profile):
    from dask_jobqueue.slurm import SLURMJob

    arguments = job_arguments(ClusterProfile(logs=str(tmp_path), **profile))
    arguments.pop("scheduler_options")
    return SLURMJob("tcp://10.0.0.1:8786", name="worker-0", **arguments).job_script().splitlines()


def test_a_job_asks_for_what_the_profile_says(tmp_path):
    lines = script(
        tmp_path,
        queue="long",
        account="lab",
        walltime="4 h",
        memory="16 GB",
        cores=4,
        setup=["module load gcc", "export A=1"],
        directives=["--constraint=skylake"],
        interface="lo",
    )
    for wanted in ("-p long", "-A lab", "--cpus-per-task=4", "--mem=15G", "-t 04:00:00", "--constraint=skylake"):
        assert f"#SBATCH {wanted}" in lines
    assert lines[-4:-2] == ["module load gcc", "export A=1"]
    assert lines[-1].startswith(sys.executable)
    for wanted in ("--nthreads 1 ", "--nworkers 4 ", "--interface lo"):
        assert wanted in lines[-1]
    assert "GPU" not in lines[-1]


@pytest.mark.parametrize(
    ("walltime", "lifetime", "stagger"),
    [("1 min", 30, 15), ("10 min", 540, 30), ("1 h", 3240, 180), ("24 h", 85800, 300)],
)
def test_workers_leave_before_the_walltime(tmp_path, walltime, lifetime, stagger):
    assert f"--lifetime {lifetime}s --lifetime-stagger {stagger}s" in script(tmp_path, walltime=walltime)[-1]
    assert lifetime + stagger < ClusterProfile(walltime=walltime).walltime / 1000


def test_a_job_with_a_gpu_holds_one_worker_that_says_so(tmp_path):
    lines = script(tmp_path, gpus=1, cores=8)
    assert "#SBATCH --gres=gpu:1" in lines
    assert "#SBATCH --cpus-per-task=8" in lines
    assert "--nthreads 1 " in lines[-1]
    assert "--nworkers" not in lines[-1]
    assert "--resources GPU=1" in lines[-1]


def test_ctrl_c_stays_the_programs():
    code = "import signal; from twinbrain.run.cluster.slurm import _cluster_class; _cluster_class(); "
    code += "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if "expected the commands of Slurm" in done.stderr:
        pytest.skip("Slurm is not installed: make slurm")
    assert done.stdout == "True\n"


def test_a_missing_dask_jobqueue_is_named_with_its_extra(tmp_path, monkeypatch):
    (tmp_path / "lab.toml").write_text('walltime = "1 h"')
    monkeypatch.setitem(sys.modules, "dask_jobqueue.slurm", None)
    with pytest.raises(tb.ClusterError, match=r"pip install \"twinbrain\[cluster\]\""):
        connected("slurm", profile=tmp_path / "lab.toml").__enter__()


def test_a_machine_without_slurm_is_told_so(tmp_path, monkeypatch):
    (tmp_path / "lab.toml").write_text('walltime = "1 h"')
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(tb.ClusterError, match=r"expected the commands of Slurm \(sbatch\), found none"):
        connected("slurm", profile=tmp_path / "lab.toml").__enter__()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of jobs that dask-jobqueue forgets
def test_jobs_prove_themselves_by_certificates_that_are_made_for_the_run(tmp_path):
    """As jobs on this machine, which take the place of Slurm's."""
    from dask_jobqueue.local import LocalCluster

    profile = ClusterProfile(logs=str(tmp_path), interface="lo", memory="1 GB")
    taken = ("cores", "processes", "memory", "interface", "worker_extra_args", "log_directory", "scheduler_options")
    arguments = {name: value for name, value in job_arguments(profile).items() if name in taken}
    words = arguments["worker_extra_args"]  # which no shell reads here
    arguments["worker_extra_args"] = [str(tmp_path / "scratch") if word == IN_JOBS else word for word in words]
    with (
        private_scratch(),
        Listeners() as listeners,
        security_for_jobs(profile) as security,
        security_for_jobs(profile) as another,
        LocalCluster(**arguments, protocol="tls://", security=security) as cluster,
    ):
        assert cluster.scheduler_address.startswith("tls://127.0.0.1:")
        assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob(".certificates-*"))
        cluster.scale(jobs=1)
        with Client(cluster) as client:
            assert client.submit(int, 1).result(timeout=300) == 1
            with urllib.request.urlopen(dashboard(client).partition(" ")[0]) as page:
                assert page.status == 200
        with pytest.raises(OSError, match="certificate does not match"):
            Client(cluster.scheduler_address, security=another, timeout="2s")
    assert list(tmp_path.glob(".certificates-*")) == []
    check(listeners)


def test_the_dashboard_is_named_where_it_listens_and_not_where_jobs_reach_the_scheduler():
    cluster = SimpleNamespace(job_script=str, scheduler_info={"services": {"dashboard": 4321}})
    found = dashboard(SimpleNamespace(cluster=cluster))
    assert found.startswith("http://127.0.0.1:4321/status on this machine; ")
    assert "ssh -L 4321:127.0.0.1:4321 " in found


@pytest.mark.parametrize("below", [None, "below"])
def test_a_job_keeps_files_of_dask_in_a_folder_of_its_own_which_it_removes(tmp_path, below):
    pytest.importorskip("dask_jobqueue")  # its settings are there from then on
    (tmp_path / "below").mkdir()
    with dask.config.set({"jobqueue.slurm.local-directory": below and str(tmp_path / below)}):
        lines = script(
            tmp_path, python="stat -c '%a %n' \"$twinbrain_scratch\"; :", setup=[f"export TMPDIR={tmp_path}"]
        )
    text = "\n".join(lines)
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, check=True)
    mode, folder = done.stdout.split()
    assert mode == "700"
    assert Path(folder).parent == (tmp_path / below if below else tmp_path)
    assert not Path(folder).exists()


def test_jobs_that_are_refused_are_submitted_again_and_counted_while_none_is_taken(caplog):
    refusals = Refusals()
    for n in (1, 2, 3):
        assert refusals.look({"a": "Invalid account", "b": "Invalid account"}) == {"a", "b"}
        assert (refusals.n, refusals.words) == (n, "Invalid account")
    assert caplog.messages == ["Slurm refuses 2 jobs, which are submitted again: Invalid account"]
    assert refusals.look({"a": ""}) == set()
    looks = [refusals.look({"a": "", "b": "too many jobs"}) for _ in range(12)]  # seldom, as beyond a limit of jobs
    assert [look for look in looks if look] == [{"b"}, {"b"}]
    assert refusals.n == 0
    assert refusals.look({}) == set()


def test_a_job_that_is_refused_keeps_the_words_of_sbatch(tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    from twinbrain.run.cluster.job import Job

    (tmp_path / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: Invalid account' >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    arguments = job_arguments(ClusterProfile(logs=str(tmp_path)))
    del arguments["scheduler_options"]

    async def start():
        return await Job("tcp://10.0.0.1:8786", name="worker-0", **arguments)

    assert asyncio.run(start()).refusal == "sbatch: error: Invalid account"
