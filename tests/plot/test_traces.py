import numpy as np
import pytest

import twinbrain as tb
from tests.figures import overlaps
from twinbrain import plot
from twinbrain.errors import SpecError, StoreError


@pytest.fixture(scope="module")
def run():
    region = tb.load_region("basal_ganglia/pallidum")
    record = tb.Record(
        state=(
            tb.StateRecord(variable="v", neurons=[3, 9]),
            tb.StateRecord(variable="I_syn", neurons=slice(0, 40, 2), interval="0.5 ms"),
        )
    )
    pulse = tb.Stimulus(
        name="push", population=next(iter(region.populations)), current="100 pA", start="20 ms", duration="20 ms"
    )
    return tb.simulate(region, duration="60 ms", engine="reference", record=record, stimuli=[pulse])


def test_recorded_neurons_have_a_lane_each_named_by_number(run, tmp_path):
    ax = plot.traces(run, "v")
    names = [text.get_text() for text in ax.get_yticklabels()]
    state = run.twin.state("v")
    assert names == [f"{p} {n}" for p, n in zip(state["population"].values, state["neuron"].values, strict=True)]
    lane = ax.lines[0].get_ydata()
    np.testing.assert_allclose(np.diff(lane), np.diff(state.values[:, 0]), atol=1e-9)
    plot.save(ax, tmp_path / "traces.png", dpi=80)
    assert overlaps(ax.get_figure()) == []


def test_a_single_neuron_is_drawn_where_it_keeps_its_dimension(run):
    assert len(plot.traces(run.isel(neuron=[1], missing_dims="ignore"), "v").get_yticklabels()) == 1
    with pytest.raises(StoreError, match=r"expected state/.* a single neuron was selected: give the whole run"):
        plot.traces(run.isel(neuron=0), "v")


def test_currents_are_drawn_of_some_neurons_and_of_a_part_of_the_run(run):
    ax = plot.traces(run, "I_syn", start="10 ms", stop="30 ms", n_neurons=4)
    assert len(ax.get_yticklabels()) == 4
    assert ax.get_xlim() == (10, 30)
    assert any("pA" in text.get_text() for text in ax.texts)


def test_what_was_not_recorded_cannot_be_drawn(run):
    with pytest.raises(tb.StoreError, match="expected a record of the state variable 'I_ampa'"):
        plot.traces(run, "I_ampa")


@pytest.mark.parametrize("several", [{"variable": ["v", "I_syn"]}, {"variable": "v", "probe": ["a", "b"]}])
def test_one_variable_of_one_record_is_drawn(run, several):
    what = [*several][-1]
    with pytest.raises(SpecError, match=f"{what}: expected the name of one {what}, found .*; take one after the other"):
        plot.traces(run, **several)
