"""What happens to equal the time step is a number like any other, in every engine."""

import pytest

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import check_spikes_and_samples, outcome
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region

REGION = """
name = "test/time-step"

[models.mine]
equations = '''
{equations}
tau : second
gain : 1
'''
threshold = "v > 30"
reset = "v = -2"
method = "{method}"
parameters = {{ tau = "{tau}", gain = {gain} }}
initial = {{ v = {{ uniform = [-2, 2] }} }}

[cells.cell]
model = "mine"
receptors = ["current"]

[populations]
cell = {{ cell = "cell", size = 5 }}
"""

QUADRATIC = "dv/dt = (v*v + 0.3)/ms : 1"
MODELS = {
    "a quadratic neuron": (QUADRATIC, "euler", "1 ms", 1.0),
    "a quadratic neuron under rk2": (QUADRATIC, "rk2", "1 ms", 1.0),
    "a quadratic neuron under rk4": (QUADRATIC, "rk4", "1 ms", 1.0),
    "a time constant of one step": ("dv/dt = (v*v + 0.3)/tau : 1", "euler", "{dt} ms", 1.0),
    "a parameter of one step": ("dv/dt = gain*(v*v + 0.3)/ms : 1", "rk2", "1 ms", "{dt}"),
    "a number of one step": ("dv/dt = {dt}*v/ms + (v*v + 0.3)/ms : 1", "rk2", "1 ms", 1.0),
    "a variable over a millisecond": ("dx/dt = (v - x)/ms : 1\ndv/dt = (3 + x)/ms : 1", "euler", "1 ms", 1.0),
    "an exponential step": ("dv/dt = (40 - v)/ms : 1", "exponential_euler", "1 ms", 1.0),
}


# Brian2's code is compiled for each, in seconds: here for this one, in the slow tests for the others.
COMPILED = ("a time constant of one step",)


# Steps of 0.1 ms are what constants of those models equal that name it; the others have constants of 1 ms.
@pytest.mark.parametrize(
    ("model", "dt"),
    [
        *((model, 1.0) for model in MODELS),
        *(
            pytest.param(model, 0.1, marks=[pytest.mark.slow] * ("{dt}" not in str(parts)))
            for model, parts in MODELS.items()
        ),
    ],
)
def test_a_constant_that_equals_the_time_step_gives_the_same_spikes_in_every_engine(model, dt):
    engines = ("brian2-numpy", "torch", *(("brian2",) if dt == 1.0 and model in COMPILED else ()))
    check(model, dt, engines)


@pytest.mark.slow
@pytest.mark.parametrize("model", [model for model in MODELS if model not in COMPILED])
def test_and_in_brian2(model):
    check(model, 1.0, ["brian2"])


def check(model, dt, engines):
    equations, method, tau, gain = (str(part).format(dt=dt) for part in MODELS[model])
    region = REGION.format(equations=equations, method=method, tau=tau, gain=gain)
    record = Record(state=(StateRecord(variable="v", neurons=5, interval="1 ms"),))
    network = build_region(Region.parse(region_data(region)), record=record, dt=dt)
    expected = outcome(reference, network, 600)
    assert len(set(expected.recording.spikes.neuron)) == 5
    for engine in engines:
        check_spikes_and_samples(get_engine(engine), network, 600, expected)
