"""Write a model in the Neuromorphic Intermediate Representation.

References
----------
Pedersen et al. (2024), doi 10.1038/s41467-024-52259-9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from twinbrain.errors import ExchangeError, Problem
from twinbrain.exchange.circuit import (
    Circuit,
    CircuitPopulation,
    CircuitProjection,
    drive_problems,
    place_of,
    population_names,
    signal_problems,
)
from twinbrain.exchange.draw import Model, draw_circuit
from twinbrain.exchange.files import check_free, failure, optional, written_whole
from twinbrain.exchange.nir_neurons import FURTHER_STEPS, KEPT, RECEPTORS_KEPT, SPIKES, Spikes, is_lif_current, to_nir
from twinbrain.models.at_rest import acts_at_rest
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.paths import user_path

# NIR's weights are dense: this many take 200 MB.
_MOST_WEIGHTS = 25_000_000
_KIND_OF = {"delta": "LIF", "exponential_current": "CubaLIF"}


def write_nir(
    model: Model,
    path: str | Path,
    *,
    dt: str | None = None,
    seed: int | None = None,
    drives: Literal["refuse", "drop"] = "refuse",
    spikes: Spikes = "impulse",
    refractory: Literal["refuse", "drop"] = "refuse",
    overwrite: bool = False,
) -> None:
    """Write a model as a NIR file, with everything drawn.

    What NIR cannot express is refused, all of it at once; nothing is written then.

    Parameters
    ----------
    model : Workflow, Brain, Region, str or Path
        What to write; a text is the name or the path of a workflow.
    path : str or Path
        The file, such as ``"network.nir"``.
    dt : str (ms), optional
        Time step, of which delays are multiples; else the workflow's.
    seed : int, optional
        Keys every draw; else the workflow's.
    drives : {"refuse", "drop"}
        What to do with drives and stimuli, of whatever kind: NIR knows none.
    spikes : {"impulse", "step"}
        What a spike is to the reader: a Dirac impulse, as NIR defines it, or the value 1 for one step of ``dt``, as
        many programs count.
    refractory : {"refuse", "drop"}
        What to do with refractory periods, which NIR does not know either; without them neurons fire more.
    overwrite : bool
        Whether a file that stands there may be replaced.

    Raises
    ------
    ExchangeError
        With everything that NIR cannot express.
    SpecError, ConnectomeError
        If the model cannot be built.
    """
    nir = optional("nir")
    path = user_path(path)
    check_free(path, overwrite=overwrite)
    if drives not in ("refuse", "drop"):
        raise failure("drives", f'expected "refuse" or "drop", found {drives!r}')
    if spikes not in SPIKES:
        raise failure("spikes", f"expected one of {', '.join(SPIKES)}, found {spikes!r}")
    if refractory not in ("refuse", "drop"):
        raise failure("refractory", f'expected "refuse" or "drop", found {refractory!r}')
    circuit = draw_circuit(model, dt=dt, seed=seed, drives=drives != "drop")
    if refractory == "drop":
        circuit = replace(circuit, populations=tuple(map(_without_refractory_period, circuit.populations)))
    problems = list(dict.fromkeys(_problems(circuit)))
    for found in (drive_problems, signal_problems):
        problems += found(circuit, 'leave it out with drives="drop" (--drives drop)')
    if problems:
        raise ExchangeError(problem.within("NIR cannot express") for problem in problems)
    graph = _graph(nir, circuit, spikes)
    with written_whole(path, overwrite=overwrite) as part:
        nir.write(part, graph)


def _without_refractory_period(population: CircuitPopulation) -> CircuitPopulation:
    if "t_ref" not in population.parameters:
        return population
    none = np.zeros_like(population.parameters["t_ref"])
    return replace(population, parameters={**population.parameters, "t_ref": none})


def _problems(circuit: Circuit) -> Iterator[Problem]:
    for name in circuit.plastic:
        yield Problem(name, "expected fixed weights, found plasticity; take it out")
    for i, population in enumerate(circuit.populations):
        yield from _population_problems(place_of(population), circuit, i, population)
    for projection in circuit.projections:
        if _delays_differ(projection):
            source, target = (place_of(circuit.populations[i]) for i in (projection.source, projection.target))
            yield Problem(
                f"{source} -> {target.removeprefix(source.partition(':')[0] + ': ')}",
                "expected one delay for all synapses of a source neuron, found several; give them one",
            )
    n_weights = sum(
        circuit.populations[p.source].size * circuit.populations[p.target].size for p in circuit.projections
    )
    if n_weights > _MOST_WEIGHTS:
        yield Problem(
            "projections",
            f"expected at most {_MOST_WEIGHTS:,} entries of dense weights, found {n_weights:,}; make the populations "
            "smaller, or write SONATA, whose weights are sparse",
        )


def _population_problems(where: str, circuit: Circuit, i: int, population: CircuitPopulation) -> Iterator[Problem]:
    if not is_lif_current(population.model):
        yield Problem(
            f"{where}.model", f"expected lif_current, found {population.model_name}; NIR knows leaky neurons alone"
        )
    elif (steps := np.floor(population.parameters["t_ref"] / circuit.dt + 0.5)).any():
        yield Problem(
            f"{where}.t_ref",
            f"expected no refractory period, found up to {steps.max() * circuit.dt:g} ms; set t_ref to 0 ms, or leave "
            'it out with refractory="drop" (--refractory drop): neurons then fire more',
        )
    used = _used_receptors(circuit, i)
    if foreign_receptors := [r for r in used if r not in _KIND_OF or not _is_library_receptor(r, population)]:
        yield Problem(f"{where}.receptors", f"expected {' or '.join(_KIND_OF)}, found {', '.join(foreign_receptors)}")
    elif len(used) > 1:
        yield Problem(f"{where}.receptors", f"expected one receptor with synapses, found {', '.join(used)}")
    for name in _standing(population, used) if is_lif_current(population.model) else ():
        yield Problem(
            f"{where}.receptors",
            f"expected no current but I_e, found one that {name} gives though nothing arrives there; add it to I_e if "
            "it is constant, or take the receptor out",
        )
    foreign = {name for name, values in population.initial.items() if values.any()} - {
        "v",
        *(["I_exponential_current"] if _kind(circuit, i) == "CubaLIF" else []),
    }
    for variable in sorted(foreign):
        yield Problem(f"{where}.initial", f"expected initial values of what NIR has, found {variable}; leave it out")


def _is_library_receptor(name: str, population: CircuitPopulation) -> bool:
    found, known = population.receptors[name], RECEPTOR_MODELS[name]
    return (found.equations, found.jump, found.current) == (known.equations, known.jump, known.current)


def _standing(population: CircuitPopulation, used: list[str]) -> list[str]:
    """Return the receptors without synapses that give a current all the same, with variables that begin at 0."""
    nonzero = [name for name, values in population.parameters.items() if values.any()]
    return [
        name
        for name, receptor in population.receptors.items()
        if name not in used and acts_at_rest(population.model, receptor, nonzero)
    ]


def _used_receptors(circuit: Circuit, i: int) -> list[str]:
    return sorted({p.receptor for p in circuit.projections if p.target == i})


def _kind(circuit: Circuit, i: int) -> str:
    """Return the node that a population is: by the receptor in use, else by the one it has."""
    receptors = _used_receptors(circuit, i) or circuit.populations[i].receptors
    return "CubaLIF" if "exponential_current" in receptors else "LIF"


def _delays_differ(projection: CircuitProjection) -> bool:
    """Return whether some source neuron has synapses of different delays."""
    distinct = np.unique(np.stack([projection.source_index.astype(np.int64), projection.delay]), axis=1)
    return len(np.unique(distinct[0])) < distinct.shape[1]


def _graph(nir: Any, circuit: Circuit, spikes: Spikes) -> Any:
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []

    def add(name: str, node: Any) -> str:
        free = name
        while free in nodes:
            free += "_"
        nodes[free] = node
        return free

    names = population_names(circuit.populations)
    kinds = [_kind(circuit, i) for i in range(len(circuit.populations))]
    for i, population in enumerate(circuit.populations):
        add(names[i], _neurons(nir, kinds[i], i, population, spikes, circuit.dt))
    for i, population in enumerate(circuit.populations):
        prefix = f"{names[i]}_" if len(names) > 1 else ""
        shape = np.array([population.size])
        edges.append((add(f"{prefix}input", nir.Input(input_type={"input": shape})), names[i]))
        edges.append((names[i], add(f"{prefix}output", nir.Output(output_type={"output": shape}))))
    for projection in circuit.projections:
        source, target = circuit.populations[projection.source].size, circuit.populations[projection.target].size
        delay, weight = np.ones(source), np.zeros((target, source))
        delay[projection.source_index] = projection.delay
        np.add.at(weight, (projection.target_index, projection.source_index), projection.weight)
        seconds = (delay + FURTHER_STEPS[kinds[projection.target]]) * circuit.dt * 1e-3
        name = f"{names[projection.source]}_to_{names[projection.target]}"
        delays = add(f"{name}_delay", nir.Delay(delay=seconds))
        weights = add(f"{name}_weight", nir.Linear(weight=weight, metadata={"origin": projection.origin}))
        edges += [(names[projection.source], delays), (delays, weights), (weights, names[projection.target])]
    return nir.NIRGraph(nodes=nodes, edges=edges, metadata=_metadata(circuit, spikes))


def _neurons(nir: Any, kind: str, number: int, population: CircuitPopulation, spikes: Spikes, dt: float) -> Any:
    parameters = {name: np.ascontiguousarray(population.parameters[name]) for name in KEPT[kind]}
    receptors = [
        name for name in population.receptors if name in RECEPTORS_KEPT and _is_library_receptor(name, population)
    ]
    metadata = {
        "number": number,
        "label": population.label,
        "region": population.region,
        "population": population.name,
        "transmitter": population.transmitter,
        "receptors": " ".join(receptors),
        "parameters": parameters,
        "initial": {name: np.ascontiguousarray(values) for name, values in population.initial.items()},
    }
    return getattr(nir, kind)(**to_nir(kind, parameters, spikes, dt), metadata=metadata)


def _metadata(circuit: Circuit, spikes: Spikes) -> dict[str, Any]:
    """Return what a reader should know. NIR leaves it open, so that it is a hint to others, and kept for our reader."""
    height, unit = ("a Dirac impulse", "mV/s") if spikes == "impulse" else ("the value 1 for one step of dt", "mV/dt")
    return {
        "program": f"twinbrain {version('twinbrain')}",
        "dt": circuit.dt * 1e-3,
        "seed": circuit.seed,
        "spikes": spikes,
        "units": f"s, mV, pA, Gohm; the input of a LIF is in {unit}",
        "weights": f"A spike is {height}. One of weight w raises v of a LIF by w mV, the current of a CubaLIF by w pA.",
        "integration": "exact over a time step, from input at its beginning (CubaLIF) or its end (LIF)",
        "spike_order": "integrate, add the input of a LIF, threshold (v > v_threshold), reset, deliver",
        "delays": "from the end of the step in which the threshold is crossed to the input's effect",
        "inputs": "An Input node is current from outside; there was none.",
        "initial": "metadata.initial of a node: state at time zero, where it is not 0",
    }
