"""A workflow: a brain, how long and how it is run, what acts on it and what is kept."""

from __future__ import annotations

from glob import escape
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from twinbrain.errors import Problem
from twinbrain.spec.base import Spec
from twinbrain.spec.brain import Brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.problems import reject
from twinbrain.spec.quantity import Milliseconds, default
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.sweep import Sweep
from twinbrain.spec.training import Training

Seed = Annotated[int, Field(ge=0, lt=2**63)]

_Placed = TypeVar("_Placed", Stimulus, StateRecord)


class Run(Spec):
    """How a brain is run.

    Parameters
    ----------
    duration, dt, window : float (ms)
        Model time, time step, and the interval at which results and a checkpoint are committed to the store.
    seed : int
        Keys every random draw, of the build and of the run.
    drive_seed : int, optional
        Keys the draws of drives and stimuli in its place: other input into the same network.
    engine : str
        Name of the engine.
    device, precision : str
        Where and how precisely engine ``"torch"`` computes.
    memory_limit : str
        What a run may take, such as ``"8 GB"``, of what the machine has; by default, what it has free.
    on_breakdown : {"stop", "mark"}
        What follows when a state is no finite number any more at the end of a window: the run stops there, or goes on
        with a mark in its attributes.
    """

    duration: Annotated[Milliseconds, Field(gt=0)] = default("1 s")
    dt: Annotated[Milliseconds, Field(gt=0)] = default("0.1 ms")
    window: Annotated[Milliseconds, Field(gt=0)] = default("1 s")
    seed: Seed = 0
    drive_seed: Seed | None = None
    engine: str = "brian2"
    device: str = "cpu"
    precision: Literal["float64", "float32"] = "float64"
    memory_limit: str | None = None
    on_breakdown: Literal["stop", "mark"] = "stop"


class Workflow(Spec):
    """All that a run needs; with a sweep, all that many runs need; with a training, what is learned and how."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    summary: str = ""
    run: Run = Run()
    brain: Brain
    stimuli: tuple[Stimulus, ...] = ()
    record: Record = Record()
    sweep: Sweep | None = None
    train: Training | None = None

    def replace(self, **changes: Any) -> Self:
        """Return the workflow with other values; see `Spec.replace`, and for another brain `placed_for`."""
        if isinstance(brain := changes.get("brain"), Brain):
            changes = self.placed_for(brain) | changes
        return super().replace(**changes)

    def placed_for(self, brain: Brain) -> dict[str, Any]:
        """Return stimuli and records that mean no other regions in another brain, if any would.

        What is a label of the connectome (``"M[1]"``), and none of that of the other brain, becomes the pattern of that
        label alone (``"M[[]1]"``), as in `Brain.regions_for`; it would mean ``"M1"`` there.
        """
        own, new = (set(getattr(of.connectome, "labels", ())) for of in (self.brain, brain))
        gone = {label for label in own - new if escape(label) != label}

        def placed(part: _Placed) -> _Placed:
            return part.replace(regions=escape(part.regions)) if part.regions in gone else part

        state = tuple(map(placed, self.record.state))
        return {"stimuli": tuple(map(placed, self.stimuli)), "record": self.record.replace(state=state)} if gone else {}

    def __repr__(self) -> str:
        what = "training" if self.train is not None else f"{self.run.duration / 1000:g} s"
        swept = "sweep, " if self.sweep is not None else ""
        return f"<workflow {self.name}: {swept}{what}, {self.brain!r}>"

    def __str__(self) -> str:
        return repr(self)

    @model_validator(mode="after")
    def _check(self) -> Workflow:
        names = [stimulus.name for stimulus in self.stimuli]
        first = {name: i for i, name in reversed(list(enumerate(names)))}
        if repeated := [i for i, name in enumerate(names) if first[name] < i]:
            raise reject(
                *(
                    Problem(f"stimuli[{i}].name", f"another stimulus is {names[i]!r} too; give each its own name")
                    for i in repeated
                )
            )
        return self
