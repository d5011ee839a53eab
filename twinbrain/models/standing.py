"""Whether a receptor gives a current though nothing arrives at it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import sympy

from twinbrain.language.tree import Name, Tree
from twinbrain.models.equations import combine
from twinbrain.models.reading import TIME_STEP, equations_of
from twinbrain.spec.model import NeuronModel, ReceptorModel


def gives_alone(model: NeuronModel, name: str, receptor: ReceptorModel, nonzero: Iterable[str]) -> bool:
    """Return whether a receptor's current may be other than 0 though nothing arrives.

    Parameters
    ----------
    model : NeuronModel
        The neuron.
    name : str
        Name of the receptor.
    receptor : ReceptorModel
        The receptor.
    nonzero : iterable of str
        Parameters, and variables at time zero, that are other than 0 in some neuron.
    """
    if receptor.current is None:
        return False
    return _gives_alone(model.model_dump_json(), name, receptor.model_dump_json(), frozenset(nonzero))


@cache
def _gives_alone(model: str, name: str, receptor: str, nonzero: frozenset[str]) -> bool:
    known = ReceptorModel.model_validate_json(receptor)
    equations = combine(NeuronModel.model_validate_json(model), {name: known})
    nothing = ({*equations.parameters} - nonzero) | {*equations.inputs}
    lines = equations_of(known.equations, {"dt": Name(TIME_STEP)})
    changes = {line.name: line.tree for line in lines if line.kind == "derivative" and line.tree is not None}
    still = set(changes) - nonzero

    def is_zero(expression: Tree) -> bool:
        zeros = {sympy.Symbol(known, real=True): sympy.Integer(0) for known in nothing | still}
        return bool(equations.sympy(expression).xreplace(zeros) == 0)

    # Variables at 0 stay there if they do not change while all of them are 0; without those that do, ask again.
    while moving := {name for name in still if not is_zero(changes[name])}:
        still -= moving
    return not is_zero(Name(str(known.current)))
