"""What a training has given: the model with what it learned, how it came to it, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.learn.curves import measure
from twinbrain.learn.export import export_model
from twinbrain.learn.lower import lower
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.replay import Replay, replay
from twinbrain.learn.settled import settled
from twinbrain.learn.setup import Setup, background_of
from twinbrain.learn.tasks.trials import Trials
from twinbrain.learn.threads import one_thread
from twinbrain.spec.brain import Brain
from twinbrain.spec.plain_numbers import whole
from twinbrain.spec.region import Region


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that was trained on a task.

    Parameters
    ----------
    setup : Setup
        What training began with; its network holds what was learned at the best epoch.
    curves : Dataset
        Learning curves; the attributes ``best_epoch`` and ``best_loss`` tell the epoch that is kept.
    """

    setup: Setup
    curves: xr.Dataset

    def __repr__(self) -> str:
        curves, name = self.curves, measure(self.setup.task.kind)
        loss = np.nan_to_num(curves["loss"].sel(split="validation").values, nan=np.inf)
        reached = ""
        if len(loss) and np.isfinite(loss).any():
            best = float(curves[name].sel(split="validation")[int(loss.argmin())])
            reached = f", validation {name} {best:.3g}"
        n = curves.sizes["epoch"]
        about = f"{curves.attrs['name']} trained on {curves.attrs['task']} by {curves.attrs['rule']}"
        return f"<{about}: {n} epoch{'s' * (n != 1)}{reached}>"

    @cached_property
    @own_defaults()
    def model(self) -> Region | Brain:
        """The region (or brain) that was learned: any engine runs it."""
        return export_model(self.setup.network)

    @cached_property
    @own_defaults()
    def network(self) -> TrainableNetwork:
        """The model lowered anew, in float64: its spikes are those of every engine."""
        run, training = self.setup.run, self.setup.training
        lowered = lower(self.model, dt=run.dt, seed=run.seed)
        return TrainableNetwork(lowered, training.trainable, training.surrogate, "float64").eval()

    @cached_property
    @own_defaults()
    def score(self) -> float:
        """Share of held-out trials whose class is found; of a regression, the mean squared error."""
        return float(self.responses()["score"].mean())

    @own_defaults()
    def responses(
        self, trials: Trials | None = None, bin: str | None = None, *, without: str | None = None
    ) -> xr.Dataset:
        """Return what the trained model does in trials.

        Parameters
        ----------
        trials : Trials, optional
            By default the held-out ones.
        bin : str (ms), optional
            Interval over which rates are taken; by default as many steps as come nearest to 10 ms, or a short trial.
            A last interval that is not full is left out.
        without : str, optional
            A cell class or a population whose outgoing weights are 0 meanwhile: it still spikes, but nothing hears it.
            What both are named alike, and the class is not all of the population, is refused; name the population
            ``"region.population"``.

        Returns
        -------
        Dataset
            ``count`` (trial, neuron), ``rate`` (trial, bin, neuron; Hz), ``output`` (trial, output; mV, mean over the
            steps that count), ``score`` (trial) and, of a classification, ``label`` and ``decision`` (trial); neurons
            with their region, population and cell, as they were declared, and ``trial_digest`` (trial), by which a
            trial's input is known.

        Raises
        ------
        LearnError
            If a bin is no whole number of steps, or there is no such class.
        """
        from twinbrain.learn.lesion import neurons_named, silenced
        from twinbrain.learn.responses import responses_of

        chosen = self.setup.task.test if trials is None else trials
        if without is None:
            return responses_of(self, chosen, bin)
        with silenced(self.network, neurons_named(self.setup.network, without)):
            return responses_of(self, chosen, bin)

    @own_defaults()
    def gradients(self, n_trials: int = 20) -> xr.Dataset:
        """Return how large the gradient of the loss is in each population and step, on held-out trials.

        Parameters
        ----------
        n_trials : int
            How many trials.

        Returns
        -------
        Dataset
            ``norm`` (layer, step), and what `twinbrain.analysis.gradient_health` says of it.

        Raises
        ------
        SpecError
            If ``n_trials`` is no whole number of at least 1.
        """
        from twinbrain.learn.diagnose.health import gradient_flow

        n_trials = whole("n_trials", n_trials)
        trials = self.setup.task.test
        batch = self.setup.batch(trials, np.arange(min(n_trials, len(trials))), "test")
        return gradient_flow(self.setup.network, batch, self.setup.objective)

    @own_defaults()
    def replay(self, engine: str = "brian2", n_trials: int | None = None) -> Replay:
        """Run held-out trials of what was learned in an engine, and compare with the network that was trained.

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
        SpecError
            If ``n_trials`` is no whole number of at least 1.
        """
        trials = self.setup.task.test
        index = np.arange(len(trials) if n_trials is None else min(whole("n_trials", n_trials), len(trials)))
        learned = settled(self.setup.network)
        return replay(learned, self.network, self.setup.task, trials, index, engine, self.setup.run.seed)

    @own_defaults()
    def activity(self, trials: Trials, index: NDArray[np.int64]) -> tuple[NDArray[np.uint8], torch.Tensor]:
        """Return the spikes (step, trial, neuron) and outputs (step, trial, output) of some trials."""
        drawn = background_of(self.network.lowered, "test", self.setup.run.seed, index, trials.n_steps)
        inputs = torch.as_tensor(trials.spikes(index, self.setup.task.n_channels))
        with torch.no_grad(), one_thread(self.network.lowered.network.n_neurons, len(index), torch.device("cpu")):
            found = self.network(inputs, drawn)
        return found.spikes.to(torch.uint8).numpy(), found.output
