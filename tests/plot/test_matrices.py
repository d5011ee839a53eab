import numpy as np
import pytest

from tests.figures import overlaps
from tests.trained import make_responses
from twinbrain import analysis, plot
from twinbrain.errors import LearnError


def test_correlations_stand_in_the_order_of_the_connectome_about_zero(small_brain, tmp_path):
    ax = plot.functional_connectivity(small_brain, "50 ms")
    (image,) = ax.images
    found = analysis.functional_connectivity(small_brain, "50 ms")
    labels = [text.get_text() for text in ax.get_yticklabels()]
    expected = found.sel(target=labels, source=labels).values.copy()
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_allclose(np.ma.filled(image.get_array().astype(float), np.nan), expected)
    assert image.norm.vmin == -image.norm.vmax == -np.nanmax(np.abs(expected))
    assert labels == [text.get_text() for text in plot.connectome_matrix(small_brain).get_yticklabels()]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("region", "region")  # the measure has no direction
    plot.save(ax, tmp_path / "fc.png", dpi=80)
    assert overlaps(ax.get_figure()) == []


def test_a_matrix_of_correlations_tells_the_time_that_it_is_of(small_brain):
    ax = plot.functional_connectivity(small_brain, "50 ms", start="190 ms", stop="510 ms")
    assert ax.get_title(loc="right") == "190 ms to 490 ms"  # whole bins


def test_a_confusion_matrix_counts_trials():
    responses = make_responses()
    ax = plot.confusion(responses)
    share = ax.images[0].get_array()
    label, decision = responses["label"].values, responses["decision"].values
    assert share[1, 2] == pytest.approx(np.mean(decision[label == 1] == 2))
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert f"{np.mean(label == decision):.1%} of {len(label)} trials right" in ax.get_title(loc="right")


def test_trials_that_are_none_or_lack_what_they_are_of_are_refused():
    responses = make_responses()
    decision = responses["decision"]
    given = {
        "at least one trial, found none": responses.isel(trial=[]),
        r"'label' with the dimensions \(trial\), found \(\)": responses.isel(trial=0),
        "expected the variable 'label'": responses.drop_vars("label"),
        r"a decision of each trial, found none \(NaN\) in \d+": responses.assign(decision=decision.where(decision > 0)),
        "label and decision of one kind, found int and str": responses.assign(decision=decision.astype(str)),
    }
    for message, some in given.items():
        with pytest.raises(LearnError, match=message):
            plot.confusion(some)


def test_a_regression_has_no_confusion_matrix():
    with pytest.raises(LearnError, match="a regression has no classes"):
        plot.confusion(make_responses().drop_vars("decision"))
