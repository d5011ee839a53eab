import numpy as np
import pytest

from tests.trained import make_responses
from twinbrain.analysis import decoding
from twinbrain.errors import LearnError, SpecError


@pytest.fixture(scope="module")
def responses():
    return make_responses(n_neurons=8)


@pytest.mark.parametrize("decoder", ["lda", "centroid"])
def test_tuned_cells_are_decoded_and_others_are_not(responses, decoder):
    found = decoding(responses, "cell", decoder=decoder)
    assert found["accuracy"].sel(cell="pyr") > 0.95
    assert found["low"].sel(cell="sst") < found.attrs["chance"] == 0.25
    assert found["accuracy"].sel(cell="sst") < 0.4
    assert found["low"].sel(cell="pv") > 0.4
    assert (found["low"] <= found["accuracy"]).all()
    assert (found["accuracy"] <= found["high"]).all()


def test_all_neurons_together_are_one_group(responses):
    found = decoding(responses)
    assert found["group"].values.tolist() == ["all"]
    assert found["n_neurons"].item() == 24
    assert found["accuracy"].item() > 0.95


def test_shuffled_labels_cannot_be_decoded(responses):
    accuracy = []
    for seed in range(5):
        label = np.random.default_rng(seed).permutation(responses["label"].values)
        accuracy.append(decoding(responses.assign(label=("trial", label)), seed=seed)["accuracy"].item())
    assert np.mean(accuracy) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 160 / 5))


def test_equal_numbers_of_neurons_are_drawn_where_asked(responses):
    few = decoding(responses, "cell", n_neurons=2)
    assert few["accuracy"].sel(cell="pyr") < decoding(responses, "cell")["accuracy"].sel(cell="pyr")
    assert np.isnan(decoding(responses, "cell", n_neurons=9)["accuracy"]).all()
    assert few.attrs["n_neurons_drawn"] == 2


def test_a_result_depends_on_the_seed_alone_and_not_on_other_groups(responses):
    found = decoding(responses, "cell", n_neurons=3, seed=4)
    assert found.equals(decoding(responses, "cell", n_neurons=3, seed=4))
    alone = decoding(responses.isel(neuron=responses["cell"].values == "pv"), "cell", n_neurons=3, seed=4)
    assert alone["accuracy"].item() == found["accuracy"].sel(cell="pv").item()


def test_bad_arguments_are_refused(responses):
    with pytest.raises(SpecError, match="unknown decoder 'svm'"):
        decoding(responses, decoder="svm")
    with pytest.raises(LearnError, match="found 40 trials of class 0; take fewer folds"):
        decoding(responses, n_folds=41)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n_neurons", value) for value in (0, -1, 2.5)),
        *(("n_folds", value) for value in (1, 2.5, True)),
        ("n_draws", 0),
        ("seed", -1),
    ],
)
def test_numbers_that_are_no_counts_are_refused(responses, name, value):
    with pytest.raises(SpecError, match=f"{name}: expected a whole number of at least [012], found {value}"):
        decoding(responses, **{name: value})


def test_neurons_that_lack_a_count_are_told_to_be_left_out(responses):
    lacking = responses.assign(count=responses["count"].astype(float).copy())
    lacking["count"][[0, 1], [0, 9]] = np.nan
    found = decoding(lacking, "cell")
    assert found["n_neurons"].values.tolist() == [8, 8, 8]
    assert found["n_complete"].values.tolist() == [7, 7, 8]
    expected = decoding(responses.isel(neuron=[i for i in range(24) if i not in (0, 9)]), "cell")
    assert found["accuracy"].equals(expected["accuracy"].assign_coords(found.coords))


def test_silent_neurons_leave_a_guess():
    responses = make_responses()
    responses["count"][:] = 0
    assert decoding(responses)["accuracy"].item() == pytest.approx(0.25)
