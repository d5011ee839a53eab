"""Figures are pyplot's where somebody sees those, and nobody's elsewhere."""

import numpy as np
import pytest

from twinbrain import plot
from twinbrain.spec.connectome import Connectome

PAIR = Connectome([[0, 1], [1, 0]], [[0, 10], [10, 0]], ["A", "B"], centroids=[[0, 0, 0], [1, 2, 3]])


@pytest.fixture
def pyplot():
    from matplotlib import pyplot

    before = pyplot.get_backend()
    pyplot.close("all")  # those of other tests, which the counts below would take for ours
    yield pyplot
    pyplot.close("all")
    pyplot.switch_backend(before)


def test_where_pyplot_has_windows_a_panel_is_its_current_figure(pyplot):
    pyplot.switch_backend("module://tests.plot.windows")
    ax = plot.connectome_matrix(PAIR)
    assert pyplot.gcf() is ax.get_figure()
    other = plot.brain_map(PAIR)
    assert pyplot.gca() is other
    assert len(pyplot.get_fignums()) == 2


def test_where_pyplot_draws_files_alone_it_keeps_no_figure_of_ours(pyplot):
    pyplot.switch_backend("agg")
    plot.connectome_matrix(PAIR)
    assert pyplot.get_fignums() == []


def test_axes_that_are_given_are_drawn_on(pyplot):
    pyplot.switch_backend("module://tests.plot.windows")
    _, axes = pyplot.subplots(1, 2)
    assert plot.brain_map(PAIR, ax=axes[1]) is axes[1]
    assert len(pyplot.get_fignums()) == 1


def test_in_a_notebook_a_panel_is_shown_and_a_whole_figure_shows_itself(pyplot, monkeypatch):
    monkeypatch.setattr("twinbrain.plot.canvas.in_notebook", lambda: True)
    pyplot.switch_backend("module://tests.plot.windows")
    ax = plot.connectome_matrix(PAIR)
    assert pyplot.gcf() is ax.get_figure()
    pyplot.close("all")
    from twinbrain.plot.canvas import new_figure

    assert new_figure(3, 2).get_size_inches() == pytest.approx(np.array([3, 2]))
    assert pyplot.get_fignums() == []
