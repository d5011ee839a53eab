import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def dask(*command, log=None, **environment):
    """Run a command of ``dask``, for workers that can import these tests."""
    path = os.pathsep.join(filter(None, [environment.pop("PYTHONPATH", ""), str(ROOT), os.environ.get("PYTHONPATH")]))
    with (
        open(log or os.devnull, "wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, command)],
            stdout=output,
            stderr=output,
            env=os.environ | environment | {"PYTHONPATH": path},
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of a scheduler in a process of its own."""
    import json

    file = tmp_path_factory.mktemp("scheduler") / "scheduler.json"
    with dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file) as process:
        while not file.exists() or not file.read_text():
            assert process.poll() is None
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"]


@pytest.fixture
def start_worker(scheduler):
    """Start workers of the scheduler, which end with the test; a log and environment may be given.

    A process that watches over a worker takes as long to start as the worker: without one, unless it is asked for.
    """
    from distributed import Client

    with contextlib.ExitStack() as stack:

        def start(n_threads=1, nanny=False, **others):
            watch = "--nanny" if nanny else "--no-nanny"
            command = ("worker", scheduler, "--nthreads", n_threads, "--no-dashboard", watch)
            return stack.enter_context(dask(*command, **others))

        yield start
    with Client(scheduler, set_as_default=False) as client:
        while client.scheduler_info()["workers"]:
            time.sleep(0.05)


@pytest.fixture
def another_version(tmp_path):
    """A folder that, first on the path of Python, makes twinbrain say that it is of version 9.9."""
    folder = tmp_path / "path"
    information = folder / "twinbrain-9.9.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: twinbrain\nVersion: 9.9\n")
    return str(folder)


@pytest.fixture
def another_checkout(tmp_path):
    """The environment of a process whose twinbrain is of the same version, one line of it changed."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "twinbrain", folder / "twinbrain", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "twinbrain" / "units.py").open("a") as file:
        file.write("# changed\n")
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}  # the working folder would come first
