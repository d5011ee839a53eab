"""Find and read regions and workflows: shipped ones by name, anyone's by path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import reduce
from importlib.resources import files
from pathlib import Path
from typing import Any

import platformdirs

from twinbrain.errors import Problem, SpecError
from twinbrain.files import FileError, parse_toml, read_text
from twinbrain.files.regular import none_there
from twinbrain.files.text import LARGEST_TOML
from twinbrain.paths import user_path, whole_path
from twinbrain.spec.arrays import Folder
from twinbrain.spec.brain import Brain, single_region_brain
from twinbrain.spec.cell import Cell
from twinbrain.spec.cluster import ClusterProfile
from twinbrain.spec.keys import key_parts
from twinbrain.spec.named_files import is_path, place_in, with_folder, with_whole_paths
from twinbrain.spec.population import Population
from twinbrain.spec.region import Region
from twinbrain.spec.suggest import suggestion
from twinbrain.spec.sweep import FileKind, Sweep
from twinbrain.spec.undone import advice, undoing
from twinbrain.spec.whole_table import refuse_loss
from twinbrain.spec.workflow import Workflow

Data = dict[str, Any]
_SETUP = "put shell lines into a file that you name: --setup setup.sh, or in Python profile=tb.ClusterProfile(...)"
_LARGEST_SCALE = 1_000_000


def content_folders(kind: str) -> list[Path]:
    """Return the folders that are searched for ``"regions"`` or ``"workflows"``, in order.

    The installed package's come first, then the checkout's, then those in ``TWINBRAIN_PATH``, the user's data folder
    and the working folder.
    """
    package = Path(str(files("twinbrain")))
    own = [package / f"_{kind}", package.parent / kind]
    users = [user_path(part) / kind for part in os.environ.get("TWINBRAIN_PATH", "").split(os.pathsep) if part]
    users += [Path(platformdirs.user_data_dir("twinbrain")) / kind, Path.cwd() / kind]
    return list(dict.fromkeys(folder.resolve() for folder in [*own, *users] if folder.is_dir()))


def region_names() -> list[str]:
    """Return the names of all regions that can be loaded by name."""
    return _names("regions")


def workflow_names() -> list[str]:
    """Return the names of all workflows that can be loaded by name."""
    return _names("workflows")


def load_region(name_or_path: str | Path) -> Region:
    """Return a region.

    Parameters
    ----------
    name_or_path : str or Path
        Such as ``"cortex/column"``, or the path of a TOML file.

    Raises
    ------
    SpecError
        If there is no such region, or its file is wrong; with every problem found.
    """
    path = _find("regions", "region", name_or_path)
    return Region.parse(_read(path), str(path), context=Folder(path.parent))


def region_path(name: str) -> Path:
    """Return the file of a region."""
    return _find("regions", "region", name)


def workflow_summary(name: str) -> str:
    """Return the summary of a workflow, without loading what it needs."""
    return str(_read(_find("workflows", "workflow", name)).get("summary", ""))


def load_workflow(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Workflow:
    """Return a workflow.

    Parameters
    ----------
    name_or_path : str or Path
        Such as ``"resting_state"``, or the path of a TOML file.
    overrides : iterable of str
        ``"run.duration=10 s"``: keys that take another value than in the file.

    Raises
    ------
    SpecError
        If there is no such workflow, or its file or an override is wrong; with every problem found. An override is,
        too, if the sweep of the workflow gives other values to its key at every point.

    Notes
    -----
    Paths in a file start from its folder, those of ``overrides`` from the working folder.
    """
    path = _find("workflows", "workflow", name_or_path)
    data = _read(path)
    named_by_file = "name" not in data
    data.setdefault("name", path.stem)
    problems: list[Problem] = []
    given: dict[str, list[str]] = {}
    for override in overrides:
        try:
            given[override] = _override(data, override)
        except SpecError as error:
            problems += error.problems
    named_by_file = named_by_file and ["name"] not in given.values()
    data = _with_brain(data, str(path), problems)
    try:
        workflow = Workflow.parse(data, str(path), context=Folder(path.parent))
    except SpecError as error:
        problems += [_of_file_name(p, path) if named_by_file else p for p in error.problems]
    if problems:
        raise SpecError(problems)
    if workflow.sweep is not None:
        _check_counts(workflow, workflow.sweep, given)
        workflow = workflow.model_copy(update={"sweep": with_folder(workflow.sweep, path.parent)})
    return workflow


def as_workflow(model: Workflow | Brain | Region | str | Path) -> Workflow:
    """Return the workflow that a model is part of, or that a text names.

    Raises
    ------
    SpecError
        If it is no model, or there is no workflow of that name.
    """
    match model:
        case Workflow():
            return model
        case Brain():
            return Workflow(name=re.sub(r"[^\w.-]", "_", model.name) or "brain", brain=model)
        case Region():
            return Workflow(name=model.name.replace("/", "_"), brain=single_region_brain(model))
        case str() | os.PathLike():
            return load_workflow(model)
    raise SpecError(f"expected a workflow, a brain, a region or the name of a workflow, found a {type(model).__name__}")


def load_profile(path: str | Path, setup: str | Path | None = None) -> ClusterProfile:
    """Return the profile of a cluster.

    Parameters
    ----------
    path : str or Path
        A TOML file. Certificates are looked for from its folder on.
    setup : str or Path, optional
        A file of shell lines that each job begins with. They run, so a person names this file, and no profile does.

    Raises
    ------
    SpecError
        If there is no such file, or it is wrong; with every problem found.
    """
    file = user_path(path)
    data = _read(file)
    if given := [key for key in ("setup", "python") if key in data]:
        raise SpecError(
            Problem(f"{path}: {key}", f"expected no commands in a file, which is data, found {data[key]!r}; {_SETUP}")
            for key in given
        )
    if setup is not None:
        data["setup"] = _text(user_path(setup)).splitlines()
    if isinstance(tls := data.get("tls"), dict):
        data["tls"] = {k: str(file.parent / user_path(v)) if isinstance(v, str) else v for k, v in tls.items()}
    return ClusterProfile.parse(data, str(path))


def is_profile(path: Path) -> bool:
    """Return whether a TOML file holds the profile of a cluster rather than a workflow or a region."""
    keys = set(_read(path))
    return not {"brain", "populations", "cells"} & keys and bool(set(ClusterProfile.model_fields) & keys)


def is_workflow(path: Path) -> bool:
    """Return whether a TOML file holds a workflow rather than a region."""
    return not {"populations", "cells"} & set(_read(path))


def names_files_beside(path: Path) -> bool:
    """Return whether a TOML file names others by paths that start from its folder."""
    data = _read(path)
    return bool(with_whole_paths(data, (), path.parent) != data)


def _names(kind: str) -> list[str]:
    found = {
        str(p.relative_to(folder).with_suffix("")) for folder in content_folders(kind) for p in folder.rglob("*.toml")
    }
    return sorted(name.replace(os.sep, "/") for name in found)


def _find(kind: str, what: str, name_or_path: str | Path) -> Path:
    path = user_path(name_or_path)
    if path.suffix == ".toml":
        if not os.path.exists(path):
            raise SpecError([Problem(str(path), none_there(path, f"a {what} file"))])
        return path
    for folder in content_folders(kind):
        if os.path.isfile(candidate := folder / f"{name_or_path}.toml"):
            return candidate
    hint = suggestion(str(name_or_path), _names(kind))
    raise SpecError([Problem("", f"unknown {what} {str(name_or_path)!r}; {hint}; or give the path of a .toml file")])


def _text(path: Path) -> str:
    try:
        return read_text(path, LARGEST_TOML)
    except FileError as error:
        raise SpecError([Problem(str(path), str(error))]) from None


def _read(path: Path) -> Data:
    try:
        return parse_toml(read_text(path, LARGEST_TOML))
    except FileError as error:
        raise SpecError([Problem(str(path), str(error))]) from None


def _override(data: Data, text: str) -> list[str]:
    """Give a key another value, and return its parts."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SpecError([Problem("--set", f'expected key=value such as "run.duration=10 s", found {text!r}')])
    parts = key_parts(key.strip())
    if not all(parts):
        raise SpecError([Problem("--set", f'expected a key such as brain.regions."TM-*".scale, found {key.strip()!r}')])
    current: Any = data
    for i in range(len(parts) - 1):
        current = _step_into(current, parts[: i + 1])
    last = parts[-1]
    found = with_whole_paths(_toml_value(value.strip(), key.strip()), reduce(place_in, parts, ()), Path())
    there = current.get(last) if isinstance(current, dict) else None
    if isinstance(found, dict) and parts[0] != "sweep":
        refuse_loss(key.strip(), there, found, parts)
    if isinstance(current, list):
        current[_list_index(current, last, key)] = found
    else:
        current[last] = found
    return parts


def _of_file_name(problem: Problem, path: Path) -> Problem:
    """Say of a workflow's name that it was taken from its file."""
    if problem.where != f"{path}: name":
        return problem
    expected = "expected letters, digits, '.', '_' and '-' in the file's name, which names the workflow"
    return Problem(str(path), f'{expected}, found {path.stem!r}; put a line into it: name = "..."')


def _check_counts(workflow: Workflow, sweep: Sweep, given: dict[str, list[str]]) -> None:
    """Refuse overrides that every point of the sweep would replace."""
    problems = []
    for override, parts in given.items():
        place = tuple(parts)
        if place[0] == "region":  # short for a brain of that region
            place = ("brain", "regions", "*", *place[1:])
        if place[:2] == ("brain", "regions") and place[3:] in (("region",), ("scale",)):
            place = place[:3]
        if key := undoing(workflow, [place], sweep):
            expected = (
                f"expected a value for what the workflow does not sweep, found the values of {key!r} in its place"
            )
            remedy = f"leave it out, or change what is swept: --set '{advice(key, sweep)}'"
            problems.append(Problem(override, f"{expected}; {remedy}"))
    if problems:
        raise SpecError(problems)


def _step_into(current: Any, parts: list[str]) -> Any:
    part, where = parts[-1], ".".join(parts)
    if isinstance(current, list):
        return current[_list_index(current, part, where)]
    inner = current.setdefault(part, {})
    if isinstance(inner, str) and parts[:-1] == ["brain", "regions"]:
        # "cortex/column" is short for a table with the region's name.
        inner = current[part] = {"region": inner}
    if not isinstance(inner, dict | list):
        raise SpecError([Problem(f"--set {where}", f"expected a table, found the value {inner!r}; shorten the key")])
    return inner


def _list_index(items: list[Any], part: str, where: str) -> int:
    if not (part.isascii() and part.isdecimal()) or int(part) >= len(items):
        raise SpecError([Problem(f"--set {where}", f"expected an index from 0 to {len(items) - 1}, found {part!r}")])
    return int(part)


def _toml_value(text: str, key: str) -> Any:
    try:
        found = parse_toml(f"value = {text}")
    except FileError:
        return text
    if len(found) > 1:
        further = ", ".join(list(found)[1:])
        raise SpecError(
            [Problem(f"--set {key}", f"expected one value, found other keys after it: {further}; set each")]
        )
    return found["value"]


def _with_brain(data: Data, where: str, problems: list[Problem]) -> Data:
    """Replace names of regions by the regions, and ``region = "…"`` by a brain of that region alone."""
    data = dict(data)
    folder = Folder(Path(where).parent)
    if "region" in data:
        region = _region(data.pop("region"), f"{where}: region", folder, problems)
        if "brain" in data:
            problems.append(Problem(where, 'expected either "region" or a table "brain", found both; drop one'))
        data["brain"] = single_region_brain(region)
    elif isinstance(brain := data.get("brain"), dict) and isinstance(brain.get("regions"), dict):
        regions = {
            pattern: _region(value, f"{where}: brain.regions.{pattern!r}", folder, problems)
            for pattern, value in brain["regions"].items()
        }
        data["brain"] = brain | {"regions": regions}
        if isinstance(name := brain.get("connectome"), str):
            data["brain"]["connectome"] = _beside(folder, name, "connectome")
    if isinstance(train := data.get("train"), dict) and "task" in train:
        data["train"] = train | {"task": with_whole_paths(train["task"], ("train", "task"), folder.path)}
    if isinstance(sweep := data.get("sweep"), dict) and "files" in sweep:
        problems.append(Problem(f"{where}: sweep.files", "expected none in a file, since it is filled in; drop it"))
    return data


def _beside(folder: Folder, name: str, kind: FileKind) -> str:
    """Return the whole path of a file whose name starts from the folder; a name that is no path as it is."""
    return whole_path(name, folder.path) if is_path(name, kind) else name


# Stands where a region could not be read, so that the rest of the file is checked too.
_UNREAD = Region(
    name="unread", cells={"unread": Cell(model="")}, populations={"unread": Population(cell="unread", size=1)}
)


def _region(value: Any, where: str, folder: Folder, problems: list[Problem]) -> Region:
    try:
        if isinstance(value, str):
            return load_region(_beside(folder, value, "region"))
        if isinstance(value, dict) and "region" in value:
            if unknown := sorted(set(value) - {"region", "scale"}):
                raise SpecError([Problem("", f"unknown key {unknown[0]!r}; known: region, scale")])
            scale = value.get("scale", 1.0)
            if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= _LARGEST_SCALE:
                found = f"expected a positive number up to {_LARGEST_SCALE:,}, found {scale!r}"
                raise SpecError([Problem("scale", found[:120])])
            return load_region(_beside(folder, str(value["region"]), "region")).scaled(float(scale))
        if isinstance(value, dict):
            return Region.parse(value, context=folder)
    except SpecError as error:
        problems += error.within(where).problems
        return _UNREAD
    problems.append(Problem(where, f"expected the name of a region, found {value!r}"))
    return _UNREAD
