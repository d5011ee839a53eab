"""Neuron models of the library: equations, units, defaults, sources; one family a file."""

from twinbrain.models.neurons.adaptive_exponential import ADEX, EIF
from twinbrain.models.neurons.generalised import GLIF
from twinbrain.models.neurons.hodgkin_huxley import HODGKIN_HUXLEY, WANG_BUZSAKI
from twinbrain.models.neurons.in_and_out import LEAKY_INTEGRATOR, RELAY
from twinbrain.models.neurons.integrate_and_fire import ALIF, LIF_CONDUCTANCE, LIF_CURRENT
from twinbrain.models.neurons.izhikevich import IZHIKEVICH_2003, IZHIKEVICH_2007

NEURON_MODELS = {
    "lif_current": LIF_CURRENT,
    "lif_conductance": LIF_CONDUCTANCE,
    "alif": ALIF,
    "eif": EIF,
    "adex": ADEX,
    "izhikevich_2003": IZHIKEVICH_2003,
    "izhikevich_2007": IZHIKEVICH_2007,
    "glif": GLIF,
    "hodgkin_huxley": HODGKIN_HUXLEY,
    "wang_buzsaki": WANG_BUZSAKI,
    "relay": RELAY,
    "leaky_integrator": LEAKY_INTEGRATOR,
}

__all__ = [
    "ADEX",
    "ALIF",
    "EIF",
    "GLIF",
    "HODGKIN_HUXLEY",
    "IZHIKEVICH_2003",
    "IZHIKEVICH_2007",
    "LEAKY_INTEGRATOR",
    "LIF_CONDUCTANCE",
    "LIF_CURRENT",
    "NEURON_MODELS",
    "RELAY",
    "WANG_BUZSAKI",
]
