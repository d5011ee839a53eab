"""What a trial costs: the counts together, in one place and one text."""

from __future__ import annotations

from dataclasses import dataclass

from twinbrain.learn.metrics.energy import CAVEATS, Precision, break_even_spikes, energy
from twinbrain.learn.metrics.operations import Operations


@dataclass(frozen=True)
class Cost:
    """Costs by NeuroBench's definitions.

    Parameters
    ----------
    footprint : int (bytes)
        Memory of all parameters and buffers, zeros included.
    connection_sparsity : float
        Share of weights that are 0.
    activation_sparsity : float
        Share of activities that are 0.
    operations : Operations
        Synaptic operations of a trial.
    membrane_updates : float
        Changes of membrane potentials in a trial.
    neuron_operations : float
        Arithmetic of these updates in a trial; NaN of neurons whose arithmetic is not known.
    spikes_per_neuron : float
        Spikes of a spiking neuron in a trial; NaN where there are none.
    """

    footprint: int
    connection_sparsity: float
    activation_sparsity: float
    operations: Operations
    membrane_updates: float = 0.0
    neuron_operations: float = 0.0
    spikes_per_neuron: float = float("nan")

    def energy(self, precision: Precision = "float32") -> float:
        """Return the energy of the synaptic operations of a trial (pJ); read `CAVEATS` along with it."""
        return energy(self.operations, precision)

    def __str__(self) -> str:
        rows = {
            "footprint": f"{self.footprint:,} bytes",
            "connection sparsity": f"{self.connection_sparsity:.3f}",
            "activation sparsity": f"{self.activation_sparsity:.3f}",
            "synaptic operations, dense": f"{self.operations.dense:,.0f} a trial",
            "effective multiply-accumulates": f"{self.operations.macs:,.0f} a trial",
            "effective accumulates": f"{self.operations.acs:,.0f} a trial",
            "membrane updates": f"{self.membrane_updates:,.0f} a trial",
            "neuron operations": f"{self.neuron_operations:,.0f} a trial",
            "energy of synaptic arithmetic": f"{self.energy() / 1000:,.3g} nJ a trial",
        }
        if self.spikes_per_neuron == self.spikes_per_neuron:
            rows["spikes"] = f"{self.spikes_per_neuron:.3g} a neuron (break-even: {break_even_spikes():.1f})"
        width = max(map(len, rows))
        return "\n".join([*(f"{name:<{width}}  {value}" for name, value in rows.items()), "", CAVEATS])
