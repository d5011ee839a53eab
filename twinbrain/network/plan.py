"""The plan: what a run will need, reckoned from the declaration before anything is built."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped,unused-ignore]

from twinbrain import units
from twinbrain.errors import PlanError, SpecError
from twinbrain.models.library import plasticity_model
from twinbrain.models.rule import rule_program
from twinbrain.models.step import StepProgram
from twinbrain.network.arriving import expected_contacts, expected_long_range
from twinbrain.network.between_regions import expected_of
from twinbrain.network.connect import expected_synapses
from twinbrain.network.given import read_samples, read_trains
from twinbrain.network.idle import idle_settings
from twinbrain.network.inflow import inflows
from twinbrain.network.layout import Layout
from twinbrain.network.probes import lower_probes
from twinbrain.network.quanta import weight_units
from twinbrain.network.sampling import coherent_values
from twinbrain.network.synapses import LONGEST_DELAY
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Drive, Stimulus
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Distribution, Value
from twinbrain.spec.record import Record
from twinbrain.spec.region import Region

# What things take, from measurements on one core; see docs/reference/performance.md.
_BYTES_A_SYNAPSE = 10
_BYTES_A_SYNAPSE_WHILE_BUILT = 40
# Step, place and amount; a value as it is read, and in quanta.
_BYTES_A_GIVEN_SPIKE = 16
_BYTES_A_GIVEN_VALUE = 8 + 4
# Recorded: as it comes, put together, and as it is written.
_BYTES_A_SPIKE = 40
_BYTES_A_RATE = 8
_BYTES_OF_A_SAMPLE = 112
_BYTES_A_SAMPLED_VALUE = 24
BYTES_OF_THE_PROCESS = 400_000_000
# Delays take four bytes on a device, two on the host; the rest is what the driver and the kernels take.
_DEVICE_OVER_HOST = 1.2
_BYTES_OF_A_DEVICE = 600_000_000
_SYNAPSES_BUILT_A_SECOND = 5e6
NANOSECONDS_A_STATEMENT = 0.6
_MICROSECONDS_A_STEP = 15.0
_MICROSECONDS_A_BLOCK = 12.0
EVENTS_A_SECOND = 1e8
_BYTES_OF_A_PLASTIC_SYNAPSES_INDEX = 18
_BYTES_A_PLASTIC_SYNAPSE_WHILE_BUILT = 90
_PLASTIC_EVENTS_A_SECOND = 2e7
ASSUMED_RATE = 8.0
# Functions that take as long as twenty products.
_COSTLY = re.compile(r"\b(?:exponential|relative_exponential|logarithm|power)\(")


@dataclass(frozen=True)
class Plan:
    """What a run will need.

    Parameters
    ----------
    n_regions, n_neurons, n_synapses, n_blocks : int
        Sizes; synapses as expected.
    share, share_lowest, share_highest : float
        Share of the excitatory drive that is expected through the connectome by its rule, at coupling 1: mean, lowest
        and highest of the regions that it reaches; 0 where that is not known.
    bytes_synapses, bytes_inboxes, bytes_neurons, bytes_inputs, bytes_window, bytes_peak : int
        Memory of the parts (inputs: given spikes and waveforms; window: what is recorded until it is committed), and
        the most that the whole run takes at once.
    bytes_device : int
        Memory on the device, where a run has one of its own.
    seconds : float
        Expected wall time on one core, compiling left out; right to a factor of about two.
    notes : tuple of str
        What one should know before: models whose rates are off in steps of this length, settings without effect.
    """

    n_regions: int
    n_neurons: int
    n_synapses: int
    n_blocks: int
    share: float
    share_lowest: float
    share_highest: float
    bytes_synapses: int
    bytes_inboxes: int
    bytes_neurons: int
    bytes_inputs: int
    bytes_window: int
    bytes_peak: int
    bytes_device: int
    seconds: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def plan(
    brain: Brain,
    layout: Layout,
    programs: tuple[StepProgram, ...],
    *,
    dt: float,
    duration: float,
    window: float | None = None,
    record: Record | None = None,
    stimuli: tuple[Stimulus, ...] = (),
    drive_seed: int | None = None,
) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    brain, layout, programs
        The brain, from `lay_out` and `block_programs`.
    dt, duration : float (ms)
        Time step and model time.
    window : float (ms), optional
        Model time between commits; by default all.
    record : Record, optional
        What is recorded.
    stimuli : tuple of Stimulus, optional
        What acts on the brain.
    """
    local, longest = _local(layout)
    plastic, plastic_bytes = _plastic(layout, weight_units(programs))
    long_range, longest_tract = _long_range(brain, layout)
    n_synapses = round(local + long_range)
    n_slots = int(min(max(longest, longest_tract) / dt, LONGEST_DELAY)) + 3  # longer ones are refused
    sizes = [block.size for block in layout.blocks]
    inboxes = 4 * (n_slots + 1) * sum(size * len(p.jumps) for size, p in zip(sizes, programs, strict=True))
    neurons = 8 * sum(size * (len(p.state) + 2 * len(p.constants)) for size, p in zip(sizes, programs, strict=True))
    steps = duration / dt
    n_statements = sum(size * statements(p) for size, p in zip(sizes, programs, strict=True))
    seconds = (
        n_synapses / _SYNAPSES_BUILT_A_SECOND
        + steps * 1e-6 * (_MICROSECONDS_A_STEP + _MICROSECONDS_A_BLOCK * len(sizes))
        + steps * 1e-9 * NANOSECONDS_A_STATEMENT * n_statements
        + n_synapses * ASSUMED_RATE * duration * 1e-3 / EVENTS_A_SECOND
        + 2 * plastic * ASSUMED_RATE * duration * 1e-3 / _PLASTIC_EVENTS_A_SECOND
    )
    synapses = round(_BYTES_A_SYNAPSE * (n_synapses - plastic) + plastic_bytes)
    synapses += 8 * layout.n_neurons * 2 * len({r for p in programs for r in p.jumps})
    while_built = round(_BYTES_A_SYNAPSE_WHILE_BUILT * n_synapses + _BYTES_A_PLASTIC_SYNAPSE_WHILE_BUILT * plastic)
    inputs = _inputs(layout, stimuli)
    known = [inflow.share for inflow in inflows(brain, layout, weight_units(programs)) if inflow.share > 0]
    shares = np.array(known or [0.0])
    held = _window(layout, programs, record or Record(), dt, duration if window is None else min(window, duration))
    peak = BYTES_OF_THE_PROCESS + neurons + inputs + max(while_built, synapses + inboxes + held)
    return Plan(
        n_regions=len(layout.regions),
        n_neurons=layout.n_neurons,
        n_synapses=n_synapses,
        n_blocks=len(sizes),
        share=float(shares.mean()),
        share_lowest=float(shares.min()),
        share_highest=float(shares.max()),
        bytes_synapses=synapses,
        bytes_inboxes=inboxes,
        bytes_neurons=neurons,
        bytes_inputs=inputs,
        bytes_window=held,
        bytes_peak=peak,
        bytes_device=round(_DEVICE_OVER_HOST * synapses) + inboxes + 2 * neurons + _BYTES_OF_A_DEVICE,
        seconds=seconds,
        notes=(*_notes(layout, dt), *idle_settings(brain, layout, duration, record or Record(), stimuli, drive_seed)),
    )


def _notes(layout: Layout, dt: float) -> Iterator[str]:
    """Yield what was measured of models in steps of this length or of the next that is longer."""
    for block in layout.blocks:
        errors = sorted((units.number(step, "ms"), error) for step, error in block.model.rate_errors.items())
        if not errors or dt <= errors[0][0]:
            continue
        step, error = next(((step, error) for step, error in errors if dt <= step * (1 + 1e-9)), errors[-1])
        least, best = errors[0]
        yield (
            f"{block.name}: its rate is up to {100 * error:.0f} % off in steps of {step:g} ms, "
            f"{100 * best:.0f} % in steps of {least:g} ms (run.dt)"
        )


def statements(program: StepProgram) -> int:
    """Return how many simple operations a neuron's step takes."""
    return sum(1 + s.expression.count("*") + 20 * len(_COSTLY.findall(s.expression)) for s in program.integrate)


def expected_local_synapses(region: Region) -> float:
    """Return the expected number of synapses within a region."""
    return sum(len(p.receptor) * _expected(region, p) for p in region.projections)


def check_memory(plan: Plan, limit: str | None) -> None:
    """Refuse what will not fit.

    Parameters
    ----------
    plan : Plan
        What is needed.
    limit : str or None
        Such as ``"8 GB"``; by default what the machine has free. More than the machine has counts as what it has.

    Raises
    ------
    PlanError
        If the peak is above the limit.
    SpecError
        If the limit is no amount of memory.
    """
    memory = psutil.virtual_memory()
    allowed = memory.available if limit is None else min(_bytes(limit), memory.total)
    if plan.bytes_peak > allowed:
        further = "or raise run.memory_limit" if allowed < memory.total else "or use a machine with more memory"
        raise PlanError(
            f"expected a run that fits into {allowed / 1e9:.2g} GB, found a plan of {plan.bytes_peak / 1e9:.3g} GB "
            f"({plan.n_neurons:,} neurons, {plan.n_synapses:,} synapses); make populations or in-degrees smaller "
            f"(scale in brain.regions), shorten the longest delay, {_shorter(plan)}{further}"
        )


def _shorter(plan: Plan) -> str:
    """Return what to do about a window that takes much of the memory."""
    if plan.bytes_window < plan.bytes_peak / 4:
        return ""
    return f"record less or make run.window shorter (a window holds {plan.bytes_window / 1e9:.3g} GB), "


def check_device_memory(plan: Plan, device: str, free: int) -> None:
    """Refuse what a device does not hold.

    Parameters
    ----------
    plan : Plan
        What is needed.
    device : str
        Its name, for the error.
    free : int
        Bytes that it has free.

    Raises
    ------
    PlanError
        If the plan needs more.
    """
    if plan.bytes_device > free:
        raise PlanError(
            f"expected a network that fits into the {free / 1e9:.3g} GB that {device} has free, found a plan of "
            f"{plan.bytes_device / 1e9:.3g} GB there ({plan.n_neurons:,} neurons, {plan.n_synapses:,} synapses); make "
            "populations or in-degrees smaller (scale in brain.regions), or use another device"
        )


def _bytes(text: str) -> float:
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kMGT]?)(i?)B\s*", text, flags=re.ASCII)
    if match is None:
        raise SpecError(f'run.memory_limit: expected an amount of memory such as "8 GB", found {text!r}')
    power = " kMGT".index(match[2] or " ")
    return float(match[1]) * (1024.0 if match[3] else 1000.0) ** power


def _local(layout: Layout) -> tuple[float, float]:
    """Return the expected number of local synapses, and the longest local delay in ms."""
    total, longest = 0.0, 0.0
    counts: dict[str, tuple[float, float]] = {}
    for region in layout.regions:
        if region.name not in counts:
            n = expected_local_synapses(region)
            counts[region.name] = n, max((_upper(p.delay) for p in region.projections), default=0.0)
        n, delay = counts[region.name]
        total += n
        longest = max(longest, delay)
    return total, longest


def _expected(region: Region, projection: Projection) -> float:
    source, target = (region.populations[p] for p in (projection.source, projection.target))
    return expected_synapses(
        projection.connect,
        source.size,
        target.size,
        same=projection.source == projection.target,
        source_extent=source.extent,
        target_extent=target.extent,
    )


def _plastic(layout: Layout, units: dict[str, str]) -> tuple[float, float]:
    """Return the expected number of plastic synapses, and their memory in an engine."""
    total, n_bytes = 0.0, 0.0
    for name, n_nodes in Counter(region.name for region in layout.regions).items():
        region = next(region for region in layout.regions if region.name == name)
        for projection in region.projections:
            if (plasticity := projection.plasticity) is None:
                continue
            n = n_nodes * _expected(region, projection)
            varied = [value for value in plasticity.parameters.values() if isinstance(value, Distribution | Explicit)]
            for receptor in projection.receptor:
                program = rule_program(plasticity_model(plasticity.model, region), units[receptor])
                values = len(program.state) + 1 + (2 * len(program.constants) if varied else 0)
                total += n
                n_bytes += n * (_BYTES_OF_A_PLASTIC_SYNAPSES_INDEX + 8 * values)
    return total, n_bytes


def _long_range(brain: Brain, layout: Layout) -> tuple[float, float]:
    """Return the expected number of synapses between regions, and the longest delay of one in ms."""
    total = sum(expected_of(layout, projection) for projection in brain.projections)
    longest = max((_upper(projection.delay) for projection in brain.projections), default=0.0)
    if brain.long_range is None:
        return total, longest
    total += float(expected_long_range(brain.long_range, layout).sum())
    lengths = layout.connectome.length.values[expected_contacts(brain.long_range, layout) > 0]
    return total, max(longest, float(lengths.max() / brain.long_range.speed) if lengths.size else 0.0)


def _window(layout: Layout, programs: tuple[StepProgram, ...], record: Record, dt: float, window: float) -> int:
    """Return the memory of what is recorded in a window (ms), while it is gathered and written."""
    spikes = _BYTES_A_SPIKE * ASSUMED_RATE * layout.n_neurons * window * 1e-3
    rates = _BYTES_A_RATE * len(layout.populations) * window / record.rate_bin
    samples = sum(
        window / (probe.every * dt) * (_BYTES_OF_A_SAMPLE + _BYTES_A_SAMPLED_VALUE * len(probe.places))
        for probe in lower_probes(record, layout, programs, dt)
    )
    return round(spikes + rates + samples)


def _inputs(layout: Layout, stimuli: tuple[Stimulus, ...]) -> int:
    """Return the memory of given spikes, which are held for each population, and of given waveforms."""
    total = 0
    drives = [(drive, layout.find(label, drive.population).size, 1) for label, drive in _drives_of_nodes(layout)]
    for stimulus in stimuli:
        reached = layout.reached(stimulus)
        drives += [(stimulus, reached[0].size, len(reached))] if reached else []
    for drive, size, n_populations in drives:
        if drive.spikes is not None:
            trains = read_trains(drive.spikes)
            shared = len(trains) == 1 and drive.spikes.file is None
            total += _BYTES_A_GIVEN_SPIKE * sum(map(len, trains)) * n_populations * (size if shared else 1)
        elif drive.waveform is not None:
            n_rows, n_values = read_samples(drive.waveform).shape
            total += n_values * (_BYTES_A_GIVEN_VALUE * n_rows + 8)
    return total


def _drives_of_nodes(layout: Layout) -> Iterator[tuple[str, Drive]]:
    for label, region in zip(layout.connectome.labels, layout.regions, strict=True):
        yield from ((label, drive) for drive in region.drives)


def _upper(value: Value) -> float:
    """Return a delay that few exceed, in ms."""
    if isinstance(value, Explicit):
        return float(coherent_values(value, "ms").max(initial=0.0))
    if not isinstance(value, Distribution):
        return units.coherent(value, "ms")
    if value.maximum is not None:
        return units.coherent(value.maximum, "ms")
    first = units.coherent(value.first, "ms")
    match value.kind:
        case "normal":
            return first + 5 * units.coherent(value.second, "ms")
        case "uniform":
            return units.coherent(value.second, "ms")
        case "lognormal":
            with np.errstate(over="ignore"):
                return first * float(np.exp(5 * float(value.second)))
        case _:
            return first * (1 + 8 / float(np.sqrt(float(value.second))) + 12 / float(value.second))
