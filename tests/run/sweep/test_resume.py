"""Sweeps that stopped, and go on where they did."""

import os
import signal

import numpy as np
import pytest

import twinbrain as tb
from tests.run.sweep.conftest import fails_at, n_spikes, simulated
from twinbrain.store import Location
from twinbrain.store.sweep import BatchResult, SweepStore

RELAY = "regions.test/relay"
C_M = f"{RELAY}.cells.local.parameters.C_m"


COUNTED = []


def moody(run):
    COUNTED.append(run.attrs["seed"])
    return fails_at(2)(run) if "UNLUCKY" in os.environ else n_spikes(run)


def test_resuming_does_what_is_missing_or_has_failed_and_nothing_else(sweep, out, monkeypatch):
    monkeypatch.setenv("UNLUCKY", "2")
    sweep(seed=range(5), reduce=moody, batch=2)
    monkeypatch.delenv("UNLUCKY")
    COUNTED.clear()
    found = tb.resume_sweep(out, reduce=moody, workers=0)
    assert COUNTED == [2]
    assert (found["status"] == 1).all()
    assert set(found["error"].values.tolist()) == {""}
    tb.resume_sweep(out, reduce=moody, workers=0)
    assert COUNTED == [2]
    assert found["moody"].values.tolist() == sweep(seed=range(5), reduce=moody, overwrite=True)["moody"].values.tolist()


def test_what_a_kill_left_of_results_does_not_count(sweep, out):
    """Results of a batch are written before its status, which says whether they are there."""
    sweep(seed=range(3), reduce=n_spikes, batch=1)
    left = {"n_spikes": np.array([3.0])}
    pending = BatchResult(1, 2, np.zeros(1, np.uint8), ["left"], np.ones(1, np.float32), left)
    SweepStore(Location(out)).write(pending)
    found = tb.open_sweep(out)
    assert found["status"].values.tolist() == [1, 0, 1]
    assert np.isnan(found["n_spikes"].values).tolist() == [False, True, False]
    assert np.isnan(found["seconds"].values).tolist() == [False, True, False]
    assert found["error"].values.tolist() == ["", "", ""]


def test_an_interrupted_sweep_goes_on_where_it_stopped(sweep, out):
    asked = []

    def stop(state):
        if state.now == 2 and not asked:
            asked.append(state)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(tb.RunInterrupted, match="stopped after 2 of 6 points"):
        sweep(seed=range(6), reduce=["mean_rates"], batch=2, progress=stop)
    assert tb.open_sweep(out)["status"].values.tolist() == [1, 1, 0, 0, 0, 0]
    states = []
    found = tb.resume_sweep(out, workers=0, progress=states.append).load()
    assert [(state.done, state.failed, state.total, state.now) for state in states] == [
        (2, 0, 6, 0),
        (4, 0, 6, 2),
        (6, 0, 6, 4),
    ]
    whole = sweep(seed=range(6), reduce=["mean_rates"], batch=2, overwrite=True)
    np.testing.assert_array_equal(found["mean_rates"], whole["mean_rates"])


@pytest.mark.parametrize("keep_runs", [False, True])
def test_a_signal_while_a_point_runs_stops_the_sweep_and_fails_no_point(sweep, out, keep_runs):
    def press(run):
        if run["spikes"].sizes["spike"] and run.attrs["seed"] == 1:
            signal.raise_signal(signal.SIGINT)
        return 0

    with pytest.raises(tb.RunInterrupted):
        sweep(seed=range(4), reduce=press, batch=1, keep_runs=keep_runs)
    assert tb.open_sweep(out)["status"].values.tolist() == [1, 1, 0, 0]


def test_the_same_call_goes_on_and_another_is_refused_naming_the_difference(sweep, out):
    sweep(seed=range(3), reduce=["mean_rates"])
    before = SweepStore(Location.of(out)).attrs
    sweep(seed=range(3), reduce=["mean_rates"])
    assert SweepStore(Location.of(out)).attrs == before
    for changes, texts in [
        ({"seed": [0, 1, 4]}, ["sweep.parameters.seed[2]: 2 before, 4 now"]),
        ({"seed": range(4)}, ["sweep.parameters.seed: [0, 1, 2] before, [0, 1, 2, 3] now"]),
        ({"coupling": 0.5}, ["brain.coupling: 1.0 before, 0.5 now"]),
        ({C_M: "111 pF"}, ["C_m", "before, '111 pF' now"]),
        ({"reduce": ["mean_rates", "cv_isi"]}, ["sweep.reduce.cv_isi: nothing before, {} now"]),
    ]:
        with pytest.raises(tb.SpecError) as error:
            sweep(**({"seed": range(3), "reduce": ["mean_rates"]} | changes))
        for text in (*texts, "another path", "overwrite=True"):
            assert text in str(error.value)


def test_functions_are_needed_again(sweep, out):
    sweep(seed=range(2), reduce=fails_at(1))
    with pytest.raises(
        tb.SpecError, match=r"expected the function 'moody'.*found none.* or pass the function in Python"
    ):
        tb.resume_sweep(out, workers=0)


@pytest.mark.parametrize("other", ["rates", {"mean_rates": {"start": "5 ms"}}, ["mean_rates", "no_such"]])
def test_a_sweep_that_is_resumed_keeps_its_analyses(sweep, out, other):
    done = sweep(seed=range(2), reduce={"mean_rates": {"by": "population"}})
    with pytest.raises(
        tb.SpecError, match=r"functions of your own alone.*\(mean_rates\), found '(rates|mean_rates|no_such)'"
    ):
        tb.resume_sweep(out, workers=0, reduce=other)
    for same in ("mean_rates", {"mean_rates": {"by": "population"}}):
        assert tb.resume_sweep(out, workers=0, reduce=same).identical(done)


def test_there_must_be_a_sweep_to_open_or_resume(out, tmp_path):
    for call in (tb.open_sweep, tb.resume_sweep):
        with pytest.raises(tb.StoreError, match="expected a sweep, found nothing"):
            call(out)
    simulated(tmp_path, {})
    for call in (tb.open_sweep, tb.resume_sweep):
        with pytest.raises(tb.StoreError, match="expected a twinbrain sweep, found something else"):
            call(tmp_path / "run.zarr")
