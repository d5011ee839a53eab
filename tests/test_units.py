import math
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain import units
from twinbrain.errors import SpecError, UnitError

UNITS = [
    "ms",
    "s",
    "us",
    "mV",
    "V",
    "pA",
    "nA",
    "nS",
    "uS",
    "pF",
    "nF",
    "Hz",
    "kHz",
    "mm",
    "m/s",
    "Mohm",
    "GOhm",
    "MOhm",
]
AMOUNTS = st.floats(-1e12, 1e12).map(lambda x: float(f"{x:.12g}"))


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("10 ms", "ms", 10.0),
        ("0.01 s", "ms", 10.0),
        ("10ms", "ms", 10.0),
        (" -70  mV ", "mV", -70.0),
        ("+1e-3 V", "mV", 1.0),
        (".5 nA", "pA", 500.0),
        ("7 m/s", "mm/ms", 7.0),
        ("0.03/ms", "Hz", 30.0),
        ("3 1/ms", "Hz", 3000.0),
        ("2e-1 1 / mV", "1/V", 200.0),
        ("2 µs", "ms", 0.002),
        ("3 pA/mV**3", "A/V**3", 3e-3),
        ("3 pA/mV^3", "A/V**3", 3e-3),
        ("5 %", "1", 0.05),
        (3, "1", 3.0),
        (np.float32(0.5), "1", 0.5),
        (np.int64(2), "1", 2.0),
        ("3", "1", 3.0),
    ],
)
def test_a_quantity_is_converted(text, unit, expected):
    assert units.number(text, unit) == expected


@given(AMOUNTS, st.sampled_from(UNITS))
def test_what_is_shown_is_read(value, unit):
    assert units.number(units.show(value, unit), unit) == value


@given(
    AMOUNTS,
    st.sampled_from([("s", "ms", 1e3), ("V", "mV", 1e3), ("nA", "pA", 1e3), ("m", "mm", 1e3), ("kHz", "Hz", 1e3)]),
)
def test_prefixes_are_factors(value, case):
    large, small, factor = case
    assert units.number(f"{value!r} {large}", small) == pytest.approx(value * factor, rel=1e-14)


@given(AMOUNTS, st.sampled_from(UNITS))
def test_normal_form_is_a_fixed_point_and_the_same_quantity(value, unit):
    text = units.show(value, unit)
    normal = units.normalise(text)
    assert units.normalise(normal) == normal
    assert units.number(normal, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("0.01 s", "10 ms"),
        ("-0.0 mV", "0 mV"),
        ("1 kHz", "1000 Hz"),
        ("1 m/s", "1 mm/ms"),
        ("0.2 uS", "200 nS"),
        ("1 um", "0.001 mm"),
        ("7 kg", "7 kg"),
        ("2", 2.0),
        (2, 2.0),
    ],
)
def test_equal_quantities_read_alike(text, normal):
    assert units.normalise(text) == normal


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("nS", "mV"), "pA"),
        (("pF", "mV", "1/ms"), "pA"),
        (("Gohm", "pA"), "mV"),
        (("pF", "Gohm"), "ms"),
        (("mm/ms", "ms"), "mm"),
        (("pF/nS",), "ms"),
        (("nS/mV", "mV", "mV"), "pA"),
    ],
)
def test_the_coherent_set_needs_no_factors(left, right):
    product = math.prod(units.coherent_factor(unit) for unit in left)
    assert product == units.coherent_factor(right) == 1.0


@given(st.floats(1e-6, 1e6), st.sampled_from(["ms", "mV", "pA", "nS", "pF", "Gohm", "mm", "mM", "1"]))
def test_units_of_the_coherent_set_count_one(value, unit):
    assert units.coherent(f"{value!r} {'' if unit == '1' else unit}", unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("second", 1e3), ("volt", 1e3), ("amp", 1e12), ("siemens", 1e9), ("farad", 1e12), ("ohm", 1e-9), ("Hz", 1e-3)],
)
def test_si_units_in_the_coherent_set(unit, factor):
    assert units.coherent_factor(unit) == factor


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("volt", "mV"), ("second", "ms"), ("siemens", "nS"), ("1", "1"), ("metre**2", "mm**2"), ("ampere", "pA")],
)
def test_quantities_have_a_familiar_unit(unit, shown):
    assert units.familiar(unit) == shown


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("Hz", "1/ms"),
        ("ohm", "Gohm"),
        ("volt", "mV"),
        ("1", "1"),
        ("volt**2", "mV**2"),
        ("coulomb", "pA*ms"),
        ("1/volt", "1/mV"),
        ("volt/second**2", "mV/ms**2"),
        ("siemens/second", "pA/mV/ms"),
        ("volt**0.5", "mV**0.5"),
    ],
)
def test_every_dimension_has_a_unit_of_the_coherent_set(unit, shown):
    assert units.coherent_unit(unit) == shown
    assert units.coherent_factor(shown) == 1.0
    assert units.coherent(0.3 if unit == "1" else units.show(0.3, shown), unit) == 0.3


@pytest.mark.parametrize(
    ("quantity", "unit", "shown"),
    [("5 Hz", "Hz", 5.0), ("40 Mohm", "Mohm", 40.0), ("-65 mV", "mV", -65.0), ("2 pC", "coulomb", 2e-12)],
)
def test_what_stands_beside_the_name_of_a_unit_is_in_it(quantity, unit, shown):
    found = units.in_unit(np.full(2, units.coherent(quantity, unit)), unit)
    assert found == pytest.approx(shown, rel=1e-14)


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        ("10", "ms", r"""expected a quantity in ms, found '10' without a unit; write "10 ms"$"""),
        (10, "ms", r"""expected a quantity in ms, found 10 without a unit; write "10 ms"$"""),
        ("10 mV", "ms", r"expected a quantity in ms, found '10 mV', which is of another dimension$"),
        ("10 ms", "1", r"expected a quantity in 1, found '10 ms', which is of another dimension$"),
        ("10 mS", "ms", "another dimension"),
        ("1 rad/s", "Hz", "found '1 rad/s', which counts angles or information; .* radian/second .* per second"),
        ("60 rpm", "Hz", "angles or information"),
        ("360 degree/s", "1/ms", "angles or information"),
        ("1 byte/s", "Hz", "angles or information"),
        ("20 degC", "kelvin", r"\('degC' has an offset or is logarithmic; write the value in kelvin"),
        ("68 degF", "kelvin", "has an offset or is logarithmic"),
        ("3 dB", "1", "has an offset or is logarithmic"),
        ("1 Np", "1", "has an offset or is logarithmic"),
        ("ten ms", "ms", r"""expected a number with a unit such as "10 ms", found 'ten ms'$"""),
        ("ms", "ms", r"""expected a number with a unit such as "10 ms", found 'ms'$"""),
        ("", "ms", r"""expected a number with a unit such as "10 ms", found ''$"""),
        (
            "10 mz",
            "ms",
            r"""expected a number with a unit .* found '10 mz' \('mz' is not defined in the unit registry\)""",
        ),
        ("10 ms + 3 ms", "ms", "expected a number with a unit"),
        ("(10 ms", "ms", "expected a number with a unit"),
        ("10 ms)", "ms", "expected a number with a unit"),
        ("1/0 ms", "ms", "expected a number with a unit"),
        ("10**10**9 ms", "ms", "expected a number with a unit"),
        ("[1, 2] ms", "ms", "expected a number with a unit"),
        ("nan ms", "ms", r"expected a finite quantity, found 'nan ms'$"),
        ("-inf ms", "ms", r"expected a finite quantity, found '-inf ms'$"),
        ("1e999 ms", "ms", r"expected a finite quantity, found '1e999 ms'$"),
        (math.nan, "1", "expected a finite quantity, found nan$"),
        (True, "ms", r"""expected a quantity in ms such as "10 ms", found True$"""),
        (None, "ms", r"""expected a quantity in ms such as "10 ms", found None$"""),
        ([10], "ms", r"""expected a quantity in ms such as "10 ms", found \[10\]$"""),
        (np.timedelta64(5, "ms"), "ms", r"""expected a quantity in ms such as "10 ms", found np.timedelta64\("""),
    ],
)
def test_what_is_no_such_quantity_is_refused(value, unit, message):
    with pytest.raises(UnitError, match=message) as caught:
        units.number(value, unit)
    assert isinstance(caught.value, SpecError | ValueError)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("text", ["", "10 ms", "foo", "ms)", "ms; mV", "ms**", "2", "degC", "degC/s", "dBm"])
def test_what_is_no_unit_is_refused(text):
    with pytest.raises(UnitError, match="expected a unit such as"):
        units.coherent_factor(text)


@given(
    st.text(alphabet=string.printable + "µΩ°٣", max_size=12)
    | st.from_regex(r"[-+]?\d{0,3}\.?\d{0,2}[ */^]*[a-zA-Z%/*^() ]{0,6}")
)
def test_any_text_is_a_quantity_or_an_error_of_units(text):
    try:
        value = units.number(text, "ms")
    except UnitError:
        return
    assert math.isfinite(value)
