"""After a lesion of populations, synapses of what is gone are missing, and all others are as they were."""

import numpy as np
import pytest

import twinbrain as tb
from tests.examples import CORTEX, build_brain, region_data, small_brain
from tests.network.test_plan import plan_of
from tests.network.test_synapses import quantum, sources_of, targets_of

EXPECTED = {name: {"low": "2 Hz", "high": f"{high} Hz", "source": "x"} for name, high in (("pyr", 6), ("pv", 30))}
RULES = {
    "fixed": {"in_degree": 20, "weight": "0.4 nS", "inhibitory_weight": "1 nS"},
    "proportional": {"in_degree": 20, "weight": "0.4 nS", "inhibitory_weight": "1 nS", "proportional": True},
    "share": {"in_degree": 40, "share": 0.05, "proportional": True},
}


def region(**changes):
    """Return 40 pyramidal cells and two populations of 10 interneurons, all of which send and receive."""
    data = region_data(CORTEX) | {"expected": EXPECTED | {"sst": EXPECTED["pv"]}}
    data["populations"]["sst"] = data["populations"]["pv"]
    data["drives"].append(data["drives"][1] | {"population": "sst"})
    inputs = {"pyr": 0.7, "pv": 0.2, "sst": {"share": 0.1, "glutamate": "ampa"}}
    return tb.Region.parse(data | {"ports": {"outputs": ["pv", "pyr", "sst"], "inputs": inputs}} | changes)


def brain(rule):
    connectome = small_brain(4).connectome
    return tb.Brain(connectome=connectome, regions={"*": region()}, long_range=tb.LongRange(**RULES[rule]))


def synapses(network, gone=()):
    """Return ends, receptor, delay and weight (nS) of all synapses but those of populations that are gone, in order."""
    names, keep = [], []
    for p in network.populations:
        names += [f"{p.label}.{p.population}.{i}" for i in range(p.size)]
        keep += [p.population not in gone] * p.size
    found = []
    for table in network.tables:
        source, target = sources_of(table), targets_of(network, table)
        size = table.weight * quantum(network, table.receptor)
        found += [
            (names[s], names[t], table.receptor, table.origin, int(d), float(w))
            for s, t, d, w in zip(source, target, table.delay, size, strict=True)
            if keep[s] and keep[t]
        ]
    return sorted(found)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("gone", [["pyr"], ["pv"], ["pv", "sst"]])
def test_synapses_among_what_is_left_are_those_of_the_whole(rule, gone):
    whole = build_brain(brain(rule))
    lesioned = build_brain(brain(rule).without(populations=gone))
    before, after = synapses(whole, gone), synapses(lesioned)
    assert [one[:5] for one in after] == [one[:5] for one in before]
    # Quanta follow from the weights that are there, and round each otherwise.
    np.testing.assert_allclose([one[5] for one in after], [one[5] for one in before], rtol=2e-3)
    rates = {drive.name.split(" ", 2)[2]: drive.mean for drive in whole.drives}
    for drive in lesioned.drives:
        assert drive.mean == pytest.approx(rates[drive.name.split(" ", 2)[2]], rel=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_a_plan_counts_what_is_left_and_the_share_that_still_arrives(rule):
    whole, lesioned = brain(rule), brain(rule).without(populations="pyr")
    plan = plan_of(lesioned)
    assert plan.n_synapses == pytest.approx(build_brain(lesioned).n_synapses, rel=0.03)
    assert plan_of(whole).share > 0
    assert plan.share == 0  # the axons that are left release GABA


def test_a_share_is_reckoned_with_the_drives_of_what_is_gone():
    whole, lesioned = (plan_of(each) for each in (brain("share"), brain("share").without(populations="pv")))
    assert lesioned.share > 0
    assert lesioned.share == pytest.approx(whole.share, rel=0.2)
    assert lesioned.share != whole.share


def test_lesions_one_after_another_are_one_lesion_of_all():
    one, other = region().without(populations=["pv", "pyr"]), region().without(populations="pyr").without("pv")
    assert one == other
    assert {name: lost.output for name, lost in one.lost.items()} == {"pv": 0, "pyr": 1}


def test_what_is_gone_is_written_and_scaled_with_the_region(tmp_path):
    cut = region().without(populations="pyr")
    tb.write_region(cut, tmp_path / "cut.toml")
    assert tb.load_region(tmp_path / "cut.toml") == cut
    assert cut.scaled(0.5) == region().scaled(0.5).without(populations="pyr")
    assert cut.digest != cut.replace(lost={}).digest


def test_nothing_is_remembered_of_what_no_other_region_reaches_or_hears():
    assert region(ports={"outputs": ["pyr"], "inputs": {"pyr": 1}}).without(populations="pv").lost == {}


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ({"pv": {"size": 3}}, r"lost.pv: expected a population that is gone, found it among those that are there"),
        (
            {"vip": {"size": 3, "drives": [{"population": "vip", "current": "1 pA"}]}},
            r"lost.vip.drives\[0\]: expected events at a rate, which alone give way, found current; drop it",
        ),
    ],
)
def test_what_cannot_be_gone_is_refused(lost, message):
    with pytest.raises(tb.SpecError, match=message):
        region(lost=lost)


def test_those_that_are_gone_count_among_the_neurons_that_can_be():
    with pytest.raises(tb.SpecError, match="expected at most 2,147,483,647 neurons in all, found 4,294"):
        plan_of(brain("fixed").replace(regions={"*": region(lost={"vip": {"size": 2**30, "output": 1}})}))
