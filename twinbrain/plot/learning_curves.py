"""How a network learned, epoch by epoch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.plot.canvas import entitle, new_figure, tidy
from twinbrain.plot.palette import FAINT, INK, PLAIN, colours
from twinbrain.plot.plain import plain_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Variable, dimension of its lines, title, label of the axis.
_PANELS = (
    ("loss", "split", "Loss", "loss"),
    ("accuracy", "split", "Accuracy", "accuracy"),
    ("rate", "population", "Firing rates", "rate (Hz)"),
    ("gradient_norm", "parameter", "Gradients", "norm of the gradient"),
)
_SPLITS = {"train": FAINT, "validation": PLAIN, "test": "#d55e00"}
_MOST_NAMES = 12
_DECADES = 1.3  # from which on an axis is logarithmic


@plain_texts
def learning_curves(curves: xr.Dataset) -> Figure:
    """Draw loss, accuracy, firing rates and norms of gradients against epochs, as far as they are there.

    Parameters
    ----------
    curves : xarray.Dataset
        ``loss`` and ``accuracy`` (split, epoch), ``rate`` (population, epoch) in Hz, ``gradient_norm`` (parameter,
        epoch), ``seconds`` (epoch); attributes ``name``, ``task``, ``rule`` and ``chance``, which is drawn as a line.
        The attributes ``best_epoch`` and ``best_loss`` tell the epoch that was kept, which is marked if it is there.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `save`.

    Raises
    ------
    LearnError
        If there is nothing to draw, or it is of several trainings.
    """
    panels = [panel for panel in _PANELS if panel[0] in curves and np.isfinite(curves[panel[0]]).any()]
    if not panels:
        raise LearnError("curves: expected loss, accuracy, rate or gradient_norm of at least one epoch, found none")
    for name, dim, *_ in panels:
        _check_dims(curves[name], {dim, "epoch"})
    columns = 2 if len(panels) == 4 else len(panels)
    rows = -(-len(panels) // columns)
    height = 3.2 * rows + 0.5
    figure = new_figure(5.0 * columns, height, top=1 - 0.5 / height)
    kept = _kept(curves)
    title, facts = _head(curves)
    figure.text(0.012, 1 - 0.2 / height, title, fontsize=13, fontweight="bold", color=INK, va="center")
    figure.text(0.012, 1 - 0.42 / height, facts, fontsize=9.5, color=INK, va="center")
    for i, (name, dim, heading, label) in enumerate(panels):
        ax = figure.add_subplot(rows, columns, i + 1)
        _draw(ax, curves[name].transpose(dim, "epoch"), dim)
        if name == "accuracy":
            _draw_chance(ax, curves)
        if name in ("loss", "accuracy") and kept is not None:
            _mark(ax, curves[name], kept)
        ax.set_ylabel(label)
        entitle(ax, heading + _said(curves[name]))
        tidy(ax)
        _draw_legend(ax, beside=dim != "split")
    return figure


def _check_dims(values: xr.DataArray, expected: set[str]) -> None:
    found = set(map(str, values.dims))
    if found == expected:
        return
    if more := sorted(found - expected):
        advice = f"take one of them: isel({more[0]}=0)"
    else:
        advice = f"take it as a list, such as isel({min(expected - found)}=[0])"
    raise LearnError(
        f"curves: expected {values.name!r} with the dimensions {' and '.join(sorted(expected))}, found "
        f"{' and '.join(sorted(found)) or 'none'}; {advice}"
    )


def _head(curves: xr.Dataset) -> tuple[str, str]:
    attrs = curves.attrs
    title = ", ".join(str(attrs[key]) for key in ("name", "task") if attrs.get(key)) or "Learning"
    n = curves.sizes["epoch"]
    facts = [f"rule {attrs['rule']}"] if attrs.get("rule") else []
    facts.append(f"{n} epoch{'s' * (n > 1)}")
    if "seconds" in curves:
        facts.append(f"{float(curves['seconds'].sum()):.3g} s")
    return title, "  ·  ".join(facts)


def _draw(ax: Axes, values: xr.DataArray, dim: str) -> None:
    from matplotlib.ticker import MaxNLocator

    names = [str(name) for name in values[dim].values]
    colour = {**colours(names), **(_SPLITS if dim == "split" else {})}
    epoch = _epochs(values)
    marker = "o" if len(epoch) < 4 else ""
    for name, row in zip(names, values.values, strict=True):
        ax.plot(epoch, row, color=colour[name], linewidth=1.4, marker=marker, ms=4, label=_short(name))
    ax.set_xlabel("epoch")
    if len(epoch) > 6:
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    else:
        ax.set_xticks(epoch)
    margin = max(0.03 * (epoch[-1] - epoch[0]), 0.5)
    ax.set_xlim(epoch[0] - margin, epoch[-1] + margin)
    positive = values.values[np.isfinite(values.values) & (values.values > 0)]
    wide = len(positive) and np.log10(positive.max() / positive.min()) > _DECADES
    if wide and str(values.name) in ("loss", "gradient_norm"):
        ax.set_yscale("log")
    elif values.name == "accuracy":
        ax.set_ylim(0, 1.02)
    elif str(values.name) == "rate":
        ax.set_ylim(bottom=0)


def _epochs(values: xr.DataArray) -> NDArray[Any]:
    return values["epoch"].values if "epoch" in values.coords else np.arange(1, values.sizes["epoch"] + 1)


def _said(values: xr.DataArray) -> str:
    """Return from which epoch on something is not finite, as an end of a title."""
    bad = ~np.isfinite(values.transpose(..., "epoch").values).reshape(-1, values.sizes["epoch"]).all(axis=0)
    return f" (not finite from epoch {_epochs(values)[bad.argmax()]})" if bad.any() else ""


def _draw_legend(ax: Axes, *, beside: bool) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if len(labels) > _MOST_NAMES:
        handles = handles[:_MOST_NAMES]
        labels = [*labels[: _MOST_NAMES - 1], f"… {len(labels) - _MOST_NAMES + 1} more"]
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.03)} if beside else {"loc": "best"}
    ax.legend(handles, labels, frameon=False, fontsize=8, handlelength=1.2, labelspacing=0.35, **place)


def _short(name: str, longest: int = 24) -> str:
    """Return a name in as many lines as it needs, broken where it has signs."""
    parts = [part for part in re.split(r"(?<=[_ .:>/-])", name) if part]
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) > longest:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _draw_chance(ax: Axes, curves: xr.Dataset) -> None:
    chance = curves.attrs.get("chance")
    if chance is not None:
        ax.axhline(float(chance), color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label=f"chance {float(chance):.3g}")


def _kept(curves: xr.Dataset) -> int | None:
    """Return the place of the epoch whose network is kept, if it is there, and no mean of it and others."""
    attrs = curves.attrs
    if (
        not {"best_epoch", "best_loss"} <= {*attrs}
        or "loss" not in curves
        or "validation" not in curves["loss"]["split"].values
    ):
        return None
    watched = curves["loss"].sel(split="validation")
    places = np.flatnonzero((_epochs(watched) == attrs["best_epoch"]) & np.isclose(watched, attrs["best_loss"], 1e-6))
    return int(places[0]) if len(places) else None


def _mark(ax: Axes, values: xr.DataArray, kept: int) -> None:
    """Mark the epoch that is kept, on the validation trials, which decided about it."""
    watched = values.sel(split="validation")
    epoch, value = _epochs(watched)[kept], float(watched[kept])
    label = f"kept: {value:.3g}, epoch {epoch}"
    ax.plot(epoch, value, "o", color=PLAIN, ms=6, mec="white", mew=0.8, zorder=4, label=label)
