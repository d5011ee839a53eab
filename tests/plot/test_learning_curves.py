import re

import numpy as np
import pytest
import xarray as xr

from tests.figures import overlaps
from tests.trained import make_curves
from twinbrain import plot
from twinbrain.errors import LearnError


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


def line(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def test_each_panel_shows_its_variable(tmp_path):
    curves = make_curves()
    figure = plot.learning_curves(curves)
    plot.save(figure, tmp_path / "curves.png", dpi=100)
    assert titles(figure) == ["Loss", "Accuracy", "Firing rates", "Gradients"]
    loss, accuracy, rate, gradients = figure.axes
    np.testing.assert_array_equal(line(loss, "validation").get_ydata(), curves["loss"].sel(split="validation"))
    np.testing.assert_array_equal(line(rate, "pv").get_ydata(), curves["rate"].sel(population="pv"))
    assert set(line(accuracy, "chance 0.1").get_ydata()) == {0.1}
    assert gradients.get_yscale() == "log"
    said = [text.get_text() for text in figure.texts]
    assert said == ["column, digits", "rule bptt  ·  30 epochs  ·  75 s"]
    assert overlaps(figure) == []


def test_the_epoch_that_is_kept_is_marked_alike_in_loss_and_accuracy():
    curves = make_curves()
    curves["accuracy"][1, 11] = 0.99  # not kept: the loss decides
    curves["loss"][1, 20] = 0.2
    curves.attrs |= {"best_epoch": 21, "best_loss": 0.2}
    accuracy = float(curves["accuracy"][1, 20])
    loss, other = ([line.get_label() for line in ax.lines] for ax in plot.learning_curves(curves).axes[:2])
    assert "kept: 0.2, epoch 21" in loss
    assert f"kept: {accuracy:.3g}, epoch 21" in other


@pytest.mark.parametrize(
    ("part", "marked"),
    [
        (lambda curves: curves.isel(epoch=slice(10, None)), True),
        (lambda curves: curves.sel(split=["validation"]), True),
        (lambda curves: curves.isel(epoch=slice(0, 20)), False),
        (lambda curves: curves.coarsen(epoch=2).mean(), False),
        (lambda curves: curves.coarsen(epoch=3).mean(), False),  # of which one epoch is 20, 21, 22
        (lambda curves: curves.sel(split=["train"]), False),
    ],
)
def test_only_the_epoch_that_was_kept_is_marked(part, marked):
    curves = make_curves()
    curves["loss"][1, 20] = 0.2
    figure = plot.learning_curves(part(curves.assign_attrs(best_epoch=21, best_loss=0.2)))
    labels = [line.get_label() for ax in figure.axes[:2] for line in ax.lines]
    assert sum(label.startswith("kept: ") for label in labels) == (2 if marked else 0)


def test_curves_of_several_trainings_or_without_a_dimension_are_refused():
    curves = make_curves()
    given = {
        "found epoch and seed and split; take one of them: isel(seed=0)": xr.concat([curves, curves], "seed"),
        "found epoch; take it as a list, such as isel(split=[0])": curves.sel(split="train"),
        "found split; take it as a list, such as isel(epoch=[0])": curves.isel(epoch=0),
    }
    for message, some in given.items():
        with pytest.raises(LearnError, match="curves: expected 'loss' with the dimensions .*" + re.escape(message)):
            plot.learning_curves(some)


def test_what_is_missing_or_never_finite_has_no_panel():
    curves = make_curves().drop_vars(["rate", "gradient_norm"])
    curves["accuracy"][:] = np.nan
    assert titles(plot.learning_curves(curves)) == ["Loss"]
    with pytest.raises(LearnError, match="at least one epoch, found none"):
        plot.learning_curves(curves.drop_vars("loss"))
    with pytest.raises(LearnError, match="at least one epoch, found none"):
        plot.learning_curves(make_curves().isel(epoch=[]))


def test_a_loss_that_went_astray_is_said_so():
    curves = make_curves()
    curves["loss"][0, 12:] = np.nan
    assert titles(plot.learning_curves(curves))[0] == "Loss (not finite from epoch 13)"


@pytest.mark.parametrize("n_epochs", [1, 2])
def test_few_epochs_are_dots(n_epochs, tmp_path):
    figure = plot.learning_curves(make_curves(n_epochs))
    plot.save(figure, tmp_path / "few.png", dpi=100)
    assert line(figure.axes[0], "train").get_marker() == "o"
    assert overlaps(figure) == []


def test_many_populations_do_not_fill_the_figure_with_names(tmp_path):
    curves = make_curves().drop_vars(["rate", "population"])
    many = [f"region_{i}/pyramidal_cells_of_layer_5" for i in range(20)]
    curves = curves.assign(rate=(("population", "epoch"), np.ones((20, 30)))).assign_coords(population=many)
    figure = plot.learning_curves(curves)
    plot.save(figure, tmp_path / "many.png", dpi=100)
    assert [text.get_text() for text in figure.axes[2].get_legend().get_texts()][-1] == "… 9 more"
    assert overlaps(figure) == []
