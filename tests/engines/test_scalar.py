"""The functions of programs for one number at a time give the bits of their numpy forms."""

import numba
import numpy as np
import pytest

from twinbrain.engines import interpreter
from twinbrain.engines.brian2 import scalar

EDGES = np.array([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 5e-324, 1e-310, np.inf, -np.inf, np.nan, 709.5, -709.5, 1e308])


def numbers():
    rng = np.random.default_rng(3)
    spread = rng.normal(0.0, 1.0, 20_000) * 10.0 ** rng.integers(-18, 4, 20_000)
    return np.concatenate([EDGES, spread, rng.uniform(-720.0, 720.0, 20_000)])


def one_by_one(function, n_arguments):
    """Compile a loop that calls ``function`` with numbers of each array."""
    if n_arguments == 1:
        return numba.njit(lambda x: np.array([function(a) for a in x]))
    return numba.njit(lambda x, y: np.array([function(x[i], y[i]) for i in range(len(x))]))


@pytest.mark.parametrize("name", ["exponential", "relative_exponential", "logarithm", "reciprocal", "sqrt"])
def test_a_number_at_a_time_gives_the_bits_of_the_array(name):
    x = numbers()
    with np.errstate(all="ignore"):
        expected = interpreter._FUNCTIONS[name](x)
    found = one_by_one(getattr(scalar, name), 1)(x)
    np.testing.assert_array_equal(found, expected)


def test_powers_a_number_at_a_time_give_the_bits_of_the_array():
    rng = np.random.default_rng(4)
    x = np.concatenate([np.repeat(EDGES, len(EDGES)), rng.normal(0.0, 3.0, 5000)])
    y = np.concatenate([np.tile(EDGES, len(EDGES)), rng.choice([-2.0, 3.0, 0.5, 1.7, 7.0], 5000)])
    with np.errstate(all="ignore"):
        expected = interpreter._FUNCTIONS["power"](x, y)
    np.testing.assert_array_equal(one_by_one(scalar.power, 2)(x, y), expected)


def test_every_function_of_programs_is_there():
    assert set(scalar.FUNCTIONS) | {"abs"} == set(interpreter._FUNCTIONS)
