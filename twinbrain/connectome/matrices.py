"""Labelled matrices as text: one table for the weights, one for the lengths, one for the regions.

The first row holds the labels of the sources (columns), the first column those of the targets (rows).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_AXES = ("x", "y", "z")


def read_matrices(path: str | Path, *, length: str | Path | None = None, normalisation: str = "none") -> Connectome:
    """Return the connectome in a table of weights and the tables beside it.

    Parameters
    ----------
    path : str or Path
        The weights, as ``.csv`` or ``.tsv``: rows are targets, columns sources, both labelled alike.
    length : str or Path, optional
        The tract lengths (mm), as a table of the same form. By default ``NAME_length.csv`` for ``NAME.csv``.
        ``NAME_regions.csv`` may hold, after the label, ``x, y, z`` (mm), ``hemisphere``, ``cortical`` (0 or 1) and
        ``area`` (mm^2).
    normalisation : str, optional
        How the weights were normalised, which tables do not tell.

    Raises
    ------
    ConnectomeError
        If a table is missing, its labels disagree, or what it holds cannot be right.
    """
    path = user_path(path)
    labels, weight = _matrix(path)
    length = _beside(path, "length") if length is None else user_path(length)
    if not length.is_file():
        raise ConnectomeError(f'{path}: expected the tract lengths in {length}, found no such file; give length="..."')
    length_labels, lengths = _matrix(length)
    _check_alike(length, "the rows of the lengths", length_labels, "those of the weights", labels)
    regions = _beside(path, "regions")
    try:
        about = _regions(regions, labels) if regions.is_file() else {}
        return Connectome(weight, lengths, labels, **about, name=path.stem, normalisation=normalisation)
    except ConnectomeError as error:
        raise ConnectomeError(f"{path}: {error}") from None


def _beside(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}_{part}{path.suffix}")


def _table(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_DELIMITERS[path.suffix.lower()], strict=True)
        table = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConnectomeError(f"{path}: expected a table as text, found none that can be read ({error})") from None
    except KeyError:
        raise ConnectomeError(
            f"{path}: expected a file of type {', '.join(_DELIMITERS)}, found {path.suffix!r}"
        ) from None
    if len(table) < 2:
        raise ConnectomeError(f"{path}: expected a row of labels and rows of numbers, found {len(table)} rows")
    for number, row in enumerate(table[1:], start=2):
        if len(row) != len(table[0]):
            raise ConnectomeError(f"{path}: row {number}: expected {len(table[0])} cells, found {len(row)}")
    return table


def _matrix(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    header, *rows = _table(path)
    labels = [row[0] for row in rows]
    _check_alike(path, "the rows", labels, "the columns", header[1:])
    return labels, np.array([[_number(path, cell, row[0]) for cell in row[1:]] for row in rows])


def _number(path: Path, cell: str, label: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ConnectomeError(f"{path}: expected a number, found {cell!r} in the row of {label!r}") from None


def _check_alike(path: Path, these: str, found: list[str], those: str, wanted: list[str]) -> None:
    if len(found) != len(wanted):
        raise ConnectomeError(
            f"{path}: expected labels of {these} as {those} are, found {len(found)} and {len(wanted)}"
        )
    for i, (label, other) in enumerate(zip(found, wanted, strict=True), start=1):
        if label != other:
            raise ConnectomeError(
                f"{path}: expected {these} labelled as {those} in the same order, found {label!r} and {other!r} "
                f"at {i}; sort both alike"
            )


def _regions(path: Path, labels: list[str]) -> dict[str, Any]:
    (_, *keys), *rows = _table(path)
    _check_alike(path, "the regions", [row[0] for row in rows], "the rows of the weights", labels)
    columns = {key: [row[i] for row in rows] for i, key in enumerate(keys, start=1)}

    def numbers(key: str) -> list[float]:
        return [_number(path, cell, label) for cell, label in zip(columns[key], labels, strict=True)]

    about: dict[str, Any] = {key: numbers(key) for key in ("cortical", "area") if key in columns}
    if "hemisphere" in columns:
        about["hemisphere"] = columns["hemisphere"]
    if set(_AXES) <= set(columns):
        about["centroids"] = np.column_stack([numbers(axis) for axis in _AXES])
    return about


def encode_matrices(connectome: Connectome, path: Path) -> dict[Path, bytes]:
    """Return the tables, by path, that `read_matrices` reads back; they hold neither name nor normalisation."""
    delimiter, labels = _DELIMITERS[path.suffix.lower()], connectome.labels
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
