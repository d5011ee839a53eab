"""Neuron and receptor models, written in Brian2's equation language."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import model_validator

from twinbrain import units
from twinbrain.errors import Problem
from twinbrain.language.lines import read_equations
from twinbrain.spec.base import Spec
from twinbrain.spec.language import ConditionText, EquationsText, NameText, StatementsText
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import SharedValue
from twinbrain.spec.ranges import RangeText
from twinbrain.spec.suggest import suggestion


class NeuronModel(Spec):
    """Equations of a neuron; the currents of its receptors enter as ``I_syn``.

    Parameters
    ----------
    equations : str
        Brian2 equations in physical units. Parameters are declared in them (``C_m : farad``); a variable marked
        ``(unless refractory)`` is held while the neuron is refractory. ``I_syn`` (A) is the sum of its receptors'
        currents.
    threshold : str
        Condition of a spike, with a strict ``>``.
    reset : str
        Statements carried out after a spike.
    refractory : str or None
        Name of the parameter that holds the refractory period.
    method : str
        One of Brian2's integrators. ``"exact"`` takes neuron and receptors together; any other takes the neuron's
        equations alone, while the receptors' linear ones are solved exactly beside it.
    parameters : dict of str to value
        Defaults; a parameter without one must be given by the cell.
    initial : dict of str to value
        State at time zero, where it is not 0.
    ranges : tuple of str
        What has to hold of parameters, and of the state at time zero: ``"C_m > 0"``, ``"V_reset < V_th"``,
        ``"0 <= m <= 1"``. What has a unit is compared with 0, or with a value of the same unit. Values are checked
        neuron by neuron once they are drawn.
    rate_errors : dict of str to float
        For time steps, the largest relative error of its firing rate that was measured in them, such as
        ``{"0.05 ms": 0.06, "0.1 ms": 0.11}``; a plan tells it.
    """

    summary: str = ""
    references: tuple[str, ...] = ()
    equations: EquationsText
    threshold: ConditionText
    reset: StatementsText
    refractory: NameText | None = None
    method: str = "euler"
    parameters: dict[str, SharedValue] = {}
    initial: dict[str, SharedValue] = {}
    ranges: tuple[RangeText, ...] = ()
    rate_errors: dict[str, float] = {}

    @model_validator(mode="after")
    def _check(self) -> NeuronModel:
        for step in self.rate_errors:
            units.number(step, "ms")
        check_declared(self.parameters, self.equations)
        return self


class ReceptorModel(Spec):
    """Equations of a receptor type; a spike adds its weight to one of their variables.

    Parameters
    ----------
    equations : str
        Brian2 equations, linear in the receptor's own state. They may use the neuron's ``v`` in the current, and the
        time step ``dt`` where a value that holds for a step (noise) must have an effect that does not depend on it.
    jump : str
        The variable that takes the weights of the spikes that arrive in a step; its unit is theirs. It is one of

        - a variable with a differential equation in ``equations``: they are added before the integration;
        - a variable declared there without one (``I_current : amp``): it holds their sum for that step alone;
        - a variable of the neuron's (``v``): they are added after the integration and tested against the threshold
          at once; while the variable is held after a spike, they are lost.
    current : str or None
        The variable that holds the receptor's current (A), positive inwards; None if it has none.
    parameters, ranges
        As in `NeuronModel`.
    """

    summary: str = ""
    references: tuple[str, ...] = ()
    equations: EquationsText = ""
    jump: NameText
    current: NameText | None = None
    parameters: dict[str, SharedValue] = {}
    ranges: tuple[RangeText, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> ReceptorModel:
        if self.current is not None and self.current not in {e.name for e in read_equations(self.equations)}:
            raise ValueError(f"expected 'current' to name a variable of the equations, found {self.current!r}")
        if self.jump in self.parameters:
            raise ValueError(
                f"expected no default for {self.jump!r}, which holds what arrives, found {self.parameters[self.jump]!r}"
            )
        check_declared(self.parameters, self.equations)
        return self


def check_declared(parameters: Iterable[str], equations: str) -> None:
    """Check, within a validator, that parameters with a default are declared in the equations of their model.

    Raises
    ------
    ValueError
        With every one that is not.
    """
    known = [equation.name for equation in read_equations(equations) if equation.kind == "declaration"]
    if unknown := [name for name in parameters if name not in known]:
        raise reject(
            *(
                Problem(f"parameters.{name}", f"expected a parameter of the equations; {suggestion(name, known)}")
                for name in unknown
            )
        )
