"""Hosts on this machine: network namespaces on one bridge, with a Dask scheduler and workers in them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

# Test processes beside this one make hosts too.
_NETWORK = f"10.213.{os.getpid() % 254}"


@dataclass(frozen=True)
class Hosts:
    """What runs where.

    Parameters
    ----------
    scheduler : str
        Address of the scheduler, which this process can reach.
    addresses : tuple of str
        IP addresses of the hosts that carry a worker each; the name of a worker is the address of its host.
    interface : str
        Name of the network interface in every host.
    """

    scheduler: str
    addresses: tuple[str, ...]
    interface: str


@contextlib.contextmanager
def hosts_with_dask(n: int = 2) -> Iterator[Hosts]:
    """Make ``n`` hosts with a worker each, and a scheduler in the first; skip the test where it cannot be done."""
    with hosts(n) as names:
        addresses = tuple(f"{_NETWORK}.{k + 1}" for k in range(n))
        scheduler = f"tcp://{addresses[0]}:8786"
        with contextlib.ExitStack() as stack:
            stack.enter_context(
                running(names[0], "scheduler", "--host", addresses[0], "--port", "8786", "--no-dashboard")
            )
            for name, address in zip(names, addresses, strict=True):
                stack.enter_context(start_worker(name, scheduler, address))
            yield Hosts(scheduler, addresses, "eth0")


@contextlib.contextmanager
def hosts(n: int) -> Iterator[list[str]]:
    """Make ``n`` network namespaces whose interface ``eth0`` is on one bridge, at which this process is too."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("only root may make network namespaces, with the command ip")
    bridge = f"twb{os.getpid() % 1_000_000}"
    names = [f"{bridge}-{k + 1}" for k in range(n)]
    with contextlib.ExitStack() as stack:
        if subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], capture_output=True, check=False).returncode:
            pytest.skip("this machine does not let root make a network bridge")
        stack.callback(_ip, f"link delete {bridge}")
        _ip(f"address add {_NETWORK}.254/24 dev {bridge}")
        _ip(f"link set {bridge} up")
        for k, name in enumerate(names):
            _ip(f"netns add {name}")
            stack.callback(_ip, f"netns delete {name}")
            _ip(f"link add {name} type veth peer name eth0 netns {name}")
            _ip(f"link set {name} master {bridge} up")
            _ip(f"-n {name} address add {_NETWORK}.{k + 1}/24 dev eth0")
            _ip(f"-n {name} link set eth0 up")
            _ip(f"-n {name} link set lo up")
        yield names


@contextlib.contextmanager
def running(host: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of ``dask`` in a host."""
    with subprocess.Popen(["ip", "netns", "exec", host, sys.executable, "-m", "dask", *command]) as process:
        try:
            yield process
        finally:
            process.terminate()


def start_worker(
    host: str, scheduler: str, address: str, *options: str
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run a worker in a host."""
    where = ("--host", address, "--name", address, "--no-dashboard")
    return running(host, "worker", scheduler, "--nthreads", "1", *where, *options)


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True)
