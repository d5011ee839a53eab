import pytest

import twinbrain as tb
from twinbrain.cli.tables import plan_table
from twinbrain.run.prepare import prepare
from twinbrain.spec.load import load_workflow


def lines(table):
    """Return what a table of two columns says."""
    names, values = (list(column.cells) for column in table.columns)
    return dict(zip(names, values, strict=True))


def plan_of(**rule):
    brain = load_workflow("resting_state").brain
    long_range = tb.LongRange(**{"in_degree": 25} | rule)
    return lines(
        plan_table(prepare(load_workflow("resting_state").replace(brain=brain.replace(long_range=long_range))))
    )


@pytest.mark.parametrize(
    ("rule", "share"),
    [
        ({"share": 0.2, "proportional": True}, "20.4 % of the excitatory drive (3.06 to 36.1 % by region)"),
        ({"share": 0.1}, "10 % of the excitatory drive"),
    ],
)
def test_a_plan_states_what_comes_through_the_connectome(rule, share):
    assert plan_of(**rule)["through the connectome"] == share


def test_a_plan_states_that_a_weak_connectome_drowns():
    assert plan_of(weight="0.2 nS")["through the connectome"].startswith("0.798 % ")


def test_a_plan_says_where_a_normalisation_has_no_effect():
    assert plan_of(share=0.1)["normalisation"] == (
        "'max' has no effect: every region has as many synapses (long_range.proportional)"
    )
    assert "normalisation" not in plan_of(share=0.1, proportional=True)
