"""The zip of The Virtual Brain: one small file for the weights, one for the tract lengths, and so on.

Rows are targets and columns sources, as here. Described by Sanz Leon et al. 2013, doi 10.3389/fninf.2013.00010.
"""

from __future__ import annotations

import bz2
import io
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.hemispheres import hemispheres_from_labels
from twinbrain.connectome.lengths import CENTROIDS, check_regions, lengths_between
from twinbrain.connectome.mat_file import read_mat
from twinbrain.connectome.place import reading
from twinbrain.connectome.tables import is_number
from twinbrain.connectome.tvb_info import info_text, settings_of
from twinbrain.errors import ConnectomeError
from twinbrain.files import (
    Archive,
    FileError,
    check_size,
    damaged,
    largest,
    lines_of,
    numbers,
    read_bytes,
    read_npy,
    read_npz,
)
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.files.text import LARGEST_TEXT
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_SUFFIXES = (".txt", ".txt.bz2", ".npy", ".npz", ".mat")
_OPPOSITE = re.compile(r"(?:sub|non|not)[-_ ]?cortical")
_DIGITS = re.compile("[0-9]+")
_UNKNOWN = "unknown"
_MOST_STREAMS = 10_000
_WRITTEN = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that equal connectomes make equal files


def read_tvb(path: str | Path, *, length: str | None = None) -> Connectome:
    """Return the connectome in a TVB zip.

    Parts are found by name anywhere in the zip: ``weights``, ``tract_lengths``, ``centres`` (or ``centers``), and,
    where present, ``cortical``, ``areas``, ``hemispheres`` (1 is right) and ``info``. Without ``hemispheres`` the
    labels are asked (`hemispheres_from_labels`), unless ``info`` says ``hemispheres = "unknown"``. Average orientations
    are not kept.

    Parameters
    ----------
    path : str or Path
    length : str, optional
        Name of the part with the tract lengths (mm); ``"centroids"`` takes the straight lines between the centres.

    Raises
    ------
    ConnectomeError
        If the zip is damaged, lacks a part, or holds one that cannot be right.
    """
    path = user_path(path)
    with reading(path):
        return _connectome(Archive(read_bytes(path, LARGEST_ARCHIVE)), path.stem, length)


def _is_part(name: str) -> bool:
    return not name.endswith("/") and "__MACOSX" not in name and not PurePosixPath(name).name.startswith(".")


def _connectome(parts: Archive, stem: str, length: str | None) -> Connectome:
    labels, centroids = _centres(parts)
    check_regions(len(labels))
    sides = _optional(parts, "hemisphere")
    info = _info(parts)
    told = None if info.get("hemispheres") == _UNKNOWN else hemispheres_from_labels(labels)
    return Connectome(
        _array(parts, _find(parts, "weights")),
        lengths_between(centroids) if length == CENTROIDS else _array(parts, _find(parts, length or "tract_lengths")),
        labels,
        centroids=centroids,
        hemisphere=told if sides is None else _hemispheres(sides),
        cortical=_optional(parts, "cortical"),
        area=_optional(parts, "area"),
        name=info.get("name", stem),
        normalisation=info.get("normalisation", "none"),
    )


def _hemispheres(sides: NDArray[Any]) -> NDArray[np.str_]:
    if wrong := [side for side in sides.tolist() if side not in (0, 1)]:
        raise ConnectomeError(f"hemispheres: expected 0 (left) or 1 (right) of each region, found {wrong[0]!r}")
    return np.where(sides == 1, "right", "left")


def _files(parts: Archive) -> dict[str, str]:
    """Return the file name, in small letters, of each entry that may be a part."""
    return {entry: PurePosixPath(entry).name.lower() for entry in parts.names if _is_part(entry)}


def _find(parts: Archive, *names: str) -> str:
    """Return the entry called by one of ``names``, or else the only one whose file name contains one."""
    files = _files(parts)
    exact = [entry for entry, file in files.items() if file.split(".")[0] in names]
    found = exact or [entry for entry, file in files.items() if any(name in file for name in names)]
    if len(found) != 1:
        raise ConnectomeError(
            f"expected one file called {' or '.join(names)}, found {', '.join(found[:8]) or 'none'} "
            f"among {', '.join(list(files)[:40]) or 'no files'}; {'keep one' if found else 'add it'}"
        )
    return found[0]


def _optional(parts: Archive, name: str) -> NDArray[Any] | None:
    if not any(name in file for file in _files(parts).values()):
        return None
    found = _find(parts, name)
    if _OPPOSITE.search(_files(parts)[found]):
        raise ConnectomeError(
            f"expected a file called {name}, found {found}, its opposite; turn it round, and rename it"
        )
    return np.ravel(_array(parts, found))


def _text(parts: Archive, entry: str) -> str:
    with reading(entry):
        data = parts.read(entry)
        with damaged("text"):
            if entry.lower().endswith(".bz2"):
                if (n := data.count(b"BZh")) > _MOST_STREAMS:  # of which each may unpack to nothing
                    raise FileError(f"expected text packed in few pieces, found {n:,}; pack it anew")
                data = bz2.BZ2File(io.BytesIO(data)).read(largest(LARGEST_TEXT) + 1)
            check_size(len(data), LARGEST_TEXT, "text")
            return data.decode("utf-8-sig")


def _array(parts: Archive, entry: str) -> NDArray[Any]:
    suffixes = [suffix.lower() for suffix in PurePosixPath(entry).suffixes]
    suffix = "".join(suffixes[-2:] if suffixes[-1:] == [".bz2"] else suffixes[-1:])
    if suffix in (".txt", ".txt.bz2"):
        text = _text(parts, entry)
        with reading(entry):
            return _rows(text)
    with reading(entry):
        match suffix:
            case ".npy":
                return read_npy(parts.read(entry))
            case ".npz":
                arrays = read_npz(parts.read(entry))
                return arrays[_only(list(arrays))]
            case ".mat":
                variables = read_mat(parts.read(entry))
                return np.asarray(variables[_only(list(variables))].read())
    raise ConnectomeError(f"{entry}: expected a file of type {', '.join(_SUFFIXES)}, found {suffix or 'no suffix'}")


def _rows(text: str) -> NDArray[np.float64]:
    rows = []
    for number, line in enumerate(lines_of(text), start=1):
        cells = line.replace(",", " ").split()
        if cells and not cells[0].startswith("#"):
            try:
                rows.append(numbers(cells))
            except ValueError:
                raise ConnectomeError(f"line {number}: expected numbers, found {line.strip()[:80]!r}") from None
            check_regions(len(rows))
            if len(cells) != len(rows[0]):
                raise ConnectomeError(f"line {number}: expected {len(rows[0])} numbers, found {len(cells)}")
    return np.array(rows)


def _only(names: list[str]) -> str:
    if len(names) != 1:
        raise ConnectomeError(f"expected one array, found {', '.join(names) or 'none'}; keep one")
    return names[0]


def _centres(parts: Archive) -> tuple[list[str], list[list[float]]]:
    entry = _find(parts, "centres", "centers")
    text = _text(parts, entry)
    labels: list[str] = []
    centroids: list[list[float]] = []
    names: list[str] = []
    n_columns = 0
    with reading(entry):
        for number, line in enumerate(lines_of(text), start=1):
            # Some files have a fifth column, which says nothing.
            label, *rest = line.split() or ["#"]
            if label.startswith("#"):
                continue
            try:
                x, y, z = numbers(rest[:3]).tolist()
            except ValueError:
                found = line.strip()[:80]
                raise ConnectomeError(f"line {number}: expected 'label x y z', found {found!r}") from None
            n_columns = n_columns or len(rest)
            if len(rest) != n_columns:
                raise ConnectomeError(
                    f"line {number}: expected {n_columns + 1} columns, as in the first line, found {len(rest) + 1}; "
                    "labels have no blanks in this format, write them with _"
                )
            check_regions(len(labels) + 1)
            labels.append(label)
            centroids.append([x, y, z])
            names += [text for text in rest[3:] if not is_number(text)]
        if _are_numbers(labels) or (names and all(map(is_number, labels))):
            remedy = f"put the names, such as {names[0]!r}, first" if names else "name the regions"
            raise ConnectomeError(f"expected 'label x y z', found numbers as labels, {labels[:3]}; {remedy}")
    return labels, centroids


def _are_numbers(labels: list[str]) -> bool:
    """Return whether labels are numbers, not all of which can be those of regions; so coordinates can stand there."""
    return all(map(is_number, labels)) and not all(map(_DIGITS.fullmatch, labels))


def _info(parts: Archive) -> dict[str, str]:
    if not any("info" in file for file in _files(parts).values()):
        return {}
    entry = _find(parts, "info")
    text = _text(parts, entry)
    with reading(entry):
        return settings_of(text)


def encode_tvb(connectome: Connectome) -> bytes:
    """Return the zip that `read_tvb` reads into an equal connectome.

    Parameters
    ----------
    connectome : Connectome

    Raises
    ------
    ConnectomeError
        If there is something that this format cannot hold: no centroids, a label with a blank, numbers as labels, a
        region of neither hemisphere, a name of several lines.
    """
    if connectome.centroids is None:
        raise ConnectomeError("a TVB zip needs centroids, found none; add them, or write .npz")
    if bad := [label for label in connectome.labels if " " in label or label.startswith("#")]:
        raise ConnectomeError(f"a TVB zip needs labels without blanks or a leading '#', found {bad[0]!r}; rename it")
    if _are_numbers(connectome.labels):
        found = f"found {connectome.labels[:3]}"
        raise ConnectomeError(f"a TVB zip needs labels that no one takes for coordinates, {found}; rename them")
    sides = None if connectome.hemisphere is None else connectome.hemisphere.values.tolist()
    if sides is not None and "" in sides:
        midline = connectome.labels[sides.index("")]
        if sides != hemispheres_from_labels(connectome.labels):
            raise ConnectomeError(
                f"a TVB zip knows left and right alone, found {midline!r} of neither; "
                f"write .npz, or replace(hemisphere=None)"
            )
        sides = None  # the labels say as much
    about = {"name": connectome.name, "normalisation": connectome.normalisation}
    if connectome.hemisphere is None and hemispheres_from_labels(connectome.labels) is not None:
        about["hemispheres"] = _UNKNOWN  # lest the labels are asked
    rows = zip(connectome.labels, connectome.centroids.values.tolist(), strict=True)
    texts = {
        "weights": _lines(connectome.weight.values),
        "tract_lengths": _lines(connectome.length.values),
        "centres": "".join(f"{label} {' '.join(map(repr, centre))}\n" for label, centre in rows),
        "info": info_text(about),
    }
    if sides is not None:
        texts["hemispheres"] = _lines(np.array([int(side == "right") for side in sides]))
    if connectome.cortical is not None:
        texts["cortical"] = _lines(connectome.cortical.values.astype(int))
    if connectome.area is not None:
        texts["areas"] = _lines(connectome.area.values)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            entry = zipfile.ZipInfo(f"{name}.txt", _WRITTEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return buffer.getvalue()


def _lines(array: NDArray[Any]) -> str:
    return "".join(f"{' '.join(map(repr, row))}\n" for row in array.reshape(len(array), -1).tolist())
