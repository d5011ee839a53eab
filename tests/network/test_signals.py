import numpy as np
import pytest

from tests.examples import CORTEX, build_brain, build_region, region_data, small_brain
from twinbrain.engines.waveforms import amounts
from twinbrain.errors import SpecError
from twinbrain.network.build import check_references
from twinbrain.network.layout import lay_out
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.record import Record
from twinbrain.spec.region import Region

N_PV = 10


def stimulus(**given):
    return Stimulus.parse(
        {"name": "x", "regions": "CX-*", "population": "pv", "start": "2 ms", "duration": "10 ms"} | given
    )


def build(*given, **options):
    return build_brain(
        small_brain(3), stimuli=tuple(stimulus(name=f"s{i}", **g) for i, g in enumerate(given)), **options
    )


def inlet_of(network, block, receptor):
    blocks = {block.name: block for block in network.blocks}
    return next(inlet for inlet in blocks[block].inlets if inlet.receptor == receptor)


def course(given, n_steps=200, **options):
    """Return what a stimulus adds in each step to a neuron of CX-0, in pA."""
    network = build(given, **options)
    waveform = network.waveforms[0]
    quantum = inlet_of(network, "lif_conductance", "current").quantum
    return amounts((waveform,), 0, n_steps) * quantum


def steps(n_steps, *spans):
    """Return n_steps values that are ``height`` from ``first`` up to ``last``."""
    expected = np.zeros(n_steps)
    for first, last, height in spans:
        expected[first:last] = height
    return expected


def test_a_current_flows_while_the_stimulus_is_on():
    found = course({"current": "0.1 nA"})
    np.testing.assert_allclose(found[:, 0], steps(200, (20, 120, 100)), rtol=1e-4)


def test_pulses_begin_at_the_nearest_step_and_do_not_drift():
    found = course({"pulses": {"amplitude": "-50 pA", "width": "0.5 ms", "period": "3.33 ms", "delay": "1.04 ms"}})
    begin = [20 + 10 + round(33.3 * n) for n in range(3)]
    np.testing.assert_allclose(found[:, 0], steps(200, *((b, b + 5, -50) for b in begin)), rtol=1e-4)


def test_a_pulse_without_a_period_comes_once():
    found = course({"pulses": {"amplitude": "50 pA", "width": "2 ms"}})
    np.testing.assert_allclose(found[:, 0], steps(200, (20, 40, 50)), rtol=1e-4)


def test_a_pulse_ends_with_its_stimulus():
    found = course({"pulses": {"amplitude": "50 pA", "width": "2 ms", "delay": "9 ms"}})
    np.testing.assert_allclose(found[:, 0], steps(200, (110, 120, 50)), rtol=1e-4)


def test_a_sine_has_its_amplitude_frequency_phase_and_offset():
    given = {"amplitude": "80 pA", "frequency": "123.4 Hz", "phase": "30 deg", "offset": "10 pA"}
    found = course({"sine": given, "duration": "3 s"}, 30_020)[20:, 0]
    t = 0.1 * np.arange(30_000)
    expected = 10 + 80 * np.sin(2 * np.pi * 0.1234 * t + np.pi / 6)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1.5e-4 * 10)


def test_a_waveform_holds_each_value_for_its_interval_and_then_ends():
    found = course({"waveform": {"values": [1, -2, 3], "unit": "nA", "interval": "1.5 ms"}})
    expected = steps(200, (20, 35, 1000), (35, 50, -2000), (50, 65, 3000))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4)


def test_a_waveform_that_repeats_fills_its_stimulus():
    found = course({"waveform": {"values": [1, 2], "unit": "pA", "interval": "1.5 ms", "repeat": True}})
    expected = steps(200, *((b, min(b + 15, 120), 1 + i % 2) for i, b in enumerate(range(20, 120, 15))))
    np.testing.assert_allclose(found[:, 0], expected, rtol=2e-4)


def test_a_waveform_may_differ_from_neuron_to_neuron():
    values = np.arange(1, 3 * N_PV + 1).reshape(N_PV, 3)
    found = course({"waveform": {"values": values, "unit": "pA", "interval": "0.1 ms"}})
    np.testing.assert_allclose(found[20:23], values.T, atol=1e-4 * values.mean())
    assert not found[:20].any()
    assert not found[23:].any()


def test_an_injected_current_reaches_its_population_alone():
    network = build({"current": "1 pA"}, {"current": "2 pA", "population": "pyr", "regions": "CX-2"})
    at = {(p.label, p.population): p for p in network.populations}
    for waveform, (label, name, block) in zip(
        network.waveforms,
        [("CX-0", "pv", "lif_conductance"), ("CX-2", "pv", "lif_conductance"), ("CX-2", "pyr", "adex")],
        strict=True,
    ):
        first = inlet_of(network, block, "current").start + at[label, name].offset
        assert (waveform.start, waveform.stop) == (first, first + at[label, name].size)


def test_only_blocks_into_which_a_current_is_injected_have_a_receptor_for_it():
    def with_receptor(network, name):
        return {block.name for block in network.blocks for inlet in block.inlets if inlet.receptor == name}

    assert with_receptor(build(), "current") == set()
    network = build({"current": "1 pA"}, {"noise": 1, "population": "pyr"})
    assert with_receptor(network, "current") == {"lif_conductance"}
    assert with_receptor(network, "ou_current") == {"adex"}


def test_a_drive_of_a_region_injects_a_current_for_ever():
    data = region_data(CORTEX)
    data["drives"] = [{"population": "pv", "current": "70 pA"}, {"population": "pyr", "noise": 1}]
    network = build_region(Region.parse(data))
    (waveform,), (drive,) = network.waveforms, network.drives
    assert (waveform.first_step, waveform.last_step > 2**60) == (0, True)
    assert drive.weight * 2 * drive.offset > 0
    np.testing.assert_array_equal(amounts((waveform,), 10**12, 3), amounts((waveform,), 0, 3))


def test_given_spikes_arrive_at_the_nearest_step_at_their_neurons():
    trains = [[0.26, 0.44, 4.0]] + [[]] * (N_PV - 2) + [[0, 9.94]]
    network = build(
        {"spikes": {"times": trains, "unit": "ms", "weight": "2 nS"}, "receptor": "ampa", "regions": "CX-2"}
    )
    inlet = inlet_of(network, "lif_conductance", "ampa")
    first = inlet.start + next(p for p in network.populations if (p.label, p.population) == ("CX-2", "pv")).offset
    events = network.events
    assert events.step.tolist() == [20, 23, 24, 60, 119]
    assert (events.place - first).tolist() == [N_PV - 1, 0, 0, 0, N_PV - 1]
    np.testing.assert_allclose(events.amount * inlet.quantum, 2, rtol=1e-4)


def test_one_train_is_given_to_all_neurons_of_all_regions():
    network = build({"spikes": {"times": [1, 2], "unit": "ms", "weight": "2 nS"}, "receptor": "ampa"})
    assert np.unique(network.events.step, return_counts=True)[1].tolist() == [2 * N_PV, 2 * N_PV]
    assert len(set(network.events.place)) == 2 * N_PV
    assert (np.diff(network.events.step) >= 0).all()


def test_regions_share_the_values_of_a_waveform():
    one, other = build({"waveform": {"values": [1, 2], "unit": "pA", "interval": "1 ms"}}).waveforms
    assert one.values is other.values


@pytest.mark.parametrize(
    ("given", "smallest"),
    [
        ([{"current": "3 pA"}, {"current": "-40 pA"}], 3),
        ([{"pulses": {"amplitude": "-5 pA", "width": "1 ms"}}], 5),
        ([{"sine": {"amplitude": "9 pA", "frequency": "1 Hz"}}], 9 * 2 / np.pi),
        ([{"sine": {"amplitude": "9 pA", "frequency": "1 Hz", "offset": "1 pA"}}], 1),
        ([{"waveform": {"values": [0, 0, 10, -2], "unit": "pA", "interval": "1 ms"}}], 6),
        ([{"waveform": {"values": [0, 0], "unit": "pA", "interval": "1 ms"}}], 1),
    ],
)
def test_every_amplitude_counts_for_the_quantum(given, smallest):
    quantum = inlet_of(build(*given), "lif_conductance", "current").quantum
    assert quantum == 2.0 ** np.floor(np.log2(2e-4 * smallest))


def test_noise_is_right_to_a_millionth():
    (drive, _) = build({"noise": 1.7}).drives[-2:]
    chances = np.diff([0, *(int(t) for t in drive.thresholds), 2**32]) / 2.0**32
    network = build({"noise": 1.7})
    amount = (
        drive.weight
        * (np.arange(len(chances)) - drive.offset)
        * inlet_of(network, "lif_conductance", "ou_current").quantum
    )
    assert np.sum(chances * amount) == pytest.approx(0, abs=1e-9)
    assert np.sqrt(np.sum(chances * amount**2)) == pytest.approx(1.7, rel=1e-6)


SPIKES = {"unit": "ms", "weight": "1 nS"}


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        (
            {"spikes": SPIKES | {"times": [[1], [2]]}, "receptor": "ampa"},
            ["spikes.times: expected 1 or 10 spike trains, for all neurons of the population or one each, found 2"],
        ),
        (
            {"spikes": SPIKES | {"times": [[-1], [2, 1]]}, "receptor": "ampa"},
            ["spikes.times: expected times of at least 0, found -1 ms of neuron 0", "spikes.times: expected ascending"],
        ),
        (
            {"spikes": SPIKES | {"times": [1.0, 1.04, 2]}, "receptor": "ampa"},
            [
                "spikes.times: expected at most one spike a step of 0.1 ms, found 1 ms and 1.04 ms of neuron 0; drop "
                "one, or make run.dt smaller"
            ],
        ),
        (
            {"spikes": SPIKES | {"times": [9.94, 9.96]}, "receptor": "ampa"},
            ["spikes.times: expected times before 10 ms, where the run or the stimulus ends, found 9.96 ms"],
        ),
        (
            {"spikes": SPIKES | {"times": [5.0, 9.0]}, "receptor": "ampa", "start": "22 ms"},
            ["spikes.times: expected times before 8 ms, where the run or the stimulus ends, found 9 ms of neuron 0"],
        ),
        (
            {"spikes": SPIKES | {"times": [5.0, 1e300, 1e305]}, "receptor": "ampa"},
            ["spikes.times: expected times before 10 ms, where the run or the stimulus ends, found 1e+305 ms"],
        ),
        (
            {"spikes": SPIKES | {"times": [0.005, 1e308], "unit": "s"}, "receptor": "ampa"},
            ["spikes.times: expected times before 10 ms, where the run or the stimulus ends, found inf ms"],
        ),
        ({"current": "1 pA", "duration": "0.04 ms"}, ["duration: expected at least one step of 0.1 ms, found 0.04 ms"]),
        (
            {"pulses": {"amplitude": "1 pA", "width": "1 ms", "delay": "10 ms"}},
            ["pulses.delay: expected a delay below the 10 ms of the stimulus, found 10 ms"],
        ),
        (
            {"spikes": SPIKES | {"file": "/lost.npz"}, "receptor": "ampa"},
            ["spikes.file: /lost.npz: expected a file, found none"],
        ),
        (
            {"waveform": {"values": [[1], [2], [3]], "unit": "pA", "interval": "1 ms"}},
            ["waveform: expected 1 or 10 rows of values, for all neurons of the population or one each, found 3"],
        ),
        (
            {"waveform": {"values": [1], "unit": "pA", "interval": "0.02 ms"}},
            ["waveform.interval: expected at least one step of 0.1 ms, found 0.02 ms; make it longer"],
        ),
        (
            {"pulses": {"amplitude": "1 pA", "width": "0.04 ms"}},
            ["pulses.width: expected at least one step of 0.1 ms, found 0.04 ms; make it longer"],
        ),
        (
            {"sine": {"amplitude": "1 pA", "frequency": "5 kHz"}},
            ["sine.frequency: expected less than 5000 Hz, half of what steps of 0.1 ms can follow, found 5000 Hz"],
        ),
    ],
)
def test_what_does_not_fit_the_brain_or_the_run_is_refused(given, messages):
    brain = small_brain(3)
    layout = lay_out(brain, brain.connectome, (stimulus(**given),))
    with pytest.raises(SpecError) as caught:
        check_references(layout, (stimulus(**given),), Record(), dt=0.1, duration=30.0)
    assert len(caught.value.problems) == len(messages)
    for problem, message in zip(caught.value.problems, messages, strict=True):
        assert str(problem).startswith(f"stimuli.x: {message}")


@pytest.mark.parametrize("dt", [0.1, 0.01])
@pytest.mark.parametrize("time", ["1e18 ms", "1e300 ms", "1e308 ms"])
def test_times_that_no_run_reaches_are_steps_in_64_bits(time, dt):
    network = build(
        {"rate": "1 kHz", "weight": "1 nS", "receptor": "ampa", "duration": time},
        {"rate": "1 kHz", "weight": "1 nS", "receptor": "ampa", "start": time, "duration": time},
        {"current": "1 pA", "start": time},
        {"pulses": {"amplitude": "1 pA", "width": "1 ms", "period": time, "delay": time}, "duration": time},
        {"waveform": {"values": [1, 2], "unit": "pA", "interval": time, "repeat": True}},
        dt=dt,
    )
    inputs = [*network.waveforms, *network.drives]
    firsts = [input_.first_step for input_ in inputs]
    assert max(input_.last_step for input_ in inputs) < 2**63
    assert any(first > 2**31 for first in firsts)
    assert all(first in (0, round(2 / dt)) or first > 2**31 for first in firsts)


def test_a_phase_of_many_turns_is_what_is_left_of_the_last():
    sine = {"amplitude": "100 pA", "frequency": "100 Hz"}
    expected = course({"sine": sine | {"phase": "90 deg"}})
    np.testing.assert_allclose(course({"sine": sine | {"phase": f"{90 + 360 * 8} deg"}}), expected, atol=0.1)
    assert np.isfinite(course({"sine": sine | {"phase": 1e300}})).all()


def test_faults_of_several_drives_are_reported_at_once():
    data = region_data(CORTEX)
    data["drives"] = [
        {"population": "pv", "receptor": "ampa", "spikes": SPIKES | {"times": [[1], [2]]}},
        {"population": "pyr", "pulses": {"amplitude": "1 pA", "width": "0.01 ms"}},
    ]
    with pytest.raises(SpecError) as caught:
        build_region(Region.parse(data))
    assert [str(p).partition(": expected")[0] for p in caught.value.problems] == [
        "region test/cortex: drives[0]: spikes.times",
        "region test/cortex: drives[1]: pulses.width",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"current": "1 mV"}, "stimuli.s0.current: expected a quantity in pA, found '1 mV'"),
        ({"noise": "1 pA", "receptor": "ou_current"}, "stimuli.s0.noise: expected a quantity in 1, found '1 pA'"),
        (
            {"sine": {"amplitude": "1 nS", "frequency": "1 Hz", "offset": "1 mV"}},
            "stimuli.s0.sine.amplitude: expected a quantity in pA, found '1 nS', which is of another dimension\n"
            "stimuli.s0.sine.offset: expected a quantity in pA, found '1 mV'",
        ),
        (
            {"waveform": {"values": [1], "unit": "nS", "interval": "1 ms"}},
            "stimuli.s0.waveform.unit: expected a quantity in pA, found '1.0 nS'",
        ),
    ],
)
def test_an_amplitude_of_another_unit_is_refused(given, message):
    with pytest.raises(SpecError) as caught:
        build(given)
    assert str(caught.value).startswith(message)


def test_an_amplitude_beyond_the_integers_is_refused():
    with pytest.raises(
        SpecError, match=r"^stimuli\.s1: current: expected weights up to .*; make the weights less unequal"
    ):
        build({"current": "0.01 pA"}, {"current": "1 mA"})
