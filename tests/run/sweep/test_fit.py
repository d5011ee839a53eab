"""Results of a point have to stand where those of the sweep do."""

import numpy as np
import pytest
import xarray as xr

from twinbrain.errors import SpecError
from twinbrain.run.sweep.fit import common, fitted
from twinbrain.run.sweep.reductions import template_of


def array(values, dim, labels, **coords):
    return xr.DataArray(np.array(values, float), {dim: labels, **coords}, dim)


REGIONS = {"f": array([1, 2, 3], "region", ["a", "b", "c"], family=("region", ["p", "q", "q"]))}
TIMES = {"f": array([1, 2], "time", [0.5, 1.5])}


def test_texts_in_another_order_are_put_into_that_of_the_sweep_in_every_dimension():
    square = np.arange(9.0).reshape(3, 3)
    labels = ["a", "b", "c"]
    given = xr.DataArray(square, {"target": labels, "source": labels}, ("target", "source"))
    found = fitted({"f": given.isel(target=[2, 0, 1], source=[1, 2, 0])}, template_of({"f": given}))
    np.testing.assert_array_equal(found["f"], square)
    moved = {"f": REGIONS["f"].isel(region=[1, 2, 0])}
    assert fitted(moved, template_of(REGIONS))["f"].tolist() == [1, 2, 3]
    assert set(common(template_of(REGIONS), moved).coords) == {"region", "family"}


@pytest.mark.parametrize(
    ("known", "given", "text"),
    [
        (
            REGIONS,
            array([1, 2, 3], "region", ["a", "d", "c"]),
            "the same region .* found d instead of b in place 2 of 3",
        ),
        (REGIONS, array([1, 2, 3], "region", ["a", "a", "c"]), "the same region .* found a instead of b"),
        (REGIONS, array([1, 2, 3], "region", ["a", "b", "c"]), "the same family at every point, found none"),
        (
            REGIONS,
            array([1, 2, 3], "region", ["a", "b", "c"], family=("region", ["p", "p", "q"])),
            "the same family .* found p instead of q in place 2 of 3.* as cases",
        ),
        (TIMES, array([1, 2], "time", [0.5, 2.5]), r"the same time .* found 2\.5 instead of 1\.5 in place 2 of 2"),
        (TIMES, array([1, 2], "time", [1.5, 0.5]), r"the same time .* found 1\.5 instead of 0\.5"),
        (TIMES, xr.DataArray([1.0, 2.0], dims="time"), "the same time at every point, found none"),
        (
            TIMES,
            array([1, 2], "frequency", [0.5, 1.5]),
            "expected f along time at every point, found it along frequency",
        ),
        (TIMES, array([1], "time", [0.5]), r"found f of shape \(1,\) instead of \(2,\)"),
    ],
)
def test_results_at_other_places_are_refused_naming_the_coordinate(known, given, text):
    with pytest.raises(SpecError, match=text):
        fitted({"f": given}, template_of(known))


def test_times_that_differ_by_rounding_are_the_same():
    given = array([1, 2], "time", [0.1 + 0.2, 1.5])
    assert fitted({"f": given}, template_of({"f": array([0, 0], "time", [0.3, 1.5])}))["f"].tolist() == [1, 2]


@pytest.mark.parametrize("other", [{"units": "s"}, {}])
def test_results_have_one_unit(other):
    known = {"f": array([1, 2], "time", [0.5, 1.5]).assign_attrs(units="ms", places=(1, 2), nothing=np.nan)}
    template = template_of(known)
    assert fitted(known, template)["f"].tolist() == [1, 2]
    given = known["f"].copy()
    given.attrs = other | {"places": [1, 2], "nothing": np.nan}
    with pytest.raises(SpecError, match=r"expected the attribute 'units' of f .* 'ms', found ('s'|none)"):
        fitted({"f": given}, template)
    shared = common(template, {"f": given})
    assert set(shared["f"].attrs) == {"places", "nothing"}
    assert template["f"].attrs["units"] == "ms"
    given = known["f"].copy()
    given["time"].attrs["units"] = "s"
    known["f"]["time"].attrs["units"] = "ms"
    with pytest.raises(SpecError, match="the attribute 'units' of time"):
        fitted({"f": given}, template_of(known))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (xr.DataArray(1.0, attrs={"units": "s"}), "expected f without a unit, as of a run without spikes, found 's'"),
        (
            array([1, 2], "what", ["a", "b"]),
            r"expected what without labels, as of a run without spikes, found \['a', 'b'\]",
        ),
        (array([1, 2], "what", [0, 2]), "expected what without labels"),
    ],
)
def test_what_a_run_without_spikes_does_not_tell_no_point_does(given, text):
    silent = xr.DataArray(np.full(given.shape, np.nan), dims=given.dims)
    with pytest.raises(SpecError, match=text):
        fitted({"f": given}, template_of({"f": silent}))
    assert (
        fitted({"f": given.drop_vars(given.coords).drop_attrs()}, template_of({"f": silent}))["f"].shape == given.shape
    )


def test_numbers_that_the_type_of_the_sweep_would_round_are_refused():
    template = template_of({"f": xr.DataArray(np.float32(0))})
    for number in (188 / 3, 1e300):
        with pytest.raises(SpecError, match=r"expected f in float32, .* float64 that would be rounded"):
            fitted({"f": xr.DataArray(number)}, template)
    for number in (0.5, np.nan, np.inf):
        np.testing.assert_array_equal(fitted({"f": xr.DataArray(number)}, template)["f"], number)
