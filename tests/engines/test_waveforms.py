import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.engines.waveforms import WaveformReader, amounts, sine
from twinbrain.network.inputs import Waveform

EIGHTHS = st.integers(1, 80).map(lambda n: n / 8)


def waveform(values, edges=(0.0,), *, start=2, stop=5, steps=(0, 1000), **options):
    return Waveform("x", start, stop, *steps, np.array(values, np.int32), np.array(edges, np.float64), **options)


@st.composite
def repeated(draw):
    """Return a waveform of up to 6 values whose edges and period lie between steps."""
    parts = draw(st.lists(EIGHTHS, min_size=1, max_size=6))
    edges = np.concatenate([[0.0], np.cumsum(parts)])
    values = draw(st.lists(st.integers(-9, 9), min_size=len(parts), max_size=len(parts)))
    first = draw(st.integers(0, 30))
    return waveform(
        np.array(values)[:, None],
        edges[:-1],
        steps=(first, first + draw(st.integers(0, 60))),
        period=draw(st.sampled_from([edges[-1], np.inf])),
    )


def by_hand(given_, n_steps):
    """Walk through the periods and edges, each rounded to its step, in exact arithmetic."""
    found, n = np.zeros(n_steps, int), 0
    while True:
        for edge, value in zip(given_.edges, given_.values[:, 0], strict=True):
            begins = Fraction(float(edge)) + (n * Fraction(given_.period) if n else 0) + Fraction(1, 2)
            found[given_.first_step + math.floor(begins) : given_.last_step] = value
        n += 1
        if n * given_.period > n_steps:
            return found.tolist()


@given(repeated())
def test_each_value_begins_at_the_step_nearest_to_its_time(given_):
    found = amounts((given_,), 0, 80)
    assert found.dtype == np.int32
    assert found[:, 0].tolist() == by_hand(given_, 80)


@given(repeated(), st.integers(0, 70), st.integers(1, 20))
def test_steps_can_be_computed_in_any_parts(given_, first, n):
    np.testing.assert_array_equal(amounts((given_,), first, n), amounts((given_,), 0, 90)[first : first + n])


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1))
def test_the_sine_is_right_to_the_last_bits(phases):
    cycles = [phase / 2.0**64 for phase in phases]
    expected = [math.sin(2 * math.pi * math.remainder(c, 1.0)) for c in cycles]
    np.testing.assert_allclose(sine(np.array(phases, np.uint64)), expected, rtol=0, atol=2e-15)


def test_the_sine_ends_where_it_began():
    np.testing.assert_allclose(sine(np.array([0, 2**62, 2**63, 3 * 2**62], np.uint64)), [0, 1, 0, -1], atol=2e-16)


def test_a_sine_turns_by_the_same_angle_each_step_and_is_added_to_the_values():
    given_ = waveform([[7]], amplitude=100, turn=2**64 // 12, phase=2**62, steps=(3, 1003))
    found = amounts((given_,), 3, 600)[:, 0]
    np.testing.assert_array_equal(found, 7 + np.rint(100 * np.cos(2 * np.pi * np.arange(600) / 12)))


def test_a_column_is_added_to_all_neurons_or_to_one():
    shared, own = waveform([[4], [5]], [0.0, 1.0]), waveform([[1, 2, 3]], start=7, stop=10)
    reader = WaveformReader((shared, own))
    assert list(zip(reader.start, reader.stop, strict=True)) == [(2, 5), (7, 8), (8, 9), (9, 10)]
    np.testing.assert_array_equal(reader.at(0), [4, 1, 2, 3])
    np.testing.assert_array_equal(reader.at(1), [5, 1, 2, 3])


def test_what_goes_to_several_populations_is_computed_once_and_added_to_each():
    given_ = waveform([[1, 2, 3], [4, 5, 6]], [0.0, 2.0], amplitude=50, turn=2**60)
    other = replace(given_, start=20, stop=23)
    shifted = replace(given_, start=9, stop=12, phase=2**63)
    reader = WaveformReader((given_, shifted, other))
    for step in range(5):
        np.testing.assert_array_equal(reader.at(step), amounts((given_, shifted, other), step, 1)[0])
    assert reader.start.tolist() == [2, 3, 4, 9, 10, 11, 20, 21, 22]


def test_a_reader_may_be_asked_for_steps_in_any_order():
    given_ = waveform(np.arange(2000)[:, None], np.arange(2000.0), steps=(10, 1500))
    reader = WaveformReader((given_,))
    assert [reader.at(step) for step in (9, 1500)] == [None, None]
    for step in (700, 10, 1499, 256, 255, 11):
        assert reader.at(step).tolist() == [step - 10]
    assert WaveformReader(()).at(0) is None
