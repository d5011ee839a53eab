"""Workers in jobs of Slurm: submitted, replaced when they end, cancelled at the end."""

from __future__ import annotations

import getpass
import logging
import math
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dask

from twinbrain.errors import ClusterError
from twinbrain.paths import user_path
from twinbrain.run.cluster.scratch import BEFORE_SETUP, IN_JOBS, after_setup, private_scratch
from twinbrain.run.cluster.tls import security_for_jobs
from twinbrain.spec.cluster import ClusterProfile

if TYPE_CHECKING:
    from dask_jobqueue.slurm import SLURMCluster

# A queue is asked seldom: many users share it.
_LOOK_EVERY = 10.0
# So many jobs in a row that never brought a worker are no accident.
_IN_VAIN = 5
# Looks in a row at which Slurm had refused every job, and after how many it is asked again where it took others.
_REFUSED, _ASK_AGAIN = 3, 6

logger = logging.getLogger("twinbrain.cluster")


@contextmanager
def slurm_cluster(profile: ClusterProfile, workers: int | None = None) -> Iterator[SLURMCluster]:
    """Submit jobs that hold workers, and replace those that end, until the context ends.

    Parameters
    ----------
    profile : ClusterProfile
        What the jobs ask for.
    workers : int, optional
        How many workers to have at most, other than the profile says.

    Yields
    ------
    dask_jobqueue.SLURMCluster
        Its scheduler runs in this process.

    Raises
    ------
    ClusterError
        If Slurm or dask-jobqueue is missing; or when jobs are refused, or end without bringing a worker, again and
        again.
    """
    profile = profile.of_workers(workers)
    n_jobs = profile.workers // profile.workers_per_job
    least = None if profile.minimum is None else math.ceil(profile.minimum / profile.workers_per_job)
    # Jobs reach the scheduler through a network that others use too, hence the certificates.
    # Of a task that has never run, 1 min is assumed; with Dask's 0.5 s, adaptive clusters cancel jobs just submitted.
    with (
        dask.config.set({"distributed.scheduler.unknown-task-duration": "1m"}),
        private_scratch(),
        security_for_jobs(profile) as security,
        _start(**job_arguments(profile), protocol="tls://", security=security) as cluster,
    ):
        if least is None:
            cluster.scale(jobs=n_jobs)
        else:
            cluster.adapt(minimum_jobs=least, maximum_jobs=n_jobs)
        with _replacing(cluster, n_jobs if least is None else None, profile.logs):
            yield cluster


def job_arguments(profile: ClusterProfile) -> dict[str, Any]:
    """Return what a profile amounts to, in the words of dask-jobqueue."""
    per_job = profile.workers_per_job
    minutes = profile.walltime / 60_000
    # Workers finish what they do and leave before Slurm kills them: a tenth of the time before, 1 to 10 min, and not
    # all at once.
    margin = min(max(minutes / 10, 1.0), 10.0, minutes / 2)
    arguments = ["--lifetime", f"{60 * (minutes - margin):.0f}s", "--lifetime-stagger", f"{30 * margin:.0f}s"]
    # Slurm watches the memory; Dask would pause workers at four fifths of it, for ever where that is what they need.
    arguments += ["--memory-limit", "0"]
    arguments += ["--local-directory", IN_JOBS]
    # A worker serves pages without a certificate, to everyone who reaches it, even where it shows no dashboard.
    arguments += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    directives = list(profile.directives)
    if profile.gpus:
        arguments += ["--resources", "GPU=1"]
        directives.append("--gres=gpu:1")
    return {
        "queue": profile.queue,
        "account": profile.account,
        "walltime": _clock(profile.walltime),
        "cores": per_job,  # of which each worker takes one as its thread
        "processes": per_job,
        "job_cpu": profile.cores,
        "memory": profile.memory,
        "interface": profile.interface,
        "job_script_prologue": [BEFORE_SETUP, *profile.setup, after_setup()],
        "job_extra_directives": directives,
        "worker_extra_args": arguments,
        "python": profile.python or shlex.quote(sys.executable),
        "log_directory": str(user_path(profile.logs)),
        "job_name": "twinbrain",
        "scheduler_options": {"dashboard_address": "localhost:0"},
    }


def _clock(ms: float) -> str:
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _start(**arguments: Any) -> SLURMCluster:
    cluster = _cluster_class()
    from twinbrain.run.cluster.job import Job

    return cluster(**arguments, job_cls=Job)  # type: ignore[arg-type]


def _cluster_class() -> type[SLURMCluster]:
    # The package takes over Ctrl-C when it is imported; that belongs to the program.
    handler = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue.slurm import SLURMCluster
    except ImportError:
        raise ClusterError(
            'expected the package dask-jobqueue, found none; install it: pip install "twinbrain[cluster]"'
        ) from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
    if shutil.which("sbatch") is None:
        raise ClusterError("expected the commands of Slurm (sbatch), found none; start on a node that submits jobs")
    return SLURMCluster


@contextmanager
def _replacing(cluster: SLURMCluster, n_jobs: int | None, logs: str) -> Iterator[None]:
    """Replace jobs that end, which neither a fixed nor an adaptive cluster of dask-jobqueue does by itself."""
    stop = threading.Event()
    given_up: list[str] = []
    thread = threading.Thread(target=_look_after, args=(cluster, n_jobs, stop, given_up, logs), daemon=True)
    thread.start()
    try:
        yield
    except Exception as error:
        if not given_up:
            raise
        raise ClusterError(f"expected workers, found that {given_up[0]}") from error
    finally:
        stop.set()
        thread.join()


def _look_after(
    cluster: SLURMCluster, n_jobs: int | None, stop: threading.Event, given_up: list[str], logs: str
) -> None:
    refusals = Refusals()
    in_vain: set[str] = set()
    fruitful: set[str] = set()
    workers: dict[str, str] = {}
    while not stop.wait(_LOOK_EVERY):
        before, workers = workers, {a: str(w["name"]) for a, w in cluster.scheduler_info["workers"].items()}
        jobs = {name: job.job_id for name, job in list(cluster.workers.items())}
        # At two looks: a worker that does not fit is there for a moment, too.
        if lasting := [f"{name}-" for address, name in workers.items() if address in before]:
            in_vain.clear()
            fruitful |= {number for job, number in jobs.items() if any(name.startswith(f"{job}-") for name in lasting)}
        if (listed := _listed()) is None:
            continue
        ended = {name for name, number in jobs.items() if number and number not in listed}
        in_vain |= {jobs[name] for name in ended} - fruitful
        refused = refusals.look({name: getattr(job, "refusal", "") for name, job in list(cluster.workers.items())})
        if len(in_vain) >= _IN_VAIN:
            given_up.append(
                f"{len(in_vain)} jobs in a row ended without bringing one; look at what they printed, in {logs}"
            )
        elif refusals.n >= _REFUSED:
            given_up.append(
                f"Slurm refuses the jobs: {refusals.words}; change what the profile asks for, or ask those who run the "
                "cluster"
            )
        if given_up:
            cluster.close()
            return
        if ended:
            logger.info("jobs ended and are replaced: %s", ", ".join(jobs[name] for name in ended))
        if ended or refused:
            cluster.sync(cluster.scale_down, ended | refused)
        if n_jobs is not None:
            cluster.scale(jobs=n_jobs)


class Refusals:
    """What Slurm refuses: for good where it takes nothing, else for a while, such as beyond a limit of jobs.

    Attributes
    ----------
    n : int
        Looks in a row at which every job was refused.
    words : str
        What Slurm said last.
    """

    def __init__(self) -> None:
        self.n, self.words, self._looks = 0, "", 0

    def look(self, told: Mapping[str, str]) -> set[str]:
        """Take what was said of each job, nothing where it was taken; return those to be submitted again now."""
        refused = {name: words for name, words in told.items() if words}
        all_are = len(refused) == len(told) > 0
        self.n = self.n + 1 if all_are else 0
        self._looks = self._looks + 1 if refused else 0
        if not refused:
            return set()
        self.words = "; ".join(dict.fromkeys(refused.values()))
        if self._looks == 1:
            logger.warning("Slurm refuses %d jobs, which are submitted again: %s", len(refused), self.words)
        return set(refused) if all_are or self._looks % _ASK_AGAIN == 0 else set()


def _listed() -> set[str] | None:
    """Return the numbers of this user's jobs that wait or run; None when Slurm does not answer."""
    command = ["squeue", "--noheader", "--format=%A", "--user", getpass.getuser()]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return set(answer.stdout.split())
