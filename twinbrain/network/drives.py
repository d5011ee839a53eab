"""Lower drives and stimuli to what comes into the flat inbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import Problem, SpecError
from twinbrain.network.inflow import given_way, inflows
from twinbrain.network.inputs import Input, RandomDrive, Waveform
from twinbrain.network.layout import Layout
from twinbrain.network.network import PopulationSlice
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import stream_key
from twinbrain.network.signals import lower_spikes, lower_waveform, signal_problems, whole_steps
from twinbrain.network.synapses import InletOf
from twinbrain.network.thresholds import normal_thresholds, poisson_thresholds
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import INJECTED, Drive, Stimulus
from twinbrain.spec.labels import matching
from twinbrain.spec.suggest import suggestion

ALWAYS = 2**62
# Beyond this mean count a step, drawing counts by comparison stops being sensible.
_LARGEST_MEAN = 200.0


@dataclass
class Lowering:
    """What lowering an input needs besides its declaration.

    Parameters
    ----------
    inlet_of : callable
        Returns the inlet of a population and receptor.
    units : dict of str to str
        Unit of each receptor's weights.
    dt : float (ms)
        Time step.
    seed : int
        Keys every draw.
    """

    inlet_of: InletOf
    units: dict[str, str]
    dt: float
    seed: int
    # A waveform is the same in all regions that it reaches; its values are held once.
    _waveforms: dict[tuple[int, int], Waveform] = field(default_factory=dict)

    def lower(
        self, drive: Drive, name: str, population: PopulationSlice, steps: tuple[int, int], times: float = 1.0
    ) -> Input:
        """Return the input of one population; the rate of Poisson events is multiplied by ``times``."""
        inlet, unit = self.inlet_of(population, drive.receptor), self.units[drive.receptor]
        start = inlet.start + population.offset
        stop = start + population.size
        if drive.kind == "spikes":
            return lower_spikes(drive, start, population.size, steps[0], unit, inlet.quantum, self.dt)
        if drive.kind in ("rate", "noise"):
            mean, thresholds, offset, weight = self._draws(drive, unit, times)
            return RandomDrive(
                name=f"{name} of {population.label}",
                start=start,
                stop=stop,
                key=stream_key(self.seed, name, population.label),
                mean=mean,
                thresholds=thresholds,
                weight=int(in_quanta(np.array([weight]), inlet.quantum, "weight" if drive.weight else "noise")[0]),
                first_step=steps[0],
                last_step=steps[1],
                offset=offset,
            )
        key = (id(drive), steps[0])
        if key not in self._waveforms:
            self._waveforms[key] = lower_waveform(drive, steps, unit, inlet.quantum, self.dt)
        return replace(self._waveforms[key], name=f"{name} of {population.label}", start=start, stop=stop)

    def _draws(self, drive: Drive, unit: str, times: float) -> tuple[float, NDArray[np.uint32], int, float]:
        """Return mean count, thresholds, offset, and weight in the coherent unit."""
        if drive.noise is not None:
            normal = normal_thresholds()
            weight = units.coherent(drive.noise, unit) * normal.unit
            return float(normal.offset), normal.thresholds, normal.offset, weight
        assert drive.rate is not None
        assert drive.weight is not None
        mean = drive.rate * times * 1e-3 * self.dt
        if mean > _LARGEST_MEAN:
            message = f"expected at most {_LARGEST_MEAN:g} events a step, found {mean:g}; split the drive or use I_e"
            raise SpecError([Problem("rate", message)])
        return mean, poisson_thresholds(mean), 0, units.coherent(drive.weight, unit)


def region_inputs(brain: Brain, layout: Layout, lowering: Lowering) -> Iterator[Input]:
    """Lower the drives of every region, less what the connectome brings in their place."""
    inflow = inflows(brain, layout, lowering.units)
    for node in layout.nodes:
        label, region = layout.connectome.labels[node], layout.regions[node]
        kept = 1.0 - given_way(region, inflow[node], lowering.units) if inflow else np.ones(len(region.drives))
        for i, drive in enumerate(region.drives):
            try:
                yield lowering.lower(
                    drive, drive.key(i), layout.find(label, drive.population), (0, ALWAYS), float(kept[i])
                )
            except SpecError as error:
                raise error.within(f"region {region.name}: drives[{i}]") from None


def stimulus_inputs(stimuli: tuple[Stimulus, ...], layout: Layout, lowering: Lowering) -> Iterator[Input]:
    """Lower stimuli on the populations that they reach; `check_stimuli` has passed."""
    for stimulus in stimuli:
        first = whole_steps(stimulus.start, lowering.dt)
        steps = (first, first + whole_steps(stimulus.duration, lowering.dt))
        name = f"stimulus {stimulus.name} {stimulus.population}:{stimulus.receptor}"
        for population in filter(layout.is_built, layout.reached(stimulus)):
            try:
                yield lowering.lower(stimulus, name, population, steps)
            except SpecError as error:
                raise error.within(f"stimuli.{stimulus.name}") from None


def check_signals(stimuli: tuple[Stimulus, ...], layout: Layout, dt: float, duration: float) -> None:
    """Check that what is given as a function of time fits its populations, the time step and the run.

    Raises
    ------
    SpecError
        With everything that does not.
    """
    problems: list[Problem] = []
    for region in {region.name: region for region in layout.regions}.values():
        for i, drive in enumerate(region.drives):
            sizes = {region.populations[drive.population].size}
            where = f"region {region.name}: drives[{i}]"
            problems += [problem.within(where) for problem in signal_problems(drive, sizes, dt, duration)]
    for stimulus in stimuli:
        sizes = {population.size for population in layout.reached(stimulus)}
        where = f"stimuli.{stimulus.name}"
        problems += [problem.within(where) for problem in signal_problems(stimulus, sizes, dt, duration)]
    if problems:
        raise SpecError(problems)


def check_stimuli(stimuli: tuple[Stimulus, ...], layout: Layout) -> None:
    """Check that every stimulus reaches a population that has its receptor.

    Raises
    ------
    SpecError
        With every stimulus that does not.
    """
    problems = []
    regions = dict(zip(layout.connectome.labels, layout.regions, strict=True))
    for stimulus in stimuli:
        labels = matching(stimulus.regions, layout.connectome.labels)
        where = f"stimuli.{stimulus.name}"
        if not labels:
            hint = suggestion(stimulus.regions, layout.connectome.labels[:12])
            problems.append(Problem(f"{where}.regions", f"the pattern {stimulus.regions!r} matches no region; {hint}"))
            continue
        reached = layout.reached(stimulus)
        if not reached:
            known = {name for label in labels for name in regions[label].populations}
            hint = suggestion(stimulus.population, known)
            problems.append(Problem(f"{where}.population", f"unknown population {stimulus.population!r}; {hint}"))
        for population in reached:
            receptors = regions[population.label].cell_of(population.population).receptors
            # Those that inject a current are in the layout where it knows of the stimulus.
            injected = [name for name in layout.blocks[population.block].receptors if name in INJECTED]
            if stimulus.receptor not in (*receptors, *injected):
                hint = suggestion(stimulus.receptor, receptors)
                problems.append(
                    Problem(
                        f"{where}.receptor",
                        f"unknown receptor {stimulus.receptor!r} of population {population.population!r}; {hint}",
                    )
                )
                break
    if problems:
        raise SpecError(problems)
