"""Labels of regions: those in a file, and tables in which they stand beside other columns."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from twinbrain.connectome.tables import is_number, read_rows
from twinbrain.errors import ConnectomeError
from twinbrain.files import FileError, lines_of, number, read_text
from twinbrain.paths import user_path
from twinbrain.spec.of_regions import in_order, texts_of

INDEX_COLUMNS = ("index", "idx", "")
_NUMBERING = re.compile(
    r"(.*[ _-])?(ids?|idx|index|no|nr|num|number|node|label|labels|region|regions|roi|rows?|col|columns?|line|order|"
    r"position|pos|place|sequence|seq|entry|parcel|n|i|#)([ _-]?[01])?"
)
_LABEL_COLUMNS = ("label", "labels", "name", "names", "region", "regions", "roi", "abbreviation")


def read_labels(labels: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    """Return labels: as given, or those in a file.

    Parameters
    ----------
    labels : str, path or sequence of str
        The labels, as texts, bytes or whole numbers; or a file of them: one a line, all in one line, or a table in
        which a column is called ``label``, ``name``, ``region`` or ``roi``.

    Raises
    ------
    ConnectomeError
        If there is no such file, it is not plain which of its columns the labels are, or they have no order.
    """
    if not isinstance(labels, str | os.PathLike):
        return texts_of(in_order(labels), "the rows")
    path = user_path(labels)
    try:
        return _labels_in(path)
    except (ConnectomeError, FileError) as error:
        raise ConnectomeError(f"{path}: {error}") from None


def _labels_in(path: Path) -> list[str]:
    lines = [line.strip() for line in lines_of(read_text(path))]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) > 1 and not any(set(line) & set(",;\t") for line in lines):
        if all(is_number(line.split()[0]) and " " in line for line in lines):
            raise ConnectomeError(f"expected one label a line, found {lines[0]!r}; keep the column of the labels")
        return lines[lines[0].casefold() in _LABEL_COLUMNS :]
    rows = read_rows(path)
    if len(rows) == 1:
        return rows[0]
    if rows and all(len(row) == len(rows[0]) for row in rows) and (column := label_column(rows)) is not None:
        header_of(rows, column)
        return [row[column] for row in rows[1:]]
    if rows and all(len(row) == 1 for row in rows):
        return [row[0] for row in rows]
    found = ", ".join(rows[0][:8]) if rows else "nothing"
    raise ConnectomeError(f"expected one label a line, or a column called {_LABEL_COLUMNS[0]}, found {found}")


def header_of(rows: list[list[str]], labels: int) -> list[str]:
    """Return the names of a table's columns, in small letters; one of them is that of the labels.

    Raises
    ------
    ConnectomeError
        If a name stands twice, or a column that is an index, or by whatever name counts the rows, does not ascend.
    """
    header = [cell.casefold() for cell in rows[0]]
    if twice := [name for name, n in Counter(header).items() if name and n > 1]:
        raise ConnectomeError(f"expected columns of different names, found {twice[0]!r} twice; take one out")
    n = len(rows) - 1
    for i, name in enumerate(header):
        index = [number(row[i]) for row in rows[1:] if is_number(row[i])]
        # Numbers of an atlas may be in any order; those that count the rows say which row of the matrix is meant.
        counts = sorted(index) in (list(range(n)), list(range(1, n + 1))) and _NUMBERING.fullmatch(name)
        if i != labels and (name in INDEX_COLUMNS or counts) and index != sorted(index):
            raise ConnectomeError(
                f"expected rows in the order of their {rows[0][i] or 'numbers'}, found {index[:8]}; "
                f"sort them as the rows of the matrix are, or take that column out"
            )
    return header


def label_column(rows: list[list[str]]) -> int | None:
    """Return which column has the labels, as far as its name tells; numbers only if there is no other."""
    header = [cell.casefold() for cell in rows[0]]
    named = [header.index(name) for name in _LABEL_COLUMNS if name in header]
    texts = [column for column in named if not all(is_number(row[column]) for row in rows[1:])]
    return next(iter(texts + named), None)


def check_alike(these: str, found: Sequence[str], those: str, wanted: Sequence[str]) -> None:
    """Refuse labels that differ, or stand in another order.

    Raises
    ------
    ConnectomeError
        With the first that differ.
    """
    if len(found) != len(wanted):
        raise ConnectomeError(f"expected labels of {these} as {those} are, found {len(found)} and {len(wanted)}")
    for i, (label, other) in enumerate(zip(found, wanted, strict=True), start=1):
        if label != other:
            raise ConnectomeError(
                f"expected {these} labelled as {those} in the same order, found {label!r} and {other!r} "
                f"at {i}; sort both alike"
            )


def check_places(given: Sequence[str], own: Sequence[str]) -> None:
    """Refuse labels that are given in another order than those which the rows have themselves; others rename them.

    Raises
    ------
    ConnectomeError
        With the first that is the label of another row.
    """
    rows = {label: i for i, label in enumerate(own, start=1)}
    for i, label in enumerate(given, start=1):
        if (row := rows.get(label, i)) != i:
            raise ConnectomeError(
                f"expected labels= in the order of the rows, which have labels of their own, found {label!r} at {i}, "
                f"the label of row {row}; sort them alike, or leave labels= out"
            )


def numbered_labels(n_regions: int) -> list[str]:
    """Return ``"region_01"``, …, for regions that nobody named."""
    width = max(len(str(n_regions)), 2)
    return [f"region_{i:0{width}d}" for i in range(1, n_regions + 1)]
