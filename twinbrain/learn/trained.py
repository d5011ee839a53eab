"""What a training has given: the model with what it learned, how it came to it, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from twinbrain.learn.export import export_model
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.replay import Replay, replay
from twinbrain.learn.setup import Setup, background_of
from twinbrain.learn.tasks.trials import Trials
from twinbrain.spec.brain import Brain
from twinbrain.spec.region import Region

_BATCH = 64


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that was trained on a task.

    Parameters
    ----------
    setup : Setup
        What training began with; its network holds what was learned at the best epoch.
    curves : Dataset
        Learning curves.
    """

    setup: Setup
    curves: xr.Dataset

    @cached_property
    def model(self) -> Region | Brain:
        """The region (or brain) that was learned: any engine runs it."""
        return export_model(self.setup.network)

    @cached_property
    def network(self) -> TrainableNetwork:
        """The model lowered anew, in float64: its spikes are those of every engine."""
        run, training = self.setup.run, self.setup.training
        lowered = lower(self.model, dt=run.dt, seed=run.seed)
        network = TrainableNetwork(lowered, training.trainable, training.surrogate, "float64")
        if network.delays is not None:
            network.delays.width = 1.0  # whole steps, as in the engines
        return network

    @cached_property
    def score(self) -> float:
        """Share of held-out trials whose class is found; of a regression, the mean squared error."""
        return float(self.responses()["score"].mean())

    def responses(self, trials: Trials | None = None, bin: str = "10 ms") -> xr.Dataset:
        """Return what the trained model does in trials.

        Parameters
        ----------
        trials : Trials, optional
            By default the held-out ones.
        bin : str (ms)
            Interval over which rates are taken.

        Returns
        -------
        Dataset
            ``count`` (trial, neuron), ``rate`` (trial, bin, neuron; Hz), ``output`` (trial, output; mV, mean over the
            steps that count), ``score`` (trial) and, of a classification, ``label`` and ``decision`` (trial); neurons
            with their region, population and cell.
        """
        from twinbrain.learn.responses import responses_of

        return responses_of(self, self.setup.task.test if trials is None else trials, bin)

    def replay(self, engine: str = "brian2", n_trials: int | None = None) -> Replay:
        """Run held-out trials in an engine, and compare with what the trained network does.

        Parameters
        ----------
        engine : str
            Name of an engine.
        n_trials : int, optional
            How many; by default all.

        Raises
        ------
        EngineError
            If there is no such engine.
        """
        trials = self.setup.task.test
        index = np.arange(len(trials) if n_trials is None else min(n_trials, len(trials)))
        return replay(self.network, self.setup.task, trials, index, engine, self.setup.run.seed)

    def activity(self, trials: Trials, index: NDArray[np.int64]) -> tuple[NDArray[np.uint8], torch.Tensor]:
        """Return the spikes (step, trial, neuron) and outputs (step, trial, output) of some trials."""
        drawn = background_of(self.network.lowered, "test", self.setup.run.seed, index, trials.n_steps)
        inputs = torch.as_tensor(trials.spikes(index, self.setup.task.n_channels))
        with torch.no_grad():
            found = self.network(inputs, drawn)
        return found.spikes.to(torch.uint8).numpy(), found.output
