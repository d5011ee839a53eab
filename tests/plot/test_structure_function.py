import numpy as np
import pytest
from scipy import stats

from twinbrain import plot
from twinbrain.analysis import structure_function
from twinbrain.spec.connectome import Connectome


@pytest.fixture(scope="module")
def run(helpers):
    """Return a minute of regions A and B, whose rates go together and which are connected, and of C, which is alone."""
    rng = np.random.default_rng(1)
    shared, own = rng.integers(0, 40, 600), rng.integers(0, 40, 600)
    trains = [
        np.concatenate([bin * 1000 + np.arange(n) * 10 for bin, n in enumerate(c)]) for c in (shared, shared, own)
    ]
    weight = np.array([[0.0, 3, 1], [1, 0, 0], [1, 0, 0]])
    return helpers.make_run(
        [(label, "x/a", "e", "glutamate", 1) for label in "ABC"],
        trains,
        duration=60_000.0,
        connectome=Connectome(weight, np.ones((3, 3)), "ABC"),
    )


def test_the_mean_of_each_weight_is_drawn_over_its_pairs(run):
    ax = plot.structure_function(run)
    pairs = structure_function(run)
    means = ax.containers[0].lines[0]
    order = np.argsort(pairs["weight"].values)
    np.testing.assert_allclose(np.array(means.get_xdata(), float), [0, 1, 2])
    np.testing.assert_allclose(np.array(means.get_ydata(), float), pairs["correlation"].values[order])
    assert [text.get_text() for text in ax.texts] == [f"r = {float(pairs['r']):.2f}"]
    assert float(pairs["r"]) > 0.5


def test_the_summary_shows_it_where_the_run_is_long_enough(run, helpers):
    titles = [ax.get_title(loc="left") for ax in plot.summary_figure(run).axes]
    assert "Structure and function" in titles
    short = plot.summary_figure(helpers.known_run(duration=1000.0))
    assert "Structure and function" not in [ax.get_title(loc="left") for ax in short.axes]


def test_bars_are_standard_errors_and_one_pair_has_none(helpers):
    rng = np.random.default_rng(2)
    trains = [np.sort(rng.choice(600_000, 4000, replace=False)) for _ in range(4)]
    weight = np.zeros((4, 4))
    weight[0, 1] = weight[1, 0] = 1.0
    weight[2, 3] = weight[3, 2] = 2.0
    run = helpers.make_run(
        [(label, "x/a", "e", "glutamate", 1) for label in "ABCD"],
        trains,
        duration=60_000.0,
        connectome=Connectome(weight, np.ones((4, 4)), "ABCD"),
    )
    pairs = structure_function(run)
    correlation = pairs["correlation"].values[pairs["weight"].values == 0]
    expected = stats.sem(correlation)
    (bars,) = plot.structure_function(run).containers[0].lines[2]
    heights = [np.ptp(np.array(segment)[:, 1]) / 2 if len(segment) else np.nan for segment in bars.get_segments()]
    np.testing.assert_allclose(heights, [expected, np.nan, np.nan])
