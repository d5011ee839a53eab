from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.errors import SpecError
from twinbrain.network.inputs import Events, RandomDrive, Waveform
from twinbrain.network.random import Key
from twinbrain.network.synapses import Synapses
from twinbrain.network.table import build_tables, check_range

ROW = st.tuples(st.integers(0, 6), st.integers(0, 20), st.integers(-(2**31), 2**31 - 1), st.integers(1, 2**16 - 1))
FEW_DELAYS = st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(-9, 9), st.integers(1, 3))
PARTS = st.lists(
    st.tuples(
        st.sampled_from(["ampa", "gaba_a"]),
        st.sampled_from(["local", "long_range"]),
        st.lists(ROW | FEW_DELAYS, max_size=30),
    ),
    max_size=6,
)


def synapses(receptor, origin, rows):
    source, post, weight, delay = np.array(rows, np.int64).reshape(-1, 4).T
    return Synapses(
        receptor,
        origin,
        source.astype(np.int32),
        post.astype(np.int32),
        weight.astype(np.int32),
        delay.astype(np.uint16),
    )


def rows_of(table):
    source = np.repeat(np.arange(len(table.row_start) - 1), np.diff(table.row_start))
    return list(zip(source.tolist(), table.post.tolist(), table.weight.tolist(), table.delay.tolist(), strict=True))


@given(PARTS)
def test_tables_hold_what_was_drawn_sorted_by_source_and_delay(parts):
    tables = build_tables((synapses(*part) for part in parts), 7)
    drawn = {}
    for receptor, origin, rows in parts:
        drawn.setdefault((receptor, origin), []).extend(rows)
    assert [(table.receptor, table.origin) for table in tables] == sorted(drawn)
    for table in tables:
        found = rows_of(table)
        assert Counter(found) == Counter(drawn[table.receptor, table.origin])
        assert [(row[0], row[3]) for row in found] == sorted((row[0], row[3]) for row in found)
        assert (table.row_start[0], table.row_start[-1], len(table.row_start)) == (0, len(found), 8)


@given(st.lists(FEW_DELAYS, max_size=40), st.integers(0, 40))
def test_a_table_does_not_depend_on_the_parts_in_which_it_was_drawn(rows, cut):
    whole = build_tables([synapses("ampa", "local", rows)], 4)
    parts = build_tables([synapses("ampa", "local", rows[:cut]), synapses("ampa", "local", rows[cut:])], 4)
    assert [rows_of(table) for table in whole] == [rows_of(table) for table in parts]


def test_a_table_takes_ten_bytes_a_synapse():
    (table,) = build_tables([synapses("ampa", "local", [(0, 1, 2, 3)] * 1000)], 5)
    assert table.nbytes == 10 * 1000 + 8 * 6
    assert table.n_synapses == 1000


def drive(weight, n_thresholds):
    return RandomDrive("x", 1, 3, Key(0, 0), 1.0, np.zeros(n_thresholds, np.uint32), weight, 0, 10)


def test_inputs_that_fit_an_integer_together_pass():
    tables = build_tables([synapses("ampa", "local", [(0, 1, 2**30, 1), (1, 1, -(2**29), 1)])], 2)
    check_range(tables, [drive(-(2**20), 3)], 5)
    check_range(build_tables([synapses("ampa", "local", [(0, 1, 2**31 - 1, 1)])], 2), [], 5)
    check_range((), (), 0)


@pytest.mark.parametrize(
    ("rows", "drives"),
    [
        ([(0, 1, 2**30, 1), (1, 1, 2**30, 5)], []),
        ([(0, 1, 2**30, 1), (1, 1, -(2**30), 5)], []),
        ([(0, 1, 2**30, 1)], [drive(2**28, 3)]),
        ([], [drive(2**29, 3)]),
    ],
)
def test_inputs_that_could_overflow_an_inbox_are_refused(rows, drives):
    tables = build_tables([synapses("ampa", "local", rows)], 2)
    with pytest.raises(
        SpecError, match=r"expected the inputs of a neuron to sum to at most 2147483647 quanta in one step"
    ):
        check_range(tables, drives, 5)


def waveform(*rows, amplitude=0):
    values = np.array(rows, np.int32).T
    return Waveform("x", 1, 3, 0, 10, values, np.arange(float(len(values))), amplitude=amplitude)


def events(*rows):
    step, place, amount = np.array(rows).T
    return Events(step.astype(np.int64), place.astype(np.int32), amount.astype(np.int32))


@pytest.mark.parametrize(
    ("fits", "overflows"),
    [
        (waveform([5, -(2**30)]), waveform([5, -(2**30) - 1])),
        (waveform([0], [2**30]), waveform([0], [2**30 + 1])),
        (waveform([2**29], amplitude=-(2**29)), waveform([2**29], amplitude=-(2**29) - 1)),
        (events((3, 2, 2**29), (3, 2, -(2**29)), (4, 2, 2**30)), events((3, 2, 2**29), (3, 2, 2**29 + 1))),
        (
            RandomDrive("x", 1, 3, Key(0, 0), 5.0, np.zeros(10, np.uint32), 2**20, 0, 10, offset=1024),
            RandomDrive("x", 1, 3, Key(0, 0), 5.0, np.zeros(10, np.uint32), 2**20, 0, 10, offset=1025),
        ),
    ],
)
def test_what_comes_in_counts_with_its_largest_amount(fits, overflows):
    tables = build_tables([synapses("ampa", "local", [(0, 2, 2**30 - 1, 1)])], 2)
    check_range(tables, [fits], 5)
    with pytest.raises(SpecError, match="expected the inputs of a neuron to sum to at most 2147483647 quanta"):
        check_range(tables, [overflows], 5)
