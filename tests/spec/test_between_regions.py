"""Projections between regions are checked where they are declared, and where the labels are known."""

import json

import pytest

import twinbrain as tb
from tests.examples import joined_brain, small_brain
from twinbrain.errors import SpecError
from twinbrain.network.layout import lay_out
from twinbrain.run.sweep.assign import assigned
from twinbrain.spec.between_regions import label_and_population
from twinbrain.spec.brain import Brain
from twinbrain.spec.load import as_workflow

GOOD = {
    "source": "CX-0.pyr",
    "target": "TH-1.relay",
    "receptor": "ampa",
    "connect": {"in_degree": 5},
    "weight": "1 nS",
    "delay": "2 ms",
}


def brain_with(*projections):
    brain = small_brain(3)
    return Brain(
        connectome=brain.connectome,
        regions=brain.regions,
        projections=tuple(tb.Projection.parse(GOOD | changes) for changes in projections),
    )


def test_labels_may_have_dots():
    assert label_and_population("RM-HC.l.pyr") == ("RM-HC.l", "pyr")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "pyr"}, r'projections\[0\].source: expected "label.population", found \'pyr\''),
        ({"target": "TH-1."}, r"projections\[0\].target: expected \"label.population\", found 'TH-1.'"),
        ({"target": "CX-0.pv"}, r"projections\[0\].target: expected another region than that of the source"),
        ({"plasticity": "pair_stdp"}, r"projections\[0\].plasticity: expected static synapses .* 'pair_stdp'; drop"),
        (
            {
                "connect": {"pairs": {"source": [0, 1], "target": [0, 1]}},
                "weight": {"values": [1.0], "unit": "nS"},
            },
            r"projections\[0\].weight: expected 2 values, one for each of the pairs, found 1",
        ),
    ],
)
def test_faults_are_found_where_they_are_declared(changes, message):
    with pytest.raises(SpecError, match=message) as caught:
        brain_with(changes)
    assert len(caught.value.problems) == 1


def test_two_of_one_name_are_told_apart():
    with pytest.raises(SpecError, match=r"projections\[0\].name: 2 projections are 'CX-0.pyr->TH-1.relay:ampa'"):
        brain_with({}, {"weight": "2 nS"})
    assert len(brain_with({}, {"name": "another", "weight": "2 nS"}).projections) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "CX0.pyr"}, "source: no region is labelled 'CX0'; did you mean 'CX-0'?"),
        ({"target": "TH-1.rely"}, "target: unknown population 'rely' of region 'TH-1'; did you mean 'relay'?"),
        ({"receptor": "apma"}, "receptor: unknown receptor 'apma' of population 'TH-1.relay'; did you mean 'ampa'?"),
        (
            {"connect": {"pairs": {"source": [40], "target": [0]}}},
            "connect.pairs.source: expected indices below the size 40 of population 'CX-0.pyr', found 40",
        ),
    ],
)
def test_faults_that_the_labels_show_are_told_with_their_place(changes, message):
    brain = brain_with(changes)
    with pytest.raises(SpecError) as caught:
        lay_out(brain, brain.connectome)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"brain.projections[0].{message}")


def test_all_faults_are_told_at_once():
    brain = brain_with({"source": "nowhere.pyr", "receptor": "x"}, {"target": "CX-2.pyramid"})
    with pytest.raises(SpecError) as caught:
        lay_out(brain, brain.connectome)
    assert len(caught.value.problems) == 3


def test_plain_data_gives_an_equal_brain():
    brain = joined_brain()
    data = json.loads(brain.model_dump_json()) | {"connectome": brain.connectome}
    again = Brain.parse(data)
    assert again == brain
    assert again.digest == brain.digest != small_brain(4).digest


def test_a_workflow_declares_them(tmp_path):
    (tmp_path / "pair.toml").write_text(
        """
[brain]
connectome = "tvb-76"
regions = { "*" = "cortex/column" }

[[brain.projections]]
source = "rA1.l4_exc"
target = "rA2.l23_exc"
receptor = "ampa"
connect = { in_degree = 3 }
weight = "1 nS"
delay = "2 ms"
"""
    )
    (projection,) = tb.load_workflow(tmp_path / "pair.toml").brain.projections
    assert projection.key == "rA1.l4_exc->rA2.l23_exc:ampa"


def test_a_sweep_reaches_them():
    workflow = as_workflow(joined_brain())
    changed = assigned(workflow, {"brain.projections.0.weight": "2 nS", "projections.1.connect.probability": 0.5})
    assert changed.brain.projections[0].weight == "2 nS"
    assert changed.brain.projections[1].connect.probability == 0.5


def test_a_notebook_shows_how_many_there_are():
    assert "4 projections" in joined_brain()._repr_html_()
    alone = joined_brain(long_range=None)._repr_html_()
    assert "4 projections" in alone
    assert "in-degree" not in alone
    assert "declared one by one" not in small_brain(3)._repr_html_()
