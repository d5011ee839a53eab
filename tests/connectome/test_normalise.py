import numpy as np
import pytest

from twinbrain.connectome import normalisation_names, normalise
from twinbrain.errors import ConnectomeError
from twinbrain.spec.brain import NORMALISATIONS
from twinbrain.spec.connectome import Connectome


@pytest.fixture
def pair():
    return Connectome([[1, 3], [0, 4]], [[0, 1], [1, 0]], ["A", "B"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", [[1, 3], [0, 4]]),
        ("max", [[0.25, 0.75], [0, 1]]),
        ("row", [[1 / 3, 1], [0, 4]]),
        ("total", [[2 / 3, 2], [0, 8 / 3]]),
        ("log", np.log([[2, 4], [1, 5]]) / np.log(5)),
    ],
)
def test_each_does_what_its_name_says(pair, name, expected):
    np.testing.assert_allclose(normalise(pair, name).weight, expected)


def test_rows_are_the_inputs_of_targets():
    uneven = Connectome([[0, 8], [2, 0]], [[0, 1], [1, 0]], ["A", "B"])
    np.testing.assert_array_equal(normalise(uneven, "row").weight, [[0, 1], [1, 0]])
    np.testing.assert_array_equal(normalise(uneven, "total").weight, [[0, 1.6], [0.4, 0]])


@pytest.mark.parametrize("name", ["row", "total"])
def test_a_normalised_connectome_stays_as_it_is(pair, name):
    assert normalise(normalise(pair, name), name) == normalise(pair, name)


def test_it_is_remembered_in_order(pair):
    assert normalise(pair, "row").normalisation == "row"
    assert normalise(normalise(pair, "log"), "row").normalisation == "log+row"
    assert normalise(pair, "none") == pair


def test_an_unknown_name_suggests_a_near_one(pair):
    with pytest.raises(ConnectomeError, match="found 'rows'; did you mean 'row'"):
        normalise(pair, "rows")
    assert normalisation_names() == list(NORMALISATIONS)


def test_a_part_of_a_normalised_connectome_is_normalised_anew(pair):
    part = normalise(pair, "max").select("A")
    assert part.weight.values.tolist() == [[0.25]]
    assert normalise(part, "max").weight.values.tolist() == [[1.0]]
    assert normalise(part, "max").normalisation == "max"


def test_a_logarithm_that_was_not_taken_is_refused(pair):
    with pytest.raises(ConnectomeError, match="says that they are normalised by 'log', found 4"):
        normalise(pair.replace(normalisation="log"), "log")


@pytest.mark.parametrize("name", ["row", "total"])
def test_weights_whose_sums_overflow_are_refused(name):
    huge = Connectome(np.full((3, 3), 1e308), np.ones((3, 3)), ["A", "B", "C"])
    with pytest.raises(ConnectomeError, match="expected weights whose sums are finite"):
        normalise(huge, name)


def test_weights_alone_are_no_connectome(pair):
    with pytest.raises(ConnectomeError, match="expected a connectome, found a DataArray; make one"):
        normalise(pair.weight, "max")
