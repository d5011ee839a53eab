"""What a training will do, told beforehand; and whether it can begin at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from twinbrain.learn.calibrate import check_rate
from twinbrain.learn.idle import idle_settings
from twinbrain.learn.setup import has_input
from twinbrain.learn.train import learner_of, model_of, training_workflow
from twinbrain.spec.workflow import Workflow


@dataclass(frozen=True)
class TrainingPlan:
    """What a training will do.

    Parameters
    ----------
    task, rule : str
        What is learned, and how.
    n_train, n_validation, n_test : int
        Trials.
    n_steps : int
        Steps of a trial.
    dt : float (ms)
        Time step.
    n_channels, n_outputs : int
        Of the task.
    n_neurons, n_synapses : int
        With those of the input and the readout.
    n_trained : int
        Numbers that are trained.
    epochs, n_batches : int
        Passes over the training trials, and batches of each.
    notes : tuple of str
        Settings without effect.
    """

    task: str
    rule: str
    n_train: int
    n_validation: int
    n_test: int
    n_steps: int
    dt: float
    n_channels: int
    n_outputs: int
    n_neurons: int
    n_synapses: int
    n_trained: int
    epochs: int
    n_batches: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def plan_training(workflow: Workflow) -> TrainingPlan:
    """Return what a training will do: all is built, and nothing is computed.

    Parameters
    ----------
    workflow : Workflow
        With a table ``train``.

    Raises
    ------
    SpecError, LearnError, ConnectomeError, EngineError
        As `train` would before the first epoch.
    """
    declared = training_workflow(workflow, None)
    setup = learner_of(declared, None, calibrated=False).setup
    task, training, network = setup.task, setup.training, setup.network
    if training.input.weight is None and not has_input(model_of(declared)):
        check_rate(network, training.input.rate)
    return TrainingPlan(
        task=task.name,
        rule=training.rule.name,
        n_train=len(task.train),
        n_validation=len(task.validation),
        n_test=len(task.test),
        n_steps=task.train.n_steps,
        dt=task.dt,
        n_channels=task.n_channels,
        n_outputs=task.n_outputs,
        n_neurons=network.lowered.network.n_neurons,
        n_synapses=sum(table.n_synapses for table in network.lowered.network.tables),
        n_trained=setup.rule.n_trained(network),
        epochs=training.epochs,
        n_batches=-(-len(task.train) // training.batch_size),
        notes=tuple(idle_settings(workflow)),
    )
