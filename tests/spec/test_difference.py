"""What differs between two declarations."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.spec.difference import differences

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a: 1 before, 2 now"]),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, ["a.b: 'x' before, 'y' now"]),
        ({"a": 1}, {}, ["a: 1 before, nothing now"]),
        ({}, {"a": None}, ["a: nothing before, None now"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b: 2 before, 3 now"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a: [1] before, [1, 2] now"]),
        ({"a": 1, "b": 1}, {"b": 2, "a": 2}, ["a: 1 before, 2 now", "b: 1 before, 2 now"]),
        ({"a": {"b": 1}}, {"a": 1}, ["a: {'b': 1} before, 1 now"]),
    ],
)
def test_each_value_that_differs_is_named(before, after, expected):
    assert list(differences(before, after)) == expected


def test_a_file_whose_contents_have_changed_is_named():
    before, after = ({"file": "/data/r.npz", "sha256": digest} for digest in ("a", "b"))
    assert list(differences(before, after, "spikes")) == ["spikes.sha256 of /data/r.npz: 'a' before, 'b' now"]


def test_long_values_are_cut():
    (line,) = differences({"a": "x" * 100}, {"a": 1})
    assert len(line) < 90
    assert "…" in line


@given(PLAIN, PLAIN)
def test_there_are_differences_if_and_only_if_something_differs(before, after):
    assert list(differences(before, before)) == []
    assert bool(list(differences({"a": before}, {"a": after}))) == (before != after)
    assert list(differences(before, json.loads(json.dumps(before)))) == []
