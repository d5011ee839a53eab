"""Two bits and their gate: what one perceptron can do (AND, OR), and what it cannot (XOR)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.made import made_task
from twinbrain.learn.tasks.options import Count, Duration
from twinbrain.learn.tasks.room import steps
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of

GATES = {"xor": np.logical_xor, "and": np.logical_and, "or": np.logical_or}


def xor(
    dt: Duration = 1.0,
    seed: int = 0,
    gate: Literal["xor", "and", "or"] = "xor",
    coding: Literal["regular", "latency"] = "regular",
    duration: Duration = 30.0,
    period: Duration = 5.0,
    n_train: Count = 64,
    n_validation: Count = 16,
    n_test: Count = 16,
) -> Task:
    """Return the task to compute a gate of two bits, all four cases in equal shares.

    Channels 0 and 1 are the bits, and channel 2 spikes alike in all cases. Nothing is random but the order.
    `Trials.features` has the bits as 0 and 1.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the order of trials.
    gate : {"xor", "and", "or"}
        What of the two bits is wanted.
    coding : {"regular", "latency"}
        A bit of 1 spikes in each period and 0 is silent; or each spikes once, 1 at the beginning and 0 a period later.
    duration : float (ms)
        Of a trial.
    period : float (ms)
        See ``coding``.
    n_train, n_validation, n_test : int
        Trials.

    Raises
    ------
    LearnError
        If times are no whole numbers of steps, or a 0 by latency would spike after the trial.

    References
    ----------
    Minsky & Papert (1969), Perceptrons; by latencies: Bohte, Kok & La Poutré (2002), doi 10.1016/S0925-2312(01)00658-0.
    """
    n_steps, n_period = steps(duration, dt), steps(period, dt)
    if coding == "latency" and n_period >= n_steps:
        raise LearnError(
            "task xor: expected a period shorter than the trial, at whose beginning 1 spikes and a period later 0, "
            f"found {period:g} ms in trials of {duration:g} ms"
        )

    def draw(rng: np.random.Generator, case: NDArray[np.int64]) -> Trials:
        bits = np.stack([case // 2, case % 2, np.ones_like(case)], axis=1)
        spikes = np.zeros((len(case), n_steps, 3), np.uint8)
        if coding == "regular":
            spikes[:, ::n_period] = bits[:, None]
        else:
            spikes[np.arange(len(case))[:, None], np.minimum((1 - bits) * n_period, n_steps - 1), np.arange(3)] = 1
        label = GATES[gate](bits[:, 0], bits[:, 1]).astype(np.int64)
        features = bits[:, None, :2].astype(np.float32)
        return trials_of(spikes, label, features=features, n_frames=np.ones(len(case), np.int64))

    return made_task(
        "xor",
        draw,
        seed=seed,
        n_classes=4,
        n_steps=n_steps,
        sizes=(n_train, n_validation, n_test),
        summary=f"the gate {gate} of two bits",
        n_channels=3,
        n_outputs=2,
        dt=dt,
        references=("10.1016/S0925-2312(01)00658-0",),
    )
