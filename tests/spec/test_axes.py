"""Axes, points and coordinates of sweeps."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbrain.errors import SpecError
from twinbrain.spec.axes import Axis, axes_of, coordinates, n_points, short_names, values_at
from twinbrain.spec.sweep import Sweep

B = "regions.cortex/column.cells.pyr.parameters.b"
OTHER_B = "regions.thalamus/relay.cells.tc.parameters.b"


def axes(taken=(), **data):
    return axes_of(Sweep.parse(data), taken)


def test_axes_stand_in_the_order_in_which_they_are_declared():
    found = axes(
        parameters={"seed": [1, 2], "coupling": [0.5, 1.0, 2.0]},
        together=[{B: ["1 pA", "2 pA"], "duration": ["1 s", "2 s"]}],
        samples={"n": 3, "parameters": {"drive_seed": {"integers": [0, 9]}}},
    )
    assert [(axis.name, len(axis)) for axis in found] == [("seed", 2), ("coupling", 3), ("b", 2), ("sample", 3)]
    assert n_points(found) == 36
    assert found[2].columns == {B: ("1 pA", "2 pA"), "duration": ("1 s", "2 s")}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("case", {"cases": {"a": {"seed": 1}}}),
        ("sample", {"samples": {"n": 2, "parameters": {"seed": {"integers": [0, 9]}}}}),
    ],
)
def test_a_result_is_not_called_as_the_dimension_of_cases_or_samples(name, data):
    with pytest.raises(SpecError, match=f"expected '{name}' for their dimension alone"):
        axes(taken=[name], **data)
    assert axes(taken=[name], parameters={"seed": [1, 2]})


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=5), min_size=1, max_size=4))
def test_points_are_the_product_with_the_last_axis_fastest(columns):
    found = [Axis(f"axis {i}", {f"key {i}": tuple(values)}) for i, values in enumerate(columns)]
    points = [tuple(values_at(found, point).values()) for point in range(n_points(found))]
    assert points == list(itertools.product(*columns))


def test_keys_that_change_together_take_the_values_of_one_place():
    found = axes(together=[{"seed": [1, 2], "coupling": [3.0, 4.0]}], parameters={"drive_seed": [5, 6]})
    assert [values_at(found, point) for point in range(4)] == [
        {"drive_seed": 5, "seed": 1, "coupling": 3.0},
        {"drive_seed": 5, "seed": 2, "coupling": 4.0},
        {"drive_seed": 6, "seed": 1, "coupling": 3.0},
        {"drive_seed": 6, "seed": 2, "coupling": 4.0},
    ]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["coupling", "run.seed"], ["coupling", "seed"]),
        ([B, "seed"], ["b", "seed"]),
        ([B, OTHER_B], ["pyr.parameters.b", "tc.parameters.b"]),
        (["regions.*.drives.*.rate"], ["rate"]),
        (
            ["regions.*.drives.0.rate", "regions.*.drives.1.rate"],
            ["brain.regions.drives.0.rate", "brain.regions.drives.1.rate"],
        ),
        (["stimuli.0.rate", "stimuli.pulse.rate"], ["stimuli.rate", "pulse.rate"]),
        (["regions.cortex/column.name", "name"], ["cortex_column.name", "name"]),
        (["regions.'TH-*'.summary", "regions.'CX-*'.summary"], ["TH.summary", "CX.summary"]),
        (["regions.a.projections.e->i.weight", "regions.a.projections.i->e.weight"], ["e_i.weight", "i_e.weight"]),
        (["regions.*"], ["regions"]),
    ],
)
def test_names_are_as_short_as_tells_keys_apart(keys, names):
    assert list(short_names(keys).values()) == names


@pytest.mark.parametrize(
    ("taken", "name"),
    [(["seed"], "coupling"), (["coupling"], "brain.coupling"), (["b", "coupling", "brain"], "brain.coupling")],
)
def test_what_is_taken_is_not_a_name(taken, name):
    assert short_names(["coupling"], taken) == {"coupling": name}


def test_the_dimension_of_samples_is_taken():
    names = short_names(["regions.cortex.cells.pyr.parameters.sample"])
    assert list(names.values()) == ["parameters.sample"]


@pytest.mark.parametrize(
    ("keys", "taken", "text"),
    [
        (["coupling", "brain.coupling"], [], "'coupling' and 'brain.coupling' are the same key; give it values once"),
        (["run.seed", "seed"], [], "'run.seed' and 'seed' are the same key"),
        (["regions.a.name", "brain.regions.'a'.name"], [], "are the same key"),
        (["copling"], [], "unknown key 'copling'; did you mean 'coupling'?"),
        (["run..seed"], [], "expected a key such as coupling"),
        (["coupling"], ["coupling", "brain.coupling"], "found 'brain.coupling' taken"),
        (["name"], ["name"], "expected a name for the key 'name'"),
        (["regions.a-b.name", "regions.a_b.name"], [], "expected a name for the key"),
    ],
)
def test_keys_without_a_name_of_their_own_are_refused(keys, taken, text):
    with pytest.raises(SpecError) as error:
        short_names(keys, taken)
    assert text in str(error.value)


def test_one_key_by_two_spellings_on_two_axes_is_refused():
    with pytest.raises(SpecError, match="are the same key"):
        axes(parameters={"seed": [1]}, samples={"n": 2, "parameters": {"run.seed": {"integers": [0, 9]}}})


PART = st.sampled_from(["a", "b", "cortex/a", "c.d", "d", "*", "0", "1", "e->i", "TH-*", "b.a"])
KEY = st.lists(PART, min_size=1, max_size=4).map(lambda parts: "regions." + ".".join(f"'{part}'" for part in parts))


@given(
    st.lists(KEY, min_size=1, max_size=6, unique=True), st.sets(st.sampled_from(["a", "b", "d", "status", "sample"]))
)
def test_names_are_unique_and_can_be_those_of_arrays(keys, taken):
    try:
        names = short_names(keys, taken)
    except SpecError:  # some cannot be told apart
        return
    assert list(names) == keys
    assert len(set(names.values()) - taken - {"sample"}) == len(keys)
    assert not any(character in "".join(names.values()) for character in "/*[]?'\" ")


def test_coordinates_are_numbers_in_one_unit_where_they_can_be():
    found = axes(
        parameters={
            "seed": range(2),
            "coupling": [1, 2.5],
            "duration": ["1 s", "500ms"],
            "regions.*.drives.*.weight": ["1 nS", "2 pA"],
            "regions.*.cells.*.parameters.b": [{"normal": ["1 pA", "2 pA"]}, "3 pA"],
            "engine": ["brian2", "reference"],
            "record.spikes": [True, False],
        }
    )
    seen = {c.name: (c.key, c.axis, c.unit, c.values.dtype.kind, c.values.tolist()) for c in coordinates(found)}
    assert seen == {
        "seed": ("seed", "seed", "", "i", [0, 1]),
        "coupling": ("coupling", "coupling", "", "f", [1.0, 2.5]),
        "duration": ("duration", "duration", "s", "f", [1.0, 0.5]),
        "weight": ("regions.*.drives.*.weight", "weight", "", "T", ["1 nS", "2 pA"]),
        "b": ("regions.*.cells.*.parameters.b", "b", "", "T", ['{"normal": ["1 pA", "2 pA"]}', "3 pA"]),
        "engine": ("engine", "engine", "", "T", ["brian2", "reference"]),
        "spikes": ("record.spikes", "spikes", "", "b", [True, False]),
    }


def test_coordinates_of_samples_and_of_keys_beside_an_axis_have_their_own_names():
    found = axes(
        ["coupling"],
        parameters={B: ["1 pA"]},
        together=[{"seed": [1, 2], "coupling": [3.0, 4.0]}],
        samples={"n": 2, "parameters": {OTHER_B: {"uniform": ["1 pA", "2 pA"]}}},
    )
    seen = [(c.name, c.axis, len(c.values)) for c in coordinates(found, ["coupling"])]
    assert sorted(seen) == [
        ("brain.coupling", "seed", 2),
        ("pyr.parameters.b", "pyr.parameters.b", 1),
        ("sample", "sample", 2),
        ("seed", "seed", 2),
        ("tc.parameters.b", "sample", 2),
    ]


BOX = {"coupling": {"uniform": [0, 2]}, "seed": {"integers": [0, 1000]}, B: {"log": ["1 pA", "100 pA"]}}


@pytest.mark.parametrize("method", ["sobol", "random"])
def test_samples_are_the_same_for_the_same_seed_alone(method):
    def drawn(n=16, seed=0):
        return axes(samples={"n": n, "method": method, "seed": seed, "parameters": BOX})[0].columns

    assert drawn() == drawn()
    assert drawn(seed=1) != drawn()
    # More of them begin with the same.
    assert {key: values[:5] for key, values in drawn(16).items()} == drawn(5)


def test_sobol_points_are_spread_evenly_over_every_key():
    (axis,) = axes(samples={"n": 64, "parameters": {"coupling": {"uniform": [0, 1]}, "seed": {"integers": [0, 64]}}})
    for values in (64 * np.array(axis.columns["coupling"]), axis.columns["seed"]):
        assert sorted(int(value) for value in values) == list(range(64))


@pytest.mark.parametrize("method", ["sobol", "random"])
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_any_number_of_samples_can_be_drawn_in_the_box(method, n):
    (axis,) = axes(samples={"n": n, "method": method, "parameters": BOX})
    assert {len(values) for values in axis.columns.values()} == {n}
    assert all(0 <= value <= 2 for value in axis.columns["coupling"])
    assert all(value in range(1000) for value in axis.columns["seed"])
    assert all(1 <= float(value.removesuffix(" pA")) <= 100 for value in axis.columns[B])


def test_cases_are_one_dimension_and_each_sets_its_own_keys():
    found = axes(
        parameters={"seed": [1, 2]},
        cases={"weak": {"coupling": 0.5}, "as it is": {}, "fast": {"coupling": 1.0, "long_range.speed": "9 m/s"}},
    )
    assert [(axis.name, len(axis)) for axis in found] == [("case", 3), ("seed", 2)]
    assert [values_at(found, point) for point in range(0, 6, 2)] == [
        {"coupling": 0.5, "seed": 1},
        {"seed": 1},
        {"coupling": 1.0, "long_range.speed": "9 m/s", "seed": 1},
    ]
    names = {coordinate.name: coordinate.values.tolist() for coordinate in coordinates(found)}
    assert names == {"case": ["weak", "as it is", "fast"], "seed": [1, 2]}


def test_a_case_gives_its_keys_in_its_own_order_whatever_case_stands_before_it():
    replaced = {"regions.*": "other.toml", "coupling": 0.5}
    for cases in ({"b": replaced}, {"a": {"coupling": 1.0}, "b": replaced}):
        found = axes(cases=cases)
        assert list(values_at(found, len(cases) - 1).items()) == list(replaced.items())


@pytest.mark.parametrize("seeds", [[2**53 + 1, 2**53, 1.0], [2**53 + 1, 2**53]])
def test_seeds_that_no_float_is_stay_what_they_are(seeds):
    (seed,) = coordinates(axes(parameters={"seed": seeds}))
    assert seed.values.tolist() == seeds


def test_a_key_of_a_case_is_given_no_values_beside_it():
    with pytest.raises(SpecError, match="is given values twice"):
        axes(parameters={"seed": [1, 2]}, cases={"one": {"seed": 3}})
    with pytest.raises(SpecError, match="are the same key"):
        axes(parameters={"seed": [1, 2]}, cases={"one": {"run.seed": 3}})
