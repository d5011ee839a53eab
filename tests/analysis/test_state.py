import numpy as np
import pytest
import xarray as xr

from twinbrain.analysis import state
from twinbrain.errors import SpecError, StoreError


def probe(neurons, scale=1.0, variable="v"):
    values = np.arange(5)[:, None] * scale + np.array(neurons)
    return xr.Dataset(
        {variable: (("time", "neuron"), values, {"units": "mV", "long_name": "membrane potential"})},
        {"time": np.arange(5.0), "neuron": neurons},
    )


@pytest.fixture
def probed(helpers):
    state = {"cortex": probe([0, 1, 40]), "relay": probe([50, 70]), "currents": probe([50], variable="I_syn")}
    return helpers.known_run(duration=100.0, state=state)


def test_neurons_are_found_by_region_and_population(probed):
    v = state(probed, "v", region="A")
    assert v["neuron"].values.tolist() == [0, 1, 40]
    assert v["population"].values.tolist() == ["pyr", "pyr", "pv"]
    assert v["region"].values.tolist() == ["A"] * 3
    assert v.attrs == {"units": "mV", "long_name": "membrane potential"}
    np.testing.assert_array_equal(state(probed, "v", population="pv")[:, 0], 40 + np.arange(5))


def test_values_stay_on_disk_until_they_are_asked_for(probed, save_run):
    assert state(save_run(probed), "v", region="B").chunks is not None


def test_the_record_is_named_where_several_would_do(probed):
    with pytest.raises(SpecError, match="found several; choose one: cortex, relay"):
        state(probed, "v")
    assert state(probed, "v", probe="relay").sizes["neuron"] == 2
    with pytest.raises(SpecError, match="no record 'relays' of 'v'; did you mean 'relay'"):
        state(probed, "v", probe="relays")


def test_what_was_not_recorded_says_what_to_add(probed, run):
    with pytest.raises(StoreError, match=r"'w', found none; Known: I_syn, v; add it to record.state"):
        state(probed, "w")
    with pytest.raises(StoreError, match="Known: none"):
        state(run, "v")
    with pytest.raises(StoreError, match="found records of others: currents"):
        state(probed, "I_syn", region="A")
