"""The plastic synapses of a run can be read, also of one that was interrupted; it resumes to the same bits."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import RELAY, build_region, region_data
from twinbrain.engines.base import get_engine
from twinbrain.run.synapses import synapses_of


def region():
    """Return a lively region with facilitation and spike-timing-dependent plasticity."""
    data = region_data(RELAY)
    data["drives"][0]["weight"], data["drives"][1]["weight"] = "8 nS", "400 pA"
    data["projections"][0]["plasticity"] = {"model": "pair_stdp", "parameters": {"w_max": "300 pA", "A_plus": 0.05}}
    data["projections"][1]["plasticity"] = "tsodyks_markram"
    return tb.Region.parse(data)


def test_a_run_tells_its_synapses_with_their_ends_and_units(simulate, tmp_path):
    run = simulate("plastic.zarr", model=region(), engine="brian2-numpy")
    found = tb.read_synapses(tmp_path / "plastic.zarr")
    assert set(found) == {"exponential_current_pair_stdp", "gaba_a_tsodyks_markram"}
    pairs = found["exponential_current_pair_stdp"]
    assert pairs.attrs == {"receptor": "exponential_current", "rule": "pair_stdp", "time": 30.0}
    assert pairs["w"].attrs["units"] == "pA"
    assert pairs.sizes["synapse"] == 60
    assert (pairs["source"] < 20).all()
    assert (pairs["target"] >= 20).all()
    assert ((pairs["w"] >= 0) & (pairs["w"] <= 300)).all()
    assert np.count_nonzero(pairs["w"] != pairs["initial_w"]) > 30
    np.testing.assert_array_equal(found["gaba_a_tsodyks_markram"]["w"], 1.0)
    assert run["network"]["plasticity"].values.tolist() == ["", "pair_stdp", "tsodyks_markram"]


def test_an_interrupted_run_of_plastic_synapses_resumes_to_the_same_bits(simulate, same, interrupt_at, tmp_path):
    whole = simulate("whole.zarr", model=region())
    with pytest.raises(tb.RunInterrupted):
        simulate("run.zarr", model=region(), progress=interrupt_at(200))
    assert tb.read_synapses(tmp_path / "run.zarr")["gaba_a_tsodyks_markram"].attrs["time"] == 20.0
    same(tb.resume(tmp_path / "run.zarr"), whole)


def test_variables_are_told_as_of_that_time_and_not_of_the_last_spike():
    """Resources recover exponentially while nothing happens."""
    network = build_region(region())
    simulation = get_engine("reference")(network)
    simulation.advance(300)
    variables = simulation.state().variables
    now, later = (synapses_of(network, variables, step)["gaba_a_tsodyks_markram"] for step in (300, 1300))
    missing = 1 - now["x"].values
    assert missing.max() > 0.01
    np.testing.assert_allclose(1 - later["x"].values, missing * np.exp(-100 / 100), rtol=1e-9)
