"""EventProp: the gradient of a loss by the times of spikes, instead of a surrogate."""

from __future__ import annotations

from contextlib import ExitStack

from twinbrain.errors import LearnError
from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.cell import SpikingCell
from twinbrain.learn.ends import INPUT, READOUT
from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.options import Slope
from twinbrain.learn.rules.penalty import refuse_penalty
from twinbrain.learn.rules.rule import Locality, Outcome, Rule
from twinbrain.learn.rules.spike_times import spike_time_step
from twinbrain.models.step import REFRACTORY_LEFT, StepProgram


class EventProp(Rule):
    """The adjoint method for spiking neurons: exact as the time step goes to zero.

    Between spikes the gradient goes back through the step as it is; at a spike it jumps. A neuron that does not spike
    gets none, so neurons must spike before training.

    Parameters
    ----------
    slowest : float (mV/ms)
        A potential that crosses the threshold more slowly counts as crossing at this slope.
    """

    name = "eventprop"
    locality = Locality(weights="transposed", signal="error of the layer above", when="backward", memory="n")
    idle = ("surrogate",)
    reference = "10.1038/s41598-021-91786-z"

    def __init__(self, slowest: Slope = 0.1) -> None:
        super().__init__()
        if slowest <= 0:
            raise LearnError(f"rule eventprop: slowest: expected a slope above 0 mV/ms, found {slowest}")
        self.slowest = slowest

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Check that the network is one whose spike times have derivatives.

        Raises
        ------
        LearnError
            If a neuron is more than a leaky integrate-and-fire neuron with decaying synaptic currents, or rates are to
            be penalised, which do not change with the times of spikes.
        """
        refuse_penalty(objective, self.name, "the number of spikes has no derivative by their times")
        for block, cell in _spiking(network):
            if reason := _refusal(cell.program):
                names = sorted({p.population for p in network.lowered.network.populations if p.block == block})
                raise LearnError(
                    "rule eventprop: expected neurons of the model 'lif_current' with 'exponential_current' receptors, "
                    f"found {', '.join(names)}, {reason}; use such cells, or train by 'bptt'"
                )

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        with ExitStack() as stack:
            for _, cell in _spiking(network):
                stack.enter_context(cell.stepping(spike_time_step(cell.program, cell.dt, self.slowest)))
            activity = network(batch.inputs, batch.background)
        loss = objective(activity, batch)
        loss.backward()
        return Outcome(loss.detach(), activity.output.detach(), activity.spikes.detach())


def _spiking(network: TrainableNetwork) -> list[tuple[int, SpikingCell]]:
    apart = {network.lowered.population(INPUT).block, network.lowered.population(READOUT).block}
    return [(b, cell) for b, cell in enumerate(network.cells) if b not in apart and isinstance(cell, SpikingCell)]


def _refusal(program: StepProgram) -> str | None:
    """Return why spike times of a program have no derivative here."""
    for receptor, variable in program.jumps.items():
        if program.units[variable] != "pA":
            return f"whose receptor {receptor!r} takes its spikes in {program.units[variable]}, not as a current in pA"
    known = {MEMBRANE, REFRACTORY_LEFT, *program.jumps.values()}
    if more := [name for name in program.state if name not in known]:
        return f"whose state has {', '.join(more)} besides the potential and a current for each receptor"
    for statement in program.reset:
        if statement.target == MEMBRANE and statement.expression not in program.constants:
            return f"whose potential is reset to {statement.expression!r}, not to a constant"
    return None
