import numpy as np
import pytest

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
    accuracy = float(curves["accuracy"][1, 20])
    loss, other = ([line.get_label() for line in ax.lines] for ax in plot.learning_curves(curves).axes[:2])
    assert "kept: 0.2, epoch 21" in loss
    assert f"kept: {accuracy:.3g}, epoch 21" in other


def test_what_is_missing_or_never_finite_has_no_panel():
    curves = make_curves().drop_vars(["rate", "gradient_norm"])
    curves["accuracy"][:] = np.nan
    assert titles(plot.learning_curves(curves)) == ["Loss"]
    with pytest.raises(LearnError, match="at least one epoch, found none"):
        plot.learning_curves(curves.drop_vars("loss"))


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
