"""Which word? The Heidelberg spiking data sets, from files that the user has: SHD and SSC.

Both are words as the spikes of 700 channels of a model of the cochlea.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.files import FileError, opened_hdf5
from twinbrain.files.regular import none_there
from twinbrain.learn.tasks.options import Count, Duration, Share
from twinbrain.learn.tasks.room import Room, covering_steps
from twinbrain.learn.tasks.split import chance, generator, parts, stratified
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, events_of, join
from twinbrain.paths import url_in, user_path

N_CHANNELS = 700
BLOCK = 256
"""Trials read at one time."""
MOST_TRIALS = 1_000_000
"""Of a file; the largest has 75,466."""
_LARGEST_SLACK = 0.01
REFERENCES = ("10.1109/TNNLS.2020.3044364",)


def shd(
    folder: str,
    dt: Duration = 1.0,
    seed: int = 0,
    duration: Duration = 1000.0,
    pool: Count = 1,
    validation: Share = 0.1,
    n_train: Count | None = None,
    n_validation: Count | None = None,
    n_test: Count | None = None,
) -> Task:
    """Return the task to tell the twenty digits, English and German, of the Spiking Heidelberg Digits.

    Parameters
    ----------
    folder : str
        Where ``shd_train.h5`` and ``shd_test.h5`` are. `Trials.group` is the speaker; two are in the test alone.
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of parts.
    duration : float (ms)
        Of a trial; later spikes are left out.
    pool : int
        Neighbouring channels that become one.
    validation : float
        Share of the training file to watch learning by.
    n_train, n_validation, n_test : int, optional
        Trials of these parts, if fewer than all. Others are not read.

    Raises
    ------
    LearnError
        If a file is missing or of another format, or h5py is not installed.

    References
    ----------
    Cramer et al. (2020), doi 10.1109/TNNLS.2020.3044364; files: https://zenkelab.org/datasets.
    """
    training, test = (_file("shd", folder, part) for part in ("train", "test"))
    labels = _labels("shd", training, 20)
    rng = generator(seed, "shd")
    watched, learned = parts("shd", labels, (validation,), rng)
    learned = learned[stratified(labels[learned], n_train, rng)]
    watched = watched[stratified(labels[watched], n_validation, rng)]
    held_out = stratified(_labels("shd", test, 20), n_test, rng)
    return _task(
        "shd",
        "which of twenty spoken digits, English and German",
        [(training, learned), (training, watched), (test, held_out)],
        20,
        dt,
        duration,
        pool,
    )


def ssc(
    folder: str,
    dt: Duration = 1.0,
    seed: int = 0,
    duration: Duration = 1000.0,
    pool: Count = 1,
    n_train: Count | None = None,
    n_validation: Count | None = None,
    n_test: Count | None = None,
) -> Task:
    """Return the task to tell the 35 words of the Spiking Speech Commands.

    Parameters
    ----------
    folder : str
        Where ``ssc_train.h5``, ``ssc_valid.h5`` and ``ssc_test.h5`` are.
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of parts.
    duration : float (ms)
        Of a trial; later spikes are left out.
    pool : int
        Neighbouring channels that become one.
    n_train, n_validation, n_test : int, optional
        Trials of these parts, if fewer than all. Others are not read.

    Raises
    ------
    LearnError
        If a file is missing or of another format, or h5py is not installed.

    References
    ----------
    Cramer et al. (2020), doi 10.1109/TNNLS.2020.3044364; files: https://zenkelab.org/datasets.
    """
    rng = generator(seed, "ssc")
    files = [_file("ssc", folder, part) for part in ("train", "valid", "test")]
    sizes = (n_train, n_validation, n_test)
    chosen = [(file, stratified(_labels("ssc", file, 35), n, rng)) for file, n in zip(files, sizes, strict=True)]
    return _task("ssc", "which of 35 spoken words", chosen, 35, dt, duration, pool)


def _task(
    name: str,
    summary: str,
    chosen: list[tuple[Path, NDArray[np.int64]]],
    n_words: int,
    dt: float,
    duration: float,
    pool: int,
) -> Task:
    n_channels = -(-N_CHANNELS // pool)
    train, validation, test = (_read(name, file, index, dt, duration, pool) for file, index in chosen)
    return Task(
        name=name,
        summary=summary,
        n_channels=n_channels,
        n_outputs=n_words,
        kind="classification",
        dt=dt,
        train=train,
        validation=validation,
        test=test,
        chance=chance(test),
        references=REFERENCES,
    )


def _file(name: str, folder: str, part: str) -> Path:
    path = user_path(folder) / f"{name}_{part}.h5"
    if not os.path.exists(path):
        if url_in(folder):
            raise LearnError(f"task {name}: {none_there(folder, 'a folder')}")
        raise LearnError(
            f"task {name}: expected {path.name} in {folder}, found no such file; get it from "
            f"https://zenkelab.org/datasets, and unpack it there"
        )
    return path


@contextmanager
def _opened(name: str, path: Path) -> Iterator[Any]:
    """Open a file whose datasets are as those of the data set."""
    try:
        with opened_hdf5(path, "train", ragged=True) as file:
            rows = {key: _n_rows(name, path, file.get(key), key) for key in ("spikes/times", "spikes/units", "labels")}
            if len(set(rows.values())) > 1:
                raise _bad(name, path, f"{rows}")
            if rows["labels"] > MOST_TRIALS:
                raise _bad(name, path, f"{rows['labels']:,} trials, more than {MOST_TRIALS:,}")
            yield file
    except FileError as error:
        raise LearnError(f"task {name}: {path}: {error}") from None
    except (OSError, RuntimeError) as error:  # of HDF5, which finds some damage only when it reads
        raise _bad(name, path, f"what cannot be read ({error})") from None


def _n_rows(name: str, path: Path, item: Any, key: str) -> int:
    """Return how many trials a dataset has: a number of each, or where ``key`` is of spikes, numbers of each."""
    if not hasattr(item, "dtype") or not hasattr(item, "ndim"):
        raise _bad(name, path, f"no {key}")
    inner = (item.dtype.metadata or {}).get("vlen")  # of what length there is
    kind, n_dims = (item.dtype, item.ndim) if inner is None else (np.dtype(inner), item.ndim + 1)
    if kind.kind not in "fiu" or not item.ndim or n_dims != (2 if key.startswith("spikes") else 1):
        raise _bad(name, path, f"{key} of type {kind} and shape {item.shape}")
    return len(item)


def _bad(name: str, path: Path, found: str) -> LearnError:
    return LearnError(
        f"task {name}: {path}: expected spikes/times, spikes/units and labels of one length, found {found}; get the "
        f"file anew"
    )


def _whole(name: str, path: Path, key: str, values: NDArray[Any]) -> NDArray[np.int64]:
    exact = values.astype(np.float64)
    if not (np.abs(exact) < 2**31).all() or (exact != np.floor(exact)).any():
        raise _bad(name, path, f"numbers that are not whole as {key}")
    return values.astype(np.int64)


def _labels(name: str, path: Path, n_words: int) -> NDArray[np.int64]:
    with _opened(name, path) as file:
        labels = _whole(name, path, "labels", file["labels"][:])
    if not len(labels) or labels.min() < 0 or labels.max() >= n_words:
        raise LearnError(
            f"task {name}: {path}: expected labels from 0 to {n_words - 1}, found "
            f"{f'{labels.min()} to {labels.max()}' if len(labels) else 'none'}; is it a file of another data set?"
        )
    return labels


def _speakers(name: str, path: Path, file: Any) -> NDArray[np.int64] | None:
    if (item := file.get("extra/speaker")) is None:
        return None
    if (n := _n_rows(name, path, item, "extra/speaker")) != (n_labels := len(file["labels"])):
        raise _bad(name, path, f"{n:,} speakers of {n_labels:,} trials")
    return _whole(name, path, "extra/speaker", item[:])


def _read(name: str, path: Path, index: NDArray[np.int64], dt: float, duration: float, pool: int) -> Trials:
    """Return chosen trials; numbers of spikes differ, and no dense array is made."""
    n_steps = covering_steps(duration, dt)
    room = Room(name, len(index), n_steps)
    blocks = []
    n_read, earliest = 0, np.inf
    with _opened(name, path) as file:
        labels = _whole(name, path, "labels", file["labels"][:])
        speaker = _speakers(name, path, file)
        for first in range(0, len(index), BLOCK):
            block = index[first : first + BLOCK]
            times, units = [], []
            for i in block:
                times.append(file["spikes/times"][i])
                units.append(file["spikes/units"][i])
                if len(times[-1]) != len(units[-1]):
                    raise _bad(name, path, "other numbers of times than of units")
                room.read(len(times[-1]))
            in_seconds = np.concatenate(times)
            if in_seconds.dtype.kind != "f":  # of ms, all but those at 0 would come after the trial
                raise LearnError(
                    f"task {name}: {path}: expected spikes/times in seconds, with their fractions, found whole numbers "
                    f"({in_seconds.dtype}); divide them by 1000 where they are in ms"
                )
            time = in_seconds.astype(np.float64) * 1000 / dt + _slack(in_seconds, dt)
            step = np.floor(time)
            unit = _whole(name, path, "spikes/units", np.concatenate(units))
            n_read, earliest = n_read + len(unit), min(earliest, float(in_seconds.min(initial=np.inf)))
            if len(unit) and (unit.min() < 0 or unit.max() >= N_CHANNELS):
                raise _bad(name, path, f"a unit outside 0 … {N_CHANNELS - 1}")
            if not (np.isfinite(step) & (step >= 0)).all():
                raise _bad(name, path, "a time below 0, or one that is no finite number")
            trial = np.repeat(np.arange(len(block)), [len(own) for own in times])
            kept = (step < n_steps) & (time < duration / dt)
            blocks.append(
                Trials(
                    *events_of(trial[kept], step[kept].astype(np.int64), unit[kept] // pool, len(block)),
                    target=labels[block],
                    scored=np.ones((len(block), n_steps), np.float32),
                    group=None if speaker is None else speaker[block],
                )
            )
            room.keep(len(blocks[-1].step))
    if n_read and not any(len(block.step) for block in blocks):
        raise LearnError(
            f"task {name}: {path}: expected spikes within {duration:g} ms, what a trial lasts, found none in "
            f"{len(index):,} trials, the first at {earliest:g} s; are its times in seconds, and duration as is meant?"
        )
    return join(blocks)


def _slack(times: NDArray[Any], dt: float) -> NDArray[np.float64]:
    """Return how many steps a time (s) may fall short of a step and is in it: what rounding explains.

    A time of single precision is in the step of the double one that it was rounded from. Of half precision, as in the
    files of SHD, a time is known worse than to a small part of a step, and is taken as it stands.
    """
    rounded = np.full(times.shape, 1e-6)
    if times.dtype.kind == "f" and times.dtype.itemsize == 4:
        half = np.abs(np.spacing(times.astype(np.float32)).astype(np.float64)) / 2
        rounded = np.clip(half * 1000 / dt, 1e-6, _LARGEST_SLACK)
    return rounded
