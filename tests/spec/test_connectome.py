import copy
import pickle

import brian2 as b2
import dask.array
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import xarray as xr

from twinbrain.errors import ConnectomeError
from twinbrain.spec.base import Spec
from twinbrain.spec.connectome import Connectome


@pytest.fixture
def pair():
    return Connectome([[0, 2], [3, 0]], [[0, 10], [20, 0]], ["A", "B"])


@pytest.fixture
def four():
    labels = ["lV1", "lMT", "rV1", "rMT"]
    return Connectome(
        np.arange(16.0).reshape(4, 4),
        np.ones((4, 4)),
        labels,
        centroids=np.arange(12.0).reshape(4, 3),
        hemisphere=["left", "left", "right", ""],
        cortical=[1, 1, 0, 1],
        area=[1, 2, 3, 4],
        name="four",
        normalisation="row",
    )


def test_rows_are_targets_and_columns_sources(pair):
    assert pair.weight.dims == pair.length.dims == ("target", "source")
    assert pair.weight.sel(target="A", source="B") == 2
    assert pair.length.sel(target="B", source="A") == 20


def test_a_labelled_matrix_is_turned_the_right_way(pair):
    assert pair.replace(weight=pair.weight.T) == pair


def test_what_is_unknown_is_none(pair):
    assert pair.centroids is pair.hemisphere is pair.cortical is pair.area is None
    assert (pair.name, pair.normalisation, pair.n_regions, pair.labels) == ("", "none", 2, ["A", "B"])


def test_units_stand_in_the_attributes(four):
    units = {key: variable.attrs.get("units") for key, variable in four.dataset.data_vars.items()}
    expected = {"weight": "1", "length": "mm", "centroids": "mm", "hemisphere": None, "cortical": None, "area": "mm^2"}
    assert units == expected


def test_it_cannot_be_changed(pair):
    with pytest.raises(AttributeError, match=r"connectome\.replace\(name=\.\.\.\)"):
        pair.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        pair.weight[0, 0] = 1
    pair.dataset.attrs["name"] = pair.weight.attrs["units"] = "other"
    assert (pair.name, pair.weight.attrs["units"]) == ("", "1")


def test_it_does_not_follow_the_array_it_was_made_from():
    weight = np.zeros((1, 1))
    connectome = Connectome(weight, [[0]], ["A"])
    weight[0, 0] = 5
    assert connectome.weight.item() == 0


def test_the_digest_names_the_content_not_the_name(pair):
    assert pair.digest == pair.replace(name="other").digest
    assert pair != pair.replace(name="other")
    changes = [
        {"weight": [[0, 2], [3.5, 0]]},
        {"length": [[0, 2], [3, 0]]},
        {"labels": ["A", "C"]},
        {"area": [1, 2]},
        {"hemisphere": ["left", "right"]},
        {"cortical": [True, False]},
        {"centroids": np.zeros((2, 3))},
        {"normalisation": "row"},
    ]
    assert len({pair.digest, *(pair.replace(**change).digest for change in changes)}) == 1 + len(changes)


def test_negative_zero_is_zero(pair):
    assert pair.replace(weight=[[-0.0, 2], [3, 0]]).digest == pair.digest


def test_equal_connectomes_hash_alike_and_others_differ(four):
    assert hash(four) == hash(four.replace())
    assert four == four.replace()
    assert four != "four"


def test_copies_are_equal(four):
    assert pickle.loads(pickle.dumps(four)) == copy.deepcopy(four) == four
    assert not pickle.loads(pickle.dumps(four)).weight.values.flags.writeable


def test_it_is_a_field_of_a_declaration(four):
    class Holder(Spec):
        connectome: Connectome

    assert Holder(connectome=four) == Holder(connectome=four.replace())
    with pytest.raises(ValueError, match="Connectome"):
        Holder(connectome=3)


def test_patterns_select_regions_in_the_order_of_the_connectome(four):
    assert four.match("r*").tolist() == [2, 3]
    for labels in (["rMT", "lV1"], [b"rMT", "lV1"], xr.DataArray(["rMT", "lV1"]), xr.Variable("x", ["rMT", "lV1"])):
        assert four.match(labels).tolist() == [0, 3]
    part = four.select(["*MT", "rV1"])
    assert part.labels == ["lMT", "rV1", "rMT"]
    np.testing.assert_array_equal(part.weight, four.weight[1:, 1:])
    np.testing.assert_array_equal(part.centroids, four.centroids[1:])
    assert part.hemisphere.values.tolist() == ["left", "right", ""]
    assert (part.name, part.normalisation) == ("four", "row")


def test_a_label_with_a_bracket_matches_itself():
    assert Connectome([[0]], [[0]], ["V[1]"]).match("V[1]").tolist() == [0]


def test_labels_in_two_forms_of_unicode_are_the_same():
    with pytest.raises(ConnectomeError, match="expected labels that differ"):
        Connectome(np.zeros((2, 2)), np.zeros((2, 2)), ["\u00e9", "e\u0301"])
    assert Connectome([[0.0]], [[0.0]], ["e\u0301"]).labels == ["e\u0301"]


def test_the_label_that_stands_for_all_is_refused():
    with pytest.raises(ConnectomeError, match=r"expected another label than '\*', which stands for all, found it as 0"):
        Connectome([[0.0]], [[0.0]], ["*"])


def test_labels_without_an_order_are_refused(pair):
    with pytest.raises(ConnectomeError, match="expected labels in the order of the rows, as a list, found a set"):
        pair.replace(labels={"A", "B"})


def test_labels_of_a_table_in_another_order_than_its_rows_are_refused(four):
    table = pd.DataFrame({"name": list("wxyz"), "area": [3, 1, 2, 0]})
    for kept in (table, table.set_axis([3, 5, 8, 9]), table.set_axis(list("qprs"))):
        assert four.replace(labels=kept["name"]).labels == list("wxyz")
        assert four.replace(labels=xr.DataArray(kept["name"].values)).labels == list("wxyz")
        assert four.replace(labels=np.array(kept["name"].tolist(), "S1")).labels == list("wxyz")
    with pytest.raises(ConnectomeError, match="the labels of names of regions along region to ascend, or to be names"):
        four.replace(labels=table.sort_values("area")["name"])


def test_a_pattern_that_matches_nothing_shows_near_labels(four):
    with pytest.raises(ConnectomeError, match=r"match 'lv1\*', found none .* near: lV1"):
        four.select(["rV1", "lv1*"])


def test_a_dataset_round_trips_through_zarr(four, tmp_path):
    four.to_dataset().to_zarr(tmp_path / "four.zarr", zarr_format=3, consolidated=False)
    with xr.open_zarr(tmp_path / "four.zarr", consolidated=False) as dataset:
        assert set(dataset.dims) == {"target", "source", "region", "axis"}
        assert Connectome.from_dataset(dataset) == four


@pytest.mark.parametrize("dims", [["target"], ["target", "source"], ["region"], ["source", "region"]])
def test_what_belongs_to_a_label_stays_with_it_in_whatever_order(four, dims):
    dataset = four.to_dataset()
    found = Connectome.from_dataset(dataset.isel({dim: [2, 0, 3, 1] for dim in dims}))
    assert found.select(four.labels).at([found.labels.index(label) for label in four.labels]) == four
    assert found.labels == ([four.labels[i] for i in (2, 0, 3, 1)] if "target" in dims else four.labels)


def test_rows_and_columns_of_other_regions_are_refused(four):
    for dim in ("source", "region"):
        with pytest.raises(ConnectomeError, match=f"expected the regions of the labels along '{dim}' of "):
            Connectome.from_dataset(four.to_dataset().isel({dim: [0, 1, 2]}))
        with pytest.raises(ConnectomeError, match=f"along '{dim}' of .*, found others, or some twice"):
            Connectome.from_dataset(four.to_dataset().isel({dim: [0, 1, 2, 2]}))


def test_labelled_arrays_are_brought_into_the_order_of_the_labels(four):
    turned = [2, 0, 3, 1]
    assert four.replace(weight=four.weight.isel(target=turned), length=four.length.isel(source=turned)) == four
    assert four.replace(hemisphere=four.hemisphere.isel(region=turned)) == four
    assert four.replace(centroids=four.centroids.isel(region=turned, axis=[2, 0, 1])) == four
    with pytest.raises(ConnectomeError, match=r"along 'target' of weight, found others.* give its .values"):
        four.replace(weight=four.weight, labels=list("wxyz"))
    named = four.replace(labels=list("wxyz"))
    assert np.array_equal(named.weight, four.weight)
    unlabelled = four.weight.drop_vars(["target", "source"])
    assert four.replace(weight=unlabelled.assign_coords(target=[0, 1, 2, 3])) == four
    with pytest.raises(ConnectomeError, match="along 'target' of weight, found others"):
        four.replace(weight=unlabelled.assign_coords(target=[3, 2, 1, 0]))


def test_tables_of_pandas_are_brought_into_the_order_of_the_labels(four):
    turned = ["rV1", "lV1", "rMT", "lMT"]
    weight, length = four.weight.to_pandas(), four.length.to_pandas()
    assert four.replace(weight=weight.loc[turned, turned], length=length.loc[:, turned]) == four
    assert four.replace(weight=weight.T, length=length.loc[turned].rename_axis(index="roi", columns="roi")) == four
    for name in ("hemisphere", "cortical", "area"):
        assert four.replace(**{name: getattr(four, name).to_series().loc[turned]}) == four
    assert four.replace(centroids=four.centroids.to_pandas().loc[turned, ["z", "x", "y"]]) == four
    assert four.replace(centroids=four.centroids.to_pandas().loc[turned].rename(columns=str.upper)) == four
    assert four.replace(weight=pd.DataFrame(four.weight.values)) == four
    with pytest.raises(ConnectomeError, match="along 'region' of area, found others"):
        four.replace(area=pd.Series([1.0, 2, 3, 4], index=[1, 2, 3, 4]))
    with pytest.raises(ConnectomeError, match="expected x, y and z along 'axis' of centroids, found others"):
        four.replace(centroids=four.centroids.to_pandas().rename(columns={"z": "depth"}))


def test_a_list_of_labelled_rows_is_refused(pair):
    with pytest.raises(ConnectomeError, match="expected weight as numbers, found a list of arrays with labels"):
        pair.replace(weight=[row for _, row in pair.weight.to_pandas().iterrows()])


@pytest.mark.parametrize("key", ["weight", "length"])
def test_regions_in_an_order_of_their_own_are_labelled_along_both_dimensions(four, key):
    turned = ["rV1", "lV1", "rMT", "lMT"]
    matrix = getattr(four, key).sel(target=turned, source=turned)
    half = pd.DataFrame(matrix.values, index=turned)
    for given, other in ((half, "source"), (half.T, "target"), (matrix.drop_vars("target"), "target")):
        with pytest.raises(ConnectomeError, match=f"expected labels of regions along '{other}' of {key}, too, found"):
            four.replace(**{key: given})
    assert four.replace(**{key: pd.DataFrame(getattr(four, key).values, index=four.labels)}) == four


def test_digits_as_labels_are_labels_and_numbers_in_another_order_are_refused(four):
    called = four.replace(labels=list("2013"))
    tables = {"length": called.length.to_pandas(), "area": called.area.to_series()}
    assert called.replace(**{key: table.sort_index() for key, table in tables.items()}) == called
    assert called.replace(length=called.length.sortby("source"), area=called.area.sortby("region")) == called
    assert called.at(pd.Series([True, False, False, False], index=list("0123"))).labels == ["0"]
    area = [1.0, 2, 3, 4]
    for given in (pd.Series(area), xr.DataArray(area, {"region": range(4)}, ["region"])):
        with pytest.raises(ConnectomeError, match=r"'region' of area .* the numbers 0 to 3, .* labels or places"):
            called.replace(area=given)
        assert four.replace(area=given) == four
    assert called.replace(area=pd.Series(area, index=[2, 0, 1, 3])) == called


def test_labels_are_texts_bytes_or_whole_numbers(four):
    dataset = four.to_dataset()
    encoded = [label.encode() for label in four.labels]
    in_bytes = dataset.assign_coords(target=encoded, source=encoded).assign_attrs(name=b"four")
    assert Connectome.from_dataset(in_bytes) == four
    for wrong in (np.nan, 1.0, None, True, b"\xff"):
        labels = np.array([*four.labels[:3], wrong], object)
        with pytest.raises(ConnectomeError, match="texts or whole numbers as labels along 'target' of the dataset, fo"):
            Connectome.from_dataset(dataset.assign_coords(target=labels))


def test_numbers_are_labels_where_regions_are_called_so():
    weight = xr.DataArray([[0.0, 1], [2, 0]], {"target": [10, 2], "source": [2, 10]}, ("target", "source"))
    found = Connectome.from_dataset(xr.Dataset({"weight": weight, "length": weight}))
    assert found.labels == ["10", "2"]
    assert found.weight.sel(target="10", source="10") == 1
    assert found.weight.sel(target="2", source="2") == 2


def test_dimensions_of_other_names_are_refused(four):
    for names in ({"target": "to", "source": "from"}, {"source": "from"}):
        with pytest.raises(ConnectomeError, match="expected length along target, source, found dimensions called t"):
            four.replace(length=four.length.rename(names))
    with pytest.raises(ConnectomeError, match=r"found dimensions called source, dim_1; rename them, or give \.values"):
        four.replace(length=four.length.to_pandas().rename_axis(index="source", columns=None))
    with pytest.raises(ConnectomeError, match="found dimensions called to, from"):
        four.replace(length=four.length.to_pandas().rename_axis(index="to", columns="from"))
    assert four.replace(length=xr.DataArray(four.length.values)) == four
    table = four.centroids.to_pandas().assign(area=four.area.to_series()).rename_axis(index="roi", columns=None)
    assert four.replace(centroids=table[["x", "y", "z"]], area=table["area"]) == four


def test_a_dataset_without_length_or_labels_is_refused(pair):
    with pytest.raises(ConnectomeError, match="expected a variable 'length' in the dataset, found weight"):
        Connectome.from_dataset(pair.dataset.drop_vars("length"))
    for unlabelled in (pair.dataset.drop_vars("target"), pair.dataset.isel(target=0)):
        with pytest.raises(ConnectomeError, match="expected labels"):
            Connectome.from_dataset(unlabelled)
    with pytest.raises(ConnectomeError, match="expected a dataset of xarray, found a dict; open its file with xarray"):
        Connectome.from_dataset({"weight": pair.weight})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": np.zeros((2, 3))}, r"weight as a square matrix .* found shape \(2, 3\)"),
        ({"weight": np.zeros(4)}, r"square matrix .* found shape \(4,\)"),
        ({"weight": np.zeros((3, 3))}, r"weight of shape \(2, 2\) for 2 labels, found \(3, 3\)"),
        ({"length": np.zeros((3, 3))}, r"length of shape \(2, 2\)"),
        ({"labels": ["A"]}, r"weight of shape \(1, 1\) for 1 labels, found \(2, 2\)"),
        ({"labels": []}, "at least one region"),
        ({"labels": ["A", "A"]}, "found 'A' twice, again at 1; rename one"),
        ({"labels": ["A", ""]}, "label 1, found ''"),
        ({"labels": ["A", " B"]}, "label 1, found ' B'"),
        ({"labels": ["A", 2]}, "label 1, found 2"),
        ({"weight": [[0, np.nan], [1, 0]]}, "found nan at target='A', source='B'"),
        ({"weight": [[0, 1], [np.inf, 0]]}, "found inf at target='B', source='A'"),
        ({"weight": [[0, 1], [-2, -1]]}, r"found -2.0 at target='B', source='A' \(2 such in all\)"),
        ({"length": [[0, -1], [1, 0]]}, "length finite and not negative, found -1.0"),
        ({"weight": [["x", 0], [0, 0]]}, "weight as numbers"),
        ({"weight": [[0], [0, 0]]}, "weight as numbers"),
        ({"centroids": np.zeros((2, 2))}, r"centroids of shape \(2, 3\)"),
        ({"centroids": [[0, 0, 0], [0, np.nan, 0]]}, "found nan at region='B', axis='y'"),
        ({"area": [1, -1]}, "area finite and not negative, found -1.0 at region='B'"),
        ({"hemisphere": ["left", "R"]}, "expected hemisphere 'left', 'right' or '', found 'R' at region='B'"),
        ({"hemisphere": ["left"]}, r"hemisphere of shape \(2,\)"),
        ({"cortical": [0, 2]}, "cortical as true or false, found 2 at region='B'"),
    ],
)
def test_bad_input_is_refused_with_its_place(pair, changes, message):
    with pytest.raises(ConnectomeError, match=message):
        pair.replace(**changes)


def test_it_shows_itself(four):
    assert repr(four) == "Connectome('four', 4 regions, 15 connections, 'row')"
    assert repr(four.replace(name="")) == "Connectome(4 regions, 15 connections, 'row')"


@pytest.mark.parametrize("n", [1, 96, 200])
def test_its_html_is_small_and_escaped(n):
    weight = np.random.default_rng(0).lognormal(size=(n, n))
    shown = Connectome(weight, weight, [f"r{i}" for i in range(n)], name="<b>")._repr_html_()
    assert "data:image/png;base64," in shown
    assert "&lt;b&gt;" in shown
    assert len(shown) < 30_000


def test_html_of_no_connections(pair):
    assert "0.0%" in pair.replace(weight=np.zeros((2, 2)))._repr_html_()


def test_texts_are_numbers_of_the_digits_0_to_9(pair):
    for kind in (str, bytes, object):
        assert pair.replace(area=np.array(["1", "2.5"]).astype(kind)).area.values.tolist() == [1, 2.5]
    for area in (["1_000", "1"], [b"1_000", b"1"], ["١٢", "1"], np.array(["1_000", 1.0], object)):
        with pytest.raises(ConnectomeError, match="expected area as numbers, found a"):
            pair.replace(area=area)


def test_numbers_with_a_unit_are_converted_or_refused(pair):
    assert pair.replace(length=pair.length.values * b2.mm) == pair
    assert pair.replace(length=(pair.length / 1000).assign_attrs(units="m")) == pair
    for name, kind in (("length", b2.ms), ("weight", b2.nS), ("cortical", b2.mm)):
        with pytest.raises(ConnectomeError, match=rf"expected {name} as .*, found some in "):
            pair.replace(**{name: np.ones((2, 2)) * kind})


def test_variables_of_xarray_and_areas_of_any_notation_are_taken(four):
    turned = four.to_dataset().transpose("source", "target", ...)
    for name in ("weight", "length"):
        assert four.replace(**{name: turned.variables[name]}) == four
    for units, factor in (("mm2", 1), ("cm²", 100)):
        assert four.replace(area=(four.area / factor).assign_attrs(units=units)) == four


def test_what_is_masked_or_no_array_is_refused(pair, four):
    for name in ("weight", "length", "centroids", "hemisphere", "cortical", "area"):
        masked = np.ma.masked_array(getattr(four, name).values)
        assert four.replace(**{name: masked}) == four
        masked[1] = np.ma.masked
        for given in (masked, dask.array.from_array(masked)):
            with pytest.raises(ConnectomeError, match=f"expected {name} as .*, found .* masked"):
                four.replace(**{name: given})
    for changes, found in (
        ({"hemisphere": xr.Dataset({"left": 1, "right": 2})}, "hemisphere as a list, found a Dataset"),
        ({"weight": scipy.sparse.eye_array(2)}, "weight as numbers, found a dia_array"),
        ({"weight": [[0, 10**400], [1, 0]]}, "weight as numbers, found a list .int too large"),
        ({"cortical": [pd.NA, True]}, "cortical as true or false, found <NA> at region='A'"),
    ):
        with pytest.raises(ConnectomeError, match=f"expected {found}"):
            pair.replace(**changes)
    assert pair.replace(weight=torch.tensor(pair.weight.values, requires_grad=True)) == pair


def test_a_part_is_of_indices_or_of_a_mask(four):
    for index in ([3, 0], np.array([3, 0], np.int32), torch.tensor([3, 0]), pd.Series([3, 0]), [-1, 0]):
        assert four.at(index).labels == ["rMT", "lV1"]
    cortex = four.at([0, 1, 3])
    turned = four.cortical.isel(region=[2, 0, 3, 1])
    for mask in (four.cortical, four.cortical.values, [True, True, False, True], turned, turned.to_series()):
        assert four.at(mask) == cortex


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([0.9, 2.7], "expected indices of regions, or for each region true or false, found float64"),
        (["lV1"], "found texts; select takes labels"),
        (["1", "2"], "found texts; select takes labels"),
        ([5], "expected indices of 4 regions, from 0 on, found 5"),
        ([-5], "from 0 on, found -5"),
        (1, r"found int64 of shape \(\)"),
        (slice(0, 2), "expected index as a list, found a slice"),
        ([np.nan], "found float64"),
        ([True, False], r"expected index of shape \(4,\) for 4 labels, found \(2,\)"),
        ([0, 1, 0], "expected each region once, found index 0 .'lV1'. twice"),
        ([0, -4], "expected each region once, found index 0"),
        (np.ma.masked_array([0, 1], mask=[0, 1]), "found 1 masked"),
        (np.array([0, 1], "m8[s]"), "found some in 's'"),
    ],
)
def test_what_is_neither_indices_nor_a_mask_is_refused(four, index, message):
    with pytest.raises(ConnectomeError, match=message):
        four.at(index)


@pytest.mark.parametrize("patterns", [5, None, [["a"]], [5], np.array("lV1")])
def test_what_is_no_pattern_is_refused(four, patterns):
    with pytest.raises(ConnectomeError, match="expected labels or patterns of them, found"):
        four.match(patterns)


def test_one_label_alone_is_no_list_of_them(pair):
    with pytest.raises(ConnectomeError, match="expected labels in the order of the rows, as a list, found a ndarray"):
        pair.replace(labels=np.array("A"))


def test_other_weights_do_not_inherit_a_logarithm(pair):
    logged = pair.replace(weight=pair.weight / 3, normalisation="log")
    assert logged.replace(weight=logged.weight, length=pair.length.T).normalisation == "log"
    with pytest.raises(ConnectomeError, match=r"expected the normalisation of the new weights .* add norm"):
        logged.replace(weight=pair.weight)
    for name in ("none", "log"):
        assert logged.replace(weight=pair.weight, normalisation=name).normalisation == name


@pytest.mark.parametrize("key", ["name", "normalisation"])
def test_half_a_surrogate_pair_is_refused(key):
    with pytest.raises(ConnectomeError, match=rf"{key}: expected a text that a file can hold.*'\\ud800'; take it out"):
        Connectome([[0.0]], [[0.0]], ["A"], **{key: "\ud800"})
