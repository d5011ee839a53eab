import pytest

from tests.examples import CORTEX, build_brain, region_data, small_brain
from tests.network.test_arriving import brain_sending_gaba
from twinbrain.errors import PlanError, SpecError
from twinbrain.network.build import block_programs
from twinbrain.network.layout import lay_out
from twinbrain.network.plan import check_device_memory, check_memory, plan
from twinbrain.spec.brain import single_region_brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.load import load_region, region_names
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region


def plan_of(brain, dt=0.1, duration=1000.0, record=None):
    layout = lay_out(brain, brain.connectome)
    return plan(brain, layout, block_programs(layout), dt=dt, duration=duration, window=1000.0, record=record)


@pytest.mark.parametrize("n_regions", [6, 24])
def test_a_plan_expects_the_synapses_that_are_built(n_regions):
    brain = small_brain(n_regions)
    found, network = plan_of(brain), build_brain(brain)
    assert found.n_synapses == pytest.approx(network.n_synapses, rel=0.03)
    assert (found.n_regions, found.n_neurons, found.n_blocks) == (n_regions, network.n_neurons, 4)


@pytest.mark.parametrize("name", [name for name in region_names() if not name.startswith("test/")])
def test_a_plan_of_a_shipped_region_expects_the_synapses_that_are_built(name):
    brain = single_region_brain(load_region(name))
    assert plan_of(brain).n_synapses == pytest.approx(build_brain(brain).n_synapses, rel=0.03)


def test_a_plan_knows_that_gaba_and_glutamate_reach_different_numbers_of_receptors():
    brain = brain_sending_gaba()
    assert plan_of(brain).n_synapses == pytest.approx(build_brain(brain).n_synapses, rel=0.02)


def test_a_plan_holds_what_is_built():
    brain = small_brain(12)
    found, network = plan_of(brain), build_brain(brain)
    assert found.bytes_synapses == pytest.approx(sum(table.nbytes for table in network.tables), rel=0.2)
    assert found.bytes_inboxes >= 4 * (network.max_delay + 2) * network.n_inlets
    assert found.bytes_neurons >= sum(
        values.nbytes for block in network.blocks for values in (block.constants | block.initial).values()
    )
    assert found.bytes_peak > found.bytes_synapses + found.bytes_inboxes + found.bytes_neurons


def test_a_longer_run_takes_longer_and_no_more_memory():
    one, other = plan_of(small_brain(3)), plan_of(small_brain(3), duration=10_000.0)
    assert other.bytes_peak == one.bytes_peak
    assert 5 * one.seconds < other.seconds < 11 * one.seconds


def test_a_plan_is_plain_data():
    found = plan_of(small_brain(3)).to_dict()
    assert {type(value) for value in found.values()} == {int, float, tuple}
    assert found["n_neurons"] == 128


def test_a_run_that_fits_passes():
    found = plan_of(small_brain(3))
    check_memory(found, None)
    check_memory(found, "8 GB")
    check_memory(found, f"{found.bytes_peak} B")


@pytest.mark.parametrize("limit", ["100 MB", "0.1GB", " 90 MiB ", "100000 kB", ".1 GB", "{} B"])
def test_a_run_that_does_not_fit_is_refused(limit):
    found = plan_of(small_brain(3))
    with pytest.raises(
        PlanError, match=r"expected a run that fits into 0\..* GB, found a plan of .* GB \(128 neurons, "
    ) as caught:
        check_memory(found, limit.format(found.bytes_peak - 1))
    assert isinstance(caught.value, MemoryError)
    assert "raise run.memory_limit" in str(caught.value)


def test_a_brain_far_too_large_is_refused_by_default():
    brain = small_brain(3)
    rule = brain.long_range.model_copy(update={"in_degree": 10**9})
    with pytest.raises(PlanError, match="found a plan of"):
        check_memory(plan_of(brain.model_copy(update={"long_range": rule})), None)


def test_a_limit_lifts_nothing_above_what_the_machine_has():
    brain = small_brain(3)
    rule = brain.long_range.model_copy(update={"in_degree": 10**9})
    with pytest.raises(PlanError, match="or use a machine with more memory"):
        check_memory(plan_of(brain.model_copy(update={"long_range": rule})), "999 TB")


@pytest.mark.parametrize("limit", ["8", "GB", ". GB", "1.2.3 GB", "8 gigabytes", "8 Gb", "-1 GB", "", "٣ GB", "1e3 GB"])
def test_a_limit_that_is_no_amount_of_memory_is_refused(limit):
    with pytest.raises(SpecError, match=r'run\.memory_limit: expected an amount of memory such as "8 GB", found '):
        check_memory(plan_of(small_brain(1)), limit)


@pytest.mark.parametrize(
    ("delay", "longest"),
    [
        ("20 ms", 20.0),
        ({"uniform": ["1 ms", "30 ms"]}, 30.0),
        ({"normal": ["2 ms", "1 ms"], "max": "9 ms"}, 9.0),
        ({"normal": ["5 ms", "2 ms"]}, 15.0),
        ({"lognormal": ["2 ms", 0.5]}, 24.0),
        ({"gamma": ["2 ms", 4]}, 16.0),
    ],
)
def test_inboxes_last_as_long_as_the_longest_delay(delay, longest):
    data = region_data(CORTEX)
    data["projections"] = [data["projections"][0] | {"delay": delay, "connect": {"in_degree": 200}}]
    brain = single_region_brain(Region.parse(data))
    network, found = build_brain(brain), plan_of(brain)
    n_slots = found.bytes_inboxes / 4 / network.n_inlets
    assert n_slots >= network.max_delay + 2
    assert n_slots == pytest.approx(longest / 0.1 + 4, rel=0.02)


def test_given_inputs_count_with_what_they_hold():
    brain = small_brain(3)
    on = {"regions": "CX-*", "population": "pv", "start": "0 ms", "duration": "1 s"}
    trains = [list(range(50))] * 10
    stimuli = (
        Stimulus.parse({"name": "a", "waveform": {"values": [[1] * 3000] * 10, "unit": "pA", "interval": "1 ms"}} | on),
        Stimulus.parse(
            {"name": "b", "receptor": "ampa", "spikes": {"times": trains, "unit": "ms", "weight": "1 nS"}} | on
        ),
        Stimulus.parse(
            {"name": "c", "receptor": "ampa", "spikes": {"times": trains[0], "unit": "ms", "weight": "1 nS"}} | on
        ),
    )
    layout = lay_out(brain, brain.connectome, stimuli)
    found, without = (
        plan(brain, layout, block_programs(layout), dt=0.1, duration=1000.0, stimuli=given) for given in (stimuli, ())
    )
    network = build_brain(brain, stimuli=stimuli)
    held = network.waveforms[0].values.nbytes + sum(a.nbytes for a in vars(network.events).values())
    assert held <= found.bytes_inputs <= 4 * held
    assert found.bytes_peak - without.bytes_peak == found.bytes_inputs
    assert without.bytes_inputs == 0


def test_a_network_beyond_the_memory_of_a_device_is_refused_before_it_is_built():
    found = plan_of(small_brain(3))
    assert found.bytes_device > found.bytes_synapses + found.bytes_inboxes + found.bytes_neurons
    check_device_memory(found, "cuda", found.bytes_device)
    with pytest.raises(PlanError, match=r"fits into the .* GB that cuda has free, found a plan of .* \(128 neurons, "):
        check_device_memory(found, "cuda", found.bytes_device - 1)


def test_a_plan_counts_what_a_window_records():
    """Measured: 12 neurons, each 0.1 ms: 855 MB in all for windows of 100 s, 1,582 MB for 300 s."""
    region = load_region("cortex/column").without(populations="*[!r]")
    brain = single_region_brain(region)
    layout = lay_out(brain, brain.connectome)
    record = Record(state=(StateRecord(variable="v", neurons=12, interval="0.1 ms"),))

    def peak(window):
        found = plan(brain, layout, block_programs(layout), dt=0.1, duration=300_000.0, window=window, record=record)
        return found.bytes_peak / 1e6

    assert peak(1_000.0) == pytest.approx(430, rel=0.15)
    assert peak(100_000.0) == pytest.approx(855, rel=0.15)
    assert peak(300_000.0) == peak(900_000.0) == pytest.approx(1582, rel=0.15)


def test_a_window_that_takes_too_much_is_refused_with_its_remedy():
    record = Record(state=(StateRecord(variable="v", neurons=40, interval="0.1 ms"),))
    with pytest.raises(PlanError, match=r"record less or make run\.window shorter \(a window holds "):
        check_memory(plan_of(small_brain(60), record=record), "100 MB")


@pytest.mark.parametrize(
    ("model", "dt", "text"),
    [
        (
            "hodgkin_huxley",
            0.1,
            "hodgkin_huxley: its rate is up to 11 % off in steps of 0.1 ms, 1 % in steps of 0.01 ms",
        ),
        ("wang_buzsaki", 0.1, "wang_buzsaki: its rate is up to 23 % off in steps of 0.1 ms, 3 % in steps of 0.01 ms"),
        ("wang_buzsaki", 0.02, "wang_buzsaki: its rate is up to 14 % off in steps of 0.05 ms, 3 % in steps of 0.01 ms"),
        ("wang_buzsaki", 0.01, ""),
        ("adex", 0.1, ""),
    ],
)
def test_a_plan_says_how_far_off_the_rates_of_a_model_are_in_its_steps(model, dt, text):
    cell = {"cells": {"cell": {"model": model}}, "populations": {"cell": {"cell": "cell", "size": 2}}}
    found = plan_of(single_region_brain(Region.parse({"name": "some"} | cell)), dt=dt)
    assert [note.removesuffix(" (run.dt)") for note in found.notes] == ([text] if text else [])
