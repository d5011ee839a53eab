"""Which files in a folder are of the SONATA circuit that was written there, with nothing added to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinbrain.errors import ExchangeError
from twinbrain.exchange.files import failure, refuse_further
from twinbrain.exchange.sonata_cells import NODE_COLUMNS
from twinbrain.exchange.sonata_files import is_group, read_json, read_types
from twinbrain.files import FileError, opened_hdf5

MARK = "twinbrain"
"""Attribute by which spikes that were written with a circuit are told from those of a simulator."""
EDGE_COLUMNS = ("edge_type_id", "model_template", "receptor", "origin")
"""Columns of the table of edge types."""

_SPIKES = "spikes.h5"
_TABLES = {"node_types.csv": NODE_COLUMNS, "edge_types.csv": EDGE_COLUMNS}
# What is written into each: keys, and what is within them; None is anything.
_CONFIGS: dict[str, dict[str, Any]] = {
    "circuit_config.json": {
        "manifest": {"$BASE_DIR": None},
        "components": {"point_neuron_models_dir": None},
        "networks": {
            kind: {f"{kind}_file": None, f"{kind[:-1]}_types_file": None, "populations": None}
            for kind in ("nodes", "edges")
        },
        "twinbrain": None,
    },
    "simulation_config.json": {
        "manifest": {"$BASE_DIR": None},
        "network": None,
        "run": {"dt": None, "tstop": None},
        "target_simulator": None,
    },
}
_NODES = dict.fromkeys(("node_type_id", "node_id", "node_group_id", "node_group_index"))
_EDGES = dict.fromkeys(("source_node_id", "target_node_id", "edge_type_id", "edge_group_id", "edge_group_index"))
# Of one population of each file.
_GROUPS: dict[str, dict[str, Any]] = {
    "nodes.h5": _NODES | {"0": {"dynamics_params": None, "g_L": None}},
    "edges.h5": _EDGES | {"0": {"syn_weight": None, "delay": None}},
    _SPIKES: dict.fromkeys(("timestamps", "node_ids")),
}


def circuit_files(folder: Path) -> set[str]:
    """Return the files of a circuit of ours, by names from its folder on; none if it is another program's.

    Spikes that another program put there are not among them.

    Raises
    ------
    ExchangeError
        If something was added to a file, such as inputs to a configuration or positions to nodes.
    """
    try:
        config = read_json(folder / "circuit_config.json")
        populations = {
            f"{kind}.h5": [name for file in config["networks"][kind] for name in file["populations"]]
            for kind in ("nodes", "edges")
        }
    except (ExchangeError, KeyError, TypeError):
        return set()
    if "twinbrain" not in config:
        return set()
    populations[_SPIKES] = populations["nodes.h5"]
    for name, written in _CONFIGS.items():
        if (path := folder / name).exists():
            refuse_further(path, _further(read_json(path), written), written)
    for name, columns in _TABLES.items():
        if (path := folder / name).exists():
            refuse_further(path, {column for row in read_types(path, columns[0]).values() for column in row}, columns)
    own = {*_CONFIGS, *_TABLES, *(f"components/{name}.json" for name in populations["nodes.h5"])}
    for name, group in _GROUPS.items():
        if (path := folder / name).exists() and _is_ours(path, dict.fromkeys(populations[name], group)):
            own.add(name)
    return own


def _is_ours(path: Path, populations: dict[str, Any]) -> bool:
    """Return whether we wrote an HDF5 file, and refuse one to which something was added."""
    kind = path.stem
    try:
        with opened_hdf5(path, "exchange") as file:
            if path.name == _SPIKES and MARK not in file.attrs:
                return False
            refuse_further(path, _further(file, {kind: populations}), [kind])
    except FileError as error:
        raise failure(path, f"{error}; move the folder elsewhere, or choose another path") from None
    return True


def _further(found: Any, written: dict[str, Any], within: str = "") -> Iterator[str]:
    """Yield the keys of a table, or of a group of HDF5, that are not written there, with what they are within."""
    for key in found:
        name = f"{within}{key}"
        if key not in written:
            yield name
        elif written[key] is not None:
            items = found[key] if isinstance(found[key], list) else [found[key]]
            yield from (f"{name}[{i}]" for i in range(1, len(items)))
            for item in items[:1]:
                if is_group(item):
                    yield from _further(item, written[key], f"{name}/")
