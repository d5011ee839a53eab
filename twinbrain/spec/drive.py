"""Drives and stimuli: what comes into the neurons of a population from outside."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from twinbrain import units
from twinbrain.errors import Problem, UnitError
from twinbrain.spec.base import Spec
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import Milliseconds, Quantity, Rate
from twinbrain.spec.signal import Pulses, SampledWaveform, Sine, SpikeTrains

INPUT_KINDS = ("rate", "noise", "current", "pulses", "sine", "spikes", "waveform")
INJECTED = ("current", "ou_current")
"""Receptors that inject a current; drives and stimuli reach them in any cell, whether it lists them or not."""


class Drive(Spec):
    """Background input of a population, of exactly one kind.

    Parameters
    ----------
    name : str
        Keys its random stream; without one, its place among the region's drives does.
    population : str
        Name of a population of the region.
    receptor : str
        Receptor that takes it: one of the population's cell, or one that injects a current, ``"current"`` or
        ``"ou_current"``. Default: ``"current"``; of a dimensionless ``noise``, ``"ou_current"``; events need it given.
    rate : float (Hz)
        Poisson events, of each neuron its own: the rate of all its synapses taken together.
    weight : quantity
        Weight of each of these events.
    noise : quantity
        Standard deviation of normal numbers, a new one for each neuron and step; 1 for ``"ou_current"``.
    current : quantity
        A constant, in the unit of the receptor's weights; so are the amplitudes of what follows.
    pulses : Pulses
        Rectangular pulses.
    sine : Sine
        A sine.
    spikes : SpikeTrains
        Given spike trains.
    waveform : SampledWaveform
        Given values.
    """

    name: str = ""
    population: str
    receptor: str
    rate: Rate | None = None
    weight: Quantity | None = None
    noise: Quantity | None = None
    current: Quantity | None = None
    pulses: Pulses | None = None
    sine: Sine | None = None
    spikes: SpikeTrains | None = None
    waveform: SampledWaveform | None = None

    def key(self, place: int) -> str:
        """Return what names its random stream, given its place among the region's drives."""
        return f"drive {self.name or place} {self.population}:{self.receptor}"

    @property
    def kind(self) -> str:
        """Name of the one field of `INPUT_KINDS` that is given."""
        return next(kind for kind in INPUT_KINDS if getattr(self, kind) is not None)

    @property
    def text(self) -> str:
        """What it gives, in a few words."""
        match self.kind:
            case "rate":
                assert self.rate is not None
                return f"events at {units.show(self.rate, 'Hz')}, {self.weight}"
            case "noise" | "current":
                return f"{self.kind} of {getattr(self, self.kind)}"
            case "pulses" | "sine":
                return f"{self.kind} of {getattr(self, self.kind).amplitude}"
            case "spikes":
                assert self.spikes is not None
                return f"given spikes of {self.spikes.weight}"
            case _:
                return "given waveform"

    @model_validator(mode="before")
    @classmethod
    def _default_receptor(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "receptor" in data or {"rate", "spikes"} & set(data):
            return data
        try:
            coloured = "noise" in data and isinstance(units.normalise(data["noise"]), float)
        except (UnitError, TypeError, ValueError):
            coloured = False  # the fault is reported with its field
        return data | {"receptor": "ou_current" if coloured else "current"}

    @model_validator(mode="after")
    def _check_kind(self) -> Drive:
        given = [kind for kind in INPUT_KINDS if getattr(self, kind) is not None]
        problems = []
        if len(given) != 1:
            found = f"{' and '.join(given)}; drop all but one" if given else "none; add one"
            problems.append(Problem("", f"expected one of {', '.join(INPUT_KINDS)}, found {found}"))
        if self.rate is not None and self.weight is None:
            problems.append(Problem("weight", "expected the weight of each event beside its rate, found none; add it"))
        if self.weight is not None and self.rate is None:
            place = "spikes.weight" if self.spikes else "rate"
            problems.append(Problem("weight", f"expected it beside a rate alone, found none; drop it or give {place}"))
        if problems:
            raise reject(*problems)
        return self


class Stimulus(Drive):
    """Input to populations of some regions of a brain, for some time.

    Parameters
    ----------
    name : str
        Shown in plots and stored with the run.
    regions : str
        Pattern of region labels.
    population, receptor, rate, weight, noise, current, pulses, sine, spikes, waveform
        As in `Drive`; their time begins at ``start``.
    start, duration : float (ms)
        When it is on.
    """

    name: str
    regions: str = "*"
    start: Annotated[Milliseconds, Field(ge=0)]
    duration: Annotated[Milliseconds, Field(gt=0)]

    @model_validator(mode="after")
    def _check(self) -> Stimulus:
        if not self.name:
            raise ValueError("expected a name, found an empty one; it keys the random stream of the stimulus")
        return self
