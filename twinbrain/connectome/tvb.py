"""The zip of The Virtual Brain: one small file for the weights, one for the tract lengths, and so on.

Rows are targets and columns sources, as here. Described by Sanz Leon et al. 2013, doi 10.3389/fninf.2013.00010.
"""

from __future__ import annotations

import bz2
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.hemispheres import hemispheres_from_labels
from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_SUFFIXES = (".txt", ".txt.bz2", ".npy", ".npz", ".mat")
_WRITTEN = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that equal connectomes make equal files


def read_tvb(path: str | Path) -> Connectome:
    """Return the connectome in a TVB zip.

    Parts are found by name anywhere in the zip: ``weights``, ``tract_lengths``, ``centres`` (or ``centers``), and,
    where present, ``cortical``, ``areas``, ``hemispheres`` (1 is right) and ``info``. Without ``hemispheres`` the
    labels are asked (`hemispheres_from_labels`). Average orientations are not kept.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ConnectomeError
        If the zip is damaged, lacks a part, or holds one that cannot be right.
    """
    path = user_path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist() if _is_part(name)}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ConnectomeError(f"{path}: expected a zip, found none that can be read ({error}); copy it again") from None
    try:
        return _connectome(parts, path.stem)
    except ConnectomeError as error:
        raise ConnectomeError(f"{path}: {error}") from None


def _is_part(name: str) -> bool:
    return not name.endswith("/") and "__MACOSX" not in name and not PurePosixPath(name).name.startswith(".")


def _connectome(parts: dict[str, bytes], stem: str) -> Connectome:
    labels, centroids = _centres(parts)
    sides = _optional(parts, "hemisphere")
    info = _info(parts)
    return Connectome(
        _array(parts, _find(parts, "weights")),
        _array(parts, _find(parts, "tract_lengths")),
        labels,
        centroids=centroids,
        hemisphere=hemispheres_from_labels(labels) if sides is None else np.where(sides > 0, "right", "left"),
        cortical=_optional(parts, "cortical"),
        area=_optional(parts, "area"),
        name=info.get("name", stem),
        normalisation=info.get("normalisation", "none"),
    )


def _find(parts: dict[str, bytes], *names: str) -> str:
    """Return the entry called by one of ``names``, or else the only one whose file name contains one."""
    files = {entry: PurePosixPath(entry).name.lower() for entry in parts}
    exact = [entry for entry, file in files.items() if file.split(".")[0] in names]
    found = exact or [entry for entry, file in files.items() if any(name in file for name in names)]
    if len(found) != 1:
        raise ConnectomeError(
            f"expected one file called {' or '.join(names)}, found {', '.join(found) or 'none'} "
            f"among {', '.join(parts) or 'no files'}; {'keep one' if found else 'add it'}"
        )
    return found[0]


def _optional(parts: dict[str, bytes], name: str) -> NDArray[Any] | None:
    present = any(name in PurePosixPath(entry).name.lower() for entry in parts)
    return _array(parts, _find(parts, name)).ravel() if present else None


def _text(parts: dict[str, bytes], entry: str) -> str:
    try:
        data = bz2.decompress(parts[entry]) if entry.endswith(".bz2") else parts[entry]
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConnectomeError(f"{entry}: expected text, found none that can be read ({error})") from None


def _array(parts: dict[str, bytes], entry: str) -> NDArray[Any]:
    suffix = "".join(
        PurePosixPath(entry).suffixes[-2:] if entry.endswith(".bz2") else PurePosixPath(entry).suffixes[-1:]
    )
    data = io.BytesIO(parts[entry])
    try:
        match suffix.lower():
            case ".txt" | ".txt.bz2":
                rows = [line.replace(",", " ").split() for line in _text(parts, entry).splitlines()]
                return np.array([row for row in rows if row and not row[0].startswith("#")], dtype=np.float64)
            case ".npy":
                return np.asarray(np.load(data, allow_pickle=False))
            case ".npz":
                with np.load(data, allow_pickle=False) as arrays:
                    return _only({key: arrays[key] for key in arrays.files})
            case ".mat":
                from scipy.io import loadmat

                return _only({key: value for key, value in loadmat(data).items() if not key.startswith("__")})
    except ConnectomeError as error:
        raise ConnectomeError(f"{entry}: {error}") from None
    except (ValueError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error, TypeError) as error:
        raise ConnectomeError(f"{entry}: expected an array of numbers, found none that can be read ({error})") from None
    raise ConnectomeError(f"{entry}: expected a file of type {', '.join(_SUFFIXES)}, found {suffix or 'no suffix'}")


def _only(arrays: dict[str, NDArray[Any]]) -> NDArray[Any]:
    if len(arrays) != 1:
        raise ConnectomeError(f"expected one array, found {', '.join(arrays) or 'none'}; keep one")
    return next(iter(arrays.values()))


def _centres(parts: dict[str, bytes]) -> tuple[list[str], list[list[float]]]:
    entry = _find(parts, "centres", "centers")
    labels, centroids = [], []
    for number, line in enumerate(_text(parts, entry).splitlines(), start=1):
        # Some files have a fifth column, which says nothing.
        label, *rest = line.split() or ["#"]
        if label.startswith("#"):
            continue
        try:
            x, y, z = map(float, rest[:3])
        except ValueError:
            raise ConnectomeError(f"{entry}: line {number}: expected 'label x y z', found {line.strip()!r}") from None
        labels.append(label)
        centroids.append([x, y, z])
    return labels, centroids


def _info(parts: dict[str, bytes]) -> dict[str, str]:
    """Return the lines ``key = "value"`` of the free text, which is where name and normalisation are kept."""
    if not any("info" in PurePosixPath(entry).name.lower() for entry in parts):
        return {}
    lines = (line.partition("=") for line in _text(parts, _find(parts, "info")).splitlines())
    return {key.strip(): value.strip()[1:-1] for key, _, value in lines if value.strip().startswith('"')}


def encode_tvb(connectome: Connectome) -> bytes:
    """Return the zip that `read_tvb` reads into an equal connectome.

    Parameters
    ----------
    connectome : Connectome

    Raises
    ------
    ConnectomeError
        If there is something that this format cannot hold: no centroids, a label with a blank, a region of neither
        hemisphere.
    """
    if connectome.centroids is None:
        raise ConnectomeError("a TVB zip needs centroids, found none; add them, or write .npz")
    if bad := [label for label in connectome.labels if " " in label or label.startswith("#")]:
        raise ConnectomeError(f"a TVB zip needs labels without blanks or a leading '#', found {bad[0]!r}; rename it")
    sides = None if connectome.hemisphere is None else connectome.hemisphere.values.tolist()
    if sides is not None and "" in sides:
        midline = connectome.labels[sides.index("")]
        if sides != hemispheres_from_labels(connectome.labels):
            raise ConnectomeError(
                f"a TVB zip knows left and right alone, found {midline!r} of neither; "
                f"write .npz, or replace(hemisphere=None)"
            )
        sides = None  # the labels say as much
    rows = zip(connectome.labels, connectome.centroids.values.tolist(), strict=True)
    texts = {
        "weights": _lines(connectome.weight.values),
        "tract_lengths": _lines(connectome.length.values),
        "centres": "".join(f"{label} {' '.join(map(repr, centre))}\n" for label, centre in rows),
        "info": f'weights_unit = "au"\nlength_unit = "mm"\narea_unit = "mm^2"\n'
        f'name = "{connectome.name}"\nnormalisation = "{connectome.normalisation}"\n',
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
