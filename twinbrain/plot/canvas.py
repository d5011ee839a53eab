"""Axes to draw on, and what all panels share; no screen is needed."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinbrain.analysis.tree import Span
from twinbrain.errors import SpecError
from twinbrain.files import FileError, write_whole
from twinbrain.files.regular import check_no_url
from twinbrain.paths import user_path
from twinbrain.plot.palette import FAINT, INK, STIMULUS, mix
from twinbrain.progress import in_notebook

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure


def new_figure(width: float, height: float, top: float = 1.0, bottom: float = 0.0) -> Figure:
    """Return an empty figure, in inches, that lays itself out from ``bottom`` to ``top``, shares of its height.

    It is one of pyplot's where a window shows those; a notebook shows a figure that a cell returns by itself.
    """
    return _figure(width, height, top, bottom, of_pyplot=_pyplot_is_seen() and not in_notebook())


def new_axes(ax: Axes | None, width: float = 7.0, height: float = 4.0, **options: Any) -> Axes:
    """Return the given axes, or those of a new figure, which is one of pyplot's where somebody sees those."""
    return ax if ax is not None else _figure(width, height, of_pyplot=_pyplot_is_seen()).add_subplot(**options)


def _figure(width: float, height: float, top: float = 1.0, bottom: float = 0.0, *, of_pyplot: bool) -> Figure:
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(rect=(0.004, bottom + 0.004, 0.992, top - bottom - 0.008), w_pad=0.08, h_pad=0.08)
    if of_pyplot:
        from matplotlib import pyplot

        return pyplot.figure(figsize=(width, height), dpi=100, layout=layout, facecolor="white")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width, height), dpi=100, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _pyplot_is_seen() -> bool:
    """Return whether figures of pyplot are shown: in a notebook, or by a window where a user works with pyplot.

    Elsewhere pyplot would keep every figure, and ask for a screen.
    """
    if not in_notebook() and "matplotlib.pyplot" not in sys.modules:
        return False
    import matplotlib
    from matplotlib.backends.registry import BackendFilter, backend_registry

    return matplotlib.get_backend().lower() not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)


def save(figure: Figure | Axes, path: str | Path, dpi: int = 150, *, source: str = "") -> Path:
    """Write a figure, in the format that the suffix names.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or matplotlib.axes.Axes
        A figure, or axes of it.
    path : str or Path
        Such as ``"rest.png"``, ``"rest.pdf"`` or ``"rest.svg"``; PNG without a suffix. Folders are made.
    dpi : int, optional
        Dots per inch.
    source : str, optional
        What the metadata of a PNG or an SVG say of where it comes from.

    Returns
    -------
    Path

    Raises
    ------
    SpecError
        If there is no such format, or the path is a URL.
    """
    from matplotlib.figure import Figure

    try:
        check_no_url(path)
    except FileError as error:
        raise SpecError(f"path: {error}") from None
    path = user_path(path)
    path = path if path.suffix else path.with_suffix(".png")
    whole = figure if isinstance(figure, Figure) else figure.get_figure(root=True)
    assert whole is not None
    if path.suffix[1:].lower() not in (formats := whole.canvas.get_supported_filetypes()):
        raise SpecError(f"path: expected a suffix of {', '.join(sorted(formats))}, found {path.suffix!r}; name another")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = BytesIO()
    whole.savefig(drawn, dpi=dpi, format=path.suffix[1:], metadata={"Source": source} if source else None)
    write_whole({path: drawn.getvalue()})
    return path


def tidy(ax: Axes) -> None:
    """Take away what tells nothing."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(INK)
    ax.tick_params(labelsize=8, color=INK, labelcolor=INK, length=3)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(size=9, color=INK)


def entitle(ax: Axes, title: str, above: float = 6.0) -> None:
    """Set a title at the left, so many points above the panel."""
    ax.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK, pad=above)


def draw_legend(ax: Axes) -> None:
    """Name what is labelled, beside the panel."""
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0), handlelength=1.2, borderpad=0)


def draw_scale(ax: Axes, image: ScalarMappable, label: str, *, beside: float, width: float, more: bool = False) -> None:
    """Draw what the colours of a panel mean, as high as the panel, also where its aspect is fixed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : matplotlib.cm.ScalarMappable
    label : str
        What the colours tell, with its unit.
    beside, width : float
        Distance from the panel, and width, as shares of the panel's width.
    more : bool, optional
        Whether there are values above the scale.
    """
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(image, cax=ax.inset_axes((1 + beside, 0, width, 1)), extend="max" if more else "neither")
    bar.set_label(label, size=8, color=INK)
    bar.ax.tick_params(labelsize=8, length=2, color=INK, labelcolor=INK)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)


def time_unit(duration: float) -> tuple[float, str]:
    """Return the length in ms, and the name, of the unit in which a time is drawn."""
    return (1000.0, "s") if duration >= 1000 else (1.0, "ms")


def draw_time(ax: Axes, start: float, stop: float) -> float:
    """Draw the axis of time between two times (ms), and return how many ms its unit has."""
    unit, name = time_unit(stop - start)
    ax.set_xlim(start / unit, stop / unit)
    ax.set_xlabel(f"time ({name})")
    return unit


def draw_log_axis(ax: Axes, low: float, high: float) -> None:
    """Make the horizontal axis logarithmic about two values, with few ticks, written in full."""
    from matplotlib.ticker import NullLocator

    low, high = low / 1.35, high * 1.35
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**e for e in exponents for m in steps if low <= m * 10.0**e <= high]
        if len(ticks) <= 5:
            break
    ticks = ticks[:: -(-len(ticks) // 5) or 1]
    ax.set_xticks(ticks, [short(tick) for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def short(value: float) -> str:
    """Return a number with three digits: 0.0123, 12.3, 12.3 k, 12.3 M."""
    if not math.isfinite(value):
        return "–"
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def draw_stimuli(ax: Axes, spans: Sequence[Span], start: float, stop: float, *, behind: bool = True) -> None:
    """Mark when each stimulus was on by bars above the panel and its name; shade it where the panel has room."""
    unit, _ = time_unit(stop - start)
    shown = sorted((max(s.start, start), min(s.stop, stop), s.name) for s in spans if s.start < stop and s.stop > start)
    clusters: list[list[tuple[float, float, str]]] = []
    for low, high in on_within([on for span in spans for on in span.on], start, stop):
        if behind:
            ax.axvspan(low / unit, high / unit, color=STIMULUS, linewidth=0, zorder=0)
        bar = ax.plot([low / unit, high / unit], [1.012, 1.012], color=INK, linewidth=2.5, solid_capstyle="butt")[0]
        bar.set(transform=ax.get_xaxis_transform(), clip_on=False)
    for low, high, name in shown:
        # Those that overlap, or are so near that their names would, are named together.
        near = clusters and low - max(before[1] for before in clusters[-1]) < 0.08 * (stop - start)
        if near:
            clusters[-1].append((low, high, name))
        else:
            clusters.append([(low, high, name)])
    for cluster in clusters:
        names = list(dict.fromkeys(name for _, _, name in cluster))
        centre = (cluster[0][0] + max(high for _, high, _ in cluster)) / 2 / unit
        text = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        above = ax.get_xaxis_transform()
        ax.annotate(text, (centre, 1.012), (0, 3), above, "offset points", ha="center", fontsize=8, color=INK)


def on_within(intervals: Sequence[tuple[float, float]], start: float, stop: float) -> list[tuple[float, float]]:
    """Return the parts of intervals that lie between two times; those too near to be told apart are joined."""
    joined: list[tuple[float, float]] = []
    for low, high in sorted(
        (max(low, start), min(high, stop)) for low, high in intervals if low < stop and high > start
    ):
        if joined and low - joined[-1][1] < 0.002 * (stop - start):
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


@dataclass(frozen=True)
class Band:
    """Neighbouring rows of one group: from row ``start`` up to row ``stop``."""

    label: str
    colour: str
    start: float
    stop: float


def draw_bands(ax: Axes, bands: Sequence[Band], *, axis: str = "y", names: bool = True, gap: float = 0.06) -> None:
    """Draw a strip of colour beside the rows of each group, and its name.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its limits are taken as they are.
    bands : sequence of Band
    axis : {"y", "x"}
        Whether the strip stands at the left or at the top.
    names : bool
        Whether the groups are named.
    gap : float
        Least distance between two names, as a share of the axis.
    """
    from matplotlib.patches import Rectangle

    low, high = ax.get_ylim() if axis == "y" else ax.get_xlim()
    for band in bands:
        place, length = (band.start - low) / (high - low), (band.stop - band.start) / (high - low)
        corner, width, height = ((-0.014, place), 0.009, length) if axis == "y" else ((place, 1.008), length, 0.014)
        ax.add_patch(
            Rectangle(corner, width, height, transform=ax.transAxes, color=band.colour, linewidth=0, clip_on=False)
        )
    if not names:
        return
    centres = np.array([((band.start + band.stop) / 2 - low) / (high - low) for band in bands])
    for band, place in zip(bands, _spread(centres, gap), strict=True):
        ax.text(
            -0.022,
            float(place),
            band.label,
            transform=ax.transAxes,
            ha="right",
            va="center",
            fontsize=8,
            color=mix(band.colour, "#000000", 0.25),
        )
    ax.set_yticks([])


def _spread(places: np.ndarray, gap: float) -> np.ndarray:
    """Return the places moved as little as needed to lie ``gap`` apart, within 0 and 1 if they fit."""
    order = np.argsort(places, kind="stable")
    moved = places[order].copy()
    gap = min(gap, 1 / max(len(moved) - 1, 1))
    # Names that touch form a cluster, which is spread about its mean.
    clusters = [[place] for place in moved]
    i = 0
    while i + 1 < len(clusters):
        if _low(clusters[i + 1], gap) < _high(clusters[i], gap) + gap - 1e-12:
            clusters[i : i + 2] = [clusters[i] + clusters[i + 1]]
            i = max(i - 1, 0)
        else:
            i += 1
    moved = np.concatenate([_low(cluster, gap) + gap * np.arange(len(cluster)) for cluster in clusters])
    result = np.empty_like(moved)
    result[order] = moved
    return result


def _low(cluster: list[float], gap: float) -> float:
    half = gap * (len(cluster) - 1) / 2
    return float(np.clip(np.mean(cluster), half, max(1 - half, half))) - half


def _high(cluster: list[float], gap: float) -> float:
    return _low(cluster, gap) + gap * (len(cluster) - 1)


def note(ax: Axes, text: str, below: float = 24.0) -> None:
    """Write a remark so many points under the panel, at the right."""
    ax.annotate(
        text, (1, 0), (0, -below), "axes fraction", "offset points", ha="right", va="top", fontsize=7.5, color=FAINT
    )
