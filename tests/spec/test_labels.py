from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinbrain as tb
from tests.examples import two_population_region
from twinbrain.errors import SpecError
from twinbrain.run.prepare import build_network, prepare
from twinbrain.run.sweep.assign import assigned
from twinbrain.spec.labels import first_patterns, matching
from twinbrain.spec.workflow import Workflow

NAMES = st.lists(st.text("ab[]*?-", min_size=1, max_size=4), unique=True)


@given(NAMES, st.text("ab[]*?-", max_size=4))
def test_a_name_means_itself_alone_and_anything_else_is_a_pattern(names, pattern):
    expected = [name for name in names if fnmatchcase(name, pattern)]
    assert matching(pattern, names) == ([pattern] if pattern in names else expected)


@given(NAMES, NAMES)
def test_the_first_pattern_that_means_a_name_counts(names, patterns):
    first = first_patterns(patterns, names)
    assert all(name in matching(pattern, names) for name, pattern in first.items())
    for name in names:
        meaning = [pattern for pattern in patterns if name in matching(pattern, names)]
        assert first.get(name) == (meaning[0] if meaning else None)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("M[1]/e*", ["M[1]/e1", "M[1]/e2"]),
        ("M?/e*", ["M1/e1"]),
        ("V.e->M[1].e:*", ["V.e->M[1].e:ampa"]),
        ("M[1].e->*", ["M[1].e->V.e:ampa"]),
        ("*->M[1].*", ["V.e->M[1].e:ampa"]),
        ("M[12]*", ["M1/e1"]),
    ],
)
def test_a_label_in_a_pattern_of_names_that_begin_with_it_means_itself_alone(pattern, meant):
    names = ["M[1]/e1", "M[1]/e2", "M[1]/i", "M1/e1", "V.e->M[1].e:ampa", "V.e->M1.e:ampa", "M[1].e->V.e:ampa"]
    assert matching(pattern, names, ["M[1]", "M1", "V"]) == meant
    assert set(first_patterns([pattern], names, ["M[1]", "M1", "V"])) == set(meant)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("V1/*1", ["V1/e1"]),
        ("V1/e*", ["V1/e1"]),
        ("V1/exo/*", ["V1/exo/e1"]),
        ("V1.*->V4.*", ["V1.e->V4.e:ampa"]),
        ("V1.d.*", ["V1.d.e->V4.e:ampa"]),
        ("*->V1.*", ["V4.e->V1.e:ampa"]),
        ("V1?d.*", ["V1.d.e->V4.e:ampa"]),
        ("*.e->V4.*", ["V1.e->V4.e:ampa", "V1.d.e->V4.e:ampa"]),
        ("V?/*1", ["V1/e1"]),
        ("V[12]/*1", ["V1/e1"]),
        ("V?/e*", ["V1/e1"]),
        ("V?/exo/*", ["V1/exo/e1"]),
        ("V?.*->V4.*", ["V1.e->V4.e:ampa"]),
        ("V[14].*->*", ["V1.e->V4.e:ampa", "V4.e->V1.e:ampa", "V4.e->V1.d.e:ampa"]),
        ("*->V?.*", ["V1.e->V4.e:ampa", "V1.d.e->V4.e:ampa", "V4.e->V1.e:ampa"]),
        ("V?.*V4.*", ["V1.e->V4.e:ampa"]),
        ("V1.?.e*", ["V1.d.e->V4.e:ampa"]),
        ("*V4.*", ["V1.e->V4.e:ampa", "V1.d.e->V4.e:ampa", "V4.e->V1.e:ampa", "V4.e->V1.d.e:ampa"]),
    ],
)
def test_a_label_in_a_pattern_reaches_into_no_longer_label(pattern, meant):
    names = ["V1/e1", "V1/exo/e1", "V1.e->V4.e:ampa", "V1.d.e->V4.e:ampa", "V4.e->V1.e:ampa", "V4.e->V1.d.e:ampa"]
    assert matching(pattern, names, ["V1", "V1/exo", "V1.d", "V4"]) == meant


def test_a_pattern_in_front_that_fits_no_label_is_one_of_whole_names():
    labels = ["lh.V1", "lh.V1.d", "rh.V1"]
    names = [f"{source}.e->{target}.e:ampa" for source in labels for target in labels if source != target]
    assert matching("lh.*->rh.*", names, labels) == ["lh.V1.e->rh.V1.e:ampa", "lh.V1.d.e->rh.V1.e:ampa"]
    assert matching("?h.V1.*->rh.*", names, labels) == ["lh.V1.e->rh.V1.e:ampa"]


LABELS = ["Amyg[L]", "Amyg[R]", "AmygR", "V1*"]


@pytest.fixture
def workflow():
    def workflow(pattern):
        region = two_population_region()
        receptor = next(iter(region.cell_of("pyr").receptors))
        connectome = tb.Connectome([[0.0] * 4] * 4, [[0.0] * 4] * 4, LABELS)
        brain = tb.Brain(connectome=connectome, regions={pattern: region.replace(name="chosen"), "*": region})
        pulse = {"name": "pulse", "regions": pattern, "population": "pyr", "receptor": receptor}
        pulse |= {"rate": "10 Hz", "weight": "1 nS", "start": "1 ms", "duration": "2 ms"}
        state = {"variable": "v", "regions": pattern, "population": "pyr", "neurons": 2}
        return Workflow.parse(
            {
                "name": "labels",
                "run": {"duration": "10 ms", "window": "10 ms"},
                "brain": brain,
                "stimuli": [pulse],
                "record": {"state": [state]},
            }
        )

    return workflow


@pytest.mark.parametrize("pattern", ["Amyg[R]", "V1*"])
def test_a_label_with_brackets_or_a_star_is_meant_everywhere(workflow, pattern):
    prepared = prepare(workflow(pattern))
    layout = prepared.layout
    assert [label for label, region in zip(LABELS, layout.regions, strict=True) if region.name == "chosen"] == [pattern]
    assert [p.label for p in layout.reached(prepared.workflow.stimuli[0])] == [pattern]
    (probe,) = build_network(prepared).probes
    assert len(probe.places) == 2
    assert [LABELS[i] for i in layout.connectome.match(pattern)] == [pattern]


def test_what_is_at_a_label_with_brackets_is_at_no_other_of_another_connectome(workflow):
    """As a pattern, ``Amyg[R]`` would mean ``AmygR``."""
    before = workflow("Amyg[R]")
    region = before.brain.regions["*"]
    there, gone = (before.brain.connectome.select(patterns) for patterns in (["Amyg[R]", "AmygR"], ["AmygR", "V1*"]))
    brain = before.brain.replace(regions={"*": region})
    other = before.replace(brain=brain.replace(connectome=gone))
    swept = assigned(before.replace(brain=brain), {"connectome": gone})
    for changed in (other, swept):
        with pytest.raises(SpecError, match=r"stimuli\.pulse\.regions: the pattern 'Amyg\[\[\]R\]' matches no region"):
            prepare(changed)
        assert changed.record.state[0].regions == "Amyg[[]R]"
    assert before.replace(brain=brain.replace(connectome=there)).stimuli == before.stimuli
