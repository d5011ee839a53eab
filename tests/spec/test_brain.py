import pytest

import twinbrain as tb
from tests.examples import relay_region, small_brain, two_population_region
from twinbrain.errors import SpecError
from twinbrain.spec.brain import Brain, LongRange, region_alone, single_region_brain

CORTEX, RELAY = two_population_region(), relay_region()


def brain(**regions):
    return Brain(connectome="somewhere", regions=regions)


def test_the_first_pattern_that_fits_counts():
    chosen = brain(**{"lTH": RELAY, "l*": CORTEX, "*": RELAY}).assignment(["lTH", "lV1", "rV1"])
    assert [region.name for region in chosen] == ["test/relay", "test/cortex", "test/relay"]


def test_patterns_have_brackets_and_question_marks():
    chosen = brain(**{"[lr]V?": CORTEX, "rTH": RELAY}).assignment(["lV1", "rTH", "rV2"])
    assert [region.name for region in chosen] == ["test/cortex", "test/relay", "test/cortex"]


def test_patterns_mind_upper_and_lower_case():
    with pytest.raises(SpecError, match="regions without a model: lv1;"):
        brain(**{"lV1": CORTEX, "lV*": CORTEX}).assignment(["lV1", "lv1"])


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ({"lV1": CORTEX}, r"brain.regions: regions without a model: lTH, rV1; add a pattern for them, such as \"\*\"$"),
        ({"*": CORTEX, "lTHX": RELAY}, r"brain.regions.'lTHX': the pattern matches no region; did you mean 'lTH'\?"),
        ({"*": CORTEX, "lTH": RELAY}, r"brain.regions.'lTH': .* earlier patterns take all it fits; move it up$"),
    ],
)
def test_patterns_that_do_not_fit_the_labels_are_reported(regions, message):
    with pytest.raises(SpecError, match=message) as caught:
        brain(**regions).assignment(["lV1", "lTH", "rV1"])
    assert len(caught.value.problems) == 1


def test_all_patterns_that_do_not_fit_are_reported_at_once():
    with pytest.raises(SpecError) as caught:
        brain(a=CORTEX, b=RELAY).assignment([f"r{i}" for i in range(20)])
    assert len(caught.value.problems) == 3
    assert "r0, r1, r2, r3, r4, r5, r6, r7 and 12 more" in str(caught.value)


def test_two_regions_of_one_name_must_be_equal():
    assert brain(a=CORTEX, b=two_population_region()).assignment(["a", "b"]) == [CORTEX, CORTEX]
    with pytest.raises(
        SpecError, match=r"^regions.b: two different regions are named 'test/cortex'; give each its own name"
    ):
        brain(a=CORTEX, b=CORTEX.scaled(2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"connectome": 3}, "connectome: expected the name of a connectome, a path or a Connectome, found a int"),
        ({"coupling": -1}, "coupling: input should be greater than or equal to 0, found -1"),
        ({"regions": {}}, "regions: dictionary should have at least 1 item"),
        (
            {"long_range": {"in_degree": -1, "weight": "1 nS"}},
            "long_range.in_degree: input should be greater than or equal",
        ),
        (
            {"long_range": {"in_degree": 1, "weight": "1 nS", "speed": "0 m/s"}},
            "long_range.speed: input should be greater than 0, found '0 m/s'",
        ),
        (
            {"long_range": {"in_degree": 1, "weight": "1 nS", "speed": "7 mV"}},
            "long_range.speed: expected a quantity in mm/ms, found '7 mV', which is of another dimension",
        ),
        ({"normalisation": "maxx"}, "normalisation: unknown normalisation 'maxx'; did you mean 'max'? Known: log, max"),
        ({"long_rang": None}, "long_rang: unknown key 'long_rang'; did you mean 'long_range'?"),
    ],
)
def test_faults_of_a_brain_are_reported_with_their_key(changes, message):
    with pytest.raises(SpecError) as caught:
        Brain.parse({"connectome": "somewhere", "regions": {"*": CORTEX}} | changes, "brain.toml")
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(f"brain.toml: {message}")


def test_a_conduction_speed_is_seven_metres_a_second_unless_given():
    assert LongRange(in_degree=1, weight="1 nS").speed == 7.0


def test_a_brain_holds_its_connectome():
    assert small_brain().connectome.labels == ["CX-0", "TH-1", "CX-2"]


def test_one_region_makes_a_brain():
    alone = single_region_brain(CORTEX)
    assert (alone.connectome.labels, alone.long_range) == (["test/cortex"], None)
    assert alone.assignment(alone.connectome.labels) == [CORTEX]


def test_a_brain_is_a_region_alone_by_what_it_is():
    alone = single_region_brain(CORTEX)
    assert region_alone(alone.replace(name="other")) == CORTEX
    assert region_alone(alone.replace(long_range={"in_degree": 1, "weight": "1 pA"})) is None
    assert region_alone(small_brain()) is None
    elsewhere = tb.Connectome([[0.0]], [[0.0]], ["V1"], name="single")
    assert region_alone(alone.replace(connectome=elsewhere)) is None
