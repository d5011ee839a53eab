"""Import a Python file of a person's own, with what it imports from beside it.

Its folder is not put on the path: whatever a library tries to import, there or in a process that is started, would then
be looked for there too. What the text of the file imports is found, from source alone, and nothing else; what numba
compiled of it before is kept elsewhere.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from twinbrain.cache import keep_numba_apart


def import_file(path: Path) -> ModuleType:
    """Run a Python file, and return it as a module, which travels to workers as a whole.

    Parameters
    ----------
    path : Path
        The file. What it imports from beside it can be imported as long as the process lasts.

    Raises
    ------
    ImportError, OSError, SyntaxError
        If it cannot be read or run.
    """
    from cloudpickle import register_pickle_by_value

    keep_numba_apart()
    path = path.resolve()
    found = sorted(_imported_from_beside(path))
    if found:
        sys.meta_path.insert(0, _Beside(path.parent, frozenset(found)))  # none is installed, so nothing is hidden
    specification = spec_from_file_location(str(path), path, loader=_Source(str(path), str(path)))
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = module_from_spec(specification)
    sys.modules[module.__name__] = module  # dataclasses look for their module there
    specification.loader.exec_module(module)
    for one in (module, *(sys.modules[name] for name in found if name in sys.modules)):
        register_pickle_by_value(one)  # workers have no such module
    return module


class _Source(SourceFileLoader):
    """Loads what a person can read: compiled files that lie beside a source may say something else."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _Beside(MetaPathFinder):
    """Finds modules of some names, and what is in them, in one folder."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        self._folder, self._names = folder, names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._names:
            return None
        for folder in [str(self._folder)] if path is None else path:
            if (found := FileFinder(folder, (_Source, [".py"])).find_spec(fullname)) is not None:
                return found
        return None


def _imported_from_beside(path: Path) -> set[str]:
    """Return the modules that a file imports, and those import, which lie beside it and are not installed."""
    beside: set[str] = set()
    files = [path]
    while files:
        for name in set(_imported(files.pop())) - beside:
            module, package = path.parent / f"{name}.py", path.parent / name
            if (module.is_file() or package.is_dir()) and not _is_installed(name):
                beside.add(name)
                files += [module, *package.rglob("*.py")]
    return beside


def _imported(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # who runs it is told
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # a module that was made by a program
        return True
