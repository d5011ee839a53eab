"""A profile: what a lab's cluster wants to know of every job."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinbrain.errors import Problem
from twinbrain.spec.base import Spec
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import Milliseconds, default

_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", re.ASCII)


def _from_clock(value: Any) -> Any:
    """Return a walltime as Slurm writes it, ``"1-12:00:00"``, as a quantity; anything else as it is."""
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value.strip())):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return f"{((days * 24 + hours) * 60 + minutes) * 60 + seconds} s"
    return value


def _at_least_a_minute(value: float) -> float:
    if value < 60_000:
        raise ValueError(f'expected at least "1 min", found {value / 1000:g} s; Slurm counts in minutes')
    return value


def _memory(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)? *[kMGT]i?B", text, flags=re.ASCII):
        raise ValueError(f'expected an amount of memory such as "16 GB", found {text!r}')
    if not re.search("[1-9]", text):
        raise ValueError(f"expected more than none, found {text!r}, which Slurm takes for all memory of a node")
    return text


# What stands in a job script is read by a shell, so nothing may stand there that says more than a name.
# Nor may it begin as an option does.
_NAME = re.compile(r"(?!-)[\w.,:@+-]+")
_FOLDER = re.compile(r"(?!-)[\w.,:@+/~-]+")
# Options of sbatch that choose nodes and limits; others can run programs, or write files.
_DIRECTIVES = (
    "comment",
    "constraint",
    "cpus-per-gpu",
    "deadline",
    "exclude",
    "exclusive",
    "gpus",
    "gres",
    "hint",
    "licenses",
    "mail-type",
    "mem-per-cpu",
    "mem-per-gpu",
    "nice",
    "nodelist",
    "priority",
    "qos",
    "requeue",
    "reservation",
    "signal",
    "switches",
    "tmp",
)
_DIRECTIVE = re.compile(r"--([a-z-]+)(=[\w.,:@+&|*()\[\]-]+)?")


def _plain(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"expected letters, digits and any of . , : @ + - _, and no - at first, found {text!r}")
    return text


def _folder(text: str) -> str:
    if not _FOLDER.fullmatch(text):
        raise ValueError(
            f"expected a folder of letters, digits and any of / . , : @ + - _ ~, and no - at first, found {text!r}"
        )
    return text


def _directive(text: str) -> str:
    match = _DIRECTIVE.fullmatch(text)
    if match is not None and match[1] == "clusters":
        raise ValueError(
            f"expected jobs of the cluster on which they are submitted, found {text!r}; jobs of others cannot be "
            "looked after: start on a login node of that cluster"
        )
    if match is None or match[1] not in _DIRECTIVES:
        raise ValueError(f"expected --option=value with one of the options {', '.join(_DIRECTIVES)}, found {text!r}")
    return text


Name = Annotated[str, AfterValidator(_plain)]


class Certificates(Spec):
    """Who may take part in a cluster: certificates, with which each side proves itself to the other.

    Parameters
    ----------
    ca_file : str
        Certificates of the authority that has signed those of scheduler, workers and clients.
    cert_file, key_file : str
        The own certificate, and its private key.
    """

    ca_file: str
    cert_file: str
    key_file: str


class ClusterProfile(Spec):
    """The jobs of a Slurm cluster that hold workers, and the certificates of a cluster.

    A profile in a file is data. What runs commands (``setup``, ``python``) is given in Python, or ``setup`` as a file
    of shell lines that is named on the command line.

    Parameters
    ----------
    queue, account : str, optional
        Partition, and the account that is charged; otherwise the cluster's defaults.
    walltime : float (ms)
        How long a job may take, such as ``"4 h"`` or ``"04:00:00"``; workers leave before it ends.
    cores : int
        Cores of a job, at most. Each carries one worker, but for jobs with a GPU, which hold one worker.
    memory : str
        Memory of a job, such as ``"16 GB"``.
    gpus : {0, 1}
        GPUs of a job.
    workers : int
        How many workers there are, at most.
    minimum : int, optional
        How many workers are kept when there is little to do; without it, always ``workers``.
    interface : str, optional
        Network interface that scheduler and workers use, such as ``"ib0"``.
    setup : sequence of str
        Shell lines that a job begins with, such as ``"module load gcc"``; not in a file.
    directives : sequence of str
        Further options of ``sbatch`` that choose nodes or limits, such as ``"--constraint=skylake"``.
    python : str, optional
        The interpreter of the workers; otherwise this one; not in a file.
    tls : Certificates, optional
        Of a scheduler at ``tls://``, and of the workers of jobs; without them, jobs get certificates made for one run.
    logs : str
        Folder of what jobs print; it is made where the run is started.
    """

    queue: Name | None = None
    account: Name | None = None
    walltime: Annotated[Milliseconds, BeforeValidator(_from_clock), AfterValidator(_at_least_a_minute)] = default("1 h")
    cores: Annotated[int, Field(ge=1)] = 1
    memory: Annotated[str, AfterValidator(_memory)] = "4 GB"
    gpus: Annotated[int, Field(ge=0)] = 0
    workers: Annotated[int, Field(ge=1)] = 1
    minimum: Annotated[int, Field(ge=0)] | None = None
    interface: Name | None = None
    setup: tuple[str, ...] = ()
    directives: tuple[Annotated[str, AfterValidator(_directive)], ...] = ()
    python: str | None = None
    tls: Certificates | None = None
    logs: Annotated[str, AfterValidator(_folder)] = "slurm-logs"

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = []
        if self.gpus > 1:
            problems.append(
                Problem("gpus", f"expected 0 or 1, found {self.gpus}; a job holds one worker: ask for more workers")
            )
        if self.minimum is not None and self.minimum > self.workers:
            problems.append(
                Problem("minimum", f"expected at most the {self.workers} of workers, found {self.minimum}; lower it")
            )
        if problems:
            raise reject(*problems)
        return self

    def of_workers(self, workers: int | None = None) -> Self:
        """Return the profile of jobs of one size that hold so many workers together, and none beyond them."""
        n = workers or self.workers
        least = None if self.minimum is None else min(self.minimum, n)
        cores = self.cores if self.gpus else next(k for k in range(min(self.cores, n), 0, -1) if n % k == 0)
        return self.model_copy(update={"workers": n, "minimum": least, "cores": cores})

    @property
    def workers_per_job(self) -> int:
        """How many workers a job holds."""
        return 1 if self.gpus else self.cores
