import numpy as np
import pytest

from tests.examples import CORTEX, region_data, small_brain
from tests.exchange.models import leaky_data, leaky_region
from twinbrain.models.library import neuron_model
from twinbrain.network.idle import idle_settings
from twinbrain.network.layout import lay_out
from twinbrain.spec.brain import LongRange, single_region_brain
from twinbrain.spec.drive import Stimulus
from twinbrain.spec.record import Record, StateRecord
from twinbrain.spec.region import Region

LATE = Stimulus(name="late", population="pyr", current="1 pA", start="2 s", duration="1 s")
SELDOM = Record(state=(StateRecord(variable="v", interval="5 s"),))


def notes_of(brain, record=None, stimuli=(), **changes):
    layout = lay_out(brain, brain.connectome, stimuli)
    return list(idle_settings(brain, layout, 1000.0, record or Record(), stimuli, **changes))


def test_a_brain_whose_settings_all_act_has_no_notes():
    assert notes_of(small_brain(3)) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"long_range": None, "normalisation": "log", "coupling": 1.0}, "brain.normalisation: 'log' has no effect"),
        ({"long_range": None, "normalisation": "none", "coupling": 5.0}, "brain.coupling: 5 has no effect"),
    ],
)
def test_settings_without_a_rule_that_joins_regions_are_told(changes, text):
    (note,) = notes_of(small_brain(3).replace(**changes))
    assert note.startswith(text)


def test_a_coupling_that_leaves_few_quanta_is_told():
    for coupling in (0.0, 0.02, 3.0):
        assert notes_of(small_brain(3, coupling)) == []
    (note,) = notes_of(small_brain(3, 1e-3))
    assert "brain.coupling: 0.001 multiplies weights that are whole quanta, and leaves them right to 10 %" in note


def test_a_rule_that_joins_no_regions_is_told():
    brain = small_brain(3)
    none = brain.connectome.replace(weight=np.zeros((3, 3)))
    (note,) = notes_of(brain.replace(connectome=none))
    assert note.startswith("brain.long_range: it has no effect")
    alone = single_region_brain(Region.parse(region_data(CORTEX)))
    (note,) = notes_of(alone.replace(long_range=LongRange(in_degree=2, weight="1 nS")))
    assert note.startswith("brain.long_range: it has no effect")


def test_a_lesion_that_leaves_no_axon_between_regions_is_told():
    brain = small_brain(3)
    cortex = brain.replace(regions={"*": brain.regions["CX-*"]}).without(populations="pyr")
    assert "brain.long_range: it has no effect" in notes_of(cortex)[0]


def test_what_comes_after_the_run_is_told():
    late, seldom = notes_of(small_brain(3), SELDOM, (LATE,))
    assert late == "stimuli.late: it starts at 2000 ms, after the 1000 ms of the run"
    assert seldom == "record.state[0].interval: 5000 ms is longer than the run of 1000 ms"


def test_pulses_that_begin_after_the_run_are_told():
    pulses = {"amplitude": "1 pA", "width": "1 ms", "delay": "999 s"}
    data = region_data(CORTEX)
    data["drives"] = [{"population": "pyr", "pulses": pulses}]
    (note,) = notes_of(single_region_brain(Region.parse(data)))
    assert note.endswith("drives[0]: its pulses begin at 999000 ms, after the 1000 ms of the run")
    late = LATE.replace(start="0.5 s", current=None, pulses=pulses | {"delay": "0.6 s"})
    (note,) = notes_of(small_brain(3), stimuli=(late,))
    assert note == "stimuli.late: its pulses begin at 1100 ms, after the 1000 ms of the run"


def test_connections_of_no_length_are_told_where_they_act():
    brain = small_brain(3)
    length = brain.connectome.length.values.copy()
    np.fill_diagonal(length, 0.0)
    assert notes_of(brain.replace(connectome=brain.connectome.replace(length=length))) == []
    length[1, 0] = 0.0
    (note,) = notes_of(brain.replace(connectome=brain.connectome.replace(length=length)))
    n = np.count_nonzero(brain.connectome.weight.values[~np.eye(3, dtype=bool)])
    assert note.startswith(f"brain.connectome: 1 of {n} connections have a length of 0 mm (CX-0 to TH-1)")


def test_a_seed_of_drives_without_random_ones_is_told():
    assert notes_of(small_brain(3), drive_seed=4) == []
    (note,) = notes_of(single_region_brain(leaky_region()), drive_seed=4)
    assert note.startswith("run.drive_seed: it has no effect")


def test_a_weight_of_axons_that_nobody_has_is_told():
    rule = LongRange(in_degree=2, weight="1 nS", inhibitory_weight="2 nS")
    (note,) = notes_of(small_brain(3).replace(long_range=rule, regions={"*": Region.parse(region_data(CORTEX))}))
    assert note.startswith("brain.long_range.inhibitory_weight: it has no effect")


def test_variables_that_are_held_in_no_refractory_period_are_told():
    data = leaky_data()
    data["models"] = {"own": neuron_model("lif_current").to_dict() | {"refractory": None}}
    data["cells"]["exc"]["model"] = "own"
    (note,) = notes_of(single_region_brain(Region.parse(data)))
    assert note == "model own: '(unless refractory)' of v has no effect: no parameter is named as refractory"
