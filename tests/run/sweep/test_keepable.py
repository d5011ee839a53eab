"""What of a reduction's result can be kept."""

import numpy as np
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.run.sweep.keepable import keepable


def result(name="f", coordinate=(1.0, 2.0), called="lag", **attributes):
    return xr.Dataset({name: (called, [1.0, 2.0], attributes)}, {called: np.array(coordinate)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale_factor", 2.0),
        ("add_offset", 5.0),
        ("missing_value", 12.0),
        ("_FillValue", 12.0),
        ("_Unsigned", "true"),
        ("dtype", "bool"),
        ("units", "days since 2000-01-01"),
        ("coordinates", "lag"),
    ],
)
def test_attributes_that_would_change_a_value_as_it_is_read_are_refused(name, value):
    with pytest.raises(
        SpecError, match=f"sweep.reduce: 'f': expected attributes that describe a value, found '{name}'"
    ):
        keepable(result(**{name: value}))
    of_coordinate = result()
    of_coordinate["lag"].attrs[name] = value
    with pytest.raises(SpecError, match=f"sweep.reduce: 'lag': .* found '{name}'"):
        keepable(of_coordinate)


def test_attributes_that_describe_are_kept_as_json_has_them():
    given = {"n": np.int64(3), "at": np.arange(2), "units": "seconds", "of": {"x": (np.float32(0.5), None)}}
    found = keepable(result(**given))
    assert found["f"].attrs == {"n": 3, "at": [0, 1], "units": "seconds", "of": {"x": [0.5, None]}}
    with pytest.raises(SpecError, match=r"'f', attribute 'x': expected texts, numbers and lists .* found set"):
        keepable(result(x={1}))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (result("a/b"), "'a/b': expected a name"),
        (result(called="zarr.json"), "'zarr.json': expected a name .* found one that files of a store itself have"),
        (result("writer-1.claim"), "found one that files of a store itself have"),
        (result(called=".."), "found one with characters, or dots, that no file is named by"),
        (result("a\\b"), "found one with characters"),
        (result("a\x1b"), "found one with characters"),
        (result("\udc80"), "found one with characters"),
        (result(called="a" * 300), "found one of more than 255 bytes"),
        (result("ü" * 128), "found one of more than 255 bytes"),
        (result(called="a/b"), "'a/b': expected a name"),
        (result(called="a b"), "'a b': expected a name"),
        (result(coordinate=np.array(["2000-01-01", "2000-01-02"], "M8[ns]")), "'lag': expected numbers or texts"),
        (result(coordinate=[1j, 2]), "found complex128"),
        (result(coordinate=np.array(["a", 1], object)), "found object"),
    ],
)
def test_what_a_store_cannot_keep_is_refused(given, text):
    with pytest.raises(SpecError, match=text):
        keepable(given)


@pytest.mark.parametrize("coordinate", [["a", "b"], np.array(["a", "b"], object), [True, False], [1, 2]])
def test_numbers_and_texts_are_kept(coordinate):
    xr.testing.assert_identical(keepable(result("a b", coordinate)), result("a b", coordinate))
