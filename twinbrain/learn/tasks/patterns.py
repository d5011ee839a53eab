"""Draw this curve: outputs are to follow sums of sines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.learn.tasks.made import groups, made_task, spikes_at
from twinbrain.learn.tasks.options import Count, Duration, Rate
from twinbrain.learn.tasks.room import Room, steps
from twinbrain.learn.tasks.split import generator
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of

FREQUENCIES = (1.0, 2.0, 3.0, 5.0)
"""Of the sines, in Hz."""


def patterns(
    dt: Duration = 1.0,
    seed: int = 0,
    n_patterns: Count = 1,
    n_outputs: Count = 3,
    duration: Duration = 1000.0,
    n_phases: Count = 5,
    n_neurons: Count = 4,
    rate: Rate = 100.0,
    noise: Rate = 0.0,
    n_train: Count = 64,
    n_validation: Count = 16,
    n_test: Count = 32,
) -> Task:
    """Return the task to follow curves that are sums of four sines, with a clock as input.

    Groups of channels spike one after the other, and say what time it is. Where there are several curves, each
    has such groups of its own. The curves are the same in all trials; the spikes differ.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws of spikes and curves.
    n_patterns : int
        Different sets of curves.
    n_outputs : int
        Curves of a set.
    duration : float (ms)
        Of a trial.
    n_phases : int
        Groups of the clock.
    n_neurons : int
        Channels of each group.
    rate, noise : float (Hz)
        Of a group in its time, and else.
    n_train, n_validation, n_test : int
        Trials.

    References
    ----------
    Bellec et al. (2020), doi 10.1038/s41467-020-17236-y: sines of 1, 2, 3 and 5 Hz, amplitudes uniform in 0.5 … 2, any
    phase. Here each curve is divided by its largest value.
    """
    n_steps, n_channels = steps(duration, dt), n_patterns * n_phases * n_neurons
    of_sines = Room("patterns", n_patterns, n_steps, n_outputs * 8 * len(FREQUENCIES))
    of_sines.check_dense(n_train * n_steps * n_channels, 0, 0)
    rng = generator(seed, "patterns", "curves")
    of_sine = (n_patterns, 1, n_outputs, len(FREQUENCIES))
    amplitude, phase = 0.5 + 1.5 * rng.random(of_sine), 2 * np.pi * rng.random(of_sine)
    time = np.arange(n_steps)[:, None, None] * (dt / 1000)
    curves = (amplitude * np.sin(2 * np.pi * np.array(FREQUENCIES) * time + phase)).sum(-1)
    curves = (curves / np.abs(curves).max(axis=1, keepdims=True)).astype(np.float32)
    clock = np.arange(n_steps) * n_phases // n_steps

    def draw(rng: np.random.Generator, pattern: NDArray[np.int64]) -> Trials:
        rates = np.full((len(pattern), n_steps, n_patterns * n_phases), noise)
        rates[np.arange(len(pattern))[:, None], np.arange(n_steps), pattern[:, None] * n_phases + clock] = rate
        shape = (len(pattern), n_steps, n_patterns * n_phases * n_neurons)
        return trials_of(spikes_at(rng, groups(rates, n_neurons), dt, shape), curves[pattern], group=pattern)

    return made_task(
        "patterns",
        draw,
        seed=seed,
        n_classes=n_patterns,
        n_steps=n_steps,
        share=max(rate, noise) * dt / 1000,
        sizes=(n_train, n_validation, n_test),
        kind="regression",
        summary=f"follow {n_outputs} sums of sines, with a clock as input",
        n_channels=n_channels,
        n_outputs=n_outputs,
        dt=dt,
        references=("10.1038/s41467-020-17236-y",),
    )
