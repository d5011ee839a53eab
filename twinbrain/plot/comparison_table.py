"""A comparison of networks as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from twinbrain import analysis
from twinbrain.plot.canvas import short


def comparison_table(comparison: xr.Dataset, reference: str | None = None) -> str:
    """Return a comparison as a Markdown table, with what has to be said of it.

    Parameters
    ----------
    comparison : xarray.Dataset
        See `twinbrain.analysis.compare`; attributes ``chance``, where it is one, and ``caveat``.
    reference : str, optional
        The condition that others are held against; by default the first.

    Returns
    -------
    str
    """
    header, rows = comparison_rows(comparison, reference)
    lines = _table(header, rows)
    if comparison.attrs.get("contrasts"):
        lines += ["", *_table(*contrast_rows(comparison))]
    return (
        "\n".join([*lines, "", *(f"{remark}  " for remark in comparison_remarks(comparison, reference))]).rstrip()
        + "\n"
    )


def contrast_rows(comparison: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table of contrasts, as text.

    Parameters
    ----------
    comparison : xarray.Dataset
        With an attribute ``contrasts``; see `twinbrain.analysis.compare_contrasts`.
    """
    found = analysis.compare_contrasts(comparison)
    header = ["contrast", "of", "against", "seeds", f"points [{100 * found.attrs['level']:.4g} %]"]
    names = ("contrast", "condition", "against", "n_seeds")
    each = [found.isel(contrast=i) for i in range(found.sizes["contrast"])]
    rows = [[*(str(one[name].values) for name in names), _points(one)] for one in each]
    return header, rows


def comparison_rows(comparison: xr.Dataset, reference: str | None = None) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table, as text.

    Parameters
    ----------
    comparison : xarray.Dataset
    reference : str, optional
        As for `comparison_table`.
    """
    found = analysis.compare(comparison, reference)
    header = ["condition", "seeds"]
    columns: list[Sequence[str]] = [
        [str(name) for name in found["condition"].values],
        [str(n) for n in found["n_seeds"].values],
    ]
    if "n_parameters" in found:
        header.append("parameters")
        columns.append([short(value) for value in found["n_parameters"].values])
    header.append("accuracy (%) [95 %]")
    columns.append([_interval(found, "accuracy", i) for i in range(found.sizes["condition"])])
    if "chance" in found:
        header.append("chance (%)")
        columns.append([f"{100 * value:.3g}" if np.isfinite(value) else "–" for value in found["chance"].values])
    header.append(f"over {found.attrs['reference']} (points) [95 %]")
    columns.append([difference_text(found, i) for i in range(found.sizes["condition"])])
    for name, text in (("synaptic_operations", "synaptic operations"), ("energy", "energy"), ("seconds", "training")):
        if name in found:
            header.append(text + unit_of(comparison, name))
            columns.append([short(value) for value in found[name].values])
    return header, [list(row) for row in zip(*columns, strict=True)]


def comparison_remarks(comparison: xr.Dataset, reference: str | None = None) -> list[str]:
    """Return what has to be said of a comparison: chance, seeds, intervals that overlap, and the caveat of energy.

    Parameters
    ----------
    comparison : xarray.Dataset
    reference : str, optional
        As for `comparison_table`.
    """
    found = analysis.compare(comparison, reference)
    names = found["condition"].values
    remarks = []
    if "chance" in comparison.attrs:
        remarks.append(f"Chance is {100 * float(comparison.attrs['chance']):.3g} %.")
    task = analysis.groups_of_tasks(comparison)
    together = [", ".join(map(str, names[task == number])) for number in dict.fromkeys(task.tolist())]
    if len(together) > 1:
        remarks.append(
            "Conditions of different tasks, or of different chance, are not held against each other. Those of one task "
            f"stand together here: {'; '.join(together)}."
        )
    n = found["n_seeds"].values
    for few, text in ((n == 0, "No result"), (n == 1, "A single seed, and so no interval")):
        if few.any():
            remarks.append(f"{text}: {', '.join(map(str, names[few]))}.")
    if n.max() > 1:
        remarks.append("Intervals are of 95 %, Student's over seeds; differences are taken seed by seed.")
    if (m := len(comparison.attrs.get("contrasts", {}))) > 1:
        remarks.append(
            f"Those of the {m} contrasts are wider, such that all of them hold together with 95 % at least "
            "(Bonferroni); intervals of other differences hold one by one."
        )
    for best in np.flatnonzero(found["best"].values):
        near = found["overlaps_best"].values & (task == task[best]) & (n > 0)
        if overlap := [str(name) for i, name in enumerate(names) if near[i] and i != best]:
            remarks.append(f"Intervals that overlap that of the best, {names[best]}: {', '.join(overlap)}.")
    if found["best"].any():
        low, high = found["difference_low"].values, found["difference_high"].values
        unclear = ~((low > 0) | (high < 0)) & (names != found.attrs["reference"]) & (n > 0)
        unclear &= task == task[names.tolist().index(found.attrs["reference"])]
        alike = [str(name) for name in names[unclear]]
        if alike:
            remarks.append(f"Not told apart from {found.attrs['reference']}: {', '.join(alike)}.")
    if comparison.attrs.get("caveat"):
        remarks.append(str(comparison.attrs["caveat"]))
    return remarks


def difference_text(found: xr.Dataset, i: int) -> str:
    """Return the difference of a condition from the reference, in points of per cent, with its interval."""
    if found["condition"].values[i] == found.attrs["reference"]:
        return "reference"
    return _points(found.isel(condition=i))


def _points(found: xr.Dataset) -> str:
    middle, low, high = (100 * float(found[f"difference{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(middle):
        return "–"
    return f"{middle:+.1f}" + (f" [{low:+.1f}, {high:+.1f}]" if np.isfinite(low) else "")


def unit_of(comparison: xr.Dataset, name: str) -> str:
    """Return the unit of a variable, in brackets; nothing where it has none."""
    units = str(comparison[name].attrs.get("units", "s" if name == "seconds" else "1"))
    return "" if units == "1" else f" ({units})"


def _interval(found: xr.Dataset, name: str, i: int) -> str:
    middle, low, high = (100 * float(found[f"{name}{end}"][i]) for end in ("", "_low", "_high"))
    if not np.isfinite(middle):
        return "–"
    return f"{middle:.1f}" + (f" [{low:.1f}, {high:.1f}]" if np.isfinite(low) else "")


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return [_line(cells) for cells in (header, rule, *rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.splitlines()).replace("|", "\\|") for cell in cells) + " |"
