"""What ranks tell each other, through `torch.distributed`: spikes, and now and then anything else."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import psutil  # type: ignore[import-untyped,unused-ignore]
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch.distributed import TCPStore  # type: ignore[attr-defined,unused-ignore]

from twinbrain.engines.base import Spikes
from twinbrain.errors import ClusterError
from twinbrain.run.sharded.board import Board, RankLostError

T = TypeVar("T")

# A rank that is alive but silent for so long is taken for lost.
# Among so few ranks each sends to each: gloo's all_gather takes five times as long between two.
_MOST_PAIRS = 8
_PATIENCE = timedelta(minutes=30)
_KNOCK = timedelta(seconds=2)
_FIRST_CAPACITY = 2048


class Ring:
    """The ranks of a gang, as one of them sees them; made by `joined`.

    Parameters
    ----------
    rank, n_ranks : int
        Which rank this is, and of how many.
    device : str
        Where the engine computes; spikes go by nccl where every rank has a GPU of its own.
    """

    def __init__(self, rank: int, n_ranks: int, device: str) -> None:
        self.rank, self.n_ranks = rank, n_ranks
        self._others = [other for other in range(n_ranks) if other != rank]
        self._capacity = _FIRST_CAPACITY
        self._sent, self._received = torch.zeros(0, dtype=torch.int32), torch.zeros((n_ranks, 0), dtype=torch.int32)
        self._device = torch.device("cpu")
        self._group: dist.ProcessGroup | None = dist.group.WORLD
        if device.startswith("cuda") and self._have_own_gpus(device):
            self._device, self._group = torch.device(device), dist.new_group(backend="nccl")

    def _have_own_gpus(self, device: str) -> bool:
        gpu = (socket.gethostname(), str(torch.cuda.get_device_properties(device).uuid))
        return dist.is_nccl_available() and len(set(self.all(gpu))) == self.n_ranks

    def close(self) -> None:
        """Let go of the connections: whoever waits for this rank learns that it is gone."""
        self._group = None

    def all(self, value: T) -> list[T]:
        """Return the values of all ranks, at each."""
        values: list[Any] = [None] * self.n_ranks
        with _lost():
            dist.all_gather_object(values, value)
        return values

    def gather(self, value: T) -> list[T] | None:
        """Return the values of all ranks at rank 0, None elsewhere."""
        values: list[Any] | None = [None] * self.n_ranks if self.rank == 0 else None
        with _lost():
            dist.gather_object(value, values, dst=0)
        return values

    def scatter(self, values: Sequence[T] | None) -> T:
        """Return this rank's of the values that rank 0 gives."""
        found: list[Any] = [None]
        with _lost():
            dist.scatter_object_list(found, list(values) if values is not None else None, src=0)
        value: T = found[0]
        return value

    def from_first(self, value: T) -> T:
        """Return rank 0's value."""
        values: list[Any] = [value]
        with _lost():
            dist.broadcast_object_list(values, src=0)
        found: T = values[0]
        return found

    def sums(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the sums of arrays over all ranks."""
        tensor = torch.from_numpy(values.copy())
        with _lost():
            dist.all_reduce(tensor)
        found: NDArray[np.int32] = tensor.numpy()
        return found

    def spikes(self, spikes: Spikes, first: int, n_steps: int) -> Spikes:
        """Send spikes to all ranks, and return those of the others.

        A message is the number of spikes in each step, then their neurons. It has the same size in every rank, and a
        second one follows where some rank had more; the size grows then.

        Parameters
        ----------
        spikes : Spikes
            Of steps ``first`` … ``first + n_steps - 1``, in their order.
        first, n_steps : int
            The steps since the last exchange; the same in every rank.
        """
        n = len(spikes)
        message = self._buffers(n_steps + self._capacity)[0]
        message[:n_steps] = np.bincount(spikes.step - first, minlength=n_steps)
        fitting = min(n, self._capacity)
        message[n_steps : n_steps + fitting] = spikes.neuron[:fitting]
        received = self._all_gather(len(message))
        counts = received[:, :n_steps]
        totals = counts.sum(axis=1)
        neurons = received[:, n_steps:]
        if (overflow := int(totals.max()) - self._capacity) > 0:
            # A copy, since the buffers are used again.
            counts, neurons = counts.copy(), neurons.copy()
            self._buffers(overflow)[0][: n - fitting] = spikes.neuron[fitting:]
            neurons = np.concatenate([neurons, self._all_gather(overflow)], axis=1)
            self._capacity = int(totals.max()) * 3 // 2
        steps = np.arange(first, first + n_steps, dtype=np.int32)
        return Spikes.concatenate(
            [Spikes(np.repeat(steps, counts[rank]), neurons[rank, : totals[rank]]) for rank in self._others]
        )

    def _buffers(self, size: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return where a message of that size is written, and where those of all ranks arrive."""
        if self._received.shape[1] != size:
            self._sent = torch.zeros(size, dtype=torch.int32)
            self._received = torch.zeros((self.n_ranks, size), dtype=torch.int32)
        return self._sent.numpy(), self._received.numpy()

    def _all_gather(self, size: int) -> NDArray[np.int32]:
        """Exchange what is in the buffer of messages of that size."""
        message, received = self._buffers(size)
        assert self._group is not None
        # By the group itself: functions of `dist` take twice the time for messages as short as these.
        with _lost():
            if self._device.type == "cuda" or self.n_ranks > _MOST_PAIRS:
                arrived = torch.empty(received.shape, dtype=torch.int32, device=self._device)
                self._group.allgather([list(arrived)], [self._sent.to(self._device)]).wait()
                self._received.copy_(arrived)
            else:
                received[self.rank] = message
                sent = [self._group.send([self._sent], rank, 0) for rank in self._others]
                arriving = [self._group.recv([self._received[rank]], rank, 0) for rank in self._others]
                for work in (*arriving, *sent):
                    work.wait()
        return received


@contextmanager
def joined(rank: int, hosts: Sequence[str], port: int, device: str, board: Board) -> Iterator[Ring]:
    """Join the ranks of a gang.

    Parameters
    ----------
    rank : int
        Which this is.
    hosts : sequence of str
        Addresses of the hosts of all ranks; they meet at that of rank 0.
    port : int
        Where they meet.
    device : str
        Where the engine computes.
    board : Board
        Says when to give up.

    Raises
    ------
    RankLostError
        If the ranks do not all come.
    """
    # gloo and nccl would listen at the address that the name of the machine leads to, which others may not reach.
    interface = _interface(hosts[rank])
    os.environ.setdefault("GLOO_SOCKET_IFNAME", interface)
    os.environ.setdefault("NCCL_SOCKET_IFNAME", interface)
    with _lost():
        store = _meet(rank, len(hosts), hosts[0], port, board)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=len(hosts), timeout=_PATIENCE)
    ring = None
    try:
        ring = Ring(rank, len(hosts), device)
        yield ring
    except Exception as error:
        _let_go(error)
        raise
    finally:
        if ring is not None:
            ring.close()
        dist.destroy_process_group()


def _let_go(error: BaseException) -> None:
    """Let go of what the frames of an error hold, while the error itself is kept (by Dask, for as long as its task).

    PyTorch closes the connections of gloo once nothing refers to them, and a message that failed does; until they are
    closed, whoever waits for this rank waits on.
    """
    if error.__context__ is not None:
        _let_go(error.__context__)
    traceback.clear_frames(error.__traceback__)


def _meet(rank: int, n_ranks: int, host: str, port: int, board: Board) -> TCPStore:
    """Return the store through which ranks find each other, once all are there."""
    end = time.monotonic() + _PATIENCE.total_seconds()
    store = None
    while store is None:
        try:
            # By itself, the store of rank 0 would listen at every address of its machine.
            own = _bound(host, port).detach() if rank == 0 else None
            store = TCPStore(
                host, port, is_master=rank == 0, timeout=_KNOCK, wait_for_workers=False, master_listen_fd=own
            )
        except (dist.DistNetworkError, dist.DistStoreError):
            if rank == 0 or time.monotonic() > end:
                raise
            board.check()
    store.set(f"rank {rank}", "here")
    while not store.check([f"rank {other}" for other in range(n_ranks)]):
        board.check()
        if time.monotonic() > end:
            raise RankLostError("not all ranks came")
        time.sleep(0.01)
    return store


def gpu_of(device: str, hosts: Sequence[str], rank: int) -> str:
    """Return the device of a rank: those of one host take its GPUs in turn."""
    if device != "cuda":
        return device
    place = sum(host == hosts[rank] for host in hosts[:rank])
    return f"cuda:{place % max(1, torch.cuda.device_count())}"


def free_port(host: str) -> int:
    """Return a port that is free on this host."""
    with _bound(host, 0) as found:
        port: int = found.getsockname()[1]
        return port


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to one address of this machine, and to no other."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found


def _interface(host: str) -> str:
    """Return the network interface of this machine that has an address.

    Raises
    ------
    ClusterError
        If none has it.
    """
    known = {a.address.split("%")[0]: name for name, addresses in psutil.net_if_addrs().items() for a in addresses}
    place = ipaddress.ip_address(socket.gethostbyname(host) if ":" not in host else host.split("%")[0])
    if place.is_loopback:  # all of 127.0.0.0/8 lies at the interface that has 127.0.0.1
        place = ipaddress.ip_address("127.0.0.1" if place.version == 4 else "::1")
    if (name := known.get(str(place))) is None:
        raise ClusterError(
            f"expected a worker at an address of its machine, found {host}, which no network interface has; start "
            "workers with --host and the address by which the others reach them"
        )
    return str(name)


@contextmanager
def _lost() -> Iterator[None]:
    """Turn what PyTorch raises where another rank is gone into a `RankLostError`."""
    try:
        yield
    except RankLostError:
        raise
    except (RuntimeError, OSError) as error:
        raise RankLostError(f"another rank is gone: {error}") from None
