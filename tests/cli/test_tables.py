import io

import pytest
from rich.console import Console

import twinbrain as tb
from twinbrain.cli.tables import count, listing, plan_table, size
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


def test_a_name_is_never_cut_on_a_narrow_screen():
    console = Console(width=60, record=True, file=io.StringIO())
    rows = [("basal_ganglia/pallidum_external", "one, two, three", "320", "What stands there, in many words. " * 3)]
    console.print(listing(("region", "populations", "neurons", "summary"), rows))
    text = console.export_text()
    assert "basal_ganglia/pallidum_external" in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) == 60  # the others are narrower instead


def test_synapses_of_a_plan_are_about_as_many():
    assert plan_of(share=0.1)["synapses"].startswith("about ")


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (41_234, "41 kB"), (1.24e6, "1.2 MB"), (3.4e8, "340 MB"), (5.6e9, "5.6 GB")],
)
def test_what_is_there_has_a_size_above_0(n_bytes, text):
    assert size(n_bytes) == text


def test_one_of_something_is_not_many():
    assert [count(n, "point") for n in (0, 1, 1024)] == ["0 points", "1 point", "1,024 points"]
