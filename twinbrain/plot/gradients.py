"""Gradients on their way back through time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.plot.canvas import new_axes, note, tidy
from twinbrain.plot.palette import INK, RATE_MAP
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import room_for, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

_MARKS = {"vanishing": "#0072b2", "exploding": "#d55e00", "not finite": "#d55e00"}
_NONE = "#dddddd"
_MOST_DECADES = 12


@plain_texts
def gradient_health(
    gradients: xr.Dataset, *, epoch: int | None = None, limit: float = 1e3, ax: Axes | None = None
) -> Axes:
    """Draw the norm of the gradient of each layer at each step, and mark what vanishes or explodes.

    Parameters
    ----------
    gradients : xarray.Dataset
        ``norm`` (layer, step), and of several epochs (epoch, layer, step).
    epoch : int, optional
        Which epoch, by its coordinate; by default the last.
    limit : float, optional
        See `twinbrain.analysis.gradient_health`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib.colors import LogNorm

    if "epoch" in gradients["norm"].dims:
        gradients = gradients.isel(epoch=-1) if epoch is None else gradients.sel(epoch=epoch)
    health = analysis.gradient_health(gradients, limit)
    norm = gradients["norm"].transpose("layer", "step")
    values = norm.values.astype(np.float64)
    n_layers, n_steps = values.shape
    ax = new_axes(ax, 9, room_for(n_layers) + 0.6)
    drawn = values[np.isfinite(values) & (values > 0)]
    top = float(drawn.max()) if len(drawn) else 1.0
    # A gradient of nothing but rounding does not take the colours from the others.
    low = max(float(drawn.min(initial=top)), top * 10.0**-_MOST_DECADES)
    ax.set_facecolor(_NONE)
    first = float(norm["step"].values[0]) if "step" in norm.coords else 0.0
    image = ax.imshow(
        np.ma.masked_where(~np.isfinite(values) | (values <= 0), values),
        aspect="auto",
        interpolation="nearest",
        cmap=RATE_MAP,
        norm=LogNorm(low if low < top else top / 10, top),
        extent=(first - 0.5, first + n_steps - 0.5, n_layers - 0.5, -0.5),
        rasterized=True,
    )
    tidy(ax)
    ax.spines[:].set_visible(False)
    ax.set_yticks(range(n_layers), [shown(str(name)) for name in norm["layer"].values])
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("time step")
    for i, (state, ratio) in enumerate(zip(health["state"].values, health["ratio"].values, strict=True)):
        _mark(ax, i, str(state), float(ratio))
    for i in range(1, n_layers):
        ax.axhline(i - 0.5, color="white", linewidth=1)
    if len(drawn):
        _draw_scale(ax, image)
    note(ax, f"× norm at the first tenth of the steps over that at the last; marked beyond {limit:g}", below=36)
    return ax


def _draw_scale(ax: Axes, image: ScalarMappable) -> None:
    """Draw what the colours mean above the panel, since beside it stand the marks of the layers."""
    figure = ax.get_figure()
    assert figure is not None
    above = 0.12 / (ax.bbox.height / figure.dpi)
    bar = figure.colorbar(image, cax=ax.inset_axes((0.6, 1 + above, 0.4, above)), orientation="horizontal")
    bar.ax.xaxis.set_ticks_position("top")
    bar.ax.tick_params(labelsize=8, length=2, color=INK, labelcolor=INK)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.ax.set_ylabel("norm of the gradient ", rotation=0, ha="right", va="center", fontsize=8, color=INK)


def _mark(ax: Axes, row: int, state: str, ratio: float) -> None:
    value = f" × {ratio:.2g}" if np.isfinite(ratio) else ""
    text = {"none": "no gradient", "not finite": "not finite"}.get(state, f"{state}{value}")
    ax.text(
        1.015,
        row,
        text,
        transform=ax.get_yaxis_transform(),
        ha="left",
        va="center",
        fontsize=8,
        color=_MARKS.get(state, INK),
        fontweight="bold" if state in _MARKS else "normal",
    )
