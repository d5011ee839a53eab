import numpy as np
import pytest

from tests.trained import make_responses
from twinbrain import analysis, plot
from twinbrain.errors import LearnError


@pytest.mark.parametrize("n_dims", [2, 3])
def test_each_class_has_its_path_with_a_ring_where_it_begins(n_dims, tmp_path):
    responses = make_responses()
    ax = plot.trajectories(responses, n_dims)
    plot.save(ax, tmp_path / "trajectories.png", dpi=100)
    score = analysis.trajectories(responses, n_dims)["score"].values
    assert len(ax.lines) == 3 * 4
    path, ring, _ = ax.lines[:3]
    drawn, begin = (line.get_data_3d() if n_dims == 3 else line.get_data() for line in (path, ring))
    np.testing.assert_allclose(np.stack(drawn, axis=1), score[0])
    assert ring.get_markerfacecolor() == "white"
    np.testing.assert_allclose(np.ravel(begin), score[0, 0])
    assert [text.get_text().strip() for text in ax.texts] == ["0", "1", "2", "3"]
    share = analysis.trajectories(responses, n_dims)["explained"].values[0]
    assert ax.get_xlabel() == f"component 1 ({100 * share:.0f} %), Hz"


@pytest.mark.parametrize("n_classes", [1, 20])
def test_any_number_of_classes_has_as_many_colours(n_classes, tmp_path):
    ax = plot.trajectories(make_responses(n_classes=n_classes, n_trials=8))
    plot.save(ax, tmp_path / "many.png", dpi=100)
    assert len({line.get_color() for line in ax.lines[::3]}) == n_classes


def test_too_few_dimensions_are_refused():
    responses = make_responses()
    with pytest.raises(LearnError, match="expected n_dims 2 or 3, found 4"):
        plot.trajectories(responses, 4)
    with pytest.raises(LearnError, match="at least 2 dimensions, found 1"):
        plot.trajectories(responses.isel(neuron=[0]))
