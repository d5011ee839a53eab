"""Tables as text: matrices with or without labels, and lists of labels."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.lengths import check_regions
from twinbrain.errors import ConnectomeError
from twinbrain.files import FileError, lines_of, number, numbers, read_text
from twinbrain.paths import user_path

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": " "}
INDEX_COLUMNS = ("index", "idx", "")
_LABEL_COLUMNS = ("label", "labels", "name", "names", "region", "regions", "roi", "abbreviation")
_OTHERWISE_PARTED = re.compile(r";|\d[ \t]+[\d.+-]")
# What is meant as numbers, in whatever digits and with whatever marks in them.
_NUMERIC = re.compile(r"[\s\d.,;_'eE+-]*")


@dataclass(frozen=True)
class Matrix:
    """A square table of numbers.

    Parameters
    ----------
    values : ndarray of float64, shape (target, source)
    rows, columns : tuple of str or None, shape (region,)
        Labels, where the table has them.
    """

    values: NDArray[np.float64]
    rows: tuple[str, ...] | None
    columns: tuple[str, ...] | None

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels of either side."""
        return self.columns if self.rows is None else self.rows


def read_rows(path: Path) -> list[list[str]]:
    """Return the cells of a table, row by row; blank lines and comments (``#``) above it are left out.

    Raises
    ------
    ConnectomeError
        If it is no text, or of a kind that is not known.
    """
    return list(_rows(path))


def _rows(path: Path) -> Iterator[list[str]]:
    if path.suffix.lower() not in DELIMITERS:
        raise ConnectomeError(f"expected a file of type {', '.join(DELIMITERS)}, found {path.suffix!r}")
    lines = list(dropwhile(lambda line: not line.strip() or line.startswith("#"), lines_of(read_text(path))))
    delimiter = _delimiter(path, lines[0] if lines else "")
    ended = (f"{line}\n" for line in lines)
    rows = map(str.split, lines) if delimiter == " " else csv.reader(ended, delimiter=delimiter, strict=True)
    n_rows = 0
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                n_rows += 1
                check_regions(max(len(cells), n_rows) - 1)  # without labels
                yield cells
    except csv.Error as error:
        raise ConnectomeError(f"expected a table as text, found none that can be read ({error})") from None


def _delimiter(path: Path, line: str) -> str:
    """Return what parts the cells: as the suffix says, if the first line has it, else what the line has."""
    own = DELIMITERS[path.suffix.lower()]
    found = next((delimiter for delimiter in (own, ",", "\t", ";", " ") if delimiter in line.strip()), own)
    if found == "," and _NUMERIC.fullmatch(line) and _OTHERWISE_PARTED.search(line):
        raise ConnectomeError(
            f"expected numbers with a decimal point, found commas in {line.strip()[:80]!r}; write points"
        )
    return found


def read_matrix(path: Path) -> Matrix:
    """Return the matrix in a table.

    A first row that is all numbers is no row of labels; the first column is one if it has something else than numbers
    in it, or if there is one column more than rows.

    Raises
    ------
    ConnectomeError
        If there is no square matrix of numbers in it.
    """
    header: list[str] | None = None
    rows: list[tuple[str, NDArray[np.float64] | list[str]]] = []
    for row, cells in enumerate(_rows(path), start=1):
        if header is None:
            header = cells
        else:
            width = len(rows[0][1]) + 1 if rows else len(header)
            if not rows and len(cells) == width + 1:  # a row of labels without a corner
                width += 1
            if len(cells) != width:
                raise ConnectomeError(f"row {row}: expected {width} cells, found {len(cells)}")
            rows.append((cells[0], _packed(cells[1:])))
    if header is not None and not _is_header(header, len(rows)):
        rows.insert(0, (header[0], _packed(header[1:])))
        if len({len(cells) for _, cells in rows}) > 1:
            raise ConnectomeError(f"row 1: expected {len(rows[1][1]) + 1} cells, found {len(header)}")
        header = None
    check_regions(len(rows))
    if not rows:
        found = int(header is not None)
        raise ConnectomeError(f"expected a row of labels and rows of numbers, found {found} rows")
    named = not all(_is_number(first) for first, _ in rows) or len(rows[0][1]) == len(rows)
    values = np.array([_numbers(cells, first, named) for first, cells in rows])
    return Matrix(
        values,
        tuple(first for first, _ in rows) if named else None,
        None if header is None else tuple(header[len(header) - values.shape[1] :]),
    )


def _is_header(row: list[str], n_others: int) -> bool:
    """Return whether the first row of a table holds labels, given how many rows follow."""
    if not all(map(_is_number, row[1:])):
        return True
    # Numbers under a word are labels in turn, unless they are needed to make the matrix square.
    return not _is_number(row[0]) and len(row) != n_others + 2


def check_header(columns: Sequence[str]) -> None:
    """Refuse a first row in which numbers stand beside others, or what is meant as numbers, rather than labels."""
    odd = [cell for cell in columns if not _is_number(cell)]
    if odd and (len(odd) < len(columns) or _NUMERIC.fullmatch(odd[0])):
        raise ConnectomeError(
            f"expected labels alone or numbers alone in the first row, found {odd[0]!r}; "
            f"write numbers with the digits 0 to 9 and a point, and 0 where there is nothing"
        )


def _is_number(cell: str) -> bool:
    try:
        number(cell)
    except ValueError:
        return False
    return True


def _packed(cells: list[str]) -> NDArray[np.float64] | list[str]:
    """Return numbers as such, which take a tenth of the memory; what is none stays, and is named later."""
    try:
        return numbers(cells)
    except ValueError:
        return cells


def _numbers(cells: NDArray[np.float64] | list[str], first: str, named: bool) -> NDArray[np.float64]:
    if isinstance(cells, list):
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise ConnectomeError(f"expected a number, found {wrong!r} in the row of {first!r}")
    return cells if named else np.concatenate([[number(first)], cells])


def read_labels(labels: str | Path | Sequence[str]) -> list[str]:
    """Return labels: as given, or those in a file.

    Parameters
    ----------
    labels : str, Path or sequence of str
        The labels; or a file of them: one a line, all in one line, or a table in which a column is called ``label``,
        ``name``, ``region`` or ``roi``.

    Raises
    ------
    ConnectomeError
        If there is no such file, or it is not plain which of its columns the labels are.
    """
    if not isinstance(labels, str | Path):
        return [str(label) for label in labels]
    path = user_path(labels)
    try:
        return _labels_in(path)
    except (ConnectomeError, FileError) as error:
        raise ConnectomeError(f"{path}: {error}") from None


def _labels_in(path: Path) -> list[str]:
    lines = [line.strip() for line in lines_of(read_text(path))]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) > 1 and not any(set(line) & set(",;\t") for line in lines):
        if all(_is_number(line.split()[0]) and " " in line for line in lines):
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
        If a name stands twice, or a column is an index that does not ascend.
    """
    header = [cell.casefold() for cell in rows[0]]
    if twice := [name for name, n in Counter(header).items() if name and n > 1]:
        raise ConnectomeError(f"expected columns of different names, found {twice[0]!r} twice; take one out")
    for i in {header.index(name) for name in INDEX_COLUMNS if name in header} - {labels}:
        index = [number(row[i]) for row in rows[1:] if _is_number(row[i])]
        if index != sorted(index):
            raise ConnectomeError(
                f"expected rows in the order of their {rows[0][i] or 'numbers'}, found {index[:8]}; "
                f"sort them as the rows of the matrix are, or take that column out"
            )
    return header


def label_column(rows: list[list[str]]) -> int | None:
    """Return which column has the labels, as far as its name tells; numbers only if there is no other."""
    header = [cell.casefold() for cell in rows[0]]
    named = [header.index(name) for name in _LABEL_COLUMNS if name in header]
    texts = [column for column in named if not all(_is_number(row[column]) for row in rows[1:])]
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


def numbered_labels(n_regions: int) -> list[str]:
    """Return ``"region_01"``, …, for regions that nobody named."""
    width = max(len(str(n_regions)), 2)
    return [f"region_{i:0{width}d}" for i in range(1, n_regions + 1)]
