import numpy as np
import pytest

from tests.figures import overlaps
from tests.trained import make_responses
from twinbrain import analysis, plot
from twinbrain.errors import SpecError


def test_rows_are_sorted_by_group_and_by_preferred_class(tmp_path):
    responses = make_responses()
    ax = plot.tuning(responses)
    plot.save(ax, tmp_path / "tuning.png", dpi=100)
    image = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert image.shape == (18, 4)
    np.testing.assert_allclose(image.max(axis=1), 1)
    assert image[:6].argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 3]  # six neurons prefer four classes in turn
    assert {"pyr", "pv", "sst"} <= {text.get_text() for text in ax.texts}
    assert overlaps(ax.figure) == []


def test_silent_neurons_and_those_without_counts_are_grey_and_said():
    responses = make_responses()
    responses["count"] = responses["count"].astype(float)
    responses["count"][:, 0] = 0
    responses["count"][:, 7] = np.nan
    ax = plot.tuning(responses)
    assert np.ma.getmaskarray(ax.images[0].get_array()).any(axis=1).nonzero()[0].tolist() == [5, 11]
    assert ax.get_title(loc="right") == "18 neurons, 1 never fired, 1 without counts"


@pytest.mark.parametrize("n_classes", [1, 20])
def test_any_number_of_classes_is_drawn(n_classes, tmp_path):
    responses = make_responses(n_classes=n_classes, n_trials=8)
    for name, draw in (("tuning", plot.tuning), ("selectivity", plot.selectivity)):
        ax = draw(responses)
        plot.save(ax, tmp_path / f"{name}.png", dpi=100)
        assert overlaps(ax.figure) == []


def test_long_names_stay_apart(tmp_path):
    responses = make_responses()
    responses = responses.assign_coords(
        cell=("neuron", [f"interneuron_class_{i // 2}_of_the_cortex" for i in range(18)])
    )
    responses["label"] = ("trial", np.array(["go left", "go right", "stop", "wait a while"])[responses["label"].values])
    for draw in (plot.tuning, plot.selectivity):
        ax = draw(responses)
        plot.save(ax, tmp_path / "long.png", dpi=100)
        assert overlaps(ax.figure) == []


@pytest.mark.parametrize("measure", ["class_selectivity", "lifetime_sparseness", "information", "d_prime"])
def test_strips_have_a_dot_a_neuron_and_the_mean_of_the_group(measure):
    responses = make_responses()
    ax = plot.selectivity(responses, measure)
    dots = [line for line in ax.lines if line.get_marker() == "."]
    means = [line for line in ax.lines if line.get_marker() == "o"]
    found = analysis.selectivity(responses)[measure].values
    np.testing.assert_array_equal(dots[0].get_xdata(), found[:6])
    assert means[0].get_xdata()[0] == pytest.approx(found[:6].mean())
    assert [text.get_text() for text in ax.texts][:3] == ["n = 6"] * 3


def test_an_unknown_measure_is_refused():
    with pytest.raises(SpecError, match="unknown measure 'mi'"):
        plot.selectivity(make_responses(), "mi")
