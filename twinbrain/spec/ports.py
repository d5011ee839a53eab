"""Ports: where a region meets others."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from twinbrain.spec.base import Spec
from twinbrain.spec.distinct import Names
from twinbrain.spec.projection import receptor_shares


class InputPort(Spec):
    """How a population receives long-range synapses.

    Parameters
    ----------
    share : float
        Its share of the region's long-range synapses, relative to the other inputs.
    glutamate, gaba : str or dict of str to float
        Receptor that axons releasing glutamate (GABA) reach; a table puts several at each synapse.
    """

    share: Annotated[float, Field(gt=0)]
    glutamate: Annotated[dict[str, float], BeforeValidator(receptor_shares)] = {"ampa": 1.0}
    gaba: Annotated[dict[str, float], BeforeValidator(receptor_shares)] = {"gaba_a": 1.0}


def _port(value: Any) -> Any:
    return {"share": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class Ports(Spec):
    """Where a region meets others: populations whose axons leave, populations that receive."""

    outputs: Names = ()
    inputs: dict[str, Annotated[InputPort, BeforeValidator(_port)]] = {}
