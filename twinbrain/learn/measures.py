"""What is kept of a training in a sweep: a fixed set of numbers, whatever is trained."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinbrain.engines.torch.defaults import own_defaults
from twinbrain.learn.baselines.fit import Fit
from twinbrain.learn.baselines.matched import check_baseline, train_baseline
from twinbrain.learn.baselines.view import see
from twinbrain.learn.curves import measure as score_name
from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.kept import check_pure
from twinbrain.learn.metrics.energy import CAVEATS, energy
from twinbrain.learn.metrics.module_cost import module_cost
from twinbrain.learn.metrics.network_cost import out_degree
from twinbrain.learn.metrics.operations import Operations, spike_operations
from twinbrain.learn.resume import resume_training
from twinbrain.learn.robustness import DISTURBANCES, LEVELS, disturbed_baseline_scores, disturbed_scores
from twinbrain.learn.rules.registry import rule
from twinbrain.learn.setup import task_of
from twinbrain.learn.surrogate import surrogate_gradient
from twinbrain.learn.tasks.registry import find_task, task_options
from twinbrain.learn.tasks.task import Task
from twinbrain.learn.threads import single_thread
from twinbrain.learn.train import train, training_workflow
from twinbrain.learn.trained import Trained
from twinbrain.spec.workflow import Workflow
from twinbrain.store import Location, is_training, open_training_store
from twinbrain.store.declared import check_kept

_COUNTED = 64  # trials on which operations of a baseline are counted

_MEASURES = {
    "accuracy": ("1", "share of held-out trials whose class was found"),
    "squared_error": ("1", "mean squared error in held-out trials"),
    "validation_accuracy": ("1", "accuracy on validation trials at the best epoch"),
    "validation_loss": ("1", "loss on validation trials at the best epoch"),
    "chance": ("1", "accuracy, or error, of a guess"),
    "epochs": ("1", "epochs done"),
    "best_epoch": ("1", "epoch that was best on the validation trials"),
    "training_time": ("s", "wall time of training"),
    "n_parameters": ("1", "trained parameters"),
    "mean_rate": ("Hz", "mean rate of spiking neurons in held-out trials"),
    "synaptic_operations": ("1", "synaptic operations a trial"),
    "energy": ("nJ", "energy of synaptic operations a trial"),
}
Measures = dict[str, xr.DataArray]


def empty_measures() -> Measures:
    """Return the measures of a training that has not been: NaN, with units and coordinates."""
    found = {
        name: xr.DataArray(np.float64(np.nan), attrs={"units": units, "long_name": text})
        for name, (units, text) in _MEASURES.items()
    }
    found["energy"].attrs["caveat"] = CAVEATS
    found["disturbed"] = xr.DataArray(
        np.full((len(DISTURBANCES), len(LEVELS)), np.nan),
        {"disturbance": list(DISTURBANCES), "level": list(LEVELS)},
        ("disturbance", "level"),
        attrs={"units": "1", "long_name": "accuracy (error, of a regression) under a disturbance of a strength"},
    )
    return found


def check_training(workflow: Workflow) -> None:
    """Check the names that a training gives, as far as this can be done without building anything.

    Raises
    ------
    SpecError, LearnError
        If a task, an option, a rule, a surrogate or a baseline is unknown.
    """
    training = workflow.train
    assert training is not None
    task_options(find_task(training.task.name)).parse(training.task.options, f"task {training.task.name}")
    rule(training.rule.name, **training.rule.options)
    surrogate_gradient(training.surrogate)
    if training.baseline:
        check_baseline(training.baseline)


@own_defaults()
def measure(workflow: Workflow, out: Location | None = None) -> Measures:
    """Train what a workflow declares, and return what is kept of it: what `train` would give, to the same bits.

    Parameters
    ----------
    workflow : Workflow
        With a table ``train``.
    out : Location, optional
        Where the training is kept as a whole, and gone on with if it was begun; a baseline is not kept.

    Raises
    ------
    LearnError, SpecError, ConnectomeError, EngineError, StoreError
        As `train`.
    RunInterrupted
        If it was asked to stop.
    """
    training, seed = workflow.train, workflow.run.seed
    assert training is not None
    with single_thread():
        if training.baseline:
            fit = train_baseline(workflow)
            task = task_of(training, workflow.run)
            disturbed = disturbed_baseline_scores(fit.baseline, task, seed) if training.robustness else None
            return _filled(_of_fit(fit, task), disturbed, task)
        if out is not None and is_training(out):
            kept = open_training_store(out)
            check_kept(kept.attributes["digest"], training_workflow(workflow, None), out, "training")
            check_pure(kept)
            trained = resume_training(out)
        else:
            trained = train(workflow, out=out)
        disturbed = disturbed_scores(trained) if training.robustness else None
        return _filled(_of_trained(trained), disturbed, trained.setup.task)


def _of_trained(trained: Trained) -> dict[str, float]:
    setup, curves = trained.setup, trained.curves
    done = curves.isel(epoch=np.isfinite(curves["seconds"].values))
    validation = done.sel(split="validation")
    best = int(validation["loss"].values.argmin())
    responses = trained.responses()
    network = trained.network.lowered.network
    accumulated = Operations(acs=spike_operations(responses["count"].values, out_degree(network)))
    own = ~responses["population"].isin([INPUT, READOUT]).values
    seconds = setup.task.test.n_steps * setup.task.dt / 1e3
    return {
        "score": trained.score,
        "validation_score": float(validation[score_name(setup.task.kind)][best]),
        "validation_loss": float(validation["loss"][best]),
        "epochs": float(done.sizes["epoch"]),
        "best_epoch": float(best + 1),
        "training_time": float(done["seconds"].sum()),
        "n_parameters": float(setup.rule.n_trained(setup.network)),
        "mean_rate": float(responses["count"].values[:, own].mean() / seconds),
        "synaptic_operations": accumulated.acs,
        "energy": energy(accumulated) / 1e3,
    }


def _of_fit(fit: Fit, task: Task) -> dict[str, float]:
    baseline = fit.baseline
    index = np.arange(min(_COUNTED, len(task.test)))
    cost = module_cost(baseline.module, see(task, task.test, baseline.view, index, baseline.scale).input)
    best = fit.curves.sel(epoch=fit.best_epoch) if fit.best_epoch else fit.curves.isel(epoch=0) * np.nan
    return {
        "score": fit.scores["test"],
        "validation_score": fit.scores["validation"],
        "validation_loss": float(best["validation_loss"]),
        "epochs": float(fit.curves.sizes["epoch"]),
        "best_epoch": float(fit.best_epoch),
        "training_time": fit.seconds,
        "n_parameters": float(fit.n_parameters),
        "mean_rate": cost.spikes_per_neuron / (task.test.n_steps * task.dt / 1e3),
        "synaptic_operations": cost.operations.macs + cost.operations.acs,
        "energy": cost.energy() / 1e3,
    }


def _filled(numbers: dict[str, float], disturbed: NDArray[np.float64] | None, task: Task) -> Measures:
    score, validation = numbers.pop("score"), numbers.pop("validation_score")
    if task.kind == "classification":
        numbers |= {"accuracy": score, "validation_accuracy": validation}
    else:
        numbers["squared_error"] = score
    found = empty_measures()
    for name, value in (numbers | {"chance": task.chance}).items():
        found[name] = found[name].copy(data=np.float64(value))
    if disturbed is not None:
        disturbed[:, 0] = score
        found["disturbed"] = found["disturbed"].copy(data=disturbed)
    return found
