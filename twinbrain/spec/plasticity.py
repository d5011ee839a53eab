"""Plastic synapses: a rule as equations and statements, and its use by a projection."""

from __future__ import annotations

from pydantic import model_validator

from twinbrain.language.lines import read_statements
from twinbrain.spec.base import Spec
from twinbrain.spec.language import EquationsText, StatementsText
from twinbrain.spec.model import check_declared
from twinbrain.spec.quantity import SharedValue, Value
from twinbrain.spec.ranges import RangeText


class PlasticityModel(Spec):
    """Equations of a synapse, and what spikes do to it.

    Each synapse has a weight ``w``, which starts as the projection declares it. ``weight`` stands for its unit, which
    is the receptor's: ``w_max : weight``, ``clip(w, 0*weight, w_max)``.

    Parameters
    ----------
    equations : str
        Brian2 equations of further variables of a synapse, and its parameters (``tau_plus : second``). A name that is
        declared like a parameter but assigned by a statement is a variable too. ``w`` may have an equation as well.
    on_pre : str
        Statements carried out when a spike arrives, after the projection's delay. One of them assigns ``release``:
        what the spike adds to the receptor. Statements before it change what is released, those after it do not.
    on_post : str
        Statements carried out when the target neuron spikes, without delay.
    on_modulator : str
        Statements carried out when neurons of the modulating population spike, without delay; how many did in this
        step is ``modulator_spikes``.
    on_event : str
        Statements carried out first whenever one of the above happens to the synapse, after time has acted, whatever
        the method; such as bounds of a weight that changes in time.
    method : str
        ``"exact"``: the equations are solved in closed form from one event of a synapse to its next, which they allow
        if each is linear in its own variable and a polynomial in others that do not depend on it. Any other of
        Brian2's integrators is carried out for every synapse in every step.
    parameters : dict of str to value
        Defaults; a parameter without one must be given by the projection.
    initial : dict of str to value
        Variables at time zero, where they are not 0.
    ranges : tuple of str
        What has to hold of parameters, of variables at time zero, and of the weight as declared: ``"0 <= w <= w_max"``.
    """

    summary: str = ""
    references: tuple[str, ...] = ()
    equations: EquationsText = ""
    on_pre: StatementsText = "release = w"
    on_post: StatementsText = ""
    on_modulator: StatementsText = ""
    on_event: StatementsText = ""
    method: str = "exact"
    parameters: dict[str, SharedValue] = {}
    initial: dict[str, SharedValue] = {}
    ranges: tuple[RangeText, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> PlasticityModel:
        if (n := [assignment.target for assignment in read_statements(self.on_pre)].count("release")) != 1:
            raise ValueError(f"expected 'on_pre' to assign release once (\"release = w\"), found it {n} times")
        check_declared(self.parameters, self.equations)
        return self


class Plasticity(Spec):
    """The rule that a projection's synapses follow.

    Parameters
    ----------
    model : str
        Name of a rule, of the region's own or the library's.
    parameters : dict of str to value
        Values, distributions over synapses, or explicit values.
    initial : dict of str to value
        Variables at time zero; the weight's is the projection's ``weight``.
    modulator : str or None
        For rules of three factors: the population of the region whose spikes modulate.
    """

    model: str
    parameters: dict[str, Value] = {}
    initial: dict[str, Value] = {}
    modulator: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Plasticity:
        if "w" in self.initial:
            raise ValueError("expected no initial 'w', which is the projection's weight; drop it")
        return self
