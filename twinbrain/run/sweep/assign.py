"""Give a key of a declaration another value: the declaration stays, and a changed copy is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinbrain.errors import Problem, SpecError
from twinbrain.models.library import neuron_model, receptor_model
from twinbrain.network.grouping import defined_names
from twinbrain.spec.base import Spec
from twinbrain.spec.brain import Brain
from twinbrain.spec.called import called_in_list, called_in_table, is_pattern
from twinbrain.spec.cell import Cell
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.keys import Place, full_key, key_parts
from twinbrain.spec.load import load_region
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.training import Choice
from twinbrain.spec.whole_table import refuse_loss
from twinbrain.spec.workflow import Workflow


@dataclass(frozen=True)
class _Given:
    """A value, the key as a person wrote it, and the places that it has reached so far."""

    key: str
    value: Any
    reached: list[Place]

    def at(self, place: Place, there: Any) -> Any:
        """Return the value for a place, of what is there now."""
        self.reached.append(place)
        if isinstance(self.value, Mapping):
            refuse_loss(self.key, there, self.value, place)
        is_region = place[:2] == ("brain", "regions") and len(place) == 3
        return load_region(self.value) if is_region and isinstance(self.value, str) else self.value


def assigned(workflow: Workflow, values: Mapping[str, Any]) -> Workflow:
    """Return the workflow with some keys given other values.

    Parameters
    ----------
    workflow : Workflow
        What is changed.
    values : mapping of str to value
        Keys such as ``"run.seed"``, ``"brain.coupling"`` or ``"brain.regions.cortex/column.cells.pyr.parameters.b"``.
        ``run.`` and ``brain.`` may be left out. A region goes by its pattern, its name or its family; what stands in a
        list by its number or, where no number is meant, its name (a drive by its population, a projection by
        ``"pyr->pv"`` too); patterns such as ``"*"`` take all that fit.
        ``regions.cortex/column.parameters.b`` stands for every cell that gives ``b``, or, if none does, that has it,
        and ``train.task.coding`` for an option of a task or a rule.

    Returns
    -------
    Workflow
        Checked as if it had been declared so.

    Raises
    ------
    SpecError
        If a key leads nowhere, or a value does not fit there.
    """
    return assigned_at(workflow, values)[0]


def assigned_at(workflow: Workflow, values: Mapping[str, Any]) -> tuple[Workflow, dict[str, list[Place]]]:
    """Return what `assigned` does, and the places to which each key led when its turn came.

    Raises
    ------
    SpecError
        As `assigned` does.
    """
    reached: dict[str, list[Place]] = {key: [] for key in values}
    for key, value in values.items():
        parts = key_parts(key)
        if not all(parts):
            raise SpecError([Problem(key, "expected a key such as coupling or regions.cortex/column.parameters.b")])
        try:
            workflow = _assigned(workflow, full_key(key), _Given(key, value, reached[key]), ())
        except SpecError as error:
            later = list(values)[list(values).index(key) + 1 :]
            raise SpecError(
                Problem(_with_key(problem.where, key), _with_order(problem.message, later))
                for problem in error.problems
            ) from None
    return workflow, reached


def _with_order(message: str, later: list[str]) -> str:
    """Say of values that are too few or too many that keys which come later may change how many there should be."""
    if not later or "values, one for each" not in message:
        return message
    remedy = "put that on which the number depends first, or give a whole projection as one key"
    return f"{message}; keys take their values one after the other ({later[0]} comes later): {remedy}"


def _with_key(where: str, key: str) -> str:
    return f"{key} ({where})" if where and where != key else key


def _assigned(current: Any, parts: list[str], given: _Given, place: Place) -> Any:
    """Return ``current`` with what lies at ``parts`` in it replaced by what is given."""
    if not parts:
        return given.at(place, current)
    first, rest = parts[0], parts[1:]
    where = ".".join(place)
    if isinstance(current, Region) and first == "parameters":
        for cell in _cells_with(current, rest):
            current = _assigned(current, ["cells", cell, *parts], given, place)
        return current
    if isinstance(current, Choice) and first not in Choice.model_fields:
        parts, first, rest = ["options", *parts], "options", parts  # as in a file: task.coding
    if isinstance(current, Spec):
        fields = _fields(current)
        if first not in fields:
            raise SpecError([Problem(where, f"unknown key {first!r}; {suggestion(first, fields)}")])
        fields[first] = _assigned(fields[first], rest, given, (*place, first))
        if first == "file":
            fields["sha256"] = None  # of the file that was named before
        if isinstance(current, Brain) and first == "connectome":
            fields["regions"] = current.regions_for(fields["connectome"])
        if isinstance(current, Workflow) and first == "brain":
            fields |= current.placed_for(fields["brain"])
        return _made(type(current), fields, where)
    if isinstance(current, dict):
        if not rest and place[-1:] != ("regions",) and not is_pattern(first):
            # A key that need not be there: a parameter, an initial value.
            return current | {first: given.at((*place, first), current.get(first))}
        chosen = called_in_table(first, current, where)
        return current | {name: _assigned(current[name], rest, given, (*place, name)) for name in chosen}
    if isinstance(current, tuple | list):
        numbers = set(called_in_list(first, current, place[-1], where))
        return tuple(
            _assigned(item, rest, given, (*place, str(i))) if str(i) in numbers else item
            for i, item in enumerate(current)
        )
    raise SpecError([Problem(where, f"expected a table, found the value {current!r}; shorten the key")])


def _fields(spec: Spec) -> dict[str, Any]:
    """Return the fields of a declaration as `parse` takes them: parts that are declarations stay, and stay checked."""
    whole = {name: getattr(spec, name) for name in type(spec).model_fields}
    parts = {name: value for name, value in whole.items() if _is_declared(value)}
    return spec.model_dump(mode="json", exclude=set(parts)) | parts


def _is_declared(value: Any) -> bool:
    if isinstance(value, dict | tuple):
        return any(map(_is_declared, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Spec | Connectome)


def _made(model: type[Spec], fields: dict[str, Any], where: str) -> Spec:
    try:
        return model.parse(fields)
    except SpecError as error:
        within = [".".join(part for part in (where, problem.where) if part) for problem in error.problems]
        raise SpecError(
            Problem(place, problem.message) for place, problem in zip(within, error.problems, strict=True)
        ) from None


def _cells_with(region: Region, rest: list[str]) -> list[str]:
    """Return the cells that give a parameter; if none does, those that have it, or all, which is then told."""
    given = [name for name, cell in region.cells.items() if rest and rest[0] in cell.parameters]
    having = [name for name, cell in region.cells.items() if not given and rest and _has(cell, rest[0], region)]
    return given or having or list(region.cells)


def _has(cell: Cell, name: str, region: Region) -> bool:
    own = defined_names(neuron_model(cell.model, region))
    return name in own.union(*(defined_names(receptor_model(receptor, region)) for receptor in cell.receptors))
