import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from twinbrain.errors import SpecError
from twinbrain.spec.base import Spec
from twinbrain.spec.quantity import Distribution, Milliseconds, Speed, Value, default

AMOUNTS = st.floats(0.001, 1e6).map(lambda x: float(f"{x:.9g}"))
PAIRS = st.one_of(
    st.tuples(st.just("normal"), AMOUNTS.map("{!r} mV".format), AMOUNTS.map("{!r} V".format)),
    st.tuples(st.just("uniform"), AMOUNTS.map("{!r} ms".format), AMOUNTS.map("{!r} s".format)),
    st.tuples(st.just("lognormal"), AMOUNTS.map("{!r} nS".format) | AMOUNTS, AMOUNTS),
    st.tuples(st.just("gamma"), AMOUNTS.map("{!r} pA".format) | AMOUNTS, AMOUNTS),
)


class Holder(Spec):
    value: Value
    time: Milliseconds = default("1 ms")
    speed: Speed = default("1 m/s")


@given(PAIRS, st.booleans())
def test_a_distribution_survives_as_plain_data(pair, truncated):
    kind, first, second = pair
    table = {kind: [first, second]} | ({"max": first} if truncated else {})
    distribution = Distribution.parse(table)
    again = Distribution.parse(json.loads(json.dumps(distribution.to_dict())))
    assert again == distribution
    assert again.digest == distribution.digest
    assert (again.maximum == again.first) == truncated


@pytest.mark.parametrize(("one", "other"), [("10 ms", "0.01 s"), (2, "2"), ("1 nA", "1000 pA"), ("-0 mV", "0 mV")])
def test_equal_quantities_are_equal_declarations(one, other):
    def holder(value):
        return Holder.parse({"value": value, "time": "1 ms", "speed": "1 m/s"})

    assert holder(one) == holder(other)
    assert holder(one).digest == holder(other).digest


def test_times_and_speeds_are_kept_as_numbers_and_written_with_units():
    holder = Holder(value=1, time="0.5 s", speed="7 m/s")
    assert (holder.time, holder.speed) == (500.0, 7.0)
    assert holder.to_dict() == {"value": 1.0, "time": "500 ms", "speed": "7 mm/ms"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"lognormal": ["1 ms", -1]}, "expected the sigma of the logarithm as a positive number, found -1.0"),
        ({"lognormal": ["1 ms", "2 ms"]}, "sigma of the logarithm as a positive number, found '2 ms'"),
        ({"gamma": ["1 ms", 0]}, "expected the shape as a positive number, found 0.0"),
        ({"normal": ["1 ms", 3]}, "expected two quantities of one unit, found '1 ms' and 3.0"),
        ({"normal": "1 ms"}, r"expected normal = \[mean, standard deviation\], found '1 ms'"),
        ({"uniform": ["1 ms"]}, r"expected uniform = \[low, high\], found \['1 ms'\]"),
        ({"lognrmal": ["1 ms", 1]}, r"expected one of normal, lognormal, gamma, uniform, found keys \['lognrmal'\]"),
        ({"normal": [0, 1], "gamma": [1, 1]}, r"expected one of .*, found keys \['gamma', 'normal'\]"),
        ({"normal": [0, 1], "maximum": 3}, "unknown key 'maximum' beside 'normal'; known: min, max"),
        ({"normal": [0, 1], "max": "ten"}, "maximum: expected a number with a unit"),
        ("10 foo", "'foo' is not defined"),
        (True, "expected no truth value here, found true"),
        ([1], r'expected a quantity such as "10 ms", found \[1\]'),
    ],
)
def test_a_value_that_is_none_is_refused_with_its_place(value, message):
    with pytest.raises(SpecError, match=message) as caught:
        Holder.parse({"value": value}, "a.toml")
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith("a.toml: value")


def test_values_can_be_validated_by_themselves():
    assert TypeAdapter(Value).validate_python("0.01 s") == "10 ms"
