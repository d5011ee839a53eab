"""Models that NEST integrates by another method agree with it the better the smaller the step.

NEST solves these with an adaptive Runge-Kutta method (its GLIF neuron exactly), so what remains is twinbrain's error:
its methods are of first order, so half the step must leave half the difference, and a mistake in the equations would
stay. Intervals of spikes halve less evenly: they are counted in steps, and Euler's error in the upswing of an
exponential neuron falls like h log(1/h).
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

from tests.nest.by_nest import Floats, Given, simulate_by_nest, simulate_by_twinbrain, values_of

Status = Callable[[Network, dict[str, Floats]], dict[str, Floats]]

REGION = """
name = "test/nest"

[cells.cell]
model = "MODEL"
receptors = RECEPTORS
initial = INITIAL

[cells.cell.parameters]
PARAMETERS

[populations]
source = { cell = "cell", size = 10 }
cell = { cell = "cell", size = 40 }
"""
PROJECTION = """
[[projections]]
source = "source"
target = "cell"
receptor = "RECEPTOR"
connect = { in_degree = 3 }
weight = { lognormal = ["WEIGHT", 0.5] }
delay = "DELAY"
"""


@dataclass(frozen=True)
class Case:
    """A model here and in NEST.

    Parameters
    ----------
    weights : dict of str to str
        For each receptor, the mean weight.
    parameters, initial : str
        Of the cells, drawn for each.
    current : str
        Constant current that makes every cell spike.
    status : callable
        Returns NEST's parameters.
    largest : float (mV)
        Bound of the difference between membrane potentials below the threshold, at 0.1 ms: half as much again as found.
    interval : float
        Bound of the relative difference between a neuron's mean intervals of spikes, at ``step``: likewise.
    step : float (ms)
        The larger of the two at which intervals are compared.
    duration : float (ms)
        Of each simulation.
    port : int
        NEST's number of the receptor.
    """

    nest: str
    model: str
    weights: dict[str, str]
    parameters: str
    initial: str
    current: str
    status: Status
    largest: float
    interval: float
    step: float = 0.1
    duration: float = 200.0
    port: int = 0

    def region(self, *, connected: bool = True, **parameters: str) -> Region:
        text = REGION.replace("MODEL", self.model).replace("RECEPTORS", str(list(self.weights)))
        lines = [self.parameters, *(f"{name} = {value}" for name, value in parameters.items())]
        text = text.replace("INITIAL", self.initial).replace("PARAMETERS", "\n".join(lines))
        weights = self.weights if connected else {}
        for (receptor, weight), delay in zip(weights.items(), ("1.5 ms", "0.8 ms"), strict=False):
            text += PROJECTION.replace("RECEPTOR", receptor).replace("WEIGHT", weight).replace("DELAY", delay)
        return Region.parse(tomllib.loads(text))


def conductances(values: dict[str, Floats]) -> dict[str, Floats]:
    return {
        **{"E_ex": values["E_ampa"], "E_in": values["E_gaba_a"]},
        **{"tau_syn_ex": values["tau_ampa"], "tau_syn_in": values["tau_gaba_a"]},
    }


def refractory(network: Network, values: dict[str, Floats]) -> Floats:
    # Of n steps, NEST clamps n and twinbrain n - 1.
    return (np.floor(values["t_ref"] / network.dt + 0.5) - 1) * network.dt


def leaky(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    same = {name: values[name] for name in ("C_m", "g_L", "E_L", "V_th", "V_reset", "I_e")}
    return same | conductances(values) | {"t_ref": refractory(network, values), "V_m": network.blocks[0].initial["v"]}


def adaptive(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    same = ("C_m", "g_L", "E_L", "Delta_T", "V_peak", "V_reset", "a", "b", "tau_w", "I_e")
    return {
        **{name: values[name] for name in same},
        **{"V_th": values["V_T"], "t_ref": refractory(network, values), "gsl_error_tol": 1e-9},
        **{"V_m": network.blocks[0].initial["v"], "w": network.blocks[0].initial["w"]},
    }


def adaptive_by_conductance(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    return adaptive(network, values) | conductances(values)


def adaptive_by_current(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    tau = values["tau_exponential_current"]
    return adaptive(network, values) | {"tau_syn_ex": tau, "tau_syn_in": tau}


def generalised(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    names = {
        **{"C_m": "C_m", "g": "g_L", "E_L": "E_L", "V_th": "theta_inf"},
        **{"voltage_reset_fraction": "f_v", "voltage_reset_add": "delta_v"},
        **{"th_spike_add": "delta_theta_s", "th_spike_decay": "b_s"},
        **{"th_voltage_index": "a_v", "th_voltage_decay": "b_v"},
    }
    pairs = {"asc_decay": "k_{}", "asc_amps": "delta_I_{}", "asc_r": "f_{}"}
    return {
        **dict.fromkeys(("spike_dependent_threshold", "after_spike_currents", "adapting_threshold"), True),
        **{theirs: values[ours] for theirs, ours in names.items()},
        **{theirs: np.stack([values[ours.format(i)] for i in (1, 2)], axis=1) for theirs, ours in pairs.items()},
        **{"tau_syn": values["tau_alpha_current"][:, None], "asc_init": np.zeros((network.n_neurons, 2))},
        **{"t_ref": refractory(network, values), "V_m": network.blocks[0].initial["v"]},
    }


def channels(network: Network, values: dict[str, Floats]) -> dict[str, Floats]:
    same = ("C_m", "g_L", "g_Na", "g_K", "E_L", "E_Na", "E_K", "V_T", "I_e")
    initial = {"V_m": "v", "Act_m": "m", "Inact_h": "h", "Act_n": "n"}
    return {
        **{name: values[name] for name in same},
        **{theirs: network.blocks[0].initial[ours] for theirs, ours in initial.items()},
        **conductances(values),
    }


ADAPTIVE = """
C_m = { lognormal = ["200 pF", 0.1] }
g_L = { normal = ["12 nS", "1 nS"] }
E_L = { uniform = ["-71 mV", "-69 mV"] }
Delta_T = { uniform = ["1.5 mV", "2.5 mV"] }
tau_w = { uniform = ["100 ms", "200 ms"] }
a = { uniform = ["1 nS", "4 nS"] }
b = { uniform = ["20 pA", "60 pA"] }
V_reset = { uniform = ["-60 mV", "-57 mV"] }
t_ref = "2 ms"
"""
CONDUCTANCES = """
tau_ampa = { uniform = ["1 ms", "3 ms"] }
tau_gaba_a = { uniform = ["4 ms", "8 ms"] }
E_gaba_a = { uniform = ["-82 mV", "-75 mV"] }
"""
CASES = [
    Case(
        "iaf_cond_exp",
        "lif_conductance",
        {"ampa": "1.5 nS", "gaba_a": "3 nS"},
        """
C_m = { lognormal = ["250 pF", 0.1] }
g_L = { normal = ["16 nS", "1 nS"] }
E_L = { uniform = ["-71 mV", "-69 mV"] }
V_th = { normal = ["-50 mV", "1 mV"] }
V_reset = { uniform = ["-62 mV", "-58 mV"] }
t_ref = "2 ms"
"""
        + CONDUCTANCES,
        '{ v = { uniform = ["-70 mV", "-60 mV"] } }',
        '{ uniform = ["400 pA", "600 pA"] }',
        leaky,
        largest=0.2,
        interval=0.015,
    ),
    Case(
        "aeif_cond_exp",
        "adex",
        {"ampa": "1.5 nS", "gaba_a": "3 nS"},
        ADAPTIVE + CONDUCTANCES,
        '{ v = { uniform = ["-70 mV", "-60 mV"] }, w = { uniform = ["0 pA", "40 pA"] } }',
        '{ uniform = ["500 pA", "700 pA"] }',
        adaptive_by_conductance,
        largest=0.3,
        interval=0.03,
    ),
    Case(
        "aeif_psc_exp",
        "adex",
        {"exponential_current": "60 pA"},
        ADAPTIVE + 'tau_exponential_current = { uniform = ["1 ms", "4 ms"] }\n',
        '{ v = { uniform = ["-70 mV", "-60 mV"] }, w = { uniform = ["0 pA", "40 pA"] } }',
        '{ uniform = ["500 pA", "700 pA"] }',
        adaptive_by_current,
        largest=0.35,
        interval=0.03,
    ),
    Case(
        "glif_psc",
        "glif",
        {"alpha_current": "20 pA"},
        """
C_m = { lognormal = ["58.72 pF", 0.1] }
g_L = { normal = ["9.43 nS", "0.5 nS"] }
E_L = { uniform = ["-80 mV", "-78 mV"] }
theta_inf = { uniform = ["-53 mV", "-50 mV"] }
t_ref = "3.7 ms"
delta_I_2 = { uniform = ["-200 pA", "-150 pA"] }
delta_theta_s = { uniform = ["0.3 mV", "0.6 mV"] }
tau_alpha_current = { uniform = ["1 ms", "3 ms"] }
""",
        '{ v = { uniform = ["-79 mV", "-70 mV"] } }',
        '{ uniform = ["350 pA", "450 pA"] }',
        generalised,
        largest=0.15,
        interval=0.005,
        port=1,
    ),
    Case(
        "hh_cond_exp_traub",
        "hodgkin_huxley",
        {"ampa": "0.8 nS", "gaba_a": "3 nS"},
        """
C_m = { lognormal = ["200 pF", 0.1] }
g_L = { normal = ["10 nS", "0.5 nS"] }
g_K = { normal = ["6000 nS", "200 nS"] }
"""
        + CONDUCTANCES,
        '{ v = { uniform = ["-67 mV", "-63 mV"] } }',
        '{ uniform = ["200 pA", "400 pA"] }',
        channels,
        largest=0.15,
        interval=0.06,
        step=0.05,
        duration=100.0,
    ),
]


def given_spikes(duration: float, rate: float = 40.0, n: int = 10) -> Given:
    """Return irregular spike times, in whole tenths of a millisecond."""
    rng = np.random.default_rng(7)
    return [np.unique(rng.integers(1, round(10 * duration), round(rate * duration / 1e3))) / 10.0 for _ in range(n)]


def membrane_difference(case: Case, dt: float) -> tuple[float, float]:
    """Return the largest difference of the membrane potential from NEST's, and the range that the latter covers."""
    region = case.region()
    record = Record(state=(StateRecord(variable="v", population="cell", neurons=40, interval="0.1 ms"),))
    network = build_region(region, dt=dt, record=record)
    n_steps, given = round(case.duration / dt), given_spikes(case.duration)
    status = case.status(network, values_of(network, region))
    inhibitory = ("gaba_a",)
    spikes, expected = simulate_by_nest(
        network, case.nest, status, n_steps, record={"V_m": "v"}, given=given, inhibitory=inhibitory, port=case.port
    )
    own_spikes, traces = simulate_by_twinbrain(network, n_steps, given)
    assert len(spikes) == len(own_spikes) == 0
    probe = network.probes[0]
    theirs = expected["v"][probe.every - 1 :: probe.every, probe.places]
    return float(np.abs(traces["v"] - theirs).max()), float(np.ptp(theirs[len(theirs) // 2 :]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.nest)
def test_the_membrane_follows_nest_twice_as_closely_with_half_the_step(case):
    coarse, covered = membrane_difference(case, 0.1)
    fine, _ = membrane_difference(case, 0.05)
    assert covered > 5.0
    assert coarse < case.largest
    assert 0.4 < fine / coarse < 0.6


def spike_times(spikes, dt: float, n_neurons: int) -> list[Floats]:
    """Return each neuron's spike times (ms), at the ends of their steps."""
    return [(spikes[spikes[:, 1] == i, 0] + 1) * dt for i in range(n_neurons)]


def interval_difference(own: list[Floats], theirs: list[Floats]) -> Floats:
    """Return each neuron's relative difference of the mean interval, over the spikes that both have."""
    n = [min(len(a), len(b)) for a, b in zip(own, theirs, strict=True)]
    return np.array([np.ptp(a[:m]) / np.ptp(b[:m]) - 1 for a, b, m in zip(own, theirs, n, strict=True)])


# Without synapses, adex is adex.
@pytest.mark.parametrize("case", [c for c in CASES if c.nest != "aeif_psc_exp"], ids=lambda case: case.nest)
def test_spikes_have_nests_intervals_about_twice_as_closely_with_half_the_step(case):
    region = case.region(connected=False, I_e=case.current)
    duration, finest = case.duration, 0.02
    fine = build_region(region, dt=finest)
    values = values_of(fine, region)
    status = case.status(fine, values)
    current = None if "I_e" in status else values["I_e"]
    spikes, _ = simulate_by_nest(fine, case.nest, status, round(duration / finest), constant_current=current)
    theirs = spike_times(spikes, finest, fine.n_neurons)
    assert min(map(len, theirs)) > 3
    differences = []
    for dt in (case.step, case.step / 2):
        network = build_region(region, dt=dt)
        spikes, _ = simulate_by_twinbrain(network, round(duration / dt))
        own = spike_times(spikes, dt, network.n_neurons)
        # At the end of the run one may have a spike that the other has just after it.
        assert max(abs(len(a) - len(b)) for a, b in zip(own, theirs, strict=True)) <= 1
        differences.append(interval_difference(own, theirs))
    coarse, half = (float(np.abs(difference).max()) for difference in differences)
    assert coarse < case.interval
    assert half < 0.75 * coarse
