"""Import code that was written for a model, from a file: compilers that cache want one."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import platformdirs


def cache_root() -> Path:
    """Return the folder of all that is compiled or written for a model: ``TWINBRAIN_CACHE_DIR``, or the user's."""
    return Path(os.environ.get("TWINBRAIN_CACHE_DIR") or platformdirs.user_cache_dir("twinbrain"))


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
    folder = cache_root() / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.py"
    if not path.exists():
        # Another process may be writing it too: each writes its own file, and the last takes the name.
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False) as file:
            file.write(source)
        os.replace(file.name, path)
    specification = importlib.util.spec_from_file_location(stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[stem] = module
    specification.loader.exec_module(module)
    return module
