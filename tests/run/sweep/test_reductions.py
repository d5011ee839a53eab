"""What is kept of a point."""

import functools
import warnings

import brian2 as b2
import numpy as np
import pint
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.run.sweep.fit import fitted
from twinbrain.run.sweep.reductions import LIBRARY, check_reductions, reduce_run, split, template_of, values_of

NOTHING = xr.DataTree()
REGISTRY = pint.UnitRegistry()


def count(run):
    return 3


def with_options(run, by, scale=2):
    return 1.0


def reduced(value, name="f"):
    return reduce_run(NOTHING, {name: {}}, {name: lambda run: value})


@pytest.mark.parametrize(
    ("given", "declared", "own"),
    [
        (["cv_isi", count], {"cv_isi": {}, "count": {}}, {"count": count}),
        ("cv_isi", {"cv_isi": {}}, {}),
        (count, {"count": {}}, {"count": count}),
        (iter(["cv_isi"]), {"cv_isi": {}}, {}),
        ({"cv_isi": {"by": "region"}, "mine": count}, {"cv_isi": {"by": "region"}, "mine": {}}, {"mine": count}),
        ((), {}, {}),
    ],
)
def test_names_options_and_functions_are_told_apart(given, declared, own):
    assert split(given) == (declared, own)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([lambda run: 1], "give it a name: reduce={'my_name': function}"),
        ([functools.partial(count)], "give it a name"),
        ([3], "expected names of reductions and functions with names, found 3"),
        ([count, count], "'count' is given twice"),
        (["cv_isi", "cv_isi"], "'cv_isi' is given twice"),
        ({"cv_isi": 3}, "expected options of 'cv_isi' as a table, or a function, found 3"),
        ({"cv_isi": None}, "expected options of 'cv_isi'"),
        (5, "expected names of analyses and functions, found 5"),
    ],
)
def test_what_is_no_reduction_is_refused(given, text):
    with pytest.raises(SpecError) as error:
        split(given)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("declared", "own", "texts"),
    [
        ({"cv_is": {}}, {}, ["sweep.reduce.cv_is: unknown reduction 'cv_is'; did you mean 'cv_isi'?", *LIBRARY]),
        ({"cont": {}}, {"count": count}, ["did you mean 'count'?"]),
        ({"cv_isi": {}}, {"cv_isi": count}, ["found that of an analysis"]),
        ({"a/b": {}}, {"a/b": count}, ["a name that can be an array's"]),
        ({"": {}}, {"": count}, ["a name that can be an array's"]),
        ({"status": {}}, {"status": count}, ["a name that can be an array's"]),
        ({"cv_isi": {"bi": "region"}}, {}, ["sweep.reduce.cv_isi", "unexpected keyword argument 'bi'", "by"]),
        ({"count": {"by": 1}}, {"count": count}, ["sweep.reduce.count", "'by'"]),
        ({"with_options": {}}, {"with_options": with_options}, ["missing a required argument: 'by'"]),
        ({"none": {}}, {"none": lambda: 1}, ["too many positional arguments"]),
        ({"one": {}, "other": {}}, {}, ["sweep.reduce.one", "sweep.reduce.other"]),
    ],
)
def test_what_cannot_be_computed_is_refused_all_at_once(declared, own, texts):
    with pytest.raises(SpecError) as error:
        check_reductions(declared, own)
    for text in texts:
        assert text in str(error.value)


def test_functions_of_a_user_take_options_too():
    declared = {"with_options": {"by": 3, "scale": 4}, "max": {}}
    own = {"with_options": lambda run, by, scale: by * scale, "max": lambda run: 1}
    check_reductions(declared, own)
    assert reduce_run(NOTHING, declared, own)["with_options"] == 12
    check_reductions({"size": {}}, {"size": len})  # written in C


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (3, "float64"),
        (2.5, "float64"),
        (True, "float64"),
        (np.float32(1), "float32"),
        (np.int16(1), "float64"),
        (xr.DataArray(np.arange(3)), "float64"),
        (xr.DataArray([0.5]).astype("float16"), "float32"),
        (np.array(1.0), "float64"),
    ],
)
def test_numbers_are_floats_that_can_be_none(value, dtype):
    (found,) = reduced(value).values()
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.asarray(value))


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, xr.DataArray(np.array([1, 2**64 - 1], np.uint64))])
def test_whole_numbers_that_would_be_rounded_are_refused(value):
    with pytest.raises(SpecError, match=r"sweep\.reduce\.f: expected whole numbers up to 2"):
        reduced(value)
    with pytest.raises(SpecError, match="found 'f_a' with larger ones"):
        reduced(xr.Dataset({"a": value}))


@pytest.mark.parametrize("value", [2**53, -(2**53), np.int32(-(2**31)), np.uint64(2**53)])
def test_whole_numbers_that_floats_are_stay_what_they_are(value):
    assert int(reduced(value)["f"]) == int(value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.ma.masked, np.nan),
        (np.ma.masked_less([1.0, 2.0], 5.0).mean(), np.nan),
        (np.ma.array(3, mask=True), np.nan),
        (np.ma.array(3, mask=False), 3.0),
        (xr.DataArray(np.ma.masked_less([1.0, 7.0], 5.0), dims="x"), [np.nan, 7.0]),
    ],
)
def test_a_masked_number_is_none(value, kept):
    np.testing.assert_array_equal(reduced(value)["f"], kept)


@pytest.mark.parametrize(
    ("value", "kept", "unit"),
    [
        (3 * b2.ms, 3, "ms"),
        (3 * b2.second, 3000, "ms"),
        (np.nan * b2.ms, np.nan, "ms"),
        (REGISTRY.Quantity(np.array(0.003), "s"), 3, "ms"),
        (xr.DataArray([1, 2] * b2.volt, dims="x"), [1000, 2000], "mV"),
        (xr.DataArray([1, 2], dims="x", attrs={"units": "Hz"}).drop_attrs() * b2.mV, [1, 2], "mV"),
        (xr.DataArray(REGISTRY.Quantity([1.0, 2.0], "nS"), dims="x"), [1, 2], "nS"),
        (2 * b2.mV**2, 2, "mV**2"),
    ],
)
def test_a_quantity_is_kept_as_a_number_beside_its_unit(value, kept, unit):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, of_dataset = reduced(value)["f"], reduced(xr.Dataset({"a": value}))["f_a"]
    for array in (found, of_dataset):
        assert type(array.data) is np.ndarray
        np.testing.assert_array_equal(array, kept)
        assert array.attrs == {"units": unit}


@pytest.mark.parametrize("factor", [10 * b2.ms, 2 * b2.pA, 2 * b2.Hz, REGISTRY.Quantity(3.0, "s")])
def test_a_quantity_beside_a_unit_that_xarray_has_kept_is_refused(factor):
    value = xr.DataArray([1.0, 2.0], dims="x", attrs={"units": "Hz"}) * factor
    for given in (value, xr.Dataset({"a": value})):
        with pytest.raises(SpecError, match=r"reduce\.f: expected a unit once, found 'Hz' .* beside a quantity"):
            reduced(given)


def test_a_quantity_of_no_unit_that_can_be_told_is_refused():
    with pytest.raises(
        SpecError, match=r"reduce\.f: expected a quantity in a unit such as ms, found one in 'deg.* offset"
    ):
        reduced(REGISTRY.Quantity(20.0, "degC"))


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="no wider float here")
def test_numbers_of_a_wider_type_are_refused():
    with pytest.raises(SpecError, match=r"sweep\.reduce\.f: expected floats of at most 64 bits"):
        reduced(np.longdouble(1) / 3)


@pytest.mark.parametrize(
    "own",
    [
        {"mean": lambda run: xr.Dataset({"rates": 1.0}), "mean_rates": lambda run: 2.0},
        {"mean_rates": lambda run: 2.0, "mean": lambda run: xr.Dataset({"rates": 1.0})},
        {"a": lambda run: xr.Dataset({"b_c": 1.0}), "a_b": lambda run: xr.Dataset({"c": 2.0})},
    ],
)
def test_two_results_of_one_name_are_refused(own):
    with pytest.raises(SpecError, match=r"found a second '(mean_rates|a_b_c)'"):
        reduce_run(NOTHING, {name: {} for name in own}, own)


def test_a_dataset_gives_an_array_a_variable():
    found = reduced(xr.Dataset({"a": 1, "b": ("x", [1.0, 2.0])}))
    assert {name: array.shape for name, array in found.items()} == {"f_a": (), "f_b": (2,)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NoneType of object"),
        ("a", "str of"),
        (1j, "complex of complex128"),
        ([1, 2], "list of int64"),
        (np.zeros(2), "ndarray of float64"),
        (xr.DataArray(["a"]), "DataArray of <U1"),
        (xr.Dataset({"a": ("x", ["a"])}), "DataArray of <U1"),
    ],
)
def test_what_is_no_number_is_refused_naming_the_reduction(value, text):
    with pytest.raises(SpecError, match=r"sweep\.reduce\.f: expected a number, a DataArray or a Dataset") as error:
        reduced(value)
    assert text in str(error.value)


def test_a_mean_of_nothing_warns_nobody(recwarn):
    found = reduce_run(NOTHING, {"f": {}}, {"f": lambda run: np.mean([])})
    assert np.isnan(found["f"])
    assert not recwarn.list


def array(dim, values, **coords):
    return xr.DataArray(np.zeros(len(values)), {dim: values, **coords}, dim)


def test_arrays_of_one_dimension_share_it_and_of_others_have_their_own():
    same = {"a": array("time", [0, 1]), "b": array("time", [0, 1]), "c": array("time", [0, 2]), "d": array("time", [0])}
    found = template_of(same)
    assert {name: array.dims for name, array in found.data_vars.items()} == {
        "a": ("time",),
        "b": ("time",),
        "c": ("c_time",),
        "d": ("d_time",),
    }
    assert found["c_time"].values.tolist() == [0, 2]


def test_texts_along_a_dimension_are_kept_and_numbers_of_a_point_are_not():
    found = template_of(
        {"a": array("region", ["x", "y"], family=("region", ["p", "q"]), rate=("region", [1, 2]), size=4)}
    )
    assert set(found.coords) == {"region", "family"}


def test_texts_of_one_name_are_those_of_every_result_along_a_dimension():
    one, other = (array("region", ["x", "y"], family=("region", texts)) for texts in (["p", "q"], ["r", "s"]))
    assert template_of({"a": one, "b": one})["family"].values.tolist() == ["p", "q"]
    with pytest.raises(SpecError, match=r"sweep\.reduce\.b: expected texts 'family' along region as those of another"):
        template_of({"a": one, "b": other})
    found = template_of({"a": one.drop_vars("region"), "b": other.drop_vars("region")})
    assert (found["family"].dims, found["b_family"].dims) == (("region",), ("b_region",))
    assert found["b_family"].values.tolist() == ["r", "s"]


def test_a_dimension_takes_no_texts_from_another_result():
    texts = xr.DataArray([1.0, 2.0], dims="part").assign_coords(which=("part", ["x", "y"]))
    for other in (array("which", ["p", "q"]), xr.DataArray([1.0, 2.0], dims="which")):
        found = template_of({"a": texts, "b": other})
        assert (found["which"].dims, found["which"].values.tolist()) == (("part",), ["x", "y"])
        assert (found["b"].dims, "b_which" in found.coords) == (("b_which",), "which" in other.coords)
        found = template_of({"b": other, "a": texts})
        assert (found["a_which"].dims, found["b"].dims) == (("part",), ("which",))


@pytest.mark.parametrize("first", ["b_part", "q"])
def test_a_name_that_something_else_has_is_given_to_nothing(first):
    taken = xr.DataArray([1.0, 2.0], dims=first).assign_coords(b_which=(first, ["m", "n"]))
    one, other = (xr.DataArray([1.0, 2.0], dims="part").assign_coords(which=("part", list(of))) for of in ("xy", "zw"))
    with pytest.raises(SpecError, match=r"sweep\.reduce\.b: expected '(part|which)' .*nothing else called 'b_"):
        template_of({"a": taken, "c": one, "b": other})


@pytest.mark.parametrize("value", [xr.DataTree(), [[1.0], [2.0, 3.0]]])
def test_what_no_array_can_be_made_of_is_refused(value):
    with pytest.raises(
        SpecError, match=rf"sweep\.reduce\.f: .*Dataset of numbers, found {type(value).__name__}; return"
    ):
        reduce_run(xr.DataTree(), {"f": {}}, {"f": lambda run: value})


def test_what_a_result_was_selected_at_is_not_kept():
    rates = array("population", ["e", "i"], region="x", cell=("population", ["c", "d"]))
    known = template_of({"f": rates.sel(population="e"), "g": rates})
    assert (known["f"].coords.keys(), set(known.coords)) == (set(), {"population", "cell"})
    assert fitted({"f": rates.sel(population="i"), "g": rates}, known)["f"] == 0


@pytest.mark.parametrize("labels", [{}, {"x": [1, 2]}, {"x": ["a", "b"], "y": ["c", "d"]}])
def test_an_index_of_several_levels_is_refused_whatever_they_hold(labels):
    given = xr.DataArray(np.zeros((2, 2)), labels, ("x", "y")).stack(z=("x", "y"))
    with pytest.raises(SpecError, match=r"reduce\.f: expected one coordinate a dimension, found several levels of 'z'"):
        template_of({"f": given})
    assert set(template_of({"f": given.reset_index("z", drop=True)}).coords) == set()


@pytest.mark.parametrize(
    ("results", "text"),
    [
        (
            {"region": xr.DataArray(0.0), "a": array("region", ["x"])},
            "sweep.reduce.region: expected names of its own, found 'region'",
        ),
        ({"a": xr.DataArray([0.0], dims="point")}, "found 'point'"),
        ({"a": array("x", [1], status=("x", ["s"]))}, "found 'status'"),
        ({"time": xr.DataArray([0.0], dims="time")}, "found 'time'"),
    ],
)
def test_results_that_are_called_as_something_else_are_refused(results, text):
    with pytest.raises(SpecError) as error:
        template_of(results)
    assert text in str(error.value)


def test_results_fill_the_template_or_are_refused():
    results = {"a": xr.DataArray(np.ones(2)), "b": xr.DataArray(1.0)}
    shapes = {"a": (2,), "b": ()}
    assert {name: values.tolist() for name, values in values_of(results, shapes).items()} == {"a": [1.0, 1.0], "b": 1.0}
    for wrong, text in [
        ({"a": (3,), "b": ()}, r"found a of shape \(2,\) instead of \(3,\)"),
        ({"a": (2,)}, r"found b of shape \(\) instead of None"),
        ({"a": (2,), "b": (), "c": ()}, r"found c of shape None instead of \(\)"),
    ]:
        with pytest.raises(SpecError, match=text):
            values_of(results, wrong)


def tree():
    return xr.DataTree.from_dict({"rate": xr.Dataset({"rate": ("time", np.arange(1.0, 4.0))})})


def total(run):
    return float(run["rate/rate"].sum())


def rates(run):
    return run["rate/rate"]


def wreck(run):
    run["rate/rate"].values[:] = 0
    run["rate"].dataset = xr.Dataset()
    return 0.0


@pytest.mark.parametrize("lazy", [False, True])
def test_what_a_function_writes_into_its_run_no_other_result_sees(lazy, monkeypatch):
    monkeypatch.setitem(LIBRARY, "rates", rates)
    run = tree().chunk() if lazy else tree()
    own = {"wreck": wreck, "total": total, "again": wreck}
    found = reduce_run(run, {name: {} for name in ("wreck", "rates", "total", "again")}, own)
    assert list(found) == ["wreck", "rates", "total", "again"]
    assert found["total"] == 6
    assert found["rates"].values.tolist() == [1, 2, 3]


@pytest.mark.parametrize("end", [SystemExit(0), type("Stop", (BaseException,), {})("now")])
def test_a_function_that_would_end_the_process_fails(end):
    def ends(run):
        raise end

    with pytest.raises(RuntimeError, match=rf"ends ends the process \({type(end).__name__}: {end}\)"):
        reduce_run(NOTHING, {"ends": {}}, {"ends": ends})


def test_ctrl_c_in_a_function_is_no_error_of_its():
    def stopped(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reduce_run(NOTHING, {"stopped": {}}, {"stopped": stopped})


def test_the_window_of_one_point_is_not_told_of_all(monkeypatch):
    def mine(run):
        return xr.DataArray(1.0, attrs={"start": "5 ms", "units": "1"})

    assert reduced(mine(None))["f"].attrs == {"start": "5 ms", "units": "1"}
    monkeypatch.setitem(LIBRARY, "mean_rates", mine)
    assert reduce_run(NOTHING, {"mean_rates": {}}, {})["mean_rates"].attrs == {"units": "1"}
