"""Which files in a folder are of the SONATA circuit that was written there."""

from __future__ import annotations

from pathlib import Path

from twinbrain.errors import ExchangeError
from twinbrain.exchange.files import refuse_further
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
# What is written into each.
_KEYS = {
    "circuit_config.json": ("manifest", "components", "networks", "twinbrain"),
    "simulation_config.json": ("manifest", "network", "run", "target_simulator"),
}


def circuit_files(folder: Path) -> set[str]:
    """Return the files of a circuit of ours, by names from its folder on; none if it is another program's.

    Raises
    ------
    ExchangeError
        If something was added to a configuration, such as inputs.
    """
    try:
        config = read_json(folder / "circuit_config.json")
        populations = [name for nodes in config["networks"]["nodes"] for name in nodes["populations"]]
    except (ExchangeError, KeyError, TypeError):
        return set()
    if "twinbrain" not in config:
        return set()
    for name, keys in _KEYS.items():
        if (folder / name).exists():
            refuse_further(folder / name, read_json(folder / name), keys)
    return _FILES | {f"components/{name}.json" for name in populations}
