"""Which word? The Heidelberg spiking data sets, from files that the user has: SHD and SSC.

Both are words as the spikes of 700 channels of a model of the cochlea.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.made import steps
from twinbrain.learn.tasks.options import Count, Duration, Share
from twinbrain.learn.tasks.split import chance, generator, parts, stratified
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, events_of, join
from twinbrain.paths import user_path

N_CHANNELS = 700
BLOCK = 256
"""Trials read at one time."""
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
    watched, learned = parts(labels, (validation,), rng)
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
    if not path.is_file():
        raise LearnError(
            f"task {name}: expected {path.name} in {folder}, found no such file; get it from "
            f"https://zenkelab.org/datasets, and unpack it there"
        )
    return path


def _open(name: str, path: Path) -> Any:
    try:
        h5py = import_module("h5py")
    except ImportError:
        raise LearnError(
            f'task {name}: expected the package h5py, found none installed; pip install "twinbrain[train]"'
        ) from None
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise _bad(name, path, f"a file that HDF5 cannot open ({error})") from None
    rows = {}
    for key in ("spikes/times", "spikes/units", "labels"):
        if not isinstance(file.get(key), h5py.Dataset):
            file.close()
            raise _bad(name, path, f"no {key}")
        rows[key] = len(file[key])
    if len(set(rows.values())) > 1:
        file.close()
        raise _bad(name, path, f"{rows}")
    return file


def _bad(name: str, path: Path, found: str) -> LearnError:
    return LearnError(
        f"task {name}: {path}: expected spikes/times, spikes/units and labels of one length, found {found}; get the "
        f"file anew"
    )


def _labels(name: str, path: Path, n_words: int) -> NDArray[np.int64]:
    with _open(name, path) as file:
        labels = file["labels"][:].astype(np.int64)
    if not len(labels) or labels.min() < 0 or labels.max() >= n_words:
        raise LearnError(
            f"task {name}: {path}: expected labels from 0 to {n_words - 1}, found "
            f"{f'{labels.min()} to {labels.max()}' if len(labels) else 'none'}; is it a file of another data set?"
        )
    return labels


def _read(name: str, path: Path, index: NDArray[np.int64], dt: float, duration: float, pool: int) -> Trials:
    """Return chosen trials; numbers of spikes differ, and no dense array is made."""
    n_steps = steps(duration, dt)
    blocks = []
    with _open(name, path) as file:
        labels = file["labels"][:].astype(np.int64)
        speakers = file.get("extra/speaker")
        speaker = None if speakers is None else speakers[:].astype(np.int64)
        for first in range(0, len(index), BLOCK):
            block = index[first : first + BLOCK]
            times, units = ([file[f"spikes/{key}"][i] for i in block] for key in ("times", "units"))
            n_spikes = [len(time) for time in times]
            if n_spikes != [len(unit) for unit in units]:
                raise _bad(name, path, "other numbers of times than of units")
            # Times are in seconds, in SHD at half precision; a float64 of them falls into the right step.
            step = np.floor(np.concatenate(times).astype(np.float64) * 1000 / dt + 1e-6).astype(np.int64)
            unit = np.concatenate(units).astype(np.int64)
            if len(unit) and (unit.min() < 0 or unit.max() >= N_CHANNELS or step.min() < 0):
                raise _bad(name, path, f"a unit outside 0 … {N_CHANNELS - 1}, or a time below 0")
            trial = np.repeat(np.arange(len(block)), n_spikes)
            kept = step < n_steps
            blocks.append(
                Trials(
                    *events_of(trial[kept], step[kept], unit[kept] // pool, len(block)),
                    target=labels[block],
                    scored=np.ones((len(block), n_steps), np.float32),
                    group=None if speaker is None else speaker[block],
                )
            )
    return join(blocks)
