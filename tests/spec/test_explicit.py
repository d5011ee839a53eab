import json
import pickle
from pathlib import Path

import brian2 as b2
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import twinbrain as tb
from tests.examples import RELAY, region_data
from twinbrain.errors import SpecError
from twinbrain.spec.explicit import Explicit
from twinbrain.spec.projection import Pairs
from twinbrain.spec.region import Region

FINITE = arrays.arrays(
    np.float64, st.integers(0, 40), elements=st.floats(allow_nan=False, allow_infinity=False, width=64)
)


def explicit_data():
    """Return a region in which every kind of value is explicit."""
    data = region_data(RELAY)
    data["cells"]["local"]["parameters"]["C_m"] = {"values": [200.0 + i for i in range(8)], "unit": "pF"}
    data["cells"]["local"]["initial"]["v"] = {"values": [-0.07 + 0.001 * i for i in range(8)], "unit": "V"}
    data["projections"][2] |= {
        "weight": {"values": [-10, -20, -30, -40], "unit": "pA"},
        "delay": {"values": [0.1, 0.2, 0.3, 0.4], "unit": "ms"},
    }
    return data


def problems(data):
    with pytest.raises(SpecError) as caught:
        Region.parse(data)
    return [str(problem) for problem in caught.value.problems]


@given(FINITE, st.sampled_from(["pA", "nS", "1"]))
def test_explicit_values_survive_as_text_bit_for_bit(values, unit):
    declared = Explicit(values, unit)
    again = Explicit.parse(json.loads(json.dumps(declared.to_dict())))
    assert again == declared
    assert again.values.tobytes() == (values + 0.0).tobytes()
    assert again.digest == declared.digest


def test_one_value_or_the_unit_makes_them_others():
    values = np.arange(100.0)
    declared = Explicit(values, "pA")
    values[50] += 1e-13
    for other in (Explicit(values, "pA"), Explicit(np.arange(100.0), "nA"), Explicit(np.arange(99.0), "pA")):
        assert other != declared
        assert other.digest != declared.digest


def test_values_are_kept_apart_from_the_array_that_they_came_from():
    array = np.ones(3)
    declared = Explicit(array, "pA")
    array[:] = 2
    assert declared.values.tolist() == [1, 1, 1]
    pairs = Pairs(source=[1, 2], target=[3, 4])
    assert pickle.loads(pickle.dumps(pairs)) == pairs
    again = [pickle.loads(pickle.dumps(spec)) for spec in (declared, pairs)]
    for values in (declared.values, again[0].values, pairs.source, again[1].source):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 5


def test_a_long_array_stands_in_a_dump_as_text_and_in_a_digest_as_its_own():
    weights = Explicit(np.random.default_rng(0).normal(size=20_000), "pA")
    pairs = Pairs(source=np.arange(20_000), target=np.arange(20_000))
    assert isinstance(weights.to_dict()["values"], str)
    # float64 hardly packs; 16 bytes a number would be too many.
    assert len(json.dumps(weights.to_dict())) < 11 * 20_000
    assert Pairs.parse(pairs.to_dict()) == pairs
    assert len(pairs.digest) == 64


def test_a_region_of_explicit_values_survives_as_text():
    region = Region.parse(explicit_data())
    again = Region.parse(json.loads(json.dumps(region.to_dict())))
    assert again == region
    assert again.digest == region.digest
    shown = region._repr_html_()
    assert "8 values in pF" in shown
    assert "weight 4 values in pA; delay 4 values in ms" in shown


def test_a_region_of_arrays_is_one_of_lists():
    data = explicit_data()
    data["cells"]["local"]["parameters"]["C_m"] = tb.Explicit(np.arange(200.0, 208.0), "pF")
    data["projections"][2]["weight"] = tb.Explicit(np.array([-10, -20, -30, -40]), "pA")
    data["projections"][2]["connect"] = {"pairs": tb.Pairs(source=np.arange(4), target=np.arange(4, 8))}
    assert Region.parse(data) == Region.parse(explicit_data())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"values": [1, "x"], "unit": "pA"}, "weight.values: expected a list of numbers, found one of texts"),
        ({"values": [1, float("nan")], "unit": "pA"}, "weight.values: expected finite numbers, found nan at index 1"),
        (
            {"values": [[1, 2]], "unit": "pA"},
            "weight.values: expected a list of numbers, found an array of shape (1",
        ),
        ({"values": [[1], [2, 3]], "unit": "pA"}, "weight.values: expected a list of numbers, found a list"),
        ({"values": [True], "unit": "pA"}, "weight.values: expected a list of numbers, found one of truth values"),
        ({"values": 3.0, "unit": "pA"}, "weight.values: expected a list of numbers, found an array of shape ()"),
        ({"values": "abc", "unit": "pA"}, "weight.values: expected a list of numbers, or one packed as text, found"),
        ({"values": [1.0], "unit": "potato"}, 'weight.unit: expected a unit such as "mV" or "nS/ms", found \'potato\''),
        ({"values": [1.0], "unti": "pA"}, "weight.unti: unknown key 'unti'; did you mean 'unit'?"),
        ({"values": [1.0] * 3, "unit": "pA"}, "weight: expected 4 values, one for each of the pairs, found 3; give as"),
        ({"file": 3, "array": "w", "unit": "pA"}, "weight.file: expected the name of an .npz file, found 3"),
        ({"file": "no.npz", "array": "w", "unit": "pA"}, "weight.file: no.npz: expected a file, found none"),
        ({"file": Path("no.npz"), "array": "w", "unit": "pA"}, "weight.file: no.npz: expected a file, found none"),
        ({"file": "no.npz", "arry": "w"}, "weight.arry: unknown key 'arry'; did you mean 'array'?"),
    ],
)
def test_faults_of_explicit_values_are_named(values, message):
    data = explicit_data()
    data["projections"][2]["weight"] = values
    (found,) = problems(data)
    assert found.startswith(f"projections[2].{message}")


def test_delays_are_times():
    data = explicit_data()
    data["projections"][2]["delay"]["unit"] = "pA"
    assert "projections[2].delay: expected a quantity in ms" in problems(data)[0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([0, -1, 2, 3], "source: expected indices from 0 up to 2**31 - 1, found -1 at index 1"),
        ([0, 1, 2, 2**31], "source: expected indices from 0 up to 2**31 - 1, found 2147483648 at index 3"),
        ([0, 1, 2, 2.5], "source: expected a list of whole numbers, found one of numbers with a fraction"),
        ([0, 1, 2, "x"], "source: expected a list of whole numbers, found one of texts"),
        ([[0, 1], [2, 3]], "source: expected a list of whole numbers, found an array of shape (2, 2)"),
    ],
)
def test_faults_of_pairs_are_named(source, message):
    data = explicit_data()
    data["projections"][2]["connect"] = {"pairs": {"source": source, "target": [4, 5, 6, 7]}}
    assert problems(data)[0].startswith(f"projections[2].connect.pairs.{message}")


def test_a_cell_of_explicit_values_serves_populations_of_their_number_alone():
    data = explicit_data()
    data["populations"]["more"] = {"cell": "local", "size": 9}
    assert problems(data) == [
        f"cells.local.{key}: expected 9 values, one for each neuron of population 'more', found 8; give as many, or "
        "give the population a cell of its own"
        for key in ("parameters.C_m", "initial.v")
    ]
    data["populations"]["more"]["size"] = 8
    Region.parse(data)


def test_a_region_of_explicit_values_is_not_scaled():
    region = Region.parse(explicit_data())
    assert region.scaled(1.0) == region
    with pytest.raises(SpecError) as caught:
        region.scaled(2)
    assert [problem.where for problem in caught.value.problems] == [
        *("cells.local.parameters.C_m", "cells.local.initial.v"),
        *("projections[2].weight", "projections[2].delay"),
    ]
    assert "expected a quantity or a distribution in a region that is scaled by 2, found 8 values in pF" in str(
        caught.value
    )


def test_models_have_no_explicit_defaults():
    with pytest.raises(SpecError, match=r"parameters\.E_x: expected a quantity or a distribution, found explicit"):
        tb.ReceptorModel(jump="x", parameters={"E_x": Explicit([1.0], "mV")})


def test_quantities_stand_in_the_unit_that_is_named():
    assert Explicit([200, 300] * b2.pF, "pF") == Explicit([200, 300], "pF")
    assert Explicit.parse({"values": [200 * b2.pF, 0.3 * b2.nF], "unit": "nF"}) == Explicit([0.2, 0.3], "nF")
    data = explicit_data()
    data["cells"]["local"]["parameters"]["C_m"] = {"values": np.arange(200.0, 208.0) * b2.pF, "unit": "pF"}
    assert Region.parse(data) == Region.parse(explicit_data())
    for unit in ("1", "mV"):
        with pytest.raises(SpecError, match=r"values: expected a list of numbers .*, found some in 'm"):
            Explicit([200, 300] * b2.pF, unit)
    with pytest.raises(SpecError, match="source: expected a list of whole numbers without a unit"):
        Pairs(source=np.array([1], "m8[s]"), target=[1])


def test_what_is_masked_is_refused():
    masked = np.ma.masked_array([1, 999], mask=[False, True])
    for values in (masked, [1, np.ma.masked]):
        with pytest.raises(SpecError, match="values: expected a list of numbers, found 1 masked"):
            Explicit(values)
    with pytest.raises(SpecError, match="source: expected a list of whole numbers, found 1 masked"):
        Pairs(source=masked, target=[1, 2])


@pytest.mark.parametrize(
    "values", [pd.Series([1.0, 2, 3], index=[2, 0, 1]), xr.DataArray([1.0, 2, 3], {"unit": [2, 0, 1]})]
)
def test_labels_that_are_out_of_order_are_refused(values):
    with pytest.raises(SpecError, match=r"values: expected the labels of a list of numbers along .* to ascend"):
        Explicit(values)
    in_order = values.sort_index() if isinstance(values, pd.Series) else values.sortby("unit")
    assert list(Explicit(in_order).values) == [2, 3, 1]


def test_the_ends_of_pairs_have_the_same_labels():
    table = pd.DataFrame({"source": [0, 1, 2], "target": [2, 1, 0]}, index=list("xyz"))
    assert Pairs(source=table["source"], target=table["target"]) == Pairs(source=[0, 1, 2], target=[2, 1, 0])
    with pytest.raises(SpecError, match="expected sources and targets with the same labels, in the same order, found"):
        Pairs(source=table["source"], target=table["target"][::-1])


def test_truth_values_among_objects_are_no_numbers():
    with pytest.raises(SpecError, match="values: expected numbers, found True among them"):
        Explicit(np.array([1.0, True], object))
