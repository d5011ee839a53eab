"""Read equations and statements: lines that declare, define and assign names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from twinbrain.errors import SpecError, UnitError
from twinbrain.language.names import check_own_name
from twinbrain.language.reader import Reader
from twinbrain.language.sizes import Growth, growth
from twinbrain.language.tokens import PlacedError, Token
from twinbrain.language.tree import Name, Operation, Tree, names_in
from twinbrain.language.unit import read_unit

MOST_LINES = 200
"""Equations, and statements, of a text."""
FLAGS = ("unless refractory", "constant", "event-driven", "shared", "constant over dt")
"""What may stand in parentheses after a unit; some of it for some variables alone."""


@dataclass(frozen=True, slots=True)
class Equation:
    """A line of equations.

    Parameters
    ----------
    kind : str
        "derivative" (``dv/dt = … : volt``), "definition" (``x = … : 1``) or "declaration" (``C_m : farad``).
    name : str
        The variable or parameter.
    tree : Tree or None
        Right-hand side; a declaration has none.
    unit : tuple of (str, float)
        Its unit: names and exponents.
    flags : tuple of str
        What stands in parentheses after it.
    """

    kind: Literal["derivative", "definition", "declaration"]
    name: str
    tree: Tree | None
    unit: tuple[tuple[str, float], ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target = tree``."""

    target: str
    tree: Tree


_DERIVATIVE = re.compile(r"d([A-Za-z]\w*)", re.ASCII)


@lru_cache(maxsize=1 << 10)
def read_equations(text: str) -> tuple[Equation, ...]:
    """Return the equations of a text.

    Raises
    ------
    SpecError
        If a line is no equation, with line and column; if a name cannot be used or is given twice; or if names stand
        for one another in a circle or for more than could be written out.
    """
    reader = Reader(text)
    found: dict[str, Equation] = {}
    while True:
        reader.skip_lines("\n")
        if reader.peek().kind == "end":
            break
        start = reader.peek()
        equation = _equation(reader)
        if equation.name in found:
            raise PlacedError(text, start.at, f"expected each name once, found {equation.name!r} again; rename it")
        found[equation.name] = equation
        if len(found) > MOST_LINES:
            raise PlacedError(text, start.at, f"expected at most {MOST_LINES} equations, found more")
    check_definitions(tuple(found.values()))
    return tuple(found.values())


@lru_cache(maxsize=1 << 10)
def read_statements(text: str) -> tuple[Assignment, ...]:
    """Return the assignments of a text, such as ``v = V_reset; w += b``; ``+=`` and its like are written out.

    Raises
    ------
    SpecError
        If a line is no assignment, with line and column.
    """
    reader = Reader(text)
    found: list[Assignment] = []
    while True:
        reader.skip_lines()
        if reader.peek().kind == "end":
            return tuple(found)
        name = _name(reader, 'an assignment such as "v = V_reset"')
        operator = reader.take()
        if operator.text not in ("=", "+=", "-=", "*=", "/="):
            raise reader.refuse('"=" (or +=, -=, *=, /=), as in "v = V_reset"', operator)
        tree = reader.number()
        if operator.text != "=":
            tree = Operation(operator.text[0], (Name(name.text, name.at), tree), operator.at)
        found.append(Assignment(name.text, tree))
        if reader.peek().kind not in ("line", "end"):
            raise reader.refuse('an operator, ";" or the end of the line')
        if len(found) > MOST_LINES:
            raise PlacedError(text, name.at, f"expected at most {MOST_LINES} statements, found more")


def check_definitions(equations: tuple[Equation, ...]) -> dict[str, Growth]:
    """Check that definitions go in no circle, and what every equation grows to with them written out.

    Returns
    -------
    dict of str to Growth
        Of each definition.

    Raises
    ------
    SpecError
        If they do, or it is too much.
    """
    waiting = {e.name: e for e in equations if e.kind == "definition"}
    known: dict[str, Growth] = {}
    while waiting:
        ready = [e for e in waiting.values() if e.tree is not None and not names_in(e.tree) & set(waiting)]
        if not ready:
            raise SpecError(
                f"expected definitions that can be written out one after the other, found that "
                f"{', '.join(sorted(waiting))} need each other; make one of them a parameter or a derivative"
            )
        for equation in ready:
            assert equation.tree is not None
            known[equation.name] = growth(equation.tree, known)
            del waiting[equation.name]
    for equation in equations:
        if equation.kind == "derivative" and equation.tree is not None:
            growth(equation.tree, known)
    return known


def _equation(reader: Reader) -> Equation:
    form = 'an equation such as "dv/dt = (E_L - v)/tau : volt" or "tau : second"'
    name = _name(reader, form)
    kind: Literal["derivative", "definition", "declaration"] = "declaration"
    tree = None
    if reader.takes("/"):
        match = _DERIVATIVE.fullmatch(name.text)
        if match is None or not reader.takes("dt"):
            raise reader.refuse(f"{form}", name)
        name, kind = name._replace(text=match[1], at=name.at + 1), "derivative"
    if kind == "derivative" or reader.peek().text != ":":
        if not reader.takes("="):
            raise reader.refuse('"="' if kind == "derivative" else '"=" or ":"')
        tree, kind = reader.number(through_lines=True), "definition" if kind == "declaration" else kind
    if not reader.takes(":"):
        raise reader.refuse('an operator, or ":" and a unit')
    try:
        check_own_name(name.text)
    except SpecError as error:
        raise PlacedError(reader.text, name.at, str(error)) from None
    at, rest = reader.rest_of_line()
    unit, flags = _unit_and_flags(reader.text, at, rest, name.text)
    return Equation(kind, name.text, tree, unit, flags)


def _name(reader: Reader, expected: str) -> Token:
    token = reader.take()
    if token.kind != "name":
        raise reader.refuse(expected, token)
    reader.check_name(token)
    return token


def _unit_and_flags(text: str, at: int, rest: str, name: str) -> tuple[tuple[tuple[str, float], ...], tuple[str, ...]]:
    match = re.fullmatch(r"(.*?[\w)])\s*\(([^()]*)\)\s*", rest, re.ASCII)
    unit, flags = (match[1], tuple(flag.strip() for flag in match[2].split(","))) if match else (rest.strip(), ())
    if unknown := [flag for flag in flags if flag not in FLAGS]:
        raise PlacedError(text, at, f"expected a flag that is one of {', '.join(FLAGS)}, found {unknown[0]!r}")
    if unit in ("integer", "boolean"):
        raise PlacedError(text, at, f'expected {name!r} with a unit, found "{unit}"; write "{name} : 1"')
    try:
        return read_unit(unit), flags
    except UnitError as error:
        raise PlacedError(text, at, str(error)) from None
