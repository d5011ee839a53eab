"""Load a connectome by name or from a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twinbrain.connectome.datasets import SOURCES_IN_ROWS, connectome_names, dataset_path
from twinbrain.connectome.read import READERS, read_connectome
from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.suggest import suggestion


def load_connectome(name_or_path: str | Path, **options: Any) -> Connectome:
    """Return a connectome that ships under a name, or the one in a file.

    Parameters
    ----------
    name_or_path : str or Path
        A name of `connectome_names`, such as ``"tvb-76"``, or a path.
    **options
        Passed to `read_connectome`.

    Raises
    ------
    ConnectomeError
        If the name is unknown, its package is missing, or the file cannot be read.

    Notes
    -----
    The centroids of ``tvb-66``, ``tvb-68``, ``tvb-76`` and ``tvb-192`` have x along the brain and y across it,
    unlike MNI space; what is left is read from the labels. ``tvb-192`` calls left what ``tvb-76`` calls right.

    The file of ``tvb-96`` has sources in its rows where others have targets, as its basal ganglia show; it is turned
    here. `read_connectome` of the file returns it as it is.
    """
    name = str(name_or_path)
    if name in connectome_names():
        found = read_connectome(dataset_path(name), **options).replace(name=name)
        if name not in SOURCES_IN_ROWS:
            return found
        turned = {"weight": found.weight.values.T, "length": found.length.values.T}
        return found.replace(**turned, normalisation=found.normalisation)
    path = user_path(name_or_path)
    if path.suffix.lower() in READERS or len(path.parts) > 1 or os.path.exists(path):
        return read_connectome(path, **options)
    raise ConnectomeError(
        f"expected the name or the path of a connectome, found {name!r}; {suggestion(name, connectome_names())}"
    )
