import itertools

import numpy as np
import pytest

from twinbrain.models.algebra import on_arrays


@pytest.mark.parametrize(
    "condition",
    [
        "a > 1.0 and b < 2.0",
        "not a > 1.0 and b < 2.0",
        "a > 1.0 or b < 2.0 and a < 2.0",
        "(a > 1.0 or b < 2.0) and not (a < 2.0 and b > 1.0)",
        "f(a > 1.0 and not b > 1.0) + a > 2.0",
    ],
)
def test_conditions_of_arrays_are_those_of_each_pair_of_numbers(condition):
    pairs = np.array(list(itertools.product([0.5, 1.5, 2.5], repeat=2)))
    expected = [eval(condition, {"f": float, "a": a, "b": b}) for a, b in pairs]
    found = eval(on_arrays(condition), {"f": np.float64, "a": pairs[:, 0], "b": pairs[:, 1]})
    np.testing.assert_array_equal(found, expected)


def test_what_holds_no_condition_stays_as_it_is_written():
    assert on_arrays("k0*(brand + order) - notes") == "k0*(brand + order) - notes"
