"""Logistic regression: the linear model that every other one has to beat."""

from __future__ import annotations

import time

import numpy as np
import torch
import xarray as xr

from twinbrain.errors import LearnError
from twinbrain.learn.baselines.baseline import Baseline
from twinbrain.learn.baselines.fit import Fit, evaluate
from twinbrain.learn.baselines.view import see
from twinbrain.learn.metrics.score import loss
from twinbrain.learn.tasks.task import SPLITS, Task

STRENGTHS = tuple(10.0 ** np.arange(-4, 3))
"""Inverse strengths of the penalty that are tried, as scikit-learn counts them; features have mean 0 and variance 1."""
_NEVER = -1e4  # log odds of a class without training trials


def fit_logistic(baseline: Baseline, task: Task) -> Fit:
    """Fit a logistic regression with a penalty of squared weights, whose strength the validation trials choose.

    Each feature is standardised by the training trials. Nothing is drawn: there is one result for every seed.

    Parameters
    ----------
    baseline : Baseline
        Of the name ``"logistic"``; its module, which sees the whole trial as one step, is changed in place.
    task : Task
        A classification.

    Returns
    -------
    Fit
        ``epoch`` of its curves counts the strengths that were tried, from the strongest penalty on.

    Raises
    ------
    LearnError
        If the task is no classification.

    References
    ----------
    Cox (1958), doi 10.1111/j.2517-6161.1958.tb00292.x.
    """
    from sklearn.linear_model import LogisticRegression

    if task.kind != "classification":
        raise LearnError(
            f"logistic on task {task.name}: expected a classification, found a {task.kind}; take 'perceptron'"
        )
    begun = time.perf_counter()
    train, validation = (see(task, getattr(task, split), baseline.view, scale=baseline.scale) for split in SPLITS[:2])
    features = train.input[0].double().numpy()
    middle, spread = features.mean(0), features.std(0)
    spread[spread == 0] = 1.0
    readout = baseline.module.get_submodule("readout")
    assert isinstance(readout, torch.nn.Linear)
    found: list[tuple[float, float, float]] = []
    best, kept = (np.inf, np.inf), (np.zeros(0), np.zeros(0))
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=10_000).fit((features - middle) / spread, train.target.numpy())
        weight, bias = np.zeros((task.n_outputs, features.shape[1])), np.full(task.n_outputs, _NEVER)
        two = len(model.classes_) == 2  # whose log odds are one number
        weight[model.classes_] = np.concatenate([0 * model.coef_, model.coef_]) if two else model.coef_
        bias[model.classes_] = np.concatenate([0 * model.intercept_, model.intercept_]) if two else model.intercept_
        weight, bias = weight / spread, bias - weight @ (middle / spread)
        _set(readout, weight, bias)
        output = baseline.module(validation.input).detach()
        quality = (
            1 - evaluate(baseline, task, task.validation),
            float(loss(output, validation.target, validation.scored, task.kind)),
        )
        at_train = float(loss(baseline.module(train.input).detach(), train.target, train.scored, task.kind))
        found.append((at_train, quality[1], 1 - quality[0]))
        if quality < best:
            best, kept = quality, (weight, bias)
    _set(readout, *kept)
    values = np.array(found)
    names = ("train_loss", "validation_loss", "validation_score")
    curves = xr.Dataset(
        {name: ("epoch", column) for name, column in zip(names, values.T, strict=True)},
        {"epoch": np.arange(1, len(values) + 1)},
    )
    chosen = 1 + int(np.lexsort((values[:, 1], 1 - values[:, 2]))[0])
    scores = {split: evaluate(baseline, task, getattr(task, split)) for split in SPLITS}
    return Fit(baseline, curves, scores, chosen, time.perf_counter() - begun)


@torch.no_grad()
def _set(readout: torch.nn.Linear, weight: np.ndarray, bias: np.ndarray) -> None:
    readout.weight.copy_(torch.from_numpy(weight))
    readout.bias.copy_(torch.from_numpy(bias))
