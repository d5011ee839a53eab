import sys
from functools import cache

import numpy as np
import pytest
import xarray as xr
from matplotlib.image import imread

from tests.figures import overlaps
from twinbrain import plot
from twinbrain.connectome import synthetic_connectome


@pytest.fixture(scope="module")
def figures(request, tmp_path_factory):
    """Return the summary of a run, and the file it was saved in, each drawn once."""
    folder = tmp_path_factory.mktemp("figures")

    @cache
    def figure(name):
        drawn = plot.summary_figure(request.getfixturevalue(name))
        return drawn, plot.save(drawn, folder / f"{name}.png", dpi=100)

    return figure


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]


def test_the_summary_of_a_brain_has_every_panel(brain, figures):
    figure, path = figures("brain")
    assert titles(figure) == [
        "Spikes from 0 to 1.2 s",
        "Firing rate of regions",
        "Mean rate, region by region",
        "Connectome synthetic-96",
        "Mean rate",
        "Irregularity",
        "Power spectrum of the rates",
    ]
    said = " ".join(text.get_text() for text in figure.texts)
    assert "made_up" in said
    assert f"96 regions  ·  {brain['network'].attrs['n_neurons']:,} neurons  ·  1,000 synapses" in said
    assert "1.2 s  ·  seed 7  ·  engine reference" in said
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["thalamus", "hippocampus", "basal ganglia", "amygdala", "midbrain", "cortex"]
    assert imread(path).shape[:2] == (1050, 1400)


def test_the_summary_of_a_region_has_populations_and_no_connectome(figures):
    figure, _ = figures("region")
    assert titles(figure) == [
        "Spikes from 0 to 1 s",
        "Firing rate of populations",
        "Mean rate",
        "Irregularity",
        "Power spectrum of the rates",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["pyr", "pv", "sst", "vip"]


@pytest.mark.parametrize("run", ["brain", "small_brain", "region"])
def test_no_text_lies_on_another(run, figures):
    figure, _ = figures(run)
    assert overlaps(figure) == []


def test_a_run_without_spikes_or_centroids_has_the_panels_that_are_left(helpers, tmp_path):
    run = helpers.known_run(duration=1000.0, record_spikes=False)
    figure = plot.summary_figure(run)
    plot.save(figure, tmp_path / "figure.png", dpi=50)
    assert titles(figure) == [
        "Firing rate of regions",
        "Connectome all to all",
        "Mean rate",
        "Power spectrum of the rates",
    ]


def test_a_run_cut_short_after_some_steps_is_drawn_still(helpers, tmp_path):
    run = helpers.known_run(duration=6.0)
    run.attrs["status"] = "interrupted"
    figure = plot.summary_figure(run)
    plot.save(figure, tmp_path / "figure.png", dpi=50)
    assert "Power spectrum of the rates" not in titles(figure)
    assert any("interrupted" in text.get_text() for text in figure.texts)


def test_a_silent_brain_is_drawn_still(helpers, tmp_path):
    connectome = synthetic_connectome(40)
    populations = [(label, "cortex/column", "e", "glutamate", 2) for label in connectome.labels]
    run = helpers.make_run(populations, [[]] * 80, duration=1000.0, connectome=connectome)
    plot.save(plot.summary_figure(run), tmp_path / "silent.png", dpi=50)


def test_a_run_opened_from_zarr_is_drawn_as_it_is(region, tmp_path):
    region.to_zarr(tmp_path / "run.zarr", zarr_format=3, consolidated=False)
    opened = xr.open_datatree(tmp_path / "run.zarr", engine="zarr", chunks={}, consolidated=False)
    lines = [[line for ax in plot.summary_figure(run).axes for line in ax.lines] for run in (region, opened)]
    assert len(lines[0]) > 20
    for here, there in zip(*lines, strict=True):
        np.testing.assert_array_equal(here.get_xydata(), there.get_xydata())


def pyplots_figures():
    """Return the numbers of the figures that pyplot keeps, whoever made them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot.get_fignums() if pyplot else []


def test_drawing_leaves_pyplot_alone(region):
    before = pyplots_figures()
    plot.summary_figure(region)
    assert pyplots_figures() == before


@pytest.mark.parametrize("n", [20, 21])
def test_a_region_of_many_populations_is_drawn(helpers, n):
    populations = [("A", "x/y", f"p{i}", "glutamate", 1) for i in range(n)]
    figure = plot.summary_figure(
        helpers.make_run(populations, [np.arange(0, 900, 9 + i) for i in range(n)], duration=100.0)
    )
    (rates,) = [ax for ax in figure.axes if ax.get_title(loc="left") == "Mean rate"]
    rows = [label.get_text() for label in rates.get_yticklabels()]
    assert rows == ([f"p{i}" for i in range(n)] if n == 20 else ["x"])
    assert not figure.legends  # it would lie on the title
