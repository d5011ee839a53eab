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

rank, port, most_pairs = map(int, sys.argv[1:])
exchange._MOST_PAIRS = most_pairs
found = []
with exchange.joined(rank, ["127.0.0.1", "127.0.0.1"], port, "cpu", Board()) as ring:
    for window, n in enumerate([0, 3, 5000, 7, 9000]):
        n *= rank + 1
        step = np.sort(np.arange(n, dtype=np.int32) % 10) + 10 * window
        arrived = ring.spikes(Spikes(step.astype(np.int32), np.arange(n, dtype=np.int32) + rank), 10 * window, 10)
        found.append([arrived.step.tolist(), arrived.neuron.tolist()])
print(json.dumps(found))
"""


@pytest.mark.parametrize("most_pairs", [8, 1], ids=["pairs", "all to all"])
def test_every_spike_of_the_other_rank_arrives(most_pairs):
    port = free_port("127.0.0.1")
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(rank), str(port), str(most_pairs)], stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    found = [json.loads(process.communicate()[0]) for process in ranks]
    for rank, received in enumerate(found):
        other = 1 - rank
        for window, (n, (step, neuron)) in enumerate(zip([0, 3, 5000, 7, 9000], received, strict=True)):
            n *= other + 1
            np.testing.assert_array_equal(step, np.sort(np.arange(n) % 10) + 10 * window)
            np.testing.assert_array_equal(neuron, np.arange(n) + other)
