import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.errors import SpecError
from twinbrain.language.reader import DEEPEST, read_condition, read_number
from twinbrain.language.tree import FUNCTIONS, Call, Name, Number, Operation, names_in, render

NUMBERS = (
    st.integers(1, 99).map(Number)
    | st.floats(1e-3, 1e3).map(Number)
    | st.sampled_from(["v", "E_L", "tau_2", "mV", "andor", "x_"]).map(Name)
)


def sums(below):
    some = st.sampled_from([name for name, n in FUNCTIONS.items() if n == 1 and name not in ("int", "log", "sqrt")])
    named = below.map(lambda tree: Operation("+", (Name("v"), tree)))
    return (
        st.builds(lambda sign, a: Operation(sign, (a,)), st.sampled_from("+-"), named)
        | st.builds(lambda sign, a, b: Operation(sign, (a, b)), st.sampled_from(["+", "-", "*", "/"]), below, named)
        | st.builds(lambda a: Operation("**", (a, Operation("-", (Number(2),)))), named)
        | st.builds(lambda a, b: Operation("**", (a, b)), named, named)
        | st.builds(lambda name, a: Call(name, (a,)), some, named)
        | st.builds(lambda a, b, c: Call("clip", (a, b, c)), named, named, named)
    )


TREES = st.recursive(NUMBERS, sums, max_leaves=12)


@given(TREES)
def test_a_rendered_tree_reads_as_itself(tree):
    assert read_number(render(tree)) == tree


@given(TREES)
def test_a_rendered_tree_means_the_same_in_python(tree):
    def of_python(node):
        match node:
            case ast.Constant(value=value):
                return Number(value)
            case ast.Name(id=name):
                return Name(name)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return Call(name, tuple(map(of_python, arguments)))
            case ast.UnaryOp(op=sign, operand=operand):
                return Operation({ast.USub: "-", ast.UAdd: "+"}[type(sign)], (of_python(operand),))
            case ast.BinOp(left=left, op=sign, right=right):
                signs = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
                return Operation(signs[type(sign)], (of_python(left), of_python(right)))

    assert of_python(ast.parse(render(tree), mode="eval").body) == tree


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("-v**2", "- v ** 2"),
        ("(-v)**2", "(- v) ** 2"),
        ("2**-v**w", "2 ** - v ** w"),
        ("(a**b)**c", "(a ** b) ** c"),
        ("a-(b-c)-d", "a - (b - c) - d"),
        ("a/(b*c)*d", "a / (b * c) * d"),
        ("((v))", "v"),
        (" v\n + \t w # a comment", "v + w"),
        ("exp(\n  v,\n)".replace(",", ""), "exp(v)"),
        ("1e3 + .5 + 2. + 007", "1000.0 + 0.5 + 2.0 + 7"),
        ("int(v > w or not v < 2*w and v != u)", "int(v > w or not v < 2 * w and v != u)"),
        ("int((v > w or u > w) and v > u)", "int((v > w or u > w) and v > u)"),
    ],
)
def test_operators_bind_as_in_python(text, rendered):
    assert render(read_number(text)) == rendered


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v +", r"line 1, column 4 \(after 'v \+'\): expected a number, a name or \"\(\", found the end"),
        ("(v", r'expected an operator or "\)", found the end'),
        ("v)", "expected an operator or the end, found '\\)'"),
        ("v\n+ w )", r"line 2, column 5 \(after '\+ w'\)"),
        ("v w", "expected an operator or the end, found 'w'"),
        ("exp v", r'expected "\(" after the function exp'),
        ("exp(v, w)", "expected 1 argument of exp, found 2"),
        ("clip(v, 1)", "expected 3 arguments of clip, found 2"),
        ("exp(v w)", r"""expected an operator, "," or "\)", found 'w'"""),
        ("floor(v)", r"expected one of the functions exp, .*, found 'floor\(…\)'"),
        ("v^2", r"""found '\^'; a power is written "\*\*\""""),
        ("v ** 2 ** 50", "expected an exponent up to 100"),
        ("'v'", "operators and parentheses alone, found '''"),
        ("v.real", "found '.'"),
        ("v[0]", r"found '\['"),
        ("µ", "found 'µ'"),
        ("v\x1b[2J", r"found '\\x1b'"),
        ("__v", "at most 64 characters, found '__v'"),
        ("lambda", "expected a number, a name or .*found 'lambda'"),
        ("12mV", "expected a number such as 2 or 0.5e-3, found '12m'"),
        ("v > w", "expected a number, found 'v > w'"),
        ("1 + (v > w)", r"expected numbers beside '\+', found a condition; int"),
        ("exp(v > w)", "expected numbers within exp, found a condition"),
        ("int(v)", "expected a condition within int"),
        ("int(1 > 2)", "expected a comparison of variables or parameters, found one of numbers"),
        ("v/(2 - 2)", "expected a divisor other than 0, found 2 - 2"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text, message):
    with pytest.raises(SpecError, match=message) as caught:
        read_number(text)
    assert "\n" not in str(caught.value)


def test_conditions_are_no_numbers():
    assert names_in(read_condition("v > V_th and below > 0.5")) == {"v", "V_th", "below"}
    with pytest.raises(SpecError, match="expected a condition such as \"v > V_th\", found 'v'"):
        read_condition("v")


@given(st.text(max_size=40) | st.text("v+-*/()<>=.,eE0123456789 \n'\\andornot", max_size=40))
def test_any_text_is_an_expression_or_one_error(text):
    try:
        tree = read_number(text)
    except SpecError:
        return
    assert read_number(render(tree)) == tree


@pytest.mark.parametrize("opening", ["(", "-", "exp(", "2**", "clip(1, v, "])
def test_depth_has_a_bound(opening):
    closing = ")" * opening.count("(")
    read_number(opening * (DEEPEST // 3) + "v" + closing * (DEEPEST // 3))
    with pytest.raises(SpecError, match=r"expected at most 50 .* within each other"):
        read_number(opening * 500 + "v" + closing * 500)
