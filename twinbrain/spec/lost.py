"""What a lesion leaves of a population: what the long-range synapses of others are reckoned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from twinbrain.errors import Problem
from twinbrain.spec.base import Spec
from twinbrain.spec.drive import Drive
from twinbrain.spec.population import MOST_NEURONS, Transmitter
from twinbrain.spec.ports import InputPort
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import Rate

if TYPE_CHECKING:
    from twinbrain.spec.region import Region


class Lost(Spec):
    """A population that is gone, as far as the long-range synapses of others depend on it.

    Those that it received are not spread over the populations that are left, and those that it made are not made by
    others: they are missing.

    Parameters
    ----------
    size : int
        How many neurons it had.
    transmitter : {"glutamate", "gaba"}
        What its axons released.
    output : int, optional
        Which of the region's outputs it was, counted from 0 with those that are gone; not given if it was none.
    input : InputPort, optional
        How it received; not given if it did not.
    rate : float (Hz), optional
        At what rate it was expected to spike.
    drives : tuple of Drive
        Its drives that a `LongRange.share` makes give way.
    """

    size: Annotated[int, Field(ge=1, le=MOST_NEURONS)]
    transmitter: Transmitter = "glutamate"
    output: Annotated[int, Field(ge=0)] | None = None
    input: InputPort | None = None
    rate: Rate | None = None
    drives: tuple[Drive, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Lost:
        for i, drive in enumerate(self.drives):
            if drive.rate is None:
                message = f"expected events at a rate, which alone give way, found {drive.kind}; drop it"
                raise reject(Problem(f"drives[{i}]", message))
        return self


def outputs_with_lost(region: Region) -> list[str]:
    """Return the populations whose axons leave a region, or did before a lesion, in the order they had."""
    names = list(region.ports.outputs)
    places = {name: lost.output for name, lost in region.lost.items() if lost.output is not None}
    for name in sorted(places, key=lambda name: places[name]):
        names.insert(places[name], name)
    return names


def inputs_with_lost(region: Region) -> dict[str, tuple[InputPort, int]]:
    """Return port and size of the populations that receive from other regions, or did before a lesion."""
    found = {name: (port, region.populations[name].size) for name, port in region.ports.inputs.items()}
    return found | {name: (lost.input, lost.size) for name, lost in region.lost.items() if lost.input is not None}


def lost_with(region: Region, names: list[str]) -> dict[str, Lost]:
    """Return what is left of the populations of a region that are gone, once those named are gone, too."""
    outputs, found = outputs_with_lost(region), dict(region.lost)
    for name in names:
        population, expected = region.populations[name], region.expected.get(name)
        port = region.ports.inputs.get(name)
        sends = name in region.ports.outputs
        if not sends and port is None:
            continue  # nothing of other regions depends on it
        found[name] = Lost(
            size=population.size,
            transmitter=population.transmitter,
            output=outputs.index(name) if sends else None,
            input=port,
            rate=f"{expected.middle!r} Hz" if sends and expected else None,
            # Nothing is drawn of them, so that no stream needs a name.
            drives=tuple(drive.replace(name="") for drive in region.drives if _gives_way(drive, name, port)),
        )
    return found


def _gives_way(drive: Drive, population: str, port: InputPort | None) -> bool:
    reached = port.glutamate if port is not None else {}
    return drive.population == population and drive.rate is not None and drive.receptor in reached
