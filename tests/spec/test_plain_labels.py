import datetime

import numpy as np
import pandas as pd
import pytest

from twinbrain.spec.plain_labels import are_texts, ascend, plain_labels

MS = pd.date_range("2024-01-01", periods=3, freq="ms")


@pytest.mark.parametrize(
    "index",
    [
        MS,
        MS.tz_localize("UTC"),
        MS.tz_localize("UTC").tz_convert("Europe/Berlin"),
        MS.to_period("ms"),
        MS.astype(object),
        MS.tz_localize("UTC").astype(object),
        pd.CategoricalIndex(MS.tz_localize("UTC")),
        pd.MultiIndex.from_arrays([MS]),
        pd.IntervalIndex.from_breaks([*MS, MS[-1] + pd.Timedelta(1, "ms")]),
    ],
)
def test_times_in_any_form_are_times_of_numpy(index):
    found = plain_labels(index)
    assert found.dtype.kind == "M"
    np.testing.assert_array_equal(found, MS.to_numpy())


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.RangeIndex(3), [0, 1, 2]),
        (pd.Index([2, 1, 0], dtype=object), [2, 1, 0]),
        (pd.Index([2, 1.5], dtype=object), [2, 1.5]),
        (pd.Index([2, 1], dtype="Int64"), [2, 1]),
        (pd.CategoricalIndex([2, 1, 2]), [2, 1, 2]),
        (pd.interval_range(0, periods=3, freq=5), [0, 5, 10]),
        (pd.CategoricalIndex(pd.cut([7, 2], [0, 5, 10])), [5, 0]),
    ],
)
def test_numbers_in_any_form_are_numbers(index, expected):
    found = plain_labels(index)
    assert found.dtype.kind in "if"
    assert found.tolist() == expected


def test_days_are_times():
    found = plain_labels(pd.Index([datetime.date(2024, 1, 2), datetime.date(2024, 1, 1)]))
    assert found.dtype.kind == "M"
    assert not ascend(found)


@pytest.mark.parametrize(
    ("index", "texts", "ascends"),
    [
        (pd.Index(list("ba")), True, False),
        (pd.CategoricalIndex(list("ba")), True, False),
        (pd.Index([b"a", b"b"]), True, True),
        (pd.MultiIndex.from_product([["x"], [0, 1]]), False, True),
        (pd.MultiIndex.from_product([["x"], [1, 0]]), False, False),
        (pd.MultiIndex.from_product([["x"], ["u1", "u2", "u10"]]), False, True),
        (pd.MultiIndex.from_tuples([("pyr", 0), ("pyr", 1), ("pv", 0)]), False, True),
        (pd.MultiIndex.from_tuples([("pyr", 1), ("pv", 0), ("pyr", 0)]), False, False),
        (pd.Index(["a", 1]), False, False),
        (pd.Index(["a", None]), False, False),
        (pd.Index([True, False]), False, False),
        (pd.Index([1j, 2j]), False, False),
    ],
)
def test_names_have_no_order_and_what_cannot_be_compared_does_not_ascend(index, texts, ascends):
    labels = plain_labels(index)
    assert (are_texts(labels), ascend(labels)) == (texts, ascends)
