"""Is it the same again? A sample is kept in mind, and compared with what follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.made import groups, made_task, spikes_at
from twinbrain.learn.tasks.options import Count, Duration, Pause, Rate, Several
from twinbrain.learn.tasks.room import steps
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of


def delayed_match(
    dt: Duration = 1.0,
    seed: int = 0,
    n_stimuli: Several = 2,
    stimulus: Duration = 250.0,
    shortest_delay: Pause = 500.0,
    longest_delay: Pause = 1000.0,
    response: Pause = 150.0,
    n_neurons: Count = 10,
    rate: Rate = 40.0,
    noise: Rate = 10.0,
    n_train: Count = 2000,
    n_validation: Count = 100,
    n_test: Count = 200,
) -> Task:
    """Return the task to tell whether a second stimulus is the same as the first, a delay before.

    A group of channels for each stimulus, one for the question, and one of noise. Class 1 is the match; half of all
    trials are.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws.
    n_stimuli : int
        Different stimuli.
    stimulus : float (ms)
        What each of the two lasts.
    shortest_delay, longest_delay : float (ms)
        Ends of the random time between them.
    response : float (ms)
        What the question lasts, right after the second; the output counts meanwhile.
    n_neurons : int
        Channels of each group.
    rate : float (Hz)
        Of channels that say something.
    noise : float (Hz)
        Of the channels of the noise group, all the time.
    n_train, n_validation, n_test : int
        Trials.

    Raises
    ------
    LearnError
        If the delays are in the wrong order.

    References
    ----------
    Miller, Erickson & Desimone (1996), doi 10.1523/JNEUROSCI.16-16-05154.1996; in trained networks: Yang et al. (2019),
    doi 10.1038/s41593-018-0310-2.
    """
    if not 0 <= shortest_delay <= longest_delay:
        raise LearnError(
            f"task delayed_match: expected 0 <= shortest_delay <= longest_delay, found {shortest_delay:g} and "
            f"{longest_delay:g} ms"
        )
    n_stimulus, n_response = steps(stimulus, dt), steps(response, dt)
    n_shortest, n_longest = steps(shortest_delay, dt, 0), steps(longest_delay, dt, 0)
    n_steps = 2 * n_stimulus + n_longest + n_response

    def draw(rng: np.random.Generator, label: NDArray[np.int64]) -> Trials:
        sample = rng.integers(0, n_stimuli, len(label))
        other = (sample + rng.integers(1, n_stimuli, len(label))) % n_stimuli
        delay = rng.integers(n_shortest, n_longest + 1, len(label))
        step, trial = np.arange(n_steps), np.arange(len(label))
        rates = np.zeros((len(label), n_steps, n_stimuli + 2))
        rates[:, :, -1] = noise
        begin = np.zeros(len(label), np.int64)
        for shown in (sample, np.where(label == 1, sample, other)):
            on = (step >= begin[:, None]) & (step < begin[:, None] + n_stimulus)
            rates[trial, :, shown] += rate * on
            begin = n_stimulus + delay
        since = step - (begin + n_stimulus)[:, None]
        asked = (since >= 0) & (since < n_response)
        rates[:, :, -2] = rate * asked
        spikes = spikes_at(rng, groups(rates, n_neurons), dt, (len(label), n_steps, rates.shape[2] * n_neurons))
        return trials_of(spikes, label, asked.astype(np.float32))

    return made_task(
        "delayed_match",
        draw,
        seed=seed,
        n_classes=2,
        n_steps=n_steps,
        share=max(rate, noise) * dt / 1000,
        sizes=(n_train, n_validation, n_test),
        summary=f"whether the second of two stimuli, out of {n_stimuli}, is the same as the first",
        n_channels=(n_stimuli + 2) * n_neurons,
        n_outputs=2,
        dt=dt,
        references=("10.1523/JNEUROSCI.16-16-05154.1996", "10.1038/s41593-018-0310-2"),
    )
