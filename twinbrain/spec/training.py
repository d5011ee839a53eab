"""A training: the task, the rule, what is trained, and how long."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinbrain.errors import Problem
from twinbrain.spec.base import Spec
from twinbrain.spec.distinct import Names, distinct
from twinbrain.spec.labels import first_patterns
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import Milliseconds, Rate, Value, default

WEIGHT, DELAY = "weight", "delay"
WeightShare = Literal["synapse", "population", "region"]
ParameterShare = Literal["neuron", "population", "region"]


def _patterns(value: Any) -> Any:
    return value if isinstance(value, dict) else {"*": value}


class Trainable(Spec):
    """What is trained, and what shares a change.

    A pattern that chooses nothing in the network is refused when it is built.

    Written as a list of names, ``["weight", "C_m"]``, or as a table that says more:
    ``{ weight = { "input->*" = "synapse" }, C_m = "population" }``.

    Parameters
    ----------
    weight : dict of str to {"synapse", "population", "region"}
        For patterns of projections (``"source->target:receptor"``, in a brain
        ``"label.source->label.target:receptor"``) what has a change of its own: each synapse, all of a pair of
        populations, or all between two regions. The first pattern that fits counts; what none fits is not trained.
    values : dict of str to dict of str to {"neuron", "population", "region"}
        For parameters of the cells and their receptors, such as ``tau_w``, likewise by patterns of
        ``label.population``. ``time_constant``, ``threshold`` and ``adaptation`` stand for all of that kind.
    delay : tuple of str
        Patterns of projections whose delays are trained, each synapse's its own.
    longest_delay : float (ms)
        Which no trained delay exceeds; memory and time grow with it. Beyond the length of a trial, and beyond 1,000
        steps, it is refused, unless delays that are declared are as long.
    dale : bool
        Whether synapses keep their sign. Those of the input that inject a current, and those of the readout, are free.
    """

    weight: Annotated[dict[str, WeightShare], BeforeValidator(_patterns)] = {}
    values: dict[str, Annotated[dict[str, ParameterShare], BeforeValidator(_patterns)]] = {}
    delay: Names = ()
    longest_delay: Annotated[Milliseconds, Field(gt=0)] = default("20 ms")
    dale: bool = True

    @model_validator(mode="before")
    @classmethod
    def _from_names(cls, data: Any) -> Any:
        if isinstance(data, str):
            data = [data]
        if isinstance(data, list | tuple) and all(isinstance(name, str) for name in data):
            distinct(data)
            whole = {WEIGHT: "synapse", DELAY: ("*",)}
            data = {name: whole.get(name, "neuron") for name in data}
        if not isinstance(data, dict) or "values" in data:
            return data
        own = {key: value for key, value in data.items() if key in (WEIGHT, DELAY, "longest_delay", "dale")}
        return own | {"values": {key: value for key, value in data.items() if key not in own}}

    @model_validator(mode="after")
    def _check(self) -> Trainable:
        if not self.weight and not self.values and not self.delay:
            raise ValueError('expected something to train, found nothing; give ["weight"], say')
        return self

    def trained_delays(self, projections: Iterable[str], labels: Iterable[str]) -> set[str]:
        """Return those of all projections, between regions of these labels, whose delays are trained."""
        return set(first_patterns(self.delay, projections, labels))

    def shares_of_weights(self, projections: Iterable[str], labels: Iterable[str]) -> dict[str, WeightShare]:
        """Return for those of all projections whose weights are trained what has a change of its own in it."""
        first = first_patterns(self.weight, projections, labels)
        return {name: self.weight[pattern] for name, pattern in first.items()}


def _named(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and "options" not in value:
        options = {k: os.fspath(v) if isinstance(v, os.PathLike) else v for k, v in value.items() if k != "name"}
        return {"name": value.get("name"), "options": options}
    return value


class Choice(Spec):
    """Something by its name, with its options: ``"digits"``, or ``{ name = "digits", coding = "rate" }``."""

    name: str
    options: dict[str, Any] = {}

    @field_validator("options")
    @classmethod
    def _finite(cls, options: dict[str, Any]) -> dict[str, Any]:
        # What is kept of a training has no other numbers, and would come back as none at all.
        for key, value in options.items():
            if not _is_finite(value):
                raise ValueError(f"expected finite numbers, found {key} = {value!r}; leave it out, or give another")
        return options


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict | list | tuple):
        return all(map(_is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


Named = Annotated[Choice, BeforeValidator(_named)]


class InputSpec(Spec):
    """How the channels of a task reach a brain.

    Parameters
    ----------
    region : str
        Pattern of the label of the one region that they reach.
    populations : tuple of str
        Populations that they reach; by default those of the region's input ports, or all that are excitatory.
    receptor : str, optional
        By default that of the population's input port, else the first of its cell.
    probability : float
        With which a channel reaches a neuron.
    weight : value, optional
        Before training; by default found such that neurons spike at ``rate``.
    rate : float (Hz)
        Mean rate of the populations reached, before training; one that refractory periods or the time step do not
        allow is refused.
    """

    region: str = "*"
    populations: Names = ()
    receptor: str | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    weight: Value | None = None
    rate: Annotated[Rate, Field(gt=0)] = default("15 Hz")


class ReadoutSpec(Spec):
    """How outputs are read: leaky integrators of spikes, which never spike themselves.

    Parameters
    ----------
    region : str
        Pattern of the label of the one region that is read.
    populations : tuple of str
        Populations that are read; by default those of the region's output ports, or all.
    time_constant : float (ms)
        Of the integrators.
    """

    region: str = "*"
    populations: Names = ()
    time_constant: Annotated[Milliseconds, Field(gt=0)] = default("20 ms")


class Surrogate(Spec):
    """The gradient that takes the place of a spike's.

    Parameters
    ----------
    name : str
        One of snnTorch's.
    slope : float, optional
        Its sharpness, in units of the distance from rest to threshold; snnTorch's default otherwise.
    """

    name: str = "atan"
    slope: Annotated[float, Field(gt=0)] | None = None


class Training(Spec):
    """How a network is trained.

    Parameters
    ----------
    task, rule : Choice
        What is learned, and by which rule.
    trainable : Trainable
        What changes.
    input, readout : InputSpec, ReadoutSpec
        How the task meets the brain.
    surrogate : Surrogate
        The gradient of spikes.
    epochs, batch_size : int
        Passes over the training trials, and trials a step.
    learning_rate : float, optional
        Of the optimiser, by default the rule's; what is trained has no unit, see `Trainable`.
    patience : int, optional
        Epochs without improvement on the validation trials after which training stops.
    clip : float, optional
        Largest norm of the gradient.
    window : float (ms), optional
        Gradients go back no further than that (truncated backpropagation through time).
    rate_range : tuple of float (Hz)
        Mean rates of neurons outside of it are penalised, but for those of the input and the readout.
    rate_penalty : float
        How much: what the mean over these neurons is multiplied by, of the squared distance from the range, in units of
        its middle.
    precision : {"float32", "float64", "mixed"}
        Of the computation while training; ``"mixed"`` multiplies in half precision where the device has it.
    labels : float
        Share of the training trials whose labels are known; the others are left out.
    baseline : Choice, optional
        In a sweep: what is trained in place of the brain, with as many parameters (``""``: the brain itself); one of
        `twinbrain.learn.baselines.baseline.BASELINES`, with the options of
        `twinbrain.learn.baselines.matched.train_baseline`.
    robustness : bool
        In a sweep: whether held-out trials are also tried under each disturbance.
    """

    task: Named
    rule: Named = Choice(name="bptt")
    trainable: Trainable = Trainable(weight={"*": "synapse"})
    input: InputSpec = InputSpec()
    readout: ReadoutSpec = ReadoutSpec()
    surrogate: Surrogate = Surrogate()
    epochs: Annotated[int, Field(ge=1)] = 20
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    patience: Annotated[int, Field(ge=1)] | None = None
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    window: Annotated[Milliseconds, Field(gt=0)] | None = None
    rate_range: tuple[Rate, Rate] = default(("1 Hz", "100 Hz"))
    rate_penalty: Annotated[float, Field(ge=0)] = 0.0
    precision: Literal["float32", "float64", "mixed"] = "float32"
    labels: Annotated[float, Field(gt=0, le=1)] = 1.0
    baseline: Annotated[Choice | None, BeforeValidator(lambda value: None if value == "" else _named(value))] = None
    robustness: bool = True

    @model_validator(mode="after")
    def _check(self) -> Training:
        low, high = self.rate_range
        if not low < high:
            raise reject(
                Problem("rate_range", f"expected a low and a higher rate, found {low:g} Hz and {high:g} Hz; swap them")
            )
        return self
