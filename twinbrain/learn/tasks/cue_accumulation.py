"""On which side were more cues? Evidence is gathered, kept for a while, and told when asked for."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twinbrain.errors import LearnError
from twinbrain.learn.tasks.made import groups, made_task, spikes_at
from twinbrain.learn.tasks.options import Count, Duration, Pause, Rate
from twinbrain.learn.tasks.room import steps
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials, trials_of


def cue_accumulation(
    dt: Duration = 1.0,
    seed: int = 0,
    n_cues: Count = 7,
    probability: Annotated[float, Field(ge=0.5, le=1)] = 0.7,
    cue: Duration = 100.0,
    pause: Pause = 50.0,
    shortest_delay: Pause = 500.0,
    longest_delay: Pause = 1500.0,
    response: Pause = 150.0,
    n_neurons: Count = 10,
    rate: Rate = 40.0,
    noise: Rate = 10.0,
    n_train: Count = 500,
    n_validation: Count = 100,
    n_test: Count = 200,
) -> Task:
    """Return the task to tell, after a delay, on which side there were more cues.

    Four groups of channels: cues on the left, cues on the right, the question, and noise.

    Parameters
    ----------
    dt : float (ms)
        What a step lasts.
    seed : int
        Names the draws.
    n_cues : int
        Cues a trial; odd, so that one side has more.
    probability : float
        That a cue is on the side that is right for most.
    cue, pause : float (ms)
        What a cue lasts, and what is between two.
    shortest_delay, longest_delay : float (ms)
        Ends of the random time from the last cue to the question.
    response : float (ms)
        What the question lasts; the output counts meanwhile.
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
        If the number of cues is even, or the delays are in the wrong order.

    References
    ----------
    Bellec et al. (2020), doi 10.1038/s41467-020-17236-y; in mice: Morcos & Harvey (2016), doi 10.1038/nn.4403.
    """
    if n_cues % 2 == 0:
        raise LearnError(f"task cue_accumulation: expected an odd n_cues, found {n_cues}; a tie has no answer")
    if not 0 <= shortest_delay <= longest_delay:
        raise LearnError(
            f"task cue_accumulation: expected 0 <= shortest_delay <= longest_delay, found {shortest_delay:g} and "
            f"{longest_delay:g} ms"
        )
    n_cue, n_pause, n_response = steps(cue, dt), steps(pause, dt, 0), steps(response, dt)
    n_shortest, n_longest = steps(shortest_delay, dt, 0), steps(longest_delay, dt, 0)
    n_evidence = n_cues * (n_cue + n_pause)
    n_steps = n_evidence + n_longest + n_response

    def draw(rng: np.random.Generator, label: NDArray[np.int64]) -> Trials:
        sides = np.where(rng.random((len(label), n_cues)) < probability, label[:, None], 1 - label[:, None])
        wrong = (2 * sides.sum(1) > n_cues) != label
        sides[wrong] = 1 - sides[wrong]
        question = n_evidence + rng.integers(n_shortest, n_longest + 1, len(label))
        rates = np.zeros((len(label), n_steps, 4))
        rates[:, :, 3] = noise
        for i in range(n_cues):
            begin = i * (n_cue + n_pause)
            rates[np.arange(len(label)), begin : begin + n_cue, sides[:, i]] = rate
        since = np.arange(n_steps) - question[:, None]
        asked = (since >= 0) & (since < n_response)
        rates[:, :, 2] = rate * asked
        spikes = spikes_at(rng, groups(rates, n_neurons), dt, (len(label), n_steps, 4 * n_neurons))
        return trials_of(spikes, label, asked.astype(np.float32))

    return made_task(
        "cue_accumulation",
        draw,
        seed=seed,
        n_classes=2,
        n_steps=n_steps,
        share=max(rate, noise) * dt / 1000,
        sizes=(n_train, n_validation, n_test),
        summary=f"on which side there were more of {n_cues} cues, asked after a delay",
        n_channels=4 * n_neurons,
        n_outputs=2,
        dt=dt,
        references=("10.1038/s41467-020-17236-y", "10.1038/nn.4403"),
    )
