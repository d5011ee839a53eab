"""Which files in a folder are of the SONATA circuit that was written there."""

from __future__ import annotations

from pathlib import Path

from twinbrain.errors import ExchangeError
from twinbrain.exchange.sonata_files import read_json

_FILES = {
    "circuit_config.json",
    "simulation_config.json",
    "nodes.h5",
    "node_types.csv",
    "edges.h5",
    "edge_types.csv",
    "spikes.h5",
}


def circuit_files(folder: Path) -> set[str]:
    """Return the files of a circuit of ours, by names from its folder on; none if it is another program's."""
    try:
        config = read_json(folder / "circuit_config.json")
        populations = [name for nodes in config["networks"]["nodes"] for name in nodes["populations"]]
    except (ExchangeError, KeyError, TypeError):
        return set()
    return _FILES | {f"components/{name}.json" for name in populations} if "twinbrain" in config else set()
