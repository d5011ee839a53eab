import pytest

from twinbrain.errors import UnitError
from twinbrain.language.unit import read_unit


@pytest.mark.parametrize(
    ("text", "exponents"),
    [
        ("1", {}),
        ("mV", {"mV": 1}),
        ("nS/mV", {"nS": 1, "mV": -1}),
        ("/ms", {"ms": -1}),
        ("1/ms", {"ms": -1}),
        ("pA/mV**3", {"pA": 1, "mV": -3}),
        ("m s^-1", {"m": 1, "s": -1}),
        ("kg/(m*s**2)", {"kg": 1, "m": -1, "s": -2}),
        ("a/b/c*d", {"a": 1, "b": -1, "c": -1, "d": 1}),
        ("(V*s)**(1/2)", {"V": 0.5, "s": 0.5}),
        ("mV*mV/mV", {"mV": 1}),
        ("mV/mV", {}),
        ("µs", {"µs": 1}),
        ("%", {"%": 1}),
        ("°C", {"°C": 1}),
    ],
)
def test_a_unit_is_names_with_exponents(text, exponents):
    assert dict(read_unit(text)) == exponents


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "2",
            "2*mV",
            "mV+mV",
            "mV**",
            "mV**mV",
            "mV**13",
            "(mV**7)**2",
            "(mV",
            "mV)",
            "mV;",
            "mV*",
            "a.b",
            "mV**2**2",
        ),
        *("f('x')", "mV[0]", "mV\\", "(" * 100 + "mV" + ")" * 100, "mV*" * 1000 + "mV", "mV**(1/0)", "mV**1e3"),
    ],
)
def test_what_is_no_unit_is_refused(text):
    with pytest.raises(UnitError, match="expected a unit"):
        read_unit(text)
