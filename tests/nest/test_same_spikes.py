"""Models that NEST integrates as twinbrain does have the same spikes in both, in a recurrent network, neuron by neuron.

The comparison of spikes has no tolerance. NEST's threshold is ``>=``, twinbrain's ``>``: with drawn parameters no
potential meets its threshold exactly. The quadratic cells are regular spiking ones: a network of chattering ones turns
a difference in the last bit into another spike within 0.2 s, whoever rounds. Of the traces, rounding is tolerated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.examples import build_region
from twinbrain.network.network import Network
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region

pytest.importorskip("nest", reason="needs NEST: pip install 'twinbrain[nest]'")

from tests.nest.by_nest import Floats, simulate_by_nest, simulate_by_twinbrain, values_of

REGION = """
name = "test/nest"

[cells.cell]
model = "MODEL"
receptors = ["RECEPTOR"]
PARAMETERS

[populations]
exc = { cell = "cell", size = 120 }
inh = { cell = "cell", size = 30, transmitter = "gaba" }

[[projections]]
source = "exc"
target = "exc"
receptor = "RECEPTOR"
connect = { probability = 0.2 }
weight = { lognormal = ["EXCITATION", 0.5] }
delay = { uniform = ["0.1 ms", "3 ms"] }

[[projections]]
source = "exc"
target = "inh"
receptor = "RECEPTOR"
connect = { probability = 0.2 }
weight = { lognormal = ["EXCITATION", 0.5] }
delay = "0.1 ms"

[[projections]]
source = "inh"
target = "exc"
receptor = "RECEPTOR"
connect = { probability = 0.3 }
weight = { normal = ["INHIBITION", "SPREAD"] }
delay = { uniform = ["0.1 ms", "2 ms"] }

[[projections]]
source = "inh"
target = "inh"
receptor = "RECEPTOR"
connect = { in_degree = 8 }
weight = "INHIBITION"
delay = { normal = ["1 ms", "0.3 ms"] }
"""

LEAKY = """
initial = { v = { uniform = ["-70 mV", "-56 mV"] } }

[cells.cell.parameters]
C_m = { lognormal = ["250 pF", 0.1] }
g_L = { normal = ["25 nS", "2 nS"] }
E_L = { uniform = ["-71 mV", "-69 mV"] }
V_th = { normal = ["-55 mV", "1 mV"] }
V_reset = { uniform = ["-72 mV", "-68 mV"] }
t_ref = { uniform = ["1 ms", "3 ms"] }
I_e = { uniform = ["350 pA", "430 pA"] }
"""

QUADRATIC = """
initial = { v = { uniform = ["-70 mV", "-50 mV"] }, u = "-13 mV/ms" }

[cells.cell.parameters]
a = { uniform = ["0.02/ms", "0.03/ms"] }
b = { uniform = ["0.18/ms", "0.21/ms"] }
c = { uniform = ["-67 mV", "-63 mV"] }
d = { uniform = ["6 mV/ms", "9 mV/ms"] }
I_e = { uniform = ["4 pA", "10 pA"] }
"""


def quadratic(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    initial = network.blocks[0].initial
    return {
        **{name: values[name] for name in ("a", "b", "c", "d", "I_e")},
        **{"consistent_integration": True, "V_m": initial["v"], "U_m": initial["u"]},
    }


def leaky(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    refractory_steps = np.floor(values["t_ref"] / network.dt + 0.5)
    return {
        **{name: values[name] for name in ("C_m", "E_L", "V_th", "V_reset", "I_e")},
        "tau_m": values["C_m"] / values["g_L"],
        # Of n steps, NEST clamps n and twinbrain n - 1.
        "t_ref": (refractory_steps - 1) * network.dt,
        "V_m": network.blocks[0].initial["v"],
    }


def leaky_with_time_constants(receptor: str) -> Callable[[Network, dict[str, Floats]], dict[str, Floats]]:
    def status(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
        tau = values[f"tau_{receptor}"]
        return leaky(network, values) | {"tau_syn_ex": tau, "tau_syn_in": tau}

    return status


@dataclass(frozen=True)
class Case:
    """A model here and in NEST; weights as (excitation, inhibition, its spread).

    A spike of step n with delay d moves NEST's potential at the end of step n + d, and ours at that of n + d + 1: for
    such jumps NEST's delays are one step longer (``extra_delay``).
    """

    nest: str
    model: str
    receptor: str
    parameters: str
    weights: tuple[str, str, str]
    status: Callable[[Network, dict[str, Floats]], dict[str, Floats]]
    traces: dict[str, str]
    extra_delay: int = 0
    tolerance: float = 1e-9

    def region(self) -> Region:
        text = REGION.replace("PARAMETERS", self.parameters)
        names = ("EXCITATION", "INHIBITION", "SPREAD")
        for name, value in zip(("MODEL", "RECEPTOR", *names), (self.model, self.receptor, *self.weights), strict=True):
            text = text.replace(name, value)
        return Region.parse(tomllib.loads(text))


CASES = [
    Case(
        "iaf_psc_exp",
        "lif_current",
        "exponential_current",
        LEAKY + 'tau_exponential_current = { uniform = ["1.5 ms", "4 ms"] }\n',
        ("60 pA", "-150 pA", "30 pA"),
        leaky_with_time_constants("exponential_current"),
        {"V_m": "v"},
    ),
    Case(
        "iaf_psc_alpha",
        "lif_current",
        "alpha_current",
        LEAKY + 'tau_alpha_current = { uniform = ["1 ms", "3 ms"] }\n',
        ("60 pA", "-150 pA", "30 pA"),
        leaky_with_time_constants("alpha_current"),
        {"V_m": "v"},
    ),
    Case(
        "izhikevich",
        "izhikevich_2003",
        "delta",
        QUADRATIC,
        ("0.3 mV", "-0.8 mV", "0.2 mV"),
        quadratic,
        {"V_m": "v", "U_m": "u"},
        extra_delay=1,
        tolerance=1e-6,  # on its way to the peak the potential multiplies what rounding left
    ),
    Case(
        "iaf_psc_delta",
        "lif_current",
        "delta",
        LEAKY,
        ("0.5 mV", "-1.2 mV", "0.2 mV"),
        leaky,
        {"V_m": "v"},
        extra_delay=1,
    ),
]
N_STEPS = 10_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.nest)
def test_a_recurrent_network_spikes_as_in_nest(case):
    region = case.region()
    state = tuple(StateRecord(variable=name, neurons=10, interval="0.1 ms") for name in case.traces.values())
    network = build_region(region, record=Record(state=state))
    status = case.status(network, values_of(network, region))
    expected, expected_traces = simulate_by_nest(
        network, case.nest, status, N_STEPS, extra_delay=case.extra_delay, record=case.traces
    )
    spikes, traces = simulate_by_twinbrain(network, N_STEPS)
    assert len(expected) > 2000
    assert len(set(expected[:, 1])) > 100
    np.testing.assert_array_equal(spikes, expected)
    for probe in network.probes:
        # Rounding alone: both carry some 1e-14 of 70 mV a step.
        theirs = expected_traces[probe.variable][:, probe.places]
        np.testing.assert_allclose(traces[probe.variable], theirs, rtol=0, atol=case.tolerance)
