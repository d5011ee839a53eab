"""Files of data that other packages carry.

They are read as files, since the packages' own loaders import far more than is needed, for seconds.
"""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.errors import LearnError

# All that arrays, and lists of them, are pickled with; whatever else a pickle names, it could run.
_OF_ARRAYS = {("_codecs", "encode")} | {
    (module, name)
    for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "dtype", "ndarray", "scalar")
}


def package_file(task: str, package: str, module: str, path: str) -> Path:
    """Return the place of a file of an installed package.

    Parameters
    ----------
    task : str
        For whom, told in errors.
    package, module : str
        How the package is installed, and how it is imported.
    path : str
        Within the module's folder.

    Raises
    ------
    LearnError
        If the package is not installed, or no longer has the file.
    """
    found = find_spec(module)
    if found is None or found.origin is None:
        raise LearnError(
            f'task {task}: expected the package {package}, found none installed; pip install "twinbrain[train]"'
        )
    file = Path(found.origin).parent / path
    if not file.is_file():
        raise LearnError(
            f"task {task}: expected {path} in the package {package}, found no such file; install it anew: "
            'pip install --force-reinstall "twinbrain[train]"'
        )
    return file


class _Arrays(pickle.Unpickler):
    """Reads arrays, and lists and tables of them."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names, if it makes arrays."""
        if (module, name) not in _OF_ARRAYS:
            raise LearnError(
                f"expected a file of arrays, found one that names {module}.{name}; install its package anew"
            )
        return super().find_class(module, name)


def read_objects(path: Path) -> Any:
    """Return the array of objects in an ``.npy`` file, which may hold numbers, texts, lists, tables and arrays alone.

    Raises
    ------
    LearnError
        If anything else is in it.
    """
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        read(file)
        return _Arrays(file).load()
