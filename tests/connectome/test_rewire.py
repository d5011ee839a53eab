import numpy as np
import pytest

import twinbrain as tb
from twinbrain.connectome.rewire import rewire
from twinbrain.errors import ConnectomeError
from twinbrain.spec.connectome import Connectome


@pytest.fixture(scope="module")
def original():
    return tb.synthetic_connectome(40, seed=3)


def pairs(connectome, across):
    side = connectome.hemisphere.values
    return (side[:, None] != side if across else side[:, None] == side) & ~np.eye(connectome.n_regions, dtype=bool)


@pytest.mark.parametrize("preserve", ["length", "degree"])
@pytest.mark.parametrize("across", [False, True])
def test_each_bin_of_length_keeps_its_weights(original, preserve, across):
    found = rewire(original, seed=1, preserve=preserve, n_bins=4)
    kind = pairs(original, across)
    before, after, length = original.weight.values, found.weight.values, original.length.values
    edges = np.quantile(length[kind & (before > 0)], [0, 0.25, 0.5, 0.75, 1])
    for low, high in zip([-np.inf, *edges[1:-1]], [*edges[1:-1], np.inf], strict=True):
        here = kind & (length >= low) & (length < high)
        assert np.array_equal(np.sort(before[here]), np.sort(after[here]))


@pytest.mark.parametrize("preserve", ["length", "degree"])
def test_it_connects_other_regions(original, preserve):
    found = rewire(original, seed=1, preserve=preserve, n_bins=3)
    before, after = original.weight.values > 0, found.weight.values > 0
    assert (before & after).sum() < 0.85 * before.sum()
    assert np.array_equal(np.diag(after), np.diag(before))


def test_regions_can_keep_their_degrees_and_strengths(original):
    found = rewire(original, seed=1, preserve="degree")
    before, after = original.weight.values, found.weight.values
    for axis in (0, 1):
        assert np.array_equal((before > 0).sum(axis), (after > 0).sum(axis))
    np.testing.assert_allclose(before.sum(1), after.sum(1))
    plain = rewire(original, seed=1).weight.values
    assert not np.array_equal((before > 0).sum(1), (plain > 0).sum(1))


@pytest.mark.parametrize("preserve", ["length", "degree"])
def test_a_seed_decides_and_the_name_tells(original, preserve):
    one, again, other = (rewire(original, seed=seed, preserve=preserve) for seed in (1, 1, 2))
    assert one == again
    assert one.digest != other.digest
    assert one.name.endswith(f"rewired at the same {preserve} with seed 1")
    assert np.array_equal(one.length, original.length)
    assert one.labels == original.labels


def test_hemispheres_are_not_needed():
    weight = np.random.default_rng(1).random((6, 6))
    found = rewire(Connectome(weight, np.full((6, 6), 10.0), "abcdef"), seed=1)
    assert np.array_equal(np.diag(found.weight), np.diag(weight))
    assert np.array_equal(np.sort(found.weight.values, axis=None), np.sort(weight, axis=None))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"preserve": "strength"}, "expected preserve as one of length, degree"),
        ({"n_bins": 0}, "n_bins: expected a whole number of at least 1, found 0"),
        ({"n_bins": 2.5}, "n_bins: expected a whole number of at least 1, found 2.5"),
        ({"seed": 1.5}, "seed: expected a whole number of at least 0, found 1.5"),
        ({"seed": np.timedelta64(1, "s")}, "seed: expected a whole number of at least 0"),
    ],
)
def test_what_cannot_be_preserved_is_refused(original, options, expected):
    with pytest.raises(ConnectomeError, match=expected):
        rewire(original, **{"seed": 1} | options)


def test_weights_alone_are_no_connectome(original):
    with pytest.raises(ConnectomeError, match="expected a connectome, found a DataArray"):
        rewire(original.weight, seed=1)


def test_a_logarithm_stays_one(original):
    logged = tb.normalise(original, "log")
    assert tb.normalise(rewire(logged, seed=1), "log") == rewire(logged, seed=1)
