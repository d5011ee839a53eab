"""Small brains for tests: quick, alive, and with every kind of neuron, receptor and connection rule in them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from twinbrain.network.build import build
from twinbrain.network.layout import lay_out
from twinbrain.network.network import Network
from twinbrain.spec.brain import Brain, LongRange, single_region_brain
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.projection import Projection
from twinbrain.spec.region import Region

CORTEX = """
name = "test/cortex"
summary = "Adaptive pyramidal cells and leaky interneurons."
references = ["10.1152/jn.00686.2005"]

[cells.pyr]
model = "adex"
receptors = ["ampa", "nmda", "gaba_a", "gaba_b"]

[cells.pyr.parameters]
C_m = { lognormal = ["200 pF", 0.1] }
g_L = { normal = ["10 nS", "0.5 nS"], min = "8 nS", max = "12 nS" }
E_L = { uniform = ["-71 mV", "-69 mV"] }
tau_w = { gamma = ["120 ms", 20] }
b = "40 pA"

[cells.pyr.initial]
v = { uniform = ["-70 mV", "-55 mV"] }

[cells.pv]
model = "lif_conductance"
receptors = ["ampa", "gaba_a"]
parameters = { C_m = "100 pF", g_L = "10 nS", V_th = { normal = ["-50 mV", "1 mV"] }, tau_gaba_a = "5 ms" }

[populations.pyr]
cell = "pyr"
size = 40
extent = ["0.3 mm", "0.3 mm", "0.1 mm"]

[populations.pv]
cell = "pv"
size = 10
transmitter = "gaba"
extent = ["0.3 mm", "0.3 mm", "0.1 mm"]

[[projections]]
source = "pyr"
target = "pyr"
receptor = { ampa = 1.0, nmda = 0.2 }
connect = { probability = 0.1 }
weight = { lognormal = ["0.6 nS", 0.4], max = "4 nS" }
delay = { uniform = ["0.5 ms", "3 ms"] }

[[projections]]
source = "pyr"
target = "pv"
receptor = "ampa"
connect = { distance = { probability = 0.6, scale = "0.15 mm" } }
weight = { lognormal = ["1 nS", 0.3] }
delay = "1 ms"

[[projections]]
source = "pv"
target = "pyr"
receptor = { gaba_a = 1.0, gaba_b = 0.05 }
connect = { in_degree = 4 }
weight = { normal = ["3 nS", "0.5 nS"], min = "0 nS" }
delay = { normal = ["0.8 ms", "0.2 ms"] }

[[projections]]
source = "pv"
target = "pv"
receptor = "gaba_a"
connect = { out_degree = 3 }
weight = "2 nS"
delay = "0.6 ms"

[[drives]]
population = "pyr"
receptor = "ampa"
rate = "1900 Hz"
weight = "1.5 nS"

[[drives]]
population = "pv"
receptor = "ampa"
rate = "1500 Hz"
weight = "1 nS"

[ports]
outputs = ["pyr"]

[ports.inputs]
pyr = 0.8
pv = { share = 0.2, glutamate = "ampa", gaba = "gaba_a" }
"""

RELAY = """
name = "test/relay"
summary = "Quadratic relay cells and leaky, current-driven inhibitory cells."

[cells.relay]
model = "izhikevich_2007"
receptors = ["ampa", "nmda", "gaba_a"]
parameters = { C_m = { normal = ["100 pF", "5 pF"] }, a = { uniform = ["0.02/ms", "0.04/ms"] }, t_ref = "1 ms" }

[cells.local]
model = "lif_current"
receptors = ["exponential_current"]
parameters = { C_m = { lognormal = ["250 pF", 0.05] }, tau_exponential_current = { uniform = ["1.5 ms", "2.5 ms"] } }
initial = { v = { uniform = ["-70 mV", "-58 mV"] } }

[populations]
relay = { cell = "relay", size = 20 }
local = { cell = "local", size = 8, transmitter = "gaba" }

[[projections]]
source = "relay"
target = "local"
receptor = "exponential_current"
connect = { total = 60 }
weight = { gamma = ["60 pA", 4] }
delay = { lognormal = ["1.5 ms", 0.3] }

[[projections]]
source = "local"
target = "relay"
receptor = "gaba_a"
connect = { in_degree = 2 }
weight = "1 nS"
delay = "1.2 ms"

[[projections]]
name = "feedback"
source = "local"
target = "local"
receptor = "exponential_current"
connect = { pairs = { source = [0, 1, 2, 3], target = [4, 5, 6, 7] } }
weight = "-40 pA"
delay = "0.1 ms"

[[drives]]
population = "relay"
receptor = "ampa"
rate = "600 Hz"
weight = "2 nS"

[[drives]]
population = "local"
receptor = "exponential_current"
rate = "1000 Hz"
weight = "145 pA"

[ports]
outputs = ["relay", "local"]

[ports.inputs]
relay = { share = 1, glutamate = { ampa = 1.0, nmda = 0.3 } }
"""


def region_data(text: str = CORTEX) -> dict[str, Any]:
    """Return the plain data of a region, to be changed by a test."""
    return tomllib.loads(text)


def two_population_region() -> Region:
    """Return 40 adaptive pyramidal cells and 10 leaky interneurons, with heterogeneous parameters and delays."""
    return Region.parse(region_data(CORTEX))


def relay_region() -> Region:
    """Return 20 quadratic relay cells and 8 leaky ones with current receptors."""
    return Region.parse(region_data(RELAY))


def small_connectome(n_regions: int = 3) -> Connectome:
    """Return a connectome in which every region reaches every other; each third, from the second on, is a relay."""
    rng = np.random.default_rng(n_regions)
    labels = [f"{'TH' if i % 3 == 1 else 'CX'}-{i}" for i in range(n_regions)]
    weight = rng.lognormal(0.0, 1.0, (n_regions, n_regions))
    length = rng.uniform(5.0, 40.0, (n_regions, n_regions))
    np.fill_diagonal(weight, 0.0)
    np.fill_diagonal(length, 0.0)
    return Connectome(weight, length, labels, name="small")


def small_brain(n_regions: int = 3, coupling: float = 1.0) -> Brain:
    """Return a brain of cortical and relay regions: all neuron models and receptors of the library, in four blocks."""
    regions = {"TH-*": relay_region()} if n_regions > 1 else {}
    return Brain(
        name="small",
        connectome=small_connectome(n_regions),
        regions={**regions, "CX-*": two_population_region()},
        long_range=LongRange(in_degree=10, weight="0.4 nS", inhibitory_weight="1 nS", speed="7 m/s"),
        coupling=coupling,
    )


def joined_brain(n_regions: int = 4, **changes: Any) -> Brain:
    """Return `small_brain` with synapses between regions that are declared one by one, by various rules."""
    common = {"weight": {"lognormal": ["0.5 nS", 0.3]}, "delay": {"uniform": ["1 ms", "4 ms"]}}
    given = {
        "connect": {"pairs": {"source": [19, 0, 3], "target": [1, 1, 9]}},
        "weight": {"values": [0.5, 2.0, 1.25], "unit": "nS"},
        "delay": {"values": [0.7, 3.0, 0.1], "unit": "ms"},
    }
    near = {"distance": {"probability": 0.3, "scale": "0.1 mm"}}
    mixed = {"ampa": 1.0, "nmda": 0.5}
    projections = [
        common | {"source": "CX-0.pyr", "target": "TH-1.relay", "receptor": mixed, "connect": {"in_degree": 5}},
        common | {"source": "TH-1.local", "target": "CX-2.pyr", "receptor": "gaba_a", "connect": {"probability": 0.2}},
        common | {"source": "CX-2.pyr", "target": "CX-0.pyr", "receptor": "ampa", "connect": near},
        given | {"source": "TH-1.relay", "target": "CX-0.pv", "receptor": "ampa"},
    ]
    own = {"projections": tuple(map(Projection.parse, projections))}
    brain = small_brain(n_regions)
    return Brain(**{name: getattr(brain, name) for name in Brain.model_fields} | own | changes)


def build_brain(brain: Brain, *, dt: float = 0.1, seed: int = 1, **options: Any) -> Network:
    """Return the network of a brain that holds its connectome."""
    return build(brain, lay_out(brain, brain.connectome, options.get("stimuli", ())), dt=dt, seed=seed, **options)


def build_region(region: Region, *, dt: float = 0.1, seed: int = 1, **options: Any) -> Network:
    """Return the network of a region alone."""
    return build_brain(single_region_brain(region), dt=dt, seed=seed, **options)


def arrays_of(network: Network) -> Iterator[np.ndarray]:
    """Yield every array of a network, in order."""
    for block in network.blocks:
        yield block.neurons
        yield from (values for _, values in sorted(block.constants.items()))
        yield from (values for _, values in sorted(block.initial.items()))
        yield np.array([inlet.quantum for inlet in block.inlets])
    for table in network.tables:
        yield from (table.row_start, table.post, table.weight, table.delay)
    for plastic in network.plastic:
        yield from (plastic.row_start, plastic.post, plastic.delay, plastic.column_start, plastic.column)
        yield from (values for _, values in sorted((plastic.constants | plastic.initial).items()))
    for drive in network.drives:
        yield from (np.array(drive.key), drive.thresholds, np.array([drive.start, drive.stop, drive.weight]))


def fingerprint(network: Network) -> str:
    """Return a digest of every array of a network."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays_of(network))).hexdigest()


def in_another_process(code: str, hash_seed: int) -> str:
    """Return what ``code`` prints in a fresh process, in which sets and hashes have another order."""
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join([root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip()
