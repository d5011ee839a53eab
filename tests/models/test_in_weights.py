"""What is in the unit of weights is known by its dimension, and a rule that mixes it with other things is found."""

import pytest

from twinbrain.errors import SpecError
from twinbrain.language.lines import read_equations
from twinbrain.models.in_weights import exponents
from twinbrain.models.plasticity import PLASTICITY_MODELS
from twinbrain.models.rule import rule_program
from twinbrain.spec.plasticity import PlasticityModel


@pytest.mark.parametrize(
    ("declared", "weight", "exponent"),
    [
        *((unit, "amp", 1) for unit in ("weight", "amp", "ampere", "coulomb/second", "volt*siemens", "volt/ohm")),
        *(("weight/second", "amp", 1), ("ampere/second", "amp", 1), ("1/weight", "amp", -1), ("ampere**2", "amp", 2)),
        *((unit, "amp", 0) for unit in ("1", "second", "volt", "siemens", "weight/ampere")),
        *(("weight", "1", 1), ("1", "1", 0), ("radian", "1", 0), ("volt/second", "volt/second", 1)),
    ],
)
def test_what_is_in_the_unit_of_weights_is_told_by_its_dimension(declared, weight, exponent):
    assert exponents(read_equations(f"x : {declared}"), weight).get("x", 0) == exponent


@pytest.mark.parametrize("unit", ["nS", "pA", "1", "mV/ms"])
@pytest.mark.parametrize("name", PLASTICITY_MODELS)
def test_rules_of_the_library_can_be_scaled(name, unit):
    assert rule_program(PLASTICITY_MODELS[name], unit).not_scaled == ""


OWN = "n : 1\ng : weight\nh : weight\nI : amp\nV : volt\ntau : second\nboth = g + h : weight"


@pytest.mark.parametrize(
    ("statement", "unit", "found"),
    [
        ("w = clip(w + 3*nS*n, 0*weight, 4*nS)", "nS", ""),
        ("w = sqrt(w*both)*exp(-w/g)*int(w > 0*weight) + abs(h)", "nS", ""),
        ("w = g**2*h**(-1) + w*(g/h)**n", "nS", ""),
        ("w = w + 1*weight - 0", "1", ""),
        ("w = w + 1*pA/mV", "nS", "w + 1 * pA / mV"),
        ("w = w + 1/Gohm", "nS", "w + 1 / Gohm"),
        ("w = w + I/V", "nS", "w + I / V"),
        ("w = clip(w, 0*nS, I/V)", "nS", "clip(w, 0 * nS, I / V)"),
        ("w = w*int(w > I/V)", "nS", "w > I / V"),
        ("w = I/V", "nS", "I / V"),
        ("n = n + w*V/I", "nS", "n + w * V / I"),
        ("w = w + 1", "1", "w + 1"),
        ("w = w + n*g*n*exp(g)", "1", "exp(g)"),
        ("w = w**n", "1", "w ** n"),
    ],
)
def test_a_rule_that_cannot_be_scaled_tells_where(statement, unit, found):
    rule = PlasticityModel(equations=OWN, on_post=f"{statement}; n = n + 1")
    assert rule_program(rule, unit).not_scaled == found


@pytest.mark.parametrize("statement", ["w += 1*weight", "w = clip(w, 0*weight, 2*3*weight)", "w += weight/2"])
def test_a_number_of_whole_units_is_refused(statement):
    rule = PlasticityModel(on_post=statement)
    with pytest.raises(SpecError, match=r"expected a number in a unit, such as 3\*nS, .* 1\*weight is 1e\+09 nS"):
        rule_program(rule, "nS")
    assert rule_program(rule, "1")


def test_zero_and_variables_of_weights_are_taken():
    assert rule_program(PlasticityModel(equations="x : 1", on_post="x += 1; w = clip(x*weight, -0*weight, w)"), "nS")
