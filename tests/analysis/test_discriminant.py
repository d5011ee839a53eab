import numpy as np
import pytest

from tests.trained import make_responses
from twinbrain.analysis.discriminant import centroids, linear_discriminant, shrunk_covariance
from twinbrain.analysis.responses import classes_of


@pytest.fixture(scope="module")
def data():
    """48 trials of 18 neurons, their classes, and what is left without the means of these."""
    responses = make_responses(n_trials=12)
    values, classes = responses["count"].values.astype(float), classes_of(responses)
    return values, classes, values - classes.means(values)[classes.index]


def test_the_covariance_is_shrunk_as_ledoit_and_wolf_do(data):
    covariance = pytest.importorskip("sklearn.covariance")
    expected, _ = covariance.ledoit_wolf(data[2], assume_centered=True)
    np.testing.assert_allclose(shrunk_covariance(data[2]), expected, rtol=1e-6)


def test_scores_are_those_of_scikit_learn_but_for_what_all_classes_share(data):
    discriminant = pytest.importorskip("sklearn.discriminant_analysis")
    covariance = pytest.importorskip("sklearn.covariance")
    values, classes, residual = data
    _, share = covariance.ledoit_wolf(residual, assume_centered=True)
    other = discriminant.LinearDiscriminantAnalysis(solver="lsqr", shrinkage=share).fit(values, classes.index)
    weight, offset = linear_discriminant(values, classes)
    found, expected = values @ weight + offset, other.decision_function(values)
    np.testing.assert_allclose(found - found[:, :1], expected - expected[:, :1], rtol=1e-5, atol=1e-7)


def test_the_nearest_mean_scores_highest(data):
    values, classes, _ = data
    weight, offset = centroids(values, classes)
    distance = ((values[:, None] - classes.means(values)) ** 2).sum(axis=2)
    np.testing.assert_array_equal((values @ weight + offset).argmax(axis=1), distance.argmin(axis=1))


def test_a_covariance_of_fewer_trials_than_neurons_can_be_inverted(data):
    shrunk = shrunk_covariance(data[2][:5])
    assert np.linalg.matrix_rank(shrunk) == 18
    np.testing.assert_array_equal(shrunk_covariance(np.zeros((5, 3))), np.eye(3))
