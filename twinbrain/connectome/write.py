"""Write a connectome to a file, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twinbrain.connectome.arguments import check_connectome
from twinbrain.connectome.graphml import encode_graphml
from twinbrain.connectome.matlab import encode_matlab
from twinbrain.connectome.matrices import check_replaced, encode_matrices
from twinbrain.connectome.npz import encode_npz
from twinbrain.connectome.tvb import encode_tvb
from twinbrain.errors import ConnectomeError
from twinbrain.files import FileError, write_whole
from twinbrain.files.regular import check_no_url
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

_ENCODERS: dict[str, Callable[[Connectome, Path], dict[Path, bytes]]] = {
    ".zip": lambda connectome, path: {path: encode_tvb(connectome)},
    ".npz": lambda connectome, path: {path: encode_npz(connectome)},
    ".mat": lambda connectome, path: {path: encode_matlab(connectome)},
    ".graphml": lambda connectome, path: {path: encode_graphml(connectome)},
    ".csv": encode_matrices,
    ".tsv": encode_matrices,
}


def write_connectome(connectome: Connectome, path: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write a connectome; `read_connectome` reads an equal one.

    Parameters
    ----------
    connectome : Connectome
    path : str or Path
        ``.zip`` (The Virtual Brain), ``.npz``, ``.mat``, ``.graphml``, ``.csv`` or ``.tsv``. Tables are several files,
        and do not hold the name and the normalisation.
    overwrite : bool, optional
        Whether to replace files that exist. A table of regions (``NAME_regions.csv``) with columns that are not written
        is not replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ConnectomeError
        If the suffix is unknown, a file exists or cannot be written, the format cannot hold the connectome, or a table
        of regions holds more than is written.
    """
    check_connectome(connectome)
    try:
        check_no_url(path)
    except FileError as error:
        raise ConnectomeError(f"{path}: {error}") from None
    path = user_path(path)
    encode = _ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise ConnectomeError(
            f"{path}: expected a file of type {', '.join(_ENCODERS)}, found {path.suffix or 'no suffix'!r}"
        )
    if not path.parent.is_dir():
        raise ConnectomeError(f"{path}: expected the folder {path.parent}, found none; make it first")
    files = encode(connectome, path)
    for target in files:
        if target.exists() and not overwrite:
            raise ConnectomeError(f"{target}: expected no such file, found one; write elsewhere, or overwrite=True")
    if encode is encode_matrices:
        check_replaced(path)
    try:
        write_whole(files)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ConnectomeError(f"{path}: expected a file that can be written, found {reason}") from None
    return list(files)
