import numpy as np
import pytest

from tests.figures import overlaps
from tests.trained import make_comparison, make_responses
from twinbrain import analysis, plot


@pytest.fixture
def lesioned():
    """The drop by two lesions: of every second trial, and of none."""
    intact = make_responses()
    intact = intact.assign(decision=intact["label"])
    half = intact.assign(decision=("trial", np.where(np.arange(160) // 4 % 2, -1, intact["label"].values)))
    return analysis.ablation(intact, {"pv": half, "an interneuron of a very long name": intact})


def test_bars_have_the_drop_its_interval_and_single_classes(lesioned, tmp_path):
    ax = plot.ablation(lesioned)
    plot.save(ax, tmp_path / "ablation.png", dpi=100)
    assert [patch.get_width() for patch in ax.patches] == [50, 0]
    classes, interval = ax.lines[:2]
    assert len(classes.get_xdata()) == 4
    np.testing.assert_allclose(interval.get_xdata(), [100 * lesioned["low"][0], 100 * lesioned["high"][0]])
    assert ax.texts[-1].get_text() == "intact 100.0 %; 95 % intervals over 160 trials; dots: single classes"
    assert overlaps(ax.figure) == []


def test_drops_over_seeds_are_drawn_alike(tmp_path):
    accuracy = make_comparison()["accuracy"].rename(condition="lesion")
    ax = plot.ablation(analysis.ablation_over_seeds(accuracy[-1].drop_vars("lesion"), accuracy[:3]))
    plot.save(ax, tmp_path / "seeds.png", dpi=100)
    assert ax.texts[-1].get_text().endswith("95 % intervals over 6 seeds")
    assert overlaps(ax.figure) == []


def test_a_single_seed_has_bars_without_intervals():
    accuracy = make_comparison(n_seeds=1)["accuracy"].rename(condition="lesion")
    ax = plot.ablation(analysis.ablation_over_seeds(accuracy[-1].drop_vars("lesion"), accuracy[:3]))
    assert len(ax.patches) == 3
    assert len(ax.lines) == 1  # that of zero
