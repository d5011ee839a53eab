"""Write a model as a SONATA circuit.

References
----------
Dai et al. (2020), doi 10.1371/journal.pcbi.1007696.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twinbrain.errors import ExchangeError, Problem
from twinbrain.exchange.circuit import (
    Circuit,
    CircuitProjection,
    drive_problems,
    place_of,
    population_names,
    signal_problems,
)
from twinbrain.exchange.draw import Model, draw_circuit, drawn_with
from twinbrain.exchange.files import check_free, failure, optional, written_whole
from twinbrain.exchange.sonata_cells import NEST, NODE_COLUMNS, Cells, misread_parameters, to_cells
from twinbrain.exchange.sonata_config import UNITS
from twinbrain.exchange.sonata_files import NULL
from twinbrain.exchange.sonata_spikes import check_run, write_spikes
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.network.layout import unused_name
from twinbrain.paths import user_path
from twinbrain.spec.load import as_workflow
from twinbrain.spec.model import ReceptorModel

if TYPE_CHECKING:
    import xarray as xr

_MAGIC, _VERSION = 0x0A7A, (0, 1)
_FIRST_TYPE = 100
_EDGE_COLUMNS = ("edge_type_id", "model_template", "receptor", "origin")
_NO_NAME = f"expected another name than {NULL}, which stands for no value there; rename it"


def write_sonata(
    model: Model,
    folder: str | Path,
    *,
    dt: str | None = None,
    seed: int | None = None,
    drives: Literal["refuse", "drop", "keep"] = "refuse",
    run: xr.DataTree | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model as a SONATA circuit, with everything drawn.

    Every population of a region is a node population, with a node type for each node of the connectome where the region
    stands (two node populations, where a stimulus brings a receptor to some of the nodes); every connected pair of them
    is an edge population. A parameter that all neurons share stands in ``components/<population>.json``, one that
    differs in ``dynamics_params`` of the node file.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        What to write; a text is the name or the path of a workflow.
    folder : str or Path
        Where its files are put; `read_sonata` and others begin with ``circuit_config.json``.
    dt : str (ms), optional
        Time step, of which delays are multiples; else the workflow's.
    seed : int, optional
        Keys every draw; else the workflow's.
    drives : {"refuse", "drop", "keep"}
        What to do with drives and stimuli, which a circuit of SONATA does not know: refuse them, leave them out, or
        keep them where our reader alone finds them. Only Poisson events and noise can be kept; currents, pulses, sines,
        given spikes and given waveforms are refused then too.
    run : xarray.DataTree, optional
        A run of the model, from `open_run`; its spikes are written too. One with stimuli or a ``drive_seed`` is of the
        workflow that has them.
    overwrite : bool
        Whether a folder that stands there may be replaced: one that holds nothing but a circuit written by this
        function, whose files are as they were written. Their digests, in ``written.json``, tell: spikes that a
        simulator put there are something else, as is a file to which something was added, such as positions of nodes.

    Raises
    ------
    ExchangeError
        With everything that SONATA cannot express, or if the folder holds anything else; nothing is written then.
    SpecError, ConnectomeError
        If the model cannot be built.
    """
    h5py = optional("h5py")
    folder = user_path(folder)
    check_free(folder, overwrite=overwrite, folder=True)
    if drives not in ("refuse", "drop", "keep"):
        raise failure("drives", f'expected "refuse", "drop" or "keep", found {drives!r}')
    workflow = as_workflow(model)
    if run is not None:
        check_run(run, workflow, *drawn_with(workflow, dt, seed))
    circuit = draw_circuit(workflow, dt=dt, seed=seed, drives=drives != "drop")
    problems = [Problem(name, "expected fixed weights, found plasticity; take it out") for name in circuit.plastic]
    if drives == "refuse":
        problems += drive_problems(circuit, 'write drives="drop" or drives="keep" (--drives drop, --drives keep)')
    problems += signal_problems(circuit, 'leave it out with drives="drop" (--drives drop)')
    problems += _different_receptors(circuit)
    problems += _names_of_nothing(circuit)
    problems += dict.fromkeys(chain.from_iterable(map(misread_parameters, circuit.populations)))
    if problems:
        raise ExchangeError(problem.within("SONATA cannot express") for problem in problems)
    cells = [to_cells(population, circuit.dt) for population in circuit.populations]
    nodes = _node_populations(circuit, cells)
    with written_whole(folder, overwrite=overwrite, folder=True) as part:
        _write_nodes(h5py, part, circuit, nodes, cells)
        pairs = _write_edges(h5py, part, circuit, nodes)
        if run is not None:
            write_spikes(h5py, part / "spikes.h5", run, {name: circuit.numbers(own) for name, own in nodes.items()})
        config = _config(circuit, list(nodes), pairs)
        (part / "circuit_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        simulation = {
            "manifest": {"$BASE_DIR": "."},
            "network": "$BASE_DIR/circuit_config.json",
            "run": {"dt": circuit.dt, "tstop": 1000.0},
            **({"target_simulator": "NEST"} if all(c.template == NEST for c in cells) else {}),
        }
        (part / "simulation_config.json").write_text(json.dumps(simulation, indent=2), encoding="utf-8")


def _node_populations(circuit: Circuit, cells: list[Cells]) -> dict[str, list[int]]:
    """Return the node populations, and by number those of ours that each holds.

    A population of a region is one, at however many nodes of the connectome the region stands: there are few of them,
    and few pairs. Where a stimulus brings a receptor to some of the nodes alone, these are one of their own, since all
    nodes of a population have the same parameters.
    """
    own: dict[tuple[object, ...], list[int]] = {}
    for i, (population, cell) in enumerate(zip(circuit.populations, cells, strict=True)):
        key = (population.region, population.name, cell.template, *cell.dynamics, None, *cell.beside)
        own.setdefault(key, []).append(i)
    alone = len({population.region for population in circuit.populations}) == 1
    firsts = [replace(circuit.populations[i[0]], label=circuit.populations[i[0]].region) for i in own.values()]
    return dict(zip(population_names(firsts, alone=alone), own.values(), strict=True))


def _create(h5py: Any, path: Path) -> Any:
    file = h5py.File(path, "w")
    file.attrs["magic"] = np.uint32(_MAGIC)
    file.attrs["version"] = np.array(_VERSION, np.uint32)
    return file


def _write_nodes(h5py: Any, folder: Path, circuit: Circuit, nodes: dict[str, list[int]], cells: list[Cells]) -> None:
    rows: list[Sequence[object]] = []
    (folder / "components").mkdir()
    with _create(h5py, folder / "nodes.h5") as file:
        for name, own in nodes.items():
            sizes = [circuit.populations[i].size for i in own]
            every = np.arange(sum(sizes), dtype=np.uint64)
            group = file.create_group(f"nodes/{name}")
            group["node_type_id"] = np.repeat(np.array(own, np.int64) + _FIRST_TYPE, sizes)
            group["node_id"] = every
            group["node_group_id"] = np.zeros(len(every), np.uint32)
            group["node_group_index"] = every
            attributes = group.create_group("0")
            dynamics = attributes.create_group("dynamics_params")
            shared = {}
            for parameter in cells[own[0]].dynamics:
                values = np.concatenate([cells[i].dynamics[parameter] for i in own])
                if (values == values[0]).all():
                    shared[parameter] = float(values[0])
                else:
                    dynamics[parameter] = values
            for parameter in cells[own[0]].beside:
                attributes[parameter] = np.concatenate([cells[i].beside[parameter] for i in own])
            (folder / "components" / f"{name}.json").write_text(json.dumps(shared, indent=2), encoding="utf-8")
            for i in own:
                p = circuit.populations[i]
                labels = (p.label, p.region, p.name, p.transmitter, ",".join(p.receptors) or NULL)
                rows.append((_FIRST_TYPE + i, "point_neuron", cells[i].template, f"{name}.json", *labels))
    _write_table(folder / "node_types.csv", NODE_COLUMNS, rows)


def _write_edges(h5py: Any, folder: Path, circuit: Circuit, nodes: dict[str, list[int]]) -> list[str]:
    """Write the edges; return the names of their populations."""
    types: dict[tuple[str, str], int] = {}
    pairs: dict[tuple[str, str], list[CircuitProjection]] = {}
    place: dict[int, tuple[str, int]] = {}
    for name, own in nodes.items():
        starts = np.cumsum([0, *(circuit.populations[i].size for i in own)])
        place |= {i: (name, int(start)) for i, start in zip(own, starts, strict=False)}
    for projection in circuit.projections:
        types.setdefault((projection.receptor, projection.origin), _FIRST_TYPE + len(types))
        pairs.setdefault((place[projection.source][0], place[projection.target][0]), []).append(projection)
    names: list[str] = []
    for source, target in pairs:
        names.append(unused_name(f"{source}__to__{target}", names))
    with _create(h5py, folder / "edges.h5") as file:
        edges = file.create_group("edges")
        for name, pair, parts in zip(names, pairs, pairs.values(), strict=True):
            group = edges.create_group(name)
            n = sum(len(part.weight) for part in parts)
            ends = {
                "source": [part.source_index + place[part.source][1] for part in parts],
                "target": [part.target_index + place[part.target][1] for part in parts],
            }
            for (end, ids), population in zip(ends.items(), pair, strict=True):
                group[f"{end}_node_id"] = np.concatenate(ids).astype(np.uint64)
                group[f"{end}_node_id"].attrs["node_population"] = population
            group["edge_type_id"] = np.concatenate(
                [np.full(len(part.weight), types[part.receptor, part.origin], np.int64) for part in parts]
            )
            group["edge_group_id"] = np.zeros(n, np.uint32)
            group["edge_group_index"] = np.arange(n, dtype=np.uint64)
            attributes = group.create_group("0")
            attributes["syn_weight"] = np.concatenate([part.weight for part in parts])
            attributes["delay"] = np.concatenate([part.delay for part in parts]) * circuit.dt
            attributes["delay"].attrs["units"] = "ms"
    rows = [(number, "static_synapse", receptor, origin) for (receptor, origin), number in types.items()]
    _write_table(folder / "edge_types.csv", _EDGE_COLUMNS, rows)
    return names


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=" ", lineterminator="\n").writerows([columns, *rows])


def _different_receptors(circuit: Circuit) -> list[Problem]:
    """Return a problem for each receptor that populations define differently: the file has one definition of a name."""
    found: dict[str, ReceptorModel] = {}
    different = {n for p in circuit.populations for n, own in p.receptors.items() if found.setdefault(n, own) != own}
    return [Problem(f"receptor {n}", "expected one definition, found two; rename one") for n in sorted(different)]


def _names_of_nothing(circuit: Circuit) -> list[Problem]:
    """Return a problem for each name that a table of types would take as no value."""
    names = [
        (f"{place_of(p)}: {what}", name)
        for p in circuit.populations
        for what, names in (("label", [p.label]), ("name", [p.name, p.region]), ("receptor", p.receptors))
        for name in names
    ]
    return [Problem(place, _NO_NAME) for place, name in dict.fromkeys(names) if name == NULL]


def _config(circuit: Circuit, names: list[str], pairs: list[str]) -> dict[str, Any]:
    """Return what ``circuit_config.json`` holds; under ``twinbrain``, what our reader needs besides."""
    models = {p.model_name: p.model for p in circuit.populations if NEURON_MODELS.get(p.model_name) != p.model}
    receptors = {
        name: receptor
        for p in circuit.populations
        for name, receptor in p.receptors.items()
        if RECEPTOR_MODELS.get(name) != receptor
    }
    drives = [
        asdict(drive) | {"population": _FIRST_TYPE + drive.population, "key": list(drive.key)}
        for drive in circuit.drives
    ]
    nodes = {
        "nodes_file": "$BASE_DIR/nodes.h5",
        "node_types_file": "$BASE_DIR/node_types.csv",
        "populations": {name: {"type": "point_neuron"} for name in names},
    }
    edges = {
        "edges_file": "$BASE_DIR/edges.h5",
        "edge_types_file": "$BASE_DIR/edge_types.csv",
        "populations": {name: {"type": "chemical"} for name in pairs},
    }
    return {
        "manifest": {"$BASE_DIR": "."},
        "components": {"point_neuron_models_dir": "$BASE_DIR/components"},
        "networks": {"nodes": [nodes], "edges": [edges] if circuit.projections else []},
        "twinbrain": {
            "dt": circuit.dt,
            "units": UNITS,
            "seed": circuit.seed,
            "ordered": True,
            "models": {name: model.to_dict() for name, model in models.items()},
            "receptors": {name: receptor.to_dict() for name, receptor in receptors.items()},
            "drives": drives,
        },
    }
