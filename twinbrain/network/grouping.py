"""Which cells are computed together: those of one model, with the receptors of all, where that is the same to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinbrain.language.lines import read_equations
from twinbrain.models.at_rest import acts_at_rest
from twinbrain.spec.model import NeuronModel, ReceptorModel

Receptors = Mapping[str, ReceptorModel]


@dataclass
class Group:
    """Cells that are computed together.

    Parameters
    ----------
    name : str
        Name of their model.
    model : NeuronModel
        The model.
    acting : frozenset of str
        Receptors that act without input; all of the cells list them.
    receptors : dict of str to ReceptorModel
        Those of all cells; one that a cell does not list does nothing to it.
    """

    name: str
    model: NeuronModel
    acting: frozenset[str]
    receptors: dict[str, ReceptorModel] = field(default_factory=dict)


def group_of(
    groups: list[Group], name: str, model: NeuronModel, receptors: Receptors, injected: Receptors | None = None
) -> int:
    """Return the number of the group that a cell belongs to, which is added where there is none.

    Parameters
    ----------
    groups : list of Group
        Those that there are. The cell's receptors are not added to it.
    name : str
        Name of the cell's model.
    model : NeuronModel
        The model.
    receptors, injected : mapping of str to ReceptorModel, the second optional
        Those that it lists, and those through which something is injected besides.
    """
    acting = frozenset(own for own, receptor in receptors.items() if acts_at_rest(model, receptor))
    for number, group in enumerate(groups):
        alike = (group.name, group.acting, group.model.digest) == (name, acting, model.digest)
        if alike and not _collide(group.receptors, {**(injected or {}), **receptors}):
            return number
    groups.append(Group(name, model, acting))
    return len(groups) - 1


def _collide(present: Receptors, added: Receptors) -> bool:
    """Return whether receptors of different names define the same names."""
    return any(
        name != other and not defined_names(receptor).isdisjoint(defined_names(present[other]))
        for name, receptor in added.items()
        if name not in present
        for other in present
    )


def defined_names(model: NeuronModel | ReceptorModel) -> set[str]:
    """Return the variables and parameters of a model."""
    return {line.name for line in read_equations(model.equations)}
