"""Given spike trains and waveforms: from the declaration or its file to arrays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinbrain import units
from twinbrain.errors import Problem, SpecError
from twinbrain.files import FileError, decoded, numbers, read_bytes, read_npy, read_npz
from twinbrain.files.archive import LARGEST_ARCHIVE
from twinbrain.network.random import Floats
from twinbrain.paths import user_path
from twinbrain.spec.drive import Drive
from twinbrain.spec.region import Region
from twinbrain.spec.signal import SampledWaveform, SpikeTrains
from twinbrain.spec.workflow import Workflow

# A train each is made up to the last neuron of a file.
_MOST_NEURONS = 1_000_000
_BLOCK = 1_000_000  # letters of a table that are taken apart at once
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
        if len(neuron) and neuron.max() >= _MOST_NEURONS:
            found = f"expected neurons below {_MOST_NEURONS:,}, found {neuron.max():.0f}"
            raise SpecError([Problem("spikes.file", f"{found}; count them from 0 in their population")])
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
    with np.errstate(over="ignore"):  # a time beyond all others ends after every run
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
    array = values
    if array.ndim == 1:
        array = array.reshape(1, -1)
    if array.ndim != 2 or not array.size:
        raise _fault(samples, f"expected shape (sample,) or (neuron, sample), found {array.shape}")
    if not np.isfinite(array).all():
        raise _fault(samples, "expected finite numbers, found some that are not")
    return array


def pinned(drive: _Drive) -> _Drive:
    """Return a drive whose file, if it has one, is named by its digest beside its path.

    Raises
    ------
    SpecError
        If the file cannot be read or has changed.
    """
    for kind in ("spikes", "waveform"):
        given: SpikeTrains | SampledWaveform | None = getattr(drive, kind)
        if given is not None and given.file is not None:
            return drive.model_copy(update={kind: given.model_copy(update={"sha256": _digest(_bytes(given))})})
    return drive


def with_pinned_files(workflow: Workflow) -> Workflow:
    """Return a workflow with the files of its inputs named by their contents, so that what it begins goes on with them.

    Raises
    ------
    SpecError
        With every file that cannot be read, or has changed.
    """
    problems: list[Problem] = []

    def with_files(region: Region) -> Region:
        try:
            return with_pinned_drives(region)
        except SpecError as error:
            problems.extend(error.problems)
            return region

    regions = {pattern: with_files(region) for pattern, region in workflow.brain.regions.items()}
    stimuli = _each_pinned(workflow.stimuli, [f"stimuli.{stimulus.name}" for stimulus in workflow.stimuli], problems)
    if problems:
        raise SpecError(dict.fromkeys(problems))
    brain = workflow.brain.model_copy(update={"regions": regions})
    return workflow.model_copy(update={"brain": brain, "stimuli": stimuli})


def with_pinned_drives(region: Region) -> Region:
    """Return a region with the files of its drives named by their contents; see `with_pinned_files`.

    Raises
    ------
    SpecError
        With every file that cannot be read, or has changed.
    """
    problems: list[Problem] = []
    places = [f"region {region.name}: drives[{i}]" for i in range(len(region.drives))]
    drives = _each_pinned(region.drives, places, problems)
    if problems:
        raise SpecError(problems)
    return region.model_copy(update={"drives": drives})


def _each_pinned(drives: Sequence[_Drive], places: Sequence[str], problems: list[Problem]) -> tuple[_Drive, ...]:
    """Return drives as `pinned` returns them, and add to the problems; one that has any is left out."""
    found = []
    for drive, where in zip(drives, places, strict=True):
        try:
            found.append(pinned(drive))
        except SpecError as error:
            problems.extend(error.within(where).problems)
    return tuple(found)


def _columns(spikes: SpikeTrains) -> tuple[Floats, Floats]:
    """Return the times of a file, and the neuron of each."""
    loaded = _load(spikes)
    if not isinstance(loaded, dict) or set(loaded) != {"time", "neuron"}:
        raise _fault(spikes, "expected arrays time and neuron in an .npz file, or columns time,neuron in a .csv file")
    time, neuron = loaded["time"], loaded["neuron"]
    if time.ndim != 1 or time.shape != neuron.shape or not np.isfinite([time, neuron]).all():
        raise _fault(spikes, f"expected as many finite times as neurons, found shapes {time.shape} and {neuron.shape}")
    return time, neuron


def _load(given: SpikeTrains | SampledWaveform) -> Floats | dict[str, Floats]:
    assert given.file is not None
    digest = _digest(_bytes(given))
    try:
        return _parsed(user_path(given.file), digest, isinstance(given, SpikeTrains))
    except ValueError as error:  # those of the file among them
        raise _fault(given, f"expected numbers in .npy, .npz or .csv, found {error}") from None


@lru_cache(maxsize=4)  # times and sizes of files do not tell one content from another, its digest does
def _parsed(path: Path, digest: str, header: bool) -> Floats | dict[str, Floats]:
    data = read_bytes(path, LARGEST_ARCHIVE)
    if _digest(data) != digest:
        raise ValueError("a file that changed while it was read")
    match path.suffix.lower():
        case ".npy":
            return _floats(read_npy(data))
        case ".npz":
            arrays = read_npz(data)
            return {name: _floats(arrays[name]) for name in arrays}
        case ".csv":
            text = decoded(data).lstrip()
            first = re.split("[\r\n]", text, maxsplit=1)[0] if header else ""
            names = [name.strip() for name in first.split(",")]
            table = _table(text[len(first) :], len(names) if header else None)
            if not header:
                return table.T if table.shape[1] == 1 else table  # one column is for all
            if len(set(names)) < len(names):
                raise ValueError(f"a column twice under the header {first!r}")
            return dict(zip(names, table.T, strict=True))
    raise ValueError(f"a file of another kind, {path.name!r}")


def _table(text: str, n_columns: int | None) -> Floats:
    """Return the numbers of a text, row by row; many rows at once, since one alone takes ten times its numbers."""
    blocks: list[Floats] = []
    start = 0
    while start < len(text):
        end = text.find("\n", start + _BLOCK) + 1 or len(text)
        rows = [row for row in text[start:end].splitlines() if row and not row.isspace()]
        for width in sorted({row.count(",") + 1 for row in rows}):
            n_columns = width if n_columns is None else n_columns
            if width != n_columns:
                raise ValueError(f"rows of {n_columns} and of {width} numbers")
        if rows:
            blocks.append(numbers(",".join(rows).split(",")))
        start = end
    return np.concatenate(blocks or [np.zeros(0)]).reshape(-1, n_columns or 1)


def _floats(array: NDArray[Any]) -> Floats:
    if array.dtype.kind not in "iuf":
        raise ValueError("truth values" if array.dtype.kind == "b" else f"an array of {array.dtype}")
    return array.astype(np.float64)


def _bytes(given: SpikeTrains | SampledWaveform) -> bytes:
    """Return the contents of the file, which must be what its digest says."""
    assert given.file is not None
    try:
        data = read_bytes(given.file, LARGEST_ARCHIVE)
    except FileError as error:
        raise _fault(given, str(error)) from None
    if given.sha256 is not None and (digest := _digest(data)) != given.sha256:
        found = f"expected the contents with sha256 {given.sha256[:12]}…, found {digest[:12]}…: the file has changed"
        raise _fault(given, f"{found}; bring back what it was, or start anew with what it is now")
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fault(given: SpikeTrains | SampledWaveform, message: str) -> SpecError:
    kind = "spikes" if isinstance(given, SpikeTrains) else "waveform"
    return SpecError([Problem(f"{kind}.file", f"{given.file}: {message}")])
