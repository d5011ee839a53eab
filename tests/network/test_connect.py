import numpy as np
import pytest
from scipy import stats

from twinbrain.errors import SpecError
from twinbrain.network.connect import draw_pairs, expected_synapses
from twinbrain.network.random import stream_key
from twinbrain.spec.projection import Connect

RULES = [
    {"probability": 0.1},
    {"total": 500},
    {"in_degree": 7},
    {"out_degree": 9},
    {"one_to_one": True},
    {"distance": {"probability": 0.5, "scale": "1 mm"}},
    {"pairs": {"source": [3, 0, 3], "target": [2, 5, 1]}},
]


def streams(seed=1):
    return lambda what: stream_key(seed, what)


def draw(rule, n_sources=60, n_targets=60, seed=1, same=False, **positions):
    if "distance" in rule and not positions:
        rng = np.random.default_rng(0)
        positions = {"source_positions": rng.random((n_sources, 3)), "target_positions": rng.random((n_targets, 3))}
    return draw_pairs(Connect.parse(rule), n_sources, n_targets, streams(seed), same=same, **positions)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: next(iter(rule)))
def test_a_draw_is_sorted_by_target_within_bounds_and_repeatable(rule):
    source, target = draw(rule)
    assert len(source) == len(target) > 0
    assert "pairs" in rule or (np.diff(target) >= 0).all()
    assert source.min() >= 0
    assert max(source.max(), target.max()) < 60
    again = draw(rule)
    np.testing.assert_array_equal(source, again[0])
    np.testing.assert_array_equal(target, again[1])


@pytest.mark.parametrize("rule", RULES[:4] + RULES[5:6], ids=lambda rule: next(iter(rule)))
def test_another_stream_gives_another_draw(rule):
    one, other = draw(rule), draw(rule, seed=2)
    assert len(one[0]) != len(other[0]) or (one[0] != other[0]).any()


def test_every_target_has_its_in_degree():
    _, target = draw({"in_degree": 7}, 30, 80)
    assert np.bincount(target, minlength=80).tolist() == [7] * 80


def test_every_source_has_its_out_degree():
    source, _ = draw({"out_degree": 9}, 30, 80)
    assert np.bincount(source, minlength=30).tolist() == [9] * 30


def test_a_total_is_exact():
    assert len(draw({"total": 12_345}, 30, 80)[0]) == 12_345


@pytest.mark.parametrize(("probability", "sizes"), [(0.1, (300, 400)), (0.003, (1000, 1000)), (0.9, (100, 300))])
def test_a_probability_gives_a_binomial_number(probability, sizes):
    n_pairs = sizes[0] * sizes[1]
    spread = np.sqrt(n_pairs * probability * (1 - probability))
    counts = [len(draw({"probability": probability}, *sizes, seed=seed)[0]) for seed in range(20)]
    assert np.abs(np.array(counts) - n_pairs * probability).max() < 5 * spread
    assert np.std(counts) > spread / 3


def test_a_probability_connects_no_pair_twice_and_every_pair_alike():
    source, target = draw({"probability": 0.2}, 40, 50)
    assert len(np.unique(source * 50 + target)) == len(source)
    counts = np.zeros((40, 50))
    for seed in range(300):
        source, target = draw({"probability": 0.2}, 40, 50, seed=seed)
        counts[source, target] += 1
    z = (counts - 60) / np.sqrt(300 * 0.2 * 0.8)
    assert np.abs(z).max() < 5
    assert z.std() == pytest.approx(1, abs=5 / np.sqrt(2 * 2000))


@pytest.mark.parametrize(
    "rule", [{"in_degree": 200}, {"out_degree": 200}, {"total": 8000}], ids=lambda rule: next(iter(rule))
)
def test_ends_that_are_drawn_are_uniform(rule):
    source, target = draw(rule, 40, 40)
    if "out_degree" not in rule:
        assert stats.chisquare(np.bincount(source, minlength=40)).pvalue > 1e-3
    if "in_degree" not in rule:
        assert stats.chisquare(np.bincount(target, minlength=40)).pvalue > 1e-3
    assert stats.chi2_contingency(np.histogram2d(source, target, 8)[0]).pvalue > 1e-3


@pytest.mark.parametrize(
    "rule", [r for r in RULES if "pairs" not in r and "one_to_one" not in r], ids=lambda r: next(iter(r))
)
def test_a_neuron_contacts_itself_only_where_it_may(rule):
    source, target = draw(rule, 20, 20, same=True)
    assert (source != target).all()
    source, target = draw(rule | {"autapses": True}, 20, 20, same=True)
    assert (source == target).any()


@pytest.mark.parametrize(
    "rule", [{"in_degree": 200}, {"out_degree": 200}, {"total": 8000}], ids=lambda rule: next(iter(rule))
)
def test_without_autapses_the_others_are_uniform(rule):
    source, target = draw(rule, 40, 40, same=True)
    offset = (source - target) % 40
    assert stats.chisquare(np.bincount(offset, minlength=40)[1:]).pvalue > 1e-3


@pytest.mark.parametrize(
    "rule", [{"in_degree": 30}, {"out_degree": 30}, {"in_degree": 3}, {"total": 900}, {"total": 9}]
)
@pytest.mark.parametrize("same", [False, True])
def test_without_multapses_a_pair_has_one_synapse_and_every_pair_is_as_likely(rule, same):
    source, target = draw(rule, 40, 40, same=same)
    repeated = draw(rule | {"multapses": False}, 40, 40, same=same)
    assert len(source) == len(repeated[0])
    assert (np.diff(repeated[1]) >= 0).all()
    counts = np.zeros((40, 40), int)
    for seed in range(400):
        source, target = draw(rule | {"multapses": False}, 40, 40, seed=seed, same=same)
        assert len(np.unique(source * 40 + target)) == len(source)
        np.add.at(counts, (source, target), 1)
    if same:
        assert np.trace(counts) == 0
    pairs = counts[~np.eye(40, dtype=bool)] if same else counts.ravel()
    # Each pair is drawn in 400 trials with one probability; drawn without replacement, the counts vary no more.
    mean = pairs.mean()
    assert stats.chi2.sf(((pairs - mean) ** 2).sum() / (mean * (1 - mean / 400)), len(pairs) - 1) > 1e-3


@pytest.mark.parametrize(
    ("rule", "most"), [({"in_degree": 40}, 39), ({"out_degree": 40}, 39), ({"total": 1561}, "1,560")]
)
def test_more_synapses_than_pairs_want_multapses(rule, most):
    with pytest.raises(SpecError, match=f"expected at most {most} without multapses, which are all the pairs"):
        draw(rule | {"multapses": False}, 40, 40, same=True)


def test_every_pair_can_be_drawn_without_multapses():
    source, target = draw({"total": 1560, "multapses": False}, 40, 40, same=True)
    assert len(np.unique(source * 40 + target)) == 1560


def test_one_to_one_within_a_population_wants_autapses():
    with pytest.raises(SpecError, match="in which a neuron would contact itself; set autapses = true"):
        draw({"one_to_one": True}, same=True)
    source, target = draw({"one_to_one": True, "autapses": True}, same=True)
    assert source.tolist() == target.tolist() == list(range(60))


def test_one_to_one_connects_neighbours_in_number():
    source, target = draw({"one_to_one": True})
    assert source.tolist() == target.tolist() == list(range(60))
    with pytest.raises(SpecError, match=r"connect\.one_to_one: expected two populations of one size, found 3 and 4"):
        draw({"one_to_one": True}, 3, 4)


def test_pairs_are_taken_as_they_are():
    source, target = draw({"pairs": {"source": [3, 0, 3, 3], "target": [2, 5, 1, 2]}}, same=True)
    assert (source.tolist(), target.tolist()) == ([3, 0, 3, 3], [2, 5, 1, 2])


@pytest.mark.parametrize(
    ("kernel", "falloff"), [("gaussian", lambda x: np.exp(-(x**2) / 2)), ("exponential", lambda x: np.exp(-x))]
)
def test_a_distance_kernel_falls_off_as_it_says(kernel, falloff):
    n = 600
    rng = np.random.default_rng(1)
    one, other = rng.uniform(0, 2, (n, 3)), rng.uniform(0, 2, (n, 3))
    rule = {"distance": {"probability": 0.8, "scale": "0.5 mm", "kernel": kernel}}
    source, target = draw(rule, n, n, source_positions=one, target_positions=other)
    distance = np.sqrt(((one[:, None] - other[None]) ** 2).sum(-1))
    edges = np.linspace(0, 2, 9)
    possible = np.histogram(distance, edges)[0]
    found = np.histogram(distance[source, target], edges)[0]
    expected = np.histogram(distance, edges, weights=0.8 * falloff(distance / 0.5))[0]
    assert (np.abs(found - expected) < 5 * np.sqrt(expected + 1)).all()
    assert found[0] / possible[0] > 5 * found[-1] / possible[-1]


def test_a_distance_kernel_needs_positions():
    with pytest.raises(SpecError, match=r"connect.distance: expected populations with an extent, found one without"):
        draw_pairs(Connect.parse(RULES[5]), 3, 3, streams())


def test_a_lone_neuron_has_no_partner_in_its_population():
    with pytest.raises(
        SpecError, match="connect: expected a source besides the neuron itself, found a population of one"
    ):
        draw({"in_degree": 1}, 1, 1, same=True)
    assert len(draw({"in_degree": 0}, 1, 1, same=True)[0]) == 0
    assert len(draw({"probability": 1.0}, 1, 1, same=True)[0]) == 0


@pytest.mark.parametrize(("probability", "n"), [(0.0, 0), (1.0, 3600), (1e-300, 0), (1e-12, 0)])
def test_probabilities_at_the_ends(probability, n):
    source, target = draw({"probability": probability})
    assert len(source) == len(target) == n
    assert n == 0 or len(np.unique(source * 60 + target)) == n


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: next(iter(rule)))
def test_the_expected_number_is_what_is_drawn(rule, same):
    rule = rule | {"autapses": True} if "one_to_one" in rule else rule
    expected = expected_synapses(Connect.parse(rule), 60, 60, same=same)
    found = np.mean([len(draw(rule, seed=seed, same=same)[0]) for seed in range(20)])
    if "distance" in rule:
        assert found < expected
    else:
        assert found == pytest.approx(expected, rel=0.02)
