"""Which receptors of a neuron act on nothing of it, whatever arrives."""

from __future__ import annotations

from collections.abc import Mapping

from twinbrain.errors import Problem
from twinbrain.language.tree import names_in
from twinbrain.models.reading import condition_of, equations_of, statements_of
from twinbrain.spec.model import NeuronModel, ReceptorModel

_SUM = "I_syn"


def unfelt(model: NeuronModel, receptors: Mapping[str, ReceptorModel]) -> set[str]:
    """Return the receptors of which nothing is felt: no equation of the neuron's follows from what they take in.

    A cell may list such a receptor; it is a fault where something arrives there (`unfelt_problem`).
    """
    own = equations_of(model.equations)
    currents = {receptor.current for receptor in receptors.values() if receptor.current is not None}
    needs = {_SUM: currents}
    for line in (*own, *(line for receptor in receptors.values() for line in equations_of(receptor.equations))):
        needs[line.name] = names_in(line.tree) if line.tree is not None else set()
    felt: set[str] = set()
    waiting = {line.name for line in own} | names_in(condition_of(model.threshold))
    waiting = waiting.union(*(names_in(statement.tree) for statement in statements_of(model.reset)))
    while waiting:
        felt |= waiting
        waiting = set().union(*(needs.get(name, set()) for name in waiting)) - felt
    return {name for name, receptor in receptors.items() if receptor.jump not in felt}


def unfelt_problem(where: str, name: str, receptor: ReceptorModel) -> Problem:
    """Return the fault of something that arrives at a receptor of `unfelt`."""
    if receptor.current is None:
        wanted = f"its variable {receptor.jump!r}, or a 'current' of the receptor, in the neuron's equations"
    else:
        wanted = f"{_SUM}, the sum of the receptors' currents, in the neuron's equations"
    return Problem(where, f"expected a receptor that acts on the neuron, found {name!r}, which does not; use {wanted}")
