import numpy as np
import pytest

from twinbrain import analysis, plot
from twinbrain.errors import ConnectomeError, SpecError


def colour_bar(ax):
    return next(child for child in ax.child_axes if child.get_ylabel())


def test_a_difference_is_drawn_about_zero_and_called_one(brain):
    rate = analysis.mean_rates(brain)
    ax = plot.brain_map(brain, rate - rate.mean())
    dots = ax.collections[-1] if ax.collections[-1].get_array() is not None else ax.collections[-2]
    values = (rate - rate.mean()).values
    assert dots.norm.vmin == -dots.norm.vmax == -np.abs(values).max()
    assert dots.cmap(dots.norm(0.0))[:3] > (0.95, 0.95, 0.95)
    plain = plot.brain_map(brain, rate)
    assert colour_bar(plain).get_ylabel() == "mean firing rate (Hz)"
    assert colour_bar(plot.brain_map(brain, rate, label="rate at rest")).get_ylabel() == "rate at rest"


def test_the_largest_values_and_the_sides_are_named(brain):
    rate = analysis.mean_rates(brain)
    texts = [text.get_text() for text in plot.brain_map(brain, rate).texts]
    assert str(rate["region"].values[rate.values.argmax()]) in texts
    assert {"left", "right"} <= set(texts)


def test_values_of_other_regions_and_other_formats_are_refused(brain, tmp_path):
    rate = analysis.mean_rates(brain)
    with pytest.raises(ConnectomeError, match="values: expected the regions of the run, found none called"):
        plot.brain_map(brain, rate[1:])
    with pytest.raises(ConnectomeError, match=r"values: expected each region once, found .* 2 times"):
        plot.brain_map(brain, rate[[0, *range(rate.size)]])
    with pytest.raises(ConnectomeError, match=r"values: expected one for each region, found dims \['kind'\]"):
        plot.brain_map(brain, analysis.mean_rates(brain, by="kind"))
    with pytest.raises(SpecError, match=r"path: expected a suffix of .*png.*, found '\.foo'"):
        plot.save(plot.brain_map(brain), tmp_path / "new" / "x.foo")
    assert not (tmp_path / "new").exists()
