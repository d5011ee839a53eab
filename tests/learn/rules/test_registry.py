from pathlib import Path

import pytest

import twinbrain as tb
from twinbrain.learn.rules.locality import locality_markdown, locality_table
from twinbrain.learn.rules.registry import rule, rule_names, rule_options
from twinbrain.spec.training import Training


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


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("reward_stdp", {"tau_c": "500 pA"}, "train.rule: reward_stdp: tau_c: expected a quantity in ms"),
        ("reward_stdp", {"tau_plus": "20"}, "tau_plus: expected a quantity in ms, found '20' without a unit"),
        ("reward_stdp", {"shuffled": "false"}, "shuffled: expected true or false, found 'false'"),
        ("reward_stdp", {"A_plus": "much"}, "A_plus: input should be a valid number"),
        ("reward_stdp", {"A_plus": True}, "A_plus: expected no truth value here"),
        ("reward_stdp", {"w_max": -1}, "w_max: input should be greater than 0"),
        ("stdp_readout", {"A_plus": float("nan")}, "A_plus: input should be a finite number"),
        ("stdp_readout", {"w_max": "x"}, "w_max: input should be a valid number"),
        ("eventprop", {"slowest": None}, "slowest: input should be a valid number"),
        ("eventprop", {"slowest": "0.1"}, 'slowest: .* write "0.1 mV/ms"'),
        ("forward_forward", {"rate": "30 ms"}, "rate: expected a quantity in Hz"),
        ("forward_forward", {"readout_rate": -5}, "readout_rate: input should be greater than or equal to 0"),
        ("kolen_pollack", {"decay": [0.1]}, "decay: input should be a valid number"),
        ("eprop", {"feedback": 5}, "feedback: input should be a valid string"),
    ],
)
def test_an_option_of_another_type_is_one_error(name, options, message):
    with pytest.raises(tb.SpecError, match=message):
        rule(name, **options)


def test_options_are_taken_as_they_are_written():
    own = rule("reward_stdp", tau_c="0.5 s", tau_plus=10, shuffled=False, A_plus=0.1)
    assert (own.tau_c, own.window.tau_plus, own.window.tau_minus, own.shuffled, own.window.A_plus) == (
        500.0,
        10.0,
        20.0,
        False,
        0.1,
    )
    assert rule("eventprop", slowest="200 V/s").slowest == 200.0
    assert rule("forward_forward", rate="0.05 kHz").rate == 50.0


def test_options_without_a_number_are_refused_before_they_are_kept():
    for chosen in ({"rule": {"name": "eventprop", "slowest": float("nan")}}, {"task": {"name": "xor", "x": [1e999]}}):
        with pytest.raises(tb.SpecError, match=r"options: expected finite numbers, found (slowest = nan|x = \[inf\])"):
            Training.parse({"task": "xor"} | chosen, "train")


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
