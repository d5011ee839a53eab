"""Matrices as text: one table for the weights, one for the lengths, one for the regions.

A table may begin with a row of labels (of the sources) and a column of labels (of the targets), or hold numbers alone,
as those of MRtrix, ENIGMA and BIDS do.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.connectome.labels import (
    INDEX_COLUMNS,
    check_alike,
    check_places,
    header_of,
    label_column,
    numbered_labels,
    read_labels,
)
from twinbrain.connectome.lengths import CENTROIDS, lengths_between, no_lengths
from twinbrain.connectome.place import reading
from twinbrain.connectome.tables import DELIMITERS, Matrix, check_header, is_number, read_matrix, read_rows
from twinbrain.errors import ConnectomeError, ExchangeWarning, shortened
from twinbrain.files import FileError, number
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_AXES = ("x", "y", "z")
_KNOWN = {*_AXES, "hemisphere", "cortical", "area", *INDEX_COLUMNS}


def read_matrices(
    path: str | Path,
    *,
    length: str | Path | None = None,
    labels: str | Path | Sequence[str] | None = None,
    normalisation: str = "none",
) -> Connectome:
    """Return the connectome in a table of weights and the tables beside it.

    Parameters
    ----------
    path : str or Path
        The weights, as ``.csv``, ``.tsv`` or ``.txt``: rows are targets, columns sources. A first row of numbers alone
        is no row of labels.
    length : str or Path, optional
        The tract lengths (mm), as a table of the same form; ``"centroids"`` takes the straight lines between the
        centroids. By default ``NAME_length.csv`` for ``NAME.csv``.
    labels : str, Path or sequence of str, optional
        The labels, or a file of them: one a line, all in one line, or a column called ``label`` or ``name``. By default
        those in the table, or else in ``NAME_regions.csv``, or else ``"region_01"``, …. Where the table has labels,
        these name its rows anew, in their order.
        ``NAME_regions.csv`` may hold, beside the label in its first column, ``x, y, z`` (mm), ``hemisphere``,
        ``cortical`` (0 or 1) and ``area`` (mm^2); an ``ExchangeWarning`` names other columns.
    normalisation : str, optional
        How the weights were normalised, which tables do not tell.

    Raises
    ------
    ConnectomeError
        If a table is missing, its labels disagree, or what it holds cannot be right.
    """
    path = user_path(path)
    weights = _matrix(path)
    regions = _beside(path, "regions")
    about = _regions(regions) if regions.exists() else {}
    listed = about.pop("labels", None)
    with reading(path):
        names = _labels(weights, labels, listed)
    if listed is not None:
        with reading(regions):
            check_alike("the regions", listed, "the rows of the weights", names)
    with reading(path):
        if length == CENTROIDS:
            lengths = lengths_between(about.get("centroids"))
        else:
            table = _beside(path, "length") if length is None else user_path(length)
            if not table.exists():
                advice = no_lengths("the table", centroids="centroids" in about)
                raise ConnectomeError(f"expected the tract lengths in {table}, found no such file; {advice}")
            lengths = _lengths(table, names)
        return Connectome(weights.values, lengths, names, **about, name=path.stem, normalisation=normalisation)


def _beside(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}_{part}{path.suffix}")


def _matrix(path: Path) -> Matrix:
    with reading(path):
        matrix = read_matrix(path)
        if matrix.rows is not None and matrix.columns is not None:
            if matrix.rows != matrix.columns:
                check_header(matrix.columns)
            check_alike("the rows", matrix.rows, "the columns", matrix.columns)
        return matrix


def _lengths(path: Path, names: list[str]) -> Any:
    matrix = _matrix(path)
    with reading(path):
        if matrix.labels is not None:
            check_alike("the rows of the lengths", matrix.labels, "those of the weights", names)
        return matrix.values


def _labels(matrix: Matrix, given: str | Path | Sequence[str] | None, listed: list[str] | None) -> list[str]:
    if given is not None:
        names = read_labels(given)
        if len(names) != len(matrix.values):
            raise ConnectomeError(f"expected {len(matrix.values)} labels, found {len(names)}; give one a region")
        check_places(names, matrix.labels or ())
        return names
    if matrix.labels is not None:
        return list(matrix.labels)
    return listed or numbered_labels(len(matrix.values))


def _regions(path: Path) -> dict[str, Any]:
    """Return what a table tells of regions, with their ``labels``, and warn of columns that are not known."""
    with reading(path):
        header, *rows = _even_rows(path)
        place = _place_of_labels(header, rows)
        labels = [row[place] for row in rows]
        names = header_of([header, *rows], place)
        columns = {name: [row[i] for row in rows] for i, name in enumerate(names) if i != place}

        def numbers(key: str) -> list[float]:
            return [_number(cell, label) for cell, label in zip(columns[key], labels, strict=True)]

        about: dict[str, Any] = {key: numbers(key) for key in ("cortical", "area") if key in columns}
        if "hemisphere" in columns:
            about["hemisphere"] = columns["hemisphere"]
        if there := [axis for axis in _AXES if axis in columns]:
            if len(there) < len(_AXES):
                raise ConnectomeError(f"expected columns x, y and z, or none of them, found {' and '.join(there)}")
            about["centroids"] = np.column_stack([numbers(axis) for axis in _AXES])
    if unknown := _unknown(header, place):
        text = f"{path}: read without the columns that are not known here ({', '.join(unknown[:20])})"
        warnings.warn(shortened(text), ExchangeWarning, stacklevel=4)
    return about | {"labels": labels}


def _even_rows(path: Path) -> list[list[str]]:
    rows = read_rows(path) or [[""]]
    for line, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ConnectomeError(f"row {line}: expected {len(rows[0])} cells, found {len(row)}")
    return rows


def _unknown(header: list[str], place: int) -> list[str]:
    """Return the columns that are not known here, beside that of the labels."""
    return [name for i, name in enumerate(header) if i != place and name.casefold() not in _KNOWN]


def check_replaced(path: Path) -> None:
    """Refuse to replace a table of regions beside a matrix that tells more of them than would be written.

    Parameters
    ----------
    path : Path
        The matrix.

    Raises
    ------
    ConnectomeError
        If it has columns that are not known here, or is no such table.
    """
    regions = _beside(path, "regions")
    if not regions.exists():
        return
    try:
        header, *rows = _even_rows(regions)
        further = _unknown(header, _place_of_labels(header, rows))
    except (ConnectomeError, FileError) as error:
        further = [str(error)]
    if further:
        raise ConnectomeError(
            f"{regions}: expected no columns but those that are written there, since it is replaced with {path.name}, "
            f"found {', '.join(further[:20])}; move it elsewhere, or write under another name"
        )


def _place_of_labels(header: list[str], rows: list[list[str]]) -> int:
    """Return which column has the labels: the first, unless it has numbers or something else that is known."""
    first = header[0].casefold()
    if first in _KNOWN - {""} or all(is_number(row[0]) for row in rows):
        return label_column([header, *rows]) or 0
    return 0


def _number(cell: str, label: str) -> float:
    try:
        return number(cell)
    except ValueError:
        raise ConnectomeError(f"expected a number, found {cell!r} in the row of {label!r}") from None


def encode_matrices(connectome: Connectome, path: Path) -> dict[Path, bytes]:
    """Return the tables, by path, that `read_matrices` reads back; they hold neither name nor normalisation."""
    delimiter, labels = DELIMITERS[path.suffix.lower()], connectome.labels
    files = {}
    for target, matrix in ((path, connectome.weight), (_beside(path, "length"), connectome.length)):
        rows = [[label, *row] for label, row in zip(labels, matrix.values.tolist(), strict=True)]
        files[target] = _encode([["target", *labels], *rows], delimiter)
    columns: dict[str, list[Any]] = {}
    if connectome.centroids is not None:
        columns |= dict(zip(_AXES, connectome.centroids.values.T.tolist(), strict=True))
    if connectome.hemisphere is not None:
        columns["hemisphere"] = connectome.hemisphere.values.tolist()
    if connectome.cortical is not None:
        columns["cortical"] = connectome.cortical.values.astype(int).tolist()
    if connectome.area is not None:
        columns["area"] = connectome.area.values.tolist()
    # Written even with no columns, lest the file of another connectome is left to describe this one.
    about = [list(row) for row in zip(labels, *columns.values(), strict=True)]
    files[_beside(path, "regions")] = _encode([["region", *columns], *about], delimiter)
    return files


def _encode(rows: list[list[Any]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
