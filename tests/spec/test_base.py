import datetime
import json
import tomllib
from pathlib import Path

import brian2 as b2
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from tests.examples import CORTEX, RELAY, region_data, relay_region, small_brain
from twinbrain.errors import SpecError
from twinbrain.spec.base import Spec
from twinbrain.spec.brain import Brain
from twinbrain.spec.cluster import Certificates
from twinbrain.spec.load import load_workflow, workflow_names
from twinbrain.spec.model import NeuronModel
from twinbrain.spec.population import Population
from twinbrain.spec.ports import InputPort
from twinbrain.spec.projection import Connect
from twinbrain.spec.region import Region
from twinbrain.spec.signal import SampledWaveform, SpikeTrains
from twinbrain.spec.sweep import Uniform
from twinbrain.spec.training import Training
from twinbrain.spec.workflow import Run, Workflow

WORKFLOW = {
    "name": "rest",
    "run": {"duration": "2 s", "dt": "0.05 ms", "seed": 3, "memory_limit": "8 GB"},
    "brain": {
        "connectome": "somewhere",
        "normalisation": "row",
        "regions": {"TH-*": region_data(RELAY), "*": region_data(CORTEX)},
        "long_range": {"in_degree": 10, "weight": "0.4 nS"},
        "coupling": 0.5,
    },
    "stimuli": [
        {
            "name": "flash",
            "regions": "TH-*",
            "population": "relay",
            "receptor": "ampa",
            "rate": "100 Hz",
            "weight": "1 nS",
            "start": "0.1 s",
            "duration": "50 ms",
        }
    ],
    "record": {"rate_bin": "2 ms", "state": [{"variable": "v", "interval": "0.5 ms"}]},
}


def as_toml(data):
    """Write plain data as TOML."""
    if isinstance(data, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(as_toml, data)) + "]"
    return json.dumps(data)


def through_toml(data):
    return tomllib.loads("\n".join(f"{key} = {as_toml(value)}" for key, value in data.items()))


EVERYTHING = [
    pytest.param(Region, region_data(CORTEX), id="cortex"),
    pytest.param(Region, region_data(RELAY), id="relay"),
    pytest.param(Workflow, WORKFLOW, id="workflow"),
]


@pytest.mark.parametrize("through", [through_toml, lambda data: json.loads(json.dumps(data))], ids=["toml", "json"])
@pytest.mark.parametrize(("kind", "data"), EVERYTHING)
def test_a_declaration_survives_as_text(kind, data, through):
    declared = kind.parse(data)
    again = kind.parse(through(declared.to_dict()))
    assert again == declared
    assert again.digest == declared.digest
    assert again.to_dict() == declared.to_dict()


@pytest.mark.parametrize(("kind", "data"), EVERYTHING)
def test_a_digest_does_not_depend_on_the_order_of_keys(kind, data):
    def reversed_keys(value, ordered=False):
        if isinstance(value, dict):
            items = list(value.items()) if ordered else list(value.items())[::-1]
            return {k: reversed_keys(v, k in ("populations", "regions")) for k, v in items}
        return [reversed_keys(item) for item in value] if isinstance(value, list) else value

    assert kind.parse(reversed_keys(data)).digest == kind.parse(data).digest


@pytest.mark.parametrize("path", [("populations",), ("brain", "regions"), ("brain", "regions", "*", "populations")])
def test_a_digest_depends_on_an_order_that_counts(path):
    kind, data = (
        (Region, region_data(CORTEX)) if path == ("populations",) else (Workflow, json.loads(json.dumps(WORKFLOW)))
    )
    before = kind.parse(data).digest
    *way, last = path
    table = data
    for key in way:
        table = table[key]
    table[last] = dict(reversed(table[last].items()))
    assert kind.parse(data).digest != before


def leaves(data, path=()):
    if isinstance(data, dict):
        for key, value in data.items():
            if path != ("brain", "regions"):  # which are tried by themselves
                yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from leaves(value, (*path, i))
    else:
        yield path


def changed(value):
    """Return another value that stands for another thing wherever ``value`` may stand."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value - 1 if 1 < value < 8 else value + 1  # within the bounds of the indices in pairs
    if isinstance(value, float):
        return value / 2
    number, _, unit = value.partition(" ")
    try:
        return f"{(float(number) or 1e-9) * 1.0000001!r} {unit}"
    except ValueError:
        return None


@pytest.mark.parametrize(("kind", "data"), EVERYTHING)
def test_every_number_counts_in_the_digest(kind, data):
    before, tried = kind.parse(data).digest, 0
    for *way, last in leaves(data):
        copy = json.loads(json.dumps(data))
        table = copy
        for key in way:
            table = table[key]
        if (other := changed(table[last])) is None:
            continue
        table[last] = other
        assert kind.parse(copy).digest != before, (*way, last)
        tried += 1
    assert tried > (10 if kind is Workflow else 20)


def test_the_connectome_counts_in_the_digest():
    brain = small_brain()
    other = brain.connectome.replace(weight=brain.connectome.weight * 1.5)
    assert brain.model_copy(update={"connectome": other}).digest != brain.digest
    assert small_brain().digest == brain.digest


def test_a_digest_is_a_sha256():
    assert len(bytes.fromhex(relay_region().digest)) == 32


def test_declarations_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        relay_region().name = "other"


class Inner(Spec):
    weight: float
    places: dict[str, float] = Field(default_factory=dict)


class Outer(Spec):
    inner: Inner | None = None
    table: dict[str, Inner] = Field(default_factory=dict)
    row: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"inne": {}}, "inne: unknown key 'inne'; did you mean 'inner'? Known: inner, row, table"),
        (
            {"inner": {"weight": 1, "weigth": 1}},
            "inner.weigth: unknown key 'weigth'; did you mean 'weight'? Known: places, weight",
        ),
        (
            {"table": {"weight": {"weight": 1, "x": 1}}},
            "table.weight.x: unknown key 'x'; Known: places, weight",
        ),
        (
            {"row": [{"weight": 1}, {"weight": 1, "plces": {}}]},
            "row[1].plces: unknown key 'plces'; did you mean 'places'?",
        ),
        ({"table": {"a[1]": {}}}, "table.a[1].weight: this key is required and missing; add it"),
        ({"inner": {"weight": "x"}}, "inner.weight: input should be a valid number"),
        ({"inner": {"weight": float("nan")}}, "inner.weight: input should be a finite number, found nan"),
        (
            {"inner": {"weight": 1, "places": {"str": None}}},
            "inner.places.str: input should be a valid number, found None",
        ),
    ],
)
def test_a_fault_is_reported_with_its_place(data, message):
    with pytest.raises(SpecError) as caught:
        Outer.parse(data, "a.toml")
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(f"a.toml: {message}")


def test_faults_of_a_constructor_are_reported_in_the_same_way():
    with pytest.raises(SpecError, match=r"^weigth: unknown key 'weigth'; did you mean 'weight'\?"):
        Inner(weight=1, weigth=2)


def test_all_faults_are_reported():
    with pytest.raises(SpecError) as caught:
        Outer.parse({"inner": {"weight": "x", "y": 1}, "table": {"a": {}}, "z": 1})
    assert {problem.where for problem in caught.value.problems} == {"inner.weight", "inner.y", "table.a.weight", "z"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_data_is_a_region_or_an_error_of_the_declaration(data):
    with pytest.raises(SpecError):
        Region.parse(data)


@pytest.mark.parametrize("name", workflow_names())
def test_replacing_nothing_changes_nothing(name):
    workflow = load_workflow(name)
    parts = [workflow, workflow.run, workflow.record, workflow.brain, *workflow.stimuli]
    parts += [part for part in (workflow.brain.long_range, workflow.train, workflow.sweep) if part is not None]
    for region in workflow.brain.regions.values():
        parts += [region, region.ports, *region.cells.values(), *region.populations.values()]
        parts += [*region.projections, *region.drives]
    for part in parts:
        assert part.replace() == part
        assert part.replace().digest == part.digest


def test_what_is_replaced_is_checked_and_the_rest_stays():
    brain = small_brain()
    weaker = brain.replace(coupling=0.5)
    assert (weaker.coupling, weaker.regions, brain.coupling) == (0.5, brain.regions, 1.0)
    workflow = Workflow.parse(WORKFLOW)
    assert (
        workflow.run.replace(duration="3 s")
        == Workflow.parse(WORKFLOW | {"run": WORKFLOW["run"] | {"duration": "3 s"}}).run
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"couplng": 0.5}, "couplng: unknown key 'couplng'; did you mean 'coupling'?"),
        ({"coupling": "abc"}, "coupling: input should be a valid number"),
        ({"coupling": -1.0}, "coupling: input should be greater than or equal to 0"),
        ({"normalisation": "foo"}, "normalisation: unknown normalisation 'foo'"),
        ({"long_range": {"in_degree": 3}}, "long_range.weight: expected a weight or a share, found neither"),
    ],
)
def test_a_wrong_replacement_is_refused_also_by_the_copy_of_pydantic(changes, message):
    for replaced in (small_brain().replace, lambda **update: small_brain().model_copy(update=update)):
        with pytest.raises(SpecError) as caught:
            replaced(**changes)
        assert str(caught.value).startswith(message)


def test_a_number_without_its_unit_is_no_replacement():
    with pytest.raises(SpecError, match=r"duration: expected a quantity in ms, found 500\.0 without a unit"):
        Workflow.parse(WORKFLOW).run.replace(duration=500.0)


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("run.seed", {"run": {"seed": True}}),
        ("brain.coupling", {"brain": WORKFLOW["brain"] | {"coupling": True}}),
        (
            "brain.long_range.in_degree",
            {"brain": WORKFLOW["brain"] | {"long_range": {"in_degree": True, "weight": "1 nS"}}},
        ),
    ],
)
def test_a_truth_value_is_no_number(place, changes):
    with pytest.raises(SpecError, match=f"^{place}: expected no truth value here, found true$"):
        Workflow.parse(WORKFLOW | changes)


@pytest.mark.parametrize(
    ("declaration", "data"),
    [
        (Brain, {"connectome": Path("a/b.csv"), "regions": {"*": region_data(RELAY)}}),
        (SpikeTrains, {"file": Path("v.csv"), "unit": "ms", "weight": "1 nS"}),
        (Training, {"task": {"name": "shd", "folder": Path("data/shd")}}),
        (Certificates, dict.fromkeys(("ca_file", "cert_file", "key_file"), Path("lab.pem"))),
    ],
)
def test_a_path_may_be_a_path_object_wherever_it_may_be_text(declaration, data):
    def as_text(value):
        if isinstance(value, dict):
            return {key: as_text(item) for key, item in value.items()}
        return str(value) if isinstance(value, Path) else value

    found, expected = declaration.parse(data), declaration.parse(as_text(data))
    assert found == expected
    assert found.digest == expected.digest
    assert declaration(**data) == expected


def test_a_truth_value_stays_one_where_it_is_meant():
    record = Workflow.parse(WORKFLOW | {"record": {"spikes": False}}).record
    assert record.spikes is False


@pytest.mark.parametrize("value", [0, 1, 0.0, "no", "false", None])
def test_only_true_and_false_are_truth_values(value):
    with pytest.raises(SpecError, match="spikes: expected true or false, found "):
        Workflow.parse(WORKFLOW | {"record": {"spikes": value}})


@pytest.mark.parametrize("value", [1, 1.0, 0, "true"])
def test_a_rule_that_is_alone_is_true(value):
    assert Connect(one_to_one=True) == Connect(one_to_one=np.True_)
    assert Connect(one_to_one=None, total=1).one_to_one is None
    with pytest.raises(SpecError, match="one_to_one: expected true or false, found"):
        Connect(one_to_one=value)


@pytest.mark.parametrize("declaration", [Workflow, Region])
def test_a_declaration_has_a_json_schema(declaration):
    schema = declaration.model_json_schema()
    assert set(schema["properties"]) == set(declaration.model_fields)
    values = schema["$defs"]["Explicit"]["properties"]["values"]
    assert values["anyOf"][0] == {"type": "array", "items": {"type": "number"}}


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("connect.in_degree", "2_0", "expected a number, found the text '2_0'; write it without quotes"),
        ("connect.in_degree", "twenty", "input should be a valid integer"),
        ("receptor", {"ampa": True}, "expected numbers, found True among them"),
        ("receptor", {"ampa": "1_0"}, "expected numbers, found '1_0' among them"),
        ("weight", {"values": [1.5, True], "unit": "nS"}, "expected numbers, found True among them"),
        ("connect", {"pairs": {"source": [0, True], "target": [1, 0]}}, "expected numbers, found True among them"),
    ],
)
def test_neither_truth_values_nor_texts_are_numbers(place, value, message):
    data = region_data(CORTEX)
    table, key = data["projections"][2], place.split(".")
    for part in key[:-1]:
        table = table[part]
    table[key[-1]] = value
    with pytest.raises(SpecError, match=message):
        Region.parse(data)


@pytest.mark.parametrize(
    ("declared", "place"),
    [
        (lambda: Connect(probability=10 * b2.mV), "probability"),
        (lambda: Connect(in_degree=xr.DataArray(5, attrs={"units": "percent"})), "in_degree"),
        (lambda: Population(cell="c", size=datetime.timedelta(seconds=4)), "size"),
        (lambda: Run(duration="1 s", seed=3 * b2.volt), "seed"),
        (lambda: InputPort(share=0.5 * b2.volt), "share"),
        (lambda: InputPort(share=1, glutamate={"ampa": 500 * b2.mV}), "glutamate"),
        (lambda: Uniform(integers=(0, 5 * b2.mV)), "integers"),
    ],
)
def test_quantities_are_no_plain_numbers(declared, place):
    with pytest.raises(SpecError, match=f"{place}: expected a number without a unit, found one in '.*'; give a plain"):
        declared()
    ratio = Connect(probability=1 * b2.mV / b2.volt).probability
    assert ratio == Connect(probability=xr.DataArray(0.001, attrs={"units": "1"})).probability == 0.001


@pytest.mark.parametrize("values", [["1", "2_0"], [[1, True]], [True, 2]])
def test_given_values_are_numbers(values):
    with pytest.raises(SpecError, match=r"expected n(umbers|o truth value here), found "):
        SampledWaveform.parse({"values": values, "unit": "pA", "interval": "1 ms"})


def test_ends_and_seeds_are_numbers():
    with pytest.raises(SpecError, match=r"uniform: expected no truth value here, found true"):
        Uniform.parse({"uniform": [True, 2]})
    with pytest.raises(SpecError, match=r"integers: expected numbers, found '1_0' among them"):
        Uniform.parse({"integers": [1, "1_0"]})
    with pytest.raises(SpecError, match=r"rate_errors: expected numbers, found True among them"):
        NeuronModel.parse({"equations": "v : 1", "threshold": "v > 1", "reset": "", "rate_errors": {"1 ms": True}})
    with pytest.raises(SpecError, match="seed: expected a number, found the text '1_0'"):
        Run.parse({"seed": "1_0"})
    with pytest.raises(SpecError, match="seed: expected no truth value here, found true"):
        Run(seed=np.True_)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"summary": "a\ud800"}, "summary"),
        ({"references": ["b", "\udfff"]}, "references"),
        ({"populations": {"\ud800": {"cell": "c", "size": 2}}}, "populations"),
        ({"drives": [{"name": "\ud800", "population": "p", "current": "1 pA"}]}, r"drives\[0\]\.name"),
    ],
)
def test_half_a_surrogate_pair_is_refused_where_it_is_declared(change, place):
    """No file can hold it, so a region with one could be neither written nor run."""
    cells = {"c": {"model": "lif_current", "receptors": []}}
    data = {"name": "x/y", "cells": cells, "populations": {"p": {"cell": "c", "size": 2}}, "summary": "a\U0001f600é"}
    assert Region.parse(data).summary == "a\U0001f600é"
    with pytest.raises(SpecError, match=rf"{place}: expected a text that a file can hold, .*'\\ud[8f]"):
        Region.parse(data | change)
