import numpy as np

from tests.figures import overlaps
from tests.trained import make_wandering
from twinbrain import analysis, plot


def test_autocorrelations_and_time_scales_are_drawn(tmp_path):
    responses = make_wandering()
    figure = plot.time_scales(responses)
    plot.save(figure, tmp_path / "time_scales.png", dpi=100)
    left, right = figure.axes
    found = analysis.time_scales(responses)
    np.testing.assert_array_equal(left.lines[0].get_ydata(), found["autocorrelation"][0, 1:])
    drawn = [line.get_xdata()[0] for line in right.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(drawn, found["time_scale"])
    assert right.texts[0].get_text() == f"{drawn[0]:.3g} ± {float(found['time_scale_error'][0]):.2g} ms"
    assert left.get_legend() is None
    assert overlaps(figure) == []


def test_far_apart_time_scales_are_on_a_logarithmic_axis():
    assert plot.time_scales(make_wandering((10.0, 200.0), n_bins=80)).axes[1].get_xscale() == "log"
    assert plot.time_scales(make_wandering((30.0, 60.0))).axes[1].get_xscale() == "linear"


def test_populations_that_do_not_remember_are_said_so(tmp_path):
    responses = make_wandering()
    noise = np.random.default_rng(0).standard_normal(responses["rate"].shape)
    names = [f"a_population_with_a_long_name_{i // 4}" for i in range(20)]
    responses = responses.assign(rate=(responses["rate"].dims, noise)).assign_coords(population=("neuron", names))
    figure = plot.time_scales(responses)
    plot.save(figure, tmp_path / "none.png", dpi=100)
    assert len(figure.axes) == 1  # a panel of time scales would be empty
    assert "none has a time scale" in figure.axes[0].texts[-1].get_text()
    assert len(figure.axes[0].get_legend().get_texts()) == 5  # their colours are told nowhere else
    assert overlaps(figure) == []
