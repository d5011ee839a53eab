"""Files that a declaration names: where in it their names stand, and which files they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from twinbrain.errors import Problem, SpecError
from twinbrain.paths import whole_path
from twinbrain.spec.keys import Place, full_key
from twinbrain.spec.sweep import FileKind, NamedFile, Sweep

_SWEPT: dict[Place, int] = {("sweep", "parameters"): 2, ("sweep", "together"): 2, ("sweep", "cases"): 3}


def is_path(name: str, kind: FileKind) -> bool:
    """Return whether a text is a path, rather than the name of a region or a connectome."""
    path = Path(name)
    match kind:
        case "region":
            return path.suffix == ".toml"
        case "connectome":
            return bool(path.suffix) or len(path.parts) > 1
        case _:
            return True


def renamed(value: Any, place: Place, new: Callable[[str, FileKind], Any]) -> Any:
    """Return plain data with what ``new`` makes of each name of a file, a region or a connectome in it.

    Parameters
    ----------
    value : any
        Of a file, or of a sweep.
    place : tuple of str
        Where it stands, from the root of a workflow on.
    new : callable
        Takes a name, and what it names.
    """
    if isinstance(value, dict):
        return {key: renamed(item, place_in(place, str(key)), new) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [renamed(item, place, new) if isinstance(item, str | dict | list | tuple) else item for item in value]
    kind = _kind(place) if isinstance(value, str) else None
    return value if kind is None else new(value, kind)


def place_in(place: Place, key: str) -> Place:
    """Return the place of a key in the table at a place; what is swept stands where its key leads."""
    if _SWEPT.get(place[:2]) == len(place):
        with suppress(SpecError):  # told where keys are checked
            return tuple(full_key(key))
    return (*place, key)


def with_whole_paths(value: Any, place: Place, folder: Path) -> Any:
    """Return plain data in which names of files, which start from a folder, are whole paths."""
    return renamed(value, place, lambda name, kind: whole_path(name, folder) if is_path(name, kind) else name)


def _kind(place: Place) -> FileKind | None:
    match place:
        case ("brain", "connectome"):
            return "connectome"
        case ("region",) | ("brain", "regions", _) | ("brain", "regions", _, "region"):
            return "region"
        case (*_, "parameters" | "initial", "file"):
            return None  # a parameter of that name
        case (*_, "file"):
            return "file"
        case ("train", "task", *_, "folder"):
            return "folder"
    return None


def swept_names(sweep: Sweep, keys: Iterable[str] | None = None) -> Iterator[tuple[str, FileKind]]:
    """Yield what the values of a sweep name, or those of some keys: each name, and what it names."""
    found: dict[tuple[str, FileKind], None] = {}
    chosen = None if keys is None else set(keys)

    def note(name: str, kind: FileKind) -> str:
        found[name, kind] = None
        return name

    for table in (sweep.parameters, *sweep.together, *sweep.cases.values()):
        for key, values in table.items():
            if chosen is None or key in chosen:
                renamed(values, place_in(("sweep", "parameters"), key), note)
    yield from found


def with_folder(sweep: Sweep, folder: Path, keys: Iterable[str] | None = None) -> Sweep:
    """Return a sweep that knows the files which its values name, and no others.

    Parameters
    ----------
    sweep : Sweep
        Files that it knows stay what they are.
    folder : Path
        From which the other names start.
    keys : iterable of str, optional
        Keys whose values name files from this folder on, also where a name is known already.

    Raises
    ------
    SpecError
        If a name then stands for two files.
    """
    own = set(swept_names(sweep, keys or ()))
    others = set(swept_names(sweep, {*_keys(sweep)} - {*(keys or ())}))
    files: dict[FileKind, dict[str, NamedFile]] = {kind: {} for kind in get_args(FileKind)}
    for name, kind in swept_names(sweep):
        known = sweep.files.get(kind, {}).get(name)
        if not is_path(name, kind):
            if known is not None:
                files[kind][name] = known
            continue
        path = whole_path(name, folder)
        if known is not None and known.path != path and (name, kind) in own:
            if (name, kind) in others:
                message = f"expected one file that is called {name!r}, found two: {known.path} and {path}"
                raise SpecError([Problem("sweep", f"{message}; give one of them its whole path")])
            known = None
        files[kind][name] = known or NamedFile(path=path)
    return with_files(sweep, files)


def with_files(sweep: Sweep, files: Mapping[FileKind, Mapping[str, NamedFile]]) -> Sweep:
    """Return a sweep that knows these files, by the names that its values have for them."""
    found = {kind: dict(named) for kind, named in files.items() if named}
    return sweep if found == sweep.files else sweep.replace(files=found)


def _keys(sweep: Sweep) -> Iterator[str]:
    for table in (sweep.parameters, *sweep.together, *sweep.cases.values()):
        yield from table
