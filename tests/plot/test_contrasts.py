"""Contrasts of one study on several tasks."""

import pytest

from tests.figures import overlaps
from tests.trained import make_comparison
from twinbrain import plot
from twinbrain.errors import LearnError

PARAMETERS, ADAPTATION = ("spread", "alike"), ("adapting", "alike")


def comparison(spread, adapting, contrasts):
    found = make_comparison({"alike": 0.5, "spread": spread, "adapting": adapting}, n_seeds=6)
    found.attrs["contrasts"] = contrasts
    return found


def test_each_task_has_a_panel_and_what_may_be_nothing_is_faint(tmp_path):
    both = {"parameters": PARAMETERS, "adaptation": ADAPTATION}
    tasks = {"intervals": comparison(0.9, 0.5, both), "spoken vowels": comparison(0.5, 0.9, both)}
    figure = plot.contrasts_figure(tasks, "What diversity buys")
    plot.save(figure, tmp_path / "contrasts.png", dpi=100)
    assert [ax.get_title(loc="left") for ax in figure.axes] == list(tasks)
    clear = [[line.get_color() == "#222222" for line in ax.lines if line.get_marker() == "o"] for ax in figure.axes]
    assert clear == [[True, False], [False, True]]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["parameters", "adaptation"]
    assert overlaps(figure) == []


def test_a_contrast_that_a_task_lacks_is_an_empty_row():
    figure = plot.contrasts_figure(
        {
            "both": comparison(0.9, 0.9, {"parameters": PARAMETERS, "adaptation": ADAPTATION}),
            "one": comparison(0.9, 0.9, {"adaptation": ADAPTATION}),
        }
    )
    heights = [[line.get_ydata()[0] for line in ax.lines if line.get_marker() == "o"] for ax in figure.axes]
    assert heights == [[0, 1], [1]]


def test_a_comparison_without_contrasts_is_told():
    with pytest.raises(LearnError, match="'intervals': expected contrasts, found none"):
        plot.contrasts_figure({"intervals": make_comparison()})
    with pytest.raises(LearnError, match="expected the comparisons of a study, found none"):
        plot.contrasts_figure({})
