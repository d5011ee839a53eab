"""One network in PyTorch."""

from __future__ import annotations

from twinbrain.engines.base import Recording, SimulationState, Spikes
from twinbrain.engines.torch.batch import prepare_batch
from twinbrain.network.network import Network


def prepare(
    network: Network, *, device: str = "cpu", precision: str = "float64", fused: bool | None = None
) -> TorchSimulation:
    """Return a simulation of ``network`` at step 0; see `prepare_batch`."""
    return TorchSimulation(network, device, precision, fused)


class TorchSimulation:
    """See `twinbrain.engines.base.Simulation`: a batch of one."""

    def __init__(self, network: Network, device: str, precision: str, fused: bool | None = None) -> None:
        self.network = network
        self._batch = prepare_batch([network], device=device, precision=precision, fused=fused)

    @property
    def step(self) -> int:
        """The next step to compute."""
        return self._batch.step

    def advance(self, n_steps: int) -> None:
        """Compute ``n_steps`` steps."""
        self._batch.advance(n_steps)

    def inject(self, spikes: Spikes) -> None:
        """Deliver spikes of neurons that are computed elsewhere."""
        self._batch.inject([spikes])

    def collect(self) -> Recording:
        """Return and forget what was recorded."""
        return self._batch.collect()[0]

    def state(self) -> SimulationState:
        """Return a copy of the state."""
        return self._batch.state()[0]

    def restore(self, state: SimulationState) -> None:
        """Go on from a state of any engine; what was recorded is forgotten."""
        self._batch.restore([state])

    def close(self) -> None:
        """Do nothing: all it holds is memory."""
