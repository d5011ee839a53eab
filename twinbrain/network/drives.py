"""Lower drives and stimuli to Poisson drives."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twinbrain import units as quantities
from twinbrain.errors import Problem, SpecError
from twinbrain.network.layout import Layout
from twinbrain.network.network import PoissonDrive, PopulationSlice
from twinbrain.network.quanta import in_quanta
from twinbrain.network.random import stream_key
from twinbrain.network.synapses import InletOf
from twinbrain.spec.base import suggestion
from twinbrain.spec.drive import Drive, Stimulus

ALWAYS = 2**62
# Beyond this mean count a step, drawing counts by comparison stops being sensible.
_LARGEST_MEAN = 200.0


def poisson_thresholds(mean: float) -> NDArray[np.uint32]:
    """Return ``2**32`` times the probability of at most k events, for all k where it is below one.

    A uniform 32-bit word then draws a count as the number of thresholds that do not exceed it.

    Parameters
    ----------
    mean : float
        Expected count.

    Returns
    -------
    ndarray of uint32, shape (n,)
    """
    k = np.arange(int(mean + 12 * np.sqrt(mean) + 24))
    scaled: NDArray[np.float64] = np.rint(special.pdtr(k, mean) * 2.0**32)
    return scaled[scaled < 2.0**32].astype(np.uint32)


def region_drives(
    layout: Layout, inlet_of: InletOf, units: dict[str, str], dt: float, seed: int
) -> Iterator[PoissonDrive]:
    """Lower the drives of every region."""
    for label, region in zip(layout.connectome.labels, layout.regions, strict=True):
        for i, drive in enumerate(region.drives):
            name = f"drive {i} {drive.population}:{drive.receptor}"
            try:
                population = layout.find(label, drive.population)
                yield _lower(drive, name, population, (0, ALWAYS), inlet_of, units, dt, seed)
            except SpecError as error:
                raise error.within(f"region {region.name}: drives[{i}]") from None


def stimulus_drives(
    stimuli: tuple[Stimulus, ...], layout: Layout, inlet_of: InletOf, units: dict[str, str], dt: float, seed: int
) -> Iterator[PoissonDrive]:
    """Lower stimuli on the populations that they reach; `check_stimuli` has passed."""
    for stimulus in stimuli:
        first = round(stimulus.start / dt)
        steps = (first, first + round(stimulus.duration / dt))
        for population in _reached(stimulus, layout):
            name = f"stimulus {stimulus.name} {stimulus.population}:{stimulus.receptor}"
            try:
                yield _lower(stimulus, name, population, steps, inlet_of, units, dt, seed)
            except SpecError as error:
                raise error.within(f"stimuli.{stimulus.name}") from None


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
        labels = [label for label in layout.connectome.labels if fnmatchcase(label, stimulus.regions)]
        where = f"stimuli.{stimulus.name}"
        if not labels:
            hint = suggestion(stimulus.regions, layout.connectome.labels[:12])
            problems.append(Problem(f"{where}.regions", f"the pattern {stimulus.regions!r} matches no region; {hint}"))
            continue
        reached = _reached(stimulus, layout)
        if not reached:
            known = {name for label in labels for name in regions[label].populations}
            hint = suggestion(stimulus.population, known)
            problems.append(Problem(f"{where}.population", f"unknown population {stimulus.population!r}; {hint}"))
        for population in reached:
            receptors = regions[population.label].cell_of(population.population).receptors
            if stimulus.receptor not in receptors:
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


def _reached(stimulus: Stimulus, layout: Layout) -> list[PopulationSlice]:
    return [
        p for p in layout.populations if p.population == stimulus.population and fnmatchcase(p.label, stimulus.regions)
    ]


def _lower(
    drive: Drive | Stimulus,
    name: str,
    population: PopulationSlice,
    steps: tuple[int, int],
    inlet_of: InletOf,
    units: dict[str, str],
    dt: float,
    seed: int,
) -> PoissonDrive:
    inlet = inlet_of(population, drive.receptor)
    mean = drive.rate * 1e-3 * dt
    if mean > _LARGEST_MEAN:
        raise SpecError(
            [
                Problem(
                    "rate",
                    f"expected at most {_LARGEST_MEAN:g} events a step, found {mean:g}; split the drive or use I_e",
                )
            ]
        )
    weight = np.array([quantities.coherent(drive.weight, units[drive.receptor])])
    start = inlet.start + population.offset
    return PoissonDrive(
        name=f"{name} of {population.label}",
        start=start,
        stop=start + population.size,
        key=stream_key(seed, name, population.label),
        mean=mean,
        thresholds=poisson_thresholds(mean),
        weight=int(in_quanta(weight, inlet.quantum, "weight")[0]),
        first_step=steps[0],
        last_step=steps[1],
    )
