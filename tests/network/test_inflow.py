"""What reaches each region through the connectome, and what of its own drive gives way to it."""

import numpy as np
import pytest

from tests.examples import CORTEX, build_brain, fingerprint, region_data
from tests.network.test_shard import build_shard, synapses
from tests.network.test_synapses import quantum, table_of, targets_of
from twinbrain.connectome.normalise import normalise
from twinbrain.errors import SpecError
from twinbrain.network.build import block_programs
from twinbrain.network.inflow import inflows
from twinbrain.network.layout import lay_out
from twinbrain.network.quanta import weight_units
from twinbrain.spec.brain import Brain, LongRange
from twinbrain.spec.connectome import Connectome
from twinbrain.spec.region import Region

EXPECTED = {"pyr": {"low": "2 Hz", "high": "6 Hz", "source": "10.1000/x"}}
# Sums of rows but for the diagonal, which does not count: 1, 3, 8 and none.
WEIGHT = np.array([[9.0, 1, 0, 0], [1, 0, 2, 0], [4, 4, 0, 0], [0, 0, 0, 0]])


def brain_of(region=None, **rule):
    data = region_data(CORTEX) | {"expected": EXPECTED} | (region or {})
    connectome = Connectome(WEIGHT, np.full((4, 4), 10.0), [f"CX-{i}" for i in range(4)])
    rule = LongRange(**{"in_degree": 40, "proportional": True, "share": 0.2} | rule)
    return Brain(connectome=connectome, regions={"*": Region.parse(data)}, long_range=rule)


def inflows_of(brain):
    layout = lay_out(brain, brain.connectome)
    return inflows(brain, layout, weight_units(block_programs(layout)))


def degrees_of(brain):
    """Return the mean number of long-range synapses of the neurons of each region, as built."""
    network = build_brain(brain)
    target = targets_of(network, table_of(network, "ampa", "long_range"))
    return np.bincount(target // 50, minlength=brain.connectome.n_regions) / 50


@pytest.mark.parametrize("means", [{"share": 0.2}, {"share": None, "weight": "0.4 nS"}])
def test_in_proportion_a_region_has_the_more_synapses_the_stronger_its_row(means):
    np.testing.assert_allclose(degrees_of(brain_of(**means)), [10, 30, 80, 0], rtol=0.02)
    np.testing.assert_allclose(degrees_of(brain_of(proportional=False, **means)), [40, 40, 40, 0], rtol=0.02)


def test_whole_rows_scaled_count_in_proportion_alone():
    for proportional in (False, True):
        brain = brain_of(share=None, weight="0.4 nS", proportional=proportional)

        def built(name, brain=brain):
            scaled = brain.model_copy(update={"connectome": normalise(brain.connectome, name)})
            return fingerprint(build_brain(scaled))

        assert built("max") == built("total") == built("none")
        assert (built("row") == built("none")) is not proportional


def test_normalised_by_row_every_region_has_as_many_synapses_whatever_its_weight_on_itself():
    brain = brain_of(share=None, weight="0.4 nS")
    scaled = brain.model_copy(update={"connectome": normalise(brain.connectome, "row")})
    np.testing.assert_allclose(degrees_of(scaled), [40, 40, 40, 0], rtol=0.02)


def drive_of(network, population):
    """Return the excitatory drive of a neuron of a population, in nS Hz."""
    name = f"drive {('pyr', 'pv').index(population.population)} {population.population}:ampa of {population.label}"
    drive = next(drive for drive in network.drives if drive.name == name)
    return drive.mean * 1e4 * drive.weight * quantum(network, "ampa")


def test_what_comes_through_the_connectome_is_taken_from_the_drive():
    brain = brain_of()
    network, alone = build_brain(brain), build_brain(brain.model_copy(update={"long_range": None}))
    table = table_of(network, "ampa", "long_range")
    # Each source fires at 4 Hz, halfway between what is expected at least and at most.
    arriving = np.bincount(targets_of(network, table), table.weight, minlength=network.n_neurons) * 4
    arriving *= quantum(network, "ampa")
    through, total = np.zeros(4), np.zeros(4)
    for population in network.populations:
        own, before = drive_of(network, population), drive_of(alone, population)
        here = arriving[population.start : population.stop]
        np.testing.assert_allclose(own + here, before, rtol=1e-3)
        node = int(population.label[-1])
        through[node] += here.sum()
        total[node] += before * population.size
    np.testing.assert_allclose(through / total, [0.05, 0.15, 0.4, 0], rtol=1e-3)
    np.testing.assert_allclose((through / total)[:3].mean(), 0.2, rtol=1e-3)


def test_every_region_has_the_same_share_unless_in_proportion():
    assert [inflow.share for inflow in inflows_of(brain_of(proportional=False))] == [0.2, 0.2, 0.2, 0.0]


def test_the_share_that_a_weight_makes_is_stated():
    found = inflows_of(brain_of(share=None, weight="1 nS", proportional=False))
    # 40 synapses of 1 nS at 4 Hz beside drives of 2,850 nS Hz in 40 neurons, and 1,500 nS Hz in 10.
    assert found[0].share == pytest.approx(160 / (160 + (40 * 2850 + 10 * 1500) / 50))
    assert found[0].replaced == {}
    unknown = inflows_of(brain_of(region={"expected": {}}, share=None, weight="1 nS"))
    assert np.isnan(unknown[0].share)


def test_coupling_changes_what_arrives_and_not_what_gave_way():
    brain = brain_of()
    one, half = build_brain(brain), build_brain(brain.model_copy(update={"coupling": 0.5}))
    assert [(d.name, d.mean, d.weight) for d in one.drives] == [(d.name, d.mean, d.weight) for d in half.drives]
    before, after = (table_of(network, "ampa", "long_range").weight for network in (one, half))
    np.testing.assert_allclose(after, before / 2, atol=0.5)


@pytest.mark.parametrize("nodes", [((0, 1), (2, 3)), ((3,), (0, 2), (1,))])
def test_shards_build_what_the_whole_does(nodes):
    brain = brain_of()
    whole, shards = build_brain(brain), [build_shard(part, brain) for part in nodes]
    assert synapses(shards) == synapses([whole])

    def drives(networks):
        return sorted((d.name, d.weight, d.mean) for network in networks for d in network.drives)

    assert drives(shards) == drives([whole])


def test_axons_that_release_gaba_do_not_count_as_excitatory_drive():
    data = region_data(CORTEX)
    ports = data["ports"] | {"outputs": ["pyr", "pv"]}
    mixed, alone = inflows_of(brain_of(region={"ports": ports})), inflows_of(brain_of())
    # A fifth of the axons is inhibitory, so each of the others has to carry a quarter more.
    assert float(mixed[0].weight.split()[0]) == pytest.approx(1.25 * float(alone[0].weight.split()[0]))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"share": None}, "weight: expected a weight or a share, found neither"),
        ({"weight": "1 nS"}, "weight: expected a weight or a share, found both"),
        ({"share": 1.5}, "share: input should be less than or equal to 1"),
        (
            {"share": 0.6},
            r"brain.long_range.share, CX-2: region test/cortex: expected no more than the drive that population 'pv' "
            r"has, found 2.06 times that; lower it to 0.29, or its share in ports.inputs",
        ),
        ({"region": {"expected": {}}}, "brain.long_range.share, CX-0: expected rates of all regions that reach it"),
        ({"region": {"drives": []}}, "brain.long_range.share, CX-0: region test/cortex: expected excitatory drives"),
    ],
)
def test_a_share_that_cannot_be_is_refused(options, expected):
    with pytest.raises(SpecError, match=expected):
        build_brain(brain_of(**options))
