import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from twinbrain import LearnError, trials_of
from twinbrain.learn.metrics.score import score
from twinbrain.learn.tasks.split import chance, generator, parts, stratified

LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=60).map(np.array)


@given(LABELS, st.data())
def test_a_part_has_every_class_in_its_share(labels, data):
    n_classes = len(np.unique(labels))
    n = data.draw(st.integers(n_classes, len(labels)) if n_classes < len(labels) else st.just(len(labels)))
    chosen = stratified(labels, n, generator(0, "t"))
    assert len(np.unique(chosen)) == n
    for label in np.unique(labels):
        in_all, in_part = (labels == label).sum(), (labels[chosen] == label).sum()
        assert in_part >= 1
        assert abs(in_part - n * in_all / len(labels)) <= n_classes


@given(LABELS, st.integers(0, 60), st.integers(0, 60))
def test_a_smaller_part_is_within_a_larger_one(labels, one, other):
    small, large = (set(stratified(labels, n, generator(1, "t"))) for n in sorted((one, other)))
    assert small <= large


@given(LABELS, st.floats(0, 0.5), st.floats(0, 0.5))
def test_parts_are_disjoint_and_make_the_whole(labels, first, second):
    sizes = [round(first * len(labels)), round(second * len(labels))]
    sizes.append(len(labels) - sum(sizes))
    if any(share and size <= 0 for share, size in zip((first, second, 1), sizes, strict=True)):
        with pytest.raises(LearnError, match=rf"task t: expected trials in every part, .* of {len(labels)} where"):
            parts("t", labels, (first, second), generator(0, "t"))
        return
    found = parts("t", labels, (first, second), generator(0, "t"))
    assert [len(part) for part in found] == sizes
    assert sorted(np.concatenate(found)) == list(range(len(labels)))


def test_draws_are_named_by_seed_and_names():
    draw = generator(3, "a", "b").random(4)
    np.testing.assert_array_equal(generator(3, "a", "b").random(4), draw)
    assert (generator(4, "a", "b").random(4) != draw).all()
    assert (generator(3, "ab").random(4) != draw).all()


def test_chance_is_the_share_of_the_commonest_class():
    trials = trials_of(np.zeros((4, 2, 1), np.uint8), np.array([0, 2, 2, 1]))
    assert chance(trials) == 0.5


def test_chance_of_a_regression_is_the_error_of_the_best_constant():
    target = np.array([[[0.0], [2.0], [9.0]]], np.float32)
    scored = np.array([[1.0, 1.0, 0.0]], np.float32)
    assert chance(trials_of(np.zeros((1, 3, 1), np.uint8), target, scored)) == pytest.approx(1.0)


def test_chance_of_a_regression_counts_each_trial_alike_as_its_score_does():
    scored = np.zeros((2, 100), np.float32)
    scored[0, :10] = scored[1] = 1
    target = np.stack([np.ones((100, 1)), np.zeros((100, 1))]).astype(np.float32)
    trials = trials_of(np.zeros((2, 100, 1), np.uint8), target, scored)
    best = score(torch.full((100, 2, 1), 0.5), torch.as_tensor(target), torch.as_tensor(scored), "regression").mean()
    assert chance(trials) == pytest.approx(float(best)) == 0.25
