"""Compile several blocks at once, each in a process of its own, before they are needed one after the other."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from twinbrain.engines.brian2.compiler import cache_folder
from twinbrain.network.inputs import Events
from twinbrain.network.network import Block, Network

# Python would look for modules in the working folder first; -P keeps it out.
COMMAND = (sys.executable, "-P", "-m", "twinbrain.engines.brian2.ahead")
# A block that has been compiled leaves a file of this suffix in the cache, named by its program.
_DONE = ".compiled"


def compile_ahead(network: Network) -> list[subprocess.Popen[bytes]]:
    """Start compiling all blocks but the first that are not in the cache yet.

    The first is left to the caller's own process. Compiled code is shared through the cache, whose lock lets one
    process wait for what another is compiling.

    Parameters
    ----------
    network : Network
        What is about to be prepared.

    Returns
    -------
    list of subprocess.Popen
        What was started; it is to be waited for.
    """
    missing = [block for block in network.blocks if not _mark(block).exists()]
    n_helpers = min(len(missing) - 1, (os.cpu_count() or 1) - 1)
    if n_helpers < 1:
        return []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started = []
    for helper in range(n_helpers):
        share = [_small(network, block) for block in missing[1:][helper::n_helpers]]
        process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert process.stdin is not None
        process.stdin.write(pickle.dumps(share))
        process.stdin.close()
        started.append(process)
    return started


def mark_compiled(network: Network) -> None:
    """Remember that all blocks of a network have been compiled."""
    for block in network.blocks:
        _mark(block).touch()


def _mark(block: Block) -> Path:
    name = hashlib.sha256(f"{block.name}\n{block.program}".encode()).hexdigest()[:24]
    return cache_folder() / f"{name}{_DONE}"


def _small(network: Network, block: Block) -> Network:
    """Return a network of one neuron of ``block``: its compiled code is that of the whole block."""
    inlets = tuple(replace(inlet, start=i, stop=i + 1) for i, inlet in enumerate(block.inlets))
    one = replace(
        block,
        neurons=np.zeros(1, np.int32),
        constants={name: values[:1] for name, values in block.constants.items()},
        initial={name: values[:1] for name, values in block.initial.items()},
        inlets=inlets,
    )
    return replace(
        network, blocks=(one,), tables=(), drives=(), probes=(), waveforms=(), events=Events.none(), plastic=()
    )


def _main() -> None:
    from twinbrain.engines.brian2.simulation import prepare

    for network in pickle.load(sys.stdin.buffer):
        prepare(network, ahead=False)


if __name__ == "__main__":
    _main()
