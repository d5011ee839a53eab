"""Replay: trials in an engine, spike for spike beside the trained network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from twinbrain.engines.base import Recording, Reloadable, Simulation, get_engine
from twinbrain.errors import LearnError
from twinbrain.learn.background import network_of_trial
from twinbrain.learn.ends import INPUT_WEIGHT, READOUT, RELAY_RECEPTOR
from twinbrain.learn.metrics.score import score
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.setup import background_of, trial_seed
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.tasks.trials import Trials
from twinbrain.learn.threads import one_thread
from twinbrain.network.inputs import Events
from twinbrain.network.network import Network, Probe

_BATCH = 64


@dataclass(frozen=True)
class Replay:
    """How trials in an engine compare with the trained network.

    Parameters
    ----------
    engine : str
        Name of the engine.
    n_trials, n_spikes : int
        Trials that were run, and spikes in them.
    mismatched : int
        Spikes that only one of the two has.
    score, score_trained : float
        Mean score in the engine, and of the trained network.
    """

    engine: str
    n_trials: int
    n_spikes: int
    mismatched: int
    score: float
    score_trained: float


def replay(
    learned: TrainableNetwork,
    exported: TrainableNetwork,
    task: Task,
    trials: Trials,
    index: NDArray[np.int64],
    engine: str,
    seed: int,
) -> Replay:
    """Run trials of what was exported in an engine, and compare with what was trained.

    Parameters
    ----------
    learned : TrainableNetwork
        What was trained, in float64.
    exported : TrainableNetwork
        The model that was made of it, lowered anew: the engine runs its network.
    task : Task
        What was learned.
    trials : Trials
        Of the task.
    index : ndarray of int64, shape (chosen,)
        Which of them.
    engine : str
        Name of the engine.
    seed : int
        Of the training: it keys what drives add to each trial.

    Raises
    ------
    EngineError
        If there is no such engine.
    LearnError
        If no trial is chosen.
    """
    if not len(index):
        raise LearnError("expected at least one trial to run, found none; give n_trials from 1 on")
    n_spikes = mismatched = 0
    outputs, own_outputs = [], []
    with _player(engine, trials.n_steps) as play:
        for start in range(0, len(index), _BATCH):
            some = index[start : start + _BATCH]
            inputs = trials.spikes(some, task.n_channels)
            drawn = background_of(learned.lowered, "test", seed, some, trials.n_steps)
            with torch.no_grad(), one_thread(learned.lowered.network.n_neurons, len(some), torch.device("cpu")):
                own = learned(torch.as_tensor(inputs), drawn)
            for place, trial in enumerate(some):
                of_trial = network_of_trial(exported.lowered, trial_seed(seed, "test", int(trial)))
                recording = play(given_network(exported, inputs[:, place], of_trial))
                found = np.zeros((trials.n_steps, of_trial.n_neurons), np.uint8)
                found[recording.spikes.step, recording.spikes.neuron] = 1
                n_spikes += int(found.sum())
                mismatched += int((found != own.spikes[:, place].numpy()).sum())
                outputs.append(recording.samples[READOUT])
            own_outputs.append(own.output)
    target, scored = torch.as_tensor(trials.target[index]), torch.as_tensor(trials.scored[index])
    output = torch.as_tensor(np.stack(outputs, axis=1))
    scores = [float(score(o, target, scored, task.kind).mean()) for o in (output, torch.cat(own_outputs, dim=1))]
    return Replay(engine, len(index), n_spikes, mismatched, *scores)


@contextmanager
def _player(engine: str, n_steps: int) -> Iterator[Callable[[Network], Recording]]:
    """Give a function that runs networks of the same blocks one after the other in an engine."""
    simulation: Simulation | None = None

    def play(network: Network) -> Recording:
        nonlocal simulation
        if isinstance(simulation, Reloadable):
            simulation.load(network)
        else:
            if simulation is not None:
                simulation.close()
            simulation = get_engine(engine)(network)
        simulation.advance(n_steps)
        return simulation.collect()

    try:
        yield play
    finally:
        if simulation is not None:
            simulation.close()


def given_network(network: TrainableNetwork, spikes: NDArray[np.uint8], drawn: Network) -> Network:
    """Return the network of one trial, whose readout is recorded at every step.

    Parameters
    ----------
    network : TrainableNetwork
        What was trained.
    spikes : ndarray of uint8, shape (step, channel)
        Of the input.
    drawn : Network
        With the drives of the trial.
    """
    readout = network.readout
    places = np.arange(readout.offset, readout.offset + readout.size, dtype=np.int32)
    probe = Probe(READOUT, readout.block, "v", "mV", places, every=1)
    return replace(drawn, probes=(probe,), events=_events(network, spikes, drawn))


def _events(network: TrainableNetwork, spikes: NDArray[np.uint8], drawn: Network) -> Events:
    """Return input spikes as events at the relays, beside those that the network has."""
    block = drawn.blocks[network.input.block]
    inlet = next(i for i in block.inlets if i.receptor == RELAY_RECEPTOR)
    step, channel = spikes.nonzero()
    place = inlet.start + network.input.offset + channel
    amount = np.full(len(step), round(INPUT_WEIGHT / inlet.quantum), np.int32)
    return Events.merge([drawn.events, Events(step.astype(np.int64), place.astype(np.int32), amount)])
