"""What a worker has to be, to compute what this process would."""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from distributed import Client, Worker, WorkerPlugin

from twinbrain.cache import keep_numba_apart
from twinbrain.errors import ClusterError
from twinbrain.models.brian import import_brian2
from twinbrain.run.cluster.sources import Sources, own_sources
from twinbrain.run.versions import SEEN_IN_BITS

_SHOWN = 5
_PYTHON = "python"

logger = logging.getLogger("distributed.worker")


@dataclass(frozen=True)
class Facts:
    """What results depend on in a process.

    Parameters
    ----------
    versions : mapping of str to str
        Of Python (major and minor) and of packages.
    n_threads : int
        How many tasks run at once.
    process : tuple of str and int
        Host and number of the process.
    sources : Sources
        Those of the twinbrain that it has imported.
    """

    versions: Mapping[str, str]
    n_threads: int
    process: tuple[str, int]
    sources: Sources


def own_facts(n_threads: int = 1, packages: Iterable[str] = SEEN_IN_BITS) -> Facts:
    """Return the facts of this process, with the versions of some packages."""
    versions = {_PYTHON: _minor(platform.python_version()), **{name: _installed(name) for name in packages}}
    return Facts(versions, n_threads, (platform.node(), os.getpid()), own_sources())


def faults(expected: Facts, found: Facts) -> list[str]:
    """Return why a worker would not compute what this process does; nothing if it would."""
    wrong = [
        f"expected {name} {wanted}, found {found.versions[name]}; install the same there"
        for name, wanted in expected.versions.items()
        if found.versions[name] != wanted
    ]
    named = "twinbrain" in expected.versions and expected.versions["twinbrain"] != found.versions["twinbrain"]
    if not named and _differ(expected.sources, found.sources):
        wrong.append(
            f"expected the twinbrain of {expected.sources.folder}, found another (its sources differ): "
            f"{found.sources.folder}; install the same there, and start anew what was started before it changed"
        )
    if found.n_threads != 1:
        wrong.append(f"expected 1 thread, found {found.n_threads}; start it with --nthreads 1 (for Brian2)")
    if found.process == expected.process:
        wrong.append("expected a process of its own, found a thread of this one; start it with processes=True")
    return wrong


def check_workers(client: Client, expected: Facts) -> None:
    """Check the workers that a cluster has now, against the process that hands out the tasks.

    Raises
    ------
    ClusterError
        If results could depend on which worker computes them; with every such worker.
    """
    found = _facts(client, [name for name in expected.versions if name != _PYTHON])
    shared = {process for process, n in Counter(facts.process for facts in found.values()).items() if n > 1}
    lines = []
    for address, facts in found.items():
        wrong = faults(expected, facts)
        if facts.process in shared - {expected.process}:
            wrong.append("expected a process of its own, found one that it shares with another worker")
        if wrong:
            lines.append(f"{address}: {'; '.join(wrong)}")
    if lines:
        rest = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise ClusterError(
            "\n".join(
                [
                    f"expected workers that compute what this process would, found {len(lines)} of {len(found)} "
                    "that might not:",
                    *lines[:_SHOWN],
                    *rest,
                ]
            )
        )


def count_ready(client: Client) -> int:
    """Return how many workers are ready for tasks."""
    # A worker that has just come, or is about to leave, answers with an error or not at all.
    return sum(answer is True for answer in client.run(_is_ready, on_error="return").values())


def _is_ready() -> bool:
    return "brian2" in sys.modules


def _facts(client: Client, names: Iterable[str]) -> dict[str, Facts]:
    # First in functions of the standard library alone: a worker may have another twinbrain, or none.
    n_threads = client.nthreads()
    asked = (client.run(f, on_error="return") for f in (platform.python_version, platform.node, os.getpid))
    # One that has left in the meantime answers with an error.
    python, node, process = ({a: v for a, v in found.items() if not isinstance(v, Exception)} for found in asked)
    packages = {name: client.run(version, name, on_error="return") for name in names}
    sources = client.run(own_sources, on_error="return")
    answered = set(n_threads).intersection(python, node, process, *packages.values())
    return {
        address: Facts(
            {
                _PYTHON: _minor(python[address]),
                **{name: _text(answers[address]) for name, answers in packages.items()},
            },
            n_threads[address],
            (node[address], process[address]),
            _sources(sources.get(address)),
        )
        for address in sorted(answered)
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _sources(answer: Sources | Exception | None) -> Sources:
    # One that has left by now is nobody's; one that does not know what is asked is of other sources.
    if answer is None or isinstance(answer, OSError):
        return Sources("", "")
    return answer if isinstance(answer, Sources) else Sources("an older one", "unknown")


def _differ(one: Sources, other: Sources) -> bool:
    """Return whether sources differ; of those that lie in an archive only the version is known."""
    return bool(one.digest and other.digest) and one.digest != other.digest


def _text(answer: str | Exception) -> str:
    return answer if isinstance(answer, str) else "none"


def _minor(python: str) -> str:
    return python.rpartition(".")[0]


@dataclass(frozen=True)
class PrepareWorker(WorkerPlugin):
    """Make a worker ready for tasks, before it is given any; one that joins later and does not fit, leaves.

    Parameters
    ----------
    expected : Facts
        Those of the process that hands out the tasks.
    numba_apart : bool
        Whether functions come from a file beside which numba's code must not be looked for.
    """

    expected: Facts
    numba_apart: bool = False

    async def setup(self, worker: Worker) -> None:
        """Check the worker, and import Brian2, which only the main thread may; tasks have another."""
        packages = [name for name in self.expected.versions if name != _PYTHON]
        wrong = faults(self.expected, own_facts(worker.state.nthreads, packages))
        if not wrong:
            try:
                import_brian2()
                # What every task needs takes a second to import, now rather than in the first one.
                import twinbrain.run.simulate  # noqa: F401

                if self.numba_apart:
                    keep_numba_apart()
                if worker.nanny:
                    # Ctrl-C in a terminal reaches workers too; it is for the process that hands out the tasks.
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
                return
            except RuntimeError as error:
                wrong = [str(error)]
        reason = f"this worker does not fit the process that hands out tasks: {'; '.join(wrong)}"
        logger.error(reason)
        if self.expected.process == own_facts().process:
            await worker.close(nanny=False, reason=reason)
        else:
            # An error would be passed over, and to close would be to wait for the nanny, which waits for the start.
            raise SystemExit(reason)
