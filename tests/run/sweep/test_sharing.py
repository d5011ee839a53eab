"""What points share is built once, and what they do not share is not shared."""

import pytest

import twinbrain as tb
from twinbrain.engines import brian2
from twinbrain.run.prepare import prepare
from twinbrain.run.sweep import sharing
from twinbrain.run.sweep.points import run_point
from twinbrain.run.sweep.sharing import Shared, shares_network
from twinbrain.spec.workflow import Workflow

PYR = "regions.CX-*.drives.pyr"


@pytest.mark.parametrize(
    ("key", "shares"),
    [
        ("coupling", True),
        ("brain.coupling", True),
        ("drive_seed", True),
        ("run.duration", True),
        ("window", True),
        ("engine", True),
        ("stimuli.pulse.rate", True),
        (f"{PYR}.rate", True),
        (f"brain.{PYR}.weight", True),
        ("regions.*.drives.*.weight", True),
        ("name", True),
        ("seed", False),
        ("run", False),
        ("dt", False),
        ("brain", False),
        ("regions", False),
        ("regions.CX-*", False),
        ("regions.drives.cells.a.parameters.b", False),
        ("regions.CX-*.cells.drives.parameters.b", False),
        ("regions.CX-*.parameters.b", False),
        ("regions.CX-*.populations.pyr.size", False),
        ("long_range.weight", False),
        ("connectome", False),
        ("normalisation", False),
        ("record.rate_bin", False),
    ],
)
def test_which_keys_leave_the_network_as_it_is(key, shares):
    assert shares_network(key) is shares


@pytest.fixture
def built(monkeypatch):
    """What is built from here on: networks, and simulations."""
    counts = {"networks": 0, "simulations": 0}
    build, prepare = sharing.build_skeleton, brian2.prepare

    def counted_build(*arguments, **options):
        counts["networks"] += 1
        return build(*arguments, **options)

    def counted_prepare(*arguments, **options):
        counts["simulations"] += 1
        return prepare(*arguments, **options)

    monkeypatch.setattr(sharing, "build_skeleton", counted_build)
    monkeypatch.setattr(brian2, "prepare", counted_prepare)
    return counts


@pytest.fixture
def run_all(workflow):
    shared = Shared()

    def run(points):
        for values in points:
            run_point(workflow, {"duration": "2 ms", "window": "2 ms"} | values, shared)

    yield run
    shared.close()


def over(key, *values):
    return [{key: value} for value in values]


@pytest.mark.parametrize(
    ("points", "networks", "simulations"),
    [
        (over("coupling", 0.0, 1.0, 2.0), 1, 1),
        (over("drive_seed", 1, 2, 3), 1, 1),
        (over(f"{PYR}.rate", "0 Hz", "1 kHz", "2 kHz"), 1, 1),
        (over(f"{PYR}.weight", "4 nS", "4.5 nS", "5 nS"), 1, 1),
        (over(f"{PYR}.weight", "4 nS", "0.01 nS"), 2, 1),
        (over("stimuli.pulse.rate", "1 kHz", "2 kHz"), 1, 1),
        (over("window", "1 ms", "2 ms"), 1, 1),
        (over("seed", 1, 2, 1), 2, 1),
        (over("seed", 1, 2, 3, 4, 5, 1), 6, 1),  # a few are kept
        (over("regions.test/cortex.parameters.b", "10 pA", "20 pA"), 2, 1),
        (over("regions.CX-*.populations.pyr.size", 20, 30, 20), 2, 3),
        ([{"seed": seed, "coupling": coupling} for seed in (1, 2) for coupling in (0.0, 1.0, 2.0)], 2, 1),
    ],
)
def test_what_is_shared_is_built_once(run_all, built, points, networks, simulations):
    run_all(points)
    assert built == {"networks": networks, "simulations": simulations}


def test_nothing_is_kept_of_what_was_closed(workflow, built):
    shared = Shared()
    for _ in range(2):
        run_point(workflow, {"duration": "2 ms", "window": "2 ms"}, shared)
        shared.close()
    assert built == {"networks": 2, "simulations": 2}


def test_weights_that_make_a_share_are_those_of_each_points_own_drives():
    drive = {"population": "p", "receptor": "ampa", "rate": "2 kHz", "weight": "1.1 nS"}
    region = {
        "name": "replaced",
        "cells": {"c": {"model": "lif_conductance", "receptors": ["ampa"]}},
        "populations": {"p": {"cell": "c", "size": 5}},
        "drives": [drive],
        "ports": {"outputs": ["p"], "inputs": {"p": {"share": 1, "glutamate": "ampa"}}},
        "expected": {"p": {"low": "5 Hz", "high": "15 Hz", "source": "a number to reckon with"}},
    }
    brain = tb.Brain(
        name="replaced",
        connectome=tb.Connectome([[0, 1], [1, 0]], [[0, 10], [10, 0]], ["a", "b"], name="pair"),
        regions={"*": tb.Region.parse(region)},
        long_range=tb.LongRange(in_degree=2, share=0.3),
    )
    workflow = Workflow.parse({"name": "replaced", "brain": brain, "run": {"duration": "1 ms", "engine": "torch"}})
    shared, weights = Shared(), []
    for rate in ("2000 Hz", "2400 Hz"):
        values = {"regions.*.drives.p.rate": rate}
        network, _ = shared.network(prepare(shared.workflow(workflow, values)), values)
        weights.append(network.tables[0].weight.mean())
    assert weights[1] / weights[0] == pytest.approx(2400 / 2000, rel=1e-3)
