"""A brain: a connectome, a region for each of its nodes, and the synapses between them."""

from __future__ import annotations

from collections.abc import Iterable
from glob import escape
from pathlib import PurePath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from twinbrain.errors import Problem, SpecError
from twinbrain.spec.base import Spec
from twinbrain.spec.between_regions import declared_problems
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.labels import first_patterns, matching
from twinbrain.spec.population import MOST_NEURONS
from twinbrain.spec.problems import reject
from twinbrain.spec.projection import Projection
from twinbrain.spec.quantity import Quantity, Speed, default
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import listed, suggestion


class LongRange(Spec):
    """How regions are wired: one rule for every pair of them.

    Parameters
    ----------
    in_degree : int
        Mean number of long-range synapses of a neuron that receives; the region's input shares spread them.
    proportional : bool
        Whether a region has the more of them the greater the sum of its row of the connectome, with ``in_degree`` the
        mean over regions. Otherwise every region has as many, and a normalisation that multiplies whole rows
        (``"max"``, ``"row"``, ``"total"``) has no effect.
    weight : quantity
        Weight of a synapse whose axon releases glutamate.
    share : float
        In place of a weight: the share of a region's excitatory drive that comes through the connectome. Weights
        follow from it, and the region's own drives give way by as much; see
        `twinbrain.network.inflow`. With ``proportional`` it is the mean over regions.
    inhibitory_weight : quantity
        Weight of a synapse whose axon releases GABA; as ``weight`` unless given.
    speed : float (mm/ms)
        Conduction speed; a delay is length / speed, and at least one step.
    """

    in_degree: Annotated[int, Field(ge=0, le=MOST_NEURONS)]
    proportional: bool = False
    weight: Quantity | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    inhibitory_weight: Quantity | None = None
    speed: Speed = default("7 m/s")

    def weight_of_gaba(self, of_glutamate: str | float) -> str | float:
        """Return the weight of synapses of GABA, given that of glutamate, which counts where none is declared."""
        return of_glutamate if self.inhibitory_weight is None else self.inhibitory_weight

    @model_validator(mode="after")
    def _check(self) -> LongRange:
        if (self.weight is None) == (self.share is None):
            found = "neither" if self.weight is None else "both"
            raise reject(Problem("weight", f"expected a weight or a share, found {found}; give one of them"))
        return self


def _is_connectome(value: Any) -> Any:
    if not isinstance(value, str | Connectome):
        raise ValueError(f"expected the name of a connectome, a path or a Connectome, found a {type(value).__name__}")
    return value


ConnectomeField = Annotated[
    Any,
    BeforeValidator(_is_connectome),
    PlainSerializer(lambda c: c if isinstance(c, str) else {"name": c.name, "digest": c.digest}, when_used="json"),
]


Patterns = str | Iterable[str]

NORMALISATIONS = ("none", "max", "row", "total", "log")
"""Names of the normalisations of a connectome's weights."""


def _known_normalisation(name: str) -> str:
    if name not in NORMALISATIONS:
        raise ValueError(f"unknown normalisation {name!r}; {suggestion(name, NORMALISATIONS)}")
    return name


class Brain(Spec):
    """A whole brain.

    Parameters
    ----------
    connectome : Connectome, str or path
        The connectome, or the name or path of one.
    normalisation : {"none", "max", "row", "total", "log"}
        What is applied to its weights; `twinbrain.normalise` says what each does. Relative weights within a row decide
        where synapses come from; sums of rows decide how many there are, but only where the rule is in proportion
        (`LongRange`).
    regions : dict of str to Region
        For patterns of labels, the region that stands there; the first pattern that fits a label counts.
    long_range : LongRange or None
        The rule for synapses between regions; without it the regions are alone.
    projections : tuple of Projection
        Synapses between regions that are declared one by one, beside the rule; ``source`` and ``target`` are
        ``"label.population"``. They are static.
    coupling : float
        Factor on every long-range weight.
    """

    name: str = ""
    connectome: ConnectomeField
    normalisation: Annotated[str, AfterValidator(_known_normalisation)] = "none"
    regions: Annotated[dict[str, Region], Field(min_length=1)]
    long_range: LongRange | None = None
    projections: tuple[Projection, ...] = ()
    coupling: Annotated[float, Field(ge=0)] = 1.0

    def patterns(self, labels: list[str]) -> list[str | None]:
        """Return for each label the pattern that decides about it, or None."""
        first = first_patterns(self.regions, labels)
        return [first.get(label) for label in labels]

    def replace(self, **changes: Any) -> Self:
        """Return the brain with other values; see `Spec.replace`.

        Raises
        ------
        SpecError
            If another connectome does not fit; see `regions_for`.
        """
        if "connectome" in changes and "regions" not in changes:
            changes["regions"] = self.regions_for(changes["connectome"])
        return super().replace(**changes)

    def regions_for(self, connectome: str | Connectome) -> dict[str, Region]:
        """Return the regions by keys that mean no others at another connectome.

        What is a label of the connectome of the brain (``"M[1]"``) is a label there, too, and no pattern (which would
        mean ``"M1"``). Where a path is given, whose labels are not known, its key is the pattern of that label alone
        (``"M[[]1]"``).

        Raises
        ------
        SpecError
            If a region stands at a label that the other does not have, and would be a pattern for others there.
        """
        own = set(self.connectome.labels if isinstance(self.connectome, Connectome) else ())
        if not isinstance(connectome, Connectome):
            return {escape(pattern) if pattern in own else pattern: region for pattern, region in self.regions.items()}
        for pattern in own.difference(connectome.labels).intersection(self.regions):
            if found := matching(pattern, connectome.labels):
                expected = f"expected the label {pattern!r} in the new connectome, found none"
                remedy = f"as a pattern it would mean {listed(found)}; give regions=... without it"
                raise SpecError([Problem("brain.regions", f"{expected}; {remedy}")])
        return dict(self.regions)

    def without(self, regions: Patterns = (), populations: Patterns = (), projections: Patterns = ()) -> Brain:
        """Return the brain with a lesion: without some of its parts, the others as they were.

        Neurons of a population that is gone send and receive nothing. Their synapses are missing, and all others are
        those that were there, with the same numbers, ends, weights and delays, as are drives: regions remember in
        `Region.lost` what is reckoned from the whole. Only the quantum of a receptor's weights follows what is left (a
        part in 10,000 of the mean weight of a projection at most).

        Without a region it is a brain of fewer regions: the normalisation of the connectome, the mean over regions of
        `LongRange.proportional` and the weights that a share gives are reckoned from those that are left, and each
        neuron has as many long-range synapses as the rule says, all of them from there. They are drawn anew.

        Parameters
        ----------
        regions : str or iterable of str
            Labels of the connectome, or patterns of them. Stimuli and records of a workflow that name one of these are
            no part of the brain: take them out as well.
        populations : str or iterable of str
            Names of populations, or patterns, which are taken out of every region; or ``"V1/pv"``, as results name
            it, a label and a population, or patterns such as ``"V*/pv"``, which are taken out there alone. Such a
            region is another than those of its kind, and is named so (``"cortex/column_without_pv"``).
        projections : str or iterable of str
            Projections within every region (``"pyr->pv:ampa"``) and those declared between regions
            (``"V1.pyr->V4.pyr:ampa"``), or patterns of them.

        Raises
        ------
        SpecError
            If there is nothing of a name, or nothing is left; if labels are given and the connectome is a name or a
            path, which `twinbrain.load_connectome` and `twinbrain.read_connectome` read.

        Examples
        --------
        >>> deaf = brain.without(populations="sst", projections="pyr->pv:*")
        >>> without_pv_there = brain.without(populations="V1/pv")
        """
        from twinbrain.spec.lesion import brain_without

        return brain_without(self, regions, populations, projections)

    def assignment(self, labels: list[str]) -> list[Region]:
        """Return the region of each label.

        Parameters
        ----------
        labels : list of str
            Labels of the connectome.

        Raises
        ------
        SpecError
            If a label fits no pattern, or a pattern decides about no label.
        """
        chosen = self.patterns(labels)
        problems = []
        if bare := [label for label, pattern in zip(labels, chosen, strict=True) if pattern is None]:
            shown = ", ".join(bare[:8]) + (f" and {len(bare) - 8} more" if len(bare) > 8 else "")
            problems.append(
                Problem("brain.regions", f'regions without a model: {shown}; add a pattern for them, such as "*"')
            )
        for pattern in self.regions:
            if pattern not in chosen:
                fits = bool(matching(pattern, labels))
                why = "earlier patterns take all it fits; move it up" if fits else suggestion(pattern, labels[:12])
                problems.append(Problem(f"brain.regions.{pattern!r}", f"the pattern matches no region; {why}"))
        if problems:
            raise SpecError(problems)
        return [self.regions[pattern] for pattern in chosen if pattern is not None]

    def __repr__(self) -> str:
        connectome = self.connectome
        if isinstance(connectome, Connectome):
            where = f"{connectome.n_regions} region{'s' * (connectome.n_regions != 1)}"
        else:
            where = f"connectome {PurePath(connectome).name}"
        kinds = len({region.name for region in self.regions.values()})
        return f"<brain {self.name or 'without a name'}: {where}, {kinds} kind{'s' * (kinds != 1)} of region>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        from twinbrain.spec.html import brain_html

        return brain_html(self)

    @model_validator(mode="after")
    def _check(self) -> Brain:
        known: dict[str, Region] = {}
        for pattern, region in self.regions.items():
            if known.setdefault(region.name, region) != region:
                raise reject(
                    Problem(
                        f"regions.{pattern}", f"two different regions are named {region.name!r}; give each its own name"
                    )
                )
        if problems := list(declared_problems(self.projections)):
            raise reject(*problems)
        return self


def single_region_brain(region: Region) -> Brain:
    """Return a brain that is one region alone."""
    connectome = Connectome([[0.0]], [[0.0]], [region.name], name="single")
    return Brain(name=region.name, connectome=connectome, regions={"*": region})


def region_alone(brain: Brain) -> Region | None:
    """Return the region that a brain is, if it is one region alone, as `single_region_brain` makes it; else None."""
    connectome, regions = brain.connectome, list(brain.regions.values())
    if not isinstance(connectome, Connectome) or len(regions) > 1 or brain.long_range is not None or brain.projections:
        return None
    return regions[0] if connectome.labels == [regions[0].name] else None
