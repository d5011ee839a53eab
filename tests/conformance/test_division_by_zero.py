"""What is 0/0 is nan in every engine, and never 0."""

import numpy as np
import pytest

from tests.examples import build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.engines.conformance import outcome
from twinbrain.spec.region import Region

# Where v is 0, of every variable: the value of which is 0/0 there, and its limit.
FORMS = {
    "rate": "v/(exp(v) - 1)",
    "quotient": "v/(3*v + v*v)",
    "sine": "sin(v)/v",
    "root": "sqrt(v*v)/v",
    "apart": "(1 - cos(v))/(v*v)",
}
LIMIT = "1/exprel(v)"


@pytest.fixture(scope="module")
def network():
    variables = "\n".join(f"d{name}/dt = ({form} - {name})/tau : 1" for name, form in FORMS.items())
    text = f"""
        name = "test/zero"
        models.mine.equations = '''
        dv/dt = 0*v/tau : 1
        {variables}
        dlimit/dt = ({LIMIT} - limit)/tau : 1
        dcancelled/dt = (v/v - cancelled)/tau : 1
        tau : second
        '''
        models.mine.threshold = "v > 1"
        models.mine.reset = "v = 0"
        models.mine.method = "euler"
        models.mine.parameters = {{ tau = "20 ms" }}
        cells.cell = {{ model = "mine", receptors = ["current"] }}
        populations.cell = {{ cell = "cell", size = 2 }}
    """
    return build_region(Region.parse(region_data(text)))


@pytest.mark.parametrize("engine", ["reference", "brian2", "brian2-numpy", "torch"])
def test_zero_by_zero_is_nan_in_every_engine(engine, network):
    with np.errstate(all="ignore"):
        state = outcome(get_engine(engine), network, 3).state.variables
    told = {name for name in FORMS if np.isnan(state[f"mine/{name}"]).all()}
    assert told == set(FORMS)
    for name in ("limit", "cancelled"):  # what cancels for every v is gone before
        assert state[f"mine/{name}"] == pytest.approx(1 - (1 - 0.1 / 20) ** 3)


@pytest.mark.parametrize("engine", ["reference", "brian2-numpy", "torch"])
def test_division_by_a_number_that_a_reset_gave_is_that_of_floats(engine):
    text = """
        name = "test/zero"
        models.mine.equations = '''
        dv/dt = 1/ms : 1
        du/dt = 0*u/ms : 1
        dw/dt = 0*w/ms : 1
        '''
        models.mine.threshold = "v > 0.25"
        models.mine.reset = "v = 0; u = u/v; w = w/v"
        models.mine.method = "euler"
        models.mine.initial = { u = 1 }
        cells.cell = { model = "mine" }
        populations.cell = { cell = "cell", size = 2 }
    """
    with np.errstate(all="ignore"):
        state = outcome(get_engine(engine), build_region(Region.parse(region_data(text))), 3).state.variables
    assert np.array_equal(state["mine/u"], [np.inf, np.inf])
    assert np.isnan(state["mine/w"]).all()
