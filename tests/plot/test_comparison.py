import numpy as np
import pytest

from tests.figures import overlaps
from tests.trained import CONDITIONS, make_comparison
from twinbrain import plot


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]


def said(figure):
    return "\n".join(text.get_text() for text in figure.texts)


def test_the_figure_has_every_panel_and_says_what_has_to_be_said(tmp_path):
    study = make_comparison()
    figure = plot.comparison_figure(study, title="What diversity buys")
    plot.save(figure, tmp_path / "comparison.png", dpi=100)
    assert titles(figure) == [
        "Accuracy",
        "Training time",
        "Operations against accuracy",
        "Energy against accuracy",
        "Robustness: noise",
        "Robustness: lesion",
        "Robustness: time warping",
    ]
    text = said(figure)
    assert text.startswith("What diversity buys")
    assert "6 conditions  ·  6 seeds each  ·  chance 25 %  ·  12.4 k parameters each" in text
    assert text.count("\n") == 1  # what is to be read stands below the table, and not in the figure
    assert overlaps(figure) == []


def test_each_seed_is_a_dot_and_the_chance_a_line():
    study = make_comparison()
    ax = plot.comparison_figure(study).axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "."]
    for line, values in zip(dots, study["accuracy"].values, strict=True):
        np.testing.assert_allclose(line.get_xdata(), 100 * values)
    assert list(ax.lines[0].get_xdata()) == [25, 25]
    assert "chance" in [text.get_text() for text in ax.texts]


def test_intervals_that_overlap_are_said_so():
    study = make_comparison({"a": 0.7, "b": 0.7, "c": 0.4})
    figure = plot.comparison_figure(study)
    remarks = [text.get_text() for text in figure.axes[0].texts]
    assert sum(text.endswith("≈ best") for text in remarks) == 1


@pytest.mark.parametrize(
    "conditions", [{"alone": 0.7}, {f"condition {i} of a long name which goes on": 0.5 + 0.02 * i for i in range(20)}]
)
def test_one_condition_or_twenty_of_long_names_are_drawn(conditions, tmp_path):
    figure = plot.comparison_figure(make_comparison(conditions, n_seeds=1 if len(conditions) == 1 else 5))
    plot.save(figure, tmp_path / "comparison.png", dpi=100)
    assert overlaps(figure) == []


def test_failed_seeds_and_what_was_not_measured_are_left_out(tmp_path):
    study = make_comparison().drop_vars(["disturbed", "energy", "seconds", "n_parameters"]).drop_dims("level")
    study["accuracy"][1, 2:] = np.nan
    study["accuracy"][4] = np.nan
    del study.attrs["chance"]
    figure = plot.comparison_figure(study, reference="LSTM")
    plot.save(figure, tmp_path / "comparison.png", dpi=100)
    assert titles(figure) == ["Accuracy", "Operations against accuracy"]
    assert "0 to 6 seeds each" in said(figure)
    assert overlaps(figure) == []


def test_contrasts_have_a_panel_and_those_that_may_be_nothing_are_faint(tmp_path):
    study = make_comparison({"alike": 0.5, "spread": 0.5, "adapting": 0.8})
    study.attrs["contrasts"] = {"parameters": ("spread", "alike"), "adaptation": ("adapting", "alike")}
    figure = plot.comparison_figure(study)
    plot.save(figure, tmp_path / "comparison.png", dpi=100)
    ax = next(ax for ax in figure.axes if ax.get_title(loc="left") == "Contrasts")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["parameters", "adaptation"]
    assert "adapting against alike" in [text.get_text() for text in ax.texts]
    faint, clear = [line.get_color() for line in ax.lines if len(line.get_xdata()) == 1]
    assert faint != clear
    assert overlaps(figure) == []


def test_many_disturbances_fill_several_rows(tmp_path):
    study = make_comparison(dict(list(CONDITIONS.items())[:2]))
    many = study.isel(disturbance=[0, 1, 2, 0, 1, 2]).assign_coords(disturbance=[f"kind {i}" for i in range(6)])
    figure = plot.comparison_figure(many)
    plot.save(figure, tmp_path / "comparison.png", dpi=100)
    assert sum(title.startswith("Robustness") for title in titles(figure)) == 6
    assert overlaps(figure) == []


def test_panels_stand_under_each_other_and_levels_of_their_own_have_intervals():
    study = make_comparison(dict(list(CONDITIONS.items())[:2]))
    many = study.isel(disturbance=[0, 1, 2, 0, 1, 2]).assign_coords(disturbance=[f"kind {i}" for i in range(6)])
    many = many.reindex(level=[*many["level"].values, 5.0])
    last, known = {"disturbance": "kind 5"}, [float(many["level"][0]), 5.0]
    many["disturbed"].loc[last] = many["disturbed"].loc[last].isel(level=0).where(many["level"].isin(known))
    figure = plot.comparison_figure(many)
    figure.canvas.draw()
    axes = [ax for ax in figure.axes if ax.get_title(loc="left").startswith("Robustness")]
    places = [ax.get_position().x0 for ax in axes]
    assert np.allclose(places[:3], places[3:])
    areas = [area.get_paths()[0].vertices[:, 0] for area in axes[-1].collections]
    assert len(areas) == 2
    assert all(set(area) == set(known) for area in areas)


def test_where_chance_differs_each_condition_has_its_mark(tmp_path):
    study = make_comparison({"a": 0.7, "b": 0.9, "c": 0.7})
    del study.attrs["chance"]
    figure = plot.comparison_figure(study.assign(chance=("condition", [0.25, 0.25, 0.125])))
    plot.save(figure, tmp_path / "comparison.png", dpi=100)
    ax = figure.axes[0]
    assert [list(line.get_xdata()) for line in ax.lines if line.get_linestyle() == "--"] == [
        [25] * 2,
        [25] * 2,
        [12.5] * 2,
    ]
    assert sum(text.get_text().endswith("best") for text in ax.texts) == 1
    assert "chance 12.5 to 25 %, of different tasks" in said(figure)
    assert overlaps(figure) == []
