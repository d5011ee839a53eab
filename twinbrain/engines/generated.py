"""Import code that was written for a model, from a file: compilers that cache want one."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from twinbrain.cache import VARIABLE, cache_root
from twinbrain.errors import EngineError
from twinbrain.files import write_whole


def import_source(name: str, source: str) -> ModuleType:
    """Return a module of that source.

    Parameters
    ----------
    name : str
        For readers of the file's name; equal sources share a file, and a process imports each once.
    source : str
        Python.
    """
    stem = f"{name}_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    if stem in sys.modules:
        return sys.modules[stem]
    path = cache_root() / "generated" / f"{stem}.py"
    try:
        if not _holds(path, source):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole({path: source.encode()})
    except OSError as error:
        raise EngineError(
            f"{path}: expected a file that can be written, found {error.strerror or error}; free its folder, or name "
            f"another in {VARIABLE}"
        ) from error
    specification = importlib.util.spec_from_file_location(stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[stem] = module
    specification.loader.exec_module(module)
    return module


def _holds(path: Path, source: str) -> bool:
    """Return whether a file is there and was not damaged since."""
    try:
        return path.read_bytes() == source.encode()
    except FileNotFoundError:
        return False
