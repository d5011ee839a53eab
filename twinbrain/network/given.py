"""Given spike trains and waveforms: from the declaration or its file to arrays."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import Problem, SpecError
from twinbrain.network.random import Floats
from twinbrain.paths import user_path
from twinbrain.spec.drive import Drive
from twinbrain.spec.signal import SampledWaveform, SpikeTrains

_Drive = TypeVar("_Drive", bound=Drive)


def read_trains(spikes: SpikeTrains) -> list[Floats]:
    """Return spike trains.

    Returns
    -------
    list of ndarray of float64 (ms)
        One a neuron, or a single one for all; of a file, those up to the last neuron in it.

    Raises
    ------
    SpecError
        If the file cannot be read or has changed, or times are negative or not in ascending order.
    """
    factor = units.coherent(f"1 {spikes.unit}", "ms")
    if spikes.file is None:
        assert spikes.times is not None
        trains = [np.array(row, np.float64) for row in spikes.times]
    else:
        time, neuron = _columns(spikes)
        if not np.array_equal(neuron, np.floor(neuron)) or (len(neuron) and neuron.min() < 0):
            raise SpecError([Problem("spikes.file", "expected neurons counted from 0, found others; renumber them")])
        order = np.argsort(neuron, kind="stable")
        ends = np.cumsum(np.bincount(neuron.astype(np.int64)))
        trains = np.split(time[order], ends[:-1]) if len(neuron) else []
    problems = []
    where = "spikes.times" if spikes.file is None else "spikes.file"
    for neuron_, train in enumerate(trains):
        if len(train) and not train.min() >= 0:
            found = f"found {train.min():g} {spikes.unit} of neuron {neuron_}"
            problems.append(Problem(where, f"expected times of at least 0, {found}"))
        elif (np.diff(train) < 0).any():
            i = int((np.diff(train) < 0).argmax())
            found = f"found {train[i + 1]:g} {spikes.unit} after {train[i]:g} {spikes.unit} of neuron {neuron_}"
            problems.append(Problem(where, f"expected ascending times, {found}; sort them"))
    if problems:
        raise SpecError(problems)
    return [train * factor for train in trains]


def read_samples(samples: SampledWaveform) -> Floats:
    """Return the values of a waveform.

    Returns
    -------
    ndarray of float64, shape (1, sample) or (neuron, sample)
        In the declared unit.

    Raises
    ------
    SpecError
        If the file cannot be read or has changed, or rows differ in length.
    """
    if samples.file is None:
        assert samples.values is not None
        lengths = sorted({len(row) for row in samples.values})
        if len(lengths) != 1 or lengths[0] == 0:
            raise SpecError(
                [Problem("waveform.values", f"expected rows of one length above 0, found lengths {lengths}")]
            )
        return np.array(samples.values, np.float64)
    values = _load(samples)
    if isinstance(values, dict):
        raise _fault(samples, "expected one array, found several; use .npy")
    array = np.asarray(values, np.float64)
    if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
        array = array.reshape(1, -1)
    if array.ndim != 2 or not array.size:
        raise _fault(samples, f"expected shape (sample,) or (neuron, sample), found {array.shape}")
    if not np.isfinite(array).all():
        raise _fault(samples, "expected finite numbers, found some that are not")
    return array


def pinned(drive: _Drive) -> _Drive:
    """Return a drive whose file, if it has one, is named by its whole path and by its digest.

    Raises
    ------
    SpecError
        If the file cannot be read or has changed.
    """
    for kind in ("spikes", "waveform"):
        given: SpikeTrains | SampledWaveform | None = getattr(drive, kind)
        if given is not None and given.file is not None:
            digest = hashlib.sha256(_bytes(given)).hexdigest()
            changes = {"file": str(user_path(given.file).absolute()), "sha256": digest}
            return drive.model_copy(update={kind: given.model_copy(update=changes)})
    return drive


def _columns(spikes: SpikeTrains) -> tuple[Floats, Floats]:
    """Return the times of a file, and the neuron of each."""
    loaded = _load(spikes)
    if not isinstance(loaded, dict) or set(loaded) != {"time", "neuron"}:
        raise _fault(spikes, "expected arrays time and neuron in an .npz file, or columns time,neuron in a .csv file")
    time, neuron = (np.asarray(loaded[name], np.float64) for name in ("time", "neuron"))
    if time.ndim != 1 or time.shape != neuron.shape or not np.isfinite([time, neuron]).all():
        raise _fault(spikes, f"expected as many finite times as neurons, found shapes {time.shape} and {neuron.shape}")
    return time, neuron


def _load(given: SpikeTrains | SampledWaveform) -> NDArray[np.float64] | dict[str, NDArray[np.float64]]:
    assert given.file is not None
    _bytes(given)
    path = user_path(given.file)
    stat = path.stat()
    try:
        return _parsed(path, stat.st_mtime_ns, stat.st_size, isinstance(given, SpikeTrains))
    except (ValueError, OSError, EOFError) as error:
        raise _fault(given, f"expected numbers in .npy, .npz or .csv, found {error}") from None


@lru_cache(maxsize=4)
def _parsed(
    path: Path, _changed: int, _size: int, header: bool
) -> NDArray[np.float64] | dict[str, NDArray[np.float64]]:
    match path.suffix.lower():
        case ".npy":
            array: NDArray[np.float64] = np.load(path).astype(np.float64)
            return array
        case ".npz":
            with np.load(path) as arrays:
                return {name: arrays[name].astype(np.float64) for name in arrays.files}
        case ".csv":
            with path.open(encoding="utf-8-sig") as lines:
                names = [name.strip() for name in next(lines, "").split(",")] if header else []
                rows = [line for line in lines if line.strip()]
            table = np.array([[float(cell) for cell in row.split(",")] for row in rows])
            if not header:
                return table
            return dict(zip(names, table.reshape(len(rows), len(names)).T, strict=True))
    raise ValueError(f"a file of another kind, {path.name!r}")


def _bytes(given: SpikeTrains | SampledWaveform) -> bytes:
    """Return the contents of the file, which must be what its digest says."""
    assert given.file is not None
    try:
        data = user_path(given.file).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise _fault(given, f"expected a readable file, found none ({reason}); check the path") from None
    if given.sha256 is not None and (digest := hashlib.sha256(data).hexdigest()) != given.sha256:
        raise _fault(
            given, f"expected the contents with sha256 {given.sha256[:12]}…, found {digest[:12]}…: the file has changed"
        )
    return data


def _fault(given: SpikeTrains | SampledWaveform, message: str) -> SpecError:
    kind = "spikes" if isinstance(given, SpikeTrains) else "waveform"
    return SpecError([Problem(f"{kind}.file", f"{given.file}: {message}")])
