"""NumPy's archive: all of a connectome in one file, exactly."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.connectome.lengths import CENTROIDS, lengths_between, no_lengths
from twinbrain.connectome.place import reading
from twinbrain.errors import ConnectomeError
from twinbrain.files import read_npz as read_arrays
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.suggest import suggestion

_OPTIONAL = ("centroids", "hemisphere", "cortical", "area")


def read_npz(path: str | Path, *, length: str = "length") -> Connectome:
    """Return the connectome in an ``.npz`` with the arrays ``weight``, ``length``, ``labels`` and the optional ones.

    Parameters
    ----------
    path : str or Path
    length : str, optional
        Name of the array with the tract lengths (mm); ``"centroids"`` takes the straight lines between centroids.

    Raises
    ------
    ConnectomeError
        If the file is damaged, lacks an array, or holds one that cannot be right.
    """
    path = user_path(path)
    with reading(path):
        arrays = read_arrays(path)
        for key in ("weight", "labels", length):
            if key not in arrays and key != CENTROIDS:
                advice = no_lengths("the array", centroids=CENTROIDS in arrays) if key == length else "add it"
                raise ConnectomeError(f"expected an array {key!r}, found {', '.join(arrays) or 'none'}; {advice}")
        known = dict.fromkeys(("weight", "length", length, "labels", *_OPTIONAL, "name", "normalisation"))
        if unknown := [key for key in arrays if key not in known]:
            raise ConnectomeError(
                f"unknown array {unknown[0]!r}; {suggestion(unknown[0], known)}; rename it, or take it out"
            )
        found = arrays.get(length)
        return Connectome(
            arrays["weight"],
            lengths_between(found) if found is None or length == CENTROIDS else found,
            np.ravel(arrays["labels"]).tolist(),
            **{key: arrays[key] for key in _OPTIONAL if key in arrays},
            name=str(arrays["name"]) if "name" in arrays else path.stem,
            normalisation=str(arrays["normalisation"]) if "normalisation" in arrays else "none",
        )


def encode_npz(connectome: Connectome) -> bytes:
    """Return the archive that `read_npz` reads into an equal connectome."""
    dataset = connectome.dataset
    arrays: dict[str, Any] = {str(key): variable.values for key, variable in dataset.data_vars.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **(arrays | {"labels": connectome.labels} | dataset.attrs))
    return buffer.getvalue()
