import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twinbrain.engines.brian2.drives import draw_words
from twinbrain.network.random import Key, integers, philox, philox_words, stream_key, uniforms, words

# kat_vectors of Random123 1.14 (Salmon et al. 2011), philox4x32 with 10 rounds: counter, key, result.
KNOWN = [
    (("00000000",) * 4, ("00000000",) * 2, ("6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8")),
    (("ffffffff",) * 4, ("ffffffff",) * 2, ("408f276d", "41c83b0e", "a20bc7c6", "6d5451fd")),
    (
        ("243f6a88", "85a308d3", "13198a2e", "03707344"),
        ("a4093822", "299f31d0"),
        ("d16cfe09", "94fdcceb", "5001e420", "24126ea1"),
    ),
]
KNOWN = [tuple(tuple(int(word, 16) for word in part) for part in row) for row in KNOWN]
WORD = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, expected):
    found = philox(np.array(counter, np.uint64)[:, None], np.array(key, np.uint64)[:, None])
    assert found[:, 0].tolist() == list(expected)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_compiled_philox_gives_the_published_answers(counter, key, expected):
    assert philox_words(*map(np.uint64, (*counter, *key))) == expected


def test_words_of_a_stream_begin_with_the_published_answer():
    _, _, expected = KNOWN[0]
    assert words(Key(0, 0), 4).tolist() == list(expected)


def test_words_of_drives_begin_with_the_published_answer():
    found = np.zeros((4, 1), np.uint32)
    draw_words(np.zeros(1, np.uint32), np.zeros(1, np.uint32), np.zeros(1, np.uint32), 0, found)
    assert found[:, 0].tolist() == list(KNOWN[0][2])


@given(WORD, WORD, st.integers(0, 50))
def test_words_of_a_stream_are_philox_of_their_number(first, second, n):
    counter = np.zeros((4, 13), np.uint64)
    counter[0] = np.arange(13)
    expected = philox(counter, np.array([[first], [second]], np.uint64)).T.reshape(-1)
    assert words(Key(first, second), n).tolist() == expected[:n].tolist()


@given(st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=9), st.integers(0, 2**62))
def test_words_of_drives_are_philox_of_element_and_step(elements, group):
    first, second, element = np.array(elements, np.uint32).T
    found = np.zeros((4, len(element)), np.uint32)
    draw_words(first, second, element, group, found)
    counter = np.zeros((4, len(element)), np.uint64)
    counter[0], counter[1], counter[2] = element, group & 0xFFFFFFFF, group >> 32
    np.testing.assert_array_equal(found, philox(counter, np.array([first, second], np.uint64)))


def test_a_longer_draw_begins_with_the_shorter():
    key = stream_key(1, "a")
    assert words(key, 1000)[:17].tolist() == words(key, 17).tolist()


def test_streams_do_not_depend_on_what_was_drawn_before():
    one, other = stream_key(1, "a"), stream_key(1, "b")
    before = uniforms(one, 5).tolist()
    uniforms(other, 100)
    assert uniforms(one, 5).tolist() == before


def test_streams_of_other_names_and_seeds_are_others():
    names = [
        (1, "a"),
        (2, "a"),
        (1, "b"),
        (1, "a", "b"),
        (1, "ab"),
        (1, "b", "a"),
        (1, "a", ""),
        (11, ""),
        (1, "1", ""),
    ]
    assert len({stream_key(*name) for name in names}) == len(names)


def test_uniform_numbers_are_uniform_and_within_their_bounds():
    found = uniforms(stream_key(1, "uniform"), 200_000)
    assert 0 < found.min() < found.max() < 1
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_the_words_of_a_stream_are_independent():
    found = words(stream_key(1, "bits"), 40_000)
    bits = np.unpackbits(found.view(np.uint8)).reshape(-1, 32)
    # 40,000 throws of each bit, and of each pair of neighbouring words.
    assert np.abs(bits.mean(0) - 0.5).max() < 5 * 0.5 / 200
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 5 / 200


@pytest.mark.parametrize("high", [1, 2, 7, 1000])
def test_integers_are_uniform(high):
    found = integers(stream_key(1, "integers"), 50_000, high)
    assert set(np.unique(found)) <= set(range(high))
    assert high == 1 or stats.chisquare(np.bincount(found, minlength=high)).pvalue > 1e-3
