"""Values of a swept key."""

import itertools
import math
from pathlib import Path

import brian2 as b2
import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinbrain import units
from twinbrain.errors import SpecError
from twinbrain.spec.quantity import Distribution
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.values import MOST, expand, unit_of


def swept(values):
    return Sweep.parse({"parameters": {"coupling": values}}).parameters["coupling"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 1], (0.5, 1)),
        (("1 ms", "2 s"), ("1 ms", "2 s")),
        (range(2, 5), (2, 3, 4)),
        (iter([1, 2]), (1, 2)),
        (np.array([1.5, 2.5]), (1.5, 2.5)),
        (np.arange(2, dtype=np.int32), (0, 1)),
        ([np.float32(0.5), np.int64(3), np.bool_(True), np.str_("a")], (0.5, 3, True, "a")),
        (xr.DataArray([1.0, 2.0]), (1.0, 2.0)),
        ({"linear": [0.5, 2.0], "n": 4}, (0.5, 1.0, 1.5, 2.0)),
        ({"linear": [1, 0], "n": 3}, (1.0, 0.5, 0.0)),
        ({"linear": ["1 s", "500 ms"], "n": 3}, ("1 s", "0.75 s", "0.5 s")),
        ({"linear": ["10mV", "20 mV"], "n": 3}, ("10 mV", "15 mV", "20 mV")),
        ({"log": ["10 Hz", "1 kHz"], "n": 3}, ("10 Hz", "100 Hz", "1000 Hz")),
        ({"log": [1, 100], "n": 1}, (1.0,)),
        ({"log": [1, 100], "n": 2}, (1.0, 100.0)),
        ({"range": 3}, (0, 1, 2)),
        ({"range": [3]}, (0, 1, 2)),
        ({"range": [2, 4]}, (2, 3)),
        ({"range": [6, 0, -2]}, (6, 4, 2)),
    ],
)
def test_every_form_stands_for_its_values(values, expected):
    found = expand(values)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_tables_and_lists_are_values_too():
    table = {"normal": ["1 mV", "2 mV"], "min": "0 mV"}
    extent = ["1 mm", "1 mm", "2 mm"]
    assert swept([table, extent, True]) == (table, extent, True)
    assert swept([Distribution.parse(table)]) == (Distribution.parse(table).to_dict(),)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "expected at least one value, found none"),
        ((), "expected at least one value"),
        ({"range": 0}, "expected at least one value"),
        (np.array([]), "expected at least one value"),
        ("abc", "expected a list, "),
        (b"abc", "expected a list, "),
        (3, "expected a list, "),
        (None, "expected a list, "),
        ({1, 2}, "expected a list, "),  # in no order
        (np.array(1.0), "expected a list, "),
        ({}, "expected a list, "),
        ({"liner": [0, 1], "n": 3}, "expected a list, "),
        ({"linear": [0, 1]}, "expected linear and n, found linear"),
        ({"log": [0, 1], "n": 3, "base": 2}, "expected log and n, found log, n, base"),
        ({"range": 3, "n": 2}, "expected range, found range, n"),
        ({"range": True}, "expected range = 10"),
        ({"range": [0, True]}, "expected range = 10"),
        ({"range": 2.5}, "expected range = 10"),
        ({"range": []}, "expected range = 10"),
        ({"range": [0, 1, 0]}, "expected a step that is not 0"),
        ({"linear": [0, 1], "n": 0}, "expected n as a whole number from 1"),
        ({"linear": [0, 1], "n": True}, "expected n as a whole number from 1"),
        ({"linear": [0, 1], "n": 2.0}, "expected n as a whole number from 1"),
        ({"linear": [0, 1], "n": 10**12}, "expected n as a whole number from 1 to 1,000,000"),
        ({"linear": [0], "n": 2}, "expected linear = [first, last]"),
        ({"linear": "01", "n": 2}, "expected linear = [first, last]"),
        ({"linear": ["1 ms", 2], "n": 2}, "two numbers or quantities of one unit"),
        ({"linear": ["1 ms", "2 mV"], "n": 2}, "another dimension"),
        ({"linear": [1, "2 mV"], "n": 2}, "another dimension"),
        ({"linear": ["a", "b"], "n": 2}, "two numbers or quantities of one unit"),
        ({"linear": [0, math.nan], "n": 2}, "expected a finite quantity"),
        ({"linear": [0, math.inf], "n": 2}, "expected a finite quantity"),
        ({"linear": [False, True], "n": 2}, "found False"),
        ({"log": [0, 1], "n": 2}, "expected positive ends of log"),
        ({"log": ["-1 Hz", "1 Hz"], "n": 2}, "expected positive ends of log"),
        (range(MOST + 1), "at most 1,000,000 values"),
        (range(10**30), "at most 1,000,000 values"),
        (itertools.count(), "at most 1,000,000 values"),
        ({"range": 10**30}, "at most 1,000,000 values"),
    ],
)
def test_what_is_no_list_of_values_is_refused(values, text):
    with pytest.raises(SpecError) as error:
        expand(values)
    assert text in str(error.value)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, 1j, object(), b"a", {"min": math.nan}, [None], {1: 2}])
def test_values_are_what_can_stand_in_a_file(value):
    with pytest.raises(SpecError, match=r"parameters\.coupling: expected values as they stand in a file, found"):
        swept([1.0, value])


def test_a_path_among_values_is_text():
    assert swept([Path("a/b.npz"), "c.npz"]) == swept(["a/b.npz", "c.npz"])


def test_a_million_values_are_none_too_many():
    assert len(expand({"range": MOST})) == MOST


ENDS = st.floats(-1e9, 1e9, allow_subnormal=False)
POSITIVE = st.floats(1e-9, 1e9)


@given(
    st.one_of(st.tuples(st.just("linear"), ENDS, ENDS), st.tuples(st.just("log"), POSITIVE, POSITIVE)),
    st.integers(2, 40),
)
def test_values_lie_between_the_ends_in_order_and_the_ends_are_among_them(case, n):
    form, first, last = case
    values = expand({form: [first, last], "n": n})
    assert len(values) == n
    # A quantity keeps 15 digits.
    first, last = units.number(first, "1"), units.number(last, "1")
    assert (values[0], values[-1]) == (first, last)
    assert list(values) == sorted(values, reverse=first > last)


@given(
    POSITIVE,
    POSITIVE,
    st.integers(2, 10),
    st.sampled_from(["linear", "log"]),
    st.sampled_from(["ms", "mV", "nS", "kHz"]),
)
def test_units_change_nothing_but_the_unit(first, last, n, form, unit):
    plain = expand({form: [first, last], "n": n})
    with_units = expand({form: [f"{first!r} {unit}", f"{last!r} {unit}"], "n": n})
    assert [unit_of(value) for value in with_units] == [unit] * n
    assert [units.number(value, unit) for value in with_units] == list(plain)


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(-5, 5).filter(bool))
def test_a_range_is_pythons(start, stop, step):
    expected = tuple(range(start, stop, step))
    if expected:
        assert expand({"range": [start, stop, step]}) == expected
    else:
        with pytest.raises(SpecError, match="at least one value"):
            expand({"range": [start, stop, step]})


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("10 Hz", "Hz"),
        ("10Hz", "Hz"),
        (" 1e-3 nS/ms ", "nS/ms"),
        ("1 mm / ms", "mm / ms"),
        ("10", ""),
        ("cortex/a v2", ""),
        (3, ""),
        ({}, ""),
    ],
)
def test_the_unit_is_the_one_that_is_written(value, unit):
    assert unit_of(value) == unit


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.ma.masked_array([0.5, 999], mask=[False, True]), "expected values, found 1 masked"),
        ([0.5, np.ma.masked], "expected values as they stand in a file"),
        ([1, 2] * b2.ms, "expected values without a unit, found some in 's'"),
        ([1 * b2.ms], "expected values as they stand in a file"),
        (np.array([1, 2], "m8[ns]"), "expected values without a unit, found some in 'ns'"),
        ([np.timedelta64(1, "ns")], "expected values as they stand in a file"),
        (torch.tensor(1.0), "expected a list, "),
    ],
)
def test_what_is_masked_or_has_a_unit_of_another_package_is_refused(values, text):
    with pytest.raises(SpecError, match=text):
        Sweep(parameters={"coupling": values})


def test_values_of_other_packages_are_values():
    assert swept(torch.tensor([0.5, 1], requires_grad=True)) == (0.5, 1)
    assert swept(pd.Series([1, "a", "b"])) == (1, "a", "b")
