"""The loop of a training: epochs of batches, watched on the validation trials, committed one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinbrain.errors import LearnError
from twinbrain.learn.curves import epoch_curves, gradient_norms, population_rates
from twinbrain.learn.delays import WIDEST
from twinbrain.learn.learned import learned, take_over
from twinbrain.learn.metrics.score import score
from twinbrain.learn.possible import check_possible
from twinbrain.learn.setup import Setup
from twinbrain.learn.tasks.trials import Trials
from twinbrain.learn.threads import one_thread

Progress = Callable[[str, int, int], None]
Arrays = dict[str, NDArray[Any]]
Commit = Callable[[Arrays, Arrays, dict[str, Any]], None]
_EVALUATION_BATCH = 256
# After this part of a training a synapse acts at the whole delays next to its own alone.
_SPREAD_PART = 0.75


@dataclass
class Course:
    """How far a training is.

    Parameters
    ----------
    epoch : int
        Epochs that are done.
    best : float
        The best loss on the validation trials so far.
    best_epoch : int
        Its epoch.
    best_state : dict of str to Tensor
        What the network had learned then.
    """

    epoch: int
    best: float
    best_epoch: int
    best_state: dict[str, Tensor]


class Learner:
    """A network, a rule and an optimiser at some epoch.

    Parameters
    ----------
    setup : Setup
        What it begins with.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        network = setup.network
        rate = setup.training.learning_rate or setup.rule.learning_rate
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad and parameter.numel()]
        make = torch.optim.Adam if setup.rule.optimiser == "adam" else torch.optim.SGD
        self.optimiser = make(trained, lr=rate)
        self.course = Course(0, np.inf, 0, learned(network))

    def learn(self, commit: Commit, progress: Progress, interrupted: Callable[[], bool]) -> None:
        """Go on to the last epoch, or until nothing gets better, or until interrupted.

        An epoch that is interrupted is lost; those before it were committed.

        Raises
        ------
        LearnError
            If the loss is no number any more, or no model can be built of the parameters; what was committed stays.
        """
        setup, training = self.setup, self.setup.training
        while not self.is_done:
            try:
                with one_thread(setup.network.lowered.network.n_neurons, training.batch_size, setup.device):
                    curves = self._epoch(progress, interrupted)
            except LearnError as error:
                raise LearnError(f"epoch {self.course.epoch + 1}: {error}") from None
            if curves is None:
                return
            commit(curves, self.state(), self._summary())
            progress("train", self.course.epoch, training.epochs)

    def state(self) -> Arrays:
        """Return all that it takes to go on to the same bits."""
        found = {f"network {name}": value for name, value in learned(self.setup.network).items()}
        found |= {f"rule {name}": value for name, value in self.setup.rule.state_dict().items()}
        found |= {f"best {name}": value for name, value in self.course.best_state.items()}
        for number, own in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser {number} {name}": torch.as_tensor(v) for name, v in own.items() if v is not None}
        course = torch.tensor([self.course.epoch, self.course.best, self.course.best_epoch], dtype=torch.float64)
        return {name: value.detach().cpu().numpy() for name, value in (found | {"course": course}).items()}

    def restore(self, state: Arrays) -> None:
        """Go on from a state."""
        tensors = {name: torch.tensor(value) for name, value in state.items()}
        take_over(self.setup.network, _under("network", tensors))
        self.setup.rule.load_state_dict(_under("rule", tensors))
        epoch, best, best_epoch = state["course"].tolist()
        self.course = Course(int(epoch), best, int(best_epoch), _under("best", tensors))
        own: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimiser", tensors).items():
            number, key = name.split(" ")
            own.setdefault(int(number), {})[key] = value
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": own})

    @property
    def is_done(self) -> bool:
        """Whether no epoch is left, or nothing has become better for as long as is waited for."""
        course, training = self.course, self.setup.training
        waited = course.epoch - course.best_epoch
        return course.epoch >= training.epochs or (training.patience is not None and waited >= training.patience)

    def _summary(self) -> dict[str, Any]:
        return {"best_epoch": self.course.best_epoch, "best_loss": self.course.best}

    def _epoch(self, progress: Progress, interrupted: Callable[[], bool]) -> Arrays | None:
        began = time.perf_counter()
        setup, network = self.setup, self.setup.network
        network.train()
        self._narrow_delays()
        losses, scores, rates, norms, sizes = [], [], [], [], []
        batches = list(_batches(len(setup.task.train), setup.training.batch_size, setup.run.seed, self.course.epoch))
        for done, index in enumerate(batches):
            if interrupted():
                return None
            batch = setup.batch(setup.task.train, index, f"epoch {self.course.epoch}")
            self.optimiser.zero_grad(set_to_none=False)
            with torch.autocast(setup.device.type, torch.bfloat16, enabled=setup.training.precision == "mixed"):
                outcome = setup.rule.learn(network, batch, setup.objective)
            norms.append(gradient_norms(network))
            self._check(float(outcome.loss), norms[-1])
            if setup.training.clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), setup.training.clip)
            self.optimiser.step()
            network.keep_signs()
            setup.rule.constrain(network)
            losses.append(float(outcome.loss))
            scores.append(float(score(outcome.output, batch.target, batch.scored, setup.task.kind).mean()))
            rates.append(population_rates(network, outcome.spikes))
            sizes.append(len(index))
            progress("epoch", done + 1, len(batches))
        check_possible(network)
        loss, found = evaluate(setup, setup.task.validation, "validation")
        self._check(loss, {})
        self.course.epoch += 1
        if loss < self.course.best:
            self.course.best, self.course.best_epoch = loss, self.course.epoch
            self.course.best_state = learned(network)
        mean_norms = {name: float(np.mean([own[name] for own in norms])) for name in norms[0]}
        return epoch_curves(
            setup.task.kind,
            (float(np.average(losses, weights=sizes)), loss),
            (float(np.average(scores, weights=sizes)), found),
            np.average(rates, axis=0, weights=sizes),
            mean_norms,
            time.perf_counter() - began,
        )

    def _narrow_delays(self) -> None:
        """Spread trained delays over ever fewer steps."""
        if (delays := self.setup.network.delays) is not None:
            left = 1.0 - self.course.epoch / max(1.0, _SPREAD_PART * self.setup.training.epochs)
            delays.width = max(1.0, WIDEST * left)

    def _check(self, loss: float, norms: dict[str, float]) -> None:
        wrong = [f"the gradient of {name}" for name, value in norms.items() if not np.isfinite(value)]
        if np.isfinite(loss) and not wrong:
            return
        wrong += [
            f"the parameter {name}"
            for name, value in self.setup.network.named_parameters()
            if not bool(torch.isfinite(value).all())
        ]
        raise LearnError(
            f"expected a finite loss and gradient, found a loss of {loss:g} and no "
            f"number in {', '.join(wrong) or 'the outputs'}; lower learning_rate or clip, or check the task's inputs"
        )


def evaluate(setup: Setup, trials: Trials, stream: str) -> tuple[float, float]:
    """Return the mean loss and the mean score of trials, delays being as they are after training."""
    losses, scores, sizes = [], [], []
    setup.network.eval()
    with torch.no_grad():
        for index in np.array_split(np.arange(len(trials)), max(1, -(-len(trials) // _EVALUATION_BATCH))):
            batch = setup.batch(trials, index, stream)
            activity = setup.network(batch.inputs, batch.background)
            losses.append(float(setup.objective(activity, batch)))
            scores.append(float(score(activity.output, batch.target, batch.scored, setup.task.kind).mean()))
            sizes.append(len(index))
    return float(np.average(losses, weights=sizes)), float(np.average(scores, weights=sizes))


def _batches(n: int, size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    order = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(n)
    yield from (order[start : start + size] for start in range(0, n, size))


def _under(kind: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(f"{kind} "): value for name, value in tensors.items() if name.startswith(f"{kind} ")}
