"""Connectomes known by name, from the optional package ``tvb-data``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from twinbrain.errors import ConnectomeError

_TVB = {f"tvb-{n}": f"connectivity/connectivity_{n}.zip" for n in (66, 68, 76, 96, 192)}

SOURCES_IN_ROWS = frozenset({"tvb-96"})
"""Files whose rows are sources, against the convention of their format: in the rows of tvb-96 cortex reaches the
striatum, the striatum the pallidum, and the pallidum the thalamus; read as targets, all of it would run backwards."""


def connectome_names() -> list[str]:
    """Return the names that `load_connectome` knows, whether their files are installed or not."""
    return list(_TVB)


def dataset_path(name: str) -> Path:
    """Return the file of a named connectome.

    Parameters
    ----------
    name : str
        One of `connectome_names`.

    Raises
    ------
    ConnectomeError
        If the package that holds it is not installed, or lacks it.
    """
    package = find_spec("tvb_data")
    if package is None or not package.submodule_search_locations:
        raise ConnectomeError(
            f'{name}: expected the package tvb-data, found none; install it: pip install "twinbrain[data]"'
        )
    path = Path(package.submodule_search_locations[0]) / _TVB[name]
    if not path.is_file():
        raise ConnectomeError(
            f"{name}: expected {_TVB[name]} in the installed tvb-data, found none; "
            f'install it anew: pip install --force-reinstall "twinbrain[data]"'
        )
    return path
