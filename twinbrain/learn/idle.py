"""What a workflow declares and its training takes no notice of, told in the plan."""

from __future__ import annotations

from collections.abc import Iterator

from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.rules.registry import rule
from twinbrain.spec.base import Spec
from twinbrain.spec.record import Record
from twinbrain.spec.training import InputSpec, ReadoutSpec, Trainable, Training
from twinbrain.spec.workflow import Run, Workflow

_OF_A_RUN = {
    "duration": "the task says how long a trial is",
    "window": "what was learned is kept after every epoch",
    "drive_seed": "drives are keyed by run.seed, of each trial anew",
    "engine": "PyTorch computes it, and a replay is told its engine",
    "precision": "train.precision counts",
    "on_breakdown": "it stops",
}


def idle_settings(workflow: Workflow, *, swept: bool = False) -> Iterator[str]:
    """Yield a line for each setting that has no effect.

    Parameters
    ----------
    workflow : Workflow
        With a table ``train``.
    swept : bool
        Whether it is a point of a sweep.
    """
    training = workflow.train
    assert training is not None
    for key in _given(workflow.run, Run()):
        if key in _OF_A_RUN:
            yield f"run.{key}: it has no effect on a training: {_OF_A_RUN[key]}"
    if workflow.record != Record():
        yield "record: it has no effect on a training, which keeps its curves and responses"
    if not training.robustness and not swept:
        yield "train.robustness: it has no effect outside of a sweep"
    if training.baseline is None:
        yield from _of_a_network(training)
        yield from _of_its_ends(workflow, training)


def _of_a_network(training: Training) -> Iterator[str]:
    given = _given(training, Training(task=training.task))
    for key in rule(training.rule.name, **training.rule.options).idle:
        if key in given:
            yield f"train.{key}: it has no effect on rule {training.rule.name}"
    if "rate_range" in given and not training.rate_penalty:
        yield "train.rate_range: it has no effect without train.rate_penalty"
    chosen = training.trainable
    if chosen.longest_delay != Trainable(weight={"*": "synapse"}).longest_delay and not chosen.delay:
        yield "train.trainable.longest_delay: it has no effect, since no delays are trained"


def _of_its_ends(workflow: Workflow, training: Training) -> Iterator[str]:
    regions = workflow.brain.regions.values()
    for name, own, usual in ((INPUT, training.input, InputSpec()), (READOUT, training.readout, ReadoutSpec())):
        given = [key for key in _given(own, usual) if key != "region"]
        if given and any(name in region.populations for region in regions):
            for key in given:
                yield f"train.{name}.{key}: it has no effect, since a region has the population {name!r} already"
        elif training.input.weight is not None and name == INPUT and "rate" in given:
            yield "train.input.rate: it has no effect beside train.input.weight"


def _given(own: Spec, usual: Spec) -> list[str]:
    """Return the keys that have another value than usual."""
    return [key for key in type(own).model_fields if getattr(own, key) != getattr(usual, key)]
