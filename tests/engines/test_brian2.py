import gc
import subprocess
import sys
import textwrap
import weakref
from concurrent.futures import ThreadPoolExecutor

import brian2
import numpy as np
import pytest

from tests.examples import build_brain, build_region, region_data, relay_region, small_brain
from twinbrain.engines.base import get_engine
from twinbrain.engines.brian2 import simulation as module
from twinbrain.spec.region import Region


def run(network, n_steps, engine="brian2-numpy"):
    simulation = get_engine(engine)(network)
    simulation.advance(n_steps)
    spikes = simulation.collect().spikes
    return np.column_stack([spikes.step, spikes.neuron])


def test_the_device_of_the_user_changes_nothing_and_is_given_back():
    network = build_region(relay_region())
    expected = run(network, 200)
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        device = brian2.get_device()
        np.testing.assert_array_equal(run(network, 200), expected)
        assert brian2.get_device() is device
        assert not device.build_on_run
    finally:
        brian2.devices.reset_device()


def test_a_start_collects_none_of_the_user_s_garbage():
    """Brian2 has all garbage collected at each run, which takes long where much is imported."""
    network = build_region(relay_region())
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    gc.disable()
    try:
        circle = type("Circle", (list,), {})()
        circle.append(circle)
        kept = weakref.ref(circle)
        del circle
        run(network, 20)
        assert kept() is not None
        assert gc.get_freeze_count() == 0
        gc.collect()
        assert kept() is None
    finally:
        gc.enable()
        if frozen:
            gc.freeze()


def test_the_preferences_of_the_user_are_given_back():
    before = {name: brian2.prefs[name] for name in brian2.prefs}
    run(build_region(relay_region()), 20)
    assert {name: brian2.prefs[name] for name in brian2.prefs} == before


def test_the_preferences_of_the_user_are_given_back_after_an_error(monkeypatch):
    before = {name: brian2.prefs[name] for name in brian2.prefs}

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr(module, "BlockGroup", fail)
    with pytest.raises(MemoryError):
        run(build_region(relay_region()), 20)
    assert {name: brian2.prefs[name] for name in brian2.prefs} == before


def test_the_handler_of_ctrl_c_the_hook_for_errors_and_the_log_stay_the_programs():
    script = """
        import logging, signal, sys
        handler = lambda number, frame: None
        hook = lambda kind, error, traceback: None
        signal.signal(signal.SIGINT, handler)
        sys.excepthook = hook
        level = logging.getLogger().level
        from tests.examples import build_region, relay_region
        from twinbrain.engines.base import get_engine
        simulation = get_engine("brian2-numpy")(build_region(relay_region()))
        simulation.advance(20)
        simulation.close()
        assert "brian2" in sys.modules
        assert signal.getsignal(signal.SIGINT) is handler
        assert sys.excepthook is hook
        assert logging.getLogger().level == level
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def test_two_simulations_in_two_threads_give_what_each_gives_alone():
    networks = [build_brain(small_brain(3), seed=seed) for seed in (1, 2)]
    alone = [run(network, 200) for network in networks]
    assert not np.array_equal(*alone)
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(run, networks, [200, 200]))
    for found, expected in zip(together, alone, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_two_simulations_advanced_in_turn_give_what_each_gives_alone():
    networks = [build_brain(small_brain(3), seed=seed) for seed in (1, 2)]
    alone = [run(network, 200) for network in networks]
    simulations = [get_engine("brian2-numpy")(network) for network in networks]
    for n_steps in (1, 99, 100):
        for simulation in simulations:
            simulation.advance(n_steps)
    for simulation, expected in zip(simulations, alone, strict=True):
        spikes = simulation.collect().spikes
        np.testing.assert_array_equal(np.column_stack([spikes.step, spikes.neuron]), expected)


def test_objects_and_compiled_code_are_as_many_for_96_regions_as_for_two():
    counts = []
    for n_regions in (2, 96):
        simulation = get_engine("brian2-numpy")(build_brain(small_brain(n_regions)))
        counts.append(simulation.count_compiled())
        simulation.close()
    assert counts[0] == counts[1]
    assert min(counts[0]) >= 4  # a block has at least an object and a code object


SPIKING_ALL_THE_TIME = """
name = "test/fast"

[cells.cell]
model = "lif_current"
receptors = ["exponential_current"]
parameters = { t_ref = "0 ms", I_e = "1 mA" }

[populations]
cell = { cell = "cell", size = 40 }
"""


def test_more_spikes_than_there_was_room_for_are_all_recorded(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_CAPACITY", 7)
    network = build_region(Region.parse(region_data(SPIKING_ALL_THE_TIME)))
    found = run(network, 50)
    # A current that large crosses the threshold in each step.
    expected = np.column_stack([np.repeat(np.arange(50), 40), np.tile(np.arange(40), 50)])
    np.testing.assert_array_equal(found, expected)
