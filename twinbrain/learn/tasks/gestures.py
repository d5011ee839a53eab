"""Which exercise? Shoulder exercises as a smartwatch feels them, tested on people who were not learned from."""

from __future__ import annotations

import numpy as np

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.options import Count, Duration, Rate, Several
from twinbrain.learn.tasks.packages import package_file, read_objects
from twinbrain.learn.tasks.signals import Coding, n_channels, signal_trials, standardised
from twinbrain.learn.tasks.split import chance, generator, stratified
from twinbrain.learn.tasks.task import Task

N_EXERCISES, N_AXES = 7, 6


def gestures(
    dt: Duration = 1.0,
    seed: int = 0,
    coding: Coding = "population",
    window: Several = 100,
    stride: Count = 50,
    frame: Duration = 4.0,
    n_encoders: Several = 8,
    peak: Rate = 200.0,
    threshold: float = 0.3,
    n_validation_subjects: Count = 2,
    n_test_subjects: Count = 3,
    n_train: Count | None = None,
    n_validation: Count | None = None,
    n_test: Count | None = None,
) -> Task:
    """Return the task to tell seven shoulder exercises from the acceleration and rotation of a wrist.

    The data are windows of 140 recordings of ten people, at 50 Hz; they lie in the package seglearn. Nobody is in two
    parts; `Trials.group` is the person.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of parts.
    coding : {"population", "delta"}
        How the six axes become spikes: `twinbrain.learn.tasks.encode`.
    window, stride : int (samples)
        Length of a window, and distance of their beginnings.
    frame : float (ms)
        What a sample lasts; by default five times less than the 20 ms in which it was recorded.
    n_encoders : int
        Of the population code, an axis.
    peak : float (Hz)
        Of the population code, highest rate of an encoder.
    threshold : float
        Of the delta code, in standard deviations of an axis.
    n_validation_subjects, n_test_subjects : int
        People to watch learning by, and to test with.
    n_train, n_validation, n_test : int, optional
        Windows of these parts, if fewer than all.

    Raises
    ------
    LearnError
        If seglearn is not installed, if a window is longer than a recording, or if nobody is left to learn from.
    """
    path = package_file("gestures", "seglearn", "seglearn", "data/watch_dataset.npy")
    data = read_objects(path).item()  # a dict of lists
    shortest = min(len(recording) for recording in data["X"])
    if window > shortest:
        raise LearnError(
            f"task gestures: expected window at most {shortest} samples, the shortest recording, found {window}"
        )
    starts = [np.arange(0, len(recording) - window + 1, stride) for recording in data["X"]]
    windows = [
        np.asarray(recording, np.float32)[start[:, None] + np.arange(window)]
        for recording, start in zip(data["X"], starts, strict=True)
    ]
    n_windows = [len(start) for start in starts]
    frames = np.concatenate(windows)
    exercise = np.repeat(np.asarray(data["y"], np.int64), n_windows)
    subject = np.repeat(np.asarray(data["subject"], np.int64), n_windows)

    rng = generator(seed, "gestures")
    people = rng.permutation(np.unique(subject))
    if n_test_subjects + n_validation_subjects >= len(people):
        raise LearnError(
            f"task gestures: expected fewer than {len(people)} people in n_validation_subjects and n_test_subjects, "
            f"found {n_validation_subjects} and {n_test_subjects}; leave some to learn from"
        )
    of_parts = np.split(people, [n_test_subjects, n_test_subjects + n_validation_subjects])
    members = [np.flatnonzero(np.isin(subject, who)) for who in of_parts]
    test, validation, train = (
        index[stratified(exercise[index], n, rng)]
        for index, n in zip(members, (n_test, n_validation, n_train), strict=True)
    )
    n_frames = np.full(len(frames), window)
    frames = standardised(frames, n_frames, train)
    learned, watched, held_out = (
        signal_trials(
            frames[index],
            n_frames[index],
            exercise[index],
            name="gestures",
            dt=dt,
            frame=frame,
            coding=coding,
            n_encoders=n_encoders,
            peak=peak,
            threshold=threshold,
            group=subject[index],
        )
        for index in (train, validation, test)
    )
    return Task(
        name="gestures",
        summary="which of seven shoulder exercises a smartwatch feels, of people not learned from",
        n_channels=n_channels(N_AXES, coding, n_encoders),
        n_outputs=N_EXERCISES,
        kind="classification",
        dt=dt,
        train=learned,
        validation=watched,
        test=held_out,
        chance=chance(held_out),
        references=("arXiv 1802.01489",),
    )
