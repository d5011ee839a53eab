"""Write a model as a SONATA circuit.

References
----------
Dai et al. (2020), doi 10.1371/journal.pcbi.1007696.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twinbrain.errors import ExchangeError, Problem
from twinbrain.exchange.circuit import Circuit, CircuitProjection, drive_problems, population_names
from twinbrain.exchange.draw import Model, draw_circuit
from twinbrain.exchange.files import failure, optional, written_whole
from twinbrain.exchange.sonata_cells import NEST, Cells, to_cells
from twinbrain.exchange.sonata_spikes import check_run, write_spikes
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS

if TYPE_CHECKING:
    import xarray as xr

_MAGIC, _VERSION = 0x0A7A, (0, 1)
_FIRST_TYPE = 100


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

    Every population is a node population, every connected pair of them an edge population. A parameter that all
    neurons share stands in ``components/<population>.json``, one that differs in ``dynamics_params`` of the node file.

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
        What to do with Poisson drives and stimuli, which SONATA does not know: refuse them, leave them out, or keep
        them where our reader alone finds them.
    run : xarray.DataTree, optional
        A run of the model, from `open_run`; its spikes are written too.
    overwrite : bool
        Whether a folder that stands there may be replaced.

    Raises
    ------
    ExchangeError
        With everything that SONATA cannot express; nothing is written then.
    SpecError, ConnectomeError
        If the model cannot be built.
    """
    h5py = optional("h5py")
    if drives not in ("refuse", "drop", "keep"):
        raise failure("drives", f'expected "refuse", "drop" or "keep", found {drives!r}')
    circuit = draw_circuit(model, dt=dt, seed=seed)
    problems = [Problem(name, "expected fixed weights, found plasticity; take it out") for name in circuit.plastic]
    if drives == "refuse":
        problems += drive_problems(circuit, 'write drives="drop" or drives="keep"')
    if problems:
        raise ExchangeError(problem.within("SONATA cannot express") for problem in problems)
    if run is not None:
        check_run(run, circuit)
    names = population_names(circuit.populations)
    cells = [to_cells(population, circuit.dt) for population in circuit.populations]
    with written_whole(Path(folder), overwrite=overwrite, folder=True) as part:
        _write_nodes(h5py, part, circuit, names, cells)
        _write_edges(h5py, part, circuit, names)
        if run is not None:
            write_spikes(h5py, part / "spikes.h5", run, names, [p.size for p in circuit.populations])
        config = _config(circuit, names, cells, kept=drives == "keep")
        (part / "circuit_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        simulation = {
            "manifest": {"$BASE_DIR": "."},
            "network": "$BASE_DIR/circuit_config.json",
            "run": {"dt": circuit.dt, "tstop": 1000.0},
            **({"target_simulator": "NEST"} if all(c.template == NEST for c in cells) else {}),
        }
        (part / "simulation_config.json").write_text(json.dumps(simulation, indent=2), encoding="utf-8")


def _pair_name(names: list[str], projection: CircuitProjection) -> str:
    # Two underscores, so that no two pairs of names read alike.
    return f"{names[projection.source]}__to__{names[projection.target]}"


def _create(h5py: Any, path: Path) -> Any:
    file = h5py.File(path, "w")
    file.attrs["magic"] = np.uint32(_MAGIC)
    file.attrs["version"] = np.array(_VERSION, np.uint32)
    return file


def _write_nodes(h5py: Any, folder: Path, circuit: Circuit, names: list[str], cells: list[Cells]) -> None:
    rows: list[Sequence[object]] = []
    (folder / "components").mkdir()
    with _create(h5py, folder / "nodes.h5") as file:
        for i, population in enumerate(circuit.populations):
            every = np.arange(population.size, dtype=np.uint64)
            group = file.create_group(f"nodes/{names[i]}")
            group["node_type_id"] = np.full(population.size, _FIRST_TYPE + i, np.int64)
            group["node_id"] = every
            group["node_group_id"] = np.zeros(population.size, np.uint32)
            group["node_group_index"] = every
            own = group.create_group("0")
            dynamics = own.create_group("dynamics_params")
            shared = {}
            for name, values in cells[i].dynamics.items():
                if (values == values[0]).all():
                    shared[name] = float(values[0])
                else:
                    dynamics[name] = values
            for name, values in cells[i].beside.items():
                own[name] = values
            parameters = f"{names[i]}.json"
            (folder / "components" / parameters).write_text(json.dumps(shared, indent=2), encoding="utf-8")
            receptors = ",".join(population.receptors) or "NULL"
            labels = (population.label, population.region, population.name, population.transmitter)
            rows.append((_FIRST_TYPE + i, "point_neuron", cells[i].template, parameters, *labels, receptors))
    columns = ("node_type_id", "model_type", "model_template", "dynamics_params")
    _write_table(
        folder / "node_types.csv", (*columns, "label", "region", "population", "transmitter", "receptors"), rows
    )


def _write_edges(h5py: Any, folder: Path, circuit: Circuit, names: list[str]) -> None:
    types: dict[tuple[str, str], int] = {}
    pairs: dict[tuple[int, int], list[CircuitProjection]] = {}
    for projection in circuit.projections:
        types.setdefault((projection.receptor, projection.origin), _FIRST_TYPE + len(types))
        pairs.setdefault((projection.source, projection.target), []).append(projection)
    with _create(h5py, folder / "edges.h5") as file:
        edges = file.create_group("edges")
        for (source, target), parts in pairs.items():
            group = edges.create_group(_pair_name(names, parts[0]))
            n = sum(len(part.weight) for part in parts)
            for end, number in (("source", source), ("target", target)):
                ids = np.concatenate([getattr(part, f"{end}_index") for part in parts]).astype(np.uint64)
                group[f"{end}_node_id"] = ids
                group[f"{end}_node_id"].attrs["node_population"] = names[number]
            group["edge_type_id"] = np.concatenate(
                [np.full(len(part.weight), types[part.receptor, part.origin], np.int64) for part in parts]
            )
            group["edge_group_id"] = np.zeros(n, np.uint32)
            group["edge_group_index"] = np.arange(n, dtype=np.uint64)
            own = group.create_group("0")
            own["syn_weight"] = np.concatenate([part.weight for part in parts])
            own["delay"] = np.concatenate([part.delay for part in parts]) * circuit.dt
            own["delay"].attrs["units"] = "ms"
    rows = [(number, "static_synapse", receptor, origin) for (receptor, origin), number in types.items()]
    _write_table(folder / "edge_types.csv", ("edge_type_id", "model_template", "receptor", "origin"), rows)


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=" ", lineterminator="\n").writerows([columns, *rows])


def _config(circuit: Circuit, names: list[str], cells: list[Cells], *, kept: bool) -> dict[str, Any]:
    """Return what ``circuit_config.json`` holds; under ``twinbrain``, what our reader needs besides."""
    models = {p.model_name: p.model for p in circuit.populations if NEURON_MODELS.get(p.model_name) != p.model}
    receptors = {
        name: receptor
        for p in circuit.populations
        for name, receptor in p.receptors.items()
        if RECEPTOR_MODELS.get(name) != receptor
    }
    drives = [
        {
            "population": names[drive.population],
            "receptor": drive.receptor,
            "name": drive.name,
            "key": list(drive.key),
            "mean": drive.mean,
            "weight": drive.weight,
            "first_step": drive.first_step,
            "last_step": drive.last_step,
        }
        for drive in circuit.drives
    ]
    pairs = dict.fromkeys(_pair_name(names, p) for p in circuit.projections)
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
            "units": "ms, mV, pA, nS, pF; syn_weight in the unit of the receptor",
            "seed": circuit.seed,
            "populations": names,
            "models": {name: model.to_dict() for name, model in models.items()},
            "receptors": {name: receptor.to_dict() for name, receptor in receptors.items()},
            "drives": drives if kept else [],
        },
    }
