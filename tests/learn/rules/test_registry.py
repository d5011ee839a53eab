from pathlib import Path

import pytest

import twinbrain as tb
from twinbrain.learn.rules.locality import locality_markdown, locality_table
from twinbrain.learn.rules.registry import rule, rule_names, rule_options


@pytest.mark.parametrize("name", rule_names())
def test_every_rule_has_a_source_and_says_what_it_needs(name):
    own = rule(name)
    assert own.name == name
    assert own.reference.startswith(("10.", "arXiv:"))
    assert own.locality.memory == ("1" if own.locality.when == "online" else "n")


def test_an_unknown_rule_is_named_with_the_nearest():
    with pytest.raises(tb.LearnError, match="unknown rule 'e-prop'; did you mean 'eprop'"):
        rule("e-prop")


@pytest.mark.parametrize(("name", "option"), [("eprop", "feedbak"), ("bptt", "decay")])
def test_an_unknown_option_is_named(name, option):
    with pytest.raises(tb.LearnError, match=f"{name} has no option '{option}'"):
        rule(name, **{option: 1})


def test_options_are_those_of_the_rule():
    assert rule_options("eprop") == {"feedback": "symmetric"}
    assert rule_options("bptt") == {}


def test_the_table_of_localities_has_a_row_for_each_rule():
    assert [row["rule"] for row in locality_table()] == rule_names()
    lines = locality_markdown().splitlines()
    assert len(lines) == len(rule_names()) + 2
    assert len({line.count("|") for line in lines}) == 1


def test_the_table_of_the_documentation_is_that_of_the_rules():
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "learning-rules.md").read_text(encoding="utf-8")
    assert locality_markdown() in page
