"""From a declaration to a built network, with all that learning has to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twinbrain.connectome.load import load_connectome
from twinbrain.connectome.normalise import normalise
from twinbrain.errors import LearnError
from twinbrain.models.step import StepProgram
from twinbrain.network.build import block_programs, build_skeleton, check_references, complete
from twinbrain.network.grouping import defined_names
from twinbrain.network.layout import Layout, lay_out
from twinbrain.network.network import Network, PopulationSlice
from twinbrain.network.parameters import population_parameters
from twinbrain.network.plan import check_memory, plan
from twinbrain.network.quanta import receptor_quanta, weight_units
from twinbrain.network.random import Floats
from twinbrain.spec.brain import Brain, single_region_brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.record import Record
from twinbrain.spec.region import Region


@dataclass(frozen=True, eq=False)
class Lowered:
    """A brain and the network that it is.

    Parameters
    ----------
    brain : Brain
        Its connectome is the connectome itself, not a name.
    layout : Layout
        Which neuron is where.
    network : Network
        Built.
    units : dict of str to str
        Unit of each receptor's weights.
    """

    brain: Brain
    layout: Layout
    network: Network
    units: dict[str, str]

    @property
    def programs(self) -> tuple[StepProgram, ...]:
        """The step program of each block."""
        return tuple(block.program for block in self.network.blocks)

    @cached_property
    def parameters(self) -> tuple[dict[str, Floats], ...]:
        """The parameters of each block's neurons, in coherent units; each of shape (size,)."""
        network = self.network
        found = [{name: np.empty(block.size) for name in block.program.parameters} for block in network.blocks]
        for population in network.populations:
            program = network.blocks[population.block].program
            own = population_parameters(self.layout, population, program, network.dt, network.seed)
            for name, values in own.items():
                found[population.block][name][population.offset : population.offset + population.size] = values
        return tuple(found)

    def parameters_of(self, population: PopulationSlice) -> dict[str, str]:
        """Return the parameters that act on a population's neurons, and their units.

        Those of a receptor that only other cells of the block have are not among them.
        """
        region = self._regions[population.label]
        own = {*region.cell_of(population.population).receptors}
        own |= {drive.receptor for drive in region.drives if drive.population == population.population}
        receptor_of = self._receptor_of[population.block]
        parameters = self.network.blocks[population.block].program.parameters
        return {name: unit for name, unit in parameters.items() if receptor_of.get(name) in {None, *own}}

    @cached_property
    def _regions(self) -> dict[str, Region]:
        return dict(zip(self.layout.connectome.labels, self.layout.regions, strict=True))

    @cached_property
    def _receptor_of(self) -> tuple[dict[str, str], ...]:
        """For each block, the receptor that defines a name."""
        return tuple(
            {name: receptor for receptor, model in block.receptors.items() for name in defined_names(model)}
            for block in self.layout.blocks
        )

    def population(self, name: str) -> PopulationSlice:
        """Return the one population of that name.

        Raises
        ------
        LearnError
            If there is none, or there are several.
        """
        found = [p for p in self.network.populations if p.population == name]
        if len(found) != 1:
            raise LearnError(f"expected one population {name!r} in the brain, found {len(found)}; attach a task first")
        return found[0]


def lower(
    model: Brain | Region, *, dt: float, seed: int, drive_seed: int | None = None, memory_limit: str | None = None
) -> Lowered:
    """Build the network of a model.

    Parameters
    ----------
    model : Brain or Region
        What to build.
    dt : float (ms)
        Time step.
    seed : int
        Keys every draw.
    drive_seed : int, optional
        Keys the draws of drives instead.
    memory_limit : str, optional
        What it may take, as for a run.

    Raises
    ------
    SpecError, ConnectomeError
        If it cannot be built.
    PlanError
        If it would not fit into memory.
    LearnError
        If it has plastic synapses, which change by themselves.
    """
    brain = single_region_brain(model) if isinstance(model, Region) else model
    connectome = brain.connectome
    if not isinstance(connectome, Connectome):
        connectome = load_connectome(connectome)
        brain = brain.model_copy(update={"connectome": connectome})
    layout = lay_out(brain, normalise(connectome, brain.normalisation))
    check_references(layout, (), Record(), dt=dt)
    programs = block_programs(layout)
    check_memory(plan(brain, layout, programs, dt=dt, duration=dt), memory_limit)
    units = weight_units(programs)
    quanta = receptor_quanta(brain, layout, (), units)
    skeleton = build_skeleton(brain, layout, quanta, dt=dt, seed=seed, record=Record())
    if skeleton.plastic:
        raise LearnError(
            f"expected static synapses in a network that is trained, found {len(skeleton.plastic)} projections with a "
            "plasticity rule; drop 'plasticity' from them"
        )
    network = complete(skeleton, brain, layout, (), seed if drive_seed is None else drive_seed)
    return Lowered(brain, layout, network, units)
