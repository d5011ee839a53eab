"""Import code that was written for a model, from a file: compilers that cache want one."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from types import ModuleType

from twinbrain.cache import cache_root, write_whole


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
    if not path.exists():
        write_whole(path, source)
    specification = importlib.util.spec_from_file_location(stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[stem] = module
    specification.loader.exec_module(module)
    return module
