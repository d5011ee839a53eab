"""Tables as text: matrices with or without labels."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.lengths import check_regions
from twinbrain.errors import ConnectomeError
from twinbrain.files import lines_of, number, numbers, read_text

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": " "}
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
    # A blank may follow a comma, so it parts cells only where there is none.
    known = (",", ";", " ", "\t") if own == " " else (own, ",", "\t", ";", " ")
    found = next((delimiter for delimiter in known if delimiter in line.strip()), own)
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
    rows: list[tuple[str, NDArray[np.float64]]] = []
    for row, cells in enumerate(_rows(path), start=1):
        if header is None:
            header = cells
        else:
            width = len(rows[0][1]) + 1 if rows else len(header)
            if not rows and len(cells) == width + 1:  # a row of labels without a corner
                width += 1
            if len(cells) != width:
                raise ConnectomeError(f"row {row}: expected {width} cells, found {len(cells)}")
            rows.append((cells[0], _numbers(cells[1:], cells[0])))
    if header is not None and not _is_header(header, len(rows)):
        rows.insert(0, (header[0], _numbers(header[1:], header[0])))
        if len({len(cells) for _, cells in rows}) > 1:
            raise ConnectomeError(f"row 1: expected {len(rows[1][1]) + 1} cells, found {len(header)}")
        header = None
    check_regions(len(rows))
    if not rows:
        found = int(header is not None)
        raise ConnectomeError(f"expected a row of labels and rows of numbers, found {found} rows")
    named = not all(is_number(first) for first, _ in rows) or len(rows[0][1]) == len(rows)
    values = np.array([cells if named else np.concatenate([[number(first)], cells]) for first, cells in rows])
    return Matrix(
        values,
        tuple(first for first, _ in rows) if named else None,
        None if header is None else tuple(header[len(header) - values.shape[1] :]),
    )


def _is_header(row: list[str], n_others: int) -> bool:
    """Return whether the first row of a table holds labels, given how many rows follow."""
    if not all(map(is_number, row[1:])):
        return True
    # Numbers under a word are labels in turn, unless they are needed to make the matrix square.
    return not is_number(row[0]) and len(row) != n_others + 2


def check_header(columns: Sequence[str]) -> None:
    """Refuse a first row in which numbers stand beside others, or what is meant as numbers, rather than labels."""
    odd = [cell for cell in columns if not is_number(cell)]
    if odd and (len(odd) < len(columns) or _NUMERIC.fullmatch(odd[0])):
        raise ConnectomeError(
            f"expected labels alone or numbers alone in the first row, found {odd[0]!r}; "
            f"write numbers with the digits 0 to 9 and a point, and 0 where there is nothing"
        )


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number."""
    try:
        number(cell)
    except ValueError:
        return False
    return True


def _numbers(cells: list[str], first: str) -> NDArray[np.float64]:
    """Return numbers as such, which take a tenth of the memory."""
    try:
        return numbers(cells)
    except ValueError:
        wrong = next(cell for cell in cells if not is_number(cell))
        raise ConnectomeError(f"expected a number, found {wrong!r} in the row of {first!r}") from None
