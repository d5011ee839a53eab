import numpy as np
import pytest
from scipy.stats import poisson

from tests.trained import make_responses
from twinbrain.analysis import selectivity

MANY = {"n_trials": 400, "n_neurons": 8}


@pytest.fixture(scope="module")
def tuned():
    """Neurons that fire 12, 6 and 4 spikes in the preferred one of four classes, and 4 in the others."""
    return make_responses(n_bins=1, **MANY)


def shuffled(responses, seed=1):
    return responses.assign(label=("trial", np.random.default_rng(seed).permutation(responses["label"].values)))


def test_class_selectivity_and_sparseness_follow_from_the_means(tuned):
    found = selectivity(tuned, by="cell")
    np.testing.assert_allclose(found["class_selectivity"], [8 / 16, 2 / 10, 0], atol=0.015)
    mean = np.array([[12, 4, 4, 4], [6, 4, 4, 4], [4, 4, 4, 4]])
    expected = (1 - mean.mean(axis=1) ** 2 / (mean**2).mean(axis=1)) / (1 - 1 / 4)
    np.testing.assert_allclose(found["lifetime_sparseness"], expected, atol=0.01)


def test_d_prime_is_the_distance_of_means_over_the_spread(tuned):
    found = selectivity(tuned, by="cell")
    expected = [8 / np.sqrt((12 + 4) / 2), 2 / np.sqrt((6 + 4) / 2), 0]  # of Poisson counts
    np.testing.assert_allclose(found["d_prime"], expected, atol=0.12)


def test_information_is_that_of_the_known_distributions(tuned):
    n = np.arange(60)
    p = np.stack([poisson.pmf(n, mean) for mean in (12, 4, 4, 4)])
    both = p.mean(axis=0)
    exact = np.sum(p / 4 * np.log2(p / np.where(both > 0, both, 1), where=p > 0, out=np.zeros_like(p)))
    found = float(selectivity(tuned, by="cell")["information"].sel(cell="pyr"))
    assert found == pytest.approx(exact, abs=0.03)


@pytest.mark.parametrize("base", [4.0, 20.0])
def test_shuffled_labels_tell_nothing(base):
    responses = make_responses(gains=(0.0,), base=base, n_neurons=200, n_bins=1)
    found = selectivity(shuffled(responses), by="cell").isel(cell=0)
    for name in ("information", "class_selectivity", "d_prime"):
        assert abs(float(found[name])) < 4 * float(found[f"{name}_sem"]), name


@pytest.mark.parametrize("base", [4.0, 20.0])
def test_shuffled_labels_of_few_trials_tell_next_to_nothing(base):
    responses = make_responses(gains=(0.0,), base=base, n_neurons=200, n_trials=10, n_bins=1)
    found = selectivity(shuffled(responses), by="cell").isel(cell=0)
    assert abs(float(found["information"])) < 0.02
    assert abs(float(found["class_selectivity"])) < 0.05
    assert abs(float(found["d_prime"])) < 0.15


def test_without_its_correction_information_would_not_vanish():
    responses = shuffled(make_responses(gains=(0.0,), n_neurons=150, n_bins=1))
    found = selectivity(responses)
    # Of the estimate from frequencies, the mean under independence is (R - 1)(S - 1) / (2 N ln 2): 0.054 bit here.
    assert abs(float(found["information"].mean())) < 0.2 * 0.054


def test_what_is_not_defined_is_nan():
    one = selectivity(make_responses(n_classes=1))
    assert all(
        np.isnan(one[name]).all() for name in ("class_selectivity", "lifetime_sparseness", "information", "d_prime")
    )
    few = selectivity(make_responses(n_trials=3))
    assert np.isnan(few["d_prime"]).all()
    assert np.isfinite(few["class_selectivity"]).all()
    responses = make_responses()
    responses["count"][:, 0] = 0
    silent = selectivity(responses).isel(neuron=0)
    assert np.isnan(silent["class_selectivity"])
    assert np.isnan(silent["d_prime"])
    assert silent["information"] == 0


def test_a_neuron_without_counts_spoils_no_other():
    responses = make_responses()
    responses["count"] = responses["count"].astype(float)
    expected = selectivity(responses)
    responses["count"][:, 2] = np.nan
    found = selectivity(responses)
    assert all(np.isnan(found[name].values[2]) for name in found.data_vars)
    np.testing.assert_array_equal(found["information"][3:], expected["information"][3:])
    assert selectivity(responses, by="cell")["d_prime_n"].values.tolist() == [5, 6, 6]


def test_a_neuron_that_lacks_one_count_is_told_to_lack_it(tuned):
    """Its class would else look like the one that drives it least: as of sessions that are put together."""
    lacking = tuned.assign(count=tuned["count"].astype(float).copy())
    lacking["count"][3, 0] = np.nan
    found, expected = selectivity(lacking), selectivity(tuned)
    assert all(np.isnan(found[name].values[0]) for name in found.data_vars)
    assert found.isel(neuron=slice(1, None)).equals(expected.isel(neuron=slice(1, None)))
    assert selectivity(lacking, by="cell")["class_selectivity_n"].values.tolist() == [7, 8, 8]


def test_a_neuron_for_one_class_alone_is_wholly_selective():
    responses = make_responses(gains=(10.0,), base=0.0)
    found = selectivity(responses)
    np.testing.assert_allclose(found["class_selectivity"], 1)
    np.testing.assert_allclose(found["lifetime_sparseness"], 1)
