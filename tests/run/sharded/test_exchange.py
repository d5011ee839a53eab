"""Ranks that send to each other in pairs, and all to all, receive the same spikes; also more than fit a message."""

import json
import subprocess
import sys

import numpy as np
import pytest

from twinbrain.run.sharded.exchange import free_port

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
