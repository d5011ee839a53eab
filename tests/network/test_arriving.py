"""How many synapses through the connectome are expected, against what is built."""

import numpy as np
import pytest

from tests.examples import CORTEX, build_brain, region_data
from twinbrain.network.arriving import expected_contacts, expected_long_range
from twinbrain.network.layout import lay_out
from twinbrain.network.work import work_of_nodes
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.region import Region

RULE = LongRange(in_degree=20, weight="0.2 nS")


def region_sending(*outputs):
    inputs = {"pyr": {"share": 1, "glutamate": {"ampa": 1.0, "nmda": 0.2}, "gaba": "gaba_a"}}
    data = region_data(CORTEX) | {"ports": {"outputs": list(outputs), "inputs": inputs}}
    return Region.parse(data | {"name": f"test/{'_'.join(outputs)}"})


def brain_sending_gaba():
    """Return four regions, alike but for what leaves them: 40 axons of glutamate, 10 of GABA, both, and none."""
    sending = {"a": ["pyr"], "b": ["pv"], "c": ["pyr", "pv"], "d": []}
    weight = np.ones((4, 4)) - np.eye(4)
    weight[3] = 0.0  # nothing reaches the last
    connectome = Connectome(weight, np.full((4, 4), 10.0), list(sending))
    regions = {label: region_sending(*outputs) for label, outputs in sending.items()}
    return Brain(connectome=connectome, regions=regions, long_range=RULE)


def test_a_synapse_counts_once_for_each_receptor_that_what_its_axon_releases_reaches():
    brain = brain_sending_gaba()
    layout = lay_out(brain, brain.connectome)
    # 20 on each of 40 pyramidal cells: 800 a region, half from each of the two others that send.
    np.testing.assert_allclose(
        expected_contacts(RULE, layout), [[0, 400, 400, 0], [400, 0, 400, 0], [400, 400, 0, 0], [0] * 4]
    )
    # Two receptors for glutamate, one for GABA; of c's axons four fifths release glutamate.
    mixed = 400 * (0.8 * 2 + 0.2)
    np.testing.assert_allclose(expected_long_range(RULE, layout), [400 + mixed, 800 + mixed, 800 + 400, 0])
    alone = brain.replace(long_range=None)
    built = build_brain(brain).n_synapses - build_brain(alone).n_synapses
    assert built == pytest.approx(expected_long_range(RULE, layout).sum(), rel=0.02)


def test_work_is_that_of_the_synapses_which_are_there():
    brain = brain_sending_gaba()
    layout = lay_out(brain, brain.connectome)
    work = work_of_nodes(brain, layout, 0.1) - work_of_nodes(brain.replace(long_range=None), layout, 0.1)
    expected = expected_long_range(RULE, layout)
    np.testing.assert_allclose(work / work.sum(), expected / expected.sum(), atol=1e-9)
