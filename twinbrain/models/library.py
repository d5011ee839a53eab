"""Look up models of neurons, receptors and plasticity, a region's own first; and the library's cell cards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from twinbrain.errors import Problem, SpecError
from twinbrain.models.cells import CELL_CARDS
from twinbrain.models.neurons import NEURON_MODELS
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.receptors import RECEPTOR_MODELS
from twinbrain.spec.cell import Cell
from twinbrain.spec.model import NeuronModel, ReceptorModel
from twinbrain.spec.plasticity import PlasticityModel
from twinbrain.spec.suggest import suggestion

if TYPE_CHECKING:
    from twinbrain.spec.region import Region


_Model = TypeVar("_Model", NeuronModel, ReceptorModel, PlasticityModel)


def neuron_model(name: str, region: Region | None = None) -> NeuronModel:
    """Return the neuron model of that name.

    Raises
    ------
    SpecError
        If neither the region nor the library has it.
    """
    return _look_up(name, "neuron model", region.models if region else {}, NEURON_MODELS)


def receptor_model(name: str, region: Region | None = None) -> ReceptorModel:
    """Return the receptor model of that name.

    Raises
    ------
    SpecError
        If neither the region nor the library has it.
    """
    return _look_up(name, "receptor", region.receptors if region else {}, RECEPTOR_MODELS)


def plasticity_model(name: str, region: Region | None = None) -> PlasticityModel:
    """Return the plasticity rule of that name.

    Raises
    ------
    SpecError
        If neither the region nor the library has it.
    """
    return _look_up(name, "plasticity rule", region.plasticity if region else {}, PLASTICITY_MODELS)


def cell_card_names() -> list[str]:
    """Return the names of all cell cards."""
    return sorted(CELL_CARDS)


def cell_card(name: str, receptors: Iterable[str] = ()) -> Cell:
    """Return a cell with published parameters.

    Parameters
    ----------
    name : str
        Such as ``"adex/bursting"``.
    receptors : iterable of str, optional
        The receptors that the cell is to have.

    Raises
    ------
    SpecError
        If there is no such card.
    """
    if (card := CELL_CARDS.get(name)) is None:
        raise SpecError([Problem("", f"unknown cell card {name!r}; {suggestion(name, CELL_CARDS)}")])
    return card.model_copy(update={"receptors": tuple(receptors)})


def _look_up(name: str, what: str, own: dict[str, _Model], library: dict[str, _Model]) -> _Model:
    if (found := own.get(name, library.get(name))) is None:
        raise SpecError([Problem("", f"unknown {what} {name!r}; {suggestion(name, [*own, *library])}")])
    return found
