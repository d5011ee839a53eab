"""A point of a sweep is the run that `simulate` gives, whatever ran before it."""

import numpy as np
import pytest
import xarray as xr

import twinbrain as tb
from tests.roots import edit_root
from tests.run.sweep.conftest import declared
from twinbrain.run.sweep.points import keep_point, point_workflow, run_point
from twinbrain.run.sweep.reductions import LIBRARY, reduce_run
from twinbrain.run.sweep.sharing import Shared
from twinbrain.spec.sweep import Sweep
from twinbrain.store import Location

REDUCTIONS = {name: {} for name in LIBRARY}
REDUCTIONS |= {
    "fano_factor": {"bin": "2 ms"},
    "functional_connectivity": {"bin": "2 ms"},
    "spectrum": {"segment": "8 ms"},
    "synchrony": {"bin": "1 ms"},
}
SILENT = {"regions.*.drives.*.weight": "0 nS", "regions.TH-*.drives.local.weight": "0 pA"}
STEP = {"regions.CX-*.drives.pyr.rate": "2500 Hz"}
# Points in an order in which much of one could leak into the next.
POINTS = [
    {},
    {"coupling": 2.0},
    pytest.param({"coupling": 0.0}, marks=pytest.mark.slow),
    {"drive_seed": 5},
    {"seed": 4},
    STEP,
    {"regions.CX-*.drives.pyr.weight": "4.001 nS"},  # in the same quanta
    {"regions.CX-*.drives.pyr.weight": "0.01 nS"},  # in smaller ones
    SILENT,
    {"regions.test/cortex.parameters.b": "80 pA"},
    pytest.param({"regions.TH-*.cells.local.parameters.t_ref": "3 ms"}, marks=pytest.mark.slow),
    # As is a point in the test of orders below.
    pytest.param({"stimuli.pulse.weight": "30 nS"}, marks=pytest.mark.slow),
    pytest.param({"stimuli.pulse.start": "6 ms"}, marks=pytest.mark.slow),
    {"regions.CX-*.projections.pyr->pv.delay": "2 ms"},
    {"regions.CX-*.populations.pv.size": 12},
    {"duration": "20 ms"},
    pytest.param({"window": "10 ms"}, marks=pytest.mark.slow),
    {"engine": "reference"},
    pytest.param({"record.rate_bin": "0.5 ms"}, marks=pytest.mark.slow),
    {},
]


def described(values):
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "as declared"


@pytest.fixture(scope="module")
def shared():
    kept = Shared()
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Return the run that `simulate` gives, each made once."""
    known = {}

    def run(workflow, values):
        point = point_workflow(workflow, values)
        if point.digest not in known:
            known[point.digest] = tb.simulate(point, out=tmp_path_factory.mktemp("run") / "run.zarr").load()
        return known[point.digest]

    return run


def assert_same_run(found, expected):
    for path in ("spikes", "rate", "network", "connectome", *(f"state/{name}" for name in expected["state"].children)):
        xr.testing.assert_identical(found[path].to_dataset(), expected[path].to_dataset())


def assert_same_results(found, expected):
    one, other = (reduce_run(run, REDUCTIONS, {}) for run in (found, expected))
    for name in REDUCTIONS:
        xr.testing.assert_identical(one[name], other[name])


@pytest.mark.parametrize("values", POINTS, ids=described)
def test_a_point_is_the_run_of_its_workflow_to_the_last_bit(workflow, shared, simulated, values):
    expected = simulated(workflow, values)
    assert expected["spikes"].sizes["spike"] > 10 or "0 nS" in values.values()
    found = run_point(workflow, values, shared)
    assert_same_run(found, expected)
    if values in ({}, SILENT):
        assert_same_results(found, expected)


def test_points_of_one_network_run_in_any_order_to_the_same(workflow):
    values = [{"coupling": 2.0}, {"drive_seed": 5}, STEP, {"stimuli.pulse.weight": "30 nS"}]
    seen = []
    for order in (range(4), (3, 1, 0, 2)):
        shared = Shared()
        runs = {i: run_point(workflow, values[i], shared)["spikes"].to_dataset().copy(deep=True) for i in order}
        shared.close()
        seen.append([runs[i] for i in range(4)])
    for one, other in zip(*seen, strict=True):
        xr.testing.assert_identical(one, other)


def test_a_point_is_right_after_one_that_failed(workflow, simulated):
    shared = Shared()
    run_point(workflow, {}, shared)
    with pytest.raises(tb.TwinbrainError):
        run_point(workflow, {"regions.CX-*.drives.pyr.weight": "1e12 nS"}, shared)
    assert_same_run(run_point(workflow, {"coupling": 2.0}, shared), simulated(workflow, {"coupling": 2.0}))
    shared.close()


def test_the_workflow_of_a_point_has_its_values_and_no_sweep(workflow):
    swept = workflow.model_copy(update={"sweep": Sweep(parameters={"coupling": [2.0]})})
    point = point_workflow(swept, {"coupling": 2.0})
    assert (point.sweep, point.brain.coupling) == (None, 2.0)
    assert point == point_workflow(workflow, {"coupling": 2.0})


def test_a_kept_point_is_gone_on_with(tmp_path, simulated):
    workflow = declared(engine="reference", window="2 ms", duration="8 ms")
    location = Location(tmp_path / "000000.zarr")
    with pytest.raises(tb.RunInterrupted):
        tb.simulate(workflow, out=location.path, progress=_interrupt_at(40))
    assert tb.open_run(location.path).attrs["committed"] == 4.0
    kept = keep_point(workflow, {}, location)
    assert kept.attrs["status"] == "complete"
    assert_same_run(kept.load(), expected := simulated(workflow, {}))
    assert_same_results(kept, expected)
    np.testing.assert_array_equal(keep_point(workflow, {}, location)["spikes"]["neuron"], kept["spikes"]["neuron"])
    edit_root(location.path, resumed_with='{"zarr": "0.1"}')
    keep_point(workflow, {}, location)
    edit_root(location.path, resumed_with='{"numpy": "1.0"}')
    with pytest.raises(tb.StoreError, match=r"others have gone on with it: numpy 1\.0; move it elsewhere, and resume"):
        keep_point(workflow, {}, location)


def _interrupt_at(step):
    import signal

    def progress(doing, done, total):
        if doing == "simulate" and done == step:
            signal.raise_signal(signal.SIGINT)

    return progress
