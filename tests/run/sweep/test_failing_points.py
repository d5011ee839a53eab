"""Points of a sweep that fail: written down, and the others are done."""

import numpy as np
import pytest

import twinbrain as tb
from tests.run.conftest import lively
from tests.run.sweep.conftest import fails_at, n_spikes
from twinbrain.spec.load import as_workflow

RELAY = "regions.test/relay"


def test_a_point_that_fails_is_written_down_and_the_others_are_done(sweep, out):
    found = sweep(seed=range(5), reduce=["mean_rates", fails_at(2)])
    assert found["status"].values.tolist() == [1, 1, 2, 1, 1]
    assert np.isnan(found["moody"].values).tolist() == [False, False, True, False, False]
    assert np.isnan(found["mean_rates"].sel(seed=2)).all()
    errors = found["error"].values.tolist()
    assert [bool(error) for error in errors] == [False, False, True, False, False]
    assert "ZeroDivisionError: no luck (moody, " in errors[2]


def test_a_point_that_cannot_be_built_is_written_down_too(sweep):
    weights = [f"{weight} pA" for weight in (400, 401, 402, "1e13", 404, 405, 406, 407, 408, 409, 410, 411)]
    found = sweep(**{f"{RELAY}.drives.local.weight": weights}, reduce=n_spikes)
    assert found["status"].values.tolist() == [1, 1, 1, 2, *[1] * 8]
    assert found["error"].values[3].startswith("SpecError: ")


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("nothing to say")


@pytest.mark.parametrize("keep_runs", [False, True])
@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (ValueError("no file " + b"caf\xe9".decode("utf-8", "surrogateescape")), r"ValueError: no file caf\udce9 ("),
        (Unspeakable(), "Unspeakable: (its text is not to be had: RuntimeError) ("),
        (tb.StoreError("expected a run, found nothing"), "StoreError: expected a run, found nothing"),
    ],
)
def test_whatever_a_function_raises_its_point_alone_fails(sweep, error, kept, keep_runs):
    def raising(run):
        if run.attrs["seed"] == 1 and run["spikes"].sizes["spike"]:  # early checks see no spikes
            raise error
        return 1.0

    found = sweep(seed=range(3), reduce=[raising], keep_runs=keep_runs)
    assert found["status"].values.tolist() == [1, 2, 1]
    assert str(found["error"].values[1]).startswith(kept)


def test_a_point_whose_times_are_others_fails_and_says_so(sweep):
    """Bins of twice the width over twice the time are as many; the second of nine is not looked at before."""
    twice = [place % 2 for place in range(9)]
    together = {
        "record.rate_bin": [("1 ms", "2 ms")[i] for i in twice],
        "duration": [("10 ms", "20 ms")[i] for i in twice],
    }
    found = sweep(as_workflow(lively()), together=[together], reduce=["rates"])
    assert (found["status"].values == np.where(twice, 2, 1)).all()
    assert "expected the same time at every point, found" in str(found["error"].values[1])
    assert found["rates"].isnull().values.any(axis=(1, 2)).tolist() == [bool(place) for place in twice]
