"""A program's step as single operations on named values, each assigned once: the form that is differentiated."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from twinbrain.engines.torch.render import check_functions, in_units
from twinbrain.learn.fused.jumps import read_jumps
from twinbrain.learn.fused.threshold import read_threshold
from twinbrain.learn.fused.upstroke import UPSTROKE, with_upstroke
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram

_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARED = {ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class Operation:
    """``target = name(operands)``; operands are names of values, or numbers as text."""

    target: str
    name: str
    operands: tuple[str, ...]


@dataclass(frozen=True)
class Operations:
    """A step.

    Parameters
    ----------
    operations : tuple of Operation
        In order. They begin with the names of the program's state and constants, and ``_arrived_<receptor>``.
    state : dict of str to str
        For each state variable, the value that it has after the step.
    spiked : str
        Whether the neuron spikes.
    margin : str
        Distance from the threshold.
    gate : str or None
        Whether it may spike at all; None where it always may.
    jumps : dict of str to str
        For state variables that a spike adds to, what it adds, or would if there were one.
    """

    operations: tuple[Operation, ...]
    state: dict[str, str]
    spiked: str
    margin: str
    gate: str | None
    jumps: dict[str, str] = field(default_factory=dict)


def is_number(operand: str) -> bool:
    """Return whether an operand is a number."""
    return operand[0].isdigit() or operand[0] in "-."


def read_operations(program: StepProgram) -> Operations:
    """Return the operations of a program's step; those that occur twice are done once.

    Raises
    ------
    LearnError
        If no distance from the threshold can be told.
    EngineError
        If the program uses an unknown function.
    """
    program = with_upstroke(program)
    receptors = tuple(program.jumps)
    reader = _Reader()
    for statement in program.integrate:
        reader.assign(statement.target, in_units(statement.expression, receptors))
    threshold = read_threshold(program)
    spiked = reader.read(program.threshold)
    if REFRACTORY_LEFT in program.state:
        spiked = reader.add("and", spiked, reader.read(f"{REFRACTORY_LEFT} <= 0.0"))
    margin = reader.read(threshold.margin)
    gate = None if threshold.gate is None else reader.read(threshold.gate)
    jumps = read_jumps(program)
    for statement in jumps.statements:
        reader.assign(statement.target, statement.expression)
    for statement in program.reset:
        new = reader.read(statement.expression)
        if statement.target in program.state:
            new = reader.add("select", spiked, new, reader.value_of(statement.target))
        reader.names[statement.target] = new
    state = {name: reader.value_of(name) for name in program.state}
    added = {name: reader.value_of(jump) for name, jump in jumps.of.items()}
    return Operations(tuple(reader.operations), state, spiked, margin, gate, added)


@dataclass
class _Reader:
    """Takes expressions apart."""

    operations: list[Operation] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    _found: dict[tuple[str, ...], str] = field(default_factory=dict)

    def assign(self, target: str, expression: str) -> None:
        self.names[target] = self.read(expression)

    def read(self, expression: str) -> str:
        check_functions(expression, UPSTROKE)
        return self._read(ast.parse(expression, mode="eval").body)

    def value_of(self, name: str) -> str:
        return self.names.get(name, name)

    def add(self, name: str, *operands: str) -> str:
        key = (name, *operands)
        if key not in self._found:
            self._found[key] = f"_o{len(self.operations)}"
            self.operations.append(Operation(self._found[key], name, operands))
        return self._found[key]

    def _read(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self.value_of(name)
            case ast.Constant(value=float() | int() as number):
                return repr(float(number))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=float() | int() as number)):
                return repr(-float(number))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.add("negative", self._read(operand))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.add("not", self._read(operand))
            case ast.BinOp(left=left, op=operator, right=right):
                return self.add(_BINARY[type(operator)], self._read(left), self._read(right))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self.add(_COMPARED[type(operator)], self._read(left), self._read(right))
            case ast.BoolOp(op=operator, values=values):
                found = self._read(values[0])
                for value in values[1:]:
                    found = self.add("and" if isinstance(operator, ast.And) else "or", found, self._read(value))
                return found
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.add(name, *(self._read(argument) for argument in arguments))
            case _:
                raise AssertionError(ast.unparse(node))
