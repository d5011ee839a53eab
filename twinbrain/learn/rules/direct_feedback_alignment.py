"""Direct feedback alignment: the error of the outputs reaches every population, each through random weights."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from twinbrain.learn.batch import Batch, Objective
from twinbrain.learn.fused.threshold import MEMBRANE
from twinbrain.learn.network import TrainableNetwork
from twinbrain.learn.rules.errors import find_errors
from twinbrain.learn.rules.feedback import broadcast_as_feedback, random_broadcast, without_gradient
from twinbrain.learn.rules.readout import Response, readout_response
from twinbrain.learn.rules.rule import Locality, Outcome, Rule

DELAY = 1
"""Steps that a synapse of the readout, for which a random weight stands, is taken to delay a spike by."""


class DirectFeedbackAlignment(Rule):
    """Errors of the outputs reach every neuron through random weights; no gradient goes from neuron to neuron.

    A neuron's spike counts as if it reached the readout through those weights, so an error is that of all outputs from
    then on, as far as they still remember the spike. Within a neuron the gradient goes back in time.
    """

    name = "direct_feedback_alignment"
    locality = Locality(weights="random", signal="error", when="backward", memory="n")
    reference = "arXiv:1609.01596"

    broadcast: Tensor

    def prepare(self, network: TrainableNetwork, objective: Objective, seed: int) -> None:
        """Draw the random weights.

        Raises
        ------
        LearnError
            If the readout is not made of leaky integrators that are alike.
        """
        self.response = readout_response(network, self.name)
        self.register_buffer("broadcast", random_broadcast(network, seed))

    def feedback(self, network: TrainableNetwork) -> Tensor:
        """Return the random weights where synapses of the readout are."""
        return broadcast_as_feedback(network, self.broadcast)

    def learn(self, network: TrainableNetwork, batch: Batch, objective: Objective) -> Outcome:
        """Compute a batch, and set the gradients of what is trained."""
        activity = network(batch.inputs, batch.background, without_gradient(network))
        errors = find_errors(network, activity, batch, objective)
        signal = remembered_errors(errors.output, self.response) @ self.broadcast.T
        late = DELAY + 1
        signal = pad(signal[late:], (0, 0, 0, 0, 0, min(late, len(signal))))
        loss = objective(activity, batch)
        (loss + (activity.spikes * signal).sum()).backward()
        return Outcome(loss.detach(), activity.output.detach(), activity.spikes.detach())


def remembered_errors(error: Tensor, response: Response) -> Tensor:
    """Return the derivative of the loss by what arrives at outputs.

    Parameters
    ----------
    error : Tensor, shape (step, trial, output)
        Its derivative by the outputs.
    response : Response
        Of the outputs.

    Returns
    -------
    Tensor, shape (step, trial, output)
        Those errors of later steps that a spike adds to.
    """
    found = torch.zeros_like(error)
    adjoint = {name: torch.zeros_like(error[0]) for name in response.gain}
    for n in reversed(range(len(error))):
        adjoint[MEMBRANE] = adjoint[MEMBRANE] + error[n]
        for name, gain in response.gain.items():
            found[n] += gain * adjoint[name]
        adjoint = {
            name: sum(
                (share * adjoint[to] for (to, from_), share in response.decay.items() if from_ == name),
                torch.zeros_like(error[0]),
            )
            for name in adjoint
        }
    return found
