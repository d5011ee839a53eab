import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import LogNorm

from tests.figures import overlaps
from tests.trained import make_gradients
from twinbrain import plot
from twinbrain.plot.canvas import new_axes


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_layers_are_rows_on_a_logarithmic_scale_and_marked(tmp_path):
    gradients = make_gradients()
    ax = plot.gradient_health(gradients)
    plot.save(ax, tmp_path / "gradients.png", dpi=100)
    np.testing.assert_array_equal(ax.images[0].get_array(), gradients["norm"])
    assert isinstance(ax.images[0].norm, LogNorm)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["input", "pyr", "readout"]
    assert [text.split()[0] for text in texts(ax)[:3]] == ["vanishing", "steady", "exploding"]
    assert overlaps(ax.figure) == []


def test_the_last_epoch_is_drawn_or_the_one_that_is_asked_for():
    both = xr.concat([make_gradients((0.9,)), make_gradients((1.1,))], "epoch").assign_coords(epoch=[1, 2])
    assert texts(plot.gradient_health(both))[0].startswith("exploding")
    assert texts(plot.gradient_health(both, epoch=1))[0].startswith("vanishing")


def test_zeros_and_what_is_not_finite_are_no_colours(tmp_path):
    gradients = make_gradients()
    gradients["norm"][0] = 0
    gradients["norm"][1, 5] = np.inf
    ax = plot.gradient_health(gradients)
    plot.save(ax, tmp_path / "bad.png", dpi=100)
    assert texts(ax)[:2] == ["no gradient", "not finite"]
    masked = np.ma.getmaskarray(ax.images[0].get_array())
    assert masked[0].all()
    assert masked[1].sum() == 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_norms_are_drawn_still(value, tmp_path):
    gradients = make_gradients()
    gradients["norm"][:] = value
    ax = new_axes(None)
    assert plot.gradient_health(gradients, ax=ax) is ax
    plot.save(ax, tmp_path / "equal.png", dpi=100)
