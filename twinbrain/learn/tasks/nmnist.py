"""Which digit moved? N-MNIST, digits before a moving event camera, from files that the user has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.files import FileError, read_bytes
from twinbrain.files.regular import MB, none_there
from twinbrain.learn.tasks.options import Count, Duration, Share
from twinbrain.learn.tasks.room import Room, covering_steps
from twinbrain.learn.tasks.split import chance, generator, parts, stratified
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, events_of, join
from twinbrain.paths import url_in, user_path

SIDE = 34
"""Pixels of a row and of a column."""
BLOCK = 256
"""Trials read at one time."""
LARGEST_RECORDING = 4 * MB
"""Of one trial; those of the data set have some 20 kB."""
_OVERFLOW_ROW, _OVERFLOW = 240, 1 << 13  # an event in this row says that the clock went over this many microseconds


def nmnist(
    folder: str,
    dt: Duration = 1.0,
    seed: int = 0,
    duration: Duration = 300.0,
    validation: Share = 0.1,
    n_train: Count | None = None,
    n_validation: Count | None = None,
    n_test: Count | None = None,
) -> Task:
    """Return the task to read the digits of N-MNIST.

    Channels are (polarity, row, column) of 2 × 34 × 34, polarity 1 where it became brighter.

    Parameters
    ----------
    folder : str
        Where the folders ``Train`` and ``Test`` are, or the folder ``NMNIST`` that has them; in them a folder for each
        digit, ``0`` … ``9``, with files ``*.bin``.
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of parts.
    duration : float (ms)
        Of a trial; the camera's three movements take 300 ms. Later events are left out.
    validation : float
        Share of the training files to watch learning by.
    n_train, n_validation, n_test : int, optional
        Trials of these parts, if fewer than all. Others are not read.

    Raises
    ------
    LearnError
        If a folder or its files are missing, or a file is of another format.

    References
    ----------
    Orchard et al. (2015), doi 10.3389/fnins.2015.00437.
    """
    training, labels = _files(folder, "Train")
    test, test_labels = _files(folder, "Test")
    rng = generator(seed, "nmnist")
    watched, learned = parts("nmnist", labels, (validation,), rng)
    learned = learned[stratified(labels[learned], n_train, rng)]
    watched = watched[stratified(labels[watched], n_validation, rng)]
    held_out = stratified(test_labels, n_test, rng)
    tested = _read(test, test_labels, held_out, dt, duration)
    return Task(
        name="nmnist",
        summary="which digit moved before an event camera",
        n_channels=2 * SIDE * SIDE,
        n_outputs=10,
        kind="classification",
        dt=dt,
        train=_read(training, labels, learned, dt, duration),
        validation=_read(training, labels, watched, dt, duration),
        test=tested,
        chance=chance(tested),
        references=("10.3389/fnins.2015.00437",),
    )


def _files(folder: str, part: str) -> tuple[list[Path], NDArray[np.int64]]:
    """Return the files of a part, in order, and their digits."""
    root = user_path(folder)
    base = next((base for base in (root, root / "NMNIST") if (base / part).is_dir()), None)
    if base is None and url_in(folder):
        raise LearnError(f"task nmnist: {none_there(folder, 'a folder')}")
    found = {} if base is None else {d: sorted((base / part / str(d)).glob("*.bin")) for d in range(10)}
    if lacking := [f"{part}/{digit}" for digit in range(10) if not found.get(digit)]:
        shown = "no such folder" if base is None else f"no files in {', '.join(lacking)}"
        raise LearnError(
            f"task nmnist: expected {part}/0 … {part}/9 with files *.bin in {folder}, found {shown}; get them from "
            "https://www.garrickorchard.com/datasets/n-mnist, and unpack them there"
        )
    paths, digits = zip(*((path, digit) for digit, own in found.items() for path in own), strict=True)
    return list(paths), np.array(digits, np.int64)


def _read(files: list[Path], labels: NDArray[np.int64], index: NDArray[np.int64], dt: float, duration: float) -> Trials:
    n_steps = covering_steps(duration, dt)
    room = Room("nmnist", len(index), n_steps)
    blocks = []
    for first in range(0, len(index), BLOCK):
        block = index[first : first + BLOCK]
        events = []
        for i in block:
            events.append(_events(files[i]))
            room.read(len(events[-1][0]))
        trial = np.repeat(np.arange(len(block)), [len(own) for own, _ in events])
        time = np.concatenate([own for own, _ in events])
        step = np.floor(time / (1000 * dt))
        channel = np.concatenate([channel for _, channel in events])
        kept = (step < n_steps) & (time < 1000 * duration)
        blocks.append(
            Trials(
                *events_of(trial[kept], step[kept].astype(np.int64), channel[kept], len(block)),
                target=labels[block],
                scored=np.ones((len(block), n_steps), np.float32),
            )
        )
        room.keep(len(blocks[-1].step))
    return join(blocks)


def _events(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return times (µs) and channels. An event is 40 bits: column, row, one bit of polarity, and 23 of time."""
    try:
        data = np.frombuffer(read_bytes(path, LARGEST_RECORDING), np.uint8)
    except FileError as error:
        raise LearnError(f"task nmnist: {path}: {error}") from None
    if not len(data) or len(data) % 5:
        raise LearnError(f"task nmnist: {path}: expected 5 bytes an event, found {len(data)} bytes; get the file anew")
    column, row, high, middle, low = data.reshape(-1, 5).T.astype(np.int64)
    time = ((high & 0x7F) << 16) | (middle << 8) | low
    is_overflow = row == _OVERFLOW_ROW
    time = (time + _OVERFLOW * np.cumsum(is_overflow))[~is_overflow]
    column, row, polarity = (values[~is_overflow] for values in (column, row, high >> 7))
    if len(row) and max(row.max(), column.max()) >= SIDE:
        raise LearnError(
            f"task nmnist: {path}: expected rows and columns from 0 to {SIDE - 1}, found "
            f"{max(row.max(), column.max())}; is it a file of another camera?"
        )
    return time, (polarity * SIDE + row) * SIDE + column
