"""The logarithm and the power that all engines share: right to the last bits, and the same in numpy and in C."""

import mpmath
import numpy as np
import pytest

from tests.engines.compiled import compiled
from twinbrain.engines.logarithm import C_SOURCE, logarithm, power

SPECIAL = np.array([0.0, -0.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308])


def points():
    """Numbers of every size, dense about 1 and about the ends of each octave."""
    rng = np.random.default_rng(5)
    root = np.sqrt(0.5) * 2.0 ** np.arange(-300, 300)
    return np.concatenate(
        [
            [1.0, 0.5, 2.0, np.nextafter(1.0, 0), np.nextafter(1.0, 2)],
            *(np.nextafter(root, side) for side in (0.0, np.inf)),
            2.0 ** rng.uniform(-1074, 1024, 50_000),
            rng.uniform(0.0, 3.0, 50_000),
            1.0 + rng.normal(0.0, 1.0, 50_000) * 10.0 ** rng.integers(-15, -1, 50_000),
        ]
    )


def error(function, found, x):
    """Return the largest error in units in the last place, against mpmath with 40 digits."""
    with mpmath.workdps(40):
        exact = [function(mpmath.mpf(value)) for value in x.tolist()]
        units = np.spacing(np.abs(np.array(exact, np.float64))).tolist()
        return max(float(abs(f - e) / unit) for f, e, unit in zip(found.tolist(), exact, units, strict=True))


def test_the_logarithms_error_is_below_one_unit_in_the_last_place():
    x = points()
    differs = logarithm(x) != np.log(x)
    some = np.concatenate([x[differs][:4000], x[:2000]])
    assert error(mpmath.log, logarithm(some), some) < 1.0
    assert (np.abs(logarithm(x) - np.log(x)) <= 2 * np.spacing(np.abs(np.log(x)))).all()


def test_the_logarithm_of_what_has_none():
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(logarithm(SPECIAL), np.log(SPECIAL))


def test_a_power_is_right_to_the_digits_that_its_exponent_leaves():
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0.01, 100.0, 100_000), rng.uniform(-5.0, 5.0, 100_000)
    # |y log x| < 23.1 here, and what its two roundings and the logarithm lose is that many times as much of the result.
    np.testing.assert_allclose(power(x, y), np.power(x, y), rtol=60 * 2.0**-53)


def test_powers_of_zero_and_of_negative_numbers():
    x = np.array([0.0, 0.0, -2.0, -2.0, -2.0, 0.0, -0.5, 3.0])
    y = np.array([2.0, 0.0, 3.0, 4.0, 0.5, -1.0, -3.0, 0.0])
    np.testing.assert_allclose(power(x, y), [0.0, 1.0, -8.0, 16.0, np.nan, np.inf, -8.0, 1.0], rtol=1e-15)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("logarithm")


def test_the_c_form_of_the_logarithm_equals_the_numpy_form_bit_for_bit(folder):
    x = np.concatenate([points(), SPECIAL])
    found = compiled(C_SOURCE, "logarithm", folder)(x)
    number = ~np.isnan(logarithm(x))
    np.testing.assert_array_equal(found[number].view(np.int64), logarithm(x)[number].view(np.int64))
    assert np.isnan(found[~number]).all()


def test_the_c_form_of_the_power_equals_the_numpy_form_bit_for_bit(folder):
    rng = np.random.default_rng(8)
    x = np.concatenate([rng.normal(0.0, 10.0, 20_000), np.repeat(SPECIAL[:3], 5)])
    y = np.concatenate([rng.uniform(-9.0, 9.0, 10_000), rng.integers(-9, 9, 10_000), np.tile([0.0, 1, 2, -1, 0.5], 3)])
    found, expected = compiled(C_SOURCE, "power", folder, 2)(x, y), power(x, y)
    number = ~np.isnan(expected)
    assert 0.2 < number.mean() < 0.9
    np.testing.assert_array_equal(found[number].view(np.int64), expected[number].view(np.int64))
    assert np.isnan(found[~number]).all()
