"""A variable or a parameter may have any name that the language allows, in every engine."""

import pytest

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import check_spikes_and_samples, outcome
from twinbrain.engines.reference import prepare as reference
from twinbrain.spec.region import Region

# Keywords and types of C++ and Cython, attributes of Brian2's groups, and names of sympy's.
NAMES = (
    "double",
    "int32_t",
    "new",
    "cdef",
    "owner",
    "name",
    "x_post",
    "I",
    "S",
    "oo",
    "beta",
    "input",
    "quantum",
    "inbox",
)


@pytest.fixture(scope="module")
def network():
    variables = "\n".join(f"d{name}/dt = (v - {name})/tau : 1" for name in NAMES[::2])
    parameters = "\n".join(f"{name} : 1" for name in NAMES[1::2])
    total = " + ".join(f"int(v > {name})" for name in NAMES)
    values = ", ".join(f"{name} = 0.{i}" for i, name in enumerate(NAMES[1::2]))
    text = f"""
        name = "test/names"
        models.mine.equations = '''
        dv/dt = (3 + 0.1*({total}))/tau : 1
        {variables}
        {parameters}
        tau : second
        '''
        models.mine.threshold = "v > 1"
        models.mine.reset = "v = -1"
        models.mine.method = "euler"
        models.mine.parameters = {{ tau = "20 ms", {values} }}
        receptors.own = {{ equations = "I_own : amp", jump = "I_own", current = "I_own" }}
        cells.cell = {{ model = "mine", receptors = ["current", "own"] }}
        populations.cell = {{ cell = "cell", size = 3 }}
    """
    return build_region(Region.parse(region_data(text)))


@pytest.mark.parametrize("engine", ["brian2", "brian2-numpy", "torch"])
def test_names_of_other_languages_are_names_like_any_other(engine, network):
    expected = outcome(reference, network, 500)
    assert len(expected.recording.spikes.neuron) > 3
    check_spikes_and_samples(get_engine(engine), network, 500, expected)
