"""What a workflow declares and a run takes no notice of, told in its plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twinbrain.language.lines import read_equations
from twinbrain.network.axons import long_range_axons, rows
from twinbrain.network.layout import Layout
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Drive, Stimulus
from twinbrain.spec.record import Record
from twinbrain.spec.region import Region

# Below, rounding changes weights by more than half a percent.
_SMALL_COUPLING = 0.02


def idle_settings(
    brain: Brain,
    layout: Layout,
    duration: float,
    record: Record,
    stimuli: tuple[Stimulus, ...],
    drive_seed: int | None = None,
) -> Iterator[str]:
    """Yield a line for each setting that has no effect.

    Parameters
    ----------
    brain, layout
        The brain, with its connectome as it is used.
    duration : float (ms)
        Model time.
    record : Record
        What is recorded.
    stimuli : tuple of Stimulus
        What acts on the brain.
    drive_seed : int, optional
        What keys random input in place of the seed.
    """
    if 0 < brain.coupling < _SMALL_COUPLING and (brain.long_range or brain.projections):
        yield (
            f"brain.coupling: {brain.coupling:g} multiplies weights that are whole quanta, and leaves them right to "
            f"{1e-2 / brain.coupling:.2g} % of their mean; give smaller weights, and a coupling near 1"
        )
    if brain.long_range is None:
        if brain.normalisation != "none":
            yield f"brain.normalisation: {brain.normalisation!r} has no effect without brain.long_range"
        if brain.coupling != 1 and not brain.projections:
            yield f"brain.coupling: {brain.coupling:g} has no effect: no region reaches another"
    else:
        receives = np.array([[bool(region.ports.inputs)] for region in layout.regions])
        axons = long_range_axons(layout)
        connected = (rows(layout, axons) * axons.there > 0) & receives
        if not connected.any():
            yield (
                "brain.long_range: it has no effect: the connectome has no weight from a region with ports.outputs "
                "to another with ports.inputs"
            )
        if len(short := np.argwhere(connected & (layout.connectome.length.values == 0))):
            target, source = (layout.connectome.labels[node] for node in short[0])
            yield (
                f"brain.connectome: {len(short):,} of {connected.sum():,} connections have a length of 0 mm "
                f"({source} to {target}), and a delay of one step"
            )
        if brain.long_range.inhibitory_weight is not None and not any(map(_sends_gaba, layout.regions)):
            yield "brain.long_range.inhibitory_weight: it has no effect: no population of ports.outputs releases gaba"
    drives = (*stimuli, *(drive for region in layout.regions for drive in region.drives))
    if drive_seed is not None and not any(drive.kind in ("rate", "noise") for drive in drives):
        yield "run.drive_seed: it has no effect: no drive or stimulus is random"
    for block in layout.blocks:
        held = [line.name for line in read_equations(block.model.equations) if "unless refractory" in line.flags]
        if held and block.model.refractory is None:
            flags = f"'(unless refractory)' of {', '.join(held)}"
            yield f"model {block.name}: {flags} has no effect: no parameter is named as refractory"
    for stimulus in stimuli:
        if stimulus.start >= duration:
            yield f"stimuli.{stimulus.name}: it starts at {stimulus.start:g} ms, after the {duration:g} ms of the run"
        elif (first := stimulus.start + _before(stimulus)) >= duration:
            yield f"stimuli.{stimulus.name}: its pulses begin at {first:g} ms, after the {duration:g} ms of the run"
    for region in {region.name: region for region in layout.regions}.values():
        for i, drive in enumerate(region.drives):
            if (first := _before(drive)) >= duration:
                where = f"region {region.name}: drives[{i}]"
                yield f"{where}: its pulses begin at {first:g} ms, after the {duration:g} ms of the run"
    for i, wanted in enumerate(record.state):
        if wanted.interval > duration:
            yield f"record.state[{i}].interval: {wanted.interval:g} ms is longer than the run of {duration:g} ms"


def _before(drive: Drive) -> float:
    """Return how long a drive gives nothing (ms); spikes after the run are refused."""
    return drive.pulses.delay if drive.pulses is not None else 0.0


def _sends_gaba(region: Region) -> bool:
    return any(region.populations[name].transmitter == "gaba" for name in region.ports.outputs)
