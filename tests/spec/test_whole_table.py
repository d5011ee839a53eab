"""Tables in place of what is declared."""

import pytest

from tests.examples import CORTEX, region_data
from twinbrain.errors import SpecError
from twinbrain.spec.region import Region
from twinbrain.spec.training import Training
from twinbrain.spec.whole_table import refuse_loss

REGION = Region.parse(region_data(CORTEX))
TRAIN = Training.parse(
    {
        "task": {"name": "digits", "coding": "rate"},
        "input": {"probability": 0.3, "rate": "20 Hz"},
        "surrogate": {"name": "fast_sigmoid", "slope": 10},
        "trainable": {"weight": {"*": "synapse"}, "C_m": "neuron"},
    }
)


def place_of(key):
    return ("train", *key.split(".")) if key else ("brain", "regions", "*")


def part_of(key):
    found = TRAIN
    for part in key.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(
    ("key", "table", "lost", "instead"),
    [
        ("input", {"probability": 0.5}, "rate", "probability"),
        ("input", {"region": "V1", "probability": 0.5}, "rate", "region"),
        ("surrogate", {"name": "fast_sigmoid"}, "slope", "name"),
        ("task", {"coding": "latency"}, "name", "coding"),
        ("trainable", {"C_m": "population"}, "weight", "C_m"),
        ("trainable", {"weight": "population"}, "C_m", "weight"),
        ("trainable", {"dale": False}, "weight, C_m", "dale"),
    ],
)
def test_a_table_that_would_lose_other_keys_is_refused(key, table, lost, instead):
    with pytest.raises(SpecError) as error:
        refuse_loss(f"train.{key}", part_of(key), table, place_of(key))
    (problem,) = error.value.problems
    assert problem.where == f"train.{key}"
    assert f"in place of all that train.{key} declares, which would lose {lost}; write each as" in problem.message
    assert problem.message.endswith(f'"train.{key}.{instead}" = …')


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("input", {"probability": 0.5, "rate": "9 Hz"}),
        ("surrogate", {"name": "atan"}),
        ("task", {"name": "xor"}),
        ("task", {"name": "digits", "n_train": 9}),
        ("task", {"name": "digits", "coding": "rate", "n_train": 9}),
        ("readout", {"time_constant": "9 ms"}),
        ("trainable", {"weight": "population", "C_m": "population"}),
        ("trainable.weight", {"input->*": "synapse"}),
    ],
)
def test_a_table_that_loses_nothing_or_names_another_thing_is_taken(key, table):
    refuse_loss(f"train.{key}", part_of(key), table, place_of(key))


@pytest.mark.parametrize(
    ("table", "lost", "instead"),
    [
        ({"cells": {"pyr": {"parameters": {"b": "20 pA"}}}}, "name, ", "cells.pyr.parameters.b"),
        ({"drives": {"pyr": {"rate": "20 Hz"}}}, "name, ", "drives.pyr.rate"),
        ({"populations": {"pyr": {"size": 2}}}, "name, ", "populations.pyr.size"),
    ],
)
def test_the_key_that_was_meant_is_told(table, lost, instead):
    with pytest.raises(SpecError, match="would lose name, ") as error:
        refuse_loss("regions.*", REGION, table, place_of(""))
    assert str(error.value).endswith(f'"regions.*.{instead}" = …')


def test_what_lies_deeper_is_not_lost_either():
    cells = {name: cell.to_dict() for name, cell in REGION.cells.items()}
    refuse_loss("cells", REGION.cells, cells, (*place_of(""), "cells"))
    cells["pyr"]["parameters"] = {"b": "20 pA"}
    with pytest.raises(SpecError, match=r"all that cells\.pyr\.parameters declares, which would lose C_m, "):
        refuse_loss("cells", REGION.cells, cells, (*place_of(""), "cells"))


def test_values_and_declarations_that_are_complete_are_taken():
    place = (*place_of(""), "x")
    cell, projection = REGION.cells["pv"], REGION.projections[0]
    refuse_loss("b", cell.parameters["V_th"], {"normal": ["-50 mV", "1 mV"]}, place)
    refuse_loss("b", cell.parameters["V_th"], {"values": [1.0, 2.0], "unit": "mV"}, place)
    refuse_loss("projections.0", projection, projection.to_dict() | {"name": "new"}, place)
    refuse_loss("regions.*", REGION, {key: region_data(CORTEX)[key] for key in ("name", "cells", "populations")}, place)


def test_of_ways_that_exclude_each_other_one_takes_the_place_of_another():
    connect = REGION.projections[0].connect
    assert connect.to_dict().keys() == {"probability"}
    refuse_loss("connect", connect, {"in_degree": 2}, ("a", "b"))
    with pytest.raises(SpecError, match="would lose autapses;"):
        refuse_loss("connect", connect.replace(autapses=True), {"in_degree": 2}, ("a", "b"))
