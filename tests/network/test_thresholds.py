import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from twinbrain.network.thresholds import normal_thresholds, poisson_thresholds


@given(st.floats(0, 200))
def test_thresholds_are_the_poisson_distribution(mean):
    thresholds = poisson_thresholds(mean)
    k = np.arange(len(thresholds))
    np.testing.assert_allclose(thresholds / 2.0**32, stats.poisson.cdf(k, mean), rtol=0, atol=1e-9)
    assert (np.diff(thresholds.astype(np.int64)) >= 0).all()
    # What is left out is rarer than one word in 2**32.
    assert stats.poisson.sf(len(thresholds), mean) < 2.0**-32
    # The count is the number of thresholds that a uniform word reaches, so its mean is the sum of the chances of each.
    assert np.sum(1 - thresholds / 2.0**32) == pytest.approx(mean, abs=1e-7)


def normal_distribution():
    """Return the values that words draw, and the exact chance of each."""
    normal = normal_thresholds()
    edges = [0, *(int(t) for t in normal.thresholds), 2**32]
    chances = np.diff(edges) / 2.0**32
    return normal.unit * (np.arange(len(chances)) - normal.offset), chances


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    values, chances = normal_distribution()
    mean, variance, third, fourth = (np.sum(chances * values**k) for k in (1, 2, 3, 4))
    assert mean == pytest.approx(0, abs=1e-12)
    assert variance == pytest.approx(1, abs=1e-12)
    assert third == pytest.approx(0, abs=1e-12)
    # Rounding to steps of h leaves an excess of -h**4/120.
    assert fourth == pytest.approx(3, abs=1e-5)


def test_normal_numbers_have_the_quantiles_of_the_normal_distribution():
    values, chances = normal_distribution()
    assert np.diff(values).max() == pytest.approx(1 / 8, rel=2e-3)
    np.testing.assert_allclose(np.cumsum(chances)[:-1], special.ndtr(values[:-1] + 1 / 16), rtol=0, atol=2e-3)
    assert values.max() == -values.min() > 6


def test_normal_thresholds_ascend_and_mirror_each_other():
    thresholds = normal_thresholds().thresholds.astype(np.int64)
    assert (np.diff(thresholds) >= 0).all()
    assert (thresholds + thresholds[::-1] == 2**32).all()
    assert len(thresholds) == 2 * normal_thresholds().offset
