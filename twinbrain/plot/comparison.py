"""A comparison of networks in one figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain import analysis
from twinbrain.plot.canvas import draw_log_axis, entitle, new_figure, note, short, tidy
from twinbrain.plot.comparison_table import difference_text, unit_of
from twinbrain.plot.contrasts import draw_contrasts
from twinbrain.plot.palette import FAINT, INK, colours
from twinbrain.plot.plain import plain_texts
from twinbrain.plot.strips import Strip, draw_strips, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "osD^vP"
_MOST_COLUMNS = 5  # of panels of disturbances
_COSTS = (("synaptic_operations", "Operations", "synaptic operations"), ("energy", "Energy", "energy"))


@dataclass(frozen=True, eq=False)
class _Study:
    """A comparison, its means, and how its conditions are drawn."""

    single: xr.Dataset
    found: xr.Dataset

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.found["condition"].values]

    @property
    def colour(self) -> list[str]:
        return list(colours(self.names).values())

    @property
    def marker(self) -> list[str]:
        # Where colours come again, lighter, the form differs too.
        return [_MARKERS[i // 8 % len(_MARKERS)] for i in range(len(self.names))]

    @property
    def chance(self) -> float | None:
        chance = self.single.attrs.get("chance")
        return None if chance is None else 100 * float(chance)

    @property
    def chances(self) -> NDArray[np.float64] | None:
        """Return that of each condition, where they differ."""
        return 100 * self.found["chance"].values if "chance" in self.found else None

    @property
    def contrasts(self) -> xr.Dataset | None:
        return analysis.compare_contrasts(self.single) if self.single.attrs.get("contrasts") else None

    def values(self, name: str) -> NDArray[np.float64]:
        return self.single[name].transpose("condition", "seed").values.astype(np.float64)


@plain_texts
def comparison_figure(comparison: xr.Dataset, reference: str | None = None, title: str = "Comparison") -> Figure:
    """Draw a comparison: accuracy with intervals and single seeds, contrasts, costs, training time, robustness.

    What has to be said of it beyond (what was tuned, the caveat of energy) stands below `comparison_table`.

    Parameters
    ----------
    comparison : xarray.Dataset
        See `twinbrain.analysis.compare`; attributes ``chance``, where it is one, and ``caveat``.
    reference : str, optional
        The condition that others are held against; by default the first.
    title : str, optional
        Of the figure; by default the attribute ``title``, where there is one.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with `save`.
    """
    study = _Study(comparison, analysis.compare(comparison, reference))
    n, width = len(study.names), 15.0
    costs = [cost for cost in _COSTS if cost[0] in comparison]
    disturbances = comparison["disturbance"].values.tolist() if "disturbed" in comparison else []
    n_rows = -(-len(disturbances) // _MOST_COLUMNS)
    n_columns = -(-len(disturbances) // max(n_rows, 1))  # rows as equal as can be
    heights = [max(0.36 * n + 1.3, 3.4)]
    if (contrasts := study.contrasts) is not None:
        heights.append(0.3 * contrasts.sizes["contrast"] + 1.3)
    heights += [max(3.2, 0.19 * n + 0.6) if i == 0 else 3.2 for i in range(n_rows)]
    head, foot = 0.75, 0.3
    height = sum(heights) + head + foot
    figure = new_figure(width, height, top=1 - head / height, bottom=foot / height)
    _write(figure, study, comparison.attrs.get("title", title))
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    ratios = [2.0, *([0.9] if "seconds" in comparison else []), *[1.15] * len(costs)]
    cells = iter(grid[0].subgridspec(1, len(ratios), width_ratios=ratios))
    _draw_accuracy(figure.add_subplot(next(cells)), study)
    if "seconds" in comparison:
        _draw_time(figure.add_subplot(next(cells)), study)
    for name, heading, label in costs:
        _draw_cost(figure.add_subplot(next(cells)), study, name, heading, label)
    if contrasts is not None:
        ax = figure.add_subplot(grid[1].subgridspec(1, 2, width_ratios=[2.0, 1.9])[0])
        draw_contrasts(ax, contrasts)
        ax.set_xlabel(f"points of accuracy, intervals of {100 * contrasts.attrs['level']:.4g} % that hold together")
        entitle(ax, "Contrasts", 14)
    if n_rows:
        ratios = [*[1] * n_columns, 0.7]
        first = len(heights) - n_rows
        panels = grid[first:].subgridspec(n_rows, n_columns + 1, width_ratios=ratios, height_ratios=heights[first:])
        shared = None  # all panels of disturbances have one scale
        for k, disturbance in enumerate(disturbances):
            row, column = divmod(k, n_columns)
            ax = figure.add_subplot(panels[row, column], sharey=shared)
            shared = shared or ax
            _draw_robustness(ax, study, str(disturbance), first=column == 0)
        _draw_key(figure.add_subplot(panels[0, n_columns]), study)
    return figure


def _write(figure: Figure, study: _Study, title: str) -> None:
    height = figure.get_figheight()
    seeds = study.found["n_seeds"].values.tolist()
    n = f"{max(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
    facts = [f"{len(study.names)} condition{'s' * (len(study.names) > 1)}", f"{n} seed{'s' * (max(seeds) > 1)} each"]
    if study.chance is not None:
        facts.append(f"chance {study.chance:.3g} %")
    elif study.chances is not None:
        facts.append(f"chance {np.nanmin(study.chances):.3g} to {np.nanmax(study.chances):.3g} %, of different tasks")
    if "n_parameters" in study.found:
        low, high = (float(f(study.found["n_parameters"].values)) for f in (np.nanmin, np.nanmax))
        facts.append(f"{short(low)} parameters each" if low == high else f"{short(low)} to {short(high)} parameters")
    figure.text(0.008, 1 - 0.25 / height, title, fontsize=16, fontweight="bold", color=INK, va="center")
    figure.text(0.008, 1 - 0.55 / height, "  ·  ".join(facts), fontsize=10.5, color=INK, va="center")


def _draw_accuracy(ax: Axes, study: _Study) -> None:
    found, values = study.found, 100 * study.values("accuracy")
    task = analysis.groups_of_tasks(study.single)
    strips = []
    for i, name in enumerate(study.names):
        middle, low, high = (100 * float(found[f"accuracy{end}"][i]) for end in ("", "_low", "_high"))
        near = ""
        if np.isfinite(middle) and ((task == task[i]).sum() > 1 or not task.any()):  # else it is alone with its task
            near = "  best" if found["best"].values[i] else "  ≈ best" if found["overlaps_best"].values[i] else ""
        remark = difference_text(found, i) + near
        strips.append(Strip(name, study.colour[i], values[i], middle, low, high, remark, study.marker[i]))
    draw_strips(ax, strips, reference=study.chance)
    if study.chance is not None:
        ax.text(study.chance, -0.62, "chance", ha="center", va="bottom", fontsize=7.5, color=INK)
    if study.chances is not None:
        for i, chance in enumerate(study.chances):
            ax.plot([chance, chance], [i - 0.4, i + 0.4], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        ax.text(study.chances[0], -0.62, "chance", ha="center", va="bottom", fontsize=7.5, color=INK)
    ax.set_xlabel("accuracy (%)")
    entitle(ax, "Accuracy", 14)
    reference = found.attrs["reference"]
    reference = reference if len(reference) < 40 else reference[:39] + "…"
    note(ax, f"right: points over {reference} [95 %]; ≈ best: intervals overlap", below=36)


def _draw_time(ax: Axes, study: _Study) -> None:
    values = study.values("seconds")
    strips = []
    for i, name in enumerate(study.names):
        middle, low, high = (float(study.found[f"seconds{end}"][i]) for end in ("", "_low", "_high"))
        strips.append(Strip(name, study.colour[i], values[i], middle, low, high, marker=study.marker[i]))
    draw_strips(ax, strips, name_rows=False)
    known = values[np.isfinite(values)]
    if len(known) and known.min() > 0 and known.max() > 20 * known.min():
        draw_log_axis(ax, known.min(), known.max())
    else:
        ax.set_xlim(left=0)
    ax.set_xlabel(f"training time{unit_of(study.single, 'seconds')}")
    entitle(ax, "Training time", 14)


def _draw_cost(ax: Axes, study: _Study, name: str, heading: str, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    found = study.found
    accuracy, cost = 100 * study.values("accuracy"), study.values(name)
    for i in range(len(study.names)):
        colour = study.colour[i]
        ax.plot(cost[i], accuracy[i], ".", color=colour, alpha=0.4, ms=4, mew=0)
        x, y = float(found[name][i]), 100 * float(found["accuracy"][i])
        across = [float(found[f"{name}_{end}"][i]) for end in ("low", "high")]
        upward = [100 * float(found[f"accuracy_{end}"][i]) for end in ("low", "high")]
        ax.plot(np.fmax(across, 0.2 * x), [y, y], color=colour, linewidth=1.2)
        ax.plot([x, x], upward, color=colour, linewidth=1.2)
        ax.plot(x, y, study.marker[i], color=colour, ms=7, mec="white", mew=0.8, zorder=3)
    known = cost[np.isfinite(cost)]
    if len(known) and known.min() > 0 and known.max() > 5 * known.min():
        draw_log_axis(ax, known.min(), known.max())
    else:
        ax.set_xlim(left=0)
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.xaxis.set_major_formatter(lambda value, _: short(value))
    tidy(ax)
    ax.set_xlabel(str(study.single[name].attrs.get("long_name", label)) + unit_of(study.single, name))
    ax.set_ylabel("accuracy (%)")
    entitle(ax, f"{heading} against accuracy", 14)


def _draw_robustness(ax: Axes, study: _Study, disturbance: str, *, first: bool) -> None:
    part = study.found.sel(disturbance=disturbance)
    level = part["level"].values.astype(np.float64)
    for i in range(len(study.names)):
        # Conditions by rows, whatever the order of the dimensions.
        mean, low, high = (100 * part[f"disturbed{end}"].isel(condition=i).values for end in ("", "_low", "_high"))
        known = np.isfinite(mean)
        colour = study.colour[i]
        ax.plot(level[known], mean[known], marker=study.marker[i], color=colour, linewidth=1.3, ms=3.5)
        ax.fill_between(level[known], low[known], high[known], color=colour, alpha=0.15, linewidth=0)
    if study.chance is not None:
        ax.axhline(study.chance, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.text(1, study.chance, "chance", transform=ax.get_yaxis_transform(), ha="right", va="top", fontsize=7.5)
    if study.chances is not None:
        for chance, colour in zip(study.chances, study.colour, strict=True):
            right = ax.get_yaxis_transform()
            ax.plot([0.96, 1], [chance, chance], color=colour, linewidth=0.9, transform=right)
    tidy(ax)
    units = str(study.single["level"].attrs.get("units", "1"))
    ax.set_xlabel(str(study.single["level"].attrs.get("long_name", "level")) + ("" if units == "1" else f" ({units})"))
    if first:
        ax.set_ylabel("accuracy (%)")
    entitle(ax, f"Robustness: {shown(disturbance, 30)}")


def _draw_key(ax: Axes, study: _Study) -> None:
    ax.axis("off")
    for name, colour, marker in zip(study.names, study.colour, study.marker, strict=True):
        ax.plot(
            [], [], marker=marker, color=colour, linewidth=1.3, ms=5, label=name if len(name) <= 34 else name[:33] + "…"
        )
    size = 8.5 if len(study.names) <= 12 else 7.5
    ax.legend(frameon=False, fontsize=size, loc="upper left", bbox_to_anchor=(-0.1, 1.05), handlelength=1.6)
