"""Who speaks? Nine men saying two Japanese vowels."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.options import Count, Duration, Rate, Several
from twinbrain.learn.tasks.packages import package_file
from twinbrain.learn.tasks.signals import Coding, n_channels, signal_trials, standardised
from twinbrain.learn.tasks.split import chance, generator, parts, stratified
from twinbrain.learn.tasks.task import Task

N_SPEAKERS, N_COEFFICIENTS = 9, 12


def vowels(
    dt: Duration = 1.0,
    seed: int = 0,
    coding: Coding = "population",
    frame: Duration = 6.4,
    n_encoders: Several = 8,
    peak: Rate = 200.0,
    threshold: float = 0.3,
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    n_train: Count | None = None,
    n_test: Count | None = None,
) -> Task:
    """Return the task to tell the speaker from an utterance of the vowels /a/ and /e/ in sequence.

    The data are 12 coefficients of linear prediction a frame of speech, 7 to 29 frames an utterance, in the official
    parts of 270 and 370 utterances; they lie in the package sktime.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of parts.
    coding : {"population", "delta"}
        How the coefficients become spikes: `twinbrain.learn.tasks.encode`.
    frame : float (ms)
        What a frame lasts; recorded were frames of 6.4 ms.
    n_encoders : int
        Of the population code, a coefficient.
    peak : float (Hz)
        Of the population code, highest rate of an encoder.
    threshold : float
        Of the delta code, in standard deviations of a coefficient.
    validation : float
        Share of the official training utterances to watch learning by.
    n_train, n_test : int, optional
        Utterances of these parts, if fewer than all.

    Raises
    ------
    LearnError
        If sktime is not installed.
    """
    training, test = (_read(part) for part in ("TRAIN", "TEST"))
    rng = generator(seed, "vowels")
    watched, learned = parts("vowels", training[2], (validation,), rng)
    learned = learned[stratified(training[2][learned], n_train, rng)]
    held_out = len(training[2]) + stratified(test[2], n_test, rng)
    frames = np.concatenate([training[0], test[0]])
    n_frames, speaker = (np.concatenate([training[i], test[i]]) for i in (1, 2))
    trials = signal_trials(
        standardised(frames, n_frames, learned),
        n_frames,
        speaker,
        name="vowels",
        dt=dt,
        frame=frame,
        coding=coding,
        n_encoders=n_encoders,
        peak=peak,
        threshold=threshold,
    )
    return Task(
        name="vowels",
        summary="which of nine speakers utters two Japanese vowels",
        n_channels=n_channels(N_COEFFICIENTS, coding, n_encoders),
        n_outputs=N_SPEAKERS,
        kind="classification",
        dt=dt,
        train=trials.take(learned),
        validation=trials.take(watched),
        test=trials.take(held_out),
        chance=chance(trials.take(held_out)),
        references=("10.1016/S0167-8655(99)00077-X", "10.24432/C5NS47"),
    )


def _read(part: str) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return padded frames (utterance, frame, coefficient), numbers of frames, and speakers from 0."""
    path = package_file("vowels", "sktime", "sktime", f"datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts")
    rows = re.split(r"^@data\s*$", path.read_text(), flags=re.MULTILINE | re.IGNORECASE)[-1].split()
    utterances, speakers = [], []
    for row in rows:
        *coefficients, speaker = row.split(":")
        utterances.append(np.array([text.split(",") for text in coefficients], np.float32).T)
        speakers.append(int(speaker) - 1)
        if utterances[-1].shape[1:] != (N_COEFFICIENTS,):
            raise LearnError(
                f"task vowels: {path}: expected {N_COEFFICIENTS} coefficients a row, found {len(coefficients)}; "
                'install sktime anew: pip install --force-reinstall "twinbrain[train]"'
            )
    n_frames = np.array([len(utterance) for utterance in utterances])
    # Both parts are padded alike, to the longest utterance of the data set.
    frames = np.zeros((len(utterances), 29, N_COEFFICIENTS), np.float32)
    for padded, utterance in zip(frames, utterances, strict=True):
        padded[: len(utterance)] = utterance
    return frames, n_frames, np.array(speakers)
