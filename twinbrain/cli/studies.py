"""What becomes of a sweep of trainings: a table and a figure of its conditions."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from twinbrain.cli.beside import beside, mark_of, may_write, writing
from twinbrain.cli.console import Console
from twinbrain.errors import LearnError
from twinbrain.files import write_whole
from twinbrain.store import Location


def report_study(location: Location, console: Console, *, figure: bool, as_json: bool) -> dict[str, Any]:
    """Write the comparison that a sweep of trainings makes beside it, and print it; return what was written."""
    from twinbrain.analysis import compare_conditions
    from twinbrain.plot import (
        comparison_figure,
        comparison_remarks,
        comparison_rows,
        comparison_table,
        contrast_rows,
        save,
    )
    from twinbrain.run.sweep.open import open_sweep

    try:
        comparison = compare_conditions(open_sweep(str(location)))
    except LearnError as error:
        console.print(f"no comparison: {error}")
        return {}
    table, picture = beside(location).with_suffix(".md"), beside(location).with_suffix(".png")
    written = {}
    if may_write(table, location, console):
        with writing(table, location, "sweep"):
            write_whole({table: f"{comparison_table(comparison)}\n<!-- {mark_of(location)} -->\n".encode()})
        written["table"] = str(table)
    if figure and may_write(picture, location, console):
        with writing(picture, location, "sweep"):
            save(comparison_figure(comparison), picture, source=mark_of(location))
        written["figure"] = str(picture)
    if not as_json:
        header, rows = comparison_rows(comparison)
        console.print(_table(header, rows, console.width, comparison.attrs.get("title")))
        if comparison.attrs.get("contrasts"):
            console.print(_table(*contrast_rows(comparison), console.width, "contrasts"))
        for remark in comparison_remarks(comparison):
            console.print(remark, highlight=False)
        for what, path in written.items():
            console.print(f"{what:<7} {path}")
    return written


# Columns that a narrow screen does without, the first first; the file has them all.
_SPARE = ("parameters", "synaptic operations", "energy", "seeds", "training")


def _table(header: list[str], rows: list[list[str]], width: int, title: str | None) -> Table:
    """Return the table without the columns for which a screen is too narrow, names and numbers unbroken."""
    columns = {head: [row[i] for row in rows] for i, head in enumerate(header)}

    def least(head: str) -> int:  # heads wrap between words
        return max(map(len, [*head.split(), *columns[head]]))

    for spare in _SPARE:
        if sum(least(head) + 3 for head in columns) + 1 <= width:
            break
        columns = {head: cells for head, cells in columns.items() if not head.startswith(spare)}
    table = Table(title=title)
    for i, head in enumerate(columns):
        table.add_column(head, justify="right" if i else "left", min_width=least(head))
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*cells)
    return table
