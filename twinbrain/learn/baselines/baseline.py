"""A baseline for a task, of about as many parameters as asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from twinbrain.errors import LearnError
from twinbrain.learn.baselines.cnn import ImageConvolution, TemporalConvolution
from twinbrain.learn.baselines.leaky import LeakyNetwork, decay
from twinbrain.learn.baselines.mlp import MultilayerPerceptron
from twinbrain.learn.baselines.perceptron import Perceptron
from twinbrain.learn.baselines.recurrent import Elman, GatedRecurrentUnit, LongShortTermMemory
from twinbrain.learn.baselines.view import View, n_seen, scale_of
from twinbrain.learn.tasks.task import Task

Make = Callable[[int, int, int], nn.Module]  # of n_inputs, n_outputs, n_hidden

# Those that have no memory see the whole trial at once.
STATIC: dict[str, Make] = {
    "logistic": lambda n_inputs, n_outputs, n_hidden: Perceptron(n_inputs, n_outputs),
    "perceptron": lambda n_inputs, n_outputs, n_hidden: Perceptron(n_inputs, n_outputs),
    "mlp-sigmoid": partial(MultilayerPerceptron, activation="sigmoid"),
    "mlp-tanh": partial(MultilayerPerceptron, activation="tanh"),
    "mlp-relu": partial(MultilayerPerceptron, activation="relu"),
}
SEQUENTIAL: dict[str, Make] = {
    "cnn": TemporalConvolution,
    "rnn": Elman,
    "lstm": LongShortTermMemory,
    "gru": GatedRecurrentUnit,
    "leaky": LeakyNetwork,
}
BASELINES = (*STATIC, *SEQUENTIAL)
LINEAR = ("logistic", "perceptron")
LARGEST = 1 << 20  # hidden units


@dataclass(frozen=True, eq=False)
class Baseline:
    """A model, and how it sees a task.

    Parameters
    ----------
    name : str
        What it is.
    module : torch.nn.Module
        Input (step, trial, feature), output (step, trial, output).
    view : {"spikes", "frames", "counts", "flat", "sampled"}
        What a step is; see `see`.
    scale : float, optional
        Multiplies what it sees.
    n_hidden : int, optional
        Hidden units (channels of a convolution) that were chosen.
    budget : int, optional
        How many parameters were asked for.
    """

    name: str
    module: nn.Module
    view: View
    scale: float = 1.0
    n_hidden: int | None = None
    budget: int | None = None

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters."""
        return count_parameters(self.module)

    def __str__(self) -> str:
        hidden = "nothing hidden" if self.n_hidden is None else f"{self.n_hidden:,} hidden units"
        budget = "" if self.budget is None else f" (asked for: {self.budget:,})"
        return f"{self.name}: {hidden}, {self.n_parameters:,} parameters{budget}, sees {self.view}"


def count_parameters(module: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def baseline(
    name: str, task: Task, *, n_parameters: int | None = None, view: View | None = None, seed: int = 0
) -> Baseline:
    """Return a baseline for a task, with the hidden size that comes nearest to a number of parameters.

    Models without memory see the whole trial at once, those with memory the features frame by frame; where there are
    none, or a single frame, they see spikes. "logistic" sees samples of a trial that has no features, or several frames
    of them; "leaky" always sees spikes. For a regression all see it step by step. A convolutional network convolves
    over time, or over the image where the features are one square frame.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    task : Task
        What it is for.
    n_parameters : int, optional
        The budget: trainable parameters, all biases included; 5,000 by default. Linear models have no hidden size,
        and what parameters they have.
    view : {"spikes", "frames", "counts", "flat", "sampled"}, optional
        How it sees the task, where it should not be as above.
    seed : int, optional
        Of the initial weights, which are torch's own. Other random numbers of the process are left as they were.

    Raises
    ------
    LearnError
        If there is no such baseline, or the budget is less than one hidden unit needs.
    """
    if name not in BASELINES:
        raise LearnError(f"baseline: expected one of {', '.join(BASELINES)}, found {name!r}; take one of these")
    view = view or _default_view(name, task)
    make = partial(_make(name, task, view), n_seen(task, view), task.n_outputs)
    budget = 5000 if n_parameters is None else n_parameters
    n_hidden = None if name in LINEAR else _nearest(name, make, budget)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        module = make(n_hidden or 0)
    return Baseline(name, module, view, scale_of(task, view), n_hidden, budget)


def _default_view(name: str, task: Task) -> View:
    features = task.train.features
    if task.kind == "regression":
        in_step = features is not None and features.shape[1] == task.train.n_steps and name != "leaky"
        return "frames" if in_step else "spikes"
    if name == "logistic" and (features is None or features.shape[1] > 1):
        return "sampled"
    if name in STATIC:
        return "counts" if features is None else "flat"
    if features is None or name == "leaky":
        return "spikes"
    if features.shape[1] > 1:
        return "frames"
    return "flat" if name == "cnn" and _is_square(features.shape[2]) else "spikes"


def _make(name: str, task: Task, view: View) -> Make:
    if name == "leaky":
        return partial(LeakyNetwork, decay=decay(task.dt))
    if name == "cnn" and view == "flat" and _is_square(n_seen(task, view)):
        return ImageConvolution
    return (STATIC | SEQUENTIAL)[name]


def _is_square(n_pixels: int) -> bool:
    return n_pixels >= 16 and round(n_pixels**0.5) ** 2 == n_pixels


def _nearest(name: str, make: Callable[[int], nn.Module], budget: int) -> int:
    """Return the hidden size whose number of parameters, which grows with it, is nearest to the budget."""

    def size(n_hidden: int) -> int:
        with torch.device("meta"):  # Parameters that have a shape and no memory, and draw nothing.
            return count_parameters(make(n_hidden))

    if (least := size(1)) > budget:
        raise LearnError(
            f"baseline {name}: expected a budget of at least {least:,} parameters, which one hidden unit needs, found "
            f"{budget:,}; allow more"
        )
    low, high = 1, 2  # The size of low is within the budget, that of high beyond it.
    while size(high) <= budget and high < LARGEST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= budget else (low, middle)
    return low if budget - size(low) <= size(high) - budget else high
