"""Notice that a state is not finite any more, and say where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import BreakdownError
from twinbrain.models.rule import RELEASE, RELEASED
from twinbrain.network.layout import Layout


@dataclass(frozen=True)
class Breakdown:
    """The first value of a run that is no finite number.

    Parameters
    ----------
    variable : str
        Name of the state variable.
    value : str
        ``"nan"``, ``"inf"`` or ``"-inf"``.
    of : str
        Whose it is: ``"neuron 3 of A.pyr"``, ``"synapse 17 of ampa/pair_stdp"``.
    start, stop : float (ms)
        Window at whose end it was found; at the end of the one before, all was finite.
    n : int
        How many values are not finite at its end.
    """

    variable: str
    value: str
    of: str
    start: float
    stop: float
    n: int

    def __str__(self) -> str:
        others = f", and {self.n - 1:,} values besides" if self.n > 1 else ""
        return (
            f"{self.variable} of {self.of} became {self.value} between {self.start:.15g} and {self.stop:.15g} ms of "
            f"model time{others}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"text": str(self)}


@dataclass(frozen=True)
class Watch:
    """Who looks whether a state is finite, and what follows if it is not.

    Parameters
    ----------
    layout : Layout
        Names the neurons.
    stops : bool
        Whether the run stops then; else it is marked, and goes on.
    agreed : callable
        Given whether this process would stop, returns whether all that compute the run do.
    """

    layout: Layout
    stops: bool
    agreed: Callable[[bool], bool] = bool

    def look(self, variables: Mapping[str, NDArray[np.float64]], start: float, stop: float) -> Breakdown | None:
        """Return the first value of a state that is not finite, variable by variable, or None.

        Parameters
        ----------
        variables : mapping of str to ndarray of float64
            The state; see `twinbrain.engines.base.SimulationState`.
        start, stop : float (ms)
            The window at whose end it is the state.
        """
        found: tuple[str, int] | None = None
        n = 0
        for name, values in variables.items():
            if (finite := np.isfinite(values)).all():
                continue
            found = found or (name, int(finite.argmin()))
            n += len(values) - int(finite.sum())
        if found is None:
            return None
        name, place = found
        owner, _, variable = name.rpartition("/")
        variable = RELEASE if variable == RELEASED else variable
        return Breakdown(variable, str(variables[name][place]), self._name(owner, place), start, stop, n)

    def _name(self, owner: str, place: int) -> str:
        if owner.startswith("synapses/"):
            return f"synapse {place} of {owner.removeprefix('synapses/')}"
        block = [block.name for block in self.layout.blocks].index(owner)
        population = next(
            p for p in self.layout.populations if p.block == block and p.offset <= place < p.offset + p.size
        )
        return f"neuron {place - population.offset} of {population.label}.{population.population}"


def breakdown_error(text: str) -> BreakdownError:
    """Return the error of a run that stops at a breakdown, which ``text`` tells."""
    return BreakdownError(
        f"expected finite numbers, found that {text}; the run is kept until then: take a shorter run.dt, another "
        'method for the equations, or weaker input, or let it go on with run.on_breakdown = "mark"'
    )
