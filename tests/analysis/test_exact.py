"""Variances of integers, to the last digit."""

from fractions import Fraction

import numpy as np
import pytest

from twinbrain.analysis.exact import variance


@pytest.mark.parametrize("scale", [1, 10**6, 2 * 10**9])
def test_variances_are_those_of_fractions_whatever_the_numbers(scale):
    numbers = np.array([3, 1, 4, 1, 5], np.int64) * scale
    total, squares = numbers.sum(keepdims=True), np.array([(numbers**2).sum()])
    exact = Fraction(int(squares[0]), 5) - Fraction(int(total[0]), 5) ** 2
    assert variance(5, total, squares)[0] == pytest.approx(float(exact), rel=1e-15)
    assert variance(np.array([5]), total, squares)[0] == pytest.approx(float(exact), rel=1e-15)


def test_of_none_there_is_no_variance_and_of_equal_ones_it_is_0():
    none = variance(np.array([0, 2]), np.array([0, 8]), np.array([0, 32]))
    assert np.isnan(none[0])
    assert none[1] == 0
    assert variance(3, np.array([], np.int64), np.array([], np.int64)).size == 0
