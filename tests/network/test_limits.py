import numpy as np
import pytest

from twinbrain.network.limits import with_limits

EXPONENTIALS = compile("(exp(-h/a) - exp(-h/b))/(a - b)", "<test>", "eval")


def value(a, b, h=0.1):
    namespace = {"a": np.array([a]), "b": np.array([b]), "h": h}
    return float(with_limits(EXPONENTIALS, namespace, {"exp": np.exp}, ["a", "b"])[0])


@pytest.mark.parametrize("apart", [0.0, *(2.0**-52 * n for n in range(1, 9)), 1e-14, 1e-13, 1e-9, 1e-6, 1e-4])
def test_a_formula_that_cancels_has_its_limit(apart):
    # The derivative of exp(-h/t) at t = 10, and the next term of its series.
    derivative = 0.1 / 100 * np.exp(-0.01)
    second = np.exp(-0.01) * (0.1**2 / 1e4 - 2 * 0.1 / 1e3)
    assert value(10.0 * (1 + apart), 10.0) == pytest.approx(derivative + 5 * apart * second, rel=1e-8)


def test_a_formula_far_from_its_limit_keeps_its_bits():
    assert value(10.0, 2.0) == (np.exp(-0.1 / 10.0) - np.exp(-0.1 / 2.0)) / 8.0


def test_a_value_that_is_only_sensitive_is_kept_where_many_digits_cannot_be_had():
    """Near a zero of the cosine every digit depends on the last one of the time; that is no reason to refuse it."""
    code = compile("cosine(h/a)", "<test>", "eval")
    namespace = {"a": np.array([1.0]), "h": np.pi / 2}
    found = with_limits(code, namespace, {"cosine": np.cos}, ["a"])
    np.testing.assert_array_equal(found, np.cos(np.pi / 2))
