"""A projection: synapses of one kind from one population to another."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from twinbrain.spec.arrays import Indices, from_file
from twinbrain.spec.base import Spec
from twinbrain.spec.labelled import refuse_other_labels
from twinbrain.spec.plain_numbers import numbers_alone, refuse_units
from twinbrain.spec.plasticity import Plasticity
from twinbrain.spec.population import MOST_NEURONS
from twinbrain.spec.quantity import Millimetres, TimeValue, Value

Probability = Annotated[float, Field(ge=0, le=1)]


class DistanceKernel(Spec):
    """Probability that falls with distance: ``probability * kernel(distance / scale)``."""

    probability: Probability
    scale: Annotated[Millimetres, Field(gt=0)]
    kernel: Literal["gaussian", "exponential"] = "gaussian"


class Pairs(Spec):
    """Explicit synapses: indices of the source and the target neuron, each within its population.

    In a file also ``{ file = "column.npz", array = "pyr->pv pairs" }``: an array of shape (2, synapse), whose rows are
    ``source`` and ``target``.

    Parameters
    ----------
    source, target : array_like of int, shape (synapse,)
        In an order that explicit weights and delays follow; both with the same labels, where they have any.
    """

    source: Indices
    target: Indices

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            return data
        if "file" not in data:
            refuse_other_labels(data.get("source"), data.get("target"), "sources and targets")
            return data
        array = from_file(data, info, set())
        if array.ndim != 2 or len(array) != 2:
            raise ValueError(f"expected an array of shape (2, synapse), found {array.shape}")
        return {"source": array[0], "target": array[1]}

    @model_validator(mode="after")
    def _check(self) -> Pairs:
        if len(self.source) != len(self.target):
            raise ValueError(
                f"expected as many sources as targets, found {len(self.source)} sources and {len(self.target)} targets"
            )
        return self

    def __len__(self) -> int:
        return len(self.source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pairs):
            return NotImplemented
        return np.array_equal(self.source, other.source) and np.array_equal(self.target, other.target)

    def __hash__(self) -> int:
        return hash((self.source.tobytes(), self.target.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).parse, ({"source": self.source, "target": self.target},)

    def __repr__(self) -> str:
        return f"{len(self):,} pairs"


class Connect(Spec):
    """The rule by which pairs of neurons are drawn; exactly one key is given.

    Parameters
    ----------
    probability : float
        Each pair is connected with this probability, independently.
    total : int
        This many synapses, both ends drawn uniformly.
    in_degree, out_degree : int
        This many synapses for each target (source) neuron, the other end drawn uniformly.
    one_to_one : bool
        Neuron i to neuron i; within a population these are autapses, which then have to be allowed.
    distance : DistanceKernel
        Each pair is connected with a probability that falls with distance.
    pairs : Pairs
        Explicit synapses.
    autapses : bool
        Whether a neuron may contact itself; explicit pairs are taken as they are.
    multapses : bool
        Whether a pair of neurons may have several synapses, where ``total`` or a degree is given: with them ends are
        drawn with replacement, without them every pair has one at most. Explicit pairs are taken as they are.
    """

    probability: Probability | None = None
    total: Annotated[int, Field(ge=0, le=MOST_NEURONS)] | None = None
    in_degree: Annotated[int, Field(ge=0, le=MOST_NEURONS)] | None = None
    out_degree: Annotated[int, Field(ge=0, le=MOST_NEURONS)] | None = None
    one_to_one: Literal[True] | None = None
    distance: DistanceKernel | None = None
    pairs: Pairs | None = None
    autapses: bool = False
    multapses: bool = True

    @property
    def rule(self) -> str:
        """Name of the rule that is given."""
        return next(name for name in _RULES if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _check(self) -> Connect:
        given = [name for name in _RULES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of {', '.join(_RULES)}; found {', '.join(given) or 'none'}")
        return self


_RULES = ("probability", "total", "in_degree", "out_degree", "one_to_one", "distance", "pairs")


def receptor_shares(value: object) -> object:
    """Return the factors of receptors, of a table or of one receptor's name."""
    if isinstance(value, dict):
        numbers_alone(value.values())
        refuse_units(value.values())
    return {value: 1.0} if isinstance(value, str) else value


def _plasticity(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


class Projection(Spec):
    """Synapses from one population of a region to another.

    Parameters
    ----------
    source, target : str
        Names of populations of the region.
    receptor : str or dict of str to float
        Receptor of the target cell; a table of receptors with factors puts several at each synapse, each with
        ``weight`` times its factor.
    connect : Connect
        Which neurons are connected.
    weight : value
        In the unit of the receptor: nS for a conductance, pA for a current. Explicit values follow the order of the
        pairs, which where they are drawn is that of their targets.
    delay : value
        At least one step; a distribution is cut off there.
    plasticity : Plasticity or str, optional
        The rule by which the synapses change, or its name alone; without it they are static. With several receptors,
        each has synapses of its own that follow the rule, whose quantities in the unit ``weight`` are multiplied by
        the receptor's factor as the weight is.
    name : str
        Needed only where two projections share source, target and receptor.
    """

    name: str = ""
    source: str
    target: str
    receptor: Annotated[dict[str, float], BeforeValidator(receptor_shares), Field(min_length=1)]
    connect: Connect
    weight: Value
    delay: TimeValue
    plasticity: Annotated[Plasticity | None, BeforeValidator(_plasticity)] = None

    @property
    def key(self) -> str:
        """The name that keys its random stream."""
        return self.name or f"{self.source}->{self.target}:{'+'.join(self.receptor)}"
