import pytest

from twinbrain.errors import SpecError
from twinbrain.language.lines import Equation, read_equations, read_statements
from twinbrain.language.reader import read_number
from twinbrain.language.tree import render


def test_equations_are_derivatives_definitions_and_declarations():
    text = """
    # a neuron
    dv/dt = (E - v
             + I)/tau : volt (unless refractory)   # over two lines
    x = v/E : 1
    tau : second (constant)
    rate : 1/second
    """
    assert read_equations(text) == (
        Equation("derivative", "v", read_number("(E - v + I)/tau"), (("volt", 1.0),), ("unless refractory",)),
        Equation("definition", "x", read_number("v/E"), ()),
        Equation("declaration", "tau", None, (("second", 1.0),), ("constant",)),
        Equation("declaration", "rate", None, (("second", -1.0),)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dv/dt : volt", r'line 1, column 7 .*expected "="'),
        ("dv/ds = 1 : 1", "expected an equation such as"),
        ("v/dt = 1 : 1", "expected an equation such as"),
        ("v", 'expected "=" or ":", found the end'),
        ("v = 1", 'expected an operator, or ":" and a unit, found the end'),
        ("v = : 1", "expected a number, a name"),
        ("v : ", "expected a unit such as"),
        ("v : 3", "expected a unit such as"),
        ("v : volt volt2x(", "expected a unit such as"),
        ("v : volt; w : volt", "expected an equation such as"),
        ("v : 1\n\nv : 1", "line 3, column 1: expected each name once, found 'v' again"),
        ("= 1 : 1", "expected an equation such as"),
        ("x = x + 1 : 1", "found that x need each other"),
        ("\n".join(f"x{i} : 1" for i in range(201)), "at most 200 equations"),
    ],
)
def test_what_is_no_equation_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        read_equations(text)


def test_statements_assign():
    found = read_statements("v = E; w += b # up\n u *= 2 - 1\n\n x /= (y\n + 1)")
    assert [(s.target, render(s.tree)) for s in found] == [
        ("v", "E"),
        ("w", "w + b"),
        ("u", "u * (2 - 1)"),
        ("x", "x / (y + 1)"),
    ]
    assert read_statements("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v", 'expected "="'),
        ("v = ", "expected a number, a name"),
        ("v == 1", 'expected "="'),
        ("v = w = 1", "expected an operator, \";\" or the end of the line, found '='"),
        ("v **= 2", 'expected "="'),
        ("1 = v", "expected an assignment"),
        ("v = 1 w = 2", "expected an operator"),
        ("v = w > 1", "expected a number, found a condition"),
        ("v = 1;" * 201, "at most 200 statements"),
    ],
)
def test_what_is_no_statement_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        read_statements(text)
