"""A real Slurm of one node on this machine: munged, slurmctld and slurmd, on a configuration of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_PATIENCE = 120.0
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

# Times are short, for a scheduler that answers at once and kills soon.
_CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
KillWait=2
MinJobAge=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def one_node_slurm(folder: Path, cpus: int = 4) -> Iterator[None]:
    """Run Slurm in ``folder``, with SLURM_CONF set; skip the test where it cannot be run.

    Parameters
    ----------
    folder : Path
        Empty, and on a short path, since a socket lies in it.
    cpus : int
        How many cores the node says it has.
    """
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        pytest.skip(f"Slurm is not installed ({', '.join(missing)}): make slurm")
    if os.geteuid():
        pytest.skip("only root may start a Slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)
    text = _CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=folder, cpus=cpus, ports=_free_ports())
    configuration = folder / "slurm.conf"
    configuration.write_text(text)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    munged = (
        "munged",
        "--foreground",
        "--force",
        f"--key-file={key}",
        f"--socket={folder}/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/munged.log",
        f"--seed-file={folder}/munge.seed",
    )
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setenv("SLURM_CONF", str(configuration))
        stack.enter_context(_running(*munged))
        _wait(folder, lambda: (folder / "munge.socket").exists())
        for command in (("slurmctld", "-D"), ("slurmd", "-D", "-f", str(configuration))):
            stack.enter_context(_running(*command))
        _wait(folder, lambda: "idle" in _output("sinfo", "--noheader", "--format=%t"))
        try:
            yield
        finally:
            subprocess.run(["scancel", "--user", "root"], check=False)
            _wait(folder, lambda: not _output("squeue", "--noheader"))


@contextlib.contextmanager
def _running(*command: str) -> Iterator[None]:
    log = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=log, stderr=log, stdin=log) as process:
        try:
            yield
        finally:
            process.terminate()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _wait(folder: Path, reached: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > end:
            pytest.fail("Slurm does not start; " + "\n".join(log.read_text() for log in folder.glob("slurm*.log")))
        time.sleep(0.1)


def _free_ports() -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]
