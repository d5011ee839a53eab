"""NumPy's archive: all of a connectome in one file, exactly."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_OPTIONAL = ("centroids", "hemisphere", "cortical", "area")


def read_npz(path: str | Path) -> Connectome:
    """Return the connectome in an ``.npz`` with the arrays ``weight``, ``length``, ``labels`` and the optional ones.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ConnectomeError
        If the file is damaged, lacks an array, or holds one that cannot be right.
    """
    path = user_path(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, TypeError) as error:
        raise ConnectomeError(f"{path}: expected an .npz, found none that can be read ({error})") from None
    for key in ("weight", "length", "labels"):
        if key not in arrays:
            raise ConnectomeError(f"{path}: expected an array {key!r}, found {', '.join(arrays) or 'none'}; add it")
    try:
        return Connectome(
            arrays["weight"],
            arrays["length"],
            arrays["labels"].tolist(),
            **{key: arrays[key] for key in _OPTIONAL if key in arrays},
            name=str(arrays.get("name", path.stem)),
            normalisation=str(arrays.get("normalisation", "none")),
        )
    except ConnectomeError as error:
        raise ConnectomeError(f"{path}: {error}") from None


def encode_npz(connectome: Connectome) -> bytes:
    """Return the archive that `read_npz` reads into an equal connectome."""
    dataset = connectome.dataset
    arrays: dict[str, Any] = {str(key): variable.values for key, variable in dataset.data_vars.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **(arrays | {"labels": connectome.labels} | dataset.attrs))
    return buffer.getvalue()
