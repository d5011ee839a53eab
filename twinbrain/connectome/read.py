"""Read a connectome from a file, whatever its format."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twinbrain.connectome.graphml import read_graphml
from twinbrain.connectome.matlab import read_matlab
from twinbrain.connectome.matrices import read_matrices
from twinbrain.connectome.normalise import check_names
from twinbrain.connectome.npz import read_npz
from twinbrain.connectome.place import reading
from twinbrain.connectome.triangle import Triangle, with_triangle
from twinbrain.connectome.tvb import read_tvb
from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.suggest import suggestion

READERS: dict[str, Callable[..., Connectome]] = {
    ".zip": read_tvb,
    ".npz": read_npz,
    ".mat": read_matlab,
    ".graphml": read_graphml,
    ".csv": read_matrices,
    ".tsv": read_matrices,
    ".txt": read_matrices,
}


def read_connectome(path: str | Path, *, triangle: Triangle | None = None, **options: Any) -> Connectome:
    """Return the connectome in a file; its suffix tells the format.

    Parameters
    ----------
    path : str or Path
        ``.zip`` (The Virtual Brain), ``.npz``, ``.mat``, ``.graphml``, ``.csv``, ``.tsv`` or ``.txt``.
    triangle : {"mirror", "directed"}, optional
        What weights on one side of the diagonal alone mean: ``"mirror"`` takes each for both directions, with its
        length, ``"directed"`` takes them as they stand. Without it they are taken so, too; of more than two regions an
        ``ExchangeWarning`` tells it, but of ``.npz``, which `write_connectome` writes as it was declared.
    **options
        What the reader of the format takes: ``length`` in all (``length="centroids"`` takes straight lines between the
        centroids), and what `read_matlab`, `read_graphml` and `read_matrices` tell.

    Raises
    ------
    ConnectomeError
        If there is no such file, the suffix or an option is unknown, or the content cannot be right.
    """
    path = user_path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ConnectomeError(
            f"{path}: expected a file of type {', '.join(READERS)}, found {path.suffix or 'no suffix'!r}"
        )
    known = [*(name for name in inspect.signature(reader).parameters if name != "path"), "triangle"]
    for option in options:
        if option not in known:
            raise ConnectomeError(
                f"{path}: unknown option {option!r} for a {path.suffix} file; {suggestion(option, known)}"
            )
    if triangle is None and reader is read_npz:
        triangle = "directed"
    given = {key: os.fspath(value) if isinstance(value, os.PathLike) else value for key, value in options.items()}
    found = reader(path, **given)
    with reading(path):
        check_names(found.normalisation)
        return with_triangle(found, triangle, path)
