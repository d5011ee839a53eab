"""Ranks that send to each other in pairs, and all to all, receive the same spikes; also more than fit a message."""

import json
import subprocess
import sys

import numpy as np
import psutil
import pytest
import torch.distributed as dist

from twinbrain.run.sharded.board import Board, RankLostError
from twinbrain.run.sharded.exchange import free_port, joined

SCRIPT = """
import json, sys
import numpy as np
from twinbrain.engines.base import Spikes
from twinbrain.run.sharded import exchange
from twinbrain.run.sharded.board import Board

rank, port, most_pairs = map(int, sys.argv[1:4])
exchange._MOST_PAIRS = most_pairs
found = []
with exchange.joined(rank, ["127.0.0.1", "127.0.0.1"], port, "cpu", Board()) as ring:
    for window, n in enumerate([0, 3, 5000, 7, 9000]):
        n *= rank + 1
        step = np.sort(np.arange(n, dtype=np.int32) % 10) + 10 * window
        arrived = ring.spikes(Spikes(step.astype(np.int32), np.arange(n, dtype=np.int32) + rank), 10 * window, 10)
        found.append([arrived.step.tolist(), arrived.neuron.tolist()])
with open(sys.argv[4], "w") as file:
    json.dump(found, file)
"""


@pytest.mark.slow
@pytest.mark.parametrize("most_pairs", [8, 1], ids=["pairs", "all to all"])
def test_every_spike_of_the_other_rank_arrives(most_pairs, tmp_path):
    port = free_port("127.0.0.1")
    files = [tmp_path / f"{rank}.json" for rank in range(2)]
    ranks = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(rank), str(port), str(most_pairs), str(file)])
        for rank, file in enumerate(files)
    ]
    assert [process.wait() for process in ranks] == [0, 0]
    found = [json.loads(file.read_text()) for file in files]
    for rank, received in enumerate(found):
        other = 1 - rank
        for window, (n, (step, neuron)) in enumerate(zip([0, 3, 5000, 7, 9000], received, strict=True)):
            n *= other + 1
            np.testing.assert_array_equal(step, np.sort(np.arange(n) % 10) + 10 * window)
            np.testing.assert_array_equal(neuron, np.arange(n) + other)


def listening():
    return {c.laddr for c in psutil.Process().net_connections() if c.status == psutil.CONN_LISTEN}


def test_a_rank_that_fails_closes_its_connections_although_its_error_is_kept(monkeypatch):
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        monkeypatch.setenv(name, "lo")
    before, inside = listening(), set()

    def send():
        group = dist.group.WORLD  # as messages that are under way hold it
        inside.update(listening() - before)
        raise RuntimeError(f"rank 1 of {group} is gone")

    def exchange():
        try:
            send()
        except RuntimeError as error:
            raise RankLostError("another rank is gone") from error

    with (
        pytest.raises(RankLostError) as kept,
        joined(0, ["127.0.0.1"], free_port("127.0.0.1"), "cpu", Board()),
    ):
        exchange()
    assert inside
    assert not listening() & inside
    assert "another rank is gone" in str(kept.value)
